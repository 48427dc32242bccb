/// Logging in by more than one step, in both dialects and both roles: SCRAM with the examples of RFC 5802 and RFC 7677,
/// EXTERNAL, XOAUTH2, RABBIT-CR-DEMO; and which mechanism is chosen.
import Engine
import Runtime
import Support
import Testing
import Wire

@Suite struct LoginTests {
  /// The system's library, except that nonces and salts are known.
  private func cryptography(_ nonce: String) -> SASLCryptography {
    let octets = Array(nonce.utf8)
    let known = bytes(base64: octets)
    return SASLCryptography(
      digest: SASLCryptography.system.digest, mac: SASLCryptography.system.mac, derive: SASLCryptography.system.derive,
      random: { _ in known })
  }

  private func bytes(base64 text: [UInt8]) -> [UInt8] {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    for start in stride(from: 0, to: text.count, by: 4) {
      let word = text[start..<start + 4].reduce(0) { $0 << 6 | letters.firstIndex(of: $1)! }
      out += [UInt8(word >> 16), UInt8(word >> 8 & 255), UInt8(word & 255)]
    }
    return out
  }

  struct Example: Sendable, CustomTestStringConvertible {
    let mechanism: SASLMechanism
    let nonce: String
    let first: String
    let challenge: String
    let final: String
    let signature: String
    var testDescription: String { mechanism.rawValue }
  }

