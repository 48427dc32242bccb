/// Publishing over 0-9-1: frames of a message, confirms in every shape, and messages that come back.
import Bytes
import Engine
import Support
import Testing
import Wire

@Suite struct Publish091Tests {
  @Test func oneMessageCostsThreeRoundTrips() throws {
    let peer = ScriptedPeer091()
    let link = peer.end.connection.attach(Attach(.sender, "a", to: "/queues/q"))
    try peer.expect(.amqp091)
    peer.start()
    try peer.expect(MethodID.connectionStartOK, channel: 0)
    peer.tune()
    #expect(peer.end.takeLog() == ["opened", "attached a"])
    peer.end.deliver(link, 7, message("hello"))
    // Tune-ok, open, channel, confirms and the message in one go.
    try peer.expect(MethodID.connectionTuneOK, channel: 0)
    try peer.expect(MethodID.connectionOpen, channel: 0)
    try peer.expect(MethodID.channelOpen)
    try peer.expect(MethodID.confirmSelect)
    let published = try peer.expectPublish()
    #expect(published.method.text("exchange") == "" && published.method.text("routing-key") == "q")
    #expect(published.method["mandatory"] == .boolean(true))
    #expect(published.body == text("hello"))
    peer.send(MethodID.connectionOpenOK, channel: 0)
    peer.send(MethodID.channelOpenOK)
    peer.send(MethodID.confirmSelectOK)
    peer.ack(1)
    #expect(peer.end.takeLog() == ["answered a 7...7 accepted"])
  }

  @Test(arguments: [
    ("/queues/a%2Fb", "", "a/b"), ("/exchanges/x", "x", ""), ("/exchanges/x/k%20l", "x", "k l"),
  ])
  func targets(_ address: String, _ exchange: String, _ key: String) throws {
    let (peer, end, link) = try publishing(to: address)
    end.deliver(link, 1, message("m"))
    let published = try peer.expectPublish()
    #expect(published.method.text("exchange") == exchange && published.method.text("routing-key") == key)
  }

  // MARK: Sizes

  @Test(arguments: [0, 1, 4_087, 4_088, 4_089, 8_176, 8_177, 100_000])
  func bodiesAreCutAtFrameMax(_ size: Int) throws {
    let (peer, end, link) = try publishing(frameMax: 4_096)
    let octets = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let whole = message(octets)
    #expect(end.deliver(link, 1, whole) == whole.count)
    let published = try peer.expectPublish()
    #expect(published.body == octets)
    #expect(published.frames.count == (size + 4_087) / 4_088)
    #expect(published.frames.dropLast().allSatisfy { $0 == 4_096 })
    peer.ack(1)
    #expect(end.takeLog() == ["answered a 1...1 accepted"])
  }

  @Test func aLargeMessageNeverSitsInTheOutput() throws {
    let (peer, end, link) = try publishing()
    let octets = (0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let whole = message(octets)
    var out: [UInt8] = []
    var at = 0
    var turns = 0
    while at < whole.count {
      at = end.deliver(link, 1, whole, from: at)
      let written = end.output(now: 0)
      #expect(written.count < 400_000)
      out += written
      turns += 1
    }
    #expect(turns > 30)
    var body: [UInt8] = []
    var place = 0
    while case .frame(let frame) = Frame091.read(out.span, at: place, largest: 131_072) {
      if frame.type == .body { body += out[frame.payload] }
      place = frame.end
    }
    #expect(body == octets)
    peer.ack(1)
    #expect(end.takeLog() == ["answered a 1...1 accepted"])
  }

  @Test func severalDataSectionsAreOneBody() throws {
    let (peer, end, link) = try publishing(frameMax: 4_096)
    var draft = MessageDraft()
    let parts = [[UInt8](repeating: 1, count: 3_000), [], [UInt8](repeating: 2, count: 5_000), [3]]
    draft.body = parts.map { .data($0) }
    var q = ByteQueue()
    draft.encode(into: &q)
    #expect(end.deliver(link, 1, q.bytes) == q.count)
    #expect(try peer.expectPublish().body == Array(parts.joined()))
  }

  @Test func headersAndPropertiesTravel() throws {
    let (peer, end, link) = try publishing()
    var draft = MessageDraft()
    try draft.set("content-type", text: "text/plain")
    try draft.set("durable", .boolean(true))
    draft.applicationProperties = [MapEntry(.string("a"), .int(1))]
    draft.body = [.data(text("m"))]
    var q = ByteQueue()
    draft.encode(into: &q)
    end.deliver(link, 1, q.bytes)
    // The next one has no properties: what was translated for the first is not used.
    end.deliver(link, 2, message("n"))
    let first = try peer.expectPublish()
    #expect(first.properties[.contentType] == .string("text/plain"))
    #expect(first.properties[.deliveryMode] == .ubyte(2))
    #expect(first.properties[.headers] == .map([MapEntry(.string("a"), .int(1))]))
    #expect(try peer.expectPublish().properties == BasicProperties())
  }

  // MARK: Messages that say where they go

  @Test func theRelayReadsTheMessage() throws {
    let (peer, end, link) = try publishing(to: nil)
    var draft = MessageDraft()
    draft.body = [.data(text("m"))]
    try draft.set("to", text: "/exchanges/x/k")
    var q = ByteQueue()
    draft.encode(into: &q)
    end.deliver(link, 1, q.bytes)
    let published = try peer.expectPublish()
    #expect(published.method.text("exchange") == "x" && published.method.text("routing-key") == "k")
    end.deliver(link, 2, message("nowhere"))
    end.takeEvents()
    try peer.expectNothing()
    #expect(
      end.takeLog() == ["answered a 2...2 rejected amqp:not-implemented (the message says not where it goes)"])
  }

