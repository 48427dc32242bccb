/// The `-f` format string of `receive`, checked and taken apart once, then rendered for every message.
///
///     %s body  %S its length  %x hex  %b base64  %R its length as four octets   %t address  %k subject or routing key
///     %e exchange  %h application-properties, k=v,k=v  %H{key} one of them  %p{name} a field of header or properties
///     %o offset in a stream  %n number in this run  %d delivery count  %D redelivered  %T arrival ms  %I arrival RFC 3339
///     %%  and \n \t \r \0 \\ \xHH. Width, precision, - and 0 as printf has them; they count characters, not octets.
///
/// What a message doesn't have is empty.
package import Bytes
package import Wire

package struct Format: Sendable {
  enum Directive: Sendable, Equatable {
    case body, size, hex, base64, prefix
    case address, key, exchange, headers
    case header([UInt8])
    case property(section: UInt64, index: Int)
    case annotation(String)
    case offset, number, deliveryCount, redelivered, arrival, arrivalText

    /// Whether zeros and a minimum of digits make sense.
    var isNumber: Bool {
      switch self {
      case .size, .number, .deliveryCount, .arrival, .offset: true
      case .body, .hex, .base64, .prefix, .address, .key, .exchange, .headers, .header, .property, .annotation,
        .redelivered, .arrivalText:
        false
      }
    }
  }

  struct Layout: Sendable, Equatable {
    var left = false
    var zero = false
    var width = 0
    var precision: Int?
    var isPlain: Bool { width == 0 && precision == nil }
  }

  enum Piece: Sendable, Equatable {
    case literal([UInt8])
    case directive(Directive, Layout)
  }

  private(set) var pieces: [Piece] = []

  /// - Throws: what is wrong with the string and where.
  package init(_ text: String) throws(TextFault) {
    var parser = FormatParser(text)
    pieces = try parser.pieces()
  }

  /// Appends the message in `range` as the format has it.
  /// - Parameter dissector: used, and overwritten, when the format asks for more than the body.
  /// - Parameter escaped: text out of the message for a terminal, see `BodyText`.
  package func append(
    _ b: Span<UInt8>, in range: Range<Int>, _ context: MessageContext, with dissector: inout Dissector,
    escaped: Bool = false, to q: inout ByteQueue
  ) throws(Problem) {
    var dissected = false
    for piece in pieces {
      switch piece {
      case .literal(let octets): q.append(octets)
      case .directive(let directive, let layout):
        if !dissected && FormatField.needsNodes(directive) {
          dissector.message(b, in: range)
          if let fault = dissector.firstFault { throw fault }
          dissected = true
        }
        let field = FormatField(context: context, escaped: escaped)
        if layout.isPlain {
          try field.append(directive, b, range, dissector, to: &q)
        } else {
          var text = ByteQueue()
          try field.append(directive, b, range, dissector, to: &text)
          q.append(text, layout, number: directive.isNumber)
        }
      }
    }
  }
}

/// One directive of one message.
private struct FormatField {
  let context: MessageContext
  let escaped: Bool

  static func needsNodes(_ directive: Format.Directive) -> Bool {
    switch directive {
    case .body, .size, .hex, .base64, .prefix, .address, .number, .arrival, .arrivalText: false
    case .key, .exchange, .headers, .header, .property, .annotation, .offset, .deliveryCount, .redelivered: true
    }
  }

  func append(
    _ directive: Format.Directive, _ b: Span<UInt8>, _ range: Range<Int>, _ d: Dissector, to q: inout ByteQueue
  ) throws(Problem) {
    switch directive {
    case .body, .size, .hex, .base64, .prefix: try body(directive, b, range, to: &q)
    case .address: text(context.address, to: &q)
    case .number: if let n = context.number { q.append(decimal: n) }
    case .arrival: if let ms = context.arrival { q.append(decimal: ms) }
    case .arrivalText: if let ms = context.arrival { q.append(rfc3339: ms) }
    case .key:
      if let i = field(d, Code.properties, 3) { return value(i, b, d, to: &q) }
      if let i = annotation(d, b, "x-routing-key") { value(i, b, d, to: &q) }
    case .exchange:
      if let i = annotation(d, b, "x-exchange") { value(i, b, d, to: &q) }
    case .headers:
      guard let map = section(d, Code.applicationProperties) else { return }
      var first = true
      ValueJSON(d).eachEntry(map) { key, entry in
        if !first { q.append(UInt8(ascii: ",")) }
        first = false
        value(key, b, d, to: &q)
        q.append(UInt8(ascii: "="))
        value(entry, b, d, to: &q)
      }
    case .header(let key):
      if let i = entry(d, b, Code.applicationProperties, key) { value(i, b, d, to: &q) }
    case .property(let code, let index): if let i = field(d, code, index) { value(i, b, d, to: &q) }
    case .annotation(let name): if let i = annotation(d, b, name) { value(i, b, d, to: &q) }
    case .offset:
      let key = Array("x-stream-offset".utf8)
      if let i = annotation(d, b, "x-stream-offset") ?? annotation(d, b, "x-opt-offset")
        ?? entry(d, b, Code.applicationProperties, key)
      {
        value(i, b, d, to: &q)
      }
    case .deliveryCount: q.append(decimal: field(d, Code.header, 4).map { d.nodes[$0].value } ?? 0)
    case .redelivered:
      let again = field(d, Code.header, 4).map { d.nodes[$0].value > 0 } ?? false
      q.append(context.redelivered ?? again ? "true" : "false")
    }
  }

