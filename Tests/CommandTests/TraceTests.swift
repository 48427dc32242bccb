/// `--trace` of both protocols, told apart by what is first said.
import Bytes
import Runtime
import Support
import Testing
import Wire

@testable import amqp

@Suite struct TraceTests {
  private func lines(_ octets: [(Peer.Direction, [UInt8])], showSecrets: Bool = false) -> [String] {
    var text: [UInt8] = []
    let tap = Trace(.line, showSecrets: showSecrets) { text += $0.array }.tap()
    for (direction, octets) in octets { tap(direction, octets.span) }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private func method(_ channel: UInt16, _ id: UInt32, _ fields: KeyValuePairs<String, Value>) throws -> [UInt8] {
    var q = ByteQueue()
    try q.appendMethod(channel: channel, MethodRecord(id, fields))
    return q.bytes
  }

  @Test func conversation091() throws {
    var publish = ByteQueue()
    publish.appendPublish(
      channel: 1, exchange: [UInt8](utf8: "logs").span, routingKey: [UInt8](utf8: "a").span, mandatory: false)
    publish.appendContentHeader(channel: 1, bodySize: 2, properties: octets("0000").span)
    publish.appendBody(channel: 1, [UInt8](utf8: "hi").span)
    publish.appendBody(channel: 1, [UInt8](utf8: "!").span)
    publish.appendHeartbeat()
    let start = try method(
      0, MethodID.connectionStart, ["mechanisms": .string("PLAIN"), "locales": .string("en_US")])
    let startOK = try method(
      0, MethodID.connectionStartOK, ["mechanism": .string("PLAIN"), "response": .string("\u{0}me\u{0}s3cret")])
    let expected = [
      "-> protocol header AMQP 0-9-1",
      "<- ch=0 connection.start version-major=0 version-minor=0 mechanisms=PLAIN locales=en_US",
      "-> ch=0 connection.start-ok mechanism=PLAIN response=(user=me password=***) locale=\"\"",
      "-> ch=1 basic.publish exchange=logs routing-key=a",
      "-> ch=1 content header basic body-size=2",
      "-> ch=1 body \"hi\" 2 octets",
      "-> ch=1 body \"!\" 1 octet  warning at 0x07: expected no more octets than the content header declared, got a body"
        + " (0-9-1 §4.2.6)",
      "-> heartbeat",
    ]
    let all: [(Peer.Direction, [UInt8])] = [
      (.outgoing, ProtocolHeader.amqp091.bytes), (.incoming, start), (.outgoing, startOK), (.outgoing, publish.bytes),
    ]
    #expect(lines(all) == expected)
    // One octet at a time makes no difference.
    #expect(lines(all.flatMap { direction, octets in octets.map { (direction, [$0]) } }) == expected)
    // Nor does it when the header was missed.
    #expect(lines(Array(all.dropFirst())) == Array(expected.dropFirst()))
  }

  @Test func conversation10() {
    let frame = octets("0000000802000000")
    let expected = ["-> protocol header AMQP 1.0", "<- protocol header AMQP 0-9-1", "<- ch=0 empty frame"]
    let all: [(Peer.Direction, [UInt8])] = [
      (.outgoing, ProtocolHeader.amqp10.bytes), (.incoming, ProtocolHeader.amqp091.bytes), (.incoming, frame),
    ]
    #expect(lines(all) == expected)
    #expect(lines(Array(all.dropFirst(2))) == [expected[2]])
  }
}
