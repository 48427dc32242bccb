import Bytes
import Support
import Testing
import Wire

@testable import Render

/// The short way to a line says what the long way says, or nothing.
@Suite struct PlainFrameLineTests {
  /// Whether the short way was taken.
  func isPlain(_ octets: [UInt8]) -> Bool {
    let all = [9, 9] + octets
    var (d, plain, line) = (Dissector(), ByteQueue([0x3e]), ByteQueue([0x3e]))
    var taken = false
    for payload in [Dissector.Payload.opaque, .message] {
      (plain, line) = (ByteQueue([0x3e]), ByteQueue([0x3e]))
      taken = PlainFrameLine.append(all.span, in: 2..<all.count, payload: payload, to: &plain)
      let result = d.frame(all.span, at: 2, payload: payload)
      if taken && result == .frame(end: all.count) { FrameLine.append(d, all.span, to: &line) }
      #expect(plain.text == line.text)
      if taken { #expect(d.problems.isEmpty) }
    }
    return taken
  }

  @Test func everyVector() {
    var taken = 0
    for vector in FrameVector.all where isPlain(vector.bytes) { taken += 1 }
    #expect(taken > 10)
  }

  @Test func messagesAndSpoiltOnes() {
    var random = Random(state: 11)
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

  @Test func spoiltDispositionsAndFlows() {
    var random = Random(state: 12)
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

  /// What the gates are measured on goes this way.
  @Test func theCommonOnesArePlain() {
    var draft = MessageDraft()
    draft.header = [.boolean(true)]
    draft.properties = [.string("id-1"), .null, .string("/queues/q"), .null, .null, .ulong(7), .symbol("text/plain")]
    draft.applicationProperties = [.init(.string("k"), .string("v")), .init(.string("n"), .int(-3))]
    let bodies: [[MessageDraft.BodySection]] = [
      [.data(Array(repeating: 0x78, count: 4096))], [.data([])], [.value(.string("hi there"))],
    ]
    for body in bodies {
      draft.body = body
      var q = ByteQueue()
      draft.encode(into: &q)
      #expect(isPlain(FrameTests().frame(Code.transfer, [.uint(0), .uint(1), .binary([1, 2])], payload: q.bytes)))
    }
  }

  @Test func linkInPlaceOfItsHandle() {
    var q = ByteQueue()
    let (octets, link) = (FrameTests.hello, Array("orders".utf8))
    let taken = PlainFrameLine.append(octets.span, in: 0..<octets.count, payload: .message, link: link.span, to: &q)
    #expect(taken)
    #expect(
      q.text
        == #"ch=0 @transfer link=orders delivery-id=0 delivery-tag=0x00 message-format=0 settled=true value "hello""#)
  }
}
