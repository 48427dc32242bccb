// TLS with other people's ends: openssl's own client and server, and RabbitMQ, which brings an implementation of its own.
import Foundation
import Support
import Testing

@Suite struct TLSTests {
  private static let saslHeader = Array("AMQP".utf8) + [3, 1, 0, 0]

  private func openssl(_ arguments: [String], input: Program.Input = .nothing) throws -> Program {
    try Program("openssl", arguments, input: input, seconds: 20)
  }

  // MARK: openssl s_client at our listener

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func opensslAsClient(version: String) throws {
    let (ours, port) = try Amqp.listen(
      "receive", "-c", "1", "--cert", try Certificates.path("chain.pem"), "--key", try Certificates.path("below.key"))
    let client = try openssl(
      [
        "s_client", "-connect", "localhost:\(port)", version, "-CAfile", try Certificates.path("ca.pem"),
        "-verify_return_error", "-verify_hostname", "localhost", "-quiet",
      ], input: .fifo)
    try client.write(String(decoding: TLSTests.saslHeader, as: UTF8.self))
    try client.until("our mechanisms") { $0.outputSoFar.starts(with: TLSTests.saslHeader) && $0.outputSoFar.count > 20 }
    client.endInput()
    _ = try client.finish()
    // The listener has survived it.
    let sent = try Amqp.run(
      "send", "orders", "hello", "--cacert", try Certificates.path("ca.pem"), url: "amqps://localhost:\(port)")
    #expect(sent.status == 0, "\(sent.errors)")
    #expect(try ours.finish().text == "hello\n")
  }

  @Test(arguments: ["-tls1", "-tls1_1"]) func oldVersionsAreRefused(version: String) throws {
    let (ours, port) = try Amqp.listen(
      "receive", "--cert", try Certificates.path("server.pem"), "--key", try Certificates.path("server.key"))
    let client = try openssl([
      "s_client", "-connect", "localhost:\(port)", version, "-cipher", "ALL:@SECLEVEL=0",
    ]).finish()
    #expect(client.errors.contains("alert protocol version"), "\(client.errors)")
    try ours.until("a note") { $0.errorsSoFar.contains("TLS failed: ") }
    ours.signal(SIGINT)
    #expect(try ours.finish().status == 130)
  }

  // MARK: openssl s_server

