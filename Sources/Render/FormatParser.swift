/// Takes a format string apart. What it accepts is described where it is rendered, in `Format`.
import Bytes
import Wire

struct FormatParser {
  private let text: [UInt8]
  private var at = 0

  init(_ text: String) { self.text = Array(text.utf8) }

  private static let directives = "%s %S %x %b %t %k %e %h %H{key} %p{name} %o %n %d %D %T %I %R %%"
  /// More is a slip of the finger, and would let a format ask for gigabytes of spaces.
  private static let widest = 65_535

  mutating func pieces() throws(TextFault) -> [Format.Piece] {
    var pieces: [Format.Piece] = []
    var literal: [UInt8] = []
    while at < text.count {
      let c = text[at]
      at += 1
      switch c {
      case UInt8(ascii: "\\"): literal.append(try escape())
      case UInt8(ascii: "%"):
        if at < text.count, text[at] == UInt8(ascii: "%") {
          literal.append(c)
          at += 1
          continue
        }
        let start = at
        let layout = try layout()
        let directive = try directive(from: start)
        if directive == .prefix && layout != Format.Layout() {
          throw TextFault("%R is four octets and takes no width or precision")
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        literal = []
        pieces.append(.directive(directive, layout))
      default: literal.append(c)
      }
    }
    if !literal.isEmpty { pieces.append(.literal(literal)) }
    return pieces
  }

  private mutating func escape() throws(TextFault) -> UInt8 {
    if at >= text.count { throw TextFault("the format ends in a backslash: write \\\\ for one") }
    let c = text[at]
    at += 1
    switch c {
    case UInt8(ascii: "n"): return 0x0a
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "r"): return 0x0d
    case UInt8(ascii: "0"): return 0
    case UInt8(ascii: "\\"): return c
    case UInt8(ascii: "x"):
      guard at + 2 <= text.count, let high = hexValue(text[at]), let low = hexValue(text[at + 1]) else {
        throw TextFault("\\x needs two hexadecimal digits")
      }
      at += 2
      return high << 4 | low
    default: throw TextFault("no escape \\\(rest(at - 1)): \\n \\t \\r \\0 \\\\ \\xHH")
    }
  }

  private mutating func layout() throws(TextFault) -> Format.Layout {
    var layout = Format.Layout()
    while at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "0") {
      if text[at] == UInt8(ascii: "-") { layout.left = true } else { layout.zero = true }
      at += 1
    }
    layout.width = try number() ?? 0
    if at < text.count, text[at] == UInt8(ascii: ".") {
      at += 1
      layout.precision = try number() ?? 0
    }
    return layout
  }

  private mutating func number() throws(TextFault) -> Int? {
    var n: Int?
    while at < text.count, text[at] >= 0x30, text[at] <= 0x39 {
      n = (n ?? 0) * 10 + Int(text[at] - 0x30)
      if n! > FormatParser.widest { throw TextFault("no width or precision over \(FormatParser.widest)") }
      at += 1
    }
    return n
  }

  private mutating func directive(from start: Int) throws(TextFault) -> Format.Directive {
    if at >= text.count {
      throw TextFault("the format ends in the middle of %\(rest(start)): write %% for a percent sign")
    }
    let c = text[at]
    at += 1
    switch c {
    case UInt8(ascii: "s"): return .body
    case UInt8(ascii: "S"): return .size
    case UInt8(ascii: "x"): return .hex
    case UInt8(ascii: "b"): return .base64
    case UInt8(ascii: "R"): return .prefix
    case UInt8(ascii: "t"): return .address
    case UInt8(ascii: "k"): return .key
    case UInt8(ascii: "e"): return .exchange
    case UInt8(ascii: "h"): return .headers
    case UInt8(ascii: "H"): return .header(try argument("%H{key}"))
    case UInt8(ascii: "p"):
      let name = String(decoding: try argument("%p{name}"), as: UTF8.self)
      if let field = MessageDraft.field(named: name) ?? MessageDraft.field(synonym: name) {
        return .property(section: field.section, index: field.index)
      }
      if let annotation = MessageDraft.annotation(synonym: name) { return .annotation(annotation) }
      let names = MessageDraft.fieldNames + MessageDraft.synonyms
      throw TextFault("no property '\(name)' for %p: one of \(names.joined(separator: ", "))")
    case UInt8(ascii: "o"): return .offset
    case UInt8(ascii: "n"): return .number
    case UInt8(ascii: "d"): return .deliveryCount
    case UInt8(ascii: "D"): return .redelivered
    case UInt8(ascii: "T"): return .arrival
    case UInt8(ascii: "I"): return .arrivalText
    default: throw TextFault("no directive %\(rest(at - 1)): \(FormatParser.directives)")
    }
  }

  private mutating func argument(_ form: String) throws(TextFault) -> [UInt8] {
    guard at < text.count, text[at] == UInt8(ascii: "{"), let end = text[at...].firstIndex(of: UInt8(ascii: "}")),
      end > at + 1
    else { throw TextFault("expected \(form)") }
    defer { at = end + 1 }
    return Array(text[at + 1..<end])
  }

  /// The character at `start`, or what is left when it's the end, to name it in an error.
  private func rest(_ start: Int) -> String {
    String(String(decoding: text[start...], as: UTF8.self).prefix(at > start + 1 ? at - start : 1))
  }
}
