/// Credit, windows, drain, echo and stop (part 2 §2.5.6 and §2.6.7), with counters that wrap.
import Engine
import Support
import Testing
import Wire

@Suite struct FlowTests {
  // MARK: What we may send

  @Test func creditIsCountedFromTheirDeliveryCount() throws {
    let (peer, end, link) = try linked(.sender)
    #expect(end.room(link) == 0)
    #expect(end.deliver(link, 0, "m") == 0)
    peer.send(Flow(handle: 0, credit: 5, count: id(0), nextIncoming: id(0)))
    #expect(end.room(link) == 5)
    for n in 0..<4 { end.deliver(link, n, "m") }
    #expect(end.room(link) == 1)
    // This one was sent before the peer saw the last two: two of its five are used up.
    peer.send(Flow(handle: 0, credit: 5, count: id(2), nextIncoming: id(2)))
    #expect(end.room(link) == 3)
    // Less than what is under way: none.
    peer.send(Flow(handle: 0, credit: 1, count: id(2), nextIncoming: id(2)))
    #expect(end.room(link) == 0)
    peer.send(Flow(handle: 0, credit: .max, count: id(4), nextIncoming: id(4), window: .max))
    #expect(end.room(link) == Int(UInt32.max))
    for n in 0..<4 {
      let transfer = try peer.expectTransfer().0
      #expect(transfer.deliveryID == id(UInt32(n)) && transfer.deliveryTag == [0, 0, 0, UInt8(n)])
    }
  }

  /// PROTOCOL.md: ActiveMQ and EventterMQ leave delivery-count out, some next-incoming-id; their refill must not be taken
  /// for the first grant.
  @Test func missingDeliveryCountAndNextIncomingID() throws {
    let (peer, end, link) = try linked(.sender)
    for _ in 0..<3 {
      peer.send(Flow(handle: 0, credit: 3, count: nil, nextIncoming: nil, window: 3))
      #expect(end.room(link) == 3)
      for n in 0..<3 { end.deliver(link, n, "m") }
      #expect(end.room(link) == 0)
    }
  }

