/// The object of a transfer, disposition or flow straight from its octets, as `FrameJSON` writes it, for those that come by
/// the million: plain types, short fields, sections in order, one body. Whatever is not that is answered with false and goes
/// through the dissector and `FrameJSON`; a test holds both to the same text.
package import Bytes
package import Wire

package struct PlainFrameJSON: ~Copyable {
  /// Names, numbers and texts of everything but the body and what is known about the frame.
  private static let room = 48 * PlainCursor.longest

  private var c: PlainCursor

  /// Appends the object of the frame in `range`, without a newline. Returns false, and appends nothing, when it takes more
  /// than this.
  /// - Parameter payload: how what follows a transfer is to be read.
  package static func append(
    _ b: Span<UInt8>, in range: Range<Int>, payload: Dissector.Payload, _ context: FrameContext, to q: inout ByteQueue
  ) -> Bool {
    let start = range.lowerBound
    guard range.count >= 12, range.count <= 65_536, b.u32(start) == UInt32(range.count), b.u16(start &+ 4) == 0x0200,
      b.u16(start &+ 8) == 0x0053
    else { return false }
    let code = b[start &+ 10]
    guard code >= UInt8(Code.flow) && code <= UInt8(Code.disposition) else { return false }
    let rows = PlainRows.shared
    return q.write(room: room &+ context.room &+ TailWriter.escaped &* range.count) { w in
      var reader = PlainFrameJSON(c: PlainCursor(at: start &+ 11, end: range.upperBound))
      w.append(UInt8(ascii: "{"))
      w.append(context)
      w.append("\"channel\":")
      w.append(decimal: UInt64(b.u16(start &+ 6)))
      w.append(",\"frame\":\"")
      let row = rows.rows[Int(code)]
      w.append(rows.text.span.extracting(row.name))
      w.append("\",\"fields\":")
      var isPart = false
      guard reader.fields(b, rows, row, &isPart, to: &w) else { return false }
      if code != UInt8(Code.transfer) {
        w.append(UInt8(ascii: "}"))
        return reader.c.at == reader.c.end
      }
      if case .opaque = payload { isPart = true }
      if reader.c.at < reader.c.end {
        if isPart {
          w.append(",\"payload\":\"")
          w.append(base64: b.extracting(reader.c.at..<reader.c.end))
          w.append(UInt8(ascii: "\""))
        } else {
          w.append(",\"message\":{")
          guard reader.sections(b, rows, to: &w) else { return false }
          w.append(UInt8(ascii: "}"))
        }
      }
      w.append(UInt8(ascii: "}"))
      return true
    }
  }

  private init(c: PlainCursor) { self.c = c }

  // MARK: Fields

  private mutating func fields(
    _ b: Span<UInt8>, _ rows: PlainRows, _ row: PlainRows.Row, _ isPart: inout Bool, to w: inout TailWriter
  ) -> Bool {
    guard let (items, stop) = c.head(b, 0xc0), items <= row.count else { return false }
    var missing = row.mandatory
    var first = 1
    w.append(UInt8(ascii: "{"))
    for i in 0..<items {
      if c.at >= stop { return false }
      if b[c.at] == 0x40 {
        c.at &+= 1
        continue
      }
      missing &= ~(1 << UInt32(truncatingIfNeeded: i))
      let field = rows.fields[row.first &+ i]
      // The first goes without its comma.
      w.append(rows.text.span.extracting(field.member.lowerBound &+ first..<field.member.upperBound))
      first = 0
      let value = c.at
      guard self.field(b, rows, field, stop, to: &w) else { return false }
      // more and aborted of a transfer.
      if row.handle == 0, i == 5 || i == 9, b[value] == 0x41 || (b[value] == 0x56 && b[value &+ 1] == 1) {
        isPart = true
      }
      // A delivery-tag that the dissector complains of.
      if row.handle == 0, i == 2, c.at &- value > 34 { return false }
    }
    w.append(UInt8(ascii: "}"))
    return c.at == stop && missing == 0
  }

  private mutating func field(
    _ b: Span<UInt8>, _ rows: PlainRows, _ field: PlainRows.Field, _ stop: Int, to w: inout TailWriter
  ) -> Bool {
    switch field.type {
    case .uint:
      guard let v = c.uint(b, stop), field.choices.isEmpty else { return false }
      w.append(decimal: v)
    case .boolean:
      guard let v = c.boolean(b, stop) else { return false }
      if v { w.append("true") } else { w.append("false") }
    case .ubyte:
      guard b[c.at] == 0x50, stop &- c.at >= 2 else { return false }
      let v = b[c.at &+ 1]
      c.at &+= 2
      if !field.choices.isEmpty && v >= field.choices.count { return false }
      w.append(decimal: UInt64(v))
    case .binary:
      guard b[c.at] == 0xa0, let range = c.short(b, stop) else { return false }
      // user-id is text; what is none has a tag.
      if field.isText { return text(b.extracting(range), to: &w) }
      w.append(UInt8(ascii: "\""))
      w.append(base64: b.extracting(range))
      w.append(UInt8(ascii: "\""))
    case .string:
      guard b[c.at] == 0xa1, let range = c.short(b, stop) else { return false }
      return text(b.extracting(range), to: &w)
    case .symbol:
      guard b[c.at] == 0xa3, let range = c.short(b, stop) else { return false }
      return symbol(b.extracting(range), to: &w)
    case .timestamp:
      guard b[c.at] == 0x83, stop &- c.at >= 9 else { return false }
      let v = b.integer(Int64.self, at: c.at &+ 1)
      c.at &+= 9
      if v.magnitude > 1 << 53 { return false }
      w.append(decimal: v)
    case .any:
      if field.isState {
        guard let code = c.outcome(b, stop) else { return false }
        w.append("{\"")
        w.append(rows.text.span.extracting(rows.rows[Int(code)].name))
        w.append("\":{}}")
        return true
      }
      // message-id and address: what else they may be is rare.
      guard b[c.at] == 0xa1 || (!field.isBare && (b[c.at] == 0x44 || b[c.at] == 0x53 || b[c.at] == 0x80)) else {
        return false
      }
      return tagged(b, stop, to: &w)
    case .null, .ushort, .ulong, .byte, .short, .int, .long, .float, .double, .decimal32, .decimal64, .decimal128,
      .char, .uuid, .list, .map, .array:
      return false
    }
    return true
  }

  private func text(_ octets: Span<UInt8>, to w: inout TailWriter) -> Bool {
    if octets.firstInvalidUTF8() != nil { return false }
    w.append(jsonString: octets)
    return true
  }

  private func symbol(_ octets: Span<UInt8>, to w: inout TailWriter) -> Bool {
    if octets.firstNonASCII() != nil { return false }
    w.append(jsonString: octets)
    return true
  }

  // MARK: Values

  /// A value whose type is not fixed by its place, as `ValueJSON.append` has it.
  private mutating func tagged(_ b: Span<UInt8>, _ stop: Int, to w: inout TailWriter) -> Bool {
    switch b[c.at] {
    case 0x40:
      c.at &+= 1
      w.append("null")
      return true
    case 0x41, 0x42, 0x56:
      guard let v = c.boolean(b, stop) else { return false }
      if v { w.append("true") } else { w.append("false") }
      return true
    case 0xa1:
      guard let range = c.short(b, stop) else { return false }
      return text(b.extracting(range), to: &w)
    case 0xa3:
      guard let range = c.short(b, stop) else { return false }
      w.append("{\"symbol\":")
      if !symbol(b.extracting(range), to: &w) { return false }
    case 0x43, 0x52, 0x70:
      guard let v = c.uint(b, stop) else { return false }
      w.append("{\"uint\":")
      w.append(decimal: v)
    case 0x44, 0x53, 0x80:
      guard let v = c.ulong(b, stop), v <= 1 << 53 else { return false }
      w.append("{\"ulong\":")
      w.append(decimal: v)
    case 0x54, 0x55:
      guard stop &- c.at >= 2 else { return false }
      w.append(b[c.at] == 0x54 ? "{\"int\":" : "{\"long\":")
      w.append(decimal: Int64(Int8(bitPattern: b[c.at &+ 1])))
      c.at &+= 2
    case 0x71:
      guard stop &- c.at >= 5 else { return false }
      w.append("{\"int\":")
      w.append(decimal: Int64(b.integer(Int32.self, at: c.at &+ 1)))
      c.at &+= 5
    case 0x81, 0x83:
      guard stop &- c.at >= 9 else { return false }
      let v = b.integer(Int64.self, at: c.at &+ 1)
      if v.magnitude > 1 << 53 { return false }
      w.append(b[c.at] == 0x81 ? "{\"long\":" : "{\"timestamp\":")
      w.append(decimal: v)
      c.at &+= 9
    default: return false
    }
    w.append(UInt8(ascii: "}"))
    return true
  }

  // MARK: Sections

  private mutating func sections(_ b: Span<UInt8>, _ rows: PlainRows, to w: inout TailWriter) -> Bool {
    var last: UInt8 = 0
    while c.at < c.end {
      guard let code = c.section(b, after: last) else { return false }
      if last > 0 { w.append(UInt8(ascii: ",")) }
      last = code
      switch UInt64(code) {
      case Code.header, Code.properties:
        let row = rows.rows[Int(code)]
        var isPart = false
        w.append(code == UInt8(Code.header) ? "\"header\":" : "\"properties\":")
        guard fields(b, rows, row, &isPart, to: &w) else { return false }
      case Code.messageAnnotations:
        w.append("\"message-annotations\":")
        guard map(b, keys: 0xa3, to: &w) else { return false }
      case Code.applicationProperties:
        w.append("\"application-properties\":")
        guard map(b, keys: 0xa1, to: &w) else { return false }
      // There is one body, and what may follow it is rare.
      case Code.data:
        guard let range = c.data(b), c.at == c.end else { return false }
        let octets = b.extracting(range)
        if octets.firstInvalidUTF8() == nil {
          w.append("\"body\":{\"text\":")
          w.append(jsonString: octets)
        } else {
          w.append("\"body\":{\"data\":\"")
          w.append(base64: octets)
          w.append(UInt8(ascii: "\""))
        }
        w.append(UInt8(ascii: "}"))
        return true
      case Code.amqpValue:
        guard b[c.at] == 0xa1, let range = c.short(b, c.end), c.at == c.end else { return false }
        w.append("\"body\":{\"value\":")
        guard text(b.extracting(range), to: &w) else { return false }
        w.append(UInt8(ascii: "}"))
        return true
      default: return false
      }
    }
    return true
  }

  private mutating func map(_ b: Span<UInt8>, keys type: UInt8, to w: inout TailWriter) -> Bool {
    guard let (items, stop) = c.head(b, 0xc1), items % 2 == 0, items <= 16 else { return false }
    // Where the keys are, to see that they differ.
    var keys = InlineArray<8, Int>(repeating: 0)
    w.append(UInt8(ascii: "{"))
    for i in 0..<items / 2 {
      guard c.at < stop, b[c.at] == type, let key = c.short(b, stop), c.at < stop else { return false }
      let name = b.extracting(key)
      // What may go with a token in the body is looked at by those who know how to hide it, and a map with only the key
      // "map" has a form of its own.
      if name.matches("operation") || name.matches("map") { return false }
      for k in 0..<i where b.extracting(keys[k]..<keys[k] &+ Int(b[keys[k] &- 1])).matches(name) { return false }
      keys[i] = key.lowerBound
      if i > 0 { w.append(UInt8(ascii: ",")) }
      if type == 0xa3 ? !symbol(name, to: &w) : !text(name, to: &w) { return false }
      w.append(UInt8(ascii: ":"))
      if !tagged(b, stop, to: &w) { return false }
    }
    w.append(UInt8(ascii: "}"))
    return c.at == stop
  }
}
