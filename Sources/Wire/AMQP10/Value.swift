/// A value of the AMQP 1.0 type system (part 1), as the program makes and keeps it. What was received stays bytes and
/// nodes (`Dissector`) for as long as possible; a Value is made of it where somebody needs to own it.
package indirect enum Value: Sendable, Hashable {
  case null
  case boolean(Bool)
  case ubyte(UInt8)
  case ushort(UInt16)
  case uint(UInt32)
  case ulong(UInt64)
  case byte(Int8)
  case short(Int16)
  case int(Int32)
  case long(Int64)
  /// The bits, so that a NaN keeps its payload and equals itself.
  case float(UInt32)
  case double(UInt64)
  /// IEEE 754-2008 with binary integer significand, as bits.
  case decimal32(UInt32)
  case decimal64(UInt64)
  case decimal128(UInt128)
  case char(Unicode.Scalar)
  /// Milliseconds since 1970-01-01T00:00:00Z.
  case timestamp(Int64)
  /// RFC 4122, the first octet highest.
  case uuid(UInt128)
  case binary([UInt8])
  case string(String)
  case symbol(String)
  case list([Value])
  /// In the order of the wire.
  case map([MapEntry])
  case array(ArrayValue)
  case described(descriptor: Value, value: Value)

  /// nil for a described value.
  package var primitive: Primitive? {
    switch self {
    case .null: .null
    case .boolean: .boolean
    case .ubyte: .ubyte
    case .ushort: .ushort
    case .uint: .uint
    case .ulong: .ulong
    case .byte: .byte
    case .short: .short
    case .int: .int
    case .long: .long
    case .float: .float
    case .double: .double
    case .decimal32: .decimal32
    case .decimal64: .decimal64
    case .decimal128: .decimal128
    case .char: .char
    case .timestamp: .timestamp
    case .uuid: .uuid
    case .binary: .binary
    case .string: .string
    case .symbol: .symbol
    case .list: .list
    case .map: .map
    case .array: .array
    case .described: nil
    }
  }

  package var isNull: Bool { self == .null }
}

package struct MapEntry: Sendable, Hashable {
  package var key: Value
  package var value: Value
  package init(_ key: Value, _ value: Value) { (self.key, self.value) = (key, value) }
}

/// An array: one constructor for all elements (part 1 §1.6.24).
package struct ArrayValue: Sendable, Hashable {
  /// The descriptors in front of the elements' primitive constructor, outermost first; mostly none.
  package var descriptors: [Value]
  package var type: Primitive
  /// The elements without their descriptors. Empty for a zero-width constructor, see `repeated`.
  package var elements: [Value]
  /// How often a zero-width element (null, true, false, 0, empty list) stands in the array; kept as a number, because
  /// five octets can claim four billion of them.
  package var repeated: Repeated?

  package struct Repeated: Sendable, Hashable {
    package var constructor: UInt8
    package var count: UInt32
    package init(constructor: UInt8, count: UInt32) { (self.constructor, self.count) = (constructor, count) }
  }

  package init(_ type: Primitive, _ elements: [Value], descriptors: [Value] = [], repeated: Repeated? = nil) {
    (self.type, self.elements, self.descriptors, self.repeated) = (type, elements, descriptors, repeated)
  }
}

// What the machines and the front look values up by.
extension Value {
  package var text: String? {
    switch self {
    case .string(let s), .symbol(let s): s
    default: nil
    }
  }

  /// Any of the unsigned integers.
  package var unsigned: UInt64? {
    switch self {
    case .ubyte(let v): UInt64(v)
    case .ushort(let v): UInt64(v)
    case .uint(let v): UInt64(v)
    case .ulong(let v): v
    default: nil
    }
  }

  /// Any integer, signed or not, that fits.
  package var integer: Int? {
    switch self {
    case .byte(let v): Int(v)
    case .short(let v): Int(v)
    case .int(let v): Int(v)
    case .long(let v): Int(v)
    default: unsigned.flatMap { Int(exactly: $0) }
    }
  }

  package var bool: Bool? {
    if case .boolean(let v) = self { v } else { nil }
  }

  package var entries: [MapEntry]? {
    if case .map(let v) = self { v } else { nil }
  }

  /// The symbols of a field declared `multiple`: null, one symbol, an array of them, or (seen in the wild) a list.
  package var symbols: [String] {
    switch self {
    case .symbol(let s), .string(let s): [s]
    case .array(let a): a.elements.compactMap(\.text)
    case .list(let l): l.compactMap(\.text)
    default: []
    }
  }

  /// An array of symbols, or null when there is none: the form every peer understands (some refuse a single symbol).
  package init(symbols: [String]) {
    self = symbols.isEmpty ? .null : .array(ArrayValue(.symbol, symbols.map { .symbol($0) }))
  }

  package subscript(key: String) -> Value? {
    entries?.first { $0.key.text == key }?.value
  }
}
