/// A 0-9-1 frame as annotated octets.
///
///     0000  01 00 01 00  00 00 0d       frame type=method ch=1 size=13
///     0007  00 3c 00 50                 basic.ack
///     000b    00 00 00 00 00 00 00 01   delivery-tag = longlong 1
///     0013    00                        multiple = false
///     0014  ce                          frame-end
import Bytes
import Wire

extension FrameHex {
  /// Shows the node at `i`, and not what is below it. Returns the last node that was shown.
  func node091(_ i: Int, _ b: Span<UInt8>, _ at: inout Int, to q: inout ByteQueue) -> Int {
    let n = nodes[i]
    let level = self.level(n)
    upTo(Int(n.offset), b, &at, level, to: &q)
    var text = ByteQueue()
    if n.place == .performative {
      if let name = MethodTable.shared.method(n) { MethodTable.shared.append(name, to: &text) }
      octets(Int(n.offset)..<Int(n.content), b, &at, level, text, to: &q)
      return i
    }
    if n.place == .section { return i }
    if n.fieldType == .bit { return bits(i, b, &at, to: &q) }
    if n.place == .payload {
      text.append("body")
      octets(n.range, b, &at, level, text, to: &q)
      return i
    }
    if let name = MethodTable.shared.field(n) {
      MethodTable.shared.append(name, to: &text)
      text.append(" = ")
    } else if n.place == .key {
      text.append("key ")
    }
    if n.place != .key { text.appendType091(n) }
    switch n.kind {
    case .map, .list:
      text.append(" size=")
      text.append(decimal: n.contentRange.count)
      octets(Int(n.offset)..<Int(n.content), b, &at, level, text, to: &q)
      return i
    case .scalar:
      if n.place != .key && n.constructor != UInt8(ascii: "V") { text.append(UInt8(ascii: " ")) }
      if i == frame.secret {
        text.append("***")
        if let user = frame.plainUser(i, b) {
          text.append(" (user ")
          text.append(quoted: b.extracting(user))
          text.append(UInt8(ascii: ")"))
        }
      } else if n.constructor != UInt8(ascii: "V") {
        value(n, b, to: &text)
      }
    case .opaque: text.append(n.place == .rest ? "not read" : " no text")
    case .frame, .array, .described, .problem: break
    }
    octets(n.range, b, &at, level, text, secret: i == frame.secret ? n.contentRange : nil, to: &q)
    return i
  }

  /// The start of a text; its octets are all there beside it.
  private func value(_ n: Node, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let content = b.extracting(n.contentRange)
    if content.count > 64 {
      if content.firstInvalidUTF8() == nil { return self.text(content, to: &q) }
      q.append(decimal: content.count)
      return q.append(" octets")
    }
    frame.appendScalar091(n, b, bare: false, to: &q)
  }

  /// All bits of one octet on one line.
  private func bits(_ first: Int, _ b: Span<UInt8>, _ at: inout Int, to q: inout ByteQueue) -> Int {
    let n = nodes[first]
    var text = ByteQueue()
    var i = first
    while i < nodes.count && nodes[i].fieldType == .bit && nodes[i].offset == n.offset {
      if i > first { text.append(", ") }
      if let name = MethodTable.shared.field(nodes[i]) { MethodTable.shared.append(name, to: &text) }
      text.append(nodes[i].value == 1 ? " = true" : " = false")
      i += 1
    }
    octets(n.range, b, &at, level(n), text, to: &q)
    return i - 1
  }
}
