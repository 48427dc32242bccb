/// Consuming over 0-9-1: how messages are asked for, put together, and what becomes of them.
import Bytes
import Engine
import Support
import Testing
import Wire

@Suite struct Consume091Tests {
  // MARK: Asking

  @Test func theWindowIsThePrefetch() throws {
    let (peer, end, link) = try consuming()
    try peer.expectNothing()
    end.connection.grant(link, start: 50, ceiling: 200)
    #expect(try peer.expect(MethodID.basicQos)["prefetch-count"] == .ushort(200))
    let consume = try peer.expect(MethodID.basicConsume)
    #expect(consume.text("queue") == "q" && consume.text("consumer-tag") == "a")
    #expect(consume["no-ack"] == .boolean(false) && consume["exclusive"] == .boolean(false))
    try peer.expectNothing()
  }

  @Test func filtersAndPropertiesAreArguments() throws {
    let (peer, end, link) = try consuming { attach in
      attach.source?.filter = .map([
        MapEntry(
          .symbol("rabbitmq:stream-offset-spec"),
          .described(descriptor: .symbol("rabbitmq:stream-offset-spec"), value: .ulong(7))),
        MapEntry(.symbol("selector"), .string("a = 1")),
      ])
      attach.source?.capabilities = ["exclusive"]
      attach.properties = .map([MapEntry(.symbol("rabbitmq:priority"), .int(5))])
    }
    end.connection.grant(link, start: 1, ceiling: 1)
    try peer.expect(MethodID.basicQos)
    let consume = try peer.expect(MethodID.basicConsume)
    #expect(
      consume["arguments"]
        == .map([
          MapEntry(.string("x-stream-offset"), .long(7)), MapEntry(.string("x-priority"), .int(5)),
        ]))
    #expect(consume["exclusive"] == .boolean(true))
    // The selector was not understood, and the answer doesn't repeat it.
    #expect(end.connection.remoteAttach(link).source?.filter.entries?.count == 1)
  }

  @Test func anExchangeIsBoundToAQueueOfOurs() throws {
    let (peer, end, link) = try consuming(from: "/exchanges/x/k")
    end.connection.grant(link, start: 5, ceiling: 5)
    let declare = try peer.expect(MethodID.queueDeclare)
    #expect(declare["exclusive"] == .boolean(true) && declare["auto-delete"] == .boolean(true))
    let bind = try peer.expect(MethodID.queueBind)
    #expect(bind.text("exchange") == "x" && bind.text("routing-key") == "k" && bind.text("queue") == "")
    try peer.expect(MethodID.basicQos)
    #expect(try peer.expect(MethodID.basicConsume).text("queue") == "")
    peer.send(MethodID.queueDeclareOK, ["queue": .string("amq.gen-1")])
    #expect(end.takeLog() == ["opened", "attached a"])
  }

  @Test func aDynamicSourceHasItsNameFirst() throws {
    let (peer, end, link) = try consuming(from: nil) { $0.source?.dynamic = true }
    try peer.expect(MethodID.queueDeclare)
    #expect(end.takeLog() == ["opened"])
    peer.send(MethodID.queueDeclareOK, ["queue": .string("amq.gen-1")])
    #expect(end.takeLog() == ["attached a"])
    #expect(end.connection.remoteAttach(link).source?.address == .string("/queues/amq.gen-1"))
    end.connection.grant(link, start: 5, ceiling: 5)
    try peer.expect(MethodID.basicQos)
    #expect(try peer.expect(MethodID.basicConsume).text("queue") == "amq.gen-1")
  }

  // MARK: Messages

  /// An end with a running consumer.
  private func running(
    settled: Bool = false, window: UInt32 = 100, budget: Int? = nil, chunk: Int = .max,
    _ settings: ConnectionSettings = ScriptedPeer091.initiator
  ) throws -> (peer: ScriptedPeer091, end: End, link: LinkID) {
    let (peer, end, link) = try consuming(settled: settled, chunk: chunk, settings)
    end.connection.grant(link, start: window, ceiling: window, budget: budget)
    if !settled { try peer.expect(MethodID.basicQos) }
    try peer.expect(MethodID.basicConsume)
    peer.send(MethodID.basicConsumeOK, ["consumer-tag": .string("a")])
    _ = end.takeLog()
    return (peer, end, link)
  }

  @Test(arguments: [1, 2, 3, 7, 50, Int.max])
  func messagesInPieces(_ chunk: Int) throws {
    let (peer, end, _) = try running(chunk: chunk)
    var properties = BasicProperties()
    properties[.contentType] = .string("text/plain")
    properties[.headers] = .map([MapEntry(.string("a"), .int(1))])
    let bodies = ["", "one", String(repeating: "long ", count: 3_000), "last"]
    for (n, body) in bodies.enumerated() {
      peer.deliver(UInt64(n) + 1, body, properties, redelivered: n == 1)
    }
    #expect(end.messages.map(body) == bodies)
    #expect(end.deliveries.map(\.redelivered) == [false, true, false, false])
    #expect(end.deliveries.map(\.number) == [0, 1, 2, 3])
    #expect(end.deliveries.allSatisfy { !$0.settled })
    // The same octets however they came.
    let whole = try running()
    whole.peer.deliver(1, bodies[2], properties)
    #expect(whole.end.messages[0] == end.messages[2])
  }

  @Test func tagsBeyond32Bits() throws {
    let (peer, end, link) = try running()
    let first = UInt64(UInt32.max) - 1
    for n in 0..<4 as Range<UInt64> { peer.deliver(first + n, "m") }
    end.connection.settle(link, 0...3, .accept)
    let ack = try peer.expect(MethodID.basicAck)
    #expect(ack["delivery-tag"] == .ulong(first + 3) && ack["multiple"] == .boolean(true))
  }

  @Test func acksAreMerged() throws {
    let (peer, end, link) = try running()
    for tag in 1...10 as ClosedRange<UInt64> { peer.deliver(tag, "m") }
    end.connection.settle(link, 0...2, .accept)
    end.connection.settle(link, 3...4, .accept)
    var ack = try peer.expect(MethodID.basicAck)
    #expect(ack["delivery-tag"] == .ulong(5) && ack["multiple"] == .boolean(true))
    try peer.expectNothing()
    // Not the oldest: one by one.
    end.connection.settle(link, 7...8, .accept)
    for tag in 8...9 as ClosedRange<UInt64> {
      ack = try peer.expect(MethodID.basicAck)
      #expect(ack["delivery-tag"] == .ulong(tag) && ack["multiple"] == .boolean(false))
    }
    // The gap is closed.
    end.connection.settle(link, 0...9, .accept)
    ack = try peer.expect(MethodID.basicAck)
    #expect(ack["delivery-tag"] == .ulong(7) && ack["multiple"] == .boolean(true))
    ack = try peer.expect(MethodID.basicAck)
    #expect(ack["delivery-tag"] == .ulong(10) && ack["multiple"] == .boolean(false))
    #expect(end.connection.unsettledIncoming(link) == 0)
  }

  @Test(
    arguments: [
      (Outcome.accept, MethodID.basicAck, nil), (.reject(nil), MethodID.basicReject, false),
      (.release, MethodID.basicNack, true),
      (.modify(failed: true, undeliverable: false, annotations: .null), MethodID.basicReject, true),
      (.modify(failed: false, undeliverable: true, annotations: .null), MethodID.basicReject, false),
      (.modify(failed: false, undeliverable: false, annotations: .null), MethodID.basicNack, true),
    ] as [(Outcome, UInt32, Bool?)])
  func outcomes(_ outcome: Outcome, _ method: UInt32, _ requeue: Bool?) throws {
    let (peer, end, link) = try running()
    peer.deliver(1, "m")
    end.connection.settle(link, 0...0, outcome)
    let m = try peer.expect(method)
    #expect(m["delivery-tag"] == .ulong(1) && m["requeue"].bool == requeue)
    // Decided once and for all.
    end.connection.settle(link, 0...0, .accept)
    try peer.expectNothing()
  }

  @Test func settledMessagesNeedNoAnswer() throws {
    let (peer, end, link) = try running(settled: true)
    peer.deliver(1, "m")
    #expect(end.deliveries.map(\.settled) == [true])
    #expect(end.connection.unsettledIncoming(link) == 0)
    end.connection.settle(link, 0...0, .accept)
    try peer.expectNothing()
  }

  @Test func aMessageLargerThanTheLimit() throws {
    var settings = ScriptedPeer091.initiator
    settings.limits.messageSize = 100
    let (peer, end, _) = try running(settings)
    peer.deliver(1, String(repeating: "x", count: 100))
    peer.deliver(2, String(repeating: "x", count: 101))
    #expect(end.messages.count == 1)
    #expect(end.takeLog().last?.hasPrefix("detached a link local amqp:link:message-size-exceeded") == true)
    #expect(try peer.expect(MethodID.channelClose)["reply-code"] == .ushort(311))
    // What was under way is passed over.
    peer.deliver(3, "m")
    peer.send(MethodID.channelCloseOK)
    #expect(end.messages.count == 1 && !end.isOver)
  }

  // MARK: Counts and ends

  @Test func aBudgetTakesNothingExtra() throws {
    let (peer, end, link) = try running(window: 4, budget: 6)
    for tag in 1...4 as ClosedRange<UInt64> { peer.deliver(tag, "m") }
    end.connection.settle(link, 0...3, .accept)
    // Four under way and six in all: two may be acknowledged.
    #expect(try peer.expect(MethodID.basicAck)["delivery-tag"] == .ulong(2))
    try peer.expectNothing()
    peer.deliver(5, "m")
    try peer.expectNothing()
    peer.deliver(6, "m")
    try peer.expect(MethodID.basicCancel)
    try peer.expectNothing()
    end.connection.stop(link)
    #expect(!end.takeLog().contains("stopped a"))
    peer.send(MethodID.basicCancelOK, ["consumer-tag": .string("a")])
    #expect(end.takeLog() == ["stopped a"])
    #expect(try peer.expect(MethodID.basicAck)["delivery-tag"] == .ulong(4))
    end.connection.settle(link, 4...5, .accept)
    #expect(try peer.expect(MethodID.basicAck)["delivery-tag"] == .ulong(6))
  }

  @Test func whatIsHeldBackIsSaidBeforeTheEnd() throws {
    let (peer, end, link) = try running(window: 4, budget: 4)
    peer.deliver(1, "m")
    end.connection.settle(link, 0...0, .accept)
    try peer.expectNothing()
    end.connection.close()
    try peer.expect(MethodID.basicAck)
    try peer.expect(MethodID.connectionClose, channel: 0)
  }

  @Test func stopping() throws {
    let (peer, end, link) = try running()
    end.connection.stop(link)
    #expect(try peer.expect(MethodID.basicCancel).text("consumer-tag") == "a")
    // Between cancel and cancel-ok deliveries are real.
    peer.deliver(1, "late")
    peer.send(MethodID.basicCancelOK, ["consumer-tag": .string("a")])
    #expect(end.messages.map(body) == ["late"])
    #expect(end.takeLog().last == "stopped a")
    end.connection.settle(link, 0...0, .release)
    try peer.expect(MethodID.basicNack)
  }

  @Test func stoppingWhatNeverBegan() throws {
    let (peer, end, link) = try consuming()
    _ = end.takeLog()
    end.connection.stop(link)
    end.takeEvents()
    #expect(end.takeLog() == ["stopped a"])
    try peer.expectNothing()
  }

  @Test func theServerCancels() throws {
    let (peer, end, _) = try running()
    peer.deliver(1, "m")
    _ = end.takeLog()
    peer.send(MethodID.basicCancel, ["consumer-tag": .string("a"), "no-wait": .boolean(true)])
    #expect(
      end.takeLog() == ["detached a link peer amqp:resource-deleted (the peer cancelled the consumer)"])
    try peer.expect(MethodID.channelClose)
  }

  // MARK: One by one

  private func getOK(_ peer: ScriptedPeer091, _ tag: UInt64, _ body: String) {
    peer.send(
      raw: ScriptedPeer091.frame(
        MethodID.basicGetOK,
        ["delivery-tag": .ulong(tag), "exchange": .string("x"), "routing-key": .string("k")])
        + ScriptedPeer091.content(Array(body.utf8)))
  }

  @Test func drainAsksUntilThereIsNothing() throws {
    let (peer, end, link) = try consuming()
    end.connection.grant(link, start: 3, ceiling: 3)
    end.connection.drain(link)
    for _ in 0..<3 { #expect(try peer.expect(MethodID.basicGet)["no-ack"] == .boolean(false)) }
    try peer.expectNothing()
    getOK(peer, 1, "one")
    getOK(peer, 2, "two")
    peer.send(MethodID.basicGetEmpty)
    #expect(end.messages.map(body) == ["one", "two"])
    #expect(end.takeLog().last == "drained a")
    end.connection.settle(link, 0...1, .accept)
    #expect(try peer.expect(MethodID.basicAck)["multiple"] == .boolean(true))
    try peer.expectNothing()
  }

  @Test func aSettledBudgetIsAskedForOneByOne() throws {
    let (peer, end, link) = try consuming(settled: true)
    end.connection.grant(link, start: 100, ceiling: 100, budget: 2)
    for _ in 0..<2 { #expect(try peer.expect(MethodID.basicGet)["no-ack"] == .boolean(true)) }
    try peer.expectNothing()
    getOK(peer, 1, "one")
    peer.send(MethodID.basicGetEmpty)
    try peer.expectNothing()
    // The queue was empty: it is asked again after a while.
    #expect(end.deadline == 100_000_000)
    peer.now = 100_000_000
    end.tick(now: peer.now)
    try peer.expect(MethodID.basicGet)
    getOK(peer, 2, "two")
    #expect(end.messages.map(body) == ["one", "two"])
    try peer.expectNothing()
    end.connection.stop(link)
    end.takeEvents()
    #expect(end.takeLog().last == "stopped a")
  }

  @Test func aMissingQueue() throws {
    let (peer, end, _) = try running()
    peer.send(MethodID.channelClose, ["reply-code": .ushort(404), "reply-text": .string("NOT_FOUND")])
    #expect(end.takeLog() == ["detached a link peer amqp-0-9-1:404 (NOT_FOUND)"])
    try peer.expect(MethodID.channelCloseOK)
  }
}
