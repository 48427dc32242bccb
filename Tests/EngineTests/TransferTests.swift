/// Messages in pieces: put together, interleaved, given up, contradicted, too large (part 2 §2.6.14, §2.7.5).
import Engine
import Support
import Testing
import Wire

@Suite struct TransferTests {
  static func receiver(_ settings: ConnectionSettings = bare(.initiator), links: Int = 1) throws
    -> (ScriptedPeer, End, [LinkID])
  {
    let (peer, end, first) = try linked(.receiver, settings)
    var ids = [first]
    for n in 1..<max(links, 2) where n < links {
      ids.append(end.connection.attach(Attach(.receiver, ["a", "b", "c", "d"][n])))
      try peer.link()
    }
    for link in ids { end.connection.grant(link, start: 100, ceiling: 100) }
    while try peer.next() != nil {}
    _ = end.takeLog()
    return (peer, end, ids)
  }

  @Test func continuationsMayRepeatAndMayLeaveOut() throws {
    let (peer, end, _) = try TransferTests.receiver()
    peer.send(Transfer(id: id(0), tag: [9, 9], more: true), payload: text("a"))
    peer.send(Transfer(id: id(0), tag: [9, 9], more: true), payload: text("b"))
    peer.send(Transfer(id: nil, tag: nil, more: true), payload: text("c"))
    // A final empty frame is legal.
    peer.send(Transfer(id: nil, tag: nil))
    #expect(end.takeLog() == ["delivery a 0 abc"])
    #expect(end.tags == [[9, 9]])
  }

  /// The second message begins right behind the first's last frame.
  @Test(arguments: [1, 3, 50, Int.max]) func manyInARow(_ chunk: Int) throws {
    let (peer, end, _) = try TransferTests.receiver()
    var all: [UInt8] = []
    for n in 0..<8 as Range<UInt32> {
      for part in 0..<3 as Range<UInt32> {
        all += ScriptedPeer.frame(
          Transfer(id: part == 0 ? id(n) : nil, tag: part == 0 ? [UInt8(n)] : nil, more: part < 2).record,
          payload: text("\(n).\(part) "))
      }
    }
    peer.chunk = chunk
    peer.send(raw: all)
    #expect(end.takeLog() == (0..<8).map { "delivery a \($0) \($0).0 \($0).1 \($0).2 " })
    #expect(end.tags == (0..<8).map { [UInt8($0)] })
  }

  @Test func continuationsOfDifferentLinksInterleave() throws {
    let (peer, end, _) = try TransferTests.receiver(links: 3)
    for n in 0..<3 as Range<UInt32> {
      peer.send(Transfer(handle: n, id: id(n), tag: [UInt8(n)], more: true), payload: text("\(n)"))
    }
    for n in [2, 0, 1, 1, 0, 2] as [UInt32] {
      peer.send(Transfer(handle: n, id: nil, tag: nil, more: true), payload: text("\(n)"))
    }
    for n in [1, 2, 0] as [UInt32] { peer.send(Transfer(handle: n, id: id(n), tag: nil), payload: text(".")) }
    #expect(end.takeLog() == ["delivery b 1 111.", "delivery c 2 222.", "delivery a 0 000."])
    #expect(end.tags == [[1], [2], [0]])
  }

  @Test func settlingReachesNoOtherLinkAndNothingInTheMiddle() throws {
    let (peer, end, links) = try TransferTests.receiver(links: 2)
    peer.send(Transfer(handle: 0, id: id(0)), payload: text("x"))
    peer.send(Transfer(handle: 1, id: id(1)), payload: text("y"))
    peer.send(Transfer(handle: 0, id: id(2), more: true), payload: text("half"))
    end.connection.settle(links[0], 0...9, .accept)
    let first = try peer.expect(Disposition.self)
    #expect(first.first == id(0) && first.last == id(0))
    try peer.expectNothing()
    peer.send(Transfer(handle: 0, id: id(2), tag: nil), payload: text(" more"))
    #expect(end.takeLog() == ["delivery a 0 x", "delivery b 1 y", "delivery a 2 half more"])
    end.connection.settle(links[0], 0...9, .release)
    let second = try peer.expect(Disposition.self)
    #expect(second.first == id(2) && DeliveryState(second.state) == .released)
    end.connection.settle(links[1], 0...9, .accept)
    #expect(try peer.expect(Disposition.self).first == id(1))
  }

