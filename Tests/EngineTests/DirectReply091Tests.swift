/// Direct reply-to: the pseudo-queue is consumed before anything is published on its channel, and the senders share that.
import Bytes
import Engine
import Support
import Testing
import Wire

@Suite struct DirectReply091Tests {
  /// An end with a receiver of replies and these senders behind it, up to the peer's answers.
  private func requesting(_ senders: [Attach]) throws -> (peer: ScriptedPeer091, end: End, links: [LinkID]) {
    let peer = ScriptedPeer091()
    var links = [peer.end.connection.attach(Attach(.receiver, "r", to: Connection.directReplyAddress))]
    for sender in senders { links.append(peer.end.connection.attach(sender)) }
    try peer.openUp()
    try peer.expect(MethodID.channelOpen)
    peer.send(MethodID.channelOpenOK)
    return (peer, peer.end, links)
  }

  private func reply(_ peer: ScriptedPeer091, _ tag: UInt64, _ body: String) {
    peer.send(
      raw: ScriptedPeer091.frame(
        MethodID.basicDeliver,
        ["consumer-tag": .string("r"), "delivery-tag": .ulong(tag), "routing-key": .string("amq.rabbitmq.reply-to.g2")])
        + ScriptedPeer091.content(Array(body.utf8)))
  }

  @Test func consumedBeforeAnythingIsPublishedOnTheSameChannel() throws {
    let (peer, end, links) = try requesting([Attach(.sender, "a", to: "/queues/q")])
    #expect(end.takeLog() == ["opened", "attached r", "attached a"])
    #expect(end.connection.remoteAttach(links[0]).source?.address == .string("amq.rabbitmq.reply-to"))
    #expect(end.connection.remoteAttach(links[0]).sndSettleMode == .settled)
    // Nothing was granted, and nothing needs to be.
    end.deliver(links[1], 7, message("question"))
    try peer.expect(MethodID.confirmSelect)
    let consume = try peer.expect(MethodID.basicConsume)
    #expect(consume.text("queue") == "amq.rabbitmq.reply-to" && consume["no-ack"] == .boolean(true))
    #expect(String(decoding: try peer.expectPublish().body, as: UTF8.self) == "question")
    peer.ack(1)
    reply(peer, 1, "answer")
    #expect(end.takeLog().prefix(1) == ["answered a 7...7 accepted"])
    #expect(end.messages.map(body) == ["answer"] && end.deliveries[0].settled && end.deliveries[0].link == links[0])
    // Nothing is said of a reply, and a budget doesn't take the consumer away.
    end.connection.grant(links[0], start: 1, ceiling: 1, budget: 1)
    end.connection.settle(links[0], 0...0, .accept)
    reply(peer, 2, "another")
    #expect(end.messages.map(body) == ["answer", "another"])
    try peer.expectNothing()
  }

  @Test func asLateAsAnOpenChannel() throws {
    let (peer, end, links) = try requesting([])
    try peer.expect(MethodID.basicConsume)
    let sender = end.connection.attach(Attach(.sender, "a", to: "/queues/q"))
    end.deliver(sender, 1, message("m"))
    try peer.expect(MethodID.confirmSelect)
    try peer.expectPublish()
    // What comes back is the channel's, whoever owns it.
    peer.return(Array("m".utf8))
    peer.ack(1)
    #expect(end.takeLog().last == "answered a 1...1 returned amqp-0-9-1:312 (NO_ROUTE)")
    end.connection.drain(links[0])
    try peer.expectNothing()
  }

  @Test func sendersLeaveOneByOne() throws {
    let (peer, end, links) = try requesting([
      Attach(.sender, "a", to: "/queues/q"), Attach(.sender, "b", snd: .settled, to: "/queues/p"),
    ])
    end.deliver(links[1], 1, message("m"))
    end.deliver(links[2], 2, message("n"), settled: true)
    for id in [MethodID.confirmSelect, MethodID.basicConsume] { try peer.expect(id) }
    #expect(try peer.expectPublish().method["mandatory"] == .boolean(true))
    #expect(try peer.expectPublish().method["mandatory"] == .boolean(false))
    _ = end.takeLog()
    end.connection.detach(links[2])
    end.takeEvents()
    #expect(end.takeLog() == ["detached b link local"])
    try peer.expectNothing()
    #expect(end.room(links[1]) > 0 && end.room(links[2]) == 0)
    peer.ack(2, multiple: true)
    #expect(end.takeLog() == ["answered a 1...1 accepted"])
    // Whose channel it is takes all with it.
    end.connection.detach(links[0])
    try peer.expect(MethodID.channelClose)
    peer.send(MethodID.channelCloseOK)
    #expect(Set(end.takeLog()) == ["detached r link local", "detached a link local"])
    // The next sender has a channel of its own again.
    _ = end.connection.attach(Attach(.sender, "c", to: "/queues/q"))
    try peer.openChannel()
    try peer.expectNothing()
  }

  @Test func aSharedChannelCarriesOneMessageAtATime() throws {
    let (peer, end, links) = try requesting([
      Attach(.sender, "a", to: "/queues/q"), Attach(.sender, "b", to: "/queues/p"),
    ])
    let large = message([UInt8](repeating: 1, count: 1 << 20))
    let sent = end.deliver(links[1], 1, large)
    #expect(sent < large.count)
    #expect(end.room(links[2]) == 0)
    _ = try peer.next()
    #expect(end.room(links[2]) == 0 && end.canContinue(links[1]))
    // It leaves half a message behind, where nothing can follow.
    end.connection.detach(links[1])
    end.takeEvents()
    #expect(end.room(links[2]) == 0)
    #expect(end.takeLog().filter { $0.hasPrefix("detached") }.count == 3)
  }

  @Test func aPeerWithoutIt() throws {
    let (peer, end, links) = try requesting([Attach(.sender, "a", to: "/queues/q")])
    for id in [MethodID.confirmSelect, MethodID.basicConsume] { try peer.expect(id) }
    _ = end.takeLog()
    // Which a stream would be asked in another way for.
    peer.send(MethodID.channelClose, ["reply-code": .ushort(540), "reply-text": .string("NOT_IMPLEMENTED")])
    #expect(
      end.takeLog() == [
        "detached r link peer amqp-0-9-1:540 (NOT_IMPLEMENTED)",
        "detached a link peer amqp-0-9-1:540 (NOT_IMPLEMENTED)",
      ])
    #expect(end.room(links[1]) == 0)
    try peer.expect(MethodID.channelCloseOK)
    try peer.expectNothing()
  }
}
