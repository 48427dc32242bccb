/// Field tables of §4.2.5.5 as RabbitMQ reads and writes them: values to octets. Reading is in FieldTableReader.
/// There is no type for tables: a table is a map with text for keys, and what 0-9-1 knows and 1.0 doesn't is a described
/// value whose descriptor starts with "amqp-0-9-1:".
package import Bytes

/// Which meaning a letter has. Octets are always written in RabbitMQ's.
package enum FieldTableDialect: Sendable { case rabbitMQ, specification }

/// A value that 0-9-1 has no octets for.
package struct FieldFault: Error, Sendable, Equatable {
  /// "header a: a string of 300 octets is longer than 255"
  package var reason: String
  package init(_ reason: String) { self.reason = reason }
}

extension Value {
  /// The descriptors of what 1.0 has no type for.
  package static let decimal091 = Value.symbol("amqp-0-9-1:decimal")
  package static let longstr091 = Value.symbol("amqp-0-9-1:longstr")
  package static let timestamp091 = Value.symbol("amqp-0-9-1:timestamp")

  /// A long string: text when it is UTF-8.
  static func longstr(_ b: Span<UInt8>) -> Value {
    b.firstInvalidUTF8() == nil ? .string(b.text) : .described(descriptor: longstr091, value: .binary(b.array))
  }

  /// A short string, which may not be UTF-8 either.
  static func shortstr(_ b: Span<UInt8>) -> Value {
    b.firstInvalidUTF8() == nil ? .string(b.text) : .binary(b.array)
  }

  /// Seconds on the wire, milliseconds here; a number too large for that stays one of seconds.
  static func timestamp(seconds: UInt64) -> Value {
    let signed = Int64(bitPattern: seconds)
    let (milliseconds, overflow) = signed.multipliedReportingOverflow(by: 1000)
    return overflow ? .described(descriptor: timestamp091, value: .ulong(seconds)) : .timestamp(milliseconds)
  }

  static func seconds(milliseconds v: Int64) -> UInt64 {
    // Rounded down, before 1970 too.
    UInt64(bitPattern: v / 1000 - (v % 1000 < 0 ? 1 : 0))
  }
}

extension ByteQueue {
  /// Appends a table with its length in front. `value` is a map, or null for an empty one.
  package mutating func appendTable(_ value: Value) throws(FieldFault) {
    switch value {
    case .null: append32(0)
    case .map(let entries): try appendTable(entries)
    default: throw FieldFault("a table is a map")
    }
  }

  private mutating func appendTable(_ entries: [MapEntry]) throws(FieldFault) {
    let start = count
    append32(0)
    for entry in entries {
      let key = try appendKey(entry.key)
      try appendField(entry.value, key)
    }
    patch32(at: readable.lowerBound + start, UInt32(count - start - 4))
  }

  private mutating func appendKey(_ key: Value) throws(FieldFault) -> String {
    switch key {
    case .string(let text), .symbol(let text):
      try appendShort(text, "the header \(text.prefix(32))…")
      return text
    case .binary(let octets):
      try appendShort(octets.span, "a header's name")
      return "with a name that is no UTF-8"
    default: throw FieldFault("a header's name is text")
    }
  }

