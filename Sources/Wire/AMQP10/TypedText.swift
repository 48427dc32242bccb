/// Values as people type them: `K:TYPE=V` of the command line. It owns the scalar types; lists and maps are spelled in
/// the tagged JSON, which is above this layer.
import Bytes

/// Why text is not what it should be, as the end of a sentence: "expected a ubyte (0 to 255), got '300'".
package struct TextFault: Error, Sendable, Equatable {
  package var reason: String
  package init(_ reason: String) { self.reason = reason }
}

/// One argument of the form `K=V`, `K:TYPE=V` or `K: V`, taken apart.
package struct TypedText: Sendable, Equatable {
  package var name: String
  /// The word between `:` and `=`; nil when there is none. Always one of `types`.
  package var type: String?
  package var text: String

  /// The type names that may stand in `K:TYPE=V`.
  package static let types: [String] =
    Primitive.allCases.filter { $0 != .any && $0 != .array }.map(\.name) + ["json"]

  /// A header in the manner of HTTP has a space after its colon; otherwise what follows the name's last colon is a type.
  package init(_ argument: String) throws(TextFault) {
    let utf8 = argument.utf8
    let equals = utf8.firstIndex(of: UInt8(ascii: "="))
    if let colon = utf8.firstIndex(of: UInt8(ascii: ":")), equals.map({ colon < $0 }) ?? true {
      let after = utf8.index(after: colon)
      if after < utf8.endIndex, utf8[after] == UInt8(ascii: " ") {
        name = String(argument[..<colon])
        text = String(argument[after...].drop { $0 == " " })
        if name.isEmpty { throw TextFault("expected NAME=VALUE, got '\(argument)'") }
        return
      }
    }
    guard let equals else { throw TextFault("expected NAME=VALUE, got '\(argument)'") }
    let left = argument[..<equals]
    text = String(argument[utf8.index(after: equals)...])
    if let colon = left.lastIndex(of: ":") {
      name = String(left[..<colon])
      let word = String(left[left.index(after: colon)...])
      if !TypedText.types.contains(word) {
        throw TextFault(
          "no type '\(word)' in '\(left)': one of \(TypedText.types.joined(separator: ", ")); "
            + "a name with a colon in it needs its type, \(left):string=…")
      }
      type = word
    } else {
      name = String(left)
    }
    if name.isEmpty { throw TextFault("expected NAME=VALUE, got '\(argument)'") }
  }

  /// The value of a scalar type; a string when no type is given. Lists, maps and `json` are not known here.
  package func scalar() throws(TextFault) -> Value {
    guard let type else { return .string(text) }
    guard let primitive = Primitive.allCases.first(where: { $0.name == type }) else {
      throw TextFault("no type '\(type)'")
    }
    return try TypedText.value(primitive, text)
  }

  /// The value of type `type` that `text` spells.
  package static func value(_ type: Primitive, _ text: String) throws(TextFault) -> Value {
    func need<T>(_ value: T?, _ what: String) throws(TextFault) -> T {
      guard let value else { throw TextFault("expected \(what), got '\(text)'") }
      return value
    }
    func integer<T: FixedWidthInteger>(_: T.Type, _ article: String = "a") throws(TextFault) -> T {
      try need(T(text), "\(article) \(type.name) (\(T.min) to \(T.max))")
    }
    switch type {
    case .null:
      if !text.isEmpty && text != "null" { throw TextFault("expected nothing after null, got '\(text)'") }
      return .null
    case .boolean:
      switch text {
      case "true": return .boolean(true)
      case "false": return .boolean(false)
      default: throw TextFault("expected true or false, got '\(text)'")
      }
    case .ubyte: return .ubyte(try integer(UInt8.self))
    case .ushort: return .ushort(try integer(UInt16.self))
    case .uint: return .uint(try integer(UInt32.self))
    case .ulong: return .ulong(try integer(UInt64.self))
    case .byte: return .byte(try integer(Int8.self))
    case .short: return .short(try integer(Int16.self))
    case .int: return .int(try integer(Int32.self, "an"))
    case .long: return .long(try integer(Int64.self))
    case .float: return .float(try need(Float(text), "a float").bitPattern)
    case .double: return .double(try need(Double(text), "a double").bitPattern)
    case .decimal32:
      return .decimal32(try need(Decimal(text)?.decimal32, "a decimal32 (7 digits, exponent -101 to 90)"))
    case .decimal64:
      return .decimal64(try need(Decimal(text)?.decimal64, "a decimal64 (16 digits, exponent -398 to 369)"))
    case .decimal128:
      return .decimal128(try need(Decimal(text)?.decimal128, "a decimal128 (34 digits, exponent -6176 to 6111)"))
    case .char:
      let scalars = text.unicodeScalars
      return .char(try need(scalars.count == 1 ? scalars.first : nil, "one character"))
    case .timestamp:
      let what = "a timestamp (milliseconds since 1970, or 2026-11-21T04:05:06Z)"
      return .timestamp(try need(Int64(text) ?? millisecondsFromRFC3339(Array(text.utf8).span), what))
    case .uuid: return .uuid(try need(uuid(text), "a uuid (8-4-4-4-12 hexadecimal digits)"))
    case .binary: return .binary(try need(bytesFromBase64(Array(text.utf8).span), "base64"))
    case .string: return .string(text)
    case .symbol: return .symbol(try need(text.utf8.allSatisfy { $0 < 0x80 } ? text : nil, "a symbol (ASCII)"))
    case .list, .map, .array, .any: throw TextFault("expected a \(type.name) as JSON, got '\(text)'")
    }
  }

  /// The UUID that 32 digits in the usual groups, or without any, spell.
  package static func uuid(_ text: String) -> UInt128? {
    var value: UInt128 = 0
    var digits = 0
    for (i, c) in text.utf8.enumerated() {
      if c == UInt8(ascii: "-") && text.utf8.count == 36 && (i == 8 || i == 13 || i == 18 || i == 23) { continue }
      guard let digit = hexValue(c) else { return nil }
      value = value << 4 | UInt128(digit)
      digits += 1
    }
    return digits == 32 && (text.utf8.count == 32 || text.utf8.count == 36) ? value : nil
  }
}
