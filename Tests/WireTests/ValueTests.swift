/// Values written and read again: random ones from fixed seeds, and a table at every boundary of an encoding.
import Bytes
import Support
import Testing
import Wire

private func encoded(_ value: Value) -> [UInt8] {
  var q = ByteQueue()
  q.append(value)
  return q.bytes
}

@Suite struct ValueTests {
  @Test(arguments: 1...40 as ClosedRange<UInt64>) func randomValuesSurvive(seed: UInt64) throws {
    var random = RandomValue(seed: seed)
    for _ in 0..<50 {
      let value = random.value()
      let bytes = encoded(value)
      #expect(value.encodedSize == bytes.count)
      #expect(try decode(bytes) == value)
      var dissector = Dissector()
      #expect(dissector.value(bytes.span, at: 0, limit: bytes.count) == bytes.count)
      #expect(dissector.firstFlaw(octets: bytes.count) == nil)
      #expect(dissector.reencoded(bytes.span) == bytes)
      // Cut short anywhere it is no value.
      let cut = Int(seed) * bytes.count / 41
      #expect(throws: Problem.self) { try decode(Array(bytes[..<cut])) }
    }
  }

  /// The same queue, moving and growing in between, and not at its front.
  @Test func encodesAnywhere() throws {
    var random = RandomValue(seed: 99)
    let values = (0..<200).map { _ in random.value() }
    var q = ByteQueue()
    q.append(repeating: 0xee, count: 700)
    for value in values {
      q.append(value)
      q.consume(1)
    }
    let bytes = Array(q.bytes.drop { $0 == 0xee })
    #expect(bytes == values.flatMap(encoded))
  }

  struct Case: Sendable, CustomStringConvertible {
    var value: Value
    /// The constructor and what follows it, up to the content.
    var head: String
    var size: Int
    var description: String { "\(head)… of \(size)" }

    init(_ value: Value, _ head: String, _ size: Int) { (self.value, self.head, self.size) = (value, head, size) }
  }

  private static func text(_ n: Int) -> String { String(repeating: "x", count: n) }
  private static func ubytes(_ n: Int) -> [Value] { Array(repeating: .ubyte(1), count: n) }
  private static func nulls(_ n: Int) -> [Value] { Array(repeating: .null, count: n) }