  @Test func flowWithoutCreditChangesNone() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: 0, credit: 5, count: id(0), nextIncoming: id(0)))
    peer.send(Flow(handle: 0, nextIncoming: id(0), window: 7))
    peer.send(Flow(handle: nil, nextIncoming: id(0), window: 8))
    #expect(end.room(link) == 5)
  }

  /// PROTOCOL.md: remote-incoming-window = next-incoming-id + incoming-window − next-outgoing-id, floored at 0.
  @Test func outgoingWindow() throws {
    let (peer, end, link) = try linked(.sender, window: 3)
    peer.send(Flow(handle: 0, credit: 100, count: id(0), nextIncoming: id(0), window: 3))
    #expect(end.room(link) == 3)
    for n in 0..<5 { end.deliver(link, n, "m\(n)") }
    #expect(end.room(link) == 0)
    for _ in 0..<3 { _ = try peer.expectTransfer() }
    try peer.expectNothing()
    // One seen of three, and room for two: none left.
    peer.send(Flow(handle: nil, nextIncoming: id(1), window: 2))
    #expect(end.room(link) == 0)
    peer.send(Flow(handle: nil, nextIncoming: id(1), window: 0))
    #expect(end.room(link) == 0)
    peer.send(Flow(handle: nil, nextIncoming: id(3), window: 2))
    #expect(end.room(link) == 2)
  }

  /// A window that closes in the middle of a message, and RabbitMQ 4's alarm: a window of 0.
  @Test func windowClosesInMidMessage() throws {
    var settings = bare(.initiator)
    settings.limits.frameSize = 512
    let peer = ScriptedPeer(settings)
    let link = peer.end.connection.attach(Attach(.sender, "a"))
    var open = Open()
    open.maxFrameSize = 512
    try peer.openUp(open: open)
    try peer.map(window: 2)
    try peer.link()
    let end = peer.end
    let body = (0..<3_000).map { UInt8(truncatingIfNeeded: $0) }
    peer.send(Flow(handle: 0, credit: 10, count: id(0), nextIncoming: id(0), window: 2))
    var at = end.deliver(link, 1, body)
    #expect(at < body.count && !end.canContinue(link) && end.room(link) == 0)
    #expect(end.deliver(link, 1, body, from: at) == at, "nothing goes on without window")
    var seen: [UInt8] = []
    var frames: UInt32 = 0
    while true {
      while let frame = try peer.next() {
        let transfer = Transfer(frame.record!)
        #expect(frame.bytes.count <= 512)
        #expect(transfer.deliveryID == id(0), "continuations repeat the delivery-id")
        #expect((transfer.deliveryTag == nil) == (frames > 0))
        seen += frame.payload
        frames += 1
        if !transfer.more { #expect(seen == body) }
      }
      if at == body.count { break }
      peer.send(Flow(handle: nil, nextIncoming: id(frames), window: 1))
      #expect(end.canContinue(link))
      at = end.deliver(link, 1, body, from: at)
    }
    #expect(seen == body && frames > 5)
  }

  /// PROTOCOL.md: EventterMQ closes the connection over explicit nulls at the end of a list.
  @Test func noListEndsWithNull() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: 0, credit: 10, count: id(0), nextIncoming: id(0)))
    end.deliver(link, 1, [UInt8](repeating: 7, count: 200_000))
    var frames = 0
    while let frame = try peer.next() {
      #expect(frame.record?.fields.last?.isNull == false)
      frames += 1
    }
    #expect(frames > 3)
  }

  /// PROTOCOL.md: one link without credit must not block the others.
  @Test func oneLinkWithoutCreditBlocksNobody() throws {
    let (peer, end, a) = try linked(.sender)
    let b = end.connection.attach(Attach(.sender, "b"))
    try peer.link()
    peer.send(Flow(handle: 1, credit: 2, count: id(0), nextIncoming: id(0)))
    #expect(end.deliver(a, 1, "x") == 0)
    #expect(end.deliver(b, 2, "y") == 1)
    #expect(try peer.expectTransfer().0.handle == 1)
  }

  @Test func outputIsBoundedForAPeerThatDoesNotRead() throws {
    let (peer, end, link) = try linked(.sender, window: .max)
    peer.send(Flow(handle: 0, credit: .max, count: id(0), nextIncoming: id(0), window: .max))
    let body = [UInt8](repeating: 1, count: 1_000)
    var n = 0
    while end.room(link) > 0 {
      end.deliver(link, n, body)
      n += 1
    }
    #expect(n < 300)
    let large = [UInt8](repeating: 1, count: 50_000_000)
    _ = end.output(now: 0)
    let at = end.deliver(link, n, large)
    #expect(at < 400_000 && !end.canContinue(link))
    // Whatever the peer asks meanwhile is answered once.
    for _ in 0..<10_000 { peer.send(Flow(handle: 0, credit: .max, nextIncoming: nil, window: .max, echo: true)) }
    #expect(end.output(now: 0).count < 400_100)
  }

  @Test func acceptorSendsRightAfterItAccepted() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    peer.end.react = { end, event in
      guard case .attachRequested(let link) = event else { return }
      end.connection.accept(link)
    }
    // All in one go, before a single octet of ours was out.
    peer.send(.amqp10)
    peer.send(Open())
    peer.send(peer.begin())
    peer.send(Attach(.receiver, "a"))
    peer.send(Flow(handle: 0, credit: 5, count: nil, nextIncoming: nil))
    let link = peer.end.links[0]
    #expect(peer.end.room(link) == 5)
    #expect(peer.end.deliver(link, 1, "m") == 1)
    try peer.expect(.amqp10)
    try peer.expect(Open.self)
    try peer.expect(Begin.self)
    #expect(try peer.expect(Attach.self).initialDeliveryCount == id(0))
    #expect(try peer.expectTransfer().payload == text("m"))
  }

  // MARK: Echo and drain, sending

  /// PROTOCOL.md: answer every echo; never a flow on our own sender link as a probe.
  @Test func everyEchoIsAnswered() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: nil, nextIncoming: id(0), echo: true))
    var flow = try peer.expect(Flow.self)
    #expect(flow.handle == nil && flow.nextIncomingID == id(0) && flow.nextOutgoingID == id(0))
    peer.send(Flow(handle: 0, credit: 7, count: id(0), nextIncoming: id(0), echo: true))
    end.deliver(link, 1, "m")
    _ = try peer.expectTransfer()
    flow = try peer.expect(Flow.self)
    #expect(flow.handle == 0 && flow.linkCredit == 6 && flow.deliveryCount == id(1) && flow.nextOutgoingID == id(1))
    #expect(!flow.echo)
    try peer.expectNothing()
  }

  @Test func drainAdvancesTheDeliveryCount() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: 0, credit: 5, count: id(0), nextIncoming: id(0), drain: true))
    end.deliver(link, 1, "m")
    _ = try peer.expectTransfer()
    try peer.expectNothing()
    end.connection.idle(link)
    let flow = try peer.expect(Flow.self)
    #expect(flow.handle == 0 && flow.deliveryCount == id(5) && flow.linkCredit == 0 && flow.drain)
    #expect(end.room(link) == 0)
    // Said once.
    end.connection.idle(link)
    try peer.expectNothing()
    peer.send(Flow(handle: 0, credit: 2, count: id(5), nextIncoming: id(1)))
    #expect(end.room(link) == 2)
    end.connection.idle(link)
    try peer.expectNothing()
  }

  @Test func drainWaitsForTheMessageInTheMiddle() throws {
    let (peer, end, link) = try linked(.sender, window: 1)
    peer.send(Flow(handle: 0, credit: 5, count: id(0), nextIncoming: id(0), window: 1, drain: true))
    let body = [UInt8](repeating: 3, count: 100_000)
    let at = end.deliver(link, 1, body)
    _ = try peer.expectTransfer()
    end.connection.idle(link)
    try peer.expectNothing()
    peer.send(Flow(handle: nil, nextIncoming: id(1), window: 5))
    #expect(end.deliver(link, 1, body, from: at) == body.count)
    end.connection.idle(link)
    _ = try peer.expectTransfer()
    #expect(try peer.expect(Flow.self).deliveryCount == id(5))
  }

  // MARK: Credit that we give

  @Test func toppedUpAtHalf() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 10, ceiling: 10)
    var flow = try peer.expect(Flow.self)
    #expect(flow.linkCredit == 10 && flow.deliveryCount == id(0) && flow.handle == 0 && !flow.drain && !flow.echo)
    for n in 0..<4 as Range<UInt32> {
      peer.send(Transfer(id: id(n)), payload: text("m"))
      end.connection.settle(link, Int(n)...Int(n), .accept)
      try peer.expect(Disposition.self)
      try peer.expectNothing()
    }
    peer.send(Transfer(id: id(4)), payload: text("m"))
    end.connection.settle(link, 4...4, .accept)
    flow = try peer.expect(Flow.self)
    #expect(flow.linkCredit == 10 && flow.deliveryCount == id(5))
    #expect(end.credit(link) == 10)
  }

  @Test func whatWeHoldLeavesNoRoom() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 4, ceiling: 4)
    try peer.expect(Flow.self)
    for n in 0..<4 as Range<UInt32> { peer.send(Transfer(id: id(n)), payload: text("m")) }
    try peer.expectNothing()
    end.connection.settle(link, 0...0, .accept)
    #expect(try peer.expect(Flow.self).linkCredit == 1)
    try peer.expect(Disposition.self)
    end.connection.settle(link, 0...3, .accept)
    #expect(try peer.expect(Flow.self).linkCredit == 4)
  }

  /// Also for what came settled: a slow output throttles every mode.
  @Test func settledDeliveriesAreHeldToo() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 2, ceiling: 2)
    try peer.expect(Flow.self)
    for n in 0..<2 as Range<UInt32> { peer.send(Transfer(id: id(n), settled: true), payload: text("m")) }
    try peer.expectNothing()
    end.connection.settle(link, 0...1, .accept)
    #expect(try peer.expect(Flow.self).linkCredit == 2)
    try peer.expectNothing()
  }

  @Test func windowGrowsWithAFastPeer() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 4, ceiling: 30)
    var seen: [UInt32] = []
    var n: UInt32 = 0
    while n < 300 {
      while let frame = try peer.next() {
        if let record = frame.record, record.code == Code.flow, let credit = Flow(record).linkCredit {
          seen.append(credit)
        }
      }
      peer.send(Transfer(id: id(n)), payload: text("m"))
      end.connection.settle(link, Int(n)...Int(n), .accept)
      n += 1
    }
    #expect(Array(seen.prefix(4)) == [4, 8, 16, 30] && seen.dropFirst(4).allSatisfy { $0 == 30 })
  }

  @Test func budget() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 10, ceiling: 10, budget: 3)
    #expect(try peer.expect(Flow.self).linkCredit == 3)
    peer.send(Transfer(id: id(0), more: true), payload: text("m"))
    peer.send(Transfer(id: id(0), tag: nil, aborted: true))
    #expect(end.takeLog() == ["aborted a"])
    for n in 1...2 as ClosedRange<UInt32> { peer.send(Transfer(id: id(n), settled: true), payload: text("m")) }
    // What was given up is none of the three.
    #expect(try peer.expect(Flow.self).linkCredit == 1)
    peer.send(Transfer(id: id(3), settled: true), payload: text("m"))
    end.connection.settle(link, 0...3, .accept)
    try peer.expectNothing()
  }

  @Test func greatestCreditThereIs() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: .max, ceiling: .max)
    #expect(try peer.expect(Flow.self).linkCredit == .max)
    peer.send(Transfer(id: id(0)), payload: text("m"))
    #expect(end.takeLog() == ["delivery a 0 m"])
    end.connection.settle(link, 0...0, .accept)
    try peer.expect(Disposition.self)
  }

  // MARK: The incoming window

  @Test func reopenedAtHalfEvenWithoutLinkActivity() throws {
    var settings = bare(.initiator)
    settings.incomingWindow = 10
    let (peer, end, link) = try linked(.receiver, settings)
    end.connection.grant(link, start: 1_000, ceiling: 1_000)
    #expect(try peer.expect(Flow.self).incomingWindow == 10)
    for n in 0..<4 as Range<UInt32> { peer.send(Transfer(id: id(n)), payload: text("m")) }
    try peer.expectNothing()
    peer.send(Transfer(id: id(4)), payload: text("m"))
    let flow = try peer.expect(Flow.self)
    #expect(flow.handle == nil && flow.incomingWindow == 10 && flow.nextIncomingID == id(5))
    _ = end
  }

  @Test func transferBeyondTheWindow() throws {
    var settings = bare(.initiator)
    settings.incomingWindow = 3
    let (peer, end, link) = try linked(.receiver, settings)
    end.connection.grant(link, start: 1_000, ceiling: 1_000)
    try peer.expect(Flow.self)
    // Nothing of ours gets out meanwhile.
    for n in 0..<4 as Range<UInt32> { peer.send(Transfer(id: id(n)), payload: text("m")) }
    #expect(
      end.takeLog() == [
        "delivery a 0 m", "delivery a 1 m", "delivery a 2 m",
        "detached a session local amqp:session:window-violation (a transfer beyond the incoming window)",
      ])
    #expect(try peer.expect(EndFrame.self).error?.condition == Condition.windowViolation)
  }

  // MARK: Drain and stop, receiving

  @Test func drain() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 10, ceiling: 10)
    end.connection.drain(link)
    let flow = try peer.expect(Flow.self)
    #expect(flow.linkCredit == 10 && flow.drain)
    peer.send(Transfer(id: id(0)), payload: text("m"))
    peer.send(Flow(handle: 0, credit: 0, count: id(10), nextOutgoing: id(1), drain: true))
    #expect(end.takeLog() == ["delivery a 0 m", "drained a"])
  }

  @Test func drainGoesOnWhileCreditIsUsedByMessages() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 2, ceiling: 2)
    end.connection.drain(link)
    try peer.expect(Flow.self)
    for n in 0..<2 as Range<UInt32> { peer.send(Transfer(id: id(n), settled: true), payload: text("m")) }
    // RabbitMQ 4 says that the credit was used up; the next messages may be on their way.
    peer.send(Flow(handle: 0, credit: 0, count: id(2), nextOutgoing: id(2), drain: true))
    end.connection.settle(link, 0...1, .accept)
    #expect(end.takeLog() == ["delivery a 0 settled m", "delivery a 1 settled m"])
    let flow = try peer.expect(Flow.self)
    #expect(flow.linkCredit == 2 && flow.drain)
    peer.send(Flow(handle: 0, credit: 0, count: id(4), nextOutgoing: id(2), drain: true))
    #expect(end.takeLog() == ["drained a"])
  }

  @Test func drainOfASenderThatDoesNotCount() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 10, ceiling: 10)
    end.connection.drain(link)
    try peer.expect(Flow.self)
    peer.send(Flow(handle: 0, credit: 10, count: nil, drain: false))
    #expect(end.takeLog() == [], "that one had not heard of it")
    peer.send(Flow(handle: 0, credit: 0, count: nil, drain: true))
    #expect(end.takeLog() == ["drained a"])
  }

  @Test func stop() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 10, ceiling: 10)
    try peer.expect(Flow.self)
    peer.send(Transfer(id: id(0), settled: true), payload: text("m"))
    end.connection.stop(link)
    let flow = try peer.expect(Flow.self)
    #expect(flow.linkCredit == 0 && flow.deliveryCount == id(1) && flow.echo)
    // This was under way, and this answer to something else too.
    peer.send(Transfer(id: id(1), settled: true), payload: text("n"))
    peer.send(Flow(handle: 0, credit: 8, count: id(2), nextOutgoing: id(2)))
    #expect(end.takeLog() == ["delivery a 0 settled m", "delivery a 1 settled n"])
    peer.send(Flow(handle: 0, credit: 0, count: id(2), nextOutgoing: id(2)))
    peer.send(Flow(handle: 0, credit: 0, count: id(2), nextOutgoing: id(2)))
    #expect(end.takeLog() == ["stopped a"])
    end.connection.stop(link)
    end.connection.settle(link, 0...1, .accept)
    try peer.expectNothing()
    // And on again.
    end.connection.grant(link, start: 3, ceiling: 3)
    #expect(try peer.expect(Flow.self).linkCredit == 3)
    end.connection.stop(link)
    #expect(try peer.expect(Flow.self).linkCredit == 0)
    peer.send(Flow(handle: 0, credit: 0, count: id(2)))
    #expect(end.takeLog() == ["stopped a"])
  }

  @Test func stopWaitsForTheMessageInTheMiddle() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 1, ceiling: 1)
    try peer.expect(Flow.self)
    peer.send(Transfer(id: id(0), settled: true, more: true), payload: text("one "))
    end.connection.stop(link)
    end.takeEvents()
    #expect(end.takeLog() == [])
    peer.send(Transfer(id: nil, tag: nil), payload: text("two"))
    #expect(end.takeLog() == ["delivery a 0 settled one two", "stopped a"])
  }

  @Test func stopWithoutCredit() throws {
    let (_, end, link) = try linked(.receiver)
    end.connection.stop(link)
    end.takeEvents()
    #expect(end.takeLog() == ["stopped a"])
  }

  @Test func stopOverridesDrain() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 5, ceiling: 5)
    end.connection.drain(link)
    try peer.expect(Flow.self)
    end.connection.stop(link)
    let flow = try peer.expect(Flow.self)
    #expect(flow.linkCredit == 0 && !flow.drain)
    peer.send(Flow(handle: 0, credit: 0, count: id(5), drain: true))
    #expect(end.takeLog() == ["stopped a"])
  }

  /// PROTOCOL.md: RabbitMQ 3 sends as much again when a top-up overtakes deliveries; one that goes on for ever is detached.
  @Test func deliveriesWithoutCredit() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 2, ceiling: 2)
    try peer.expect(Flow.self)
    for n in 0..<5 as Range<UInt32> { peer.send(Transfer(id: id(n)), payload: text("m")) }
    #expect(
      end.takeLog() == [
        "delivery a 0 m", "delivery a 1 m", "delivery a 2 m", "delivery a 3 m",
        "detached a link local amqp:link:transfer-limit-exceeded (a delivery without credit)",
      ])
    #expect(try peer.expect(Detach.self).error?.condition == Condition.transferLimitExceeded)
    peer.send(Transfer(id: id(5)), payload: text("m"))
    peer.send(Detach(handle: 0))
    #expect(end.takeLog() == [])
  }

  @Test func flowForNobody() throws {
    let (peer, end, _) = try linked(.receiver)
    peer.send(Flow(handle: 5))
    #expect(end.takeLog().count == 1)
    #expect(try peer.expect(EndFrame.self).error?.condition == Condition.unattachedHandle)
  }
}
