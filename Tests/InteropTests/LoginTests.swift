// Logging in at other people's ends: RabbitMQ by certificate, table, challenge and token, at
// Cyrus SASL's SCRAM, and at a peer of Proton's that does about tokens what Azure does.
import Foundation
import Support
import Testing

@Suite(.serialized) struct LoginTests {
  struct Way: Sendable, CustomTestStringConvertible {
    let broker: Broker
    let dialect: String
    var testDescription: String { "\(broker.node) \(dialect)" }
    static let all = Broker.all.flatMap { broker in ["1.0", "0-9-1"].map { Way(broker: broker, dialect: $0) } }
  }

  private func run(
    _ arguments: [String], url: String, environment: [String: String] = [:]
  ) throws -> Finished {
    var environment = environment
    environment["AMQP_URL"] = url
    return try Program(Amqp.path, arguments, environment: environment, seconds: 30).finish()
  }

  private func url(_ way: Way, user: String = "", path: String = "") throws -> String {
    try way.broker.url.replacingOccurrences(of: "guest:guest@", with: user.isEmpty ? "" : user + "@") + path
  }

  // MARK: RabbitMQ

  @Test(.needs(.logins), arguments: Way.all) func theMechanismsOfRabbitMQ(_ way: Way) throws {
    let queue = try way.broker.queue()
    // Over 1.0 RabbitMQ's reader dies of the answer to a challenge.
    let mechanisms = ["PLAIN", "AMQPLAIN"] + (way.dialect == "1.0" ? [] : ["RABBIT-CR-DEMO"])
    for mechanism in mechanisms {
      let sent = try run(
        ["send", queue.name, "hello", "-v", "--protocol", way.dialect, "--sasl", mechanism],
        url: try url(way, user: "guest:guest"))
      #expect(sent.status == 0 && sent.errors.contains("SASL \(mechanism),"), "\(mechanism): \(sent.errors)")
      let capture = "/tmp/amqp-interop-\(UUID().uuidString).pcapng"
      defer { unlink(capture) }
      let wrong = try run(
        [
          "send", queue.name, "hello", "--protocol", way.dialect, "--sasl", mechanism, "--trace=hex", "--capture",
          capture,
        ], url: try url(way, user: "guest:hunter2"))
      #expect(wrong.status == 77, "\(mechanism): \(wrong.errors)")
      // What was wrong is nobody's to read for all that, in octets as little as in words.
      let kept = try Data(contentsOf: URL(fileURLWithPath: capture))
      #expect(kept.count > 500 && kept.range(of: Data("hunter2".utf8)) == nil, "\(mechanism)")
      #expect(!wrong.errors.contains("hunter2") && !wrong.errors.contains("68 75 6e 74"), "\(wrong.errors)")
      #expect(wrong.errors.contains("refused the credentials of 'guest': "), "\(mechanism): \(wrong.errors)")
    }
    try queue.expectDepth(mechanisms.count)
  }

  @Test(.needs(.logins), arguments: Way.all) func aCertificateIsALogin(_ way: Way) throws {
    let queue = try way.broker.queue()
    let tls = try way.broker.isRabbitMQ4 ? RealPeer.rabbitMQ4TLS.value : RealPeer.rabbitMQ3TLS.value
    let bare = tls.replacingOccurrences(of: "guest:guest@", with: "")
    let certificates = try RealPeer.certificates.value
    let arguments = [
      "send", queue.name, "hello", "-v", "--protocol", way.dialect, "--cacert", "\(certificates)/ca.pem", "--cert",
      "\(certificates)/client.pem", "--key", "\(certificates)/client.key",
    ]
    _ = try? way.broker.control("delete_user", "client")
    let unknown = try run(arguments, url: bare)
    #expect(unknown.status == 77, "\(unknown.errors)")
    #expect(unknown.errors.contains("refused the certificate as a login: "), "\(unknown.errors)")
    try way.broker.control("add_user", "client", "unused")
    try way.broker.control("set_permissions", "-p", "/", "client", ".*", ".*", ".*")
    let sent = try run(arguments, url: bare)
    #expect(sent.status == 0 && sent.errors.contains("SASL EXTERNAL,"), "\(sent.errors)")
    // Who names a user means that one.
    let named = try run(arguments, url: tls)
    #expect(named.status == 0 && named.errors.contains("SASL PLAIN,"), "\(named.errors)")
    try queue.expectDepth(2)
    try way.broker.control("delete_user", "client")
  }

