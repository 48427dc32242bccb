/// Two of our own ends over 0-9-1: every way of settling in both directions, sizes around the frame, queues asked message
/// by message, and an acceptor that is pressed.
import Bytes
import Engine
import Support
import Testing
import Wire

@Suite struct Pair091Tests {
  enum Direction: CaseIterable { case initiatorSends, acceptorSends }

  static func settings(_ role: ConnectionSettings.Role) -> ConnectionSettings {
    var settings = ConnectionSettings(role)
    // The acceptor finds out.
    settings.protocols = role == .initiator ? .amqp091 : [.amqp10, .amqp091]
    settings.user = role == .initiator ? "guest" : nil
    settings.password = settings.user
    return settings
  }

  static func linked(
    _ direction: Direction, settled: Bool = false, chunk: Int = .max, budget: Int? = nil, window: UInt32 = 100
  ) -> (pair: Pair, sender: End, receiver: End, out: LinkID, back: LinkID) {
    let pair = Pair.willing(settings(.initiator), settings(.acceptor))
    pair.chunk = chunk
    let role: Role = direction == .initiatorSends ? .sender : .receiver
    let link = pair.initiator.connection.attach(
      Attach(role, "q", snd: settled ? .settled : .unsettled, to: "/queues/q"))
    pair.run()
    if direction == .acceptorSends {
      pair.initiator.connection.grant(link, start: window, ceiling: window, budget: budget)
      pair.run()
      _ = pair.acceptor.takeLog()
      return (pair, pair.acceptor, pair.initiator, pair.acceptor.links[0], link)
    }
    // A place is a link from the first message on.
    pair.initiator.deliver(link, 1_000, message("first"), settled: settled)
    pair.run()
    let back = pair.acceptor.links[0]
    pair.acceptor.connection.settle(back, 0...0, .accept)
    pair.run()
    _ = pair.initiator.takeLog()
    _ = pair.acceptor.takeLog()
    return (pair, pair.initiator, pair.acceptor, link, back)
  }

  @Test(arguments: Direction.allCases, [1, 7, Int.max])
  func atMostOnce(_ direction: Direction, _ chunk: Int) {
    let (pair, sender, receiver, out, back) = Pair091Tests.linked(direction, settled: true, chunk: chunk)
    for n in 0..<5 { sender.deliver(out, n, message("m\(n)"), settled: true) }
    pair.run()
    #expect(receiver.messages.suffix(5).map(body) == (0..<5).map { "m\($0)" })
    let unsettled = receiver.deliveries.filter { !$0.settled }
    #expect(unsettled.isEmpty)
    let first = receiver.deliveries.suffix(5)[receiver.deliveries.endIndex - 5].number
    let before = pair.sent
    receiver.connection.settle(back, first...first + 4, .accept)
    pair.run()
    #expect(pair.sent == before, "nothing is owed for what came settled")
    #expect(sender.unsettled(out) == 0)
  }

  static let outcomes: [(outcome: Outcome, confirm: String, answer: String)] = [
    (.accept, "accepted", "accepted"), (.reject(nil), "rejected", "rejected"), (.release, "rejected", "released"),
    (.modify(failed: true, undeliverable: false, annotations: .null), "rejected", "released"),
    (.modify(failed: false, undeliverable: true, annotations: .null), "rejected", "rejected"),
  ]

  @Test(arguments: Direction.allCases, outcomes.indices)
  func atLeastOnce(_ direction: Direction, _ index: Int) {
    let (outcome, confirm, answer) = Pair091Tests.outcomes[index]
    let (pair, sender, receiver, out, back) = Pair091Tests.linked(direction)
    for n in 0..<5 { sender.deliver(out, n, message("m\(n)")) }
    pair.run()
    #expect(sender.unsettled(out) == 5)
    let first = receiver.deliveries[receiver.deliveries.count - 5].number
    // One in the middle, and then all that are left.
    receiver.connection.settle(back, first + 2...first + 2, outcome)
    pair.run()
    receiver.connection.settle(back, first...first + 4, outcome)
    pair.run()
    let said = direction == .initiatorSends ? confirm : answer
    let log = sender.takeLog()
    #expect(log.first == "answered q 2...2 \(said)")
    let others = log.filter { !$0.hasSuffix(" \(said)") }
    #expect(others == [])
    #expect(sender.unsettled(out) == 0)
  }

  @Test(arguments: Direction.allCases, [0, 1, 131_064, 131_065, 262_128, 1_000_000])
  func sizes(_ direction: Direction, _ size: Int) {
    let (pair, sender, receiver, out, _) = Pair091Tests.linked(direction)
    let octets = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let whole = message(octets)
    var at = sender.deliver(out, 1, whole)
    pair.run()
    while at < whole.count {
      #expect(sender.canContinue(out))
      at = sender.deliver(out, 1, whole, from: at)
      pair.run()
    }
    let came = receiver.messages.last ?? []
    let content = try? MessageMapping.body(came.span)
    let got = content.map { Array(came[$0.first]) }
    #expect(got == octets)
  }

  @Test func budgetIsNeverOverrun() {
    let (pair, sender, receiver, out, back) = Pair091Tests.linked(.acceptorSends, budget: 5, window: 3)
    var sent = 0
    for _ in 0..<20 {
      while sender.room(out) > 0 && sent < 20 {
        sender.deliver(out, sent, message("m\(sent)"))
        sent += 1
      }
      pair.run()
      if let last = receiver.deliveries.last?.number { receiver.connection.settle(back, 0...last, .accept) }
      pair.run()
    }
    #expect(receiver.deliveries.count == 5 && sent == 5)
    #expect(sender.unsettled(out) == 0, "and all of them are acknowledged in the end")
  }

