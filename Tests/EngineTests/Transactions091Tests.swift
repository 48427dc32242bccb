/// Class tx: what is published and settled on a channel, and when it counts.
import Bytes
import Engine
import Support
import Testing
import Wire

@Suite struct Transactions091Tests {
  private var transactional: ConnectionSettings {
    var settings = ScriptedPeer091.initiator
    settings.isTransactional = true
    return settings
  }

  /// An end with these links in transactional mode, up to the peer's answers.
  private func working(
    _ attaches: [Attach], capabilities: [MapEntry] = ScriptedPeer091.capabilities
  ) throws -> (peer: ScriptedPeer091, end: End, links: [LinkID]) {
    let peer = ScriptedPeer091(transactional)
    let links = attaches.map { peer.end.connection.attach($0) }
    try peer.openUp(capabilities: capabilities)
    try peer.expect(MethodID.channelOpen)
    peer.send(MethodID.channelOpenOK)
    try peer.expect(MethodID.txSelect)
    peer.send(MethodID.txSelectOK)
    _ = peer.end.takeLog()
    return (peer, peer.end, links)
  }

  @Test func theCommitIsTheAnswer() throws {
    // A peer that confirms nothing can do this all the same.
    let (peer, end, links) = try working([Attach(.sender, "a", to: "/queues/q")], capabilities: [])
    end.deliver(links[0], 1, message("one"))
    end.deliver(links[0], 2, message("two"))
    #expect(try peer.expectPublish().method["mandatory"] == .boolean(true))
    try peer.expectPublish()
    #expect(end.unsettled(links[0]) == 2 && end.takeLog().isEmpty)
    end.connection.discharge(fail: false)
    #expect(end.room(links[0]) == 0)
    try peer.expect(MethodID.txCommit)
    peer.send(MethodID.txCommitOK)
    #expect(end.takeLog() == ["answered a 1...2 accepted", "discharged"])
    #expect(end.room(links[0]) > 0 && end.unsettled(links[0]) == 0)
    try peer.expectNothing()
  }

  @Test func whatIsRolledBackNobodyHas() throws {
    let (peer, end, links) = try working([Attach(.sender, "a", to: "/queues/q")])
    end.deliver(links[0], 1, message("one"))
    end.connection.discharge(fail: true)
    try peer.expectPublish()
    try peer.expect(MethodID.txRollback)
    peer.send(MethodID.txRollbackOK)
    #expect(end.takeLog() == ["answered a 1...1 released", "discharged"])
    // The channel goes on in the next transaction.
    end.deliver(links[0], 2, message("two"))
    end.connection.discharge(fail: false)
    try peer.expectPublish()
    try peer.expect(MethodID.txCommit)
    peer.send(MethodID.txCommitOK)
    #expect(end.takeLog() == ["answered a 2...2 accepted", "discharged"])
  }

