// Messages of the sending run: from the source into outboxes, over links, and answers to receipts.
import Bytes
import Console
import Engine
import Render
import Runtime
import Transport
import Wire

extension Sender {
  var hasRoom: Bool {
    guard routes.allSatisfy({ $0.outbox.hasRoom }), witness?.isFull != true, replay?.held == nil, hasReceivers else {
      return false
    }
    // A request is no older than it says when it goes out.
    return replies.map { $0.hasRoom && (pace == nil || taken < allowance) } ?? true
  }

  /// How many messages were ever read.
  var taken: Int { routes.reduce(gone) { $0 + $1.outbox.total } }

  func pump() throws(Failure) {
    if case .json = plan.form {
      var lines = JSONLines(sender: self)
      return try source.pump(into: &lines)
    }
    if let maker = plan.maker {
      var messages = MadeMessages(sender: self, maker: maker)
      return try source.pump(into: &messages)
    }
    if fansOut {
      var messages = FannedMessages(sender: self)
      return try source.pump(into: &messages)
    }
    let route = routes[0]
    if !hasRoom { return }
    let wasEmpty = route.outbox.isEmpty
    try source.pump(into: &route.outbox)
    if wasEmpty && !route.outbox.isEmpty { lastProgress = now }
  }

  func accept(json line: Span<UInt8>, number: Int) throws(Failure) {
    let draft: MessageDraft
    do throws(TextFault) {
      let json = try JSON(line: line)
      draft = try MessageDraft(json: json)
      if let due = replay?.due(Replay.arrival(json), now: now), due > now {
        replay?.hold(draft, line: number)
        return
      }
    } catch {
      throw Failure("line \(number) of standard input", error.reason, exitCode: .badInput)
    }
    try accept(draft, line: number)
  }

  /// The message that was held, when its time has come.
  func releaseHeld(_ time: Int64? = nil) {
    guard let held = replay?.release(now: time ?? now) else { return }
    do throws(Failure) { try accept(held.draft, line: held.line) } catch {
      inputFailure = inputFailure ?? error
      witness?.refused(place: nextPlace, error)
      source.stop()
    }
  }

  private func accept(_ draft: MessageDraft, line number: Int) throws(Failure) {
    var draft = draft
    let target: Route
    if plan.target != nil, let first = routes.first {
      target = first
    } else if let address = draft.address.map({ NodeAddress($0) }) ?? MessageMapping.destination(draft) {
      target = route(address)
      if let server = served.first, listener == nil { beginIfReady(target, on: server) }
    } else {
      throw Failure(
        "line \(number) of standard input", "the message names no address",
        nextStep: "give a TARGET, or an \"address\" to each message",
        exitCode: .badInput)
    }
    let place = nextPlace
    try plan.maker?.complete(&draft, place: place)
    replies?.prepare(&draft, place: place, now: now)
    scratch.removeAll()
    draft.encode(into: &scratch)
    if served.first?.speaks091 == true,
      let need = scratch.withReadable({ DialectChoice.need(message: $0, target: target.address) })
    {
      throw Failure(
        "line \(number) of standard input", "AMQP 0-9-1 can't send \(need.what)", nextStep: need.instead,
        exitCode: .badInput)
    }
    let none: [UInt8] = []
    scratch.withReadable { put(target, head: 0, prefix: $0, body: none.span, suffix: none.span, place: place) }
    if target.outbox.isFresh { lastProgress = now }
  }

  // MARK: Messages out

  /// How many messages may have been begun by now, by `--rate`.
  var allowance: Int { pace?.allowance ?? .max }

  func push(_ i: Int) {
    let server = outlets[i].server
    let link = outlets[i].link
    let route = outlets[i].route
    let settled = plan.mode == .atMostOnce || server.peer.connection.localAttach(link).sndSettleMode == .settled
    var outlet = outlets[i]
    if let maker = plan.maker, outlet.isUp {
      let limit = min(allowance - released, server.peer.connection.room(link))
      maker.begin(&route.outbox, atMost: limit, wall: Clock.wall)
    }
    let moved = Sender.push(
      &outlet, &server.peer.connection, &route.outbox, settled: settled,
      limit: min(allowance - released, batch?.room ?? .max), now: now, octets: &octets)
    released += moved.begun
    batch?.begun += moved.begun
    if moved.octets > 0 { lastProgress = now }
    outlets[i] = outlet
    if route.outbox.nextToSend == nil { server.peer.connection.idle(link) }
  }

