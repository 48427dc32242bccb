/// The line of a transfer, disposition or flow straight from its octets, for those that come by the million: plain types,
/// plain text, sections in order. Whatever is not plain and well formed is answered with false and goes through the
/// dissector and `FrameLine`; a test holds both to the same text. It reads the same rows as they do.
package import Bytes
package import Wire

package struct PlainFrameLine: ~Copyable {
  /// The longest line: of names, numbers and short texts, and the start of a body.
  package static let room = 40 * PlainCursor.longest

  private var c: PlainCursor

  /// Appends the line of the frame in `range`, for which there has to be `room` and the link's. Returns false when it takes
  /// more than this; what was written then is worth nothing.
  /// - Parameter payload: how what follows a transfer is to be read.
  /// - Parameter link: what the handle stands for, shown as `link=…` in its place; plain text.
  package static func append(
    _ b: Span<UInt8>, in range: Range<Int>, payload: Dissector.Payload, link: Span<UInt8>? = nil,
    to w: inout TailWriter
  ) -> Bool {
    let start = range.lowerBound
    guard range.count >= 12, range.count <= 65_536, b.u32(start) == UInt32(range.count),
      b.u16(start &+ 4) == 0x0200, b.u16(start &+ 8) == 0x0053, (link?.count ?? 0) <= PlainCursor.longest
    else { return false }
    let code = b[start &+ 10]
    guard code >= UInt8(Code.flow) && code <= UInt8(Code.disposition) else { return false }
    let rows = PlainRows.shared
    var reader = PlainFrameLine(at: start &+ 11, end: range.upperBound)
    w.append("ch=")
    w.append(decimal: UInt64(b.u16(start &+ 6)))
    w.append(" @")
    let row = rows.rows[Int(code)]
    w.append(rows.text.span.extracting(row.name))
    var isPart = false
    guard reader.list(b, rows, row, opening: true, link, &isPart, to: &w) else { return false }
    if code != UInt8(Code.transfer) { return reader.c.at == reader.c.end }
    if case .opaque = payload { isPart = true }
    if !isPart { return reader.sections(b, rows, to: &w) }
    if reader.c.at < reader.c.end {
      w.append(UInt8(ascii: " "))
      w.append(octets: reader.c.end &- reader.c.at)
    }
    return true
  }

  /// The same behind what is in the queue, which stays as it was when it takes more than this.
  package static func append(
    _ b: Span<UInt8>, in range: Range<Int>, payload: Dissector.Payload, link: Span<UInt8>? = nil, to q: inout ByteQueue
  ) -> Bool {
    q.write(room: room + (link?.count ?? 0)) { append(b, in: range, payload: payload, link: link, to: &$0) }
  }

  private init(at: Int, end: Int) { c = PlainCursor(at: at, end: end) }

  // MARK: Lists of fields

  /// - Parameter opening: a performative, whose fields follow a space; else a section, whose first field does not.
  private mutating func list(
    _ b: Span<UInt8>, _ rows: PlainRows, _ row: PlainRows.Row, opening: Bool, _ link: Span<UInt8>?,
    _ isPart: inout Bool, to w: inout TailWriter
  ) -> Bool {
    guard let (items, stop) = c.head(b, 0xc0), items <= row.count else { return false }
    var missing = row.mandatory
    var first = !opening
    for i in 0..<items {
      if c.at >= stop { return false }
      if b[c.at] == 0x40 {
        c.at &+= 1
        continue
      }
      missing &= ~(1 << UInt32(truncatingIfNeeded: i))
      let field = rows.fields[row.first &+ i]
      if let link, opening, i == row.handle {
        w.append(" link=")
        w.append(link)
        guard c.uint(b, stop) != nil else { return false }
        continue
      }
      w.append(rows.text.span.extracting(first ? field.name.lowerBound &+ 1..<field.name.upperBound : field.name))
      first = false
      let value = c.at
      guard self.field(b, rows, field, stop, to: &w) else { return false }
      // more and aborted of a transfer.
      if row.handle == 0, i == 5 || i == 9, b[value] == 0x41 || (b[value] == 0x56 && b[value &+ 1] == 1) {
        isPart = true
      }
      // A delivery-tag that the dissector complains of.
      if row.handle == 0, i == 2, c.at &- value > 34 { return false }
    }
    return c.at == stop && missing == 0
  }

  // MARK: Values

  private mutating func field(
    _ b: Span<UInt8>, _ rows: PlainRows, _ field: PlainRows.Field, _ stop: Int, to w: inout TailWriter
  ) -> Bool {
    switch field.type {
    case .uint:
      guard let v = c.uint(b, stop), field.choices.isEmpty else { return false }
      w.append(decimal: v)
    case .boolean:
      guard let v = c.boolean(b, stop) else { return false }
      if field.choices.isEmpty {
        w.append(v ? "true" : "false")
      } else {
        w.append(rows.text.span.extracting(rows.choices[field.choices.lowerBound &+ (v ? 1 : 0)]))
      }
    case .ubyte:
      guard b[c.at] == 0x50, stop &- c.at >= 2 else { return false }
      let v = Int(b[c.at &+ 1])
      c.at &+= 2
      if v < field.choices.count {
        w.append(rows.text.span.extracting(rows.choices[field.choices.lowerBound &+ v]))
      } else {
        return false
      }
    case .binary: return b[c.at] == 0xa0 && scalar(b, bare: true, stop, to: &w)
    case .string: return b[c.at] == 0xa1 && scalar(b, bare: true, stop, to: &w)
    case .symbol:
      if b[c.at] != 0xa3 { return false }
      let value = c.at &+ 2
      if !scalar(b, bare: true, stop, to: &w) { return false }
      return !field.isContentType || !ContentType.isBinary(b.extracting(value..<c.at))
    case .any:
      if field.isState { return outcome(b, rows, stop, to: &w) }
      // message-id and address: what else they may be is rare.
      switch b[c.at] {
      case 0xa1, 0xa0, 0x44, 0x53, 0x80:
        if field.isBare && b[c.at] != 0xa1 { return false }
        return scalar(b, bare: field.isBare, stop, to: &w)
      default: return false
      }
    case .null, .ushort, .ulong, .byte, .short, .int, .long, .float, .double, .decimal32, .decimal64, .decimal128,
      .char, .timestamp, .uuid, .list, .map, .array:
      return false
    }
    return true
  }

  /// An outcome without fields: `00 53 24 45` and its like.
  private mutating func outcome(_ b: Span<UInt8>, _ rows: PlainRows, _ stop: Int, to w: inout TailWriter) -> Bool {
    guard let code = c.outcome(b, stop) else { return false }
    w.append(UInt8(ascii: "@"))
    w.append(rows.text.span.extracting(rows.rows[Int(code)].name))
    return true
  }

  /// Text that tells types apart, as `FrameNodes.appendScalar` has it.
  private mutating func scalar(_ b: Span<UInt8>, bare: Bool, _ stop: Int, to w: inout TailWriter) -> Bool {
    switch b[c.at] {
    case 0xa1:
      guard let range = c.short(b, stop) else { return false }
      return w.append(plain: b.extracting(range), bare: bare)
    case 0xa3:
      guard let range = c.short(b, stop) else { return false }
      if !bare { w.append(UInt8(ascii: ":")) }
      return w.append(plain: b.extracting(range), bare: true)
    case 0xa0:
      guard let range = c.short(b, stop) else { return false }
      w.append("0x")
      w.append(hex: b.extracting(range.lowerBound..<min(range.upperBound, range.lowerBound &+ 64)))
      if range.count > 64 {
        w.append("… (")
        w.append(octets: range.count)
        w.append(UInt8(ascii: ")"))
      }
    case 0x43, 0x52, 0x70:
      guard let v = c.uint(b, stop) else { return false }
      w.append(decimal: v)
    case 0x44, 0x53, 0x80:
      guard let v = c.ulong(b, stop) else { return false }
      w.append(decimal: v)
    case 0x41, 0x42, 0x56:
      guard let v = c.boolean(b, stop) else { return false }
      w.append(v ? "true" : "false")
    case 0x54, 0x55:
      guard stop &- c.at >= 2 else { return false }
      w.append(signed: Int64(Int8(bitPattern: b[c.at &+ 1])))
      c.at &+= 2
    case 0x71:
      guard stop &- c.at >= 5 else { return false }
      w.append(signed: Int64(b.integer(Int32.self, at: c.at &+ 1)))
      c.at &+= 5
    case 0x81:
      guard stop &- c.at >= 9 else { return false }
      w.append(signed: b.integer(Int64.self, at: c.at &+ 1))
      c.at &+= 9
    default: return false
    }
    return true
  }

  // MARK: Sections

  private mutating func sections(_ b: Span<UInt8>, _ rows: PlainRows, to w: inout TailWriter) -> Bool {
    var last: UInt8 = 0
    while c.at < c.end {
      guard let code = c.section(b, after: last) else { return false }
      last = code
      w.append(UInt8(ascii: " "))
      switch UInt64(code) {
      case Code.header, Code.properties:
        let row = rows.rows[Int(code)]
        var isPart = false
        w.append(rows.text.span.extracting(row.name))
        w.append(UInt8(ascii: "("))
        guard list(b, rows, row, opening: false, nil, &isPart, to: &w) else { return false }
        w.append(UInt8(ascii: ")"))
      case Code.applicationProperties:
        w.append(rows.text.span.extracting(rows.rows[Int(code)].name))
        guard map(b, to: &w) else { return false }
      // There is one body, and what may follow it is rare.
      case Code.data: return data(b, to: &w) && c.at == c.end
      case Code.amqpValue:
        guard b[c.at] == 0xa1 else { return false }
        w.append("value ")
        return scalar(b, bare: false, c.end, to: &w) && c.at == c.end
      default: return false
      }
    }
    return true
  }

  private mutating func map(_ b: Span<UInt8>, to w: inout TailWriter) -> Bool {
    guard let (items, stop) = c.head(b, 0xc1), items % 2 == 0, items <= 16 else { return false }
    // Where the keys are, to see that they differ.
    var keys = InlineArray<8, Int>(repeating: 0)
    w.append(UInt8(ascii: "{"))
    for i in 0..<items / 2 {
      guard c.at < stop, b[c.at] == 0xa1, let key = c.short(b, stop), c.at < stop else { return false }
      let name = b.extracting(key)
      // What may go with a token in the body is looked at by those who know how to hide it.
      if name.matches("operation") { return false }
      for k in 0..<i where b.extracting(keys[k]..<keys[k] &+ Int(b[keys[k] &- 1])).matches(name) { return false }
      keys[i] = key.lowerBound
      if i > 0 { w.append(UInt8(ascii: " ")) }
      guard w.append(plain: name, bare: true) else { return false }
      w.append(UInt8(ascii: "="))
      if b[c.at] == 0x40 {
        w.append("null")
        c.at &+= 1
      } else if !scalar(b, bare: false, stop, to: &w) {
        return false
      }
    }
    w.append(UInt8(ascii: "}"))
    return c.at == stop
  }

  private mutating func data(_ b: Span<UInt8>, to w: inout TailWriter) -> Bool {
    guard let range = c.data(b) else { return false }
    return PlainMethodLine.append(body: b.extracting(range), to: &w)
  }
}

