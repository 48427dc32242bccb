// What probe makes of what a peer says: headers and their answers, times in classes, and a report whose every key is
// explained.
import Bytes
import Console
import Render
import Support
import Testing
import Wire

@testable import amqp

@Suite struct ProbeReportTests {
  // MARK: Headers

  private func row(_ key: String) -> HeaderAnswer.Row { HeaderAnswer.rows.first { $0.key == key }! }

  private func outcome(_ key: String, _ octets: [UInt8], isAll: Bool = true) -> HeaderAnswer.Outcome? {
    HeaderAnswer(row(key), octets.span, isAll: isAll)?.outcome
  }

  @Test func headersAreEchoed() {
    for row in HeaderAnswer.rows where row.header.major != 8 {
      #expect(outcome(row.key, row.header.bytes) == .spoken)
    }
    #expect(outcome("0-10", ProtocolHeader.amqp091.bytes) == .other(.amqp091))
    #expect(outcome("1-0", ProtocolHeader.sasl10.bytes) == .other(.sasl10))
  }

  @Test func whatIsNoAMQP() {
    #expect(outcome("1-0", Array("HTTP/1.1 400 Bad Request".utf8)) == .foreign("HTTP"))
    #expect(outcome("1-0", Array("SSH-2.0-OpenSSH".utf8)) == .foreign("SSH"))
    #expect(outcome("1-0", [0x15, 3, 3, 0, 2, 2, 0x16]) == .foreign("TLS"))
    #expect(outcome("1-0", [1, 2, 3]) == .foreign("01 02 03"))
    #expect(outcome("1-0", []) == .closed)
    #expect(outcome("1-0", Array("AMQ".utf8)) == .foreign("41 4d 51"))
  }

  /// Mechanisms come behind the header, and are waited for unless nothing more will come.
  @Test func mechanismsFollow() {
    var q = ByteQueue()
    q.append(ProtocolHeader.sasl10.bytes)
    q.appendFrame(.sasl, channel: 0) {
      $0.append(Record(Code.saslMechanisms, [Value(symbols: ["PLAIN", "ANONYMOUS"])]))
    }
    let all = q.bytes
    for n in 1..<all.count { #expect(outcome("1-0-sasl", Array(all.prefix(n)), isAll: false) == nil) }
    #expect(HeaderAnswer(row("1-0-sasl"), all.span, isAll: false)?.mechanisms == ["PLAIN", "ANONYMOUS"])
    #expect(outcome("1-0-sasl", Array(all.prefix(20))) == .spoken)
  }

  @Test(arguments: ["0-9-1", "0-9", "0-8"]) func startIsRead(key: String) throws {
    var q = ByteQueue()
    let properties = Value.map([MapEntry(.string("product"), .string("RabbitMQ"))])
    try q.appendMethod(
      channel: 0,
      MethodRecord(
        MethodID.connectionStart,
        [
          "version-minor": .ubyte(9), "server-properties": properties, "mechanisms": .string("PLAIN AMQPLAIN"),
          "locales": .string("en_US"),
        ]))
    let all = q.bytes
    for n in 1..<all.count { #expect(outcome(key, Array(all.prefix(n)), isAll: false) == nil) }
    let answer = HeaderAnswer(row(key), all.span, isAll: false)
    #expect(answer?.outcome == .spoken)
    #expect(answer?.mechanisms == ["PLAIN", "AMQPLAIN"])
    #expect(answer?.properties["product"]?.text == "RabbitMQ")
    #expect(
      outcome(key, Array(all.prefix(20)))
        == .foreign("01 00 00 00 00 00 " + (all[6] < 16 ? "0" : "") + String(all[6], radix: 16) + " 00"))
  }

  // MARK: Times

  @Test func timesHaveClasses() {
    let latency = Latency([150_000, 90_000, 190_000, 600_000, 199_999])
    #expect((latency.least, latency.median, latency.most) == (90_000, 190_000, 600_000))
    #expect(
      latency.classes == [
        .init(from: 50_000, to: 100_000, count: 1), .init(from: 100_000, to: 200_000, count: 3),
        .init(from: 200_000, to: 500_000, count: 0), .init(from: 500_000, to: 1_000_000, count: 1),
      ])
    #expect(Latency([0]).classes == [.init(from: 0, to: 1_000, count: 1)])
    #expect(Latency([5_000_000_000]).classes == [.init(from: 5_000_000_000, to: 10_000_000_000, count: 1)])
    #expect(ProbeText.time(1_234_567) == "1.23 ms")
    #expect(ProbeText.time(5_000) == "0.01 ms")
  }

  // MARK: Keys

