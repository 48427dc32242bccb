/// What a capture may hold: octets with secrets overwritten, however they are cut, and everything else as it was.
import Bytes
import Testing
import Wire

@testable import Render

@Suite struct SecretMaskTests {
  private static let password = Array("hunter2".utf8)

  private static func sasl(_ record: Record) -> [UInt8] {
    var q = ByteQueue()
    q.appendFrame(.sasl, channel: 0) { q in q.append(record) }
    return q.bytes
  }

  private static func performative(_ record: Record, payload: [UInt8] = []) -> [UInt8] {
    var q = ByteQueue()
    q.appendFrame(.amqp, channel: 0) { q in
      q.append(record)
      q.append(payload)
    }
    return q.bytes
  }

  private static func method(_ id: UInt32, _ fields: KeyValuePairs<String, Value>) throws -> [UInt8] {
    var q = ByteQueue()
    try q.appendMethod(channel: 0, MethodRecord(id, fields))
    return q.bytes
  }

  private static func masked(_ octets: [UInt8], pieces size: Int = .max) -> [UInt8] {
    var mask = SecretMask()
    var q = ByteQueue()
    var at = 0
    while at < octets.count {
      let end = size < octets.count - at ? at + size : octets.count
      mask.pass(octets[at..<end].span, to: &q)
      at = end
    }
    mask.finish(to: &q)
    return q.bytes
  }

  private static func stars(_ octets: [UInt8], _ secret: [UInt8]) -> [UInt8] {
    guard let at = octets.firstRange(of: secret) else { return octets }
    return octets[..<at.lowerBound] + [UInt8](repeating: 0x2a, count: secret.count) + octets[at.upperBound...]
  }

  private static var dialogue10: (octets: [UInt8], masked: [UInt8]) {
    let response = [0] + Array("me".utf8) + [0] + password
    let initial = sasl(Record(Code.saslInit, [.symbol("PLAIN"), .binary(response), .string("localhost")]))
    let open = performative(Record(Code.open, [.string("me")]))
    let text = performative(
      Record(Code.transfer, [.uint(0), .uint(0), .binary([0]), .uint(0), .boolean(true)]),
      payload: [0, 0x53, 0x75, 0xa0, 12] + Array("hunter2 data".utf8))
    let rest = ProtocolHeader.amqp10.bytes + open + text
    let start = ProtocolHeader.sasl10.bytes
    return (start + initial + rest, start + stars(initial, response) + rest)
  }

  /// The response is gone and nothing else is, wherever the octets are cut.
  @Test(arguments: [1, 2, 7, 8, 9, 30, 64, 1_000]) func passwordsOf10(_ size: Int) {
    let (octets, masked) = Self.dialogue10
    #expect(octets != masked)
    #expect(Self.masked(octets, pieces: size) == masked)
  }

  @Test(arguments: [1, 3, 7, 11, 40, 1_000]) func passwordsOf091(_ size: Int) throws {
    let response = [0] + Array("me".utf8) + [0] + Self.password
    let start = try Self.method(
      MethodID.connectionStartOK,
      [
        "client-properties": .map([]), "mechanism": .string("PLAIN"),
        "response": .string(String(decoding: response, as: UTF8.self)), "locale": .string("en_US"),
      ])
    let update = try Self.method(
      MethodID.connectionUpdateSecret, ["new-secret": .string("hunter2"), "reason": .string("hunter2's time is over")])
    let heartbeat: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0xce]
    let octets = ProtocolHeader.amqp091.bytes + start + heartbeat + update + heartbeat
    let masked =
      ProtocolHeader.amqp091.bytes + Self.stars(start, response) + heartbeat + Self.stars(update, Self.password)
      + heartbeat
    #expect(Self.masked(octets, pieces: size) == masked)
  }

  /// A token travels in a transfer.
  @Test func tokensOfARequest() {
    var message = ByteQueue()
    message.appendSection(
      Code.applicationProperties, .map([MapEntry(.string("operation"), .string("put-token"))]))
    message.appendSection(Code.amqpValue, .string("hunter2"))
    let transfer = Self.performative(
      Record(Code.transfer, [.uint(0), .uint(0), .binary([0]), .uint(0), .boolean(true)]), payload: message.bytes)
    let octets = ProtocolHeader.amqp10.bytes + transfer
    #expect(!Self.masked(octets, pieces: 5).contains(Self.password))
    #expect(Self.masked(octets).count == octets.count)
  }

  /// A peer that dies with half of its response sent.
  @Test func halfASecret() {
    let octets = Array(Self.dialogue10.octets.prefix(40))
    let masked = Self.masked(octets)
    #expect(masked.count == octets.count && !masked.contains(Array("hun".utf8)))
  }

  /// What is no AMQP is nobody's secret, and passes.
  @Test func anythingElsePasses() {
    for text in ["HTTP/1.1 400 Bad Request\r\n\r\n", "\u{0}\u{0}\u{0}\u{1}\u{2}\u{0}\u{0}\u{0}", "A"] {
      let octets = Array(text.utf8)
      #expect(Self.masked(octets).count == octets.count)
    }
  }
}
