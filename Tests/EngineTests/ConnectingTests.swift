/// Headers, SASL and open: what is said first, in which order, and what becomes of peers that say something else.
import Engine
import Support
import Testing
import Wire

@Suite struct ConnectingTests {
  // MARK: Headers

  /// PROTOCOL.md: a mismatched reply header is the peer saying what it speaks.
  @Test(arguments: [
    (ProtocolHeader.sasl10, "AMQP 1.0 (SASL)"), (.tls10, "AMQP 1.0 (TLS)"), (.amqp091, "AMQP 0-9-1"),
    (ProtocolHeader(1, 1, 0, 10), "AMQP 0-10"), (ProtocolHeader(0, 2, 7, 1), "AMQP with header 0 2 7 1"),
  ])
  func anotherHeaderIsNamed(_ header: ProtocolHeader, _ name: String) throws {
    let peer = ScriptedPeer(bare(.initiator))
    try peer.expect(.amqp10)
    peer.send(header)
    #expect(
      peer.end.takeLog() == [
        "closed transport peer amqp:not-implemented (the peer speaks \(name), not AMQP 1.0) string(\"\(name)\")"
      ])
  }

  @Test func rabbitMQ4RefusesBareConnections() throws {
    let peer = ScriptedPeer(bare(.initiator))
    peer.send(.sasl10)
    #expect(peer.end.takeLog()[0].contains("the peer speaks AMQP 1.0 (SASL)"))
  }

  @Test func anotherHeaderInsteadOfSASL() throws {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    try peer.expect(.sasl10)
    peer.send(.amqp091)
    #expect(peer.end.takeLog()[0].contains("the peer speaks AMQP 0-9-1, not AMQP 1.0 (SASL)"))
    #expect(peer.end.outputIsEmpty)
  }

  @Test(
    arguments: [
      ([0x15, 0x03, 0x01, 0, 2, 2, 70], "it speaks TLS"),
      ([0x16, 0x03, 0x01, 0, 2, 2, 70], "it speaks TLS"),
      (text("HTTP/1.1 400 Bad Request"), "it speaks HTTP"), (text("SSH-2.0-OpenSSH"), "it speaks SSH"),
      (text("+OK ready"), "it sent 2b 4f 4b 20 72 65 61 64"),
    ] as [([UInt8], String)])
  func foreignOctetsAreNamed(_ octets: [UInt8], _ name: String) throws {
    for role in [ConnectionSettings.Role.initiator, .acceptor] {
      let peer = ScriptedPeer(bare(role))
      peer.send(raw: octets)
      let log = peer.end.takeLog()
      #expect(log.count == 1 && log[0].contains(name), "\(log)")
      // An acceptor says what it speaks (part 2 §2.2); nobody says more to such a peer.
      try peer.expect(.amqp10)
      try peer.expectNothing()
      #expect(peer.end.outputIsEmpty)
    }
  }

  @Test(arguments: [
    (true, ProtocolHeader.amqp091, ProtocolHeader.sasl10), (false, .amqp091, .amqp10), (true, .tls10, .sasl10),
    (false, .sasl10, .amqp10), (false, ProtocolHeader(0, 1, 1, 0), .amqp10),
  ])
  func acceptorAnswersWithWhatItSpeaks(_ sasl: Bool, _ asked: ProtocolHeader, _ answer: ProtocolHeader) throws {
    let peer = ScriptedPeer(sasl ? ConnectionSettings(.acceptor) : bare(.acceptor))
    peer.send(asked)
    try peer.expect(answer)
    try peer.expectNothing()
    #expect(
      peer.end.takeLog() == [
        "closed transport local amqp:connection:framing-error (the peer asked for \(asked.description), we speak "
          + "\(answer.description))"
      ])
    #expect(peer.end.outputIsEmpty)
  }

  @Test func bareHeaderWhereSASLIsOffered() throws {
    let peer = ScriptedPeer(ConnectionSettings(.acceptor))
    try peer.dial()
    #expect(peer.end.takeLog() == ["opened"])
  }

  @Test func bareHeaderWhereCredentialsAreDemanded() throws {
    var settings = ConnectionSettings(.acceptor)
    (settings.user, settings.password) = ("u", "p")
    let peer = ScriptedPeer(settings)
    peer.send(.amqp10)
    try peer.expect(.sasl10)
    #expect(peer.end.takeLog().count == 1)
    #expect(peer.end.isOver)
  }

  // MARK: SASL

  @Test(arguments: [
    ("one symbol", "0053 40 c001 01 a309 414e4f4e594d4f5553"),
    ("array of sym8", "0053 40 c01c 01 e012 02 a3 05504c41494e 09414e4f4e594d4f5553"),
    ("array of sym32", "0053 40 c022 01 f0 0000001b 00000002 b3 00000005504c41494e 00000009414e4f4e594d4f5553"),
    ("list", "0053 40 c018 01 c013 02 a305504c41494e a309414e4f4e594d4f5553"),
  ])
  func mechanismsInEveryShape(_ shape: String, _ hex: String) throws {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    peer.send(.sasl10)
    peer.send(raw: framed(.sasl, fixedSize(octets(hex))))
    #expect(peer.end.takeLog() == [], "\(shape)")
    try peer.expect(.sasl10)
    let frame = try peer.expectFrame(Code.saslInit)
    #expect(frame.record?[0] == .symbol("ANONYMOUS"))
    #expect(frame.type == .sasl)
  }

  /// The size octet of the outermost list, made right.
  private func fixedSize(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    bytes[4] = UInt8(bytes.count - 5)
    return bytes
  }

  private func framed(_ type: FrameType, _ body: [UInt8]) -> [UInt8] {
    [0, 0, 0, UInt8(body.count + 8), 2, type.rawValue, 0, 0] + body
  }

  @Test(arguments: [
    (Value.list([]), "no mechanism"), (.array(ArrayValue(.symbol, [])), "no mechanism"),
    (Value(symbols: ["EXTERNAL", "GSSAPI"]), "EXTERNAL, GSSAPI"),
  ])
  func noMechanismInCommon(_ offer: Value, _ named: String) throws {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    peer.send(.sasl10)
    peer.send(Record(Code.saslMechanisms, [offer]), type: .sasl)
    #expect(
      peer.end.takeLog() == [
        "closed sasl local amqp:unauthorized-access (the peer offers \(named), we could use ANONYMOUS) "
          + "symbol(\"no-mechanism\")"
      ])
    try peer.expect(.sasl10)
    try peer.expectNothing()
    #expect(peer.end.outputIsEmpty)
  }

  @Test func oursIsTheOrderOfPreference() throws {
    var settings = ConnectionSettings(.initiator)
    (settings.user, settings.password) = ("guest", "secret")
    let peer = ScriptedPeer(settings)
    peer.send(.sasl10)
    peer.send(Record(Code.saslMechanisms, [Value(symbols: ["ANONYMOUS", "PLAIN"])]), type: .sasl)
    try peer.expect(.sasl10)
    let sent = try peer.expectFrame(Code.saslInit).record
    #expect(sent?[0] == .symbol("PLAIN"))
    #expect(sent?[1] == .binary([0] + text("guest") + [0] + text("secret")))
  }

  @Test(arguments: [
    (UInt8(1), "SASL outcome auth"), (2, "a system error of the peer"), (3, "a permanent system error of the peer"),
    (4, "a temporary system error of the peer"), (99, "outcome 99"),
  ])
  func refusedCredentials(_ code: UInt8, _ why: String) throws {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    peer.send(.sasl10)
    peer.send(Record(Code.saslMechanisms, [.symbol("ANONYMOUS")]), type: .sasl)
    // What comes behind a refusal is not read.
    peer.send(
      raw: ScriptedPeer.frame(Record(Code.saslOutcome, [.ubyte(code)]), type: .sasl) + ProtocolHeader.amqp10.bytes)
    peer.send(Open())
    // What may pass is no refusal.
    let condition = code == 4 ? "amqp:internal-error" : "amqp:unauthorized-access"
    #expect(peer.end.takeLog() == ["closed sasl peer \(condition) (\(why))"])
  }

  @Test func challengeThatNobodyCanAnswer() throws {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    peer.send(.sasl10)
    peer.send(Record(Code.saslMechanisms, [.symbol("ANONYMOUS")]), type: .sasl)
    peer.send(Record(Code.saslChallenge, [.binary([1])]), type: .sasl)
    #expect(
      peer.end.takeLog() == [
        "closed sasl local amqp:unauthorized-access (the peer asks for more than ANONYMOUS has) symbol(\"out-of-place\")"
      ])
  }

  /// PROTOCOL.md: never handle open before a successful outcome.
  @Test func openBeforeTheOutcomeIsNeverHandled() throws {
    for role in [ConnectionSettings.Role.initiator, .acceptor] {
      let peer = ScriptedPeer(ConnectionSettings(role))
      peer.send(.sasl10)
      if role == .initiator { peer.send(Record(Code.saslMechanisms, [.symbol("ANONYMOUS")]), type: .sasl) }
      peer.send(Open())
      #expect(
        peer.end.takeLog() == [
          "closed connection local amqp:connection:framing-error (an AMQP frame before SASL was over)"
        ])
    }
  }

  @Test func saslFrameAfterSASLWasOver() throws {
    let peer = ScriptedPeer(bare(.initiator))
    try peer.openUp()
    peer.send(Record(Code.saslOutcome, [.ubyte(0)]), type: .sasl)
    #expect(
      peer.end.takeLog() == [
        "opened", "closed connection local amqp:connection:framing-error (a SASL frame after SASL was over)",
      ])
    #expect(try peer.expect(CloseFrame.self).error?.condition == Condition.framingError)
  }

  @Test(arguments: [Code.saslInit, Code.saslResponse, Code.saslMechanisms])
  func saslFrameOutOfOrder(_ code: UInt64) throws {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    peer.send(.sasl10)
    peer.send(Record(Code.saslMechanisms, [.symbol("ANONYMOUS")]), type: .sasl)
    peer.send(Record(code, [code == Code.saslResponse ? .binary([]) : .symbol("PLAIN")]), type: .sasl)
    let log = peer.end.takeLog()
    #expect(log.count == 1 && log[0].hasPrefix("closed connection local amqp:illegal-state"), "\(log)")
  }

  @Test(arguments: [
    ("PLAIN", "\0u\0p", true), ("PLAIN", "x\0u\0p", true), ("PLAIN", "\0u\0wrong", false), ("PLAIN", "\0x\0p", false),
    ("PLAIN", "u\0p", false), ("PLAIN", "", false), ("ANONYMOUS", "me", false), ("EXTERNAL", "", false),
  ])
  func acceptorDemandsCredentials(_ mechanism: String, _ response: String, _ good: Bool) throws {
    var settings = ConnectionSettings(.acceptor)
    (settings.user, settings.password) = ("u", "p")
    let peer = ScriptedPeer(settings)
    peer.send(.sasl10)
    peer.send(Record(Code.saslInit, [.symbol(mechanism), .binary(text(response))]), type: .sasl)
    try peer.expect(.sasl10)
    #expect(try peer.expectFrame(Code.saslMechanisms).record?[0].symbols == ["PLAIN"])
    #expect(try peer.expectFrame(Code.saslOutcome).record?[0] == .ubyte(good ? 0 : 1))
    if good {
      try peer.dial()
      #expect(peer.end.takeLog() == ["opened"])
      #expect(peer.end.peer.user == "u")
    } else {
      #expect(
        peer.end.takeLog() == ["closed sasl local amqp:unauthorized-access (credentials of \(mechanism) refused)"])
      #expect(peer.end.outputIsEmpty)
    }
  }

  // MARK: Pipelining

  @Test func everythingLeavesTogetherWithSASLInit() throws {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    _ = peer.end.connection.attach(Attach(.sender, "a"))
    try peer.expect(.sasl10)
    try peer.expectNothing()
    peer.send(.sasl10)
    peer.send(Record(Code.saslMechanisms, [.symbol("ANONYMOUS")]), type: .sasl)
    _ = try peer.expectFrame(Code.saslInit)
    try peer.expect(.amqp10)
    try peer.expect(Open.self)
    try peer.expect(Begin.self)
    try peer.expect(Attach.self)
    try peer.expectNothing()
  }

  @Test func roundTrips() {
    let pair = Pair.willing()
    let link = pair.initiator.connection.attach(Attach(.sender, "a"))
    pair.run()
    // Mechanisms, then everything up to the attach with its credit.
    #expect(pair.turns == 2)
    #expect(pair.initiator.takeLog() == ["opened", "attached a"])
    #expect(pair.initiator.room(link) == 100)

    let plain = Pair.willing(bare(.initiator), bare(.acceptor))
    _ = plain.initiator.connection.attach(Attach(.sender, "a"))
    plain.run()
    #expect(plain.turns == 1)
    #expect(plain.initiator.takeLog() == ["opened", "attached a"])
  }

  // MARK: Open and close

  @Test func openAndCloseInOneWrite() throws {
    let peer = ScriptedPeer(bare(.initiator))
    _ = peer.end.connection.attach(Attach(.sender, "a"))
    let error = AMQPError("amqp:not-allowed", "no such vhost", info: .map([.init(.symbol("a"), .string("b"))]))
    peer.send(
      raw: ProtocolHeader.amqp10.bytes + ScriptedPeer.frame(Open().record)
        + ScriptedPeer.frame(CloseFrame(error).record))
    let log = peer.end.takeLog()
    #expect(log.count == 2 && log[0] == "opened")
    #expect(log[1].hasPrefix("closed connection peer amqp:not-allowed (no such vhost) map("))
    try peer.expect(.amqp10)
    try peer.expect(Open.self)
    // No begin and no attach for a peer that is gone.
    #expect(try peer.expect(CloseFrame.self).error == nil)
    try peer.expectNothing()
  }

  @Test func closeWithoutOpen() throws {
    let peer = ScriptedPeer(bare(.initiator))
    peer.send(.amqp10)
    peer.send(CloseFrame(AMQPError("amqp:connection:forced", "full")))
    #expect(peer.end.takeLog() == ["closed connection peer amqp:connection:forced (full)"])
  }

  @Test(arguments: [
    nil, AMQPError("amqp:connection:redirect", "there", info: .map([.init(.symbol("port"), .uint(1))])),
  ])
  func closeFromEitherSide(_ error: AMQPError?) {
    for byInitiator in [true, false] {
      let pair = Pair.willing()
      _ = pair.initiator.connection.attach(Attach(.sender, "a"))
      pair.run()
      let (one, other) = byInitiator ? (pair.initiator, pair.acceptor) : (pair.acceptor, pair.initiator)
      _ = (one.takeLog(), other.takeLog())
      one.connection.close(error)
      pair.run()
      let what =
        error == nil
        ? ""
        : " amqp:connection:redirect (there) map([Wire.MapEntry(key: Wire.Value.symbol(\"port\"), value: Wire.Value.uint(1))])"
      #expect(one.takeLog() == ["closed connection local\(what)"])
      #expect(other.takeLog() == ["closed connection peer\(what)"])
      #expect(one.isOver && other.isOver && one.outputIsEmpty && other.outputIsEmpty)
    }
  }

  @Test func bothCloseAtOnce() {
    let pair = Pair.willing()
    pair.run()
    _ = (pair.initiator.takeLog(), pair.acceptor.takeLog())
    pair.initiator.connection.close()
    pair.acceptor.connection.close()
    let (there, back) = (pair.initiator.output(now: 0), pair.acceptor.output(now: 0))
    pair.initiator.receive(back, now: 0)
    pair.acceptor.receive(there, now: 0)
    #expect(pair.initiator.takeLog() == ["closed connection local"])
    #expect(pair.acceptor.takeLog() == ["closed connection local"])
  }

  @Test func secondOpen() throws {
    let peer = ScriptedPeer(bare(.initiator))
    try peer.openUp()
    peer.send(Open())
    #expect(peer.end.takeLog() == ["opened", "closed connection local amqp:illegal-state (a second open)"])
    #expect(try peer.expect(CloseFrame.self).error?.condition == Condition.illegalState)
  }

  @Test func framesTooSmallToWorkWith() throws {
    let peer = ScriptedPeer(bare(.initiator))
    var open = Open()
    open.maxFrameSize = 511
    try peer.openUp(open: open)
    #expect(
      peer.end.takeLog() == ["closed connection local amqp:invalid-field (max-frame-size 511 is below 512)"])
    #expect(try peer.expect(CloseFrame.self).error?.condition == Condition.invalidField)
  }

  @Test func openCarriesWhatWasSet() throws {
    var settings = bare(.initiator)
    (settings.containerID, settings.hostname, settings.idleTimeOut) = ("me", "vhost:x", 8_000)
    (settings.channelMax, settings.limits.frameSize) = (7, 4_096)
    settings.properties = .map([.init(.symbol("product"), .string("amqp"))])
    (settings.desiredCapabilities, settings.offeredCapabilities) = (["ANONYMOUS-RELAY"], ["x"])
    let peer = ScriptedPeer(settings)
    try peer.expect(.amqp10)
    let open = try peer.expect(Open.self)
    #expect(open.containerID == "me" && open.hostname == "vhost:x" && open.idleTimeOut == 8_000)
    #expect(open.channelMax == 7 && open.maxFrameSize == 4_096)
    #expect(open.properties["product"] == .string("amqp"))
    #expect(open.desiredCapabilities == ["ANONYMOUS-RELAY"] && open.offeredCapabilities == ["x"])
  }

  @Test func whatThePeerSaysOfItself() throws {
    let peer = ScriptedPeer(bare(.initiator))
    var open = Open()
    (open.containerID, open.maxFrameSize, open.idleTimeOut) = ("broker", .max, 8_000)
    open.properties = .map([.init(.symbol("product"), .string("RabbitMQ")), .init(.symbol("version"), .string("4.0"))])
    try peer.openUp(open: open)
    #expect(peer.end.peer.open == open)
    #expect(peer.end.peer.product == "RabbitMQ" && peer.end.peer.version == "4.0")
  }
}
