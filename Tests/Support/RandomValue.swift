/// Values of every kind from a fixed seed, with the boundaries of every encoding more often than chance has them.
import Wire

package struct RandomValue {
  private var random: FixedRandom

  package init(seed: UInt64) { random = FixedRandom(seed: seed) }

  package mutating func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &random) }

  package mutating func value(depth: Int = 4) -> Value {
    switch below(depth > 0 ? 30 : 22) {
    case 22, 23: .list((0..<size()).map { _ in value(depth: depth - 1) })
    case 24, 25: .map((0..<size()).map { i in MapEntry(.ulong(UInt64(i)), value(depth: depth - 1)) })
    case 26, 27: .array(array(depth: depth - 1))
    case 28, 29: .described(descriptor: value(depth: depth - 1), value: value(depth: depth - 1))
    case let kind: scalar(RandomValue.scalars[kind % RandomValue.scalars.count])
    }
  }

  private static let scalars: [Primitive] = Primitive.allCases.filter {
    switch $0 {
    case .list, .map, .array, .any: false
    case .null, .boolean, .ubyte, .ushort, .uint, .ulong, .byte, .short, .int, .long, .float, .double, .decimal32,
      .decimal64, .decimal128, .char, .timestamp, .uuid, .binary, .string, .symbol:
      true
    }
  }

  private mutating func size() -> Int { [0, 1, 2, 3, 5, 40][below(6)] }

  private mutating func bits() -> UInt64 {
    let edges: [UInt64] = [
      0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 31, 1 << 32, 1 << 63, .max, .max - 127, .max - 128,
    ]
    return below(2) == 0 ? edges[below(edges.count)] : random.next() >> UInt64(below(64))
  }

  private mutating func text(_ letters: [Character]) -> String {
    let lengths = [0, 1, 7, 8, 9, 60, 254, 255, 256, 300]
    return String((0..<lengths[below(lengths.count)]).map { _ in letters[below(letters.count)] })
  }

  private mutating func scalar(_ type: Primitive) -> Value {
    let bits = bits()
    let wide = UInt128(bits) << 64 | UInt128(random.next())
    switch type {
    case .null, .any: return .null
    case .boolean: return .boolean(bits & 1 == 1)
    case .ubyte: return .ubyte(UInt8(truncatingIfNeeded: bits))
    case .ushort: return .ushort(UInt16(truncatingIfNeeded: bits))
    case .uint: return .uint(UInt32(truncatingIfNeeded: bits))
    case .ulong: return .ulong(bits)
    case .byte: return .byte(Int8(truncatingIfNeeded: bits))
    case .short: return .short(Int16(truncatingIfNeeded: bits))
    case .int: return .int(Int32(truncatingIfNeeded: bits))
    case .long: return .long(Int64(bitPattern: bits))
    case .float: return .float(UInt32(truncatingIfNeeded: bits))
    case .double: return .double(bits)
    case .decimal32: return .decimal32(UInt32(truncatingIfNeeded: bits))
    case .decimal64: return .decimal64(bits)
    case .decimal128: return .decimal128(wide)
    case .char: return .char(Unicode.Scalar(UInt32(truncatingIfNeeded: bits % 0x11_0000)) ?? "x")
    case .timestamp: return .timestamp(Int64(bitPattern: bits))
    case .uuid: return .uuid(wide)
    case .binary: return .binary(Array(text(["a", "\0", "z"]).utf8))
    case .string: return .string(text(["a", "\0", "é", "😀", "\u{ffff}"]))
    case .symbol: return .symbol(text(["a", "\0", "\u{7f}"]))
    case .list: return .list((0..<size()).map { _ in value(depth: 0) })
    case .map: return .map((0..<size()).map { i in MapEntry(.int(Int32(i)), value(depth: 0)) })
    case .array: return .array(array(depth: 0))
    }
  }

  private mutating func array(depth: Int) -> ArrayValue {
    let descriptors = below(4) == 0 ? (0...below(2)).map { _ in value(depth: max(depth - 1, 0)) } : []
    if below(8) == 0 {
      let (code, type): (UInt8, Primitive) = [
        (0x40, .null), (0x41, .boolean), (0x42, .boolean), (0x43, .uint), (0x44, .ulong), (0x45, .list),
      ][below(6)]
      let repeated = ArrayValue.Repeated(constructor: code, count: UInt32(below(65_537)))
      return ArrayValue(type, [], descriptors: descriptors, repeated: repeated)
    }
    var type = Primitive.null
    while type == .null || type == .any || (type == .array && depth == 0) {
      type = Primitive.allCases[below(Primitive.allCases.count)]
    }
    return ArrayValue(type, (0..<size()).map { _ in scalar(type) }, descriptors: descriptors)
  }
}
