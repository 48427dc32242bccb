/// The letters in front of the values of a field table, §4.2.5.5: what each means in RabbitMQ's dialect, which is also
/// that of every client in use, and where the specification itself differs.
import Bytes

enum FieldLetter: UInt8, Sendable, CaseIterable {
  case boolean, byte, ubyte, short, ushort, int, uint, long, ulong, float, double, decimal
  case shortstr, longstr, timestamp, table, array, binary, null

  enum Layout: Sendable, Equatable {
    case fixed(Int)
    /// A length in one octet or in four, then that many octets.
    case length1, length4
    /// A length in four octets, then values with letters of their own.
    case nested
  }

  /// Nil for a letter that means nothing.
  @inline(__always)
  init?(_ letter: UInt8, _ dialect: FieldTableDialect) {
    switch letter {
    case UInt8(ascii: "t"): self = .boolean
    case UInt8(ascii: "b"): self = .byte
    case UInt8(ascii: "B"): self = .ubyte
    case UInt8(ascii: "s"): self = dialect == .rabbitMQ ? .short : .shortstr
    case UInt8(ascii: "U"): self = .short
    case UInt8(ascii: "u"): self = .ushort
    case UInt8(ascii: "I"): self = .int
    case UInt8(ascii: "i"): self = .uint
    case UInt8(ascii: "l"): self = dialect == .rabbitMQ ? .long : .ulong
    case UInt8(ascii: "L"): self = .long
    case UInt8(ascii: "f"): self = .float
    case UInt8(ascii: "d"): self = .double
    case UInt8(ascii: "D"): self = .decimal
    case UInt8(ascii: "S"): self = .longstr
    case UInt8(ascii: "T"): self = .timestamp
    case UInt8(ascii: "F"): self = .table
    case UInt8(ascii: "A"): self = .array
    case UInt8(ascii: "x"): self = .binary
    case UInt8(ascii: "V"): self = .null
    default: return nil
    }
  }

  @inline(__always) var layout: Layout {
    switch self {
    case .null: .fixed(0)
    case .boolean, .byte, .ubyte: .fixed(1)
    case .short, .ushort: .fixed(2)
    case .int, .uint, .float: .fixed(4)
    case .decimal: .fixed(5)
    case .long, .ulong, .double, .timestamp: .fixed(8)
    case .shortstr: .length1
    case .longstr, .binary: .length4
    case .table, .array: .nested
    }
  }

  var name: String { String(describing: self) }

  /// The value of a letter with a fixed number of octets, which are there.
  func value(_ b: Span<UInt8>, at: Int) -> Value {
    switch self {
    case .boolean: .boolean(b[at] != 0)
    case .byte: .byte(Int8(bitPattern: b[at]))
    case .ubyte: .ubyte(b[at])
    case .short: .short(b.integer(at: at))
    case .ushort: .ushort(b.u16(at))
    case .int: .int(b.integer(at: at))
    case .uint: .uint(b.u32(at))
    case .long: .long(b.integer(at: at))
    case .ulong: .ulong(b.u64(at))
    case .float: .float(b.u32(at))
    case .double: .double(b.u64(at))
    case .decimal: .described(descriptor: Value.decimal091, value: .list([.ubyte(b[at]), .int(b.integer(at: at + 1))]))
    case .timestamp: .timestamp(seconds: b.u64(at))
    case .shortstr, .longstr, .binary, .table, .array, .null: .null
    }
  }
}
