/// What must stay cheap and bounded however the octets are chosen. Costs are counted, not timed.
import Bytes
import Support
import Testing
import Wire

@Suite struct HostileTests {
  private func frame(_ message: [UInt8]) -> [UInt8] {
    var q = ByteQueue()
    q.appendFrame(.amqp, channel: 0) { q in
      q.append(octets("005314c0020143"))
      q.append(message)
    }
    return q.bytes
  }

  private func dissect(_ bytes: [UInt8]) -> Dissector {
    var dissector = Dissector()
    dissector.limits.frameSize = .max
    _ = dissector.frame(bytes.span, at: 0, payload: .message)
    #expect(dissector.firstFlaw(octets: bytes.count) == nil)
    return dissector
  }

  @Test(arguments: [(10_000, nil), (10_001, "at most 10000 sections")] as [(Int, String?)])
  func sections(_ count: Int, _ expected: String?) {
    let dissector = dissect(frame(Array(repeatElement(octets("005375a000"), count: count).joined())))
    #expect(dissector.firstFault?.expected == expected)
  }

  /// One fault and no more, and no more nodes than the limit lets through.
  @Test(arguments: ["00", "005377", "c0ff01", "e0ff0100", "0040"]) func nestedWithoutEnd(_ unit: String) {
    let dissector = dissect(frame(octets("005377") + Array(repeatElement(octets(unit), count: 100_000).joined())))
    #expect(dissector.problems.count == 1)
    #expect(dissector.nodes.count < 100_010)
  }

  /// Descriptors of descriptors, and an end before any value: each is looked at once, not twice for each level.
  @Test func describedWithoutValues() {
    let bytes = Array(repeatElement(UInt8(0), count: 60))
    var dissector = Dissector()
    #expect(dissector.value(bytes.span, at: 0, limit: bytes.count) == nil)
    guard case .described(_, .null) = dissector.value(at: 0, bytes.span) else {
      Issue.record("a value where there is none")
      return
    }
  }

  @Test(arguments: [1, 3, 64] as [UInt8]) func depthLimit(_ limit: UInt8) throws {
    var limits = Limits()
    limits.depth = limit
    let deep = octets(String(repeating: "0044", count: Int(limit)) + "40")
    _ = try decode(deep, limits: limits)
    let deeper = octets("0044") + deep
    #expect(throws: Problem.self) { try decode(deeper, limits: limits) }
  }

  /// Whoever looks on passes over what nests deeper, whatever it is, and reads on behind it.
  @Test(arguments: ["c0", "c1", "e0", "00"]) func passesOverDeeper(_ kind: String) {
    var dissector = Dissector()
    dissector.limits = .onlooker(frameSize: 1 << 20)
    for depth in [10, 239, 240, 241, 242, 1_000, 5_000] {
      var value: [UInt8] = [0x41]
      for _ in 0..<depth {
        let size = withUnsafeBytes(of: UInt32(value.count + (kind == "e0" ? 4 : kind == "c1" ? 5 : 4)).bigEndian) {
          Array($0)
        }
        switch kind {
        case "c0": value = [0xd0] + size + [0, 0, 0, 1] + value
        case "c1": value = [0xd1] + size + [0, 0, 0, 2, 0x40] + value
        case "e0": value = value[0] == 0x41 ? [0x41] : value
        default: value = [0x00, 0x53, 0x05] + value
        }
      }
      if kind == "e0" {
        // Arrays share the constructor of what is in them, so that one more level is a constructor inside the last.
        var inner: [UInt8] = [0x50, 7]
        for _ in 0..<depth {
          let content = [0, 0, 0, 1] + inner
          inner = [0xf0] + withUnsafeBytes(of: UInt32(content.count).bigEndian) { Array($0) } + content
        }
        value = inner
      }
      let bytes = frame(octets("005377") + value)
      #expect(dissector.frame(bytes.span, at: 0, payload: .message) == .frame(end: bytes.count))
      #expect(dissector.firstFlaw(octets: bytes.count) == nil)
      #expect(!dissector.isMalformed, "\(kind) \(depth): \(dissector.firstFault?.text ?? "")")
      #expect(dissector.problems.isEmpty == (depth < 239), "\(kind) \(depth)")
      #expect(dissector.reencoded(bytes.span) == bytes)
    }
  }