  static let examples = [
    Example(
      mechanism: .scramSHA1, nonce: "fyko+d2lbbFgONRv9qkxdawL", first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
      challenge: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
      signature: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="),
    Example(
      mechanism: .scramSHA256, nonce: "rOprNGfwEbeRWgbNEkqO", first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
      challenge: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      final:
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      signature: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
  ]

  private func settings(_ example: Example, user: String = "user") -> ConnectionSettings {
    var settings = ConnectionSettings(.initiator)
    (settings.user, settings.password) = (user, "pencil")
    settings.cryptography = cryptography(example.nonce)
    return settings
  }

  /// A scripted server that has said its challenge; what the client has answered is checked.
  private func challenged(_ example: Example) throws -> ScriptedPeer {
    let peer = ScriptedPeer(settings(example))
    peer.send(.sasl10)
    offer(peer, [example.mechanism.rawValue, "PLAIN"])
    try peer.expect(.sasl10)
    let sent = try peer.expectFrame(Code.saslInit).record
    #expect(sent?[0] == .symbol(example.mechanism.rawValue) && sent?[1] == .binary(text(example.first)))
    // Nothing goes along: it is not known yet whom we speak with.
    try peer.expectNothing()
    challenge(peer, example.challenge)
    #expect(try peer.expectFrame(Code.saslResponse).record?[0] == .binary(text(example.final)))
    return peer
  }

  private func offer(_ peer: ScriptedPeer, _ names: [String]) {
    peer.send(Record(Code.saslMechanisms, [Value(symbols: names)]), type: .sasl)
  }

  private func challenge(_ peer: ScriptedPeer, _ words: String) {
    peer.send(Record(Code.saslChallenge, [.binary(text(words))]), type: .sasl)
  }

  private func outcome(_ peer: ScriptedPeer, _ code: UInt8, _ data: String? = nil) {
    peer.send(
      Record(Code.saslOutcome, [.ubyte(code), data.map { .binary(text($0)) } ?? .null]), type: .sasl)
  }

  // MARK: SCRAM, 1.0

  @Test(arguments: LoginTests.examples) func signatureInTheOutcome(_ example: Example) throws {
    let peer = try challenged(example)
    outcome(peer, 0, example.signature)
    peer.send(.amqp10)
    try peer.expect(.amqp10)
    try peer.expect(Open.self)
    peer.send(Open())
    #expect(peer.end.takeLog() == ["opened"])
  }

  @Test(arguments: LoginTests.examples) func signatureInAChallenge(_ example: Example) throws {
    let peer = try challenged(example)
    challenge(peer, example.signature)
    #expect(try peer.expectFrame(Code.saslResponse).record?[0] == .binary([]))
    outcome(peer, 0)
    try peer.expect(.amqp10)
    #expect(peer.end.takeLog() == [])
  }

  private static let unproven = "the peer does not prove that it knows the password"

  @Test(arguments: [
    nil, "", "v=AAAAv3Bz2T0CJGbJQyF0X+HI4Ts=", "v=rmF9pqV8S7suAoZWja4dJRkFsK==", "x=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  ])
  func aServerThatProvesNothing(_ data: String?) throws {
    let peer = try challenged(LoginTests.examples[0])
    outcome(peer, 0, data)
    #expect(
      peer.end.takeLog() == ["closed sasl local amqp:unauthorized-access (\(LoginTests.unproven)) symbol(\"unproven\")"]
    )
    try peer.expectNothing()
  }

  @Test(arguments: [
    // Of its own making, cut short, without salt, with an extension that must be understood.
    ("r=other,s=QSXCR+Q6sek8bf92,i=4096", "unproven"),
    ("r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096", "unproven"),
    ("r=fyko+d2lbbFgONRv9qkxdawL3,s=,i=4096", "out-of-place"), ("r=fyko+d2lbbFgONRv9qkxdawL3,i=4096", "out-of-place"),
    ("m=x,r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXCR+Q6sek8bf92,i=4096", "out-of-place"), ("", "out-of-place"),
    ("r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXCR+Q6sek8bf92,i=1", "bad-cost"),
    ("r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXCR+Q6sek8bf92,i=4000000000", "bad-cost"),
    ("r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXCR+Q6sek8bf92,i=-1", "bad-cost"),
  ])
  func badChallenges(_ words: String, _ kind: String) throws {
    let peer = ScriptedPeer(settings(LoginTests.examples[0]))
    peer.send(.sasl10)
    offer(peer, ["SCRAM-SHA-1"])
    try peer.expect(.sasl10)
    _ = try peer.expectFrame(Code.saslInit)
    challenge(peer, words)
    let log = peer.end.takeLog()
    #expect(
      log.count == 1 && log[0].hasPrefix("closed sasl local ") && log[0].hasSuffix("symbol(\"\(kind)\")"), "\(log)")
    try peer.expectNothing()
  }

  @Test func theServerRefusesTheProof() throws {
    let peer = try challenged(LoginTests.examples[0])
    challenge(peer, "e=invalid-proof")
    #expect(peer.end.takeLog()[0].contains("the peer refuses the proof: invalid-proof"))
    let other = try challenged(LoginTests.examples[0])
    outcome(other, 1)
    #expect(other.end.takeLog() == ["closed sasl peer amqp:unauthorized-access (SASL outcome auth)"])
  }

  @Test func commaAndEqualsInANameAreEscaped() throws {
    let peer = ScriptedPeer(settings(LoginTests.examples[0], user: "a=b,c"))
    peer.send(.sasl10)
    offer(peer, ["SCRAM-SHA-1"])
    try peer.expect(.sasl10)
    let response = try peer.expectFrame(Code.saslInit).record?[1]
    #expect(response == .binary(text("n,,n=a=3Db=2Cc,r=fyko+d2lbbFgONRv9qkxdawL")))
  }

  // MARK: SCRAM, 0-9-1

  private func challenged091(_ example: Example) throws -> ScriptedPeer091 {
    var settings = settings(example)
    settings.protocols = .amqp091
    let peer = ScriptedPeer091(settings)
    try peer.expect(.amqp091)
    peer.start(mechanisms: "PLAIN \(example.mechanism.rawValue)")
    let m = try peer.expect(MethodID.connectionStartOK, channel: 0)
    #expect(m.text("mechanism") == example.mechanism.rawValue && m.text("response") == example.first)
    peer.send(MethodID.connectionSecure, ["challenge": .string(example.challenge)], channel: 0)
    #expect(try peer.expect(MethodID.connectionSecureOK, channel: 0).text("response") == example.final)
    return peer
  }

  @Test(arguments: LoginTests.examples) func secureAndSecureOK(_ example: Example) throws {
    let peer = try challenged091(example)
    peer.send(MethodID.connectionSecure, ["challenge": .string(example.signature)], channel: 0)
    #expect(try peer.expect(MethodID.connectionSecureOK, channel: 0).octets("response") == [])
    peer.tune()
    #expect(peer.end.takeLog() == ["opened"])
  }

  @Test func tuneWithoutProof() throws {
    let peer = try challenged091(LoginTests.examples[0])
    peer.tune()
    #expect(
      peer.end.takeLog() == ["closed sasl local amqp:unauthorized-access (\(LoginTests.unproven)) symbol(\"unproven\")"]
    )
    try peer.expectNothing()
  }

  // MARK: Both of our ends

  private func acceptor(_ mechanisms: [SASLMechanism]? = nil) -> ConnectionSettings {
    var settings = ConnectionSettings(.acceptor)
    settings.protocols = [.amqp10, .amqp091]
    (settings.user, settings.password) = ("me", "hunter2")
    settings.cryptography = .system
    if let mechanisms { (settings.mechanisms, settings.mechanismsAreChosen) = (mechanisms, true) }
    return settings
  }

  private func initiator(
    _ dialect: ConnectionSettings.Protocols, user: String = "me", password: String? = "hunter2",
    _ mechanisms: [SASLMechanism]? = nil
  ) -> ConnectionSettings {
    var settings = ConnectionSettings(.initiator)
    settings.protocols = dialect
    (settings.user, settings.password) = (user, password)
    settings.cryptography = .system
    if let mechanisms { (settings.mechanisms, settings.mechanismsAreChosen) = (mechanisms, true) }
    return settings
  }

  static let dialects = [ConnectionSettings.Protocols.amqp10, .amqp091]

  @Test(arguments: LoginTests.dialects, [SASLMechanism.scramSHA1, .scramSHA256, .scramSHA512, .plain])
  func thereAndBack(_ dialect: ConnectionSettings.Protocols, _ mechanism: SASLMechanism) {
    let pair = Pair.willing(initiator(dialect), acceptor([mechanism]))
    pair.chunk = 7
    pair.run()
    #expect(pair.initiator.takeLog() == ["opened"] && pair.acceptor.takeLog() == ["opened"])
    #expect(pair.initiator.peer.mechanism == mechanism.rawValue && pair.acceptor.peer.user == "me")
    for (user, password) in [("me", "hunter3"), ("you", "hunter2"), ("", "")] {
      let refused = Pair.willing(initiator(dialect, user: user, password: password), acceptor([mechanism]))
      refused.run()
      let log = (refused.initiator.takeLog(), refused.acceptor.takeLog())
      #expect(log.0.count == 1 && log.0[0].hasPrefix("closed sasl peer"), "\(log.0)")
      #expect(log.1.count == 1 && log.1[0].contains("credentials of \(mechanism.rawValue) refused"), "\(log.1)")
    }
  }

  /// Without being told, the two ends use the strongest that both have.
  @Test(arguments: LoginTests.dialects) func theStrongestIsUsed(_ dialect: ConnectionSettings.Protocols) {
    let pair = Pair.willing(initiator(dialect), acceptor())
    pair.run()
    #expect(pair.initiator.peer.mechanism == "SCRAM-SHA-256")
    let plain = Pair.willing(initiator(dialect, [.plain]), acceptor())
    plain.run()
    #expect(plain.initiator.peer.mechanism == "PLAIN" && plain.acceptor.takeLog() == ["opened"])
  }

  @Test(arguments: LoginTests.dialects) func external(_ dialect: ConnectionSettings.Protocols) {
    var settings = ConnectionSettings(.initiator)
    settings.protocols = dialect
    settings.hasCertificate = true
    var listening = ConnectionSettings(.acceptor)
    listening.protocols = [.amqp10, .amqp091]
    let pair = Pair.willing(settings, listening)
    pair.acceptor.connection.identify("CN=client")
    pair.run()
    #expect(pair.initiator.peer.mechanism == "EXTERNAL" && pair.acceptor.peer.user == "CN=client")
    #expect(pair.acceptor.takeLog() == ["opened"])
    // Nobody may act as somebody else.
    (settings.user, settings.mechanisms, settings.mechanismsAreChosen) = ("CN=other", [.external], true)
    let other = Pair.willing(settings, listening)
    other.acceptor.connection.identify("CN=client")
    other.run()
    #expect(other.acceptor.takeLog()[0].contains("credentials of EXTERNAL refused"))
    // Without a certificate it is not even offered.
    let bare = Pair.willing(settings, listening)
    bare.run()
    #expect(bare.initiator.takeLog()[0].contains("we could use EXTERNAL"))
  }

  /// A demanded password can't be got around by a certificate.
  @Test func externalIsNotOfferedWhereAPasswordIsDemanded() {
    var settings = ConnectionSettings(.initiator)
    (settings.mechanisms, settings.mechanismsAreChosen, settings.hasCertificate) = ([.external], true, true)
    let pair = Pair.willing(settings, acceptor())
    pair.acceptor.connection.identify("CN=client")
    pair.run()
    #expect(pair.initiator.takeLog()[0].contains("the peer offers SCRAM-SHA-256, PLAIN, we could use EXTERNAL"))
  }

  // MARK: Tokens

  private func withToken(_ dialect: ConnectionSettings.Protocols) -> ConnectionSettings {
    var settings = initiator(dialect, user: "me", password: nil)
    settings.token = "abc.def"
    return settings
  }

  @Test func xoauth2AndItsError() throws {
    let peer = ScriptedPeer(withToken(.amqp10))
    peer.send(.sasl10)
    offer(peer, ["PLAIN", "SCRAM-SHA-256", "XOAUTH2"])
    try peer.expect(.sasl10)
    let sent = try peer.expectFrame(Code.saslInit).record
    #expect(sent?[0] == .symbol("XOAUTH2"))
    #expect(sent?[1] == .binary(text("user=me\u{1}auth=Bearer abc.def\u{1}\u{1}")))
    challenge(peer, #"{"status":"401"}"#)
    #expect(try peer.expectFrame(Code.saslResponse).record?[0] == .binary([]))
    outcome(peer, 1)
    #expect(
      peer.end.takeLog() == [
        #"closed sasl peer amqp:unauthorized-access (SASL outcome auth, {"status":"401"})"#
      ])
  }

  @Test func aTokenIsThePasswordOfPlain() throws {
    let peer = ScriptedPeer091(withToken(.amqp091))
    try peer.expect(.amqp091)
    peer.start(mechanisms: "SCRAM-SHA-256 PLAIN AMQPLAIN ANONYMOUS")
    let m = try peer.expect(MethodID.connectionStartOK, channel: 0)
    #expect(m.text("mechanism") == "PLAIN" && m.octets("response") == [0] + text("me") + [0] + text("abc.def"))
  }

  // MARK: Others

  @Test func crDemoOnlyByName() throws {
    let peer = ScriptedPeer091(initiator(.amqp091))
    peer.start(mechanisms: "RABBIT-CR-DEMO")
    #expect(peer.end.takeLog()[0].contains("the peer offers RABBIT-CR-DEMO, we could use SCRAM-SHA-512,"))
    let other = ScriptedPeer091(initiator(.amqp091, [.crDemo]))
    try other.expect(.amqp091)
    other.start(mechanisms: "PLAIN RABBIT-CR-DEMO")
    #expect(try other.expect(MethodID.connectionStartOK, channel: 0).text("response") == "me")
    other.send(MethodID.connectionSecure, ["challenge": .string("Please tell me your password")], channel: 0)
    let answer = try other.expect(MethodID.connectionSecureOK, channel: 0).text("response")
    #expect(answer == "My password is hunter2")
    other.send(MethodID.connectionSecure, ["challenge": .string("And again")], channel: 0)
    #expect(other.end.takeLog()[0].contains("the peer asks for more than RABBIT-CR-DEMO has"))
  }

  /// What was not asked for by name is not used, whatever else is offered.
  @Test(arguments: LoginTests.dialects) func aListIsAllThereIs(_ dialect: ConnectionSettings.Protocols) {
    let pair = Pair.willing(initiator(dialect, [.scramSHA512]), acceptor())
    pair.run()
    #expect(
      pair.initiator.takeLog() == [
        "closed sasl local amqp:unauthorized-access (the peer offers SCRAM-SHA-256, PLAIN, we could use SCRAM-SHA-512) "
          + "symbol(\"no-mechanism\")"
      ])
  }

