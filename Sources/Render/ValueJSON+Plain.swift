/// Values without their types, as `-J=plain` has them: what a reader of JSON expects.
package import Bytes
import Wire

extension ValueJSON {
  /// Appends the value without its types.
  package func plain(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[index]
    switch n.kind {
    case .described:
      if basic(index, b, tagged: false, to: &q) { return }
      if let inner = described(index) { plain(inner, b, to: &q) } else { q.append("null") }
    case .map: plainMap(index, b, to: &q)
    case .list, .array:
      let repeated = n.kind == .array && b[Int(n.content) - 1] >> 4 == 4
      if repeated { return plainRepeated(b[Int(n.content) - 1], n.value, to: &q) }
      q.append(UInt8(ascii: "["))
      var first = true
      var i = index + 1
      while i < Int(n.next) {
        if nodes[i].kind != .problem && nodes[i].place != .descriptor {
          if !first { q.append(UInt8(ascii: ",")) }
          first = false
          plain(i, b, to: &q)
        }
        i = Int(nodes[i].next)
      }
      q.append(UInt8(ascii: "]"))
    case .scalar: plainScalar(n, b, to: &q)
    case .frame, .opaque, .problem: q.append("null")
    }
  }

  private func plainRepeated(_ element: UInt8, _ count: UInt64, to q: inout ByteQueue) {
    q.append(UInt8(ascii: "["))
    for i in 0..<count {
      if i > 0 { q.append(UInt8(ascii: ",")) }
      switch element {
      case 0x41: q.append("true")
      case 0x42: q.append("false")
      case 0x43, 0x44: q.append("0")
      case 0x45: q.append("[]")
      default: q.append("null")
      }
    }
    q.append(UInt8(ascii: "]"))
  }

  /// A map as an object. Keys that are no text become the text of their plain form.
  func plainMap(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append(UInt8(ascii: "{"))
    var first = true
    eachEntry(index) { key, value in
      if !first { q.append(UInt8(ascii: ",")) }
      first = false
      let k = nodes[key]
      let start = q.count
      plain(key, b, to: &q)
      if k.kind != .scalar || q.byte(at: start) != UInt8(ascii: "\"") {
        let text = q.tail(from: start)
        q.truncate(to: start)
        q.append(jsonString: text.span)
      }
      q.append(UInt8(ascii: ":"))
      plain(value, b, to: &q)
    }
    q.append(UInt8(ascii: "}"))
  }

  private func plainScalar(_ n: Node, _ b: Span<UInt8>, to q: inout ByteQueue) {
    switch Primitive.of(n.constructor) {
    case .ulong: q.append(decimal: n.value)
    case .long, .timestamp: q.append(decimal: Int64(bitPattern: n.value))
    case .float:
      let v = Float(bitPattern: UInt32(truncatingIfNeeded: n.value))
      if v.isFinite { q.append(utf8: v.description) } else { q.append("null") }
    case .double:
      let v = Double(bitPattern: n.value)
      if v.isFinite { q.append(utf8: v.description) } else { q.append("null") }
    case .decimal32: plainDecimal(Decimal(decimal32: UInt32(truncatingIfNeeded: n.value)), to: &q)
    case .decimal64: plainDecimal(Decimal(decimal64: n.value), to: &q)
    case .decimal128: plainDecimal(Decimal(decimal128: b.integer(at: Int(n.content))), to: &q)
    case .null, .boolean, .ubyte, .ushort, .uint, .byte, .short, .int, .char, .uuid, .binary, .string, .symbol, .list,
      .map, .array, .any, nil:
      scalar(n, b, to: &q)
    }
  }

  private func plainDecimal(_ v: Decimal, to q: inout ByteQueue) {
    if case .finite = v { q.append(utf8: v.text) } else { q.append("null") }
  }
}