  @Test func whatNoQueueTakesComesInFrontOfTheCommit() throws {
    let (peer, end, links) = try working([Attach(.sender, "a", to: "/exchanges/x/k")])
    for n in 1...3 { end.deliver(links[0], n, message("m\(n)")) }
    end.connection.discharge(fail: false)
    for _ in 1...3 { try peer.expectPublish() }
    try peer.expect(MethodID.txCommit)
    peer.return(text("m2"), exchange: "x", key: "k")
    peer.send(MethodID.txCommitOK)
    #expect(
      end.takeLog() == [
        "answered a 2...2 returned amqp-0-9-1:312 (NO_ROUTE)", "answered a 1...1 accepted", "answered a 3...3 accepted",
        "discharged",
      ])
  }

  @Test func sendersCommitAsOne() throws {
    let (peer, end, links) = try working([
      Attach(.sender, "a", to: "/queues/q"), Attach(.sender, "b", to: "/queues/p"),
    ])
    end.deliver(links[0], 1, message("one"))
    end.deliver(links[1], 1, message("two"))
    end.connection.discharge(fail: false)
    #expect(try peer.expectPublish().method.text("routing-key") == "q")
    #expect(try peer.expectPublish().method.text("routing-key") == "p")
    try peer.expect(MethodID.txCommit)
    peer.send(MethodID.txCommitOK)
    #expect(end.takeLog() == ["answered a 1...1 accepted", "answered b 1...1 accepted", "discharged"])
  }

  @Test func acknowledgementsGoInFrontOfTheCommit() throws {
    let (peer, end, links) = try working([Attach(.receiver, "a", to: "/queues/q")])
    end.connection.grant(links[0], start: 10, ceiling: 10)
    try peer.expect(MethodID.basicQos)
    try peer.expect(MethodID.basicConsume)
    for tag in 1...3 as ClosedRange<UInt64> { peer.deliver(tag, "m") }
    end.connection.settle(links[0], 0...1, .accept)
    end.connection.settle(links[0], 2...2, .release)
    end.connection.discharge(fail: false)
    #expect(try peer.expect(MethodID.basicAck)["delivery-tag"] == .ulong(2))
    #expect(try peer.expect(MethodID.basicNack)["requeue"] == .boolean(true))
    try peer.expect(MethodID.txCommit)
    peer.send(MethodID.txCommitOK)
    #expect(end.takeLog().last == "discharged")
  }

  /// With a budget acknowledgements are kept back while somebody consumes: a commit without them would be none.
  @Test func whatIsKeptBackForTheBudgetIsCommittedToo() throws {
    let (peer, end, links) = try working([Attach(.receiver, "a", to: "/queues/q")])
    end.connection.grant(links[0], start: 10, ceiling: 10, budget: 4)
    #expect(try peer.expect(MethodID.basicQos)["prefetch-count"] == .ushort(4))
    try peer.expect(MethodID.basicConsume)
    for tag in 1...3 as ClosedRange<UInt64> { peer.deliver(tag, "m") }
    end.connection.settle(links[0], 0...1, .accept)
    end.connection.discharge(fail: false)
    #expect(try peer.expect(MethodID.basicCancel)["consumer-tag"] == .string("a"))
    try peer.expectNothing()
    peer.send(MethodID.basicCancelOK, ["consumer-tag": .string("a")])
    let ack = try peer.expect(MethodID.basicAck)
    #expect(ack["delivery-tag"] == .ulong(2) && ack["multiple"] == .boolean(true))
    try peer.expect(MethodID.txCommit)
    // What is left of the budget: one message is here and not decided.
    #expect(try peer.expect(MethodID.basicQos)["prefetch-count"] == .ushort(1))
    try peer.expect(MethodID.basicConsume)
    peer.send(MethodID.txCommitOK)
    peer.send(MethodID.basicConsumeOK, ["consumer-tag": .string("a")])
    #expect(end.takeLog().filter { !$0.hasPrefix("delivery") } == ["discharged"])
    peer.deliver(4, "m")
    end.connection.settle(links[0], 2...3, .accept)
    // The application stops at the same time: it consumes no more.
    end.connection.discharge(fail: false)
    end.connection.stop(links[0])
    #expect(try peer.expect(MethodID.basicAck)["delivery-tag"] == .ulong(3))
    try peer.expect(MethodID.basicCancel)
    peer.send(MethodID.basicCancelOK, ["consumer-tag": .string("a")])
    #expect(try peer.expect(MethodID.basicAck)["delivery-tag"] == .ulong(4))
    try peer.expect(MethodID.txCommit)
    peer.send(MethodID.txCommitOK)
    #expect(end.takeLog().suffix(2) == ["stopped a", "discharged"])
    try peer.expectNothing()
  }

  @Test func everyReceiverHasItsOwnAndAllAreWaitedFor() throws {
    let peer = ScriptedPeer091(transactional)
    let links = ["a", "b"].map { peer.end.connection.attach(Attach(.receiver, $0, to: "/queues/\($0)")) }
    try peer.openUp()
    for channel: UInt16 in 1...2 {
      try peer.expect(MethodID.channelOpen, channel: channel)
      try peer.expect(MethodID.txSelect, channel: channel)
    }
    #expect(links.count == 2)
    _ = peer.end.takeLog()
    peer.end.connection.discharge(fail: false)
    for channel: UInt16 in 1...2 { try peer.expect(MethodID.txCommit, channel: channel) }
    peer.send(MethodID.txCommitOK, channel: 2)
    #expect(peer.end.takeLog().isEmpty)
    peer.send(MethodID.txCommitOK, channel: 1)
    #expect(peer.end.takeLog() == ["discharged"])
  }

  @Test func ofAChannelThatIsLostNobodyKnows() throws {
    let (peer, end, links) = try working([Attach(.sender, "a", to: "/queues/q")])
    end.deliver(links[0], 1, message("one"))
    end.connection.discharge(fail: false)
    try peer.expectPublish()
    try peer.expect(MethodID.txCommit)
    peer.send(
      MethodID.channelClose, ["reply-code": .ushort(406), "reply-text": .string("PRECONDITION_FAILED - partial tx")])
    #expect(end.takeLog() == ["detached a link peer amqp-0-9-1:406 (PRECONDITION_FAILED - partial tx)"])
  }

  @Test(arguments: [MethodID.txCommitOK, MethodID.txRollbackOK])
  func anAnswerNobodyAskedFor(_ id: UInt32) throws {
    let (peer, end, _) = try working([Attach(.sender, "a", to: "/queues/q")])
    peer.send(id)
    #expect(end.takeLog().last?.hasPrefix("closed connection local amqp-0-9-1:503") == true)
    if id == MethodID.txRollbackOK {
      let (peer, end, _) = try working([Attach(.sender, "a", to: "/queues/q")])
      end.connection.discharge(fail: false)
      try peer.expect(MethodID.txCommit)
      peer.send(id)
      #expect(end.takeLog().last?.hasPrefix("closed connection local amqp-0-9-1:503") == true)
    }
  }

  @Test func aLargeBatchIsNotHeldUp() throws {
    let (peer, end, links) = try working([Attach(.sender, "a", to: "/queues/q")])
    for n in 1...20_000 {
      #expect(end.deliver(links[0], n, message("m")) > 0)
      if n % 1_000 == 0 { for _ in 0..<1_000 { try peer.expectPublish() } }
    }
    end.connection.discharge(fail: false)
    try peer.expect(MethodID.txCommit)
    peer.send(MethodID.txCommitOK)
    #expect(end.takeLog() == ["answered a 1...20000 accepted", "discharged"])
  }
}