  /// Static, with everything it touches lent to it: once a turn and not once a message.
  static func push(
    _ outlet: inout Outlet, _ connection: inout Connection, _ outbox: inout Outbox, settled: Bool, limit: Int,
    now: Int64, octets: inout Int
  ) -> (begun: Int, octets: Int) {
    var begun = 0
    let before = octets
    while true {
      let number: Int
      var offset = 0
      if let partial = outlet.partial {
        guard connection.canContinue(outlet.link) else { break }
        (number, offset) = partial
      } else {
        guard begun < limit, let next = outbox.nextToSend, connection.room(outlet.link) > 0 else { break }
        number = next
        begun += 1
      }
      let size = outbox.size(number)
      let again = outbox.wasDelivered(number)
      let at = outbox.withMessage(number) { head, body in
        connection.deliver(
          outlet.link, number, head: head, body: body, from: offset, settled: settled, again: again)
      }
      if outlet.partial == nil {
        outbox.begin(number, holder: outlet.holder, whole: at == size, now: now)
      } else if at == size {
        outbox.completed(number)
      }
      octets += at - offset
      if at < size {
        outlet.partial = (number, at)
        break
      }
      outlet.partial = nil
      if settled { outlet.handed = (outlet.handed?.lowerBound ?? number)...number }
    }
    return (begun, octets - before)
  }

  /// All that was handed to this connection has been written: settled messages are done with.
  func written(_ server: Served) {
    for i in outlets.indices where outlets[i].server === server {
      guard let run = outlets[i].handed else { continue }
      outlets[i].handed = nil
      witness?.sent(run, outlets[i].route.outbox, asWished: plan.mode == .atMostOnce, now: now)
      outlets[i].route.outbox.finish(run) { receipts.addSent($0.count) }
    }
  }

  func answered(_ link: LinkID, _ run: ClosedRange<Int>, _ answer: Answer, _ server: Served) {
    guard let i = outlet(link, server) else { return }
    lastProgress = now
    if let partial = outlets[i].partial, run.contains(partial.number) { outlets[i].partial = nil }
    if listener != nil && answer == .released && !fansOut {
      // Somebody else may want it.
      return outlets[i].route.outbox.giveBack(run)
    }
    redialing.progressed()
    if batch != nil { return answered(inBatch: i, run, answer) }
    finish(run, of: outlets[i].route, answer)
  }

  /// Their receipt, for good.
  func finish(_ run: ClosedRange<Int>, of route: Route, _ answer: Answer) {
    if route.outbox.hasRepeats { route.outbox.forEachPending(in: run) { if $0.mayBeTwice { receipts.addRepeat() } } }
    replies?.answered(run, route.outbox, answer)
    witness?.answered(run, route.outbox, answer, now: now)
    let place = answer == .accepted ? nil : route.outbox.firstPlace(in: run)
    route.outbox.finish(run) {
      receipts.add(
        $0.count, answer, place: place ?? $0.lowerBound, target: route.address, vhost: plan.connect.vhost)
    }
  }
}

/// Each line is a message of its own making, and may name its own address.
struct JSONLines: MessageSink {
  let sender: Sender
  var hasRoom: Bool { sender.hasRoom }
  func accept(prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>) {}
  func accept(json line: Span<UInt8>, number: Int) throws(Failure) { try sender.accept(json: line, number: number) }
}

extension Outbox: MessageSink {
  /// Behind the head that is the same for all: the route's first.
  mutating func accept(prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>) {
    append(head: 1, prefix: prefix, body: body, suffix: suffix)
  }
  func accept(json line: Span<UInt8>, number: Int) throws(Failure) {}
}
