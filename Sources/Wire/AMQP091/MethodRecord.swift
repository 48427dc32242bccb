/// A method as its row sees it: an id and its fields in order. The bridge between octets and the state machine for every
/// method that is not hot.
package import Bytes

package struct MethodRecord: Sendable, Equatable {
  /// One of `MethodID`.
  package var id: UInt32
  /// One for each field of the row, reserved ones too. Fewer stand for the empty values of the rest.
  package var fields: [Value]

  package init(_ id: UInt32, _ fields: [Value] = []) { (self.id, self.fields) = (id, fields) }

  /// The fields by name; those not named are empty: no, 0, "", the empty table.
  package init(_ id: UInt32, _ fields: KeyValuePairs<String, Value>) {
    self.id = id
    self.fields = (MethodSpec.row(id)?.fields ?? []).map { field in
      fields.first { $0.key == field.name }?.value ?? .null
    }
  }

  /// A field that was left out is null.
  package subscript(_ i: Int) -> Value { i < fields.count ? fields[i] : .null }

  /// The field with this name; null when the method has none of it.
  package subscript(_ name: String) -> Value {
    guard let i = MethodSpec.row(id)?.fields.firstIndex(where: { $0.name == name }) else { return .null }
    return self[i]
  }

  /// The octets of a string, text or not.
  package func octets(_ name: String) -> [UInt8] { self[name].stringOctets ?? [] }

  /// The text of a string; what is not UTF-8 in it is replaced.
  package func text(_ name: String) -> String { String(decoding: octets(name), as: UTF8.self) }

  /// Reads the method in the payload of a method frame. Octets behind its last field are nobody's, and left alone.
  package init(
    _ b: Span<UInt8>, _ payload: Range<Int>, limits: Limits = Limits(), dialect: FieldTableDialect = .rabbitMQ
  ) throws(Problem) {
    let id = try MethodRecord.id(b, payload)
    guard let row = MethodSpec.row(id) else { throw MethodRecord.unknown(id, at: payload.lowerBound) }
    self.init(id)
    fields.reserveCapacity(row.fields.count)
    var reader = FieldReader(payload.lowerBound + 4..<payload.upperBound)
    for field in row.fields {
      fields.append(
        try reader.value(b, field.type, "\(row.name).\(field.name)", limits: limits, dialect: dialect))
    }
  }

  /// The id in the first four octets of a method frame's payload.
  package static func id(_ b: Span<UInt8>, _ payload: Range<Int>) throws(Problem) -> UInt32 {
    if payload.count < 4 { throw noID(payload) }
    return b.u32(payload.lowerBound)
  }

  static func noID(_ payload: Range<Int>) -> Problem {
    payload.count < 2
      ? FieldReader.problem(payload.lowerBound, "2 octets of class id", "\(payload.count) left", "§4.2.4")
      : FieldReader.problem(payload.lowerBound + 2, "2 octets of method id", "\(payload.count - 2) left", "§4.2.4")
  }

  /// What is said of an id without a row. The place is that of the class or, when that is known, of the method.
  static func unknown(_ id: UInt32, at: Int) -> Problem {
    guard let name = MethodSpec.className(UInt16(id >> 16)) else {
      return FieldReader.problem(at, "a class: 10, 20, 40, 50, 60, 85 or 90", "\(id >> 16)", "§4.2.4")
    }
    return FieldReader.problem(at + 2, "a method of \(name)", "\(id & 0xffff)", "§4.2.4")
  }
}

extension ByteQueue {
  /// Appends the frame of a method. Nothing is appended when a value does not fit its field.
  package mutating func appendMethod(channel: UInt16, _ record: MethodRecord) throws(FieldFault) {
    try appendFrame091(.method, channel: channel) { (q) throws(FieldFault) in
      guard let row = MethodSpec.row(record.id) else { throw FieldFault("no method \(record.id)") }
      q.append32(record.id)
      try q.appendFields(row.fields.map(\.type), record.fields) { "\(row.name).\(row.fields[$0].name)" }
    }
  }

  /// Appends values as the types say; too few are filled up with empty ones.
  mutating func appendFields(
    _ types: [MethodFieldType], _ values: [Value], _ name: (Int) -> String
  ) throws(FieldFault) {
    var bit = 0
    for (i, type) in types.enumerated() {
      let value = i < values.count ? values[i] : .null
      if type == .bit {
        if bit % 8 == 0 { append(0) }
        guard value.isNull || value.bool != nil else { throw FieldFault("\(name(i)): not a boolean") }
        if value.bool == true {
          let at = readable.upperBound - 1
          let octet = withBytes(at..<at + 1) { $0[0] }
          patch8(at: at, octet | 1 << (bit % 8))
        }
        bit += 1
      } else {
        bit = 0
        try append(value, as: type, name(i))
      }
    }
  }

  private mutating func append(
    _ value: Value, as type: MethodFieldType, _ name: @autoclosure () -> String
  ) throws(FieldFault) {
    switch type {
    case .octet: try appendNumber(UInt8.self, value, name())
    case .short: try appendNumber(UInt16.self, value, name())
    case .long: try appendNumber(UInt32.self, value, name())
    case .longlong: try appendNumber(UInt64.self, value, name())
    case .table: try appendTable(value)
    case .timestamp:
      switch value {
      case .timestamp(let v): append64(Value.seconds(milliseconds: v))
      case .described(Value.timestamp091, .ulong(let seconds)): append64(seconds)
      case .null: append64(0)
      default: throw FieldFault("\(name()): not a timestamp")
      }
    case .shortstr, .longstr:
      guard let octets = value.isNull ? [] : value.stringOctets else { throw FieldFault("\(name()): not a string") }
      if type == .shortstr {
        try appendShort(octets.span, name())
      } else {
        try appendLong(octets.span, name())
      }
    case .bit: break
    }
  }

  private mutating func appendNumber<T: FixedWidthInteger & UnsignedInteger>(
    _: T.Type, _ value: Value, _ name: @autoclosure () -> String
  ) throws(FieldFault) {
    guard let number = value.isNull ? 0 : value.unsigned.flatMap(T.init(exactly:)) else {
      throw FieldFault("\(name()): not a number from 0 to \(T.max)")
    }
    appendInteger(number)
  }
}

extension Value {
  /// What a string field holds: text, or octets that are none.
  package var stringOctets: [UInt8]? {
    switch self {
    case .string(let text), .symbol(let text): [UInt8](utf8: text)
    case .binary(let octets): octets
    default: nil
    }
  }
}
