/// Two of our own ends: every settlement mode with every outcome, in both directions.
import Engine
import Support
import Testing
import Wire

private let rejection = AMQPError("test:refused", "not this one", info: .map([.init(.symbol("k"), .uint(1))]))
private let outcomes: [(outcome: Outcome, answer: String)] = [
  (.accept, "accepted"), (.reject(nil), "rejected"),
  (
    .reject(rejection),
    "rejected test:refused (not this one) map([Wire.MapEntry(key: Wire.Value.symbol(\"k\"), value: Wire.Value.uint(1))])"
  ),
  (.release, "released"),
  (.modify(failed: true, undeliverable: true, annotations: .null), "modified failed undeliverable"),
  (.modify(failed: false, undeliverable: false, annotations: .null), "modified"),
]

@Suite struct SettlementTests {
  enum Direction: CaseIterable { case initiatorSends, acceptorSends }

  /// A pair with one link, credit granted. Ids of both ends wrap after three.
  static func linked(
    _ direction: Direction, snd: SenderSettleMode = .unsettled, rcv: ReceiverSettleMode = .first, chunk: Int = .max,
    credit: UInt32 = 100
  ) -> (pair: Pair, sender: End, receiver: End, out: LinkID, back: LinkID) {
    var ours = ConnectionSettings(.initiator)
    var theirs = ConnectionSettings(.acceptor)
    (ours.firstID, theirs.firstID) = (ScriptedPeer.firstID, ScriptedPeer.firstID)
    let pair = Pair.willing(credit: credit, ours, theirs)
    pair.chunk = chunk
    let role: Role = direction == .initiatorSends ? .sender : .receiver
    let link = pair.initiator.connection.attach(Attach(role, "a", snd: snd, rcv: rcv))
    pair.run()
    let other = pair.acceptor.links[0]
    if direction == .acceptorSends {
      pair.initiator.connection.grant(link, start: credit, ceiling: credit)
      pair.run()
    }
    _ = pair.initiator.takeLog()
    _ = pair.acceptor.takeLog()
    return direction == .initiatorSends
      ? (pair, pair.initiator, pair.acceptor, link, other) : (pair, pair.acceptor, pair.initiator, other, link)
  }

  @Test(arguments: Direction.allCases, [1, 7, Int.max])
  func atMostOnce(_ direction: Direction, _ chunk: Int) {
    let (pair, sender, receiver, out, back) = SettlementTests.linked(direction, snd: .settled, chunk: chunk)
    for n in 0..<5 { sender.deliver(out, n, "m\(n)", settled: true) }
    pair.run()
    #expect(receiver.takeLog() == (0..<5).map { "delivery a \($0) settled m\($0)" })
    #expect(sender.unsettled(out) == 0)
    receiver.connection.settle(back, 0...4, .accept)
    let before = pair.sent
    pair.run()
    #expect(pair.sent == before, "nothing is owed for what came settled")
    #expect(sender.takeLog() == [])
  }

  @Test(arguments: Direction.allCases, outcomes.indices)
  func receiverSettlesFirst(_ direction: Direction, _ which: Int) {
    let (outcome, answer) = outcomes[which]
    let (pair, sender, receiver, out, back) = SettlementTests.linked(direction)
    for n in 0..<7 { sender.deliver(out, 100 + n, "m\(n)") }
    pair.run()
    #expect(receiver.takeLog() == (0..<7).map { "delivery a \($0) m\($0)" })
    #expect(sender.unsettled(out) == 7)
    // Two runs and one in between, over the place where ids wrap.
    receiver.connection.settle(back, 0...1, outcome)
    receiver.connection.settle(back, 4...6, outcome)
    pair.run()
    #expect(sender.takeLog() == ["answered a 100...101 \(answer)", "answered a 104...106 \(answer)"])
    #expect(sender.unsettled(out) == 2)
    receiver.connection.settle(back, 0...6, .accept)
    pair.run()
    #expect(sender.takeLog() == ["answered a 102...103 accepted"])
    #expect(sender.unsettled(out) == 0)
    #expect(receiver.takeLog() == [])
    #expect(receiver.connection.unsettledIncoming(back) == 0)
  }

  @Test(arguments: Direction.allCases, outcomes.indices)
  func receiverSettlesSecond(_ direction: Direction, _ which: Int) {
    let (outcome, answer) = outcomes[which]
    let (pair, sender, receiver, out, back) = SettlementTests.linked(direction, rcv: .second)
    for n in 0..<5 { sender.deliver(out, n, "m\(n)") }
    pair.run()
    _ = receiver.takeLog()
    receiver.connection.settle(back, 0...4, outcome)
    #expect(receiver.awaitsSettlement)
    pair.run()
    #expect(sender.takeLog() == ["answered a 0...4 \(answer)"])
    #expect(receiver.takeLog() == ["settled by sender a 0...4"])
    #expect(!receiver.awaitsSettlement)
  }

  @Test(arguments: Direction.allCases, [1, 13, 4_096, Int.max])
  func multiFrameBothWays(_ direction: Direction, _ chunk: Int) {
    let (pair, sender, receiver, out, back) = SettlementTests.linked(direction, chunk: chunk)
    let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    var at = 0
    while at < body.count {
      at = sender.deliver(out, 9, body, from: at)
      pair.run()
    }
    sender.deliver(out, 10, [])
    pair.run()
    #expect(receiver.messages == [body, []])
    #expect(receiver.tags == [[0, 0, 0, 9], [0, 0, 0, 10]])
    receiver.connection.settle(back, 0...1, .accept)
    pair.run()
    #expect(sender.takeLog() == ["answered a 9...10 accepted"])
  }
}
