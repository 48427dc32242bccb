/// A frame as one line: `ch=0 @transfer handle=0 delivery-id=1 "hello" 5 octets`. Names instead of numbers, absent fields
/// left out, long bodies cut; what is wrong with the frame follows it on the line.
package import Bytes
package import Wire

package struct FrameLine {
  let frame: FrameNodes
  /// How much of a body is shown.
  static let preview = 72

  /// Appends the frame (or bare message, or value) that `dissector` has read, without a newline.
  /// - Parameter origin: the offset in `b` that problems count from; the frame's own start when nil.
  /// - Parameter link: what the handle stands for, shown as `link=…` in its place.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, origin: Int? = nil, link: Span<UInt8>? = nil, showSecrets: Bool = false,
    to q: inout ByteQueue
  ) {
    let line = FrameLine(frame: FrameNodes(dissector, b, origin: origin, showSecrets: showSecrets))
    if line.nodes.first?.is091 == true { line.append091(b, to: &q) } else { line.append(b, link, to: &q) }
  }

  /// Appends what the eight octets in front of a connection say.
  package static func append(_ header: ProtocolHeader, to q: inout ByteQueue) {
    q.append("protocol header ")
    q.append(utf8: header.description)
  }

  var nodes: [Node] { frame.nodes }

  private func append(_ b: Span<UInt8>, _ link: Span<UInt8>?, to q: inout ByteQueue) {
    var i = 0
    var space = false
    while i < nodes.count {
      let n = nodes[i]
      if n.kind == .frame {
        q.append("ch=")
        q.append(decimal: n.value & 0xffff)
        if nodes.count == 1 { q.append(" empty frame") }
        space = true
        i += 1
        continue
      }
      if n.kind == .problem {
        if space { q.append("  ") }
        frame.appendProblem(i, b, to: &q)
      } else if n.place != .rest {
        if space { q.append(UInt8(ascii: " ")) }
        top(i, b, link, to: &q)
        // A problem inside is told behind the value it spoilt.
        inner(i, b, to: &q)
      }
      space = true
      i = Int(n.next)
    }
  }

  func inner(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if frame.problems.isEmpty { return }
    for i in index..<Int(nodes[index].next) where nodes[i].kind == .problem {
      q.append("  ")
      frame.appendProblem(i, b, to: &q)
    }
  }

  /// A performative, a section or an opaque payload.
  private func top(_ i: Int, _ b: Span<UInt8>, _ link: Span<UInt8>?, to q: inout ByteQueue) {
    let n = nodes[i]
    switch n.place {
    case .performative:
      q.append(UInt8(ascii: "@"))
      frame.appendName(i, b, to: &q)
      if let list = frame.described(i) { fields(list, b, first: false, handle: frame.handle(n), link, to: &q) }
    case .section: section(i, b, to: &q)
    case .payload:
      q.append(decimal: Int(n.length))
      q.append(n.length == 1 ? " octet" : " octets")
    case .root, .descriptor, .described, .field, .key, .entry, .item, .element, .rest:
      value(i, b, bare: false, to: &q)
    }
  }

  private func section(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    guard let value = frame.described(i) else {
      q.append(UInt8(ascii: "@"))
      return frame.appendName(i, b, to: &q)
    }
    if value == frame.secret { return q.append("***") }
    let code = frame.code(nodes[i])
    switch code {
    case Code.data where nodes[value].kind == .scalar:
      FrameLine.body(b.extracting(nodes[value].contentRange), isBinary: frame.bodyIsBinary(b), to: &q)
    case Code.amqpValue, Code.amqpSequence:
      q.append(
        code == Code.amqpValue ? "value " : "sequence ")
      self.value(value, b, bare: false, to: &q)
    default:
      frame.appendName(i, b, to: &q)
      if nodes[value].kind == .list && frame.hasFields(nodes[i]) {
        q.append(UInt8(ascii: "("))
        fields(value, b, first: true, to: &q)
        q.append(UInt8(ascii: ")"))
      } else {
        self.value(value, b, bare: false, to: &q)
      }
    }
  }

  static func body(_ octets: Span<UInt8>, isBinary: Bool = false, to q: inout ByteQueue) {
    var shown = min(octets.count, FrameLine.preview)
    if !isBinary && octets.firstInvalidUTF8() == nil {
      // Not in the middle of a character.
      while shown < octets.count && shown > 0 && octets[shown] & 0xc0 == 0x80 { shown -= 1 }
      q.append(quoted: octets.extracting(0..<shown))
    } else {
      q.append("0x")
      q.append(hex: octets.extracting(0..<shown))
    }
    if shown < octets.count { q.append("…") }
    q.append(UInt8(ascii: " "))
    q.append(decimal: octets.count)
    q.append(octets.count == 1 ? " octet" : " octets")
  }

  private func fields(
    _ list: Int, _ b: Span<UInt8>, first: Bool, handle: UInt16 = .max, _ link: Span<UInt8>? = nil, to q: inout ByteQueue
  ) {
    var first = first
    var i = list + 1
    while i < Int(nodes[list].next) {
      let n = nodes[i]
      if n.kind != .problem && !n.isNull {
        if !first { q.append(UInt8(ascii: " ")) }
        first = false
        if n.field == handle, let link {
          q.append("link=")
          q.append(link)
        } else {
          if let field = frame.field(i) {
            frame.append(field, to: &q)
            q.append(UInt8(ascii: "="))
          }
          self.field(i, b, to: &q)
        }
      }
      i = Int(n.next)
    }
  }

  private func field(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if i == frame.secret {
      guard let user = frame.plainUser(i, b) else { return q.append("***") }
      q.append("(user=")
      frame.appendText(b.extracting(user), bare: true, to: &q)
      return q.append(" password=***)")
    }
    let entry = frame.field(i)
    if entry?.hasChoices == true, let choice = frame.choice(i) { return q.append(utf8: choice) }
    value(i, b, bare: entry?.isBare ?? false, to: &q)
  }

  private func value(_ i: Int, _ b: Span<UInt8>, bare: Bool, to q: inout ByteQueue) {
    let n = nodes[i]
    switch n.kind {
    case .scalar: frame.appendScalar(n, b, bare: bare, to: &q)
    case .list, .array:
      let element = n.kind == .array ? b[Int(n.content) - 1] : 0
      if n.kind == .array && element >> 4 == 4 {
        q.append(decimal: n.value)
        q.append(" x ")
        return q.append(utf8: Constructor.of(element)?.name ?? "")
      }
      q.append(UInt8(ascii: "["))
      var first = true
      var k = i + 1
      while k < Int(n.next) {
        if nodes[k].kind != .problem && nodes[k].place != .descriptor {
          if !first { q.append(UInt8(ascii: " ")) }
          first = false
          value(k, b, bare: bare, to: &q)
        }
        k = Int(nodes[k].next)
      }
      q.append(UInt8(ascii: "]"))
    case .map:
      q.append(UInt8(ascii: "{"))
      var first = true
      var k = i + 1
      while k < Int(n.next) {
        if nodes[k].kind != .problem {
          if nodes[k].place == .key {
            if !first { q.append(UInt8(ascii: " ")) }
            first = false
            value(k, b, bare: true, to: &q)
            q.append(UInt8(ascii: "="))
          } else {
            value(k, b, bare: false, to: &q)
          }
        }
        k = Int(nodes[k].next)
      }
      q.append(UInt8(ascii: "}"))
    case .described:
      q.append(UInt8(ascii: "@"))
      frame.appendName(i, b, to: &q)
      guard let inner = frame.described(i) else { return }
      let named = nodes[inner].kind == .list && frame.hasFields(n)
      if named && Int(nodes[inner].next) == inner + 1 { return }
      q.append(UInt8(ascii: "("))
      if named { fields(inner, b, first: true, to: &q) } else { value(inner, b, bare: false, to: &q) }
      q.append(UInt8(ascii: ")"))
    case .opaque: if i != frame.secret { frame.appendOctets(b.extracting(n.contentRange), to: &q) }
    case .frame, .problem: break
    }
  }
}
