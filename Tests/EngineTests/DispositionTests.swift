/// Dispositions of both roles: ranges that wrap, that are huge, that run backwards; who settles when (part 2 §2.6.12).
import Engine
import Support
import Testing
import Wire

@Suite struct DispositionTests {
  /// A sender with so many messages on their way, numbered from 100.
  static func sent(_ count: Int, rcv: ReceiverSettleMode = .first) throws -> (ScriptedPeer, End, LinkID) {
    let (peer, end, link) = try linked(.sender, rcv: rcv)
    peer.send(Flow(handle: 0, credit: 1_000, count: id(0), nextIncoming: id(0)))
    for n in 0..<count { end.deliver(link, 100 + n, "m") }
    for _ in 0..<count { _ = try peer.expectTransfer() }
    return (peer, end, link)
  }

  // MARK: About what we sent

  @Test func rangeOverTheWrap() throws {
    let (peer, end, link) = try DispositionTests.sent(8)
    peer.send(Disposition(.receiver, id(1), to: id(6), .accepted))
    #expect(end.takeLog() == ["answered a 101...106 accepted"])
    peer.send(Disposition(.receiver, id(0), .released))
    peer.send(Disposition(.receiver, id(7), to: id(7), .rejected(AMQPError("test:no", "x"))))
    #expect(end.takeLog() == ["answered a 100...100 released", "answered a 107...107 rejected test:no (x)"])
    #expect(end.unsettled(link) == 0)
  }

  /// PROTOCOL.md: never iterate from first to last; several clients hang on last = 2³²−1.
  @Test(
    arguments: [
      (id(0), id(0) &+ 0x7fff_ffff), (id(0) &- 1, id(0) &+ 0x7fff_fffe), (id(0) &- 0x7fff_fff0, id(4)),
      (id(0) &- 1_000, id(0) &+ 1_000), (id(0), id(5_000)),
    ] as [(UInt32, UInt32)])
  func hugeRanges(_ first: UInt32, _ last: UInt32) throws {
    let (peer, end, _) = try DispositionTests.sent(5)
    peer.send(Disposition(.receiver, first, to: last, .accepted))
    #expect(end.takeLog() == ["answered a 100...104 accepted"])
  }

  @Test func hugeRangeBehindOlderOnes() throws {
    let (peer, end, _) = try DispositionTests.sent(5)
    peer.send(Disposition(.receiver, id(2), to: id(2) &+ 0x7fff_ffff, .accepted))
    #expect(end.takeLog() == ["answered a 102...104 accepted"])
  }