  @Test func aborted() throws {
    let (peer, end, links) = try TransferTests.receiver()
    peer.send(Transfer(id: id(0), more: true), payload: text("gone"))
    peer.send(Transfer(id: id(0), tag: nil, more: true, aborted: true), payload: text("ignored"))
    peer.send(Transfer(id: id(1)), payload: text("here"))
    // Aborted at once.
    peer.send(Transfer(id: id(2), aborted: true))
    #expect(end.takeLog() == ["aborted a", "delivery a 1 here", "aborted a"])
    end.connection.settle(links[0], 0...2, .accept)
    let disposition = try peer.expect(Disposition.self)
    #expect(disposition.first == id(1) && disposition.last == id(1))
  }

  @Test func contradictedDeliveryID() throws {
    let (peer, end, _) = try TransferTests.receiver()
    peer.send(Transfer(id: id(0), more: true), payload: text("a"))
    peer.send(Transfer(id: id(1), more: true), payload: text("b"))
    #expect(end.takeLog()[0].hasPrefix("detached a session local amqp:invalid-field"))
    #expect(try peer.expect(EndFrame.self).error?.condition == Condition.invalidField)
  }

  @Test func missingDeliveryID() throws {
    for more in [false, true] {
      let (peer, end, _) = try TransferTests.receiver()
      peer.send(Transfer(id: nil, more: more), payload: text("a"))
      #expect(end.takeLog() == ["detached a session local amqp:invalid-field (a delivery begins without delivery-id)"])
    }
  }

  @Test(arguments: [(nil, true), (true, nil), (false, true)] as [(Bool?, Bool?)])
  func settledOnAnyFrameSettles(_ first: Bool?, _ last: Bool?) throws {
    let (peer, end, links) = try TransferTests.receiver()
    peer.send(Transfer(id: id(0), settled: first, more: true), payload: text("a"))
    peer.send(Transfer(id: nil, tag: nil, settled: last), payload: text("b"))
    #expect(end.takeLog() == ["delivery a 0 settled ab"])
    // PROTOCOL.md: never a disposition for a pre-settled delivery.
    end.connection.settle(links[0], 0...0, .accept)
    try peer.expectNothing()
  }

  /// A state, a long tag, a wide constructor: the way that is not the short one.
  @Test func unusualTransfersKeepTagAndPlace() throws {
    let (peer, end, links) = try TransferTests.receiver()
    var transfer = Transfer(id: id(0), tag: text("tag-of-a-transfer"))
    transfer.state = DeliveryState.received(section: 0, offset: 0).value
    peer.send(transfer, payload: text("m"))
    // delivery-tag as vbin32
    peer.send(raw: octets("00000020 02000000 005314c0 0e 03 43 70fffffffe b0 00000002 5455") + text("body5"))
    transfer = Transfer(id: id(2), tag: [1], more: true)
    transfer.messageFormat = 0x8013_4300
    transfer.resume = true
    peer.send(transfer, payload: text("x"))
    peer.send(Transfer(id: id(2), tag: nil), payload: text("y"))
    #expect(end.takeLog() == ["delivery a 0 m", "delivery a 1 body5", "delivery a 2 xy"])
    #expect(end.tags == [text("tag-of-a-transfer"), [0x54, 0x55], [1]])
    #expect(end.deliveries[2].messageFormat == 0x8013_4300)
    end.connection.settle(links[0], 0...2, .accept)
    let disposition = try peer.expect(Disposition.self)
    #expect(disposition.first == id(0) && disposition.last == id(2))
  }