  private func body(
    _ directive: Format.Directive, _ b: Span<UInt8>, _ range: Range<Int>, to q: inout ByteQueue
  ) throws(Problem) {
    if let single = try BodyText.single(b, in: range) { return write(directive, b.extracting(single), to: &q) }
    var joined = ByteQueue()
    // Not the caller's: its nodes may be in use for the other directives.
    var dissector = Dissector()
    try BodyText.append(b, in: range, with: &dissector, to: &joined)
    joined.withReadable { write(directive, $0, to: &q) }
  }

  private func write(_ directive: Format.Directive, _ octets: Span<UInt8>, to q: inout ByteQueue) {
    switch directive {
    case .size: q.append(decimal: octets.count)
    case .prefix: q.append32(UInt32(octets.count))
    case .hex: q.append(hex: octets)
    case .base64: q.append(base64: octets)
    case .body, .address, .key, .exchange, .headers, .header, .property, .annotation, .offset, .number,
      .deliveryCount, .redelivered, .arrival, .arrivalText:
      if escaped { q.append(escaped: octets) } else { q.append(octets) }
    }
  }

  private func text(_ text: String?, to q: inout ByteQueue) {
    guard var text else { return }
    text.withUTF8 { p in unsafe write(.body, p.span, to: &q) }
  }

  /// Strings, symbols and binaries as their octets, null as nothing, the rest as plain JSON without quotes.
  private func value(_ i: Int, _ b: Span<UInt8>, _ d: Dissector, to q: inout ByteQueue) {
    let n = d.nodes[i]
    if n.kind == .scalar {
      switch Primitive.of(n.constructor) {
      case .null: return
      case .string, .symbol, .binary: return write(.body, b.extracting(n.contentRange), to: &q)
      case .uuid: return q.append(uuid: b.integer(at: Int(n.content)))
      case .char: return text(String(Character(Unicode.Scalar(UInt32(n.value)) ?? "\u{fffd}")), to: &q)
      default: break
      }
    }
    var json = ByteQueue()
    ValueJSON(d).plain(i, b, to: &json)
    json.withReadable { write(.body, $0, to: &q) }
  }

  // MARK: Looking up

  /// The value of the first section with this code.
  private func section(_ d: Dissector, _ code: UInt64) -> Int? {
    var i = 0
    while i < d.nodes.count {
      if d.nodes[i].place == .section, let row = CompositeSpec.row(d.nodes[i].row), row.code == code {
        return d.child(of: i, field: nil)
      }
      i = Int(d.nodes[i].next)
    }
    return nil
  }

  private func field(_ d: Dissector, _ code: UInt64, _ index: Int) -> Int? {
    guard let list = section(d, code), let i = d.child(of: list, field: UInt16(index)), !d.nodes[i].isNull else {
      return nil
    }
    return i
  }

  private func entry(_ d: Dissector, _ b: Span<UInt8>, _ code: UInt64, _ key: [UInt8]) -> Int? {
    guard let map = section(d, code) else { return nil }
    var found: Int?
    ValueJSON(d).eachEntry(map) { k, value in
      let n = d.nodes[k]
      guard n.kind == .scalar, found == nil else { return }
      switch Primitive.of(n.constructor) {
      case .string, .symbol: if b.extracting(n.contentRange).matches(key.span) { found = value }
      default: break
      }
    }
    return found
  }

  private func annotation(_ d: Dissector, _ b: Span<UInt8>, _ name: String) -> Int? {
    entry(d, b, Code.messageAnnotations, Array(name.utf8))
  }
}

extension ByteQueue {
  /// Appends text the way printf lays it out.
  fileprivate mutating func append(_ text: ByteQueue, _ layout: Format.Layout, number: Bool) {
    text.withReadable { octets in
      var characters = 0
      var end = octets.count
      for i in 0..<octets.count where octets[i] & 0xc0 != 0x80 {
        if !number, let precision = layout.precision, characters == precision {
          end = i
          break
        }
        characters += 1
      }
      var zeros = 0
      if number && end > 0 {
        if let precision = layout.precision { zeros = max(0, precision - characters) }
        if layout.zero && !layout.left && layout.precision == nil { zeros = max(0, layout.width - characters) }
      }
      let spaces = max(0, layout.width - characters - zeros)
      if !layout.left { append(repeating: 0x20, count: spaces) }
      append(repeating: 0x30, count: zeros)
      append(octets.extracting(0..<end))
      if layout.left { append(repeating: 0x20, count: spaces) }
    }
  }
}