  /// A server of openssl's and its port.
  private func server(_ arguments: String...) throws -> (program: Program, port: String) {
    let program = try openssl(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1"] + arguments, input: .fifo)
    let port = try program.rest(after: "ACCEPT 127.0.0.1:")
    return (program, port.trimmingCharacters(in: .whitespaces))
  }

  private func pair(_ name: String) throws -> [String] {
    ["-cert", try Certificates.path("\(name).pem"), "-key", try Certificates.path("\(name).key")]
  }

  private func send(_ port: String, _ more: String...) throws -> Finished {
    try Program(
      Amqp.path,
      ["send", "-u", "amqps://localhost:\(port)", "orders", "hello", "--cacert", Certificates.path("ca.pem")] + more,
      seconds: 20
    ).finish()
  }

  /// In mid-session it wants new keys (TLS 1.3) or a handshake (TLS 1.2), and says something after that.
  @Test(arguments: ["-tls1_2", "-tls1_3"]) func opensslAsServer(version: String) throws {
    let cert = try pair("server")
    let (server, port) = try server(version, "-msg", cert[0], cert[1], cert[2], cert[3])
    let ours = try Amqp.start(
      "send", "orders", "hello", "--cacert", try Certificates.path("ca.pem"), "-t", "10s",
      url: "amqps://localhost:\(port)")
    try server.until("our header") { $0.outputSoFar.firstRange(of: TLSTests.saslHeader) != nil }
    let isNew = version == "-tls1_3"
    try server.write(isNew ? "K\n" : "r\n")
    try server.until("new keys") { server in
      let text = String(decoding: server.outputSoFar, as: UTF8.self)
      return text.components(separatedBy: isNew ? "KeyUpdate" : "Finished").count > (isNew ? 1 : 4)
    }
    try server.write("welcome\n")
    let finished = try ours.finish()
    #expect(finished.status == 76, "\(finished.errors)")
    #expect(finished.errors.contains("it sent 77 65 6c 63 6f 6d 65 0a"), "\(finished.errors)")
    server.endInput()
    _ = try? server.finish()
  }

  @Test func anonymousCiphersAreRefused() throws {
    let (server, port) = try server("-nocert", "-tls1_2", "-cipher", "aNULL:@SECLEVEL=0")
    let ours = try send(port)
    #expect(ours.status == 76, "\(ours.errors)")
    #expect(ours.errors.contains("(TLS alert handshake_failure)"), "\(ours.errors)")
    server.endInput()
    _ = try? server.finish()
  }

  @Test func oldServersAreRefused() throws {
    let cert = try pair("server")
    let (server, port) = try server("-tls1_1", "-cipher", "ALL:@SECLEVEL=0", cert[0], cert[1], cert[2], cert[3])
    let ours = try send(port)
    #expect(ours.status == 76, "\(ours.errors)")
    #expect(
      ours.errors.contains("it speaks neither TLS 1.2 nor TLS 1.3 (TLS alert protocol_version)"), "\(ours.errors)")
    server.endInput()
    _ = try? server.finish()
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aServerThatDemandsACertificate(version: String) throws {
    let cert = try pair("server")
    let (server, port) = try server(
      version, "-Verify", "3", "-verify_return_error", "-CAfile", try Certificates.path("ca.pem"), cert[0], cert[1],
      cert[2], cert[3])
    let ours = try send(port)
    #expect(ours.status == 77, "\(ours.errors)")
    #expect(ours.errors.contains("it asks for a client certificate, and none was given"), "\(ours.errors)")
    server.endInput()
    _ = try? server.finish()
  }

  @Test func theNameIsTold() throws {
    let cert = try pair("other")
    let (server, port) = try server(
      "-servername", "broker.example", "-servername_fatal", "-cert2", cert[1], "-key2", cert[3], cert[0], cert[1],
      cert[2], cert[3])
    let ours = try send(port)
    #expect(ours.errors.contains("(TLS alert unrecognized_name)"), "\(ours.errors)")
    #expect(ours.status == 76)
    server.endInput()
    _ = try? server.finish()
  }

  // MARK: OpenSSL 1.1.1

  /// Both ends with the old library, then one with the old and one with the new: a client certificate as login, and SCRAM.
  @Test(.needs(.openSSL11), arguments: [(true, true), (true, false), (false, true)])
  func version111(_ oldServer: Bool, _ oldClient: Bool) throws {
    let old = ["LD_LIBRARY_PATH": try RealPeer.openSSL11.value]
    let server = [
      "receive", "--listen", "0", "-c", "2", "--cert", try Certificates.path("chain.pem"), "--key",
      try Certificates.path("below.key"), "--cacert", try Certificates.path("ca.pem"), "--user", "me", "--sasl",
      "EXTERNAL,SCRAM-SHA-256",
    ]
    let password = ["AMQP_PASSWORD": "hunter2"]
    let ours = try Program(
      Amqp.path, server, environment: password.merging(oldServer ? old : [:]) { $1 }, seconds: 20)
    let port = try ours.rest(after: "listening on 127.0.0.1:")
    for (user, mechanism) in [("", "EXTERNAL"), ("me:hunter2@", "SCRAM-SHA-256")] {
      let sent = try Program(
        Amqp.path,
        [
          "send", "-v", "-u", "amqps://\(user)localhost:\(port)", "orders", mechanism, "--cacert",
          try Certificates.path("ca.pem"), "--cert", try Certificates.path("client.pem"), "--key",
          try Certificates.path("locked.key"),
        ], environment: ["AMQP_KEY_PASSWORD": "secret"].merging(oldClient ? old : [:]) { $1 }, seconds: 20
      ).finish()
      #expect(sent.status == 0 && sent.errors.contains("SASL \(mechanism),"), "\(sent.errors)")
    }
    #expect(try ours.finish().lines == ["EXTERNAL", "SCRAM-SHA-256"])
  }

  // MARK: RabbitMQ

  @Test(.needs(.rabbitMQ4TLS)) func rabbitMQ4() throws { try thereAndBack(.rabbitMQ4TLS, .rabbitMQ4) }
  @Test(.needs(.rabbitMQ3TLS)) func rabbitMQ3() throws { try thereAndBack(.rabbitMQ3TLS, .rabbitMQ3) }

  private func thereAndBack(_ peer: RealPeer, _ broker: Broker) throws {
    let url = try peer.value
    let authority = try RealPeer.certificates.value + "/ca.pem"
    let queue = try broker.queue()
    let lines = (1...20_000).map { "line \($0)" }
    let sent = try Amqp.run("send", queue.name, "-l", "--cacert", authority, url: url, input: .lines(lines))
    #expect(sent.status == 0, "\(sent.errors)")
    let received = try Amqp.run("receive", queue.name, "-c", "20000", "--cacert", authority, url: url)
    #expect(received.status == 0, "\(received.errors)")
    #expect(received.lines == lines)

    let untrusted = try Amqp.run("send", queue.name, "hello", url: url)
    #expect(untrusted.status == 77)
    #expect(untrusted.errors.contains("its certificate comes from 'CN=Test CA', which is not trusted here"))
    let clear = try Amqp.run("send", queue.name, "hello", url: url.replacingOccurrences(of: "amqps:", with: "amqp:"))
    #expect(clear.status == 76)
    #expect(clear.errors.contains("it speaks TLS\n  that is a TLS port: amqps://localhost:"), "\(clear.errors)")
    let plainURL = try broker.url.replacingOccurrences(of: "amqp:", with: "amqps:")
    let plain = try Amqp.run("send", queue.name, "hello", "--cacert", authority, url: plainURL)
    #expect(plain.status == 76)
    #expect(plain.errors.contains("it does not speak TLS: it speaks AMQP "), "\(plain.errors)")
  }
}