  /// In pieces, or in one frame that the limit on frames lets through.
  @Test(arguments: [[400, 400, 400], [1_200]]) func messageTooLarge(_ pieces: [Int]) throws {
    var settings = bare(.initiator)
    settings.limits.messageSize = 1_000
    let (peer, end, links) = try TransferTests.receiver(settings)
    for n in pieces {
      peer.send(Transfer(id: id(0), tag: [1], more: pieces.count > 1), payload: [UInt8](repeating: 0, count: n))
    }
    #expect(
      end.takeLog() == [
        "detached a link local amqp:link:message-size-exceeded (a message of more than 1000 octets)"
      ])
    #expect(try peer.expect(Detach.self).error?.condition == Condition.messageSizeExceeded)
    // About a link that is gone nothing is told.
    peer.send(Disposition(.sender, id(0), to: id(2), .accepted))
    peer.send(Transfer(id: id(0), tag: nil), payload: text("rest"))
    peer.send(Detach(handle: 0))
    #expect(end.takeLog() == [])
    // Nothing of it is left: the session goes on.
    #expect(end.connection.unsettledIncoming(links[0]) == 0)
    _ = end.connection.attach(Attach(.receiver, "b"))
    try peer.link()
    #expect(end.takeLog() == ["attached b"])
  }

  @Test func transferOnTheWrongLink() throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(Transfer(id: id(0)), payload: text("m"))
    #expect(end.takeLog()[0].hasPrefix("detached a session local amqp:not-allowed"))
    _ = try peer.expect(EndFrame.self)
  }

  @Test func transferForNobody() throws {
    let (peer, end, _) = try TransferTests.receiver()
    peer.send(Transfer(handle: 3, id: id(0)), payload: text("m"))
    #expect(end.takeLog()[0].hasPrefix("detached a session local amqp:session:unattached-handle"))
    #expect(try peer.expect(EndFrame.self).error?.condition == Condition.unattachedHandle)
  }

  /// What was under way when we detached leaves nothing behind.
  @Test func deliveriesOnADetachingLinkAreDropped() throws {
    let (peer, end, links) = try TransferTests.receiver(links: 2)
    peer.send(Transfer(handle: 0, id: id(0)), payload: text("seen"))
    end.connection.detach(links[0])
    for n in 1...50 as ClosedRange<UInt32> { peer.send(Transfer(handle: 0, id: id(n)), payload: text("m")) }
    peer.send(Detach(handle: 0))
    #expect(end.takeLog() == ["delivery a 0 seen", "detached a link local"])
    #expect(end.connection.unsettledIncoming(links[0]) == 0)
    peer.send(Transfer(handle: 1, id: id(51)), payload: text("next"))
    #expect(end.takeLog() == ["delivery b 1 next"])
    end.connection.settle(links[1], 1...1, .accept)
    while let frame = try peer.next() {
      if frame.record?.code == Code.disposition { #expect(Disposition(frame.record!).first == id(51)) }
    }
  }

  @Test func manyLinksBothWays() {
    let pair = Pair.willing()
    var out: [LinkID] = []
    for n in 0..<100 {
      out.append(pair.initiator.connection.attach(Attach(.sender, "out\(n)")))
      let back = pair.initiator.connection.attach(Attach(.receiver, "in\(n)"))
      pair.initiator.connection.grant(back, start: 10, ceiling: 10)
    }
    pair.run()
    _ = (pair.initiator.takeLog(), pair.acceptor.takeLog())
    let theirs = pair.acceptor.links.filter { pair.acceptor.connection.localAttach($0).role == .sender }
    for round in 0..<10 {
      for link in out { pair.initiator.deliver(link, round, "x") }
      for link in theirs { pair.acceptor.deliver(link, round, "y") }
    }
    pair.run()
    #expect(pair.initiator.messages.count == 1_000 && pair.acceptor.messages.count == 1_000)
    for end in [pair.initiator, pair.acceptor] {
      for delivery in end.deliveries {
        end.connection.settle(delivery.link, delivery.number...delivery.number, .accept)
      }
    }
    pair.run()
    #expect(out.allSatisfy { pair.initiator.unsettled($0) == 0 })
    #expect(theirs.allSatisfy { pair.acceptor.unsettled($0) == 0 })
    #expect(pair.initiator.takeLog().count { $0.hasPrefix("answered") } == 1_000)
  }
}