  @Test(
    arguments: [(id(4), id(2)), (5, 4), (0, UInt32.max), (id(0), id(0) &+ 0x8000_0000)] as [(UInt32, UInt32)])
  func reversedRangesAreErrors(_ first: UInt32, _ last: UInt32) throws {
    for role in [Role.receiver, .sender] {
      let (peer, end, _) = try DispositionTests.sent(5)
      peer.send(Disposition(role, first, to: last, .accepted))
      #expect(
        end.takeLog() == [
          "detached a session local amqp:invalid-field (a disposition from \(first) down to \(last))"
        ])
      #expect(try peer.expect(EndFrame.self).error?.condition == Condition.invalidField)
    }
  }

  @Test func rangesAboutNobodyAreIgnored() throws {
    let (peer, end, link) = try DispositionTests.sent(3)
    for (first, last) in [(id(3), id(9)), (id(0) &- 9, id(0) &- 1), (0x7000_0000, 0x7fff_ffff)] as [(UInt32, UInt32)] {
      peer.send(Disposition(.receiver, first, to: last, .accepted))
    }
    #expect(end.takeLog() == [] && end.unsettled(link) == 3)
    peer.send(Disposition(.receiver, id(0), to: id(2), .accepted))
    peer.send(Disposition(.receiver, id(0), to: id(2), .released))
    #expect(end.takeLog() == ["answered a 100...102 accepted"], "the first answer stands")
  }

  @Test func oneRangeOverTwoLinks() throws {
    let (peer, end, a) = try DispositionTests.sent(2)
    let b = end.connection.attach(Attach(.sender, "b"))
    try peer.link()
    peer.send(Flow(handle: 1, credit: 10, count: id(0), nextIncoming: id(2)))
    _ = end.takeLog()
    end.deliver(b, 500, "m")
    end.deliver(a, 102, "m")
    end.deliver(b, 501, "m")
    end.deliver(b, 502, "m")
    peer.send(Disposition(.receiver, id(0), to: id(5), .accepted))
    #expect(
      end.takeLog() == [
        "answered a 100...101 accepted", "answered b 500...500 accepted", "answered a 102...102 accepted",
        "answered b 501...502 accepted",
      ])
  }

  @Test(
    arguments: [
      (nil, "unspecified"), (.received(section: 0, offset: 5), "unspecified"),
      (.other(Record(Code.declared, [.binary([1])]).value), "declared [1]"),
      (.other(Record(Code.declared, [.uint(1)]).value), "unspecified"),
      (.other(Record(0xff_ffff, []).value), "unspecified"),
      (.other(Record(Code.transactionalState, [.binary([1]), DeliveryState.released.value]).value), "released"),
      (.other(Record(Code.transactionalState, [.binary([1])]).value), "unspecified"),
      (.modified(deliveryFailed: false, undeliverableHere: true, annotations: .null), "modified undeliverable"),
    ] as [(DeliveryState?, String)])
  func settledWithoutAnOutcomeWeKnow(_ state: DeliveryState?, _ answer: String) throws {
    let (peer, end, _) = try DispositionTests.sent(1)
    peer.send(Disposition(.receiver, id(0), state))
    #expect(end.takeLog() == ["answered a 100...100 \(answer)"])
  }

  /// A receiver that answers and does not settle: in the first mode too we settle.
  @Test(arguments: [ReceiverSettleMode.first, .second]) func weSettleWhatWasAnswered(_ mode: ReceiverSettleMode) throws
  {
    let (peer, end, link) = try DispositionTests.sent(4, rcv: mode)
    peer.send(Disposition(.receiver, id(0), to: id(3), settled: false, .received(section: 0, offset: 1)))
    peer.send(Disposition(.receiver, id(0), to: id(3), settled: false, nil))
    #expect(end.takeLog() == [] && end.unsettled(link) == 4)
    peer.send(Disposition(.receiver, id(1), to: id(2), settled: false, .accepted))
    #expect(end.takeLog() == ["answered a 101...102 accepted"])
    let answer = try peer.expect(Disposition.self)
    #expect(answer.role == .sender && answer.first == id(1) && answer.last == id(2) && answer.settled)
    try peer.expectNothing()
    // The handshake's third step, and a repetition of the second, change nothing.
    peer.send(Disposition(.receiver, id(1), to: id(2), .accepted))
    peer.send(Disposition(.receiver, id(1), to: id(2), settled: false, .accepted))
    #expect(end.takeLog() == [])
    try peer.expectNothing()
  }

  @Test func presettledOnesAreNobodysAnyMore() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: 0, credit: 10, count: id(0), nextIncoming: id(0)))
    end.deliver(link, 1, "settled", settled: true)
    end.deliver(link, 2, "not")
    end.deliver(link, 3, "settled", settled: true)
    #expect(end.unsettled(link) == 1)
    peer.send(Disposition(.receiver, id(0), to: id(2), .accepted))
    #expect(end.takeLog() == ["answered a 2...2 accepted"])
  }

  /// What is out of a message that was answered before it was whole is taken back, when the window lets us.
  @Test(arguments: [true, false]) func answeredInMidMessage(_ windowIsOpen: Bool) throws {
    let (peer, end, link) = try linked(.sender, window: 1)
    peer.send(Flow(handle: 0, credit: 10, count: id(0), nextIncoming: id(0), window: 1))
    let body = [UInt8](repeating: 1, count: 100_000)
    let at = end.deliver(link, 7, body)
    _ = try peer.expectTransfer()
    if windowIsOpen { peer.send(Flow(handle: nil, nextIncoming: id(1), window: 5)) }
    peer.send(Disposition(.receiver, id(0), .rejected(AMQPError("test:too-large"))))
    #expect(end.takeLog() == ["answered a 7...7 rejected test:too-large"])
    #expect(end.deliver(link, 7, body, from: at) == body.count, "it needs no more octets")
    if !windowIsOpen {
      try peer.expectNothing()
      #expect(end.room(link) == 0)
      peer.send(Flow(handle: 0, credit: 9, count: id(1), nextIncoming: id(1), window: 5))
    }
    let abort = try peer.expectTransfer()
    #expect(abort.0.aborted && abort.0.deliveryID == id(0) && abort.payload.isEmpty)
    end.deliver(link, 8, "next")
    #expect(try peer.expectTransfer().0.deliveryID == id(1))
  }

  // MARK: About what came

  /// PROTOCOL.md: send the disposition's `last` always; one broker takes its absence for all that follow.
  @Test func lastIsAlwaysNamed() throws {
    let (peer, end, links) = try TransferTests.receiver()
    peer.send(Transfer(id: id(0)), payload: text("m"))
    end.connection.settle(links[0], 0...0, .accept)
    let disposition = try peer.expect(Disposition.self)
    #expect(disposition.last == id(0) && disposition.settled && DeliveryState(disposition.state) == .accepted)
  }

  @Test func contiguousDecisionsAreOneFrame() throws {
    let (peer, end, links) = try TransferTests.receiver()
    for n in 0..<50 as Range<UInt32> {
      peer.send(Transfer(id: id(n)), payload: text("m"))
      end.connection.settle(links[0], Int(n)...Int(n), .accept)
    }
    var dispositions: [Disposition] = []
    while let frame = try peer.next() {
      if frame.record?.code == Code.disposition { dispositions.append(Disposition(frame.record!)) }
    }
    #expect(dispositions.count == 1 && dispositions[0].first == id(0) && dispositions[0].last == id(49))
  }

  @Test func theFullHandshake() throws {
    let (peer, end, link) = try linked(.receiver, rcv: .second)
    end.connection.grant(link, start: 2, ceiling: 2)
    try peer.expect(Flow.self)
    peer.send(Transfer(id: id(0)), payload: text("m"))
    peer.send(Transfer(id: id(1)), payload: text("n"))
    end.connection.settle(link, 0...1, .accept)
    let answer = try peer.expect(Disposition.self)
    #expect(!answer.settled && answer.first == id(0) && answer.last == id(1))
    // Ours until the sender has settled: no room before.
    try peer.expectNothing()
    #expect(end.awaitsSettlement)
    peer.send(Disposition(.sender, id(0), to: id(0), .accepted))
    #expect(try peer.expect(Flow.self).linkCredit == 1)
    peer.send(Disposition(.sender, id(1), nil))
    #expect(
      end.takeLog() == ["delivery a 0 m", "delivery a 1 n", "settled by sender a 0...0", "settled by sender a 1...1"])
    #expect(!end.awaitsSettlement)
  }

  /// A transfer may ask for the first mode on a link of the second.
  @Test func firstModeForOneDelivery() throws {
    let (peer, end, link) = try linked(.receiver, rcv: .second)
    end.connection.grant(link, start: 10, ceiling: 10)
    try peer.expect(Flow.self)
    var transfer = Transfer(id: id(0))
    transfer.rcvSettleMode = .first
    peer.send(transfer, payload: text("m"))
    end.connection.settle(link, 0...0, .accept)
    #expect(try peer.expect(Disposition.self).settled)
    #expect(!end.awaitsSettlement)
  }

  /// PROTOCOL.md: accept unsolicited sender-side dispositions (RabbitMQ 4.3's consumer time-out).
  @Test func senderTakesDeliveriesBack() throws {
    let (peer, end, links) = try TransferTests.receiver()
    for n in 0..<6 as Range<UInt32> { peer.send(Transfer(id: id(n)), payload: text("m")) }
    end.connection.settle(links[0], 2...2, .accept)
    try peer.expect(Disposition.self)
    _ = end.takeLog()
    peer.send(Disposition(.sender, id(0), to: id(0) &+ 0x7fff_ffff, settled: true, .released))
    #expect(end.takeLog() == ["settled by sender a 0...1", "settled by sender a 3...5"])
    // No disposition for what is not ours any more, but the room is.
    end.connection.settle(links[0], 0...5, .accept)
    try peer.expectNothing()
    #expect(end.connection.unsettledIncoming(links[0]) == 0)
  }

  @Test func senderOnlyRestatesWithoutSettling() throws {
    let (peer, end, links) = try TransferTests.receiver()
    peer.send(Transfer(id: id(0)), payload: text("m"))
    peer.send(Disposition(.sender, id(0), settled: false, .accepted))
    #expect(end.takeLog() == ["delivery a 0 m"])
    end.connection.settle(links[0], 0...0, .release)
    #expect(DeliveryState(try peer.expect(Disposition.self).state) == .released)
  }

  @Test func senderSettlesInMidMessage() throws {
    let (peer, end, links) = try TransferTests.receiver()
    peer.send(Transfer(id: id(0), more: true), payload: text("a"))
    peer.send(Disposition(.sender, id(0), .accepted))
    peer.send(Transfer(id: id(0), tag: nil), payload: text("b"))
    #expect(end.takeLog() == ["delivery a 0 settled ab"])
    end.connection.settle(links[0], 0...0, .accept)
    try peer.expectNothing()
  }
}
