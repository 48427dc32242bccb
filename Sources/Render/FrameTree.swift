/// A frame as a tree: every field with its type, one a line. Nothing is left out but what is secret; null and absent are
/// told apart.
package import Bytes
package import Wire

package struct FrameTree {
  let frame: FrameNodes
  /// Octets of a binary that are shown.
  private static let octets = 256

  /// Appends the lines of the frame (or bare message, or value) that `dissector` has read, each with its newline.
  /// - Parameter origin: the offset in `b` that problems count from; the frame's own start when nil.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, origin: Int? = nil, showSecrets: Bool = false, to q: inout ByteQueue
  ) {
    let tree = FrameTree(frame: FrameNodes(dissector, b, origin: origin, showSecrets: showSecrets))
    var i = 0
    var level = 0
    while i < tree.nodes.count {
      let n = tree.nodes[i]
      if n.kind == .frame {
        if n.is091 { q.appendFrameHead091(n) } else { q.appendFrameHead(n) }
        q.append(UInt8(ascii: "\n"))
        level = 1
        i += 1
      } else {
        tree.node(i, b, level, to: &q)
        i = Int(n.next)
      }
    }
  }

  var nodes: [Node] { frame.nodes }

  private func node(_ i: Int, _ b: Span<UInt8>, _ level: Int, to q: inout ByteQueue) {
    let n = nodes[i]
    q.append(repeating: 0x20, count: level * 2)
    if n.kind == .problem {
      q.append("! ")
      frame.appendProblem(i, b, to: &q)
      q.append(UInt8(ascii: "\n"))
      return
    }
    if n.is091 { return node091(i, b, level, to: &q) }
    label(i, b, to: &q)
    switch n.kind {
    case .scalar: scalar(i, b, to: &q)
    case .list, .map, .array: compound(i, b, level, to: &q)
    case .described: described(i, b, level, to: &q)
    case .opaque: opaque(n, to: &q)
    case .frame, .problem: break
    }
  }

  private func label(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    switch n.place {
    case .field:
      if let field = frame.field(i) { frame.append(field, to: &q) } else { q.append(decimal: Int(n.field)) }
      q.append(": ")
    case .item, .element:
      q.append(UInt8(ascii: "["))
      q.append(decimal: Int(n.field))
      q.append("]: ")
    case .key: q.append("key: ")
    case .descriptor: q.append("descriptor: ")
    case .root, .performative, .section, .described, .entry, .payload, .rest: break
    }
  }

  private func scalar(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    let type = Primitive.of(n.constructor) ?? .null
    q.append(ValueJSON.name(type))
    if type != .null {
      q.append(UInt8(ascii: " "))
      if i == frame.secret {
        q.append("***")
        if let user = frame.plainUser(i, b) {
          q.append(" (user ")
          q.append(quoted: b.extracting(user))
          q.append(UInt8(ascii: ")"))
        }
      } else {
        switch type {
        case .string, .symbol: q.append(quoted: b.extracting(n.contentRange))
        case .binary:
          let octets = b.extracting(n.contentRange)
          let isOctets = n.place == .described && frame.bodyIsBinary(b)
          if octets.count > 0 && octets.firstInvalidUTF8() == nil && frame.field(i) == nil && !isOctets {
            q.append(quoted: octets)
          } else {
            frame.appendOctets(octets, limit: FrameTree.octets, to: &q)
          }
        case .timestamp:
          q.append(decimal: Int64(bitPattern: n.value))
          q.append(" (")
          q.append(rfc3339: Int64(bitPattern: n.value))
          q.append(UInt8(ascii: ")"))
        default: frame.appendScalar(n, b, bare: true, to: &q)
        }
        if let choice = frame.choice(i) {
          q.append(" (")
          q.append(utf8: choice)
          q.append(UInt8(ascii: ")"))
        }
      }
    }
    q.append(UInt8(ascii: "\n"))
  }

  private func compound(_ i: Int, _ b: Span<UInt8>, _ level: Int, to q: inout ByteQueue) {
    let n = nodes[i]
    q.append(ValueJSON.name(Primitive.of(n.constructor) ?? .list))
    if i == frame.secret { return q.append(" ***\n") }
    let count = n.kind == .map ? n.value / 2 : n.value
    if n.kind == .array {
      q.append(" of ")
      q.append(utf8: Constructor.of(b[Int(n.content) - 1])?.name ?? "nothing")
    }
    q.append(", ")
    q.append(decimal: count)
    q.append(n.kind == .map ? (count == 1 ? " entry\n" : " entries\n") : count == 1 ? " item\n" : " items\n")
    children(i, b, level + 1, to: &q)
  }

  func children(_ i: Int, _ b: Span<UInt8>, _ level: Int, to q: inout ByteQueue) {
    var k = i + 1
    while k < Int(nodes[i].next) {
      let value = Int(nodes[k].next)
      // A key that is text or a number is the label of its value.
      if nodes[k].place == .key && nodes[k].kind == .scalar && value < Int(nodes[i].next)
        && nodes[value].place == .entry
      {
        q.append(repeating: 0x20, count: level * 2)
        frame.appendScalar(nodes[k], b, bare: false, to: &q)
        q.append(": ")
        body(value, b, level, to: &q)
        k = Int(nodes[value].next)
      } else {
        node(k, b, level, to: &q)
        k = value
      }
    }
  }

  /// What follows a label on its line, and the lines below it.
  private func body(_ i: Int, _ b: Span<UInt8>, _ level: Int, to q: inout ByteQueue) {
    if nodes[i].is091 { return body091(i, b, level, to: &q) }
    switch nodes[i].kind {
    case .scalar: scalar(i, b, to: &q)
    case .list, .map, .array: compound(i, b, level, to: &q)
    case .described: described(i, b, level, to: &q)
    case .opaque: opaque(nodes[i], to: &q)
    case .frame, .problem: break
    }
  }

  private func opaque(_ n: Node, to q: inout ByteQueue) {
    q.append(n.place == .payload ? "payload, " : n.place == .rest ? "not read, " : "no text, ")
    q.append(decimal: Int(n.length))
    q.append(n.length == 1 ? " octet\n" : " octets\n")
  }

  private func described(_ i: Int, _ b: Span<UInt8>, _ level: Int, to q: inout ByteQueue) {
    let n = nodes[i]
    q.append(UInt8(ascii: "@"))
    frame.appendName(i, b, to: &q)
    if frame.isKnown(n), nodes[i + 1].kind == .scalar, Primitive.of(nodes[i + 1].constructor) == .ulong {
      q.append(UInt8(ascii: "("))
      q.append(address: nodes[i + 1].value)
      q.append(UInt8(ascii: ")"))
    }
    guard let inner = frame.described(i) else {
      q.append(UInt8(ascii: "\n"))
      return children(i, b, level + 1, to: &q)
    }
    if nodes[inner].kind == .list && frame.hasFields(n) {
      q.append(UInt8(ascii: "\n"))
      children(inner, b, level + 1, to: &q)
    } else {
      q.append(": ")
      body(inner, b, level, to: &q)
    }
    var k = Int(nodes[inner].next)
    while k < Int(n.next) {
      node(k, b, level + 1, to: &q)
      k = Int(nodes[k].next)
    }
  }
}

extension ByteQueue {
  /// "frame size=31 doff=2 type=AMQP ch=0"
  mutating func appendFrameHead(_ n: Node) {
    append("frame size=")
    append(decimal: Int(n.length))
    append(" doff=")
    append(decimal: n.value >> 24 & 0xff)
    append(" type=")
    switch n.value >> 16 & 0xff {
    case 0: append("AMQP")
    case 1: append("SASL")
    case let type: append(address: type)
    }
    append(" ch=")
    append(decimal: n.value & 0xffff)
  }
}