  static let smallest: [Case] = [
    .init(.uint(0), "43", 1), .init(.uint(1), "5201", 2), .init(.uint(255), "52ff", 2),
    .init(.uint(256), "7000000100", 5), .init(.uint(.max), "70ffffffff", 5),
    .init(.ulong(0), "44", 1), .init(.ulong(255), "53ff", 2), .init(.ulong(256), "800000000000000100", 9),
    .init(.int(0), "5400", 2), .init(.int(127), "547f", 2), .init(.int(128), "7100000080", 5),
    .init(.int(-128), "5480", 2), .init(.int(-129), "71ffffff7f", 5),
    .init(.long(127), "557f", 2), .init(.long(128), "810000000000000080", 9), .init(.long(-128), "5580", 2),
    .init(.long(-129), "81ffffffffffffff7f", 9),
    .init(.boolean(true), "41", 1), .init(.boolean(false), "42", 1),
    .init(.string(""), "a100", 2), .init(.string(text(255)), "a1ff78", 257),
    .init(.string(text(256)), "b100000100", 261),
    // 128 characters of two octets each.
    .init(.string(String(repeating: "é", count: 128)), "b100000100", 261),
    .init(.symbol(text(255)), "a3ff", 257), .init(.symbol(text(256)), "b300000100", 261),
    .init(.binary(Array(repeating: 0, count: 255)), "a0ff", 257),
    .init(.binary(Array(repeating: 0, count: 256)), "b000000100", 261),
    .init(.list([]), "45", 1), .init(.list([.null]), "c00201", 4),
    // The size counts the octet of the count: 254 octets of items is the most.
    .init(.list(nulls(254)), "c0fffe", 257), .init(.list(nulls(255)), "d000000103000000ff", 264),
    .init(.list(nulls(256)), "d00000010400000100", 265),
    .init(.list([.binary(Array(repeating: 0, count: 252))]), "c0ff01", 257),
    .init(.list([.binary(Array(repeating: 0, count: 253))]), "d00000010300000001", 264),
    .init(.map([]), "c10100", 3),
    .init(.map((0..<84).map { MapEntry(.ubyte($0), .null) } + [MapEntry(.null, .null)]), "c1ffaa", 257),
    .init(.map((0..<85).map { MapEntry(.ubyte($0), .null) }), "d100000103000000aa", 264),
    // The octet of the element constructor counts too: 253 one-octet elements is the most.
    .init(.array(ArrayValue(.ubyte, [])), "e0020050", 4),
    .init(.array(ArrayValue(.ubyte, ubytes(253))), "e0fffd50", 257),
    .init(.array(ArrayValue(.ubyte, ubytes(254))), "f000000103000000fe50", 264),
    .init(.array(ArrayValue(.uint, [.uint(0), .uint(255)])), "e004025200ff", 6),
    .init(.array(ArrayValue(.uint, [.uint(1), .uint(256)])), "e00a0270", 12),
    .init(.array(ArrayValue(.boolean, [.boolean(true), .boolean(false)])), "e00402560100", 6),
    .init(.array(ArrayValue(.symbol, [.symbol("a"), .symbol(text(256))])), "f00000010e00000002b3", 275),
    .init(.array(ArrayValue(.int, [.int(1), .int(-129)])), "e00a0271", 12),
    .init(.array(ArrayValue(.list, [.list([]), .list([.null])])), "e00702c00100020140", 9),
    .init(.array(ArrayValue(.null, [], repeated: .init(constructor: 0x40, count: 255))), "e002ff40", 4),
    .init(.array(ArrayValue(.null, [], repeated: .init(constructor: 0x40, count: 256))), "f0000000050000010040", 10),
    .init(.array(ArrayValue(.string, [.string("v")], descriptors: [.ulong(1)])), "e00701005301a10176", 9),
    .init(.described(descriptor: .ulong(0x77), value: .null), "00537740", 4),
    .init(.described(descriptor: .symbol("a"), value: .list([])), "00a3016145", 5),
  ]

  @Test(arguments: smallest) func smallestForm(_ expected: Case) throws {
    let bytes = encoded(expected.value)
    #expect(hexText(bytes).hasPrefix(expected.head), "\(hexText(Array(bytes.prefix(12))))")
    #expect(bytes.count == expected.size)
    #expect(expected.value.encodedSize == expected.size)
    #expect(try decode(bytes) == expected.value)
  }

  /// The order of a map and keys that stand twice are kept, and every number keeps its bits.
  @Test func nothingIsTidiedUp() throws {
    let map = Value.map([
      MapEntry(.string("b"), .double(0x7ff8_0000_0000_0001)), MapEntry(.string("a"), .float(0xffc0_0001)),
      MapEntry(.string("b"), .decimal128(1 << 127)), MapEntry(.null, .char("\u{10ffff}")),
    ])
    #expect(try decode(encoded(map)) == map)
  }

  @Test func trailingOctetsAreNoValue() throws {
    #expect(throws: Problem.self) { try decode([0x40, 0x40]) }
    #expect(throws: Problem.self) { try decode([]) }
  }

  /// The size of a level is asked for by every level around it: once each, or this would never end.
  @Test(
    arguments: [
      { .list([$0]) }, { .map([MapEntry(.string("k"), $0)]) }, { .array(ArrayValue(.list, [.list([$0])])) },
      { .described(descriptor: .ulong(1), value: .list([$0, $0.isNull ? .null : .int(7)])) },
    ] as [@Sendable (Value) -> Value]) func deepValuesAreMeasuredOnce(_ wrap: @Sendable (Value) -> Value) throws
  {
    var value = Value.null
    for _ in 0..<30 { value = wrap(value) }
    var q = ByteQueue()
    q.append(value)
    #expect(q.count == value.encodedSize)
    #expect(try decode(q.bytes) == value)
  }
}
