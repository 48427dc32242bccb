/// One JSON document (RFC 8259) out of octets. A parser of our own, because what `send -J` reads has to come out exactly:
/// members keep their order, numbers keep their text (integers beyond 2^53, -0, exponents), and a document that two
/// parsers could read differently (duplicate keys, lone surrogates, broken UTF-8) is an error. It knows nothing of AMQP.
import Bytes

package indirect enum JSON: Sendable, Equatable {
  case null
  case boolean(Bool)
  /// The text as it stands in the document, checked against the grammar.
  case number(String)
  case string(String)
  case array([JSON])
  case object([JSONMember])

  /// The value of a member, or nil when this is no object or has no such member.
  package subscript(name: String) -> JSON? {
    if case .object(let members) = self { members.first { $0.name == name }?.value } else { nil }
  }

  /// "a number", for messages about what was found instead of what was expected.
  package var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

package struct JSONMember: Sendable, Equatable {
  package var name: String
  package var value: JSON
  package init(_ name: String, _ value: JSON) { (self.name, self.value) = (name, value) }
}

/// Why octets are not a JSON document: the offset of the first that can't be, and a short reason.
package struct JSONFault: Error, Sendable, Equatable {
  package var offset: Int
  package var reason: String
}

package struct JSONReader {
  /// How deep arrays and objects may nest.
  package static let depthLimit = 64

  private let limit: Int
  private var at = 0
  private var scratch: [UInt8] = []

  private init(limit: Int) { self.limit = limit }

  /// The document that `b` holds from start to end.
  package static func read(_ b: Span<UInt8>, depth: Int = depthLimit) throws(JSONFault) -> JSON {
    if let bad = b.firstInvalidUTF8() { throw JSONFault(offset: bad, reason: "not UTF-8") }
    var reader = JSONReader(limit: depth)
    let value = try reader.value(b, depth: 0)
    reader.skipSpace(b)
    if reader.at < b.count { throw reader.fault("something after the document") }
    return value
  }

  private func fault(_ reason: String) -> JSONFault { JSONFault(offset: at, reason: reason) }

  private mutating func skipSpace(_ b: Span<UInt8>) {
    while at < b.count, b[at] == 0x20 || b[at] == 0x0a || b[at] == 0x0d || b[at] == 0x09 { at += 1 }
  }

  private mutating func value(_ b: Span<UInt8>, depth: Int) throws(JSONFault) -> JSON {
    skipSpace(b)
    if at >= b.count { throw fault("the document ends where a value is due") }
    switch b[at] {
    case UInt8(ascii: "{"): return try object(b, depth)
    case UInt8(ascii: "["): return try array(b, depth)
    case UInt8(ascii: "\""): return .string(try string(b))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number(b))
    case UInt8(ascii: "t"): return try word(b, "true", .boolean(true))
    case UInt8(ascii: "f"): return try word(b, "false", .boolean(false))
    case UInt8(ascii: "n"): return try word(b, "null", .null)
    default: throw fault("not a JSON value")
    }
  }

  private mutating func word(_ b: Span<UInt8>, _ text: StaticString, _ value: JSON) throws(JSONFault) -> JSON {
    let n = text.utf8CodeUnitCount
    if b.count - at < n || !b.extracting(at..<at + n).matches(text) { throw fault("not a JSON value") }
    at += n
    return value
  }

  private mutating func array(_ b: Span<UInt8>, _ depth: Int) throws(JSONFault) -> JSON {
    if depth >= limit { throw fault("nested deeper than \(limit)") }
    at += 1
    var items: [JSON] = []
    skipSpace(b)
    if at < b.count, b[at] == UInt8(ascii: "]") {
      at += 1
      return .array(items)
    }
    while true {
      items.append(try value(b, depth: depth + 1))
      if try ended(b, by: UInt8(ascii: "]"), "expected , or ] in an array") { return .array(items) }
    }
  }

  private mutating func object(_ b: Span<UInt8>, _ depth: Int) throws(JSONFault) -> JSON {
    if depth >= limit { throw fault("nested deeper than \(limit)") }
    at += 1
    var members: [JSONMember] = []
    var names: Set<String> = []
    skipSpace(b)
    if at < b.count, b[at] == UInt8(ascii: "}") {
      at += 1
      return .object(members)
    }
    while true {
      skipSpace(b)
      let start = at
      if at >= b.count || b[at] != UInt8(ascii: "\"") { throw fault("expected a member name in quotes") }
      let name = try string(b)
      // A look through a few is faster than a set; a set bounds the cost of many.
      let known: Bool
      if members.count < 16 {
        known = members.contains { $0.name == name }
      } else {
        if members.count == 16 { names = Set(members.map(\.name)) }
        known = !names.insert(name).inserted
      }
      if known { throw JSONFault(offset: start, reason: "member \"\(name)\" stands twice") }
      skipSpace(b)
      if at >= b.count || b[at] != UInt8(ascii: ":") { throw fault("expected : after a member name") }
      at += 1
      members.append(JSONMember(name, try value(b, depth: depth + 1)))
      if try ended(b, by: UInt8(ascii: "}"), "expected , or } in an object") { return .object(members) }
    }
  }

  /// After an item: whether the array or object ends here (true) or another follows a comma (false).
  private mutating func ended(_ b: Span<UInt8>, by end: UInt8, _ expected: String) throws(JSONFault) -> Bool {
    skipSpace(b)
    if at >= b.count { throw fault(expected) }
    let c = b[at]
    if c != end && c != UInt8(ascii: ",") { throw fault(expected) }
    at += 1
    return c == end
  }

  private mutating func number(_ b: Span<UInt8>) throws(JSONFault) -> String {
    let start = at
    if b[at] == UInt8(ascii: "-") { at += 1 }
    if at < b.count, b[at] == UInt8(ascii: "0") { at += 1 } else { try digits(b) }
    if at < b.count, b[at] == UInt8(ascii: ".") {
      at += 1
      try digits(b)
    }
    if at < b.count, b[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < b.count, b[at] == UInt8(ascii: "+") || b[at] == UInt8(ascii: "-") { at += 1 }
      try digits(b)
    }
    if at < b.count, isDigit(b[at]) { throw fault("a number with a leading zero") }
    return b.extracting(start..<at).text
  }

  private mutating func digits(_ b: Span<UInt8>) throws(JSONFault) {
    if at >= b.count || !isDigit(b[at]) { throw fault("expected a digit") }
    while at < b.count, isDigit(b[at]) { at += 1 }
  }

  private func isDigit(_ c: UInt8) -> Bool { c >= 0x30 && c <= 0x39 }

  private mutating func string(_ b: Span<UInt8>) throws(JSONFault) -> String {
    at += 1
    let start = at
    while at < b.count {
      let c = b[at]
      if c == UInt8(ascii: "\"") {
        at += 1
        return b.extracting(start..<at - 1).text
      }
      if c == UInt8(ascii: "\\") { break }
      if c < 0x20 { throw fault("a control character in a string") }
      at += 1
    }
    // The first escape: from here on into a buffer.
    scratch.removeAll(keepingCapacity: true)
    for i in start..<at { scratch.append(b[i]) }
    while at < b.count {
      let c = b[at]
      if c < 0x20 { throw fault("a control character in a string") }
      at += 1
      if c == UInt8(ascii: "\"") { return scratch.span.text }
      if c == UInt8(ascii: "\\") { try escape(b) } else { scratch.append(c) }
    }
    throw JSONFault(offset: start - 1, reason: "a string without its closing quote")
  }

  /// What follows a backslash.
  private mutating func escape(_ b: Span<UInt8>) throws(JSONFault) {
    if at >= b.count { throw fault("the document ends in a string") }
    let c = b[at]
    at += 1
    switch c {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(c)
    case UInt8(ascii: "b"): scratch.append(0x08)
    case UInt8(ascii: "f"): scratch.append(0x0c)
    case UInt8(ascii: "n"): scratch.append(0x0a)
    case UInt8(ascii: "r"): scratch.append(0x0d)
    case UInt8(ascii: "t"): scratch.append(0x09)
    case UInt8(ascii: "u"):
      let start = at - 2
      var code = try hex4(b)
      if code >> 10 == 0x36 {
        let low: UInt32
        if b.count - at >= 2, b[at] == UInt8(ascii: "\\"), b[at + 1] == UInt8(ascii: "u") {
          at += 2
          low = try hex4(b)
        } else {
          low = 0
        }
        if low >> 10 != 0x37 { throw JSONFault(offset: start, reason: "half of a surrogate pair") }
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw JSONFault(offset: start, reason: "half of a surrogate pair")
      }
      scratch.append(contentsOf: UTF8.encode(scalar)!)
    default:
      at -= 1
      throw fault("not an escape")
    }
  }

  private mutating func hex4(_ b: Span<UInt8>) throws(JSONFault) -> UInt32 {
    if b.count - at < 4 { throw fault("expected four hexadecimal digits") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = hexValue(b[at]) else { throw fault("expected four hexadecimal digits") }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }
}
