/// JSON into AMQP values: the other direction of `ValueJSON`, and what people may write by hand. A plain number is a
/// long or a double; an object without a type tag is an error, never a guess.
import Bytes
package import Wire

extension Value {
  /// The value that tagged JSON stands for.
  package init(json: JSON) throws(TextFault) {
    switch json {
    case .null: self = .null
    case .boolean(let v): self = .boolean(v)
    case .string(let v): self = .string(v)
    case .number(let text): self = try Value.untagged(text)
    case .array(let items):
      var values: [Value] = []
      values.reserveCapacity(items.count)
      for item in items { values.append(try Value(json: item)) }
      self = .list(values)
    case .object(let members):
      guard members.count == 1, let member = members.first else {
        throw TextFault(
          "expected one type tag such as {\"map\":[[K,V],…]} or {\"ulong\":1}, got an object with \(members.count) members"
        )
      }
      self = try Value.tagged(member.name, member.value)
    }
  }

  private static func untagged(_ text: String) throws(TextFault) -> Value {
    let integral = text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ($0 >= 0x30 && $0 <= 0x39) }
    if !integral || text == "-0" { return .double(try double(text).bitPattern) }
    guard let v = Int64(text) else {
      throw TextFault("\(text) does not fit a long; say which type it is, such as {\"ulong\":\(text)}")
    }
    return .long(v)
  }

  private static func double(_ text: String) throws(TextFault) -> Double {
    guard let v = Double(text), v.isFinite else { throw TextFault("\(text) does not fit a double") }
    return v
  }

  private static func tagged(_ name: String, _ json: JSON) throws(TextFault) -> Value {
    if name == "described" {
      guard case .object(let members) = json, members.count == 2, let descriptor = json["descriptor"],
        let value = json["value"]
      else { throw TextFault("described: expected {\"descriptor\":V,\"value\":V}") }
      return .described(descriptor: try Value(json: descriptor), value: try Value(json: value))
    }
    do throws(TextFault) {
      if name == "longstr" { return .described(descriptor: longstr091, value: try Value(.binary, json)) }
      if name == "decimal" { return try decimal091(json) }
    } catch { throw TextFault("\(name): \(error.reason)") }
    guard let type = primitive(named: name) else { throw TextFault("no type '\(name)'") }
    do throws(TextFault) { return try Value(type, json) } catch { throw TextFault("\(name): \(error.reason)") }
  }

  /// A decimal of 0-9-1: the digits after the point are its scale.
  private static func decimal091(_ json: JSON) throws(TextFault) -> Value {
    guard case .string(let text) = json, let decimal = Decimal091(text) else {
      throw TextFault("expected digits with a point in between, such as \"-3.14\"")
    }
    return decimal.value
  }

  static func primitive(named name: String) -> Primitive? {
    switch name {
    case "null": .null
    case "boolean": .boolean
    case "ubyte": .ubyte
    case "ushort": .ushort
    case "uint": .uint
    case "ulong": .ulong
    case "byte": .byte
    case "short": .short
    case "int": .int
    case "long": .long
    case "float": .float
    case "double": .double
    case "decimal32": .decimal32
    case "decimal64": .decimal64
    case "decimal128": .decimal128
    case "char": .char
    case "timestamp": .timestamp
    case "uuid": .uuid
    case "binary": .binary
    case "string": .string
    case "symbol": .symbol
    case "list": .list
    case "map": .map
    case "array": .array
    default: nil
    }
  }

  /// The value of a type from what stands inside its tag.
  package init(_ type: Primitive, _ json: JSON) throws(TextFault) {
    switch type {
    case .ubyte, .ushort, .uint, .ulong, .byte, .short, .int, .long, .timestamp:
      // Text too: what doesn't fit a double is written in quotes.
      switch json {
      case .number(let text), .string(let text): self = try TypedText.value(type, text)
      case .null, .boolean, .array, .object: throw TextFault("expected a number, got \(json.kind)")
      }
    case .float: self = .float(try Value.floatBits(json))
    case .double: self = .double(try Value.doubleBits(json))
    case .decimal32: self = .decimal32(UInt32(try Value.bits(json, 8)))
    case .decimal64: self = .decimal64(UInt64(try Value.bits(json, 16)))
    case .decimal128: self = .decimal128(try Value.bits(json, 32))
    case .char, .uuid, .binary, .string, .symbol:
      guard case .string(let text) = json else { throw TextFault("expected a string, got \(json.kind)") }
      self = try TypedText.value(type, text)
    case .null:
      if json != .null { throw TextFault("expected null, got \(json.kind)") }
      self = .null
    case .boolean:
      guard case .boolean(let v) = json else { throw TextFault("expected true or false, got \(json.kind)") }
      self = .boolean(v)
    case .list:
      guard case .array = json else { throw TextFault("expected an array, got \(json.kind)") }
      self = try Value(json: json)
    case .map: self = .map(try Value.pairs(json))
    case .array: self = .array(try ArrayValue(json: json))
    case .any: self = try Value(json: json)
    }
  }

  private static func floatBits(_ json: JSON) throws(TextFault) -> UInt32 {
    switch json {
    case .number(let text):
      guard let v = Float(text), v.isFinite else { throw TextFault("\(text) does not fit a float") }
      return v.bitPattern
    case .string("NaN"): return 0x7fc0_0000
    case .string("Infinity"): return Float.infinity.bitPattern
    case .string("-Infinity"): return (-Float.infinity).bitPattern
    case .string(let text) where text.hasPrefix("0x"): return UInt32(try bits(.string(String(text.dropFirst(2))), 8))
    case .string, .null, .boolean, .array, .object:
      throw TextFault("expected a number, \"NaN\", \"Infinity\", \"-Infinity\" or bits such as \"0x7fc00000\"")
    }
  }

  private static func doubleBits(_ json: JSON) throws(TextFault) -> UInt64 {
    switch json {
    case .number(let text): return try double(text).bitPattern
    case .string("NaN"): return 0x7ff8_0000_0000_0000
    case .string("Infinity"): return Double.infinity.bitPattern
    case .string("-Infinity"): return (-Double.infinity).bitPattern
    case .string(let text) where text.hasPrefix("0x"): return UInt64(try bits(.string(String(text.dropFirst(2))), 16))
    case .string, .null, .boolean, .array, .object:
      throw TextFault("expected a number, \"NaN\", \"Infinity\", \"-Infinity\" or bits such as \"0x7ff8000000000000\"")
    }
  }

  private static func bits(_ json: JSON, _ digits: Int) throws(TextFault) -> UInt128 {
    guard case .string(let text) = json, text.utf8.count == digits, text.utf8.allSatisfy({ hexValue($0) != nil }),
      let bits = UInt128(text, radix: 16)
    else { throw TextFault("expected the bits as \(digits) hexadecimal digits") }
    return bits
  }

  static func pairs(_ json: JSON) throws(TextFault) -> [MapEntry] {
    guard case .array(let items) = json else { throw TextFault("expected [[K,V],…], got \(json.kind)") }
    var entries: [MapEntry] = []
    entries.reserveCapacity(items.count)
    for item in items {
      guard case .array(let pair) = item, pair.count == 2 else { throw TextFault("expected [[K,V],…]") }
      entries.append(MapEntry(try Value(json: pair[0]), try Value(json: pair[1])))
    }
    return entries
  }
}

