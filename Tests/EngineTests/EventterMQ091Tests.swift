/// Our initiator against the 0-9-1 side of a broker that knows neither confirms nor mandatory, reads property flags the
/// other way round and drops the connection at the first heartbeat.
import Bytes
import Engine
import Support
import Testing
import Wire

@Suite("EventterMQ over 0-9-1") struct EventterMQ091Tests {
  static func conversation(heartbeat: UInt32 = 0) -> Conversation {
    var settings = ConnectionSettings(.initiator)
    settings.protocols = .amqp091
    settings.virtualHost = "ns"
    settings.idleTimeOut = heartbeat
    (settings.user, settings.password) = ("guest", "guest")
    return Conversation(settings)
  }

  /// As `send --transient` composes it.
  static func transient(_ text: String) -> [UInt8] {
    var draft = MessageDraft()
    draft.header = [.boolean(false)]
    draft.body = [.data(Array(text.utf8))]
    var q = ByteQueue()
    draft.encode(into: &q)
    return q.bytes
  }

  @Test func sendsAtMostOnce() {
    let c = EventterMQ091Tests.conversation()
    let link = c.attach(.sender, "/exchanges/topic", snd: .settled)
    #expect(c.end.takeLog() == ["opened", "attached s"])
    for n in 0..<3 { c.end.deliver(link, n, EventterMQ091Tests.transient("m\(n)"), settled: true) }
    c.run()
    #expect(c.broker.complaints == [])
    #expect(c.broker.queues == ["/ns/group": [text("m0"), text("m1"), text("m2")]])
    #expect(c.close())
  }

  /// Before anything is published: it would hang up on confirm.select.
  @Test func refusesWhatNobodyWouldConfirm() {
    let c = EventterMQ091Tests.conversation()
    _ = c.attach(.sender, "/exchanges/topic")
    let log = c.end.takeLog()
    #expect(log.last?.hasPrefix("detached s link local amqp:not-implemented (the peer confirms no messages") == true)
    #expect(c.broker.complaints == [])
    #expect(c.close())
  }

  @Test(arguments: [1, Int.max], [Outcome.accept, .release]) func receives(_ chunk: Int, _ outcome: Outcome) {
    let c = EventterMQ091Tests.conversation()
    c.chunk = chunk
    for n in 0..<5 { c.broker.publish(text("m\(n)"), to: "/ns/group") }
    c.broker.publish([], to: "/ns/group")
    let link = c.attach(.receiver, "/queues/group")
    c.end.connection.grant(link, start: 4, ceiling: 4)
    c.run()
    #expect(c.end.messages.map(body) == ["m0", "m1", "m2", "m3"])
    c.end.connection.stop(link)
    c.run()
    c.end.connection.settle(link, 0...3, outcome)
    c.run()
    #expect(c.broker.complaints == [])
    #expect(c.broker.consumed.count == (outcome == .accept ? 4 : 0))
    #expect(c.broker.queues["/ns/group"]?.count == (outcome == .accept ? 2 : 6))
    #expect(c.close())
  }

  /// An empty body has a body frame, where the specification has none.
  @Test func drainsByQuestions() {
    let c = EventterMQ091Tests.conversation()
    c.broker.publish(text("m0"), to: "/ns/group")
    c.broker.publish([], to: "/ns/group")
    let link = c.attach(.receiver, "/queues/group")
    c.end.connection.grant(link, start: 10, ceiling: 10)
    c.end.connection.drain(link)
    c.run()
    #expect(c.end.messages.map(body) == ["m0", ""])
    #expect(c.end.takeLog().last == "drained r")
    c.end.connection.settle(link, 0...1, .accept)
    c.run()
    #expect(c.broker.consumed.count == 2 && c.broker.complaints == [])
  }

  @Test func silenceIsKeptWithoutHeartbeat() {
    let c = EventterMQ091Tests.conversation()
    _ = c.attach(.sender, "/exchanges/topic", snd: .settled)
    c.advance(milliseconds: 600_000)
    #expect(c.broker.complaints == [] && !c.broker.isOver)
  }
}