  // MARK: Confirms

  @Test func confirmsInEveryShape() throws {
    let (peer, end, link) = try publishing()
    for n in 10..<20 { end.deliver(link, n, message("m\(n)")) }
    for _ in 10..<20 { _ = try peer.expectPublish() }
    peer.ack(2)
    #expect(end.takeLog() == ["answered a 11...11 accepted"])
    peer.ack(4, multiple: true)
    #expect(end.takeLog() == ["answered a 10...10 accepted", "answered a 12...13 accepted"])
    peer.nack(6)
    #expect(end.takeLog() == ["answered a 15...15 rejected"])
    peer.nack(8, multiple: true)
    #expect(end.takeLog() == ["answered a 14...14 rejected", "answered a 16...17 rejected"])
    // Said again: nobody waits for it.
    peer.ack(3)
    peer.ack(8, multiple: true)
    #expect(end.takeLog() == [])
    peer.ack(0, multiple: true)
    #expect(end.takeLog() == ["answered a 18...19 accepted"])
    #expect(end.unsettled(link) == 0)
  }

  @Test func aConfirmOfNothingClosesTheChannel() throws {
    let (peer, end, link) = try publishing()
    end.deliver(link, 1, message("m"))
    _ = try peer.expectPublish()
    peer.ack(2)
    let close = try peer.expect(MethodID.channelClose)
    #expect(close["reply-code"] == .ushort(406))
    #expect(end.takeLog().first?.hasPrefix("detached a link local amqp-0-9-1:406") == true)
  }

  /// How much may be unanswered is the outbox's to say (`--window`).
  @Test func unansweredMessagesAreNotBounded() throws {
    let (peer, end, link) = try publishing()
    for n in 1...9_000 {
      #expect(end.room(link) > 0)
      end.deliver(link, n, message("m"))
      _ = try peer.expectPublish()
    }
    #expect(end.unsettled(link) == 9_000)
    peer.ack(9_000, multiple: true)
    #expect(end.takeLog() == ["answered a 1...9000 accepted"])
  }

  @Test func settledMessagesAreNotConfirmed() throws {
    let (peer, end, link) = try publishing(settled: true)
    end.deliver(link, 1, message("m"), settled: true)
    let published = try peer.expectPublish()
    #expect(published.method["mandatory"] == .boolean(false))
    #expect(end.unsettled(link) == 0 && end.takeLog() == [])
  }

  /// RabbitMQ brings back what is mandatory and goes to a requester, though it arrives.
  @Test func directRepliesAreNotMandatory() throws {
    let (peer, end, link) = try publishing(to: "/queues/amq.rabbitmq.reply-to.g1")
    end.deliver(link, 1, message("m"))
    let published = try peer.expectPublish()
    #expect(published.method.text("routing-key") == "amq.rabbitmq.reply-to.g1")
    #expect(published.method["mandatory"] == .boolean(false))
    peer.ack(1)
    #expect(end.takeLog() == ["answered a 1...1 accepted"])
  }

