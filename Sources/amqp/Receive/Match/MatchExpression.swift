// One expression about a message: a field, an operator, a value.
//
//     FIELD                        it is there
//     FIELD=TEXT    FIELD!=TEXT    equal as text, or as numbers where both are
//     FIELD~REGEX   FIELD!~REGEX   an extended regular expression is found in its text
//     FIELD<N  <=  >  >=           as numbers
//
// FIELD is a property's name, `header.NAME`, `annotation.NAME`, `body`, or `body` and a path into it as JSON:
// `.name`, `["any name"]`, `[0]`, `[-1]`, `[*]`. A name ends where an operator begins; `["…"]` holds any.
// A field that isn't there, or a body that isn't JSON, fulfils only `!=` and `!~`. Of several values (`[*]`) one is enough.
// With a blank in front of an operator, one behind it doesn't count either.
import Bytes
import Render
import Wire

struct MatchExpression {
  enum Operator: String {
    case exists = ""
    case equal = "="
    case unequal = "!="
    case found = "~"
    case unfound = "!~"
    case less = "<"
    case atMost = "<="
    case greater = ">"
    case atLeast = ">="
  }

  let field: MessageField
  let comparison: Operator
  /// As it was typed.
  let operand: String
  /// `header.tenant`
  let name: String
  private let octets: [UInt8]
  private let number: MatchNumber?
  private let json: JSON?
  private let regular: RegularExpression?

  init(_ text: String) throws(TextFault) {
    var parser = FieldParser(text)
    field = try parser.field()
    name = String(decoding: parser.text[..<parser.at], as: UTF8.self)
    (comparison, operand) = try parser.rest()
    octets = [UInt8](utf8: operand)
    number = MatchNumber(operand)
    switch comparison {
    case .found, .unfound:
      do throws(TextFault) { regular = try RegularExpression(operand) } catch {
        throw TextFault("at character \(parser.valueAt + 1), a regular expression: \(error.reason)")
      }
    case .exists, .equal, .unequal: regular = nil
    case .less, .atMost, .greater, .atLeast:
      regular = nil
      if number == nil {
        throw TextFault(
          "at character \(parser.valueAt + 1) expected a number behind \(comparison.rawValue), got '\(operand)'")
      }
    }
    let isDocument = octets.first == UInt8(ascii: "{") || octets.first == UInt8(ascii: "[")
    let document = octets
    json = isDocument ? try? JSONReader.read(document.span) : nil
  }

  /// Whether it holds for the message `b`, which came from `address`.
  func holds(_ b: Span<UInt8>, address: String, _ reader: inout FieldReader) -> Bool {
    switch comparison {
    case .exists: return reader.any(field, b, address: address) { _ in true }
    case .equal, .less, .atMost, .greater, .atLeast:
      return reader.any(field, b, address: address) { compares($0) }
    case .unequal: return !reader.any(field, b, address: address) { compares($0) }
    case .found: return finds(b, address, &reader)
    case .unfound: return !finds(b, address, &reader)
    }
  }

  private func finds(_ b: Span<UInt8>, _ address: String, _ reader: inout FieldReader) -> Bool {
    guard let regular else { return false }
    if case .body(let path) = field, path.isEmpty { return reader.body(b) { regular.matches($0) } }
    return reader.any(field, b, address: address) { regular.matches(MatchExpression.octets($0).span) }
  }

  private func compares(_ found: MessageField.Found) -> Bool {
    switch comparison {
    case .equal, .unequal:
      switch found {
      case .text(let text): return text == octets
      case .number(let text):
        if let number, let other = MatchNumber(text) { return number.order(other) == 0 }
        return [UInt8](utf8: text) == octets
      case .json(let value): return json.map { $0.means(value) } ?? false
      }
    case .less, .atMost, .greater, .atLeast:
      let text: String
      switch found {
      case .text(let octets): text = String(decoding: octets, as: UTF8.self)
      case .number(let digits): text = digits
      case .json: return false
      }
      guard let number, let order = MatchNumber(text)?.order(number) else { return false }
      switch comparison {
      case .less: return order < 0
      case .atMost: return order <= 0
      case .greater: return order > 0
      default: return order >= 0
      }
    case .exists, .found, .unfound: return false
    }
  }

  /// A value as text.
  static func octets(_ found: MessageField.Found) -> [UInt8] {
    switch found {
    case .text(let text): text
    case .number(let text): [UInt8](utf8: text)
    case .json(let json): [UInt8](utf8: json.text)
    }
  }
}

/// A number of an expression: whole ones exactly, others as a double.
enum MatchNumber {
  case whole(Int128)
  case fraction(Double)

  init?(_ text: String) {
    if let whole = Int128(text) {
      self = .whole(whole)
    } else if let double = Double(text), double.isFinite {
      self = .fraction(double)
    } else {
      return nil
    }
  }

