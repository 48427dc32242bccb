/// Links: how they come up, are refused, taken over and go; at which scope an error is told, and with what.
import Engine
import Support
import Testing
import Wire

private let info = Value.map([.init(.symbol("k"), .string("v"))])
private let shownInfo = "map([Wire.MapEntry(key: Wire.Value.symbol(\"k\"), value: Wire.Value.string(\"v\"))])"

@Suite struct LinkTests {
  // MARK: Refusals

  /// PROTOCOL.md: wait for the detach before complaining of anything else.
  @Test(arguments: [Role.sender, .receiver])
  func refusalWithoutTerminus(_ role: Role) throws {
    let peer = ScriptedPeer(bare(.initiator))
    _ = peer.end.connection.attach(Attach(role, "a"))
    try peer.openUp()
    try peer.map()
    try peer.link { if role == .sender { $0.target = nil } else { $0.source = nil } }
    #expect(peer.end.takeLog() == ["opened"])
    peer.send(Detach(handle: 0, AMQPError("amqp:not-found", "no queue", info: info)))
    #expect(peer.end.takeLog() == ["detached a link peer amqp:not-found (no queue) \(shownInfo)"])
    let detach = try peer.expect(Detach.self)
    #expect(detach.closed && detach.error == nil)
  }

  /// EventterMQ, RabbitMQ 3: the attach looks fine.
  @Test func refusalWithTheWholeTerminus() throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(Detach(handle: 0, AMQPError("amqp:unauthorized-access")))
    #expect(end.takeLog() == ["detached a link peer amqp:unauthorized-access"])
  }

  /// EventterMQ ends the session when its detach is answered: the first error is the one that counts.
  @Test func firstErrorOfARefusalCounts() throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(Detach(handle: 0, AMQPError("amqp:not-found", "first")))
    try peer.expect(Detach.self)
    peer.send(EndFrame(AMQPError("amqp:session:errant-link", "second")))
    #expect(end.takeLog() == ["detached a link peer amqp:not-found (first)"])
    #expect(try peer.expect(EndFrame.self).error == nil)
  }

  @Test(arguments: [true, false]) func refusalByEndOrClose(_ byEnd: Bool) throws {
    let peer = ScriptedPeer(bare(.initiator))
    _ = peer.end.connection.attach(Attach(.sender, "a"))
    try peer.openUp()
    try peer.map()
    try peer.expect(Attach.self)
    let error = AMQPError("amqp:not-implemented", "no", info: info)
    if byEnd { peer.send(EndFrame(error)) } else { peer.send(CloseFrame(error)) }
    let log = peer.end.takeLog()
    #expect(
      log == [
        "opened",
        byEnd
          ? "detached a session peer amqp:not-implemented (no) \(shownInfo)"
          : "closed connection peer amqp:not-implemented (no) \(shownInfo)",
      ])
    if byEnd { try peer.expect(EndFrame.self) } else { try peer.expect(CloseFrame.self) }
    try peer.expectNothing()
  }

  @Test(arguments: [Role.sender, .receiver]) func weRefuse(_ role: Role) {
    let pair = Pair()
    pair.acceptor.react = { end, event in
      if case .attachRequested(let link) = event {
        end.connection.refuse(link, AMQPError("amqp:not-found", "nothing here", info: info))
      }
    }
    _ = pair.initiator.connection.attach(Attach(role, "a"))
    pair.run()
    #expect(pair.initiator.takeLog() == ["opened", "detached a link peer amqp:not-found (nothing here) \(shownInfo)"])
    #expect(
      pair.acceptor.takeLog() == [
        "opened", "requested a as \(role == .sender ? Role.receiver : .sender)", "detached a link local",
      ])
  }

  // MARK: Errors at each scope, in both directions

  @Test(arguments: [true, false]) func detachWithError(_ byInitiator: Bool) {
    let pair = Pair.willing()
    let link = pair.initiator.connection.attach(Attach(.sender, "a"))
    pair.run()
    let (one, other) = byInitiator ? (pair.initiator, pair.acceptor) : (pair.acceptor, pair.initiator)
    _ = (one.takeLog(), other.takeLog())
    one.connection.detach(byInitiator ? link : pair.acceptor.links[0], AMQPError("test:why", "because", info: info))
    pair.run()
    #expect(one.takeLog() == ["detached a link local"])
    #expect(other.takeLog() == ["detached a link peer test:why (because) \(shownInfo)"])
    // The session goes on.
    _ = pair.initiator.connection.attach(Attach(.sender, "b"))
    pair.run()
    #expect(pair.initiator.takeLog() == ["attached b"])
  }

  @Test func endWithError() throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(EndFrame(AMQPError("amqp:session:window-violation", "too much", info: info)))
    #expect(end.takeLog() == ["detached a session peer amqp:session:window-violation (too much) \(shownInfo)"])
    #expect(try peer.expect(EndFrame.self).error == nil)
    // A link of ours begins another session.
    _ = end.connection.attach(Attach(.sender, "b"))
    try peer.map()
    try peer.link()
    #expect(end.takeLog() == ["attached b"])
  }

  /// PROTOCOL.md: RabbitMQ ends the session or closes the connection where a detach would do.
  @Test func rabbitMQAnswersDetachWithEnd() throws {
    let (peer, end, link) = try linked(.sender)
    end.connection.detach(link)
    try peer.expect(Detach.self)
    peer.send(EndFrame())
    #expect(end.takeLog() == ["detached a session peer"])
    try peer.expect(EndFrame.self)
    try peer.expectNothing()
  }

  // MARK: Detaching

  /// PROTOCOL.md: `closed=false` answering a closing detach counts as closed (RabbitMQ 3).
  @Test func closedFalseAnswersAClosingDetach() throws {
    let (peer, end, link) = try linked(.sender)
    end.connection.detach(link)
    #expect(try peer.expect(Detach.self).closed)
    peer.send(Detach(handle: 0, closed: false))
    #expect(end.takeLog() == ["detached a link local"])
    try peer.expectNothing()
  }

  @Test(arguments: [true, false]) func detachIsAnsweredInKind(_ closed: Bool) throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(Detach(handle: 0, closed: closed))
    #expect(end.takeLog() == ["detached a link peer"])
    #expect(try peer.expect(Detach.self).closed == closed)
  }

  @Test func detachesCross() throws {
    let (peer, end, link) = try linked(.sender)
    end.connection.detach(link)
    peer.send(Detach(handle: 0, AMQPError("amqp:link:detach-forced")))
    #expect(end.takeLog() == ["detached a link peer amqp:link:detach-forced"])
    try peer.expect(Detach.self)
    try peer.expectNothing()
    // The handle is free again.
    _ = end.connection.attach(Attach(.sender, "b"))
    #expect(try peer.link().handle == 0)
    #expect(end.takeLog() == ["attached b"])
  }

  @Test func detachCrossesTheAnswerToAttach() throws {
    let peer = ScriptedPeer(bare(.initiator))
    let link = peer.end.connection.attach(Attach(.sender, "a"))
    try peer.openUp()
    try peer.map()
    let attach = try peer.expect(Attach.self)
    peer.end.connection.detach(link)
    try peer.expect(Detach.self)
    var answer = attach
    answer.role = .receiver
    peer.send(answer)
    peer.send(Detach(handle: 0))
    #expect(peer.end.takeLog() == ["opened", "detached a link local"])
    try peer.expectNothing()
  }

  @Test func detachBeforeAttachWasSaid() throws {
    let peer = ScriptedPeer(bare(.initiator))
    try peer.openUp()
    let link = peer.end.connection.attach(Attach(.sender, "a"))
    peer.end.connection.detach(link)
    peer.end.takeEvents()
    #expect(peer.end.takeLog() == ["opened", "detached a link local"])
    try peer.expect(Begin.self)
    try peer.expectNothing()
  }

  @Test func peerDetachesBeforeWeDecided() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.send(Attach(.sender, "a"))
    peer.send(Detach(handle: 0))
    #expect(peer.end.takeLog() == ["opened", "requested a as receiver", "detached a link peer"])
    // Too late: nothing but the answer is said.
    peer.end.connection.accept(peer.end.links[0])
    peer.end.connection.refuse(peer.end.links[0], AMQPError("test:late"))
    #expect(try peer.expect(Attach.self).target == nil)
    #expect(try peer.expect(Detach.self).error == nil)
    try peer.expectNothing()
  }

  @Test func detachOfARequestedLinkRefusesIt() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.send(Attach(.sender, "a"))
    peer.end.connection.detach(peer.end.links[0], AMQPError("test:no"))
    #expect(try peer.expect(Attach.self).target == nil)
    #expect(try peer.expect(Detach.self).error?.condition == "test:no")
  }

  @Test func detachForNobody() throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(Detach(handle: 9))
    #expect(end.takeLog().map { $0.prefix(61) } == ["detached a session local amqp:session:unattached-handle (a de"])
    #expect(try peer.expect(EndFrame.self).error?.condition == Condition.unattachedHandle)
    // All but the end is ignored from here on.
    peer.send(Attach(.sender, "b"))
    peer.send(Flow(handle: 77))
    peer.send(Transfer(handle: 9, id: 1))
    peer.send(EndFrame())
    #expect(end.takeLog() == [])
    try peer.expectNothing()
  }

  // MARK: Handles

  @Test func handlesAreUsedAgain() {
    let pair = Pair.willing()
    for n in 0..<300 {
      let a = pair.initiator.connection.attach(Attach(.sender, "a\(n)"))
      let b = pair.initiator.connection.attach(Attach(.receiver, "b\(n)"))
      pair.run()
      pair.initiator.connection.detach(a)
      for link in pair.acceptor.links.suffix(2) where pair.acceptor.name(link) == "b\(n)" {
        pair.acceptor.connection.detach(link)
      }
      pair.run()
      _ = b
    }
    #expect(pair.initiator.takeLog().count == 1 + 300 * 4)
    #expect(!pair.initiator.isOver && !pair.acceptor.isOver)
  }

  @Test func handleThatIsTaken() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.send(Attach(.sender, "a"))
    peer.send(Attach(.sender, "b"))
    #expect(
      peer.end.takeLog() == [
        "opened", "requested a as receiver",
        "detached a session local amqp:session:handle-in-use (handle 0 is attached already)",
      ])
    #expect(try peer.expect(EndFrame.self).error?.condition == Condition.handleInUse)
  }

  @Test func handleAboveHandleMax() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    var attach = Attach(.sender, "a")
    attach.handle = 4_096
    peer.send(attach)
    #expect(try peer.expect(EndFrame.self).error?.condition == Condition.notAllowed)
  }

  /// Solace: handle-max 63.
  @Test(arguments: [UInt32(0), 1, 63]) func peersHandleMaxIsKept(_ handleMax: UInt32) throws {
    let peer = ScriptedPeer(bare(.initiator))
    for n in 0..<UInt32(80) { _ = peer.end.connection.attach(Attach(.sender, "a\(n)")) }
    try peer.openUp()
    // Sixty-four at most leave before the peer has said how many it takes.
    var begin = try peer.expect(Begin.self)
    begin.remoteChannel = 0
    begin.handleMax = handleMax
    begin.nextOutgoingID = ScriptedPeer.firstID
    for n in 0..<UInt32(64) { #expect(try peer.expect(Attach.self).handle == n) }
    try peer.expectNothing()
    peer.send(begin)
    let log = peer.end.takeLog()
    #expect(log.count == 1 + 16)
    #expect(
      log[1]
        == "detached a64 link local amqp:resource-limit-exceeded (the peer allows \(handleMax + 1) link(s) in a session)"
    )
    try peer.expectNothing()
  }

  @Test func channelAboveChannelMax() throws {
    var settings = bare(.acceptor)
    settings.channelMax = 1
    let peer = ScriptedPeer(settings)
    try peer.dial()
    peer.send(peer.begin(), channel: 1)
    peer.send(peer.begin(), channel: 2)
    #expect(
      peer.end.takeLog() == [
        "opened", "closed connection local amqp:not-allowed (channel 2 is above channel-max 1)",
      ])
    #expect(try peer.expectFrame(Code.begin).channel == 1)
    #expect(try peer.expect(CloseFrame.self).error?.condition == Condition.notAllowed)
  }

  @Test func frameOnAChannelWithoutSession() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.send(Flow(handle: nil), channel: 3)
    #expect(
      peer.end.takeLog() == [
        "opened", "closed connection local amqp:not-allowed (a frame on channel 3, where no session is)",
      ])
  }

  @Test func secondBeginOnAChannel() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.send(peer.begin())
    #expect(peer.end.takeLog() == ["opened", "closed connection local amqp:not-allowed (a second begin on channel 0)"])
  }

  @Test func manySessionsFromAPeer() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.end.react = { end, event in
      guard case .attachRequested(let link) = event else { return }
      end.connection.accept(link)
      end.connection.grant(link, start: 10, ceiling: 10)
    }
    for channel in 1...20 as ClosedRange<UInt16> { peer.send(peer.begin(), channel: channel * 7) }
    for channel in 1...20 as ClosedRange<UInt16> {
      peer.send(Attach(.sender, "s\(channel)"), channel: channel * 7)
      peer.send(Transfer(id: id(0)), channel: channel * 7, payload: text("\(channel)"))
    }
    // No credit had been seen: the first transfers come too early for a link that was only asked for.
    #expect(peer.end.takeLog().count { $0.hasPrefix("requested") } == 20)
    for channel in 1...20 as ClosedRange<UInt16> {
      let begin = try peer.expectFrame(Code.begin)
      #expect(Begin(begin.record!).remoteChannel == channel * 7)
    }
    // Begin and end again and again on the same channels: the same places serve.
    for round in 0..<200 {
      peer.send(EndFrame(), channel: 7)
      peer.send(peer.begin(), channel: 7)
      if round % 50 == 0 { while try peer.next() != nil {} }
    }
    while try peer.next() != nil {}
    #expect(!peer.end.isOver)
  }

  @Test func endBeforeOurBeginIsOut() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    peer.send(.amqp10)
    peer.send(Open())
    peer.send(peer.begin())
    peer.send(EndFrame())
    try peer.expect(.amqp10)
    try peer.expect(Open.self)
    #expect(try peer.expect(Begin.self).remoteChannel == 0)
    try peer.expect(EndFrame.self)
    try peer.expectNothing()
  }

  // MARK: What links carry

  @Test func linkStealing() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.end.react = { end, event in if case .attachRequested(let link) = event { end.connection.accept(link) } }
    peer.send(Attach(.sender, "a"))
    try peer.expect(Attach.self)
    peer.send(peer.begin(), channel: 1)
    peer.send(Attach(.sender, "a"), channel: 1)
    // The same name in the other direction is another link.
    var other = Attach(.receiver, "a")
    other.handle = 1
    peer.send(other, channel: 1)
    #expect(
      peer.end.takeLog() == [
        "opened", "requested a as receiver",
        "detached a link local amqp:link:stolen (attached again under the same name)", "requested a as receiver",
        "requested a as sender",
      ])
    try peer.expect(Begin.self)
    try peer.expect(Attach.self)
    try peer.expect(Attach.self)
    let detach = try peer.expectFrame(Code.detach)
    #expect(detach.channel == 0 && Detach(detach.record!).error?.condition == Condition.stolen)
    peer.send(Detach(handle: 0, closed: false))
    #expect(peer.end.takeLog() == [], "told once")
  }

  /// What was under way over the lost link is the application's to send again, before the peer's detach has come.
  @Test func stolenLinkHasNothingUnsettled() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    var links: [LinkID] = []
    peer.end.react = { end, event in
      guard case .attachRequested(let link) = event else { return }
      links.append(link)
      end.connection.accept(link)
    }
    peer.send(Attach(.receiver, "a"))
    peer.send(Flow(handle: 0, credit: 10))
    let old = try #require(links.first)
    peer.end.deliver(old, 1, "m")
    #expect(peer.end.connection.unsettled(old) == 1)
    var again = Attach(.receiver, "a")
    again.handle = 1
    peer.send(again)
    #expect(peer.end.connection.unsettled(old) == 0)
    _ = peer.end.takeLog()
    peer.send(Disposition(.receiver, 0, .accepted))
    #expect(peer.end.takeLog() == [])
  }

  @Test func ourLinkIsStolen() throws {
    let (peer, end, _) = try linked(.receiver)
    peer.send(Detach(handle: 0, closed: false, AMQPError("amqp:link:stolen", "by another")))
    #expect(end.takeLog() == ["detached a link peer amqp:link:stolen (by another)"])
    #expect(try !peer.expect(Detach.self).closed)
  }

  @Test func redirectIsShown() throws {
    let (peer, end, _) = try linked(.sender)
    let there = Value.map([.init(.symbol("hostname"), .string("h")), .init(.symbol("address"), .string("q"))])
    peer.send(Detach(handle: 0, AMQPError("amqp:link:redirect", "go there", info: there)))
    #expect(end.takeLog() == ["detached a link peer amqp:link:redirect (go there) \(there)"])
  }

  @Test func dynamicNode() throws {
    let peer = ScriptedPeer(bare(.initiator))
    var attach = Attach(.receiver, "a", to: nil)
    attach.source?.dynamic = true
    attach.source?.dynamicNodeProperties = .map([
      .init(.symbol("lifetime-policy"), Record(Code.deleteOnClose).value)
    ])
    attach.source?.capabilities = ["temporary-queue"]
    let link = peer.end.connection.attach(attach)
    try peer.openUp()
    try peer.map()
    let asked = try peer.link { $0.source?.address = .string("amq.gen-1") }
    #expect(asked.source == attach.source)
    #expect(peer.end.connection.remoteAttach(link).source?.address == .string("amq.gen-1"))
  }

  @Test func coordinator() throws {
    let peer = ScriptedPeer(bare(.initiator))
    var attach = Attach(.sender, "tx", to: nil)
    attach.target?.coordinator = true
    attach.target?.capabilities = ["amqp:local-transactions"]
    _ = peer.end.connection.attach(attach)
    try peer.openUp()
    try peer.map()
    let asked = try peer.link()
    #expect(asked.target?.coordinator == true && asked.target?.capabilities == ["amqp:local-transactions"])
    #expect(peer.end.takeLog() == ["opened", "attached tx"])
  }

  /// A null address is a terminus (the anonymous relay); a null terminus is a refusal.
  @Test func anonymousTarget() throws {
    let peer = ScriptedPeer(bare(.initiator))
    _ = peer.end.connection.attach(Attach(.sender, "relay", to: nil))
    try peer.openUp()
    try peer.map()
    #expect(try peer.link().target == Target())
    #expect(peer.end.takeLog() == ["opened", "attached relay"])
  }

  @Test func terminiAreCarriedThrough() {
    let pair = Pair()
    var attach = Attach(.receiver, "a")
    attach.source?.durable = 2
    attach.source?.expiryPolicy = "never"
    attach.source?.timeout = 30
    attach.source?.distributionMode = "copy"
    attach.source?.filter = .map([
      .init(
        .symbol("apache.org:selector-filter:string"),
        .described(descriptor: .ulong(0x0000_468c_0000_0004), value: .string("a > 1")))
    ])
    attach.source?.defaultOutcome = DeliveryState.released.value
    attach.source?.outcomes = ["amqp:accepted:list", "amqp:released:list"]
    attach.source?.capabilities = ["queue", "shared"]
    attach.target?.durable = 1
    attach.target?.expiryPolicy = "link-detach"
    attach.properties = .map([.init(.symbol("paired"), .boolean(true))])
    attach.desiredCapabilities = ["x"]
    attach.maxMessageSize = 1_000_000
    let link = pair.initiator.connection.attach(attach)
    var seen: Attach?
    pair.acceptor.react = { end, event in
      guard case .attachRequested(let link) = event else { return }
      seen = end.connection.remoteAttach(link)
      end.connection.accept(link) {
        $0.source?.filter = .null
        $0.offeredCapabilities = ["y"]
        $0.maxMessageSize = 5
      }
    }
    pair.run()
    #expect(seen == attach)
    let answer = pair.initiator.connection.remoteAttach(link)
    #expect(answer.source?.filter == .null && answer.source?.durable == 2 && answer.target == attach.target)
    #expect(answer.offeredCapabilities == ["y"] && answer.maxMessageSize == 5)
  }

  @Test func identitiesOfThePastDoNothing() throws {
    let (peer, end, old) = try linked(.sender)
    end.connection.detach(old)
    try peer.expect(Detach.self)
    peer.send(Detach(handle: 0))
    let new = end.connection.attach(Attach(.sender, "b"))
    try peer.link()
    peer.send(Flow(handle: 0, credit: 5, count: id(0), nextIncoming: id(0)))
    _ = end.takeLog()
    #expect(old != new && end.room(old) == 0 && end.room(new) == 5)
    #expect(end.deliver(old, 1, "x") == 0)
    end.connection.detach(old)
    end.connection.stop(old)
    end.connection.drain(old)
    end.connection.idle(old)
    end.connection.grant(old, start: 1, ceiling: 1)
    end.connection.settle(old, 0...9, .accept)
    #expect(end.connection.remoteAttach(old) == Attach() && end.unsettled(old) == 0 && end.credit(old) == 0)
    try peer.expectNothing()
    #expect(end.takeLog() == [])
  }
}
