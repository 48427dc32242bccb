/// A 0-9-1 frame as one line: `ch=1 basic.publish exchange=logs routing-key=a.b mandatory`. Bits that are not set, empty
/// tables and reserved fields are left out.
package import Bytes
package import Wire

extension FrameLine {
  /// Appends the properties of the content header that `dissector` has read, a blank in front of each, and what is wrong
  /// with it.
  package static func appendProperties(
    _ dissector: Dissector, _ b: Span<UInt8>, origin: Int? = nil, showSecrets: Bool = false, to q: inout ByteQueue
  ) {
    let line = FrameLine(frame: FrameNodes(dissector, b, origin: origin, showSecrets: showSecrets))
    if line.nodes.count > 1, line.nodes[1].place == .section {
      line.fields091(1, b, to: &q, before: HeaderField.classID.rawValue)
      line.inner(1, b, to: &q)
    }
    for i in line.nodes.indices.dropFirst(2) where line.nodes[i].kind == .problem && i >= Int(line.nodes[1].next) {
      q.append("  ")
      line.frame.appendProblem(i, b, to: &q)
    }
  }

  /// Appends the start of a body and its size.
  package static func append(body octets: Span<UInt8>, isBinary: Bool, to q: inout ByteQueue) {
    body(octets, isBinary: isBinary, to: &q)
  }

  func append091(_ b: Span<UInt8>, to q: inout ByteQueue) {
    var i = 0
    var space = false
    while i < nodes.count {
      let n = nodes[i]
      if n.place == .rest && n.kind != .problem {
        i = Int(n.next)
        continue
      }
      if space { q.append(UInt8(ascii: " ")) }
      space = true
      switch n.kind {
      case .frame:
        head091(n, to: &q)
        i += 1
        continue
      case .problem:
        q.append(UInt8(ascii: " "))
        frame.appendProblem(i, b, to: &q)
      case .list:
        if n.place == .performative {
          if let name = MethodTable.shared.method(n) { MethodTable.shared.append(name, to: &q) }
        } else {
          q.append("content header basic")
        }
        fields091(i, b, to: &q)
        inner(i, b, to: &q)
      case .opaque:
        q.append("body ")
        FrameLine.body(b.extracting(n.range), to: &q)
      case .scalar, .map, .array, .described: value091(i, b, bare: false, to: &q)
      }
      i = Int(n.next)
    }
  }

  private func head091(_ n: Node, to q: inout ByteQueue) {
    let type = n.value >> 16
    let channel = n.value & 0xffff
    if type != UInt64(FrameType091.heartbeat.rawValue) || channel != 0 {
      q.append("ch=")
      q.append(decimal: channel)
    }
    if type == UInt64(FrameType091.heartbeat.rawValue) {
      q.append(channel == 0 ? "heartbeat" : " heartbeat")
    } else if n.length == UInt32(Frame091.overhead) {
      q.append(type == UInt64(FrameType091.body.rawValue) ? " body 0 octets" : " empty frame")
    }
  }

  private func fields091(_ method: Int, _ b: Span<UInt8>, to q: inout ByteQueue, before limit: UInt16 = .max) {
    let table = MethodTable.shared
    var i = method + 1
    let end = Int(nodes[method].next)
    while i < end {
      let n = nodes[i]
      if n.field < limit, let name = table.field(n), !name.isReserved {
        if n.fieldType == .bit {
          if n.value == 1 {
            q.append(UInt8(ascii: " "))
            table.append(name, to: &q)
          }
        } else if n.kind != .map || Int(n.next) > i + 1 {
          q.append(UInt8(ascii: " "))
          table.append(name, to: &q)
          q.append(UInt8(ascii: "="))
          if i == frame.secret { secret091(i, b, to: &q) } else { value091(i, b, bare: true, to: &q) }
        }
      }
      i = Int(n.next)
    }
  }

  private func secret091(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    guard let user = frame.plainUser(i, b) else { return q.append("***") }
    q.append("(user=")
    frame.appendText(b.extracting(user), bare: true, to: &q)
    q.append(" password=***)")
  }

  private func value091(_ i: Int, _ b: Span<UInt8>, bare: Bool, to q: inout ByteQueue) {
    let n = nodes[i]
    switch n.kind {
    case .scalar: frame.appendScalar091(n, b, bare: bare, to: &q)
    case .opaque: frame.appendOctets(b.extracting(n.contentRange), to: &q)
    case .map, .list:
      q.append(UInt8(ascii: n.kind == .map ? "{" : "["))
      var first = true
      var k = i + 1
      while k < Int(n.next) {
        let child = nodes[k]
        if child.kind != .problem && child.place != .rest {
          if !first && child.place != .entry { q.append(UInt8(ascii: " ")) }
          first = false
          value091(k, b, bare: child.place == .key, to: &q)
          if child.place == .key { q.append(UInt8(ascii: "=")) }
        }
        k = Int(child.next)
      }
      q.append(UInt8(ascii: n.kind == .map ? "}" : "]"))
    case .frame, .array, .described, .problem: break
    }
  }
}