extension ArrayValue {
  init(json: JSON) throws(TextFault) {
    guard case .object(let members) = json else {
      throw TextFault("expected {\"type\":T,\"items\":[…]}, got \(json.kind)")
    }
    for member in members where !["type", "items", "descriptors", "value", "count"].contains(member.name) {
      throw TextFault("no member \"\(member.name)\": type, items, descriptors, value, count")
    }
    guard case .string(let name)? = json["type"], let type = Value.primitive(named: name) else {
      throw TextFault("expected the elements' \"type\"")
    }
    var descriptors: [Value] = []
    if case .array(let items)? = json["descriptors"] {
      for item in items { descriptors.append(try Value(json: item)) }
    } else if json["descriptors"] != nil {
      throw TextFault("expected \"descriptors\":[V,…]")
    }
    if let count = json["count"] {
      guard case .number(let text) = count, let n = UInt32(text), n <= Limits().zeroWidthElements,
        let of = json["value"],
        json["items"] == nil
      else { throw TextFault("expected \"value\" and a \"count\" up to \(Limits().zeroWidthElements)") }
      let value = try Value(type, of)
      let code = value.smallestConstructor
      if code >> 4 != 4 { throw TextFault("only null, true, false, 0 and [] can be counted") }
      self.init(type, [], descriptors: descriptors, repeated: Repeated(constructor: code, count: n))
      return
    }
    guard case .array(let items)? = json["items"] else { throw TextFault("expected \"items\":[…]") }
    if type == .null && !items.isEmpty { throw TextFault("nulls are written \"value\":null and a \"count\"") }
    var elements: [Value] = []
    elements.reserveCapacity(items.count)
    for item in items { elements.append(try Value(type, item)) }
    self.init(type, elements, descriptors: descriptors)
  }
}

extension TypedText {
  /// The value of `K=V`, `K:TYPE=V` or `K: V`; lists, maps and `json` are the tagged JSON.
  package func value() throws(TextFault) -> Value {
    let json: JSON
    switch type {
    case "json", "list", "map":
      do throws(JSONFault) { json = try JSONReader.read(Array(text.utf8).span) } catch {
        throw TextFault("\(name): expected JSON, \(error.reason) at character \(error.offset + 1)")
      }
    default:
      do throws(TextFault) { return try scalar() } catch { throw TextFault("\(name): \(error.reason)") }
    }
    do throws(TextFault) {
      if type == "map", case .array = json { return .map(try Value.pairs(json)) }
      let value = try Value(json: json)
      if let type, type != "json", value.primitive?.name != type {
        throw TextFault("expected a \(type), got \(value.primitive?.name ?? "a described value")")
      }
      return value
    } catch { throw TextFault("\(name): \(error.reason)") }
  }
}