  @Test func limitOfValues() throws {
    var limits = Limits()
    limits.values = 11
    _ = try decode(octets("c00b0a40404040404040404040"), limits: limits)
    #expect(throws: Problem.self) { try decode(octets("c00c0b4040404040404040404040"), limits: limits) }
  }

  @Test func limitOfZeroWidthElements() throws {
    let most = try decode(octets("f0000000050001000045"))
    #expect(most == .array(ArrayValue(.list, [], repeated: .init(constructor: 0x45, count: 65_536))))
    #expect(throws: Problem.self) { try decode(octets("f0000000050001000145")) }
    var limits = Limits()
    limits.zeroWidthElements = 1
    #expect(throws: Problem.self) { try decode(octets("e0020241"), limits: limits) }
  }

  /// Five octets claim billions of elements; nothing is made of them.
  @Test func zeroWidthElementsTakeNoNodes() {
    let arrays = Array(repeatElement(octets("f0000000050001000040"), count: 1_000).joined())
    var q = ByteQueue()
    q.append32(UInt32(arrays.count + 4))
    q.append32(1_000)
    let dissector = dissect(frame(octets("005377d0") + q.bytes + arrays))
    #expect(!dissector.isMalformed)
    #expect(dissector.nodes.count < 1_020)
  }

  /// A megabyte of different keys. That they are not compared pair by pair shows in that it ends at all: 105,000 of them
  /// would take five billion steps.
  @Test func mapOfManyKeys() {
    let count: UInt32 = 105_000
    var q = ByteQueue()
    q.append(octets("005377d1"))
    q.append32(count * 10 + 4)
    q.append32(count * 2)
    for i in 0..<count {
      q.append(0x80)
      q.append64(UInt64(i) << 20)
      q.append(0x40)
    }
    #expect(q.count > 1 << 20)
    var dissector = Dissector()
    q.withReadable { dissector.message($0, in: 0..<$0.count) }
    #expect(dissector.problems == [])
    #expect(dissector.nodes.count == Int(count) * 2 + 3)
  }

  /// A key that stands everywhere is told once.
  @Test func mapOfOneKey() {
    var q = ByteQueue()
    q.append(octets("005377"))
    q.append(Value.map(Array(repeating: MapEntry(.string("k"), .null), count: 50_000)))
    #expect(dissect(frame(q.bytes)).problems.count == 1)
  }

  /// As many faults as octets make a short list of complaints.
  @Test(arguments: ["5602", "a301ff", "a101ff", "73ffffffff"]) func complaintsAreBounded(_ unit: String) {
    let items = Array(repeatElement(octets(unit), count: 50_000).joined())
    var q = ByteQueue()
    q.append32(UInt32(items.count + 4))
    q.append32(50_000)
    let dissector = dissect(frame(octets("005377d0") + q.bytes + items))
    #expect(dissector.problems.count == 64)
    #expect(dissector.isMalformed)
  }

  /// Warnings that fill the list leave room for the fault behind them.
  @Test func warningsDoNotHideAFault() {
    let sections = Array(repeatElement(octets("00537740") + octets("00537045"), count: 200).joined())
    let dissector = dissect(frame(sections + [0x41]))
    #expect(dissector.firstFault?.expected == "a described section (0x00)")
  }

  /// The memory of one frame serves the next: nothing of it shows.
  @Test func nothingIsLeftOfTheLastFrame() {
    var used = Dissector()
    for vector in FrameVector.all {
      var fresh = Dissector()
      let one = used.frame(vector.bytes.span, at: 0, payload: .message)
      let other = fresh.frame(vector.bytes.span, at: 0, payload: .message)
      #expect(one == other)
      #expect(used.problems == fresh.problems, "\(vector)")
      #expect(used.nodes.count == fresh.nodes.count, "\(vector)")
    }
  }
}
