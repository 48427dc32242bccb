import Bytes
import Support
import Testing
import Wire

@testable import Render

@Suite struct MethodJSONTests {
  private func show(_ octets: [UInt8], showSecrets: Bool = false) -> String {
    var (d, q) = (Dissector(), ByteQueue())
    _ = d.frame091(octets.span, at: 0)
    FrameJSON.append(d, octets.span, showSecrets: showSecrets, to: &q)
    return q.text
  }

  private func wire(_ octets: [UInt8], showSecrets: Bool = true) -> String {
    var (d, q) = (Dissector(), ByteQueue())
    let all = [1, 2, 3] + octets
    _ = d.frame091(all.span, at: 3)
    FrameWireJSON.append(d, all.span, in: 3..<all.count, showSecrets: showSecrets, to: &q)
    return q.text
  }

  private func method(_ channel: UInt16, _ id: UInt32, _ fields: KeyValuePairs<String, Value>) throws -> [UInt8] {
    var q = ByteQueue()
    try q.appendMethod(channel: channel, MethodRecord(id, fields))
    return q.bytes
  }

  private func publish() throws -> [UInt8] {
    try method(
      1, MethodID.basicPublish,
      ["exchange": .string("logs"), "routing-key": .string("a.b"), "mandatory": .boolean(true)])
  }

  @Test func lossless() throws {
    #expect(
      show(try publish())
        == #"{"channel":1,"frame":"basic.publish","fields":{"exchange":"logs","routing-key":"a.b","mandatory":true,"#
        + #""immediate":false}}"#)
    var properties = BasicProperties()
    properties[.contentType] = .string("text/plain")
    properties[.headers] = .map([
      MapEntry(.string("n"), .int(-7)), MapEntry(.string("s"), .string("7")),
      MapEntry(.string("t"), .map([MapEntry(.string("a b"), .list([.null, .boolean(true)]))])),
    ])
    properties[.timestamp] = .timestamp(1_700_000_000_000)
    var (flags, q) = (ByteQueue(), ByteQueue())
    try flags.append(properties)
    let octets = flags.bytes
    q.appendContentHeader(channel: 1, bodySize: 5, properties: octets.span)
    #expect(
      show(q.bytes)
        == #"{"channel":1,"frame":"content-header","fields":{"class-id":60,"weight":0,"body-size":5,"#
        + #""property-flags":41024},"properties":{"content-type":"text/plain","headers":{"n":{"int":-7},"s":"7","#
        + #""t":{"map":[["a b",[null,true]]]}},"timestamp":1700000000000}}"#)
    #expect(show(hex("03000100000003616263ce")) == #"{"channel":1,"frame":"body","body":{"text":"abc"}}"#)
    #expect(show(hex("030001000000020061ce").map { $0 }).contains(#""body":{"text":"\u0000a"}"#))
    #expect(show(hex("08000000000000ce")) == #"{"channel":0,"frame":"heartbeat"}"#)
  }

  @Test func secretsAreMasked() throws {
    let startOK = try method(
      0, MethodID.connectionStartOK, ["mechanism": .string("PLAIN"), "response": .string("\0guest\0s3cret")])
    #expect(show(startOK).contains(#""response":{"user":"guest","password":"***"}"#))
    #expect(show(startOK, showSecrets: true).contains("s3cret"))
    #expect(!wire(startOK, showSecrets: false).contains("s3cret"))
    #expect(wire(startOK, showSecrets: false).contains(#""format":"longstr","masked":13"#))
  }

  @Test(arguments: FrameVector.all091) func everyVectorComesBack(_ vector: FrameVector) throws {
    if vector.verdict == .incomplete { return }
    try comesBack(vector.bytes)
  }

  @Test func spoiltFramesComeBack() throws {
    var random = FixedRandom(seed: 3)
    for vector in FrameVector.all091 where vector.bytes.count > 8 && vector.bytes.count < 500 {
      for _ in 0..<8 {
        var octets = vector.bytes
        octets[Int.random(in: 7..<octets.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
        try comesBack(octets)
      }
    }
  }

  private func comesBack(_ octets: [UInt8]) throws {
    let line = wire(octets)
    var q = ByteQueue()
    #expect(throws: Never.self, "\(line)") { try FrameJSONReader.read(Array(line.utf8).span, to: &q) }
    #expect(q.bytes == octets, "\(line)")
    _ = try JSONReader.read(Array(show(octets).utf8).span, depth: 400)
  }
}
