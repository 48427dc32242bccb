/// A frame as one line of JSON that says how every octet came about, so that `FrameJSONReader` can put the same octets
/// together again: `decode -J --wire`.
///
///     {…,"size":31,"doff":2,"type":0,"channel":0,"frame":"transfer","items":[
///       {"offset":8,"format":"0x00","type":"described","items":[
///         {"offset":9,"format":"0x53","type":"ulong","value":20},
///         {"offset":11,"format":"0xc0","type":"list","size":8,"count":5,"items":[
///           {"name":"handle","offset":14,"format":"0x43","type":"uint","value":0},…]}]},…]}
///
/// - The items of a frame are its performative and the sections after it; of a described value descriptor and value; of
///   a map keys and values in turn; of an array its elements, which have no format of their own: "element" is it, with
///   "descriptors" in front.
/// - "value" is what stands inside the tag in `ValueJSON`. Where it could not give the octets back (text that is none,
///   parts of messages, whatever a fault kept from being read) there is "octets" instead, in hexadecimal: of a value all
///   that follows its format code, of an item without one just these. A secret is "masked", the number of its octets.
/// - "name", "offset", "type" and "problems" are there to be read by people and programs; the octets don't need them.
package import Bytes
package import Wire

package struct FrameWireJSON {
  let frame: FrameNodes
  private let json: ValueJSON
  private let hidesRest: Bool
  var nodes: [Node] { frame.nodes }
  /// The octet up to which everything has been told. The items' order is that of the wire, and what lies between two of
  /// them (the dissector tells a fault, not all that the fault hid) is told as octets.
  var at: Int

  /// Appends the object of the frame (or bare message, or value) in `octets` that `dissector` has read from there,
  /// without a newline.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, in octets: Range<Int>, _ context: FrameContext = FrameContext(),
    showSecrets: Bool = false, to q: inout ByteQueue
  ) {
    let frame = FrameNodes(dissector, b, origin: octets.lowerBound, showSecrets: showSecrets)
    var writer = FrameWireJSON(
      frame: frame, json: ValueJSON(dissector), hidesRest: !showSecrets && frame.restIsSecret, at: octets.lowerBound)
    q.append(UInt8(ascii: "{"))
    q.append(context)
    if frame.nodes.first?.is091 == true { return writer.append091(octets, b, to: &q) }
    var i = 0
    let isFrame = frame.nodes.first?.kind == .frame
    if isFrame { i = 1 }
    if let head = frame.nodes.first, isFrame, octets.count >= 8 {
      q.append("\"size\":")
      q.append(decimal: UInt64(b.u32(octets.lowerBound)))
      q.append(",\"doff\":")
      q.append(decimal: UInt64(b[octets.lowerBound + 4]))
      q.append(",\"type\":")
      q.append(decimal: UInt64(b[octets.lowerBound + 5]))
      q.append(",\"channel\":")
      q.append(decimal: UInt64(b.u16(octets.lowerBound + 6)))
      writer.at += 8
      if Int(head.content) > writer.at {
        q.append(",\"extended-header\":")
        q.append(jsonHex: b.extracting(writer.at..<Int(head.content)))
        writer.at = Int(head.content)
      }
      q.append(",\"frame\":")
      if frame.nodes.count == 1 { q.append("\"empty\"") } else { frame.appendJSONName(1, b, to: &q) }
      q.append(UInt8(ascii: ","))
    }
    q.append("\"items\":[")
    writer.items(i, frame.nodes.count, octets.upperBound, b, to: &q)
    q.append(UInt8(ascii: "]"))
    frame.appendProblems(b, to: &q)
    q.append(UInt8(ascii: "}"))
  }

  // MARK: Items

  /// The nodes from `start` to `end`, and what octets up to `limit` they don't tell of.
  private mutating func items(_ start: Int, _ end: Int, _ limit: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    var i = start
    while i < end {
      // What a fault hid comes with the octets that follow; what was told already is not told twice.
      if nodes[i].kind != .problem && Int(nodes[i].offset) >= at {
        raw(upTo: Int(nodes[i].offset), b, to: &q)
        if nodes[i].kind == .opaque && (nodes[i].place == .payload || nodes[i].place == .rest) {
          raw(upTo: nodes[i].range.upperBound, b, to: &q)
        } else {
          q.comma()
          item(i, b, to: &q)
        }
      }
      i = Int(nodes[i].next)
    }
    raw(upTo: limit, b, to: &q)
  }

  mutating func raw(upTo end: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if at >= end { return }
    q.comma()
    q.append("{\"offset\":")
    q.append(decimal: max(at - frame.origin, 0))
    if hidesRest {
      q.append(",\"masked\":")
      q.append(decimal: end - at)
    } else {
      q.append(",\"octets\":")
      q.append(jsonHex: b.extracting(at..<end))
    }
    q.append(UInt8(ascii: "}"))
    at = end
  }

  private mutating func item(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    q.append(UInt8(ascii: "{"))
    if let field = frame.field(i) {
      q.append("\"name\":\"")
      frame.append(field, to: &q)
      q.append("\",")
    }
    q.append("\"offset\":")
    q.append(decimal: Int(n.offset) - frame.origin)
    let type = n.kind == .described ? "described" : ValueJSON.name(Primitive.of(n.constructor) ?? .null)
    if n.place != .element {
      q.append(",\"format\":\"0x")
      q.append(hex: n.kind == .described ? 0 : n.constructor)
      q.append(UInt8(ascii: "\""))
      at += 1
    }
    q.append(",\"type\":\"")
    q.append(type)
    q.append(UInt8(ascii: "\""))
    switch n.kind {
    case .scalar, .opaque: scalar(i, b, to: &q)
    case .described: children(i, i + 1, n.range.upperBound, b, to: &q)
    case .list, .map: compound(i, b, to: &q)
    case .array: array(i, b, to: &q)
    case .frame, .problem: break
    }
    q.append(UInt8(ascii: "}"))
  }

  private mutating func scalar(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    let end = n.range.upperBound
    if i == frame.secret {
      q.append(",\"masked\":")
      q.append(decimal: end - Int(n.content))
    } else if n.kind == .opaque || !isFaithful(n) {
      q.append(",\"octets\":")
      q.append(jsonHex: b.extracting(at..<end))
    } else if end > at {
      q.append(",\"value\":")
      json.bare(i, b, to: &q)
    }
    at = end
  }

  /// Whether the value's text gives its octets back.
  private func isFaithful(_ n: Node) -> Bool {
    switch n.constructor {
    case 0x56: n.value <= 1
    case 0x73: Unicode.Scalar(UInt32(truncatingIfNeeded: n.value)) != nil
    default: true
    }
  }

  private mutating func compound(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if nodes[i].constructor == 0x45 { return }
    sizes(i, b, to: &q)
    children(i, i + 1, nodes[i].range.upperBound, b, to: &q)
  }

  /// Size and count as they stand on the wire; there is no count when the size says so.
  private mutating func sizes(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let width = nodes[i].constructor & 0x10 == 0 ? 1 : 4
    q.append(",\"size\":")
    q.append(decimal: UInt64(width == 1 ? UInt32(b[at]) : b.u32(at)))
    at += width
    if at >= nodes[i].range.upperBound { return }
    q.append(",\"count\":")
    q.append(decimal: UInt64(width == 1 ? UInt32(b[at]) : b.u32(at)))
    at += width
  }

  private mutating func children(_ i: Int, _ start: Int, _ end: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append(",\"items\":[")
    items(start, Int(nodes[i].next), end, b, to: &q)
    q.append(UInt8(ascii: "]"))
  }

  private mutating func array(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    sizes(i, b, to: &q)
    // A fault in front of the elements' constructor leaves it unread, and with it everything after.
    guard Int(n.content) > at else { return children(i, Int(n.next), n.range.upperBound, b, to: &q) }
    var k = i + 1
    if at < Int(n.content) - 1 {
      q.append(",\"descriptors\":[")
      while at < Int(n.content) - 1 {
        if nodes[k].place == .descriptor {
          at += 1
          q.comma()
          item(k, b, to: &q)
        }
        k = Int(nodes[k].next)
      }
      q.append(UInt8(ascii: "]"))
    }
    q.append(",\"element\":\"0x")
    q.append(hex: b[at])
    q.append(UInt8(ascii: "\""))
    at += 1
    children(i, k, n.range.upperBound, b, to: &q)
  }
}

extension ByteQueue {
  /// A comma, unless what is appended next is the first in its brackets.
  mutating func comma() {
    if byte(at: count - 1) != UInt8(ascii: "[") { append(UInt8(ascii: ",")) }
  }
}
