// `send --mode transaction`: the input in batches, and each batch a transaction of the peer's. What the peer says of a
// message counts when its batch is committed; one that is not accepted rolls all of its batch back.
import Console
import Engine
import Runtime
import Wire

/// The batch that is being sent.
struct Batch {
  /// Messages in a batch; nil: all there are.
  let size: Int?
  var transactions = Transactions()
  /// Messages that belong to it by now.
  var begun = 0
  /// Those that are not sent, because something is wrong with it already.
  var skipped = 0
  /// Over 1.0 the peer answers each, provisionally.
  var answered = 0
  /// It is not to be committed.
  var isFailed = false
  /// The peer has transactions.
  var isKnown = false

  init(size: Int?) { self.size = size }

  /// How many messages more may be sent in it now.
  var room: Int {
    guard transactions.isOpen, !isFailed else { return 0 }
    return left
  }

  var left: Int { size.map { $0 - begun } ?? .max }

  /// What the peer has of it may be committed, for all we know.
  var mayCount: Bool { if case .ending(fail: false) = transactions.state { true } else { false } }

  /// It is on its way to an end that the peer has to tell.
  var waits: Bool {
    switch transactions.state {
    case .asking, .ending: true
    case .none, .open, .lost: false
    }
  }

  mutating func reset() { (begun, skipped, answered, isFailed) = (0, 0, 0, false) }
}

extension Sender {
  /// Whether links may be asked for: over 1.0 a peer without transactions says so first.
  func mayAttach(_ server: Served) -> Bool { batch.map { $0.isKnown || server.speaks091 } ?? true }

  /// Asks for a transaction, sends none of a batch that failed, and ends one that is whole.
  func advanceBatch() {
    guard batch != nil, trouble == nil, case .running = stage, declaring.isDone, let server = served.first,
      !server.isOver, server.isOpen || server.speaks091
    else { return }
    batch!.transactions.advance(&server.peer.connection)
    switch batch!.transactions.state {
    case .none:
      if isAnythingToSend || !(batch!.isKnown || server.speaks091) {
        batch!.transactions.begin(&server.peer.connection)
        lastProgress = now
      }
    case .open:
      if batch!.isFailed { skip() }
      let isAnswered = server.speaks091 || batch!.answered == batch!.begun - batch!.skipped
      let isWhole = batch!.left == 0 || (source.isAtEnd && !isAnythingToSend)
      guard batch!.begun > 0, isWhole, isAnswered, !outlets.contains(where: { $0.partial != nil }) else { return }
      batch!.transactions.end(fail: batch!.isFailed, &server.peer.connection)
      lastProgress = now
    case .asking, .ending, .lost: break
    }
  }

  /// It is the peer's turn, and not the input's.
  func waitsForPeer(_ batch: Batch) -> Bool {
    if batch.waits || !declaring.isDone || !(served.first?.isOpen ?? false) { return true }
    if served.first?.speaks091 == false && batch.answered < batch.begun - batch.skipped { return true }
    return batch.room > 0 && isAnythingToSend && allowance > released
  }

  private var isAnythingToSend: Bool { routes.contains { $0.outbox.nextToSend != nil } }

  /// What belongs to a batch that failed goes nowhere.
  private func skip() {
    if batch!.size == nil { source.stop() }
    for route in routes {
      while batch!.left > 0, let next = route.outbox.nextToSend {
        route.outbox.begin(next, holder: -1, whole: true)
        batch!.begun += 1
        batch!.skipped += 1
      }
    }
  }

  /// - Returns: whether the event was about transactions.
  func takeTransaction(_ event: Event, _ server: Served) -> Bool {
    guard batch != nil else { return false }
    switch batch!.transactions.take(event, &server.peer.connection) {
    case .notOurs: return false
    case .nothing: break
    case .began:
      batch!.isKnown = true
      for route in routes { beginIfReady(route, on: server) }
    case .ended(let error): ended(error)
    case .lost(let reason):
      var explanation = server.explanation
      explanation.action = batch!.isKnown ? "go on with the transaction" : "begin a transaction"
      fail(explanation.transaction(reason))
    }
    lastProgress = now
    return true
  }

  /// An answer that counts only with the batch, unless it says no.
  func answered(inBatch i: Int, _ run: ClosedRange<Int>, _ answer: Answer) {
    batch!.answered += run.count
    switch (answer, batch!.transactions.state) {
    case (.accepted, _), (_, .ending(fail: true)): return
    case (_, .open): batch!.isFailed = true
    case (_, .none), (_, .asking), (_, .ending(fail: false)), (_, .lost): break
    }
    finish(run, of: outlets[i].route, answer)
  }

  /// The batch is committed, or everything in it is as if it had not been.
  private func ended(_ error: AMQPError?) {
    let isCommitted = error == nil && !batch!.isFailed
    for route in routes {
      let last = (route.outbox.nextToSend ?? route.outbox.total + 1) - 1
      if last < 1 { continue }
      if isCommitted {
        finish(1...last, of: route, .accepted)
      } else {
        witness?.rolledBack(route.outbox, 1...last, error: error, now: now)
        route.outbox.finish(1...last) { receipts.addRolledBack($0.count, error) }
      }
    }
    batch!.reset()
  }
}

extension Explanation {
  /// There are no transactions with the peer, or no more.
  func transaction(_ reason: CloseReason) -> Failure {
    var failure = self.failure(reason)
    if reason.error?.condition == Condition.notImplemented || reason.error?.condition == Condition.notFound {
      return Failure(
        "cannot \(action ?? "begin a transaction")", text(reason),
        nextStep: "RabbitMQ and our own --listen have transactions over --protocol 0-9-1; "
          + "--mode at-least-once does without",
        exitCode: .failure)
    }
    failure.nextStep = failure.nextStep ?? "--mode at-least-once does without transactions"
    return failure
  }
}