  /// A token signed as the brokers' configuration has it; it is good for so many seconds.
  private func token(_ seconds: Int, scope: String = "configure:*/*") throws -> String {
    func text(_ octets: some DataProtocol) -> String {
      Data(octets).base64EncodedString().replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
    let expiry = Int(Date().timeIntervalSince1970) + seconds
    let head = text(Array(#"{"alg":"RS256","typ":"JWT","kid":"test"}"#.utf8))
    let scopes = ["read:*/*", "write:*/*", scope].map { "\"rabbitmq.\($0)\"" }.joined(separator: ",")
    let claims = text(Array(#"{"aud":["rabbitmq"],"sub":"me","exp":\#(expiry),"scope":[\#(scopes)]}"#.utf8))
    let signed = try Program(
      "openssl", ["dgst", "-sha256", "-sign", try RealPeer.logins.value],
      input: .octets(Array("\(head).\(claims)".utf8))
    ).finish()
    return "\(head).\(claims).\(text(signed.output))"
  }

  @Test(.needs(.logins), arguments: Way.all) func tokens(_ way: Way) throws {
    let queue = try way.broker.queue()
    let good = try token(60)
    // 3.10 takes the token, and then dies of it when a session begins over 1.0.
    let isAble = way.broker.isRabbitMQ4 || way.dialect == "0-9-1"
    let sent = try run(
      ["send", queue.name, "hello", "-v", "--trace", "--protocol", way.dialect], url: try url(way),
      environment: ["AMQP_TOKEN": good])
    #expect((sent.status == 0) == isAble && sent.errors.contains("SASL PLAIN,"), "\(sent.errors)")
    #expect(!sent.errors.contains(good.prefix(40)), "a token in what -v and --trace show")
    if isAble { try queue.expectDepth(1) }
    let old = try run(
      ["send", queue.name, "hello", "--protocol", way.dialect], url: try url(way),
      environment: ["AMQP_TOKEN": try token(-60)])
    #expect(old.status == 77, "\(old.errors)")
    #expect(old.errors.contains("refused the token: the token expired on "), "\(old.errors)")
    let foreign = try run(
      ["send", queue.name, "hello", "--protocol", way.dialect], url: try url(way),
      environment: ["AMQP_TOKEN": String(good.dropLast(6)) + "AAAAAA"])
    #expect(foreign.status == 77 && foreign.errors.contains("is it meant for this peer"), "\(foreign.errors)")
  }

  // MARK: Virtual hosts and permissions

  @Test(.needs(.logins), arguments: Way.all) func aMissingVirtualHost(_ way: Way) throws {
    let run = try run(
      ["send", "q", "hello", "--protocol", way.dialect], url: try url(way, user: "guest:guest", path: "/nowhere"))
    #expect([67, 69, 77].contains(run.status), "\(run.errors)")
    #expect(run.errors.contains("nowhere"), "\(run.errors)")
  }

  @Test(.needs(.logins), arguments: Way.all) func aUserWithoutPermission(_ way: Way) throws {
    let queue = try way.broker.queue()
    let name = "nobody-\(way.dialect)"
    _ = try? way.broker.control("delete_user", name)
    try way.broker.control("add_user", name, "secret")
    let url = try url(way, user: "\(name):secret")
    let none = try run(["send", queue.name, "hello", "--protocol", way.dialect], url: url)
    // RabbitMQ 4 hangs up over 1.0 without a word.
    #expect([69, 77].contains(none.status), "\(none.errors)")
    #expect(none.errors.contains("rabbitmqctl set_permissions"), "\(none.errors)")
    let probed = try run(["probe", "--protocol", way.dialect], url: url)
    #expect(probed.status == none.status, "\(probed.errors)")
    #expect(probed.errors.contains("rabbitmqctl set_permissions"), "\(probed.errors)")
    try way.broker.control("set_permissions", "-p", "/", name, "^$", "^$", "^$")
    let less = try run(["send", queue.name, "hello", "--protocol", way.dialect], url: url)
    #expect(less.status == 77, "\(less.errors)")
    #expect(less.errors.contains("not permitted ("), "\(less.errors)")
    try way.broker.control("delete_user", name)
  }

  /// A second port of the broker, which is not on the loopback.
  @Test(.needs(.logins), arguments: Way.all) func guestFromElsewhere(_ way: Way) throws {
    let addresses = try Program("hostname", ["-I"]).finish().text.split(separator: " ")
    guard let address = addresses.first(where: { $0.contains(".") && !$0.hasPrefix("127.") }) else { return }
    let port = way.broker.isRabbitMQ4 ? 25_689 : 25_679
    let place = "{\"\(address)\", \(port)}"
    try way.broker.control("eval", "rabbit_networking:start_tcp_listener(\(place), 2).")
    defer { _ = try? way.broker.control("eval", "rabbit_networking:stop_tcp_listener(\(place)).") }
    // 3.10 lets nobody in over 1.0 from anywhere.
    let users = way.broker.isRabbitMQ4 || way.dialect == "0-9-1" ? ["guest:guest@", ""] : ["guest:guest@"]
    for user in users {
      let refused = try run(
        ["send", "q", "hello", "--protocol", way.dialect], url: "amqp://\(user)\(address):\(port)")
      #expect(refused.status == 77 || refused.status == 69, "\(refused.errors)")
      #expect(refused.errors.contains("lets 'guest' in from its own machine only"), "\(refused.errors)")
    }
    let probed = try run(["probe", "--protocol", way.dialect], url: "amqp://guest:guest@\(address):\(port)")
    #expect(probed.status == 77 || probed.status == 69, "\(probed.errors)")
    #expect(probed.errors.contains("lets 'guest' in from its own machine only"), "\(probed.errors)")
  }

  // MARK: Cyrus SASL

  /// A port whose SASL is Cyrus SASL's, in front of Proton's `direct`; its one user is `me`.
  private func gate(_ mechanism: String, _ more: [String]) throws -> (gate: Program, server: Program, port: String) {
    let folder = "/tmp/amqp-sasl-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let configuration = """
      pwcheck_method: auxprop
      auxprop_plugin: sasldb
      sasldb_path: \(folder)/users
      mech_list: \(mechanism)

      """
    try configuration.write(toFile: "\(folder)/amqp.conf", atomically: true, encoding: .utf8)
    let host = try Program("hostname", []).finish().text.trimmingCharacters(in: .whitespacesAndNewlines)
    let made = try Program(
      "saslpasswd2", ["-p", "-c", "-f", "\(folder)/users", "-u", host, "me"],
      input: .octets(Array("hunter2".utf8))
    ).finish()
    #expect(made.status == 0, "\(made.errors)")
    let server = try Program(
      try RealPeer.proton.value + "/direct", ["127.0.0.1", "0", "examples", "1"], seconds: 20)
    let target = try server.rest(after: "listening on ")
    let port = String(Int.random(in: 20_000..<25_000))
    let gate = try Program(
      try RealPeer.protonPython.value, ["\(Broker.scripts)/cyrus.py", port, target, mechanism] + more,
      environment: ["SASL_CONF_PATH": folder], seconds: 20)
    try gate.until("listening") { !$0.outputSoFar.isEmpty }
    return (gate, server, port)
  }

  /// The server's signature comes in the outcome, or in a challenge of its own.
  @Test(
    .needs(.proton, .protonPython, .cyrus), arguments: ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"],
    [[], ["data"]])
  func cyrus(_ mechanism: String, _ form: [String]) throws {
    let (first, server, port) = try gate(mechanism, form)
    let sent = try run(["send", "examples", "hello", "-v"], url: "amqp://me:hunter2@127.0.0.1:\(port)")
    #expect(sent.status == 0 && sent.errors.contains("SASL \(mechanism),"), "\(sent.errors)")
    _ = try server.finish()
    #expect(try first.finish().text.contains("let in me"))
    let (other, idle, place) = try gate(mechanism, form)
    let wrong = try run(["send", "examples", "hello"], url: "amqp://me:wrong@127.0.0.1:\(place)")
    #expect(wrong.status == 77 && wrong.errors.contains("refused the credentials of 'me'"), "\(wrong.errors)")
    #expect(try other.finish().errors.contains("refused: "))
    idle.signal(SIGTERM)
    _ = try? idle.finish()
  }

  // MARK: Azure

  private func azure(_ more: String...) throws -> (program: Program, port: String) {
    let port = String(Int.random(in: 20_000..<25_000))
    let script = "\(Broker.scripts)/azure.py"
    let program = try Program(
      try RealPeer.protonPython.value, [script, port, "sender", "c2VjcmV0"] + more, seconds: 20)
    try program.until("listening") { $0.outputSoFar.count > 0 }
    return (program, port)
  }

  @Test(.needs(.protonPython), arguments: ["status-code", "statusCode"])
  func tokensOfAzure(_ key: String) throws {
    let (server, port) = try azure(key)
    defer { server.signal(SIGTERM) }
    let url = "amqp://127.0.0.1:\(port)"
    let environment = ["AMQP_SAS_KEY": "c2VjcmV0"]
    let sent = try run(
      ["send", "--sas-key-name", "sender", "orders/a b", "hello", "--trace"], url: url, environment: environment)
    #expect(sent.status == 0, "\(sent.errors)")
    #expect(!sent.errors.contains("sig="), "a signature in the trace")
    let received = try run(
      ["receive", "--sas-key-name", "sender", "orders/a b", "-c", "1"], url: url, environment: environment)
    #expect(received.status == 0 && received.text == "hello\n", "\(received.errors)")
    let none = try run(["send", "other", "hello"], url: url)
    #expect(none.status == 77 && none.errors.contains("claim(s) are required"), "\(none.errors)")
  }

  @Test(
    .needs(.protonPython),
    arguments: [
      ("sender", "d3Jvbmc=", "orders", "401 InvalidSignature: The token has an invalid signature.", Int32(77)),
      ("other", "c2VjcmV0", "orders", "401 UnknownPolicy", 77),
      ("sender", "c2VjcmV0", "missing", "404 The messaging entity could not be found.", 67),
    ])
  func refusalsOfAzure(_ policy: String, _ key: String, _ address: String, _ words: String, _ status: Int32) throws {
    let (server, port) = try azure()
    defer { server.signal(SIGTERM) }
    let sent = try run(
      ["send", "--sas-key-name", policy, address, "hello"], url: "amqp://127.0.0.1:\(port)",
      environment: ["AMQP_SAS_KEY": key])
    #expect(sent.status == status, "\(sent.errors)")
    #expect(sent.errors.contains("refused the token for '\(address)': \(words)"), "\(sent.errors)")
  }
}
