/// The line of a transfer, disposition or flow straight from its octets, for those that come by the million: plain types,
/// plain text, sections in order. Whatever is not plain and well formed is answered with false and goes through the
/// dissector and `FrameLine`; a test holds both to the same text. It reads the same rows as they do.
package import Bytes
package import Wire

package struct PlainFrameLine: ~Copyable {
  /// All that is no body must not be longer: it bounds the room that a line can take.
  private static let longest = 512
  private static let room = 40 * longest

  private var at: Int
  private let end: Int

  /// Appends the line of the frame in `range`. Returns false, and appends nothing, when it takes more than this.
  /// - Parameter payload: how what follows a transfer is to be read.
  /// - Parameter link: what the handle stands for, shown as `link=…` in its place; plain text.
  package static func append(
    _ b: Span<UInt8>, in range: Range<Int>, payload: Dissector.Payload, link: Span<UInt8>? = nil, to q: inout ByteQueue
  ) -> Bool {
    let start = range.lowerBound
    guard range.count >= 12, range.count <= 65_536, b.u32(start) == UInt32(range.count),
      b.u16(start &+ 4) == 0x0200, b.u16(start &+ 8) == 0x0053, (link?.count ?? 0) <= longest
    else { return false }
    let code = b[start &+ 10]
    guard code >= UInt8(Code.flow) && code <= UInt8(Code.disposition) else { return false }
    let rows = PlainRows.shared
    return q.write(room: room) { w in
      var reader = PlainFrameLine(at: start &+ 11, end: range.upperBound)
      w.append("ch=")
      w.append(decimal: UInt64(b.u16(start &+ 6)))
      w.append(" @")
      let row = rows.rows[Int(code)]
      w.append(rows.text.span.extracting(row.name))
      var isPart = false
      guard reader.list(b, rows, row, opening: true, link, &isPart, to: &w) else { return false }
      if code != UInt8(Code.transfer) { return reader.at == reader.end }
      if case .opaque = payload { isPart = true }
      if !isPart { return reader.sections(b, rows, to: &w) }
      if reader.at < reader.end {
        w.append(UInt8(ascii: " "))
        w.append(octets: reader.end &- reader.at)
      }
      return true
    }
  }

  private init(at: Int, end: Int) { (self.at, self.end) = (at, end) }

  // MARK: Lists of fields

  /// The head of a compound: how many items there are and where they end. `short` is its code with one octet of size.
  private mutating func head(_ b: Span<UInt8>, _ short: UInt8) -> (items: Int, stop: Int)? {
    if at >= end { return nil }
    let items: Int
    let stop: Int
    if b[at] == short, end &- at >= 3 {
      (items, stop) = (Int(b[at &+ 2]), at &+ 2 &+ Int(b[at &+ 1]))
      at &+= 3
    } else if b[at] == short | 0x10, end &- at >= 9 {
      (items, stop) = (Int(b.u32(at &+ 5)), at &+ 5 &+ Int(b.u32(at &+ 1)))
      at &+= 9
    } else if b[at] == 0x45 && short == 0xc0 {
      at &+= 1
      (items, stop) = (0, at)
    } else {
      return nil
    }
    if stop > end || stop < at || stop &- at > PlainFrameLine.longest || items > stop &- at { return nil }
    return (items, stop)
  }

  /// - Parameter opening: a performative, whose fields follow a space; else a section, whose first field does not.
  private mutating func list(
    _ b: Span<UInt8>, _ rows: PlainRows, _ row: PlainRows.Row, opening: Bool, _ link: Span<UInt8>?,
    _ isPart: inout Bool, to w: inout TailWriter
  ) -> Bool {
    guard let (items, stop) = head(b, 0xc0), items <= row.count else { return false }
    var missing = row.mandatory
    var first = !opening
    for i in 0..<items {
      if at >= stop { return false }
      if b[at] == 0x40 {
        at &+= 1
        continue
      }
      missing &= ~(1 << UInt32(truncatingIfNeeded: i))
      let field = rows.fields[row.first &+ i]
      if let link, opening, i == row.handle {
        w.append(" link=")
        w.append(link)
        guard uint(b, stop) != nil else { return false }
        continue
      }
      w.append(rows.text.span.extracting(first ? field.name.lowerBound &+ 1..<field.name.upperBound : field.name))
      first = false
      let value = at
      guard self.field(b, rows, field, stop, to: &w) else { return false }
      // more and aborted of a transfer.
      if row.handle == 0, i == 5 || i == 9, b[value] == 0x41 || (b[value] == 0x56 && b[value &+ 1] == 1) {
        isPart = true
      }
      // A delivery-tag that the dissector complains of.
      if row.handle == 0, i == 2, at &- value > 34 { return false }
    }
    return at == stop && missing == 0
  }

  // MARK: Values

  private mutating func uint(_ b: Span<UInt8>, _ stop: Int) -> UInt64? {
    switch b[at] {
    case 0x43:
      at &+= 1
      return 0
    case 0x52 where stop &- at >= 2:
      at &+= 2
      return UInt64(b[at &- 1])
    case 0x70 where stop &- at >= 5:
      at &+= 5
      return UInt64(b.u32(at &- 4))
    default: return nil
    }
  }

  private mutating func ulong(_ b: Span<UInt8>, _ stop: Int) -> UInt64? {
    switch b[at] {
    case 0x44:
      at &+= 1
      return 0
    case 0x53 where stop &- at >= 2:
      at &+= 2
      return UInt64(b[at &- 1])
    case 0x80 where stop &- at >= 9:
      at &+= 9
      return b.u64(at &- 8)
    default: return nil
    }
  }

  private mutating func boolean(_ b: Span<UInt8>, _ stop: Int) -> Bool? {
    switch b[at] {
    case 0x41, 0x42:
      at &+= 1
      return b[at &- 1] == 0x41
    case 0x56 where stop &- at >= 2 && b[at &+ 1] <= 1:
      at &+= 2
      return b[at &- 1] == 1
    default: return nil
    }
  }

  /// The octets of a binary, string or symbol of up to 255.
  private mutating func short(_ b: Span<UInt8>, _ stop: Int) -> Range<Int>? {
    guard stop &- at >= 2, stop &- at &- 2 >= Int(b[at &+ 1]) else { return nil }
    let start = at &+ 2
    at = start &+ Int(b[at &+ 1])
    return start..<at
  }

  private mutating func field(
    _ b: Span<UInt8>, _ rows: PlainRows, _ field: PlainRows.Field, _ stop: Int, to w: inout TailWriter
  ) -> Bool {
    switch field.type {
    case .uint:
      guard let v = uint(b, stop), field.choices.isEmpty else { return false }
      w.append(decimal: v)
    case .boolean:
      guard let v = boolean(b, stop) else { return false }
      if field.choices.isEmpty {
        w.append(v ? "true" : "false")
      } else {
        w.append(rows.text.span.extracting(rows.choices[field.choices.lowerBound &+ (v ? 1 : 0)]))
      }
    case .ubyte:
      guard b[at] == 0x50, stop &- at >= 2 else { return false }
      let v = Int(b[at &+ 1])
      at &+= 2
      if v < field.choices.count {
        w.append(rows.text.span.extracting(rows.choices[field.choices.lowerBound &+ v]))
      } else {
        w.append(decimal: UInt64(v))
      }
    case .binary: return b[at] == 0xa0 && scalar(b, bare: true, stop, to: &w)
    case .string: return b[at] == 0xa1 && scalar(b, bare: true, stop, to: &w)
    case .symbol: return b[at] == 0xa3 && scalar(b, bare: true, stop, to: &w)
    case .any:
      if field.isState { return outcome(b, rows, stop, to: &w) }
      // message-id and address: what else they may be is rare.
      switch b[at] {
      case 0xa1, 0xa0, 0x44, 0x53, 0x80:
        if field.isBare && b[at] != 0xa1 { return false }
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
    guard stop &- at >= 4, b.u16(at) == 0x0053, b[at &+ 2] >= UInt8(Code.accepted), b[at &+ 2] <= UInt8(Code.modified)
    else { return false }
    w.append(UInt8(ascii: "@"))
    w.append(rows.text.span.extracting(rows.rows[Int(b[at &+ 2])].name))
    at &+= 3
    guard let (items, after) = head(b, 0xc0) else { return false }
    return items == 0 && at == after && at <= stop
  }

  /// Text that tells types apart, as `FrameNodes.appendScalar` has it.
  private mutating func scalar(_ b: Span<UInt8>, bare: Bool, _ stop: Int, to w: inout TailWriter) -> Bool {
    switch b[at] {
    case 0xa1:
      guard let range = short(b, stop) else { return false }
      return w.append(plain: b.extracting(range), bare: bare)
    case 0xa3:
      guard let range = short(b, stop) else { return false }
      if !bare { w.append(UInt8(ascii: ":")) }
      return w.append(plain: b.extracting(range), bare: true)
    case 0xa0:
      guard let range = short(b, stop) else { return false }
      w.append("0x")
      w.append(hex: b.extracting(range.lowerBound..<min(range.upperBound, range.lowerBound &+ 64)))
      if range.count > 64 {
        w.append("… (")
        w.append(octets: range.count)
        w.append(UInt8(ascii: ")"))
      }
    case 0x43, 0x52, 0x70:
      guard let v = uint(b, stop) else { return false }
      w.append(decimal: v)
    case 0x44, 0x53, 0x80:
      guard let v = ulong(b, stop) else { return false }
      w.append(decimal: v)
    case 0x41, 0x42, 0x56:
      guard let v = boolean(b, stop) else { return false }
      w.append(v ? "true" : "false")
    case 0x54, 0x55:
      guard stop &- at >= 2 else { return false }
      w.append(signed: Int64(Int8(bitPattern: b[at &+ 1])))
      at &+= 2
    case 0x71:
      guard stop &- at >= 5 else { return false }
      w.append(signed: Int64(b.integer(Int32.self, at: at &+ 1)))
      at &+= 5
    case 0x81:
      guard stop &- at >= 9 else { return false }
      w.append(signed: b.integer(Int64.self, at: at &+ 1))
      at &+= 9
    default: return false
    }
    return true
  }

  // MARK: Sections

  private mutating func sections(_ b: Span<UInt8>, _ rows: PlainRows, to w: inout TailWriter) -> Bool {
    var last: UInt8 = 0
    while at < end {
      guard end &- at >= 4, b.u16(at) == 0x0053 else { return false }
      let code = b[at &+ 2]
      if code <= last { return false }
      last = code
      at &+= 3
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
      case Code.data: return data(b, to: &w) && at == end
      case Code.amqpValue:
        guard b[at] == 0xa1 else { return false }
        w.append("value ")
        return scalar(b, bare: false, end, to: &w) && at == end
      default: return false
      }
    }
    return true
  }

  private mutating func map(_ b: Span<UInt8>, to w: inout TailWriter) -> Bool {
    guard let (items, stop) = head(b, 0xc1), items % 2 == 0, items <= 16 else { return false }
    // Where the keys are, to see that they differ.
    var keys = InlineArray<8, Int>(repeating: 0)
    w.append(UInt8(ascii: "{"))
    for i in 0..<items / 2 {
      guard at < stop, b[at] == 0xa1, let key = short(b, stop), at < stop else { return false }
      let name = b.extracting(key)
      // What may go with a token in the body is looked at by those who know how to hide it.
      if name.matches("operation") { return false }
      for k in 0..<i where b.extracting(keys[k]..<keys[k] &+ Int(b[keys[k] &- 1])).matches(name) { return false }
      keys[i] = key.lowerBound
      if i > 0 { w.append(UInt8(ascii: " ")) }
      guard w.append(plain: name, bare: true) else { return false }
      w.append(UInt8(ascii: "="))
      if b[at] == 0x40 {
        w.append("null")
        at &+= 1
      } else if !scalar(b, bare: false, stop, to: &w) {
        return false
      }
    }
    w.append(UInt8(ascii: "}"))
    return at == stop
  }

  private mutating func data(_ b: Span<UInt8>, to w: inout TailWriter) -> Bool {
    let length: Int
    if b[at] == 0xa0, end &- at >= 2 {
      length = Int(b[at &+ 1])
      at &+= 2
    } else if b[at] == 0xb0, end &- at >= 5 {
      length = Int(b.u32(at &+ 1))
      at &+= 5
    } else {
      return false
    }
    if length > end &- at { return false }
    let octets = b.extracting(at..<at &+ length)
    at &+= length
    let shown = min(length, FrameLine.preview)
    // A cut must not go through a character, and what is no text is shown otherwise.
    if shown < length && (octets[shown] >= 0x80 || octets.firstInvalidUTF8() != nil) { return false }
    guard w.append(plain: octets.extracting(0..<shown), bare: false) else { return false }
    if shown < length { w.append("…") }
    w.append(UInt8(ascii: " "))
    w.append(octets: length)
    return true
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
    var safe = bare && text.count > 0
    for i in 0..<text.count {
      let flags = PlainText.flags(text[i])
      if flags == 0 { return false }
      if flags == 1 { safe = false }
    }
    if !safe { append(UInt8(ascii: "\"")) }
    append(text)
    if !safe { append(UInt8(ascii: "\"")) }
    return true
  }
}

enum PlainText {
  /// 0: needs an escape; 1: needs quotes around it; 2: stands by itself, as in `FrameNodes.appendText`.
  @inline(__always)
  static func flags(_ c: UInt8) -> UInt8 {
    switch c {
    case 0x61...0x7a, 0x41...0x5a, 0x30...0x39, 0x2d, 0x2e, 0x2f, 0x3a, 0x5f, 0x24, 0x40, 0x2a, 0x23, 0x25, 0x2b: 2
    case 0x22, 0x5c, 0x7f...: 0
    case 0x20...: 1
    default: 0
    }
  }
}
