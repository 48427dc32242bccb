// `receive --mode transaction`: what is decided of messages counts when it is committed, so many at once, when nothing has
// come for a while, and at the end. Output is written before that.
import Console
import Engine
import Runtime
import Transport
import Wire

/// Decisions that count together.
struct Commits {
  let size: Int
  var transactions = Transactions()
  /// Written, and not decided: there is no transaction to do that in.
  var waiting: [OutputQueue.Mark] = []
  /// Decided in the transaction.
  var decided = 0
  var lastDecision: Int64 = 0
  /// The peer has transactions.
  var isKnown = false

  init(size: Int) { self.size = size }

  static let patience: Int64 = 1_000_000_000

  /// When what was decided is committed without any more.
  var deadline: Int64? {
    decided > 0 && transactions.isOpen ? lastDecision + Commits.patience : nil
  }
}

extension Receiver {
  /// Whether links may be asked for: over 1.0 a peer without transactions says so first.
  func mayAttach(_ server: Served) -> Bool {
    guard commits != nil, !commits!.isKnown, !server.speaks091 else { return true }
    if case .none = commits!.transactions.state { commits!.transactions.begin(&server.peer.connection) }
    return false
  }

  /// Decides what is written, and commits when it is time.
  func advanceCommits() {
    guard commits != nil, let server = served.first, !server.isOver else { return }
    commits!.transactions.advance(&server.peer.connection)
    switch commits!.transactions.state {
    case .none: if !commits!.waiting.isEmpty || commits!.decided > 0 { beginCommit(server) }
    case .open:
      while commits!.decided < commits!.size, let mark = commits!.waiting.first {
        let count = min(mark.run.count, commits!.size - commits!.decided)
        let run = mark.run.lowerBound...mark.run.lowerBound + count - 1
        if run.upperBound == mark.run.upperBound {
          commits!.waiting.removeFirst()
        } else {
          commits!.waiting[0].run = run.upperBound + 1...mark.run.upperBound
        }
        commits!.decided += count
        commits!.lastDecision = now
        if case .outcome(let outcome) = plan.settlement {
          mark.server.peer.connection.settle(mark.link, run, outcome)
        }
      }
      guard commits!.decided > 0 else { return }
      let isDue = commits!.decided >= commits!.size || isClosing || now - commits!.lastDecision >= Commits.patience
      if isDue { commits!.transactions.end(fail: false, &server.peer.connection) }
    case .asking, .ending, .lost: break
    }
  }

  private func beginCommit(_ server: Served) {
    // What was given back outside of any transaction counted at once.
    if commits!.waiting.isEmpty && !server.speaks091 {
      commits!.decided = 0
      return
    }
    commits!.transactions.begin(&server.peer.connection)
    advanceCommits()
  }

  private var isClosing: Bool { if case .closing = stage { true } else { false } }

  /// Nothing more is to be committed, or can be.
  var allIsCommitted: Bool {
    guard let commits else { return true }
    switch commits.transactions.state {
    case .lost: return true
    // The close goes behind the commit, and something else was wrong already.
    case .ending where trouble != nil: return true
    case .none, .asking, .open, .ending: return commits.waiting.isEmpty && commits.decided == 0
    }
  }

  /// Of what came over a link, what nobody is going to decide about any more: without what waits for its transaction.
  func undecided(_ seen: ClosedRange<Int>, _ inlet: Inlet) -> [ClosedRange<Int>] {
    var left = [seen]
    for mark in commits?.waiting ?? [] where mark.link == inlet.link && mark.server === inlet.server {
      guard let last = left.last, mark.run.lowerBound <= last.upperBound else { break }
      left.removeLast()
      if mark.run.lowerBound > last.lowerBound { left.append(last.lowerBound...mark.run.lowerBound - 1) }
      if mark.run.upperBound < last.upperBound { left.append(mark.run.upperBound + 1...last.upperBound) }
    }
    return left
  }

  /// Messages that wait for their transaction.
  func waiting(_ inlet: Inlet) -> Int {
    (commits?.waiting ?? []).reduce(0) {
      $1.link == inlet.link && $1.server === inlet.server ? $0 + $1.run.count : $0
    }
  }

  /// - Returns: whether the event was about transactions.
  func takeTransaction(_ event: Event, _ server: Served) -> Bool {
    guard commits != nil else { return false }
    switch commits!.transactions.take(event, &server.peer.connection) {
    case .notOurs: return false
    case .nothing: break
    case .began:
      if !commits!.isKnown {
        commits!.isKnown = true
        attachAll(server)
      }
    case .ended(let error):
      if let error {
        fail(
          Failure(
            "\(commits!.decided) messages from \(sourceName) were written and stay there",
            "the peer rolled the transaction back: \(server.explanation.text(error))",
            exitCode: .notAccepted))
      } else {
        settled += commits!.decided
      }
      commits!.decided = 0
    case .lost(let reason):
      var explanation = server.explanation
      explanation.action = commits!.isKnown ? "go on with the transaction" : "begin a transaction"
      fail(explanation.transaction(reason))
    }
    return true
  }

  /// The end has come before the peer said that all is committed.
  func reportUncommitted() {
    guard let commits, !allIsCommitted, trouble == nil else { return }
    let count = commits.decided + commits.waiting.reduce(0) { $0 + $1.run.count }
    trouble = Failure(
      "\(count) messages from \(sourceName) were written and may come again", "no answer to the commit",
      exitCode: .notAccepted)
  }
}
