import Support
import Testing

@testable import Transport

/// Two sessions and nothing between them.
private final class TLSPair {
  let client: TLSSession
  let server: TLSSession
  /// What each has read.
  var clientRead: [UInt8] = []
  var serverRead: [UInt8] = []
  var clientFailure: TLSFailure?
  var serverFailure: TLSFailure?
  var clientEnded = false
  var serverEnded = false

  /// - Parameter certificate: the server's.
  init(
    _ certificate: String = "server", host: String = "localhost",
    client adjust: (inout TLSSettings) throws -> Void = { _ in },
    server adjustServer: (inout TLSSettings) throws -> Void = { _ in }
  ) throws {
    var settings = TLSSettings(.client)
    settings.trusted = try Certificates.pem("ca.pem")
    try adjust(&settings)
    client = try TLSSession(TLSContext(settings), host: host)
    var listening = TLSSettings(.server)
    listening.certificate = try Certificates.pem("\(certificate).pem")
    listening.key = try Certificates.pem("\(certificate == "chain" ? "below" : certificate).key")
    try adjustServer(&listening)
    server = try TLSSession(TLSContext(listening))
  }

  /// Moves ciphertext, at most `step` octets at a time, until there is no more.
  func run(step: Int = .max) {
    var moved = true
    while moved {
      moved = move(client, server, step, &serverRead, &serverFailure, &serverEnded)
      if move(server, client, step, &clientRead, &clientFailure, &clientEnded) { moved = true }
    }
  }

  private func move(
    _ from: TLSSession, _ to: TLSSession, _ step: Int, _ read: inout [UInt8], _ failure: inout TLSFailure?,
    _ ended: inout Bool
  ) -> Bool {
    var octets: [UInt8] = []
    from.withOutput { span in
      let n = min(span.count, step - octets.count)
      for i in 0..<n { octets.append(span[i]) }
      return n
    }
    if octets.isEmpty { return false }
    to.receive(room: octets.count) { span in for octet in octets { span.append(octet) } }
    if failure == nil { take(to, &read, &failure, &ended) }
    return true
  }

  private func take(_ session: TLSSession, _ read: inout [UInt8], _ failure: inout TLSFailure?, _ ended: inout Bool) {
    do throws(TLSFailure) {
      let (progress, bytes) = try readAll(session)
      read += bytes
      ended = progress == .end || session.hasEnded
    } catch {
      failure = error
    }
  }

  /// Everything that there is, into a span of just the size that is asked for.
  private func readAll(_ session: TLSSession) throws(TLSFailure) -> (IOProgress, [UInt8]) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: session.readable, alignment: 1)
    defer { buffer.deallocate() }
    var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
    let progress = try session.read(into: &span)
    return (progress, Array(buffer[..<span.byteCount]))
  }
}

/// All of `octets`, as far as `session` takes them.
@discardableResult
private func write(_ octets: [UInt8], _ session: TLSSession) throws -> Int {
  try session.write(octets.span)
}

private let preface = Array("AMQP\u{2}\u{1}\0\0".utf8)

