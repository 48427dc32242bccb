/// A 0-9-1 frame as a tree: every field with its type, reserved ones and bits that are not set too.
import Bytes
import Wire

extension FrameTree {
  /// A method, a content header or what stands in one, with the lines below it.
  func node091(_ i: Int, _ b: Span<UInt8>, _ level: Int, to q: inout ByteQueue) {
    let n = nodes[i]
    switch n.place {
    case .performative:
      if let name = MethodTable.shared.method(n) { MethodTable.shared.append(name, to: &q) }
      q.append(UInt8(ascii: "\n"))
      return children(i, b, level + 1, to: &q)
    case .section:
      q.append("content header basic\n")
      return children(i, b, level + 1, to: &q)
    case .field:
      if let name = MethodTable.shared.field(n) { MethodTable.shared.append(name, to: &q) }
      q.append(": ")
    case .item:
      q.append(UInt8(ascii: "["))
      q.append(decimal: UInt64(n.field))
      q.append("]: ")
    case .key: q.append("key: ")
    case .root, .descriptor, .described, .entry, .element, .payload, .rest: break
    }
    body091(i, b, level, to: &q)
  }

  /// What follows a label on its line, and the lines below it.
  func body091(_ i: Int, _ b: Span<UInt8>, _ level: Int, to q: inout ByteQueue) {
    let n = nodes[i]
    if n.kind == .opaque && n.place == .payload { return body(b.extracting(n.range), to: &q) }
    q.appendType091(n)
    switch n.kind {
    case .scalar:
      if n.constructor != UInt8(ascii: "V") { q.append(UInt8(ascii: " ")) }
      if i == frame.secret {
        q.append("***")
        if let user = frame.plainUser(i, b) {
          q.append(" (user ")
          q.append(quoted: b.extracting(user))
          q.append(UInt8(ascii: ")"))
        }
      } else if n.constructor != UInt8(ascii: "V") {
        frame.appendScalar091(n, b, bare: false, to: &q)
      }
      q.append(UInt8(ascii: "\n"))
    case .map, .list:
      q.append(", ")
      q.append(decimal: n.value)
      q.append(
        n.kind == .map ? (n.value == 1 ? " entry\n" : " entries\n") : n.value == 1 ? " item\n" : " items\n")
      children(i, b, level + 1, to: &q)
    case .opaque:
      q.append(UInt8(ascii: " "))
      frame.appendOctets(b.extracting(n.contentRange), to: &q)
      q.append(UInt8(ascii: "\n"))
    case .frame, .array, .described, .problem: q.append(UInt8(ascii: "\n"))
    }
  }

  private func body(_ octets: Span<UInt8>, to q: inout ByteQueue) {
    q.append("body ")
    FrameLine.body(octets, to: &q)
    q.append(UInt8(ascii: "\n"))
  }
}

extension ByteQueue {
  /// "shortstr", "bit" of a field, "long" of a value in a table.
  mutating func appendType091(_ n: Node) {
    append(utf8: n.fieldType?.name ?? n.letterName ?? "")
  }

  /// "frame type=method ch=1 size=13"
  mutating func appendFrameHead091(_ n: Node) {
    append("frame type=")
    switch FrameType091(rawValue: UInt8(truncatingIfNeeded: n.value >> 16)) {
    case .method: append("method")
    case .header: append("header")
    case .body: append("body")
    case .heartbeat: append("heartbeat")
    case nil: append(decimal: n.value >> 16)
    }
    append(" ch=")
    append(decimal: n.value & 0xffff)
    append(" size=")
    append(decimal: Int(n.length) - Frame091.overhead)
  }
}