  private mutating func appendField(_ value: Value, _ key: String) throws(FieldFault) {
    switch value {
    case .null: append(letter("V"))
    case .boolean(let v):
      append(letter("t"))
      append(v ? 1 : 0)
    case .byte(let v):
      append(letter("b"))
      append(UInt8(bitPattern: v))
    case .ubyte(let v):
      append(letter("B"))
      append(v)
    case .short(let v):
      append(letter("s"))
      append16(UInt16(bitPattern: v))
    case .ushort(let v):
      append(letter("u"))
      append16(v)
    case .int(let v):
      append(letter("I"))
      append32(UInt32(bitPattern: v))
    case .uint(let v):
      append(letter("i"))
      append32(v)
    case .long(let v):
      append(letter("l"))
      append64(UInt64(bitPattern: v))
    case .ulong(let v):
      if v > UInt64(Int64.max) { throw FieldFault("header \(key): \(v) is above the largest integer of 0-9-1") }
      append(letter("l"))
      append64(v)
    case .float(let v):
      append(letter("f"))
      append32(v)
    case .double(let v):
      append(letter("d"))
      append64(v)
    case .timestamp(let v):
      append(letter("T"))
      append64(Value.seconds(milliseconds: v))
    case .binary(let v):
      append(letter("x"))
      try appendLong(v.span, key)
    case .string(let v), .symbol(let v): try appendText(v, key)
    case .char(let v): try appendText(String(Character(v)), key)
    case .decimal32(let v): try appendText(Decimal(decimal32: v).text, key)
    case .decimal64(let v): try appendText(Decimal(decimal64: v).text, key)
    case .decimal128(let v): try appendText(Decimal(decimal128: v).text, key)
    case .uuid(let v): try appendText(Value.uuidText(v), key)
    case .map(let entries):
      append(letter("F"))
      try appendTable(entries)
    case .list(let items): try appendArray(items, key)
    case .array(let array):
      if !array.descriptors.isEmpty { throw FieldFault("header \(key): an array of described values") }
      try appendArray(array.items, key)
    case .described(let descriptor, let inner): try appendDescribed(descriptor, inner, key)
    }
  }

  private mutating func appendDescribed(_ descriptor: Value, _ inner: Value, _ key: String) throws(FieldFault) {
    switch (descriptor, inner) {
    case (.decimal091, .list(let parts)):
      guard parts.count == 2, case .ubyte(let scale) = parts[0], case .int(let value) = parts[1] else { break }
      append(letter("D"))
      append(scale)
      append32(UInt32(bitPattern: value))
      return
    case (.longstr091, .binary(let octets)):
      append(letter("S"))
      return try appendLong(octets.span, key)
    case (.timestamp091, .ulong(let seconds)):
      append(letter("T"))
      append64(seconds)
      return
    default: break
    }
    throw FieldFault("header \(key): a described value")
  }

  private mutating func appendArray(_ items: [Value], _ key: String) throws(FieldFault) {
    append(letter("A"))
    let start = count
    append32(0)
    for item in items { try appendField(item, key) }
    patch32(at: readable.lowerBound + start, UInt32(count - start - 4))
  }

  private mutating func appendText(_ text: String, _ key: String) throws(FieldFault) {
    append(letter("S"))
    try appendLong([UInt8](utf8: text).span, key)
  }

  /// Appends a long string: its length in four octets.
  package mutating func appendLong(_ octets: Span<UInt8>, _ name: @autoclosure () -> String) throws(FieldFault) {
    guard let n = UInt32(exactly: octets.count) else { throw FieldFault("\(name()): longer than 4 GiB") }
    append32(n)
    append(octets)
  }

  /// Appends a short string: its length in one octet.
  package mutating func appendShort(_ octets: Span<UInt8>, _ name: @autoclosure () -> String) throws(FieldFault) {
    guard let n = UInt8(exactly: octets.count) else {
      throw FieldFault("\(name()): \(octets.count) octets, and 0-9-1 has room for 255")
    }
    append(n)
    append(octets)
  }

  package mutating func appendShort(_ text: String, _ name: @autoclosure () -> String) throws(FieldFault) {
    try appendShort([UInt8](utf8: text).span, name())
  }
}

private func letter(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(ascii: scalar) }

extension ArrayValue {
  /// The elements, those without octets too.
  fileprivate var items: [Value] {
    guard let repeated else { return elements }
    let one: Value =
      switch repeated.constructor {
      case 0x41: .boolean(true)
      case 0x42: .boolean(false)
      case 0x43: .uint(0)
      case 0x44: .ulong(0)
      case 0x45: .list([])
      default: .null
      }
    return Array(repeating: one, count: Int(repeated.count))
  }
}

extension Value {
  /// RFC 4122: 8-4-4-4-12 digits.
  package static func uuidText(_ v: UInt128) -> String {
    var text = ""
    for i in 0..<32 {
      if i == 8 || i == 12 || i == 16 || i == 20 { text += "-" }
      text += String(UInt8(truncatingIfNeeded: v >> UInt128(124 - 4 * i)) & 15, radix: 16)
    }
    return text
  }
}