  @Test func withoutConfirmsOnlySettled() throws {
    let peer = ScriptedPeer091()
    _ = peer.end.connection.attach(Attach(.sender, "a", to: "/queues/q"))
    let settled = peer.end.connection.attach(Attach(.sender, "b", snd: .settled, to: "/queues/q"))
    try peer.openUp(capabilities: [])
    let log = peer.end.takeLog()
    #expect(log.count == 3 && log[1].hasPrefix("detached a link local amqp:not-implemented"), "\(log)")
    #expect(log[2] == "attached b")
    try peer.openChannel(2, confirms: false)
    peer.end.deliver(settled, 1, message("m"), settled: true)
    _ = try peer.expectPublish(channel: 2)
  }

  // MARK: Returns

  @Test func returnedMessagesAreToldApart() throws {
    let (peer, end, link) = try publishing()
    for (n, body) in ["same", "other", "same", "long enough for two words"].enumerated() {
      end.deliver(link, n + 1, message(body))
      _ = try peer.expectPublish()
    }
    peer.return(text("long enough for two words"))
    #expect(end.takeLog() == ["answered a 4...4 returned amqp-0-9-1:312 (NO_ROUTE)"])
    // Of two that are alike it is the older one.
    peer.return(text("same"))
    #expect(end.takeLog() == ["answered a 1...1 returned amqp-0-9-1:312 (NO_ROUTE)"])
    peer.return(text("never sent"))
    peer.return(text("other"), key: "elsewhere")
    #expect(end.takeLog() == [])
    // The confirms of those that came back say nothing new.
    peer.ack(4, multiple: true)
    #expect(end.takeLog() == ["answered a 2...3 accepted"])
  }

  // MARK: Trouble

  @Test func aMissingExchangeEndsTheLink() throws {
    let (peer, end, link) = try publishing(to: "/exchanges/x")
    end.deliver(link, 1, message("m"))
    _ = try peer.expectPublish()
    peer.send(
      MethodID.channelClose, ["reply-code": .ushort(404), "reply-text": .string("NOT_FOUND - no exchange 'x'")])
    #expect(end.takeLog() == ["detached a link peer amqp-0-9-1:404 (NOT_FOUND - no exchange 'x')"])
    try peer.expect(MethodID.channelCloseOK)
    try peer.expectNothing()
    #expect(end.room(link) == 0)
    // Its number is the next one's.
    _ = end.connection.attach(Attach(.sender, "b", to: "/queues/q"))
    try peer.openChannel()
  }

  @Test func aBlockedConnectionTakesNothing() throws {
    let (peer, end, link) = try publishing()
    peer.send(MethodID.connectionBlocked, ["reason": .string("low on memory")], channel: 0)
    #expect(end.room(link) == 0)
    peer.send(MethodID.connectionUnblocked, channel: 0)
    #expect(end.room(link) > 0)
    #expect(end.takeLog() == ["blocked low on memory", "unblocked"])
  }

  @Test func flowStopsOneChannel() throws {
    let (peer, end, link) = try publishing()
    peer.send(MethodID.channelFlow, ["active": .boolean(false)])
    #expect(try peer.expect(MethodID.channelFlowOK)["active"] == .boolean(false))
    #expect(end.room(link) == 0)
    peer.send(MethodID.channelFlow, ["active": .boolean(true)])
    try peer.expect(MethodID.channelFlowOK)
    #expect(end.room(link) > 0)
  }

  @Test func detachAndClose() throws {
    let (peer, end, link) = try publishing()
    end.connection.detach(link)
    try peer.expect(MethodID.channelClose)
    #expect(end.room(link) == 0)
    peer.send(MethodID.channelCloseOK)
    #expect(end.takeLog() == ["detached a link local"])
    end.connection.close()
    #expect(try peer.expect(MethodID.connectionClose, channel: 0)["reply-code"] == .ushort(200))
    peer.send(MethodID.connectionCloseOK, channel: 0)
    #expect(end.takeLog() == ["closed connection local"])
  }
}