@Suite struct TLSSessionTests {
  @Test(arguments: [1, 7, 1_000, Int.max]) func octetsBothWaysInAnyPieces(step: Int) throws {
    let pair = try TLSPair()
    #expect(try write([1], pair.client) == 0)
    pair.run(step: step)
    #expect(pair.client.isOpen && pair.server.isOpen)
    #expect(pair.client.version == "TLSv1.3" && pair.server.version == "TLSv1.3")
    #expect(pair.client.cipher.hasPrefix("TLS_"))
    #expect(pair.client.certificates.map(\.subject) == ["CN=localhost"])
    #expect(pair.client.certificates.first?.names == "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1")
    #expect(pair.client.certificates.first?.notBefore == 1_577_836_800)

    let there = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let back = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 2) }
    #expect(try write(there, pair.client) == there.count)
    #expect(try write(back, pair.server) == back.count)
    pair.run(step: step)
    #expect(pair.serverRead == there && pair.clientRead == back)

    pair.client.close()
    #expect(try write([1], pair.client) == 0)
    pair.run(step: step)
    #expect(pair.serverEnded && !pair.clientEnded)
    pair.server.close()
    pair.run(step: step)
    #expect(pair.clientEnded)
    #expect(pair.clientFailure == nil && pair.serverFailure == nil)
  }

  @Test func whatWaitsToBeSentIsBounded() throws {
    let pair = try TLSPair()
    pair.run()
    let chunk = [UInt8](repeating: 0x61, count: 100_000)
    var taken = 0
    while case let n = try write(chunk, pair.client), n > 0 {
      taken += n
      try #require(taken < 1_000_000)
    }
    #expect(taken >= 256 * 1024)
    pair.run()
    #expect(pair.serverRead.count == taken)
  }

  @Test func aLateFaultInTheCiphertext() throws {
    let pair = try TLSPair()
    pair.run()
    try write(Array("good".utf8), pair.client)
    pair.run()
    try write(Array("bad".utf8), pair.client)
    var record: [UInt8] = []
    pair.client.withOutput { span in
      for i in 0..<span.count { record.append(span[i]) }
      return span.count
    }
    record[record.count - 1] ^= 1
    pair.server.receive(room: record.count) { span in for octet in record { span.append(octet) } }
    pair.client.close()
    pair.run()
    #expect(pair.serverRead == Array("good".utf8))
    guard case .other? = pair.serverFailure else {
      Issue.record("\(String(describing: pair.serverFailure))")
      return
    }
    // bad_record_mac, RFC 8446 §6.2.
    #expect(pair.clientFailure == .refused(alert: 20, certificateWasAsked: false))
  }

  // MARK: Whom to trust

  @Test(arguments: [
    ("expired", "localhost", TLSFailure.CertificateFault.expired), ("early", "localhost", .notYetValid),
    ("alone", "localhost", .selfSigned), ("below", "localhost", .unknownIssuer),
    ("server", "example.com", .wrongName), ("server", "127.0.0.2", .wrongName), ("other", "localhost", .wrongName),
    ("other", "a.b.broker.example", .wrongName), ("server", "::2", .wrongName),
  ])
  func certificatesThatAreRefused(name: String, host: String, fault: TLSFailure.CertificateFault) throws {
    let pair = try TLSPair(name, host: host)
    pair.run()
    guard case .untrusted(let untrusted)? = pair.clientFailure else {
      Issue.record("\(String(describing: pair.clientFailure))")
      return
    }
    #expect(untrusted.fault == fault)
    #expect(untrusted.depth == 0)
    guard case .refused(let alert?, false)? = pair.serverFailure else {
      Issue.record("the server did not hear it: \(String(describing: pair.serverFailure))")
      return
    }
    #expect((42...48).contains(alert))

    let careless = try TLSPair(name, host: host, client: { $0.verifies = false })
    careless.run()
    #expect(careless.client.isOpen && careless.server.isOpen)
  }

  @Test(arguments: [
    ("server", "localhost"), ("server", "LOCALHOST."), ("server", "127.0.0.1"), ("server", "::1"), ("server", "::1%lo"),
    ("other", "broker.example"), ("other", "a.broker.example"), ("chain", "localhost"),
  ])
  func certificatesThatAreTaken(name: String, host: String) throws {
    let pair = try TLSPair(name, host: host)
    pair.run()
    #expect(pair.client.isOpen && pair.server.isOpen, "\(String(describing: pair.clientFailure))")
  }

  @Test func theNameGivenCountsAndNotTheHost() throws {
    let right = try TLSPair("other", host: "localhost", client: { $0.serverName = "broker.example" })
    right.run()
    #expect(right.client.isOpen)
    let wrong = try TLSPair("server", host: "localhost", client: { $0.serverName = "broker.example" })
    wrong.run()
    #expect(!wrong.client.isOpen)
  }

  @Test func withoutTrustedCertificatesTheSystemsCount() throws {
    let pair = try TLSPair(client: { $0.trusted = nil })
    pair.run()
    guard case .untrusted(let untrusted)? = pair.clientFailure else {
      Issue.record("\(String(describing: pair.clientFailure))")
      return
    }
    #expect(untrusted.fault == .unknownIssuer)
    #expect(untrusted.certificate?.issuer == "CN=Test CA")
  }

  @Test(arguments: ["", String(repeating: "a", count: 300)]) func hostNamesThatAreNone(host: String) throws {
    let settings = TLSSettings(.client)
    #expect(throws: TLSFailure.self) { try TLSSession(TLSContext(settings), host: host) }
  }

  // MARK: Client certificates

  private func demanding(_ client: String?) throws -> TLSPair {
    let pair = try TLSPair(
      client: {
        guard let client else { return }
        $0.certificate = try Certificates.pem("\(client).pem")
        $0.key = try Certificates.pem("\(client).key")
      }, server: { $0.trusted = try Certificates.pem("ca.pem") })
    pair.run()
    return pair
  }

  @Test func clientCertificates() throws {
    let good = try demanding("client")
    #expect(good.client.isOpen && good.server.isOpen)

    let none = try demanding(nil)
    #expect(none.serverFailure == .noCertificate)
    #expect(none.clientFailure == .refused(alert: 116, certificateWasAsked: true))

    let unknown = try demanding("stranger")
    guard case .untrusted(let untrusted)? = unknown.serverFailure else {
      Issue.record("\(String(describing: unknown.serverFailure))")
      return
    }
    #expect(untrusted.certificate?.subject == "CN=stranger")
    guard case .refused(_?, certificateWasAsked: false)? = unknown.clientFailure else {
      Issue.record("\(String(describing: unknown.clientFailure))")
      return
    }
  }

  // MARK: In front of TLS

  @Test(arguments: [1, Int.max]) func aPrefaceIsAnsweredWhenItComes(step: Int) throws {
    for asks in [true, false] {
      let pair = try TLSPair(client: { if asks { $0.preface = preface } }, server: { $0.preface = preface })
      pair.run(step: step)
      #expect(pair.client.isOpen && pair.server.isOpen)
      try write([1, 2], pair.client)
      pair.run(step: step)
      #expect(pair.serverRead == [1, 2])
    }
    let alone = try TLSPair(client: { $0.preface = preface })
    alone.run(step: step)
    #expect(!alone.client.isOpen)
  }

  private func hear(_ octets: [UInt8], _ session: TLSSession) -> TLSFailure? {
    session.receive(room: octets.count) { span in for octet in octets { span.append(octet) } }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: session.readable, alignment: 1)
    defer { buffer.deallocate() }
    var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
    do throws(TLSFailure) {
      _ = try session.read(into: &span)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    "AMQP\u{3}\u{1}\0\0", "AMQP\0\0\u{9}\u{1}", "HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x\r\n", "\0\0\0\u{8}",
  ])
  func whatIsNoTLS(text: String) throws {
    let octets = Array(text.utf8)
    let pair = try TLSPair(server: { $0.preface = preface })
    #expect(hear(octets, pair.client) == .notTLS(Array(octets.prefix(24))))
    #expect(hear(octets, pair.server) == .notTLS(Array(octets.prefix(24))))
    var answer: [UInt8] = []
    pair.server.withOutput { span in
      for i in 0..<span.count { answer.append(span[i]) }
      return span.count
    }
    #expect(answer == preface)
    let asking = try TLSPair(client: { $0.preface = preface })
    #expect(hear(octets, asking.client) == .notTLS(Array(octets.prefix(24))))
  }

  @Test func anEndInTheHandshakeAndAfter() throws {
    let pair = try TLSPair()
    #expect(throws: TLSFailure.endedInHandshake) { try pair.client.receivedEnd() }
    let open = try TLSPair()
    open.run()
    try open.client.receivedEnd()
    let garbage = try TLSPair()
    // A ServerHello that is none.
    let failure = hear([22, 3, 3, 0, 4, 2, 0, 0, 0], garbage.client)
    guard case .other? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
  }
}

