import Bytes
import Support
import Testing
import Wire

@testable import Render

/// The short way to a frame's object writes what the long way writes, or nothing.
@Suite struct PlainFrameJSONTests {
  static let contexts: [FrameContext] = {
    var full = FrameContext()
    full.time = 1_700_000_000_000_007_000
    (full.connection, full.direction, full.offset) = (2, .serverToClient, 77)
    (full.link, full.address) = (Array("a \"link\" é".utf8), [0xff, 0x41])
    (full.latency, full.since, full.answered, full.unknown, full.part) = (5...1_000_000, "transfer", 3, 1, .first)
    return [FrameContext(), full]
  }()

  /// Whether the short way was taken.
  func isPlain(_ octets: [UInt8]) -> Bool {
    let all = [9, 9] + octets
    var d = Dissector()
    var taken = false
    for payload in [Dissector.Payload.opaque, .message] {
      for context in PlainFrameJSONTests.contexts {
        var (plain, object) = (ByteQueue([0x3e]), ByteQueue([0x3e]))
        taken = PlainFrameJSON.append(all.span, in: 2..<all.count, payload: payload, context, to: &plain)
        let result = d.frame(all.span, at: 2, payload: payload)
        if taken && result == .frame(end: all.count) { FrameJSON.append(d, all.span, context, to: &object) }
        #expect(plain.text == object.text)
        if taken { #expect(d.problems.isEmpty) }
      }
    }
    return taken
  }

  @Test func everyVector() {
    var taken = 0
    for vector in FrameVector.all where isPlain(vector.bytes) { taken += 1 }
    #expect(taken > 10)
  }

  @Test func messagesAndSpoiltOnes() {
    var random = Random(state: 21)
    var taken = 0
    for round in 0..<4000 {
      var q = ByteQueue()
      random.draft().encode(into: &q)
      let fields: [Value] = [
        .uint(UInt32(random.below(300))), .uint(1), .binary([UInt8](repeating: 7, count: random.below(40))), .uint(0),
        .boolean(random.below(2) == 0), .boolean(random.below(4) == 0),
      ]
      var octets = FrameTests().frame(Code.transfer, fields, payload: q.bytes)
      if round % 4 != 0 { octets[random.below(octets.count)] = UInt8(truncatingIfNeeded: random.next()) }
      if isPlain(octets) { taken += 1 }
    }
    #expect(taken > 100)
  }

  @Test func spoiltOnes() {
    var random = Random(state: 22)
    let state = Value.described(descriptor: .ulong(Code.accepted), value: .list([]))
    let frames = [
      FrameTests().frame(Code.disposition, [.boolean(true), .uint(7), .uint(300), .boolean(true), state]),
      FrameTests().frame(Code.flow, [.uint(0), .uint(5), .uint(9_000), .uint(1), .uint(0), .uint(1), .uint(100)]),
      FrameTests().frame(
        Code.transfer, [.uint(0), .uint(7), .binary([1]), .uint(0), .boolean(false)],
        payload: hex("005370c00101" + "41") + hex("005373c00f07404040404040a30a746578742f706c61696e")
          + hex("005375a00161")),
    ]
    for frame in frames {
      #expect(isPlain(frame) || frame[10] == 0x14)
      for _ in 0..<3000 {
        var octets = frame
        for _ in 0...random.below(2) { octets[4 + random.below(octets.count - 4)] = UInt8(random.below(256)) }
        _ = isPlain(octets)
      }
    }
  }

  /// What the gates are measured on, and what is usual beside it, goes this way.
  @Test func theCommonOnesArePlain() {
    var draft = MessageDraft()
    draft.header = [.boolean(true), .ubyte(4), .uint(60_000)]
    draft.properties = [
      .string("id-1"), .binary(Array("guest".utf8)), .string("/queues/q"), .null, .null, .ulong(7),
      .symbol("text/plain"), .null, .timestamp(1_700_000_000_000),
    ]
    draft.messageAnnotations = [.init(.symbol("x-a"), .symbol("z")), .init(.symbol("x-t"), .timestamp(1))]
    draft.applicationProperties = [
      .init(.string("k"), .string("v")), .init(.string("n"), .int(-3)), .init(.string("l"), .long(1 << 40)),
      .init(.string("u"), .ulong(5)), .init(.string("b"), .boolean(false)), .init(.string("0"), .null),
    ]
    let json = Array(#"{"id":7,"name":"Zoë \\ \u0007"}"#.utf8) + [0x0a, 0x09, 0x01, 0x7f]
    let bodies: [[MessageDraft.BodySection]] = [
      [.data(Array(repeating: 0x78, count: 4096))], [.data([])], [.data(json)], [.data([0xff, 0, 0xfe])],
      [.value(.string("hi \"there\""))],
    ]
    for body in bodies {
      draft.body = body
      var q = ByteQueue()
      draft.encode(into: &q)
      #expect(isPlain(FrameTests().frame(Code.transfer, [.uint(0), .uint(1), .binary([1, 2])], payload: q.bytes)))
    }
  }
}