extension TailWriter {
  fileprivate mutating func append(octets n: Int) {
    append(decimal: UInt64(n))
    append(n == 1 ? " octet" : " octets")
  }

  fileprivate mutating func append(signed v: Int64) {
    if v < 0 { append(UInt8(ascii: "-")) }
    append(decimal: v.magnitude)
  }

  /// Text of which nothing needs to be escaped, in quotes where it could be mistaken for what is around it.
  fileprivate mutating func append(plain text: Span<UInt8>, bare: Bool) -> Bool {
    if bare && PlainText.isSafe(text) {
      append(text)
      return true
    }
    if text.firstUnplain() < text.count { return false }
    append(UInt8(ascii: "\""))
    append(text)
    append(UInt8(ascii: "\""))
    return true
  }

  /// ASCII text in quotes, with escapes.
  mutating func append(quoted text: Span<UInt8>) -> Bool {
    let first = text.firstUnplain()
    for i in first..<text.count where text[i] >= 0x7f { return false }
    append(jsonString: text)
    return true
  }
}

enum PlainText {
  /// Whether text can stand by itself, as in `FrameNodes.appendText`: one bit a character from 0x20 on.
  @inline(__always)
  static func isSafe(_ text: Span<UInt8>) -> Bool {
    let low: UInt64 = 0x07ff_ec38
    let high: UInt64 = 0x07ff_fffe_87ff_ffff
    for i in 0..<text.count {
      let c = text[i]
      let isSafe =
        c < 0x20 || c > 0x7e
        ? false : c < 0x40 ? low >> UInt64(c &- 0x20) & 1 == 1 : high >> UInt64(c &- 0x40) & 1 == 1
      if !isSafe { return false }
    }
    return text.count > 0
  }
}
