/// The primitive types of AMQP 1.0 and their constructors (format codes), part 1 §1.6.

/// A primitive type. `any` stands for `*` in a specification row and is never the type of a value.
package enum Primitive: UInt8, Sendable, CaseIterable {
  case null, boolean, ubyte, ushort, uint, ulong, byte, short, int, long, float, double
  case decimal32, decimal64, decimal128, char, timestamp, uuid, binary, string, symbol, list, map, array, any

  package var name: String { self == .any ? "*" : String(describing: self) }
}

/// How the octets after a constructor are laid out.
package enum Layout: Sendable, Equatable {
  /// So many octets, none to sixteen.
  case fixed(Int)
  /// A length in so many octets, then that many octets.
  case variable(Int)
  /// A size and a count in so many octets each, then the items.
  case compound(Int)
  /// As compound, then one constructor for all the items.
  case array(Int)
}

/// One format code: the type it constructs and its layout.
package struct Constructor: Sendable {
  package let code: UInt8
  package let primitive: Primitive
  package let layout: Layout

  /// What an undefined code is told apart by: the constructor for it, or nil.
  package static func of(_ code: UInt8) -> Constructor? { table[Int(code)] }

  private static let table: [Constructor?] = {
    var t = [Constructor?](repeating: nil, count: 256)
    for row in rows { t[Int(row.code)] = row }
    return t
  }()

  private init(_ code: UInt8, _ primitive: Primitive, _ layout: Layout) {
    (self.code, self.primitive, self.layout) = (code, primitive, layout)
  }

  package static let rows: [Constructor] = [
    .init(0x40, .null, .fixed(0)),
    .init(0x41, .boolean, .fixed(0)), .init(0x42, .boolean, .fixed(0)), .init(0x56, .boolean, .fixed(1)),
    .init(0x50, .ubyte, .fixed(1)), .init(0x60, .ushort, .fixed(2)),
    .init(0x43, .uint, .fixed(0)), .init(0x52, .uint, .fixed(1)), .init(0x70, .uint, .fixed(4)),
    .init(0x44, .ulong, .fixed(0)), .init(0x53, .ulong, .fixed(1)), .init(0x80, .ulong, .fixed(8)),
    .init(0x51, .byte, .fixed(1)), .init(0x61, .short, .fixed(2)),
    .init(0x54, .int, .fixed(1)), .init(0x71, .int, .fixed(4)),
    .init(0x55, .long, .fixed(1)), .init(0x81, .long, .fixed(8)),
    .init(0x72, .float, .fixed(4)), .init(0x82, .double, .fixed(8)),
    .init(0x74, .decimal32, .fixed(4)), .init(0x84, .decimal64, .fixed(8)), .init(0x94, .decimal128, .fixed(16)),
    .init(0x73, .char, .fixed(4)), .init(0x83, .timestamp, .fixed(8)), .init(0x98, .uuid, .fixed(16)),
    .init(0xa0, .binary, .variable(1)), .init(0xb0, .binary, .variable(4)),
    .init(0xa1, .string, .variable(1)), .init(0xb1, .string, .variable(4)),
    .init(0xa3, .symbol, .variable(1)), .init(0xb3, .symbol, .variable(4)),
    .init(0x45, .list, .fixed(0)), .init(0xc0, .list, .compound(1)), .init(0xd0, .list, .compound(4)),
    .init(0xc1, .map, .compound(1)), .init(0xd1, .map, .compound(4)),
    .init(0xe0, .array, .array(1)), .init(0xf0, .array, .array(4)),
  ]

  /// The name in the specification's table of encodings where it differs from the type's: "smalluint", "str8".
  package var name: String {
    switch code {
    case 0x41: "true"
    case 0x42: "false"
    case 0x43: "uint0"
    case 0x52: "smalluint"
    case 0x44: "ulong0"
    case 0x53: "smallulong"
    case 0x54: "smallint"
    case 0x55: "smalllong"
    case 0xa0: "vbin8"
    case 0xb0: "vbin32"
    case 0xa1: "str8"
    case 0xb1: "str32"
    case 0xa3: "sym8"
    case 0xb3: "sym32"
    case 0x45: "list0"
    case 0xc0: "list8"
    case 0xd0: "list32"
    case 0xc1: "map8"
    case 0xd1: "map32"
    case 0xe0: "array8"
    case 0xf0: "array32"
    default: primitive.name
    }
  }
}

extension Primitive {
  /// The type that a format code constructs, or nil for an undefined code: the table above as a switch, which is what
  /// the dissector asks for every value.
  @inline(__always)
  package static func of(_ code: UInt8) -> Primitive? {
    switch code {
    case 0x40: .null
    case 0x41, 0x42, 0x56: .boolean
    case 0x50: .ubyte
    case 0x60: .ushort
    case 0x43, 0x52, 0x70: .uint
    case 0x44, 0x53, 0x80: .ulong
    case 0x51: .byte
    case 0x61: .short
    case 0x54, 0x71: .int
    case 0x55, 0x81: .long
    case 0x72: .float
    case 0x82: .double
    case 0x74: .decimal32
    case 0x84: .decimal64
    case 0x94: .decimal128
    case 0x73: .char
    case 0x83: .timestamp
    case 0x98: .uuid
    case 0xa0, 0xb0: .binary
    case 0xa1, 0xb1: .string
    case 0xa3, 0xb3: .symbol
    case 0x45, 0xc0, 0xd0: .list
    case 0xc1, 0xd1: .map
    case 0xe0, 0xf0: .array
    default: nil
    }
  }
}
