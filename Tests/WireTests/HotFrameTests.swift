/// The short way through transfer, disposition and flow says what the dissector says, or nothing.
import Bytes
import Support
import Testing
import Wire

@Suite struct HotFrameTests {
  /// Every vector, and every vector with one octet changed to each of a few values.
  @Test(arguments: FrameVector.all.filter { $0.bytes.count < 300 }) func agrees(_ vector: FrameVector) {
    var dissector = Dissector()
    check(vector.bytes, &dissector)
    for i in vector.bytes.indices.dropFirst(8) {
      for octet in [0x00, 0x01, 0x05, 0x40, 0x41, 0x43, 0x50, 0x52, 0x56, 0xa0, 0xff] as [UInt8] {
        var changed = vector.bytes
        changed[i] = octet
        check(changed, &dissector)
      }
    }
  }

  /// Lists of all small scalars in all places of the three performatives.
  @Test func randomLists() {
    var random = FixedRandom(seed: 20)
    var dissector = Dissector()
    let items = [
      "40", "41", "42", "43", "5207", "70ffffffff", "5001", "5600", "5601", "5602", "a00141", "00532445", "45",
    ]
    for _ in 0..<60_000 {
      let fields = (0..<Int.random(in: 0...13, using: &random)).map { _ in items.randomElement(using: &random)! }
      let content = octets(fields.joined())
      let code = ["13", "14", "15"].randomElement(using: &random)!
      var q = ByteQueue()
      q.appendFrame(.amqp, channel: 1) { q in
        q.append(octets("0053\(code)c0"))
        q.append(UInt8(content.count + 1))
        q.append(UInt8(fields.count))
        q.append(content)
      }
      check(q.bytes, &dissector)
    }
  }

  private func check(_ bytes: [UInt8], _ dissector: inout Dissector) {
    let b = bytes.span
    guard case .frame(let end) = dissector.frame(b, at: 0, payload: .opaque) else { return }
    let start = Int(dissector.nodes[0].content)
    let malformed = dissector.isMalformed
    func field(_ n: UInt16) -> Node? {
      guard let list = dissector.child(of: 1, field: nil), let i = dissector.child(of: list, field: n) else {
        return nil
      }
      return dissector.nodes[i].isNull ? nil : dissector.nodes[i]
    }
    func number(_ n: UInt16) -> UInt32? { field(n).map { UInt32($0.value) } }
    func flag(_ n: UInt16) -> Bool? { field(n).map { $0.value == 1 } }
    let text = hexText(bytes)
    if start > end { return }
    if let hot = HotTransfer(b, from: start, to: end) {
      #expect(!malformed, "\(text)")
      #expect(hot.handle == number(0), "\(text)")
      #expect(hot.deliveryID == number(1), "\(text)")
      #expect(hot.tag == field(2)?.contentRange ?? 0..<0, "\(text)")
      #expect(hot.messageFormat == number(3) ?? 0, "\(text)")
      #expect(hot.settled == flag(4), "\(text)")
      #expect(hot.more == flag(5) ?? false, "\(text)")
      #expect((hot.rcvSettleMode?.rawValue).map(UInt32.init) == number(6), "\(text)")
      #expect(field(7) == nil, "\(text)")
      #expect(hot.aborted == flag(9) ?? false, "\(text)")
      let rest = dissector.nodes.first { $0.place == .payload }
      #expect(hot.payload == rest.map { Int($0.offset) } ?? end, "\(text)")
    }
    if let hot = HotDisposition(b, from: start, to: end) {
      #expect(!malformed, "\(text)")
      #expect(hot.role == Role(flag(0) ?? false), "\(text)")
      #expect(hot.first == number(1), "\(text)")
      #expect(hot.last == number(2) ?? hot.first, "\(text)")
      #expect(hot.settled == flag(3) ?? false, "\(text)")
      #expect((hot.state == nil) == (field(4) == nil), "\(text)")
    }
    if let hot = Flow(hot: b, from: start, to: end) {
      #expect(!malformed, "\(text)")
      #expect(hot.nextIncomingID == number(0), "\(text)")
      #expect(hot.incomingWindow == number(1), "\(text)")
      #expect(hot.nextOutgoingID == number(2), "\(text)")
      #expect(hot.outgoingWindow == number(3), "\(text)")
      #expect(hot.handle == number(4), "\(text)")
      #expect(hot.deliveryCount == number(5), "\(text)")
      #expect(hot.linkCredit == number(6), "\(text)")
      #expect(hot.available == number(7), "\(text)")
      #expect(hot.drain == flag(8) ?? false, "\(text)")
      #expect(hot.echo == flag(9) ?? false, "\(text)")
    }
  }
}