  /// A report in which everything is known.
  private var full: ProbeReport {
    var report = ProbeReport(peer: "h:1", time: 0)
    report.failure = Failure("what", "why", nextStep: "next", exitCode: .refused)
    report.name = .init(duration: 1, addresses: ["::1"])
    report.tcp = .init(duration: 1, address: "[::1]:1")
    report.tls = .init(duration: 1, version: "v", cipher: "c", chain: [], fault: "f", isVerified: true, now: 0)
    report.answers = HeaderAnswer.rows.map { row in
      var answer = HeaderAnswer(row, .spoken)
      (answer.duration, answer.mechanisms) = (1, ["PLAIN"])
      return answer
    }
    for is091 in [false, true] {
      var session = SessionReport(is091: is091)
      session.duration = 1
      session.login = .accepted
      (session.mechanism, session.user, session.containerID, session.blocked) = ("PLAIN", "u", "c", "b")
      session.properties = .map(["product", "version", "platform"].map { MapEntry(.symbol($0), .string("1")) })
      (session.frameSize, session.agreedFrameSize, session.idleTimeOut) = (1, 1, 1)
      (session.channels, session.agreedChannels) = (1, 1)
      session.beats = [1]
      if is091 { session.failure = report.failure }
      report.sessions.append(session)
    }
    var node = NodeReport(name: "n")
    (node.exists, node.isDurable, node.isExclusive, node.isAutoDelete) = (true, true, true, true)
    (node.type, node.leader, node.replicas) = ("t", "l", ["r"])
    (node.messages, node.consumers) = (1, 1)
    node.arguments = .map([MapEntry(.string("a"), .long(1))])
    node.failure = report.failure
    var terminus = NodeReport.Terminus()
    (terminus.address, terminus.expiryPolicy, terminus.distributionMode) = ("a", "never", "move")
    (terminus.capabilities, terminus.linkCapabilities, terminus.filters, terminus.outcomes) = (
      ["c"], ["c"], ["f"], ["o"]
    )
    (terminus.maxMessageSize, terminus.credit) = (1, 1)
    (node.source, node.target) = (terminus, terminus)
    report.nodes = [node]
    return report
  }

  /// Every way to a value, in the words of the rows.
  private func paths(_ json: JSON, _ path: String = "") -> [String] {
    switch json {
    case .object(let members):
      return members.flatMap { paths($0.value, path.isEmpty ? $0.name : "\(path).\($0.name)") }
    case .array(let items) where path == "nodes": return items.flatMap { paths($0, "nodes.N") }
    case .null, .boolean, .number, .string, .array:
      var path = path
      for (place, word) in [
        ("amqp-1-0.", "S."), ("amqp-0-9-1.", "S."), ("nodes.N.source.", "T."), ("nodes.N.target.", "T."),
      ] where path.hasPrefix(place) {
        path = word + path.dropFirst(place.count)
      }
      for row in HeaderAnswer.rows { path = path.replacing("protocols.\(row.key).", with: "protocols.P.") }
      return [path]
    }
  }

  @Test func everyKeyIsExplained() {
    let rows = ProbeKeys.report.flatMap(\.paths).map { $0.hasSuffix(".*") ? String($0.dropLast(2)) : $0 }
    let paths = paths(ProbeJSON.object(full))
    #expect(paths.count > 100)
    for path in paths { #expect(rows.contains { path == $0 || path.hasPrefix($0 + ".") }, "\(path)") }
    for row in rows where row != "unmet" && row != "tls.chain" && !row.hasPrefix("tls.") {
      #expect(
        paths.contains { $0 == row || $0.hasPrefix(row + ".") } || ["nodes.N.source", "nodes.N.target"].contains(row),
        "\(row)")
    }
  }

  /// What a report says, its conditions can ask for.
  @Test func everyKeyCanBeAsked() throws {
    guard case .object(let members) = ProbeJSON.object(full) else { return }
    #expect(members.count > 20)
    for member in members { #expect(throws: Never.self) { try Expectation(member.name) } }
    let nodes = ["name", "exists", "messages", "type", "source.capabilities", "target.credit"]
    for key in nodes { #expect(try Expectation("queue.\(key)").faults(in: ProbeJSON.object(full)) == []) }
  }

  /// What is not known is left out, not null.
  @Test func nothingIsKnown() {
    let json = ProbeJSON.object(ProbeReport(peer: "h:1", time: 0))
    var q = ByteQueue()
    q.append(json)
    #expect(String(decoding: q.bytes, as: UTF8.self) == "{\"peer\":\"h:1\",\"time\":0,\"round\":1,\"ok\":true}")
  }
}