  private var double: Double {
    switch self {
    case .whole(let v): Double(v)
    case .fraction(let v): v
    }
  }

  /// Less than 0, 0 or more, as this is less than `other`, the same or more.
  func order(_ other: MatchNumber) -> Int {
    if case .whole(let a) = self, case .whole(let b) = other { return a < b ? -1 : a > b ? 1 : 0 }
    return double < other.double ? -1 : double > other.double ? 1 : 0
  }
}

/// Reads an expression from the left. Positions are octets; what is said of them counts from 1.
private struct FieldParser {
  let text: [UInt8]
  private(set) var at = 0
  /// Where the value begins, once `rest` has been asked for.
  private(set) var valueAt = 0

  init(_ text: String) { self.text = [UInt8](utf8: text) }

  private func fault(_ expected: String) -> TextFault {
    let got = at < text.count ? "'\(String(decoding: text[at...].prefix(12), as: UTF8.self))'" : "the end"
    return TextFault("at character \(at + 1) expected \(expected), got \(got)")
  }

  mutating func field() throws(TextFault) -> MessageField {
    let name = word()
    switch name {
    case "": throw fault("the name of a property, header.NAME, annotation.NAME or body")
    case "header", "annotation":
      let key = try step("header.NAME or header[\"NAME\"]")
      guard case .member(let member) = key else { throw fault("a name") }
      return name == "header" ? .header(member) : .annotation(member)
    case "body":
      var path: [MessageField.PathStep] = []
      while at < text.count, text[at] == UInt8(ascii: ".") || text[at] == UInt8(ascii: "[") {
        path.append(try step("a name"))
      }
      return .body(path)
    default:
      if let field = MessageField(property: name) { return field }
      at = 0
      throw TextFault(
        "at character 1 no property '\(name)': header.\(name) is an application property; the properties are "
          + MessageField.names.joined(separator: ", "))
    }
  }

  /// Up to a dot, a bracket, a blank or an operator.
  private mutating func word() -> String {
    let start = at
    while at < text.count, !FieldParser.ends.contains(text[at]) { at += 1 }
    return String(decoding: text[start..<at], as: UTF8.self)
  }
  private static let ends = [UInt8](utf8: ".[]=!~<> ")

  /// `.name`, `["name"]`, `[0]` or `[*]`. A header's name may have dots in it.
  private mutating func step(_ expected: String) throws(TextFault) -> MessageField.PathStep {
    guard at < text.count else { throw fault(expected) }
    let isHeader = text.first != UInt8(ascii: "b")
    switch text[at] {
    case UInt8(ascii: "."):
      at += 1
      var name = word()
      while isHeader, at < text.count, text[at] == UInt8(ascii: ".") {
        at += 1
        name += "." + word()
      }
      if name.isEmpty { throw fault("a name") }
      return .member(name)
    case UInt8(ascii: "["):
      at += 1
      guard let end = text[at...].firstIndex(of: UInt8(ascii: "]")) else {
        throw fault("a number, * or \"NAME\", then ]")
      }
      if text[at] == UInt8(ascii: "\"") { return try quoted() }
      let inside = String(decoding: text[at..<end], as: UTF8.self)
      guard inside == "*" || Int(inside) != nil else { throw fault("a number, * or \"NAME\", then ]") }
      at = end + 1
      return Int(inside).map { .item($0) } ?? .any
    default: throw fault(expected)
    }
  }

  private mutating func quoted() throws(TextFault) -> MessageField.PathStep {
    let start = at
    var end = at + 1
    while end < text.count, text[end] != UInt8(ascii: "\"") { end += text[end] == UInt8(ascii: "\\") ? 2 : 1 }
    guard end + 1 < text.count, text[end + 1] == UInt8(ascii: "]"),
      case .string(let name)? = try? JSONReader.read(text.span.extracting(start..<end + 1))
    else { throw fault("a name in quotes, then ]") }
    at = end + 2
    return .member(name)
  }

  mutating func rest() throws(TextFault) -> (MatchExpression.Operator, String) {
    let isSpaced = at < text.count && text[at] == 0x20
    while at < text.count, text[at] == 0x20 { at += 1 }
    if at == text.count { return (.exists, "") }
    for length in [2, 1] where at + length <= text.count {
      let word = String(decoding: text[at..<at + length], as: UTF8.self)
      guard let comparison = MatchExpression.Operator(rawValue: word) else { continue }
      valueAt = at + length
      if isSpaced, valueAt < text.count, text[valueAt] == 0x20 { valueAt += 1 }
      return (comparison, String(decoding: text[valueAt...], as: UTF8.self))
    }
    throw fault("one of = != ~ !~ < <= > >=")
  }
}