  @Test func drainedByQuestions() {
    let pair = Pair.willing(Pair091Tests.settings(.initiator), Pair091Tests.settings(.acceptor))
    let link = pair.initiator.connection.attach(Attach(.receiver, "q", to: "/queues/q"))
    pair.run()
    pair.initiator.connection.grant(link, start: 10, ceiling: 10)
    pair.initiator.connection.drain(link)
    pair.run()
    let out = pair.acceptor.links[0]
    #expect(pair.acceptor.room(out) == 10)
    for n in 0..<3 { pair.acceptor.deliver(out, n, message("m\(n)")) }
    pair.acceptor.connection.idle(out)
    pair.run()
    #expect(pair.initiator.messages.map(body) == ["m0", "m1", "m2"])
    #expect(pair.initiator.takeLog().last == "drained q")
  }

  @Test func refusedPlaceClosesTheChannel() {
    let pair = Pair(Pair091Tests.settings(.initiator), Pair091Tests.settings(.acceptor))
    pair.acceptor.react = { end, event in
      if case .attachRequested(let link) = event {
        end.connection.refuse(link, AMQPError(Condition.notFound, "no node 'q' here"))
      }
    }
    let link = pair.initiator.connection.attach(Attach(.sender, "q", to: "/queues/q"))
    pair.run()
    pair.initiator.deliver(link, 1, message("m"))
    pair.run()
    #expect(pair.initiator.takeLog().last == "detached q link peer amqp-0-9-1:404 (no node 'q' here)")
    #expect(pair.acceptor.messages.isEmpty)
    // The connection goes on.
    let other = pair.initiator.connection.attach(Attach(.sender, "r", to: "/queues/r"))
    pair.acceptor.react = { end, event in if case .attachRequested(let l) = event { end.connection.accept(l) } }
    pair.run()
    pair.initiator.deliver(other, 2, message("m"))
    pair.run()
    #expect(pair.acceptor.messages.count == 1)
  }

  /// Each routing key is a place; there may be millions of them.
  @Test func placesAreBounded() {
    let pair = Pair.willing(Pair091Tests.settings(.initiator), Pair091Tests.settings(.acceptor))
    let link = pair.initiator.connection.attach(Attach(.sender, "any", to: nil))
    pair.run()
    var up = 0
    var most = 0
    pair.acceptor.react = { end, event in
      switch event {
      case .attachRequested(let l):
        up += 1
        most = max(most, up)
        end.connection.accept(l)
      case .detached: up -= 1
      case .delivery(let d): end.connection.settle(d.link, d.number...d.number, .accept)
      default: break
      }
    }
    for n in 0..<1_000 {
      var draft = MessageDraft()
      draft.messageAnnotations = [MapEntry(.symbol("x-routing-key"), .string("k\(n)"))]
      draft.body = [.data(text("m\(n)"))]
      var q = ByteQueue()
      draft.encode(into: &q)
      pair.initiator.deliver(link, n, q.bytes)
      pair.run()
    }
    #expect(pair.acceptor.messages.map(body) == (0..<1_000).map { "m\($0)" })
    #expect(most <= 257)
    #expect(pair.initiator.unsettled(link) == 0)
  }

  @Test func cancelledConsumerStillSettles() {
    let (pair, sender, receiver, out, back) = Pair091Tests.linked(.acceptorSends)
    sender.deliver(out, 1, message("m"))
    pair.run()
    receiver.connection.stop(back)
    pair.run()
    #expect(receiver.takeLog().last == "stopped q")
    #expect(sender.room(out) == 0)
    #expect(sender.takeLog() == [], "what it has is still its own")
    receiver.connection.settle(back, 0...0, .accept)
    pair.run()
    #expect(sender.takeLog() == ["answered q 1...1 accepted", "detached q link peer"])
  }

  /// Whoever asks and never reads is given up, not served from ever more memory.
  @Test func answersThatNobodyReadsAreBounded() throws {
    let end = End(Pair091Tests.settings(.acceptor))
    var q = ByteQueue()
    q.append(ProtocolHeader.amqp091.bytes)
    try q.appendMethod(
      channel: 0,
      MethodRecord(
        MethodID.connectionStartOK,
        ["mechanism": .string("PLAIN"), "response": .binary([0, 97, 0, 98]), "locale": .string("en_US")]))
    try q.appendMethod(
      channel: 0, MethodRecord(MethodID.connectionTuneOK, ["frame-max": .uint(65_536)]))
    try q.appendMethod(channel: 0, MethodRecord(MethodID.connectionOpen))
    try q.appendMethod(channel: 1, MethodRecord(MethodID.channelOpen))
    end.receive(q.bytes, now: 0)
    var declare = ByteQueue()
    for _ in 0..<1_000 { try declare.appendMethod(channel: 1, MethodRecord(MethodID.queueDeclare)) }
    for _ in 0..<100 where !end.isOver { end.receive(declare.bytes, now: 0) }
    #expect(end.isOver)
    #expect(end.takeLog().last?.hasPrefix("closed connection local amqp-0-9-1:506") == true)
  }

  @Test func closeInGoodOrderIsThePeersFirst() {
    let (pair, _, receiver, _, _) = Pair091Tests.linked(.initiatorSends)
    receiver.connection.close()
    pair.run()
    #expect(pair.initiator.takeLog() == [])
    pair.initiator.connection.close()
    pair.run()
    #expect(pair.initiator.takeLog().last == "closed connection local")
    #expect(receiver.takeLog().last == "closed connection peer")
  }

  @Test func closeInGoodOrderDoesNotWaitForEver() {
    let (pair, _, receiver, _, _) = Pair091Tests.linked(.initiatorSends)
    receiver.connection.close()
    pair.run()
    pair.advance(milliseconds: 300)
    #expect(pair.initiator.takeLog().last == "closed connection peer")
  }
}
