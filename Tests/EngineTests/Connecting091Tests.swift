/// How an initiator of 0-9-1 connects: what it says of itself, what it makes of tune, and what becomes of peers that say
/// something else.
import Engine
import Support
import Testing
import Wire

@Suite struct Connecting091Tests {
  @Test(arguments: [
    (ProtocolHeader.sasl10, "AMQP 1.0 (SASL)"), (.amqp10, "AMQP 1.0"), (.amqp091, "AMQP 0-9-1"),
    (ProtocolHeader(1, 1, 0, 10), "AMQP 0-10"),
  ])
  func anotherHeaderIsNamed(_ header: ProtocolHeader, _ name: String) throws {
    let peer = ScriptedPeer091()
    try peer.expect(.amqp091)
    peer.send(header)
    #expect(
      peer.end.takeLog() == [
        "closed transport peer amqp:not-implemented (the peer speaks \(name), not AMQP 0-9-1) string(\"\(name)\")"
      ])
    #expect(peer.end.peer.header == header)
    try peer.expectNothing()
  }

  @Test(
    arguments: [
      ([0x15, 0x03, 0x01, 0, 2, 2, 70], "it speaks TLS"), (text("HTTP/1.1 400 Bad Request"), "it speaks HTTP"),
      (text("SSH-2.0-OpenSSH"), "it speaks SSH"),
      // Octets that begin like a frame.
      ([1, 0, 0, 0xff, 0xff, 0xff, 0xff, 1], "malformed frame"),
    ] as [([UInt8], String)])
  func foreignOctetsAreNamed(_ octets: [UInt8], _ name: String) throws {
    let peer = ScriptedPeer091()
    peer.send(raw: octets)
    let log = peer.end.takeLog()
    #expect(log.count == 1 && log[0].contains(name), "\(log)")
    try peer.expect(.amqp091)
    try peer.expectNothing()
  }

  @Test func startOKSaysWhoWeAre() throws {
    let peer = ScriptedPeer091()
    try peer.expect(.amqp091)
    peer.start()
    let m = try peer.expect(MethodID.connectionStartOK, channel: 0)
    #expect(m.text("mechanism") == "PLAIN" && m.octets("response") == [0] + text("u") + [0] + text("p"))
    let properties = m["client-properties"]
    #expect(properties["connection_name"] == .string("tester"))
    let capabilities = properties["capabilities"]?.entries?.map { $0.key.text ?? "" } ?? []
    #expect(
      Set(capabilities) == [
        "publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked",
        "authentication_failure_close", "exchange_exchange_bindings", "per_consumer_qos",
      ])
  }

  @Test func amqplainIsTheLastChoice() throws {
    let peer = ScriptedPeer091()
    try peer.expect(.amqp091)
    peer.start(mechanisms: "AMQPLAIN EXTERNAL")
    let m = try peer.expect(MethodID.connectionStartOK, channel: 0)
    #expect(m.text("mechanism") == "AMQPLAIN")
    let table = text("\u{5}LOGINS\0\0\0\u{1}u\u{8}PASSWORDS\0\0\0\u{1}p")
    #expect(m.octets("response") == table)
  }

  @Test(arguments: [(true, "ANONYMOUS"), (false, "PLAIN")])
  func credentialsThatSomebodyGaveAreUsed(_ isDefault: Bool, _ mechanism: String) throws {
    var settings = ScriptedPeer091.initiator
    settings.credentialsAreDefault = isDefault
    settings.mechanisms = [.anonymous, .plain]
    let peer = ScriptedPeer091(settings)
    try peer.expect(.amqp091)
    peer.start(mechanisms: "ANONYMOUS PLAIN")
    #expect(try peer.expect(MethodID.connectionStartOK, channel: 0).text("mechanism") == mechanism)
  }

  @Test func noMechanismInCommon() throws {
    let peer = ScriptedPeer091()
    peer.start(mechanisms: "EXTERNAL")
    #expect(
      peer.end.takeLog() == [
        "closed sasl local amqp:unauthorized-access (the peer offers EXTERNAL, we could use PLAIN, AMQPLAIN) "
          + "symbol(\"no-mechanism\")"
      ])
  }

  @Test func refusedCredentials() throws {
    let peer = ScriptedPeer091()
    try peer.expect(.amqp091)
    peer.start()
    try peer.expect(MethodID.connectionStartOK, channel: 0)
    peer.send(
      MethodID.connectionClose, ["reply-code": .ushort(403), "reply-text": .string("ACCESS_REFUSED")], channel: 0)
    #expect(peer.end.takeLog() == ["closed sasl peer amqp-0-9-1:403 (ACCESS_REFUSED)"])
    try peer.expect(MethodID.connectionCloseOK, channel: 0)
  }

  /// A peer without authentication_failure_close hangs up.
  @Test func anEndInsteadOfTuneIsARefusal() throws {
    let peer = ScriptedPeer091()
    peer.start()
    peer.end.receivedEnd()
    #expect(
      peer.end.takeLog() == [
        "closed sasl peer amqp:connection:forced (closed without an answer to the credentials)"
      ])
  }

  @Test(arguments: [
    // Theirs: channel-max, frame-max, heartbeat; what is agreed on.
    (UInt16(0), UInt32(0), UInt16(0), UInt16(255), UInt32(131_072), UInt16(0)),
    (10, 8_192, 5, 10, 8_192, 5), (2_047, 131_072, 600, 255, 131_072, 30), (1, 4_096, 1, 1, 4_096, 1),
  ])
  func tuning(
    _ channels: UInt16, _ frame: UInt32, _ heartbeat: UInt16, _ agreed: UInt16, _ size: UInt32, _ seconds: UInt16
  ) throws {
    let peer = ScriptedPeer091()
    try peer.expect(.amqp091)
    peer.start()
    try peer.expect(MethodID.connectionStartOK, channel: 0)
    peer.tune(channelMax: channels, frameMax: frame, heartbeat: heartbeat)
    let m = try peer.expect(MethodID.connectionTuneOK, channel: 0)
    #expect(m["channel-max"] == .ushort(agreed) && m["frame-max"] == .uint(size))
    #expect(m["heartbeat"] == .ushort(seconds))
    #expect(try peer.expect(MethodID.connectionOpen, channel: 0).text("virtual-host") == "/")
  }

  @Test func aFrameMaxBelowTheFloor() throws {
    let peer = ScriptedPeer091()
    peer.start()
    peer.tune(frameMax: 4_095)
    #expect(peer.end.takeLog() == ["closed connection local amqp-0-9-1:502 (frame-max 4095 is below 4096)"])
  }

  @Test func noMoreChannelsThanAllowed() throws {
    let peer = ScriptedPeer091()
    for name in ["a", "b", "c"] { _ = peer.end.connection.attach(Attach(.sender, name, to: "/queues/q")) }
    try peer.openUp(channelMax: 2)
    #expect(
      peer.end.takeLog() == [
        "opened", "attached a", "attached b",
        "detached c link local amqp:resource-limit-exceeded (no channel is left: the peer allows 2)",
      ])
    try peer.openChannel(1)
    try peer.openChannel(2)
    try peer.expectNothing()
  }

  @Test func heartbeats() throws {
    let (peer, end, _) = try publishing()
    let second: Instant = 1_000_000_000
    #expect(end.deadline == 15 * second)
    peer.now = 15 * second
    end.tick(now: peer.now)
    #expect(try peer.next()?.type == .heartbeat)
    peer.send(raw: [8, 0, 0, 0, 0, 0, 0, 0xce])
    peer.now = 74 * second
    end.tick(now: peer.now)
    #expect(end.takeLog() == [])
    peer.now = 75 * second
    end.tick(now: peer.now)
    #expect(end.takeLog() == ["closed transport local amqp:resource-limit-exceeded (nothing came for 60 s)"])
  }

  @Test func aRefusedVirtualHost() throws {
    let peer = ScriptedPeer091()
    _ = peer.end.connection.attach(Attach(.sender, "a", to: "/queues/q"))
    peer.start()
    peer.tune()
    peer.send(
      MethodID.connectionClose, ["reply-code": .ushort(530), "reply-text": .string("no vhost")], channel: 0)
    #expect(peer.end.takeLog() == ["opened", "attached a", "closed connection peer amqp-0-9-1:530 (no vhost)"])
  }

  // MARK: Faults

  @Test(
    arguments: [
      (ScriptedPeer091.frame(MethodID.basicQosOK, channel: 9), 504),
      (ScriptedPeer091.frame(MethodID.channelOpenOK, channel: 0), 503),
      (ScriptedPeer091.frame(MethodID.connectionTuneOK, channel: 0), 503),
      (ScriptedPeer091.frame(MethodID.channelCloseOK), 503), (ScriptedPeer091.frame(MethodID.txSelectOK), 503),
      (ScriptedPeer091.frame(MethodID.basicGetEmpty), 503), (ScriptedPeer091.content([1]), 505),
      ([8, 0, 1, 0, 0, 0, 0, 0xce], 501), ([8, 0, 0, 0, 0, 0, 0, 0xcd], 501), ([4, 0, 0, 0, 0, 0, 0, 0xce], 501),
      ([1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 99, 0xce], 502), ([1, 0, 1, 0, 0, 0, 0, 0xce], 502),
      ([3, 0, 1, 0, 2, 0, 0], 501),
    ] as [([UInt8], Int)])
  func faultsOfThePeer(_ octets: [UInt8], _ code: Int) throws {
    let (peer, end, _) = try publishing()
    peer.send(raw: octets)
    let log = end.takeLog()
    #expect(log.count == 1 && log[0].hasPrefix("closed connection local amqp-0-9-1:\(code) "), "\(log)")
    #expect(try peer.expect(MethodID.connectionClose, channel: 0)["reply-code"] == .ushort(UInt16(code)))
    // Nothing more is heard.
    peer.send(raw: octets)
    #expect(end.takeLog() == [])
  }

  @Test func bothClose() throws {
    let (peer, end, _) = try publishing()
    end.connection.close()
    try peer.expect(MethodID.connectionClose, channel: 0)
    peer.send(MethodID.connectionClose, ["reply-code": .ushort(320), "reply-text": .string("bye")], channel: 0)
    #expect(end.takeLog() == ["closed connection peer amqp-0-9-1:320 (bye)"])
    #expect(end.isOver)
  }

  @Test func bothCloseAChannel() throws {
    let (peer, end, link) = try publishing()
    end.connection.detach(link)
    try peer.expect(MethodID.channelClose)
    peer.send(MethodID.channelClose, ["reply-code": .ushort(406), "reply-text": .string("no")])
    try peer.expect(MethodID.channelCloseOK)
    peer.send(MethodID.channelCloseOK)
    #expect(end.takeLog() == ["detached a link local"])
    try peer.expectNothing()
  }

  // MARK: Declarations

  @Test func declarationsOnAChannelOfTheirOwn() throws {
    let peer = ScriptedPeer091()
    var queue = Declaration.Queue("q")
    queue.arguments = [MapEntry(.string("x-queue-type"), .string("quorum"))]
    #expect(peer.end.connection.declare(.queue(queue)) == 0)
    #expect(peer.end.connection.declare(.exchange(Declaration.Exchange("x"))) == 1)
    #expect(peer.end.connection.declare(.bind(Declaration.Binding("x", to: .queue("q")))) == 2)
    try peer.openUp()
    try peer.openChannel(confirms: false)
    let declare = try peer.expect(MethodID.queueDeclare)
    #expect(declare.text("queue") == "q" && declare["durable"] == .boolean(true))
    #expect(declare["arguments"] == .map(queue.arguments))
    try peer.expect(MethodID.exchangeDeclare)
    try peer.expect(MethodID.queueBind)
    peer.send(MethodID.queueDeclareOK, ["queue": .string("q")])
    // The second is refused, and takes the third along: it is asked for again.
    peer.send(MethodID.channelClose, ["reply-code": .ushort(406), "reply-text": .string("PRECONDITION_FAILED")])
    #expect(
      peer.end.takeLog() == ["opened", "declared 0", "declared 1 amqp-0-9-1:406 (PRECONDITION_FAILED)"])
    try peer.expect(MethodID.channelOpen, channel: 2)
    try peer.expect(MethodID.queueBind, channel: 2)
    try peer.expect(MethodID.channelCloseOK)
    peer.send(MethodID.queueBindOK, channel: 2)
    #expect(peer.end.takeLog() == ["declared 2"])
    try peer.expect(MethodID.channelClose, channel: 2)
  }
}
