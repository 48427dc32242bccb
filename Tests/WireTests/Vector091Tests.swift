/// The vectors of 0-9-1, as those of 1.0: the expected verdict, the same octets again, and nothing worse when they are
/// cut or changed. `MethodRecord`, `BasicProperties` and the hot readers are held against the nodes.
import Bytes
import Support
import Testing
import Wire

@Suite struct Vector091Tests {
  @Test func everythingIsThere() {
    let names = Set(FrameVector.all091.filter { $0.verdict == .ok }.map(\.name))
    for row in MethodSpec.all { #expect(names.contains(row.name)) }
    for row in PropertySpec.basic { #expect(names.contains("property \(row.name)")) }
    for letter in "tbBsUuIilLfdDSTFAxV" {
      #expect(names.contains { $0.hasPrefix("letter \(letter)") }, "letter \(letter)")
    }
    #expect(FrameVector.all091.count { $0.verdict == .malformed } > 40)
  }

  @Test(arguments: FrameVector.all091) func verdict(_ vector: FrameVector) {
    var dissector = Dissector()
    let result = dissector.frame091(vector.bytes.span, at: 0)
    let problem: Problem?
    switch vector.verdict {
    case .ok:
      #expect(result == .frame(end: vector.bytes.count))
      #expect(dissector.problems == [])
      return
    case .incomplete:
      #expect(result == .incomplete)
      #expect(dissector.problems == [])
      problem = Dissector.truncation091(vector.bytes.span, at: 0)
    case .warning:
      #expect(result == .frame(end: vector.bytes.count))
      #expect(!dissector.isMalformed)
      problem = dissector.problems.first
    case .malformed:
      #expect(result == .frame(end: vector.bytes.count) || result == .lost)
      problem = dissector.firstFault
    }
    #expect(problem != nil)
    guard let problem else { return }
    if let offset = vector.offset { #expect(problem.offset == offset) }
    #expect(problem.text.contains(vector.text), "says: \(problem.text)")
    #expect(problem.section.hasPrefix("0-9-1 §") || problem.section == "our limit")
  }

  @Test(arguments: FrameVector.all091) func reencoding(_ vector: FrameVector) {
    var dissector = Dissector()
    let result = dissector.frame091(vector.bytes.span, at: 0)
    #expect(dissector.firstFlaw(octets: vector.bytes.count) == nil)
    #expect(dissector.nodes.allSatisfy { $0.is091 || $0.kind == .problem || $0.place == .rest })
    switch vector.verdict {
    case .ok, .warning:
      #expect(result == .frame(end: vector.bytes.count))
      #expect(hexText(dissector.reencoded(vector.bytes.span)) == hexText(vector.bytes))
    case .incomplete, .malformed: break
    }
  }

  @Test(arguments: FrameVector.all091) func cutAtEveryOctet(_ vector: FrameVector) {
    var dissector = Dissector()
    for n in 0..<vector.bytes.count {
      let result = dissector.frame091(vector.bytes.span.extracting(0..<n), at: 0)
      #expect(result == .incomplete || (result == .lost && vector.verdict == .malformed), "\(n) octets")
    }
  }

  /// A frame that says it ends earlier is malformed or means what its octets say; what is malformed for the dissector is
  /// no method and no properties either, but for octets behind the last field.
  @Test(arguments: FrameVector.all091) func cutAndSaidToEnd(_ vector: FrameVector) {
    for n in 7..<max(vector.bytes.count, 7) { agree(ended(Array(vector.bytes[..<n]))) }
  }

  @Test(arguments: FrameVector.all091.filter { $0.bytes.count < 200 }) func changed(_ vector: FrameVector) {
    for i in vector.bytes.indices.dropFirst(7).dropLast() {
      for octet in [0x00, 0x01, 0x02, 0x05, 0x3c, 0x41, 0x46, 0x53, 0x74, 0x80, 0xff] as [UInt8] {
        var changed = vector.bytes
        changed[i] = octet
        agree(changed)
      }
    }
  }

  private func ended(_ octets: [UInt8]) -> [UInt8] {
    var q = ByteQueue(octets)
    q.patch32(at: 3, UInt32(octets.count - Frame091.headSize))
    q.append(Frame091.endOctet)
    return q.bytes
  }

  private func agree(_ bytes: [UInt8]) {
    var dissector = Dissector()
    let b = bytes.span
    let text = hexText(bytes)
    guard dissector.frame091(b, at: 0) == .frame(end: bytes.count) else { return }
    #expect(dissector.firstFlaw(octets: bytes.count) == nil, "\(text)")
    if !dissector.isMalformed { #expect(hexText(dissector.reencoded(b)) == text) }
    guard case .frame(let frame) = Frame091.read(b, at: 0, largest: 65_536), dissector.nodes.count > 1 else { return }
    let trailing = dissector.firstFault?.got.hasSuffix("trailing octet(s)") == true
    let readable = !dissector.isMalformed || trailing
    switch frame.type {
    case .method:
      let record = try? MethodRecord(b, frame.payload)
      #expect((record != nil) == readable, "\(text)")
      if readable {
        let index = dissector.nodes.firstIndex { $0.place == .performative } ?? 0
        #expect(dissector.methodRecord(at: index, b) == record, "\(text)")
      }
      let hot =
        HotPublish(b, frame.payload) != nil || HotDeliver(b, frame.payload) != nil
        || HotGetOK(b, frame.payload) != nil || HotSettlement(b, frame.payload) != nil
      if hot { #expect(!dissector.isMalformed, "\(text)") }
    case .header:
      guard let head = HotContentHeader(b, frame.payload) else { return }
      let properties = try? BasicProperties(b, head.properties)
      #expect((properties != nil) == readable, "\(text)")
      guard let properties, readable, let index = dissector.nodes.firstIndex(where: { $0.place == .section }) else {
        return
      }
      for i in properties.values.indices {
        let child = dissector.child(of: index, field: UInt16(i))
        #expect(properties.values[i] == child.map { dissector.value(at: $0, b) } ?? .null, "\(text)")
      }
    case .body, .heartbeat: break
    }
  }

  /// Frames one after the other, at any distance from the start, read as they do alone.
  @Test func inOneStream() {
    let good = FrameVector.all091.filter { $0.verdict == .ok }
    let stream = good.flatMap(\.bytes)
    var dissector = Dissector()
    var at = 0
    for vector in good {
      #expect(dissector.frame091(stream.span, at: at) == .frame(end: at + vector.bytes.count))
      #expect(dissector.problems == [], "\(vector)")
      at += vector.bytes.count
    }
    #expect(at == stream.count)
  }

  /// Bare methods and content headers, as in a log.
  @Test(arguments: FrameVector.all091.filter { $0.verdict == .ok && $0.bytes[0] < 3 })
  func bare(_ vector: FrameVector) {
    let payload = Array(vector.bytes[7..<vector.bytes.count - 1])
    var dissector = Dissector()
    if vector.bytes[0] == 1 {
      dissector.method091(payload.span, in: 0..<payload.count)
    } else {
      dissector.contentHeader091(payload.span, in: 0..<payload.count)
    }
    #expect(dissector.problems == [])
    #expect(dissector.firstFlaw(octets: payload.count) == nil)
    #expect(hexText(dissector.reencoded(payload.span)) == hexText(payload))
  }

  /// A frame of nothing but faults neither grows a list of complaints nor takes long.
  @Test func hostileTables() {
    func dissect(_ table: [UInt8]) -> Dissector {
      var q = ByteQueue()
      q.appendFrame091(.header, channel: 1) { q in
        q.append(octets("003c0000 0000000000000000 2000"))
        q.append32(UInt32(table.count))
        q.append(table)
      }
      var dissector = Dissector()
      dissector.limits.frameSize = .max
      let bytes = q.bytes
      #expect(dissector.frame091(bytes.span, at: 0) == .frame(end: bytes.count))
      #expect(dissector.firstFlaw(octets: bytes.count) == nil)
      return dissector
    }
    // Inner tables, each with a letter nobody knows.
    let bad = dissect(Array(repeatElement(octets("00460000000200 71"), count: 50_000).joined()))
    #expect(bad.isMalformed && bad.problems.count <= 65)
    // Each table says that it holds all that follows.
    var deep: [UInt8] = []
    for i in 0..<100_000 {
      let left = UInt32((100_000 - i - 1) * 6)
      deep += [0, 0x46] + withUnsafeBytes(of: left.bigEndian, Array.init)
    }
    #expect(dissect(deep).nodes.count < 200)
    #expect(dissect(Array(repeatElement(octets("0056"), count: 100_000).joined())).problems.count == 1)
  }

  /// The specification's letters are what they are when asked for.
  @Test func specificationsDialect() throws {
    let header = octets("003c0000 0000000000000000 2000 00000016 0161 73 02 6869 0162 6c ffffffffffffffff 0163 5500ff")
    let bytes = ended(octets("02000100000000") + header)
    var dissector = Dissector()
    dissector.tableDialect = .specification
    #expect(dissector.frame091(bytes.span, at: 0) == .frame(end: bytes.count))
    #expect(dissector.problems == [])
    #expect(hexText(dissector.reencoded(bytes.span)) == hexText(bytes))
    let index = try #require(dissector.nodes.firstIndex { $0.kind == .map })
    #expect(
      dissector.value(at: index, bytes.span)
        == .map([
          MapEntry(.string("a"), .string("hi")), MapEntry(.string("b"), .ulong(.max)),
          MapEntry(.string("c"), .short(255)),
        ]))
    #expect(
      try BasicProperties(bytes.span, 19..<bytes.count - 1, dialect: .specification)[.headers]
        == dissector.value(at: index, bytes.span))
  }
}