@Suite struct TLSContextTests {
  private func context(_ adjust: (inout TLSSettings) throws -> Void) throws -> TLSSetupError? {
    var settings = TLSSettings(.client)
    try adjust(&settings)
    do throws(TLSSetupError) {
      _ = try TLSContext(settings)
      return nil
    } catch {
      return error
    }
  }

  @Test func filesThatAreNotWhatTheyShouldBe() throws {
    let client = try Certificates.pem("client.pem")
    let key = try Certificates.pem("client.key")
    #expect(try context { ($0.certificate, $0.key) = (client, key) } == nil)
    #expect(try context { $0.certificate = try Certificates.pem("client-both.pem") } == nil)
    #expect(try context { $0.certificate = client } == .notPEM(.key))
    #expect(try context { ($0.certificate, $0.key) = (key, key) } == .notPEM(.certificate))
    #expect(try context { ($0.certificate, $0.key) = (client, Array("nonsense".utf8)) } == .notPEM(.key))
    #expect(try context { $0.trusted = [] } == .notPEM(.trusted))
    #expect(try context { $0.trusted = Array(repeating: 0, count: 10_000) } == .notPEM(.trusted))
    // Cut off in the second certificate.
    #expect(try context { $0.trusted = client + client.dropLast(200) } == .notPEM(.trusted))
    let other = try Certificates.pem("server.key")
    #expect(try context { ($0.certificate, $0.key) = (client, other) } == .keyOfAnotherCertificate)
  }

  @Test func encryptedKeys() throws {
    let client = try Certificates.pem("client.pem")
    let locked = try Certificates.pem("locked.key")
    func with(_ passphrase: String?) throws -> TLSSetupError? {
      try context { ($0.certificate, $0.key, $0.passphrase) = (client, locked, passphrase.map { Array($0.utf8) }) }
    }
    #expect(try with("secret") == nil)
    #expect(try with(nil) == .keyIsEncrypted)
    #expect(try with("") == .wrongPassphrase)
    #expect(try with("Secret") == .wrongPassphrase)
    #expect(try with(String(repeating: "x", count: 5_000)) == .wrongPassphrase)
  }

  @Test func keysAreLogged() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/keys"
    let pair = try TLSPair(client: { $0.keyLogPath = path })
    pair.run()
    let text = String(decoding: try Files.contents(of: path), as: UTF8.self)
    #expect(text.contains("\nCLIENT_TRAFFIC_SECRET_0 ") && text.hasSuffix("\n"))
    let missing = directory.path + "/none/keys"
    #expect(try context { $0.keyLogPath = missing } == .keyLog(Errno("open", code: 2, subject: missing)))
  }
}
