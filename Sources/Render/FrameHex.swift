/// A frame as annotated octets: every octet of it once, in order, beside what it means.
///
///     0000  00 00 00 1f  02 00 00 00    frame size=31 doff=2 type=AMQP ch=0
///     0008  00 53 14                    @transfer(0x14)
///     000b    c0 08 05                  list8 size=8 count=5
///     000e      43                      handle = uint0 0
package import Bytes
package import Wire

package struct FrameHex {
  let frame: FrameNodes
  private let end: Int
  /// Where the annotation starts, counted after the offset and its two spaces.
  private static let column = 28
  /// Octets on a line.
  private static let row = 8

  /// Appends the lines of the frame (or bare message, or value) that `dissector` has read, each with its newline.
  /// - Parameter origin: the offset in `b` that is printed as 0; the frame's own start when nil.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, origin: Int? = nil, showSecrets: Bool = false, to q: inout ByteQueue
  ) {
    let frame = FrameNodes(dissector, b, origin: origin, showSecrets: showSecrets)
    guard let first = frame.nodes.first else { return }
    let end = frame.nodes.reduce(0) { max($0, $1.range.upperBound) }
    let hex = FrameHex(frame: frame, end: first.kind == .frame ? first.range.upperBound : end)
    var at = Int(first.offset)
    hex.all(b, &at, to: &q)
    if first.kind == .frame && first.is091 { hex.upTo(hex.end - 1, b, &at, 1, to: &q) }
    if at + 1 == hex.end && first.kind == .frame && first.is091 {
      hex.octets(at..<hex.end, b, &at, 0, "frame-end", to: &q)
    }
    if at < hex.end { hex.octets(at..<hex.end, b, &at, 1, "not read", to: &q) }
  }

  var nodes: [Node] { frame.nodes }

  /// How far a node is indented: a frame's performative as far as the frame.
  func level(_ n: Node) -> Int { max(0, Int(n.depth) - (nodes[0].kind == .frame ? 1 : 0)) }

  private func all(_ b: Span<UInt8>, _ at: inout Int, to q: inout ByteQueue) {
    var i = 0
    while i < nodes.count {
      let n = nodes[i]
      let start = Int(n.offset)
      let level = self.level(n)
      if n.is091 && n.kind != .frame {
        i = node091(i, b, &at, to: &q) + 1
        continue
      }
      switch n.kind {
      case .frame: head(n, b, &at, to: &q)
      case .problem:
        q.append(repeating: 0x20, count: 6)
        q.append("! ")
        frame.appendProblem(i, b, to: &q)
        q.append(UInt8(ascii: "\n"))
      case .described: i = described(i, b, &at, to: &q)
      case .list, .map: compound(i, b, &at, to: &q)
      case .array: i = array(i, b, &at, to: &q)
      case .scalar:
        upTo(start, b, &at, level, to: &q)
        var text = ByteQueue()
        scalar(i, b, to: &text)
        octets(
          start..<n.range.upperBound, b, &at, level, text, secret: i == frame.secret ? n.contentRange : nil, to: &q)
      case .opaque:
        upTo(start, b, &at, level, to: &q)
        var text = ByteQueue()
        text.append(n.place == .payload ? "payload" : n.place == .rest ? "not read" : "no text")
        octets(n.range, b, &at, level, text, secret: i == frame.secret ? n.contentRange : nil, to: &q)
      }
      i += 1
    }
  }

  private func head(_ n: Node, _ b: Span<UInt8>, _ at: inout Int, to q: inout ByteQueue) {
    var text = ByteQueue()
    if n.is091 {
      text.appendFrameHead091(n)
      return octets(Int(n.offset)..<Int(n.content), b, &at, 0, text, to: &q)
    }
    text.appendFrameHead(n)
    if n.length < 8 { return octets(n.range, b, &at, 0, text, to: &q) }
    octets(Int(n.offset)..<Int(n.offset) + 8, b, &at, 0, text, grouped: true, to: &q)
    let extended = Int(n.offset) + 8..<max(Int(n.content), Int(n.offset) + 8)
    if !extended.isEmpty && extended.upperBound <= end { octets(extended, b, &at, 0, "extended header", to: &q) }
  }

  /// 0x00 and descriptor on one line, when the descriptor is a scalar. Returns the last node that was shown.
  private func described(_ i: Int, _ b: Span<UInt8>, _ at: inout Int, to q: inout ByteQueue) -> Int {
    let n = nodes[i]
    upTo(Int(n.offset), b, &at, level(n), to: &q)
    var text = ByteQueue()
    name(i, to: &text)
    guard i + 1 < nodes.count, nodes[i + 1].place == .descriptor, nodes[i + 1].kind == .scalar else {
      text.append("described")
      octets(Int(n.offset)..<Int(n.offset) + 1, b, &at, level(n), text, to: &q)
      return i
    }
    let d = nodes[i + 1]
    text.append(UInt8(ascii: "@"))
    frame.appendName(i, b, to: &text)
    if frame.isKnown(n), Primitive.of(d.constructor) == .ulong {
      text.append(UInt8(ascii: "("))
      text.append(address: d.value)
      text.append(UInt8(ascii: ")"))
    }
    octets(Int(n.offset)..<d.range.upperBound, b, &at, level(n), text, to: &q)
    return i + 1
  }

  private func compound(_ i: Int, _ b: Span<UInt8>, _ at: inout Int, to q: inout ByteQueue) {
    let n = nodes[i]
    upTo(Int(n.offset), b, &at, level(n), to: &q)
    var text = ByteQueue()
    name(i, to: &text)
    compoundText(n, b, to: &text)
    octets(Int(n.offset)..<Int(n.content), b, &at, level(n), text, to: &q)
  }

  /// Constructor, size and count; then the descriptors that all elements share; then the elements' constructor.
  private func array(_ i: Int, _ b: Span<UInt8>, _ at: inout Int, to q: inout ByteQueue) -> Int {
    let n = nodes[i]
    let level = self.level(n)
    upTo(Int(n.offset), b, &at, level, to: &q)
    var text = ByteQueue()
    name(i, to: &text)
    compoundText(n, b, to: &text)
    let prefix = n.place == .element ? 0 : 1
    let width = n.constructor == 0xe0 ? 2 : 8
    octets(Int(n.offset)..<Int(n.offset) + prefix + width, b, &at, level, text, to: &q)
    var last = i
    while last + 1 < Int(n.next), nodes[last + 1].place == .descriptor {
      let d = nodes[last + 1]
      var text = ByteQueue()
      text.append("descriptor ")
      if d.kind == .scalar { frame.appendScalar(d, b, bare: false, to: &text) }
      octets(at..<d.range.upperBound, b, &at, level + 1, text, to: &q)
      last = Int(d.next) - 1
    }
    if at < Int(n.content) {
      var text = ByteQueue()
      text.append("of ")
      text.append(utf8: Constructor.of(b[Int(n.content) - 1])?.name ?? "?")
      octets(at..<Int(n.content), b, &at, level + 1, text, to: &q)
    }
    return last
  }

  private func compoundText(_ n: Node, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append(utf8: Constructor.of(n.constructor)?.name ?? "")
    if n.constructor == 0x45 { return }
    let size = Int(n.offset) + (n.place == .element ? 0 : 1)
    q.append(" size=")
    q.append(decimal: UInt64(n.constructor >> 4 & 1 == 0 ? UInt32(b[size]) : b.u32(size)))
    q.append(" count=")
    q.append(decimal: n.value)
  }

  private func scalar(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    name(i, to: &q)
    q.append(utf8: Constructor.of(n.constructor)?.name ?? "")
    if n.constructor >= 0x40 && n.constructor <= 0x42 { return }
    q.append(UInt8(ascii: " "))
    if i == frame.secret {
      q.append("***")
      if let user = frame.plainUser(i, b) {
        q.append(" (user ")
        q.append(quoted: b.extracting(user))
        q.append(UInt8(ascii: ")"))
      }
      return
    }
    switch Primitive.of(n.constructor) {
    case .string, .symbol: text(b.extracting(n.contentRange), to: &q)
    case .binary:
      let octets = b.extracting(n.contentRange)
      if octets.firstInvalidUTF8() == nil {
        text(octets, to: &q)
      } else {
        q.append(decimal: octets.count)
        q.append(octets.count == 1 ? " octet" : " octets")
      }
    default: frame.appendScalar(n, b, bare: true, to: &q)
    }
    if let choice = frame.choice(i) {
      q.append(" (")
      q.append(utf8: choice)
      q.append(UInt8(ascii: ")"))
    }
  }

  /// The start of a text: its octets are all there beside it.
  func text(_ text: Span<UInt8>, to q: inout ByteQueue) {
    var shown = min(text.count, 64)
    while shown < text.count && text[shown] & 0xc0 == 0x80 { shown -= 1 }
    q.append(quoted: text.extracting(0..<shown))
    if shown < text.count { q.append("…") }
  }

  /// "handle = " for a field, "key " and so on for the parts of a map.
  private func name(_ i: Int, to q: inout ByteQueue) {
    switch nodes[i].place {
    case .field:
      if let field = frame.field(i) {
        frame.append(field, to: &q)
        q.append(" = ")
      }
    case .key: q.append("key ")
    case .root, .performative, .section, .descriptor, .described, .entry, .item, .element, .payload, .rest: break
    }
  }

  // MARK: Lines

  /// Shows what lies between the last line and `start`: octets that no node covers, after a fault.
  func upTo(_ start: Int, _ b: Span<UInt8>, _ at: inout Int, _ level: Int, to q: inout ByteQueue) {
    if at < start { octets(at..<start, b, &at, level, "not read", to: &q) }
  }

  private func octets(
    _ range: Range<Int>, _ b: Span<UInt8>, _ at: inout Int, _ level: Int, _ text: StaticString, to q: inout ByteQueue
  ) {
    var note = ByteQueue()
    note.append(text)
    octets(range, b, &at, level, note, to: &q)
  }

  /// A range of octets with its annotation on the first line. What was shown already is not shown again.
  func octets(
    _ range: Range<Int>, _ b: Span<UInt8>, _ at: inout Int, _ level: Int, _ text: ByteQueue, grouped: Bool = false,
    secret: Range<Int>? = nil, to q: inout ByteQueue
  ) {
    // Zero-width elements have no octets of their own and no line.
    if range.isEmpty { return }
    var from = max(range.lowerBound, at)
    var first = true
    while from < range.upperBound || first {
      let to = min(from + FrameHex.row, range.upperBound)
      let indent = min(level * 2, 12)
      q.append(hex: UInt64(max(from - frame.origin, 0)), digits: end - frame.origin > 0xffff ? 8 : 4)
      q.append(repeating: 0x20, count: 2 + indent)
      var width = indent
      for i in from..<max(to, from) {
        if i > from {
          q.append(UInt8(ascii: " "))
          width += 1
          if grouped && i == from + 4 {
            q.append(UInt8(ascii: " "))
            width += 1
          }
        }
        if secret?.contains(i) == true { q.append("**") } else { q.append(hex: b[i]) }
        width += 2
      }
      if first {
        q.append(repeating: 0x20, count: max(FrameHex.column - width, 2))
        text.withReadable { q.append($0) }
      }
      q.append(UInt8(ascii: "\n"))
      first = false
      from = to
    }
    at = max(at, range.upperBound)
  }
}