  @Test func responsesOutOfPlace() throws {
    let peer = ScriptedPeer(acceptor())
    peer.send(.sasl10)
    peer.send(Record(Code.saslResponse, [.binary([])]), type: .sasl)
    #expect(peer.end.takeLog()[0].hasPrefix("closed connection local amqp:illegal-state"))
    for junk in ["", "n,,", "n,,n=me", "p=tls-unique,,n=me,r=x", "n,a=you,n=me,r=x", "\0me\0hunter2"] {
      let peer = ScriptedPeer(acceptor())
      peer.send(.sasl10)
      peer.send(Record(Code.saslInit, [.symbol("SCRAM-SHA-256"), .binary(text(junk))]), type: .sasl)
      #expect(peer.end.takeLog()[0].contains("credentials of SCRAM-SHA-256 refused"), "\(junk)")
    }
  }

  @Test func aNewSecretIsTaken() throws {
    let pair = Pair.willing(initiator(.amqp091), acceptor())
    pair.run()
    pair.acceptor.receive(
      ScriptedPeer091.frame(MethodID.connectionUpdateSecret, ["new-secret": .string("x")], channel: 0), now: 0)
    #expect(pair.acceptor.output(now: 0) == ScriptedPeer091.frame(MethodID.connectionUpdateSecretOK, channel: 0))
  }
}
