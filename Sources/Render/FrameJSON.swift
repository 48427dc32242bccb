/// A frame as one line of JSON, out of the dissector's nodes: nothing that the octets say is left out but how they say it
/// (`FrameWireJSON` tells that too), every name stands once, every type is exact.
///
///     {"time":1700000000204.123,"connection":1,"direction":"C>S","offset":52,"link":"l","address":"q","channel":0,
///      "frame":"transfer","fields":{"handle":0,"delivery-id":1,"delivery-tag":"AA=="},"message":{"body":{"text":"hi"}}}
///
/// - "time" is in milliseconds since 1970, "latency" (and of several the least) in milliseconds since what "since" names;
///   "answered" is the number of deliveries that the frame answers, "unknown" of those whose start was not captured.
/// - Fields whose type the specification fixes are plain (octets as base64), absent ones are left out, a value of another
///   type than the field's is tagged; the forms of values are `ValueJSON`'s.
/// - A described value in a field has its name around it, {"state":{"accepted":{}}}, unless that is the field's own:
///   {"source":{"address":"q"}}. "descriptor" is added where the descriptor was a symbol, "other-fields" holds what a list has
///   beyond the fields of its row.
/// - A whole message is the object that `MessageJSON` writes, under "message"; a part of one is "payload", as base64.
/// - "problems" tells what is wrong and "rest", in hexadecimal (an array of several places), which octets could not be read
///   for it. Secrets are "***".
package import Bytes
package import Wire

package struct FrameJSON {
  let frame: FrameNodes
  private let json: ValueJSON
  private let message: MessageJSON
  /// Octets that were not read may be a secret as well.
  private let hidesRest: Bool
  var nodes: [Node] { frame.nodes }

  /// Appends the object of the frame (or bare message, or value) that `dissector` has read, without a newline.
  /// - Parameter origin: the offset in `b` that problems count from; the frame's own start when nil.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, _ context: FrameContext = FrameContext(), origin: Int? = nil,
    showSecrets: Bool = false, to q: inout ByteQueue
  ) {
    let writer = FrameJSON(dissector, b, origin: origin, showSecrets: showSecrets)
    q.append(UInt8(ascii: "{"))
    q.append(context)
    writer.tops(b, to: &q)
    writer.close(b, to: &q)
  }

  /// The same for the frame that ends a message of several, whose octets `whole` reads from `octets`.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, _ context: FrameContext, origin: Int? = nil, showSecrets: Bool = false,
    whole: Dissector, _ octets: Span<UInt8>, to q: inout ByteQueue
  ) {
    let writer = FrameJSON(dissector, b, origin: origin, showSecrets: showSecrets)
    let joined = FrameJSON(whole, octets, origin: 0, showSecrets: showSecrets)
    q.append(UInt8(ascii: "{"))
    q.append(context)
    writer.tops(b, to: &q)
    joined.sections(from: 0, octets, to: &q)
    writer.close(b, to: &q)
  }

  /// Appends the object of octets that are no frame: a protocol header, what was skipped, what was cut off.
  package static func append(
    octets: Span<UInt8>, _ kind: OctetKind, _ context: FrameContext = FrameContext(), problem: Problem? = nil,
    origin: Int = 0, to q: inout ByteQueue
  ) {
    q.append(UInt8(ascii: "{"))
    q.append(context)
    q.append("\"frame\":")
    q.append(jsonString: kind.name)
    if case .header(let header) = kind {
      q.append(",\"protocol\":")
      q.append(jsonString: header.description)
    }
    q.append(",\"octets\":")
    q.append(jsonHex: octets)
    if let problem {
      q.append(",\"problems\":[")
      q.append(problem, origin: origin, path: "")
      q.append(UInt8(ascii: "]"))
    }
    q.append(UInt8(ascii: "}"))
  }

  package enum OctetKind: Sendable {
    case header(ProtocolHeader)
    /// Octets that no frame was found in.
    case skipped
    /// The start of a frame whose end never came.
    case truncated

    var name: StaticString {
      switch self {
      case .header: "protocol-header"
      case .skipped: "skipped"
      case .truncated: "truncated"
      }
    }
  }

  private init(_ dissector: Dissector, _ b: Span<UInt8>, origin: Int?, showSecrets: Bool) {
    frame = FrameNodes(dissector, b, origin: origin, showSecrets: showSecrets)
    json = ValueJSON(dissector, secret: frame.secret)
    message = MessageJSON(json)
    hidesRest = !showSecrets && frame.restIsSecret
  }

  // MARK: The parts of a frame

  private func tops(_ b: Span<UInt8>, to q: inout ByteQueue) {
    if nodes.first?.is091 == true { return tops091(b, to: &q) }
    var i = 0
    while i < nodes.count {
      let n = nodes[i]
      switch n.place {
      case .performative: performative(i, b, to: &q)
      case .section: return sections(from: i, b, to: &q)
      case .payload:
        member("payload", to: &q)
        q.append(jsonBase64: b.extracting(n.contentRange))
      case .root:
        if n.kind == .frame {
          member("channel", to: &q)
          q.append(decimal: n.value & 0xffff)
          if n.content > n.offset + 8 {
            member("extended-header", to: &q)
            q.append(jsonHex: b.extracting(Int(n.offset) + 8..<Int(n.content)))
          }
          if nodes.count == 1 { q.append(",\"frame\":\"empty\"") }
          i += 1
          continue
        }
        if n.kind != .problem {
          member("value", to: &q)
          json.append(i, b, to: &q)
        }
      case .descriptor, .described, .field, .key, .entry, .item, .element, .rest: break
      }
      i = Int(n.next)
    }
  }

  private func performative(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    member("frame", to: &q)
    frame.appendJSONName(i, b, to: &q)
    guard let list = frame.described(i) else { return }
    if nodes[list].kind == .list && frame.hasFields(nodes[i]) {
      member("fields", to: &q)
      fields(list, b, to: &q)
    } else {
      member("value", to: &q)
      json.append(frame.isKnown(nodes[i]) ? list : i, b, to: &q)
    }
  }

  private func sections(from first: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    member("message", to: &q)
    q.append(UInt8(ascii: "{"))
    var comma = false
    message.sections(b, first, &comma, to: &q)
    q.append(UInt8(ascii: "}"))
  }

  /// What was not read, and why.
  private func close(_ b: Span<UInt8>, to q: inout ByteQueue) {
    if !frame.problems.isEmpty {
      let rest = nodes.filter { $0.place == .rest && $0.kind == .opaque }
      if !rest.isEmpty { member("rest", to: &q) }
      if rest.count > 1 { q.append(UInt8(ascii: "[")) }
      for (i, n) in rest.enumerated() {
        if i > 0 { q.append(UInt8(ascii: ",")) }
        if hidesRest { q.append("\"***\"") } else { q.append(jsonHex: b.extracting(n.contentRange)) }
      }
      if rest.count > 1 { q.append(UInt8(ascii: "]")) }
      frame.appendProblems(b, to: &q)
    }
    q.append(UInt8(ascii: "}"))
  }

  /// The name of a member of the outermost object.
  func member(_ name: StaticString, to q: inout ByteQueue) {
    switch q.byte(at: q.count - 1) {
    case UInt8(ascii: "{"), UInt8(ascii: ","): break
    default: q.append(UInt8(ascii: ","))
    }
    q.append(jsonString: name)
    q.append(UInt8(ascii: ":"))
  }

  // MARK: Fields

  private func fields(_ list: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let end = Int(nodes[list].next)
    q.append(UInt8(ascii: "{"))
    var first = true
    if Primitive.of(nodes[list - 1].constructor) == .symbol {
      q.append("\"descriptor\":")
      json.bare(list - 1, b, to: &q)
      first = false
    }
    var i = list + 1
    var more = false
    while i < end {
      let n = nodes[i]
      if n.kind == .problem || n.isNull {
        i = Int(n.next)
        continue
      }
      guard n.place == .field, let entry = frame.field(of: nodes[list].row, n.field) else {
        more = true
        break
      }
      if !first { q.append(UInt8(ascii: ",")) }
      first = false
      q.append(UInt8(ascii: "\""))
      frame.append(entry, to: &q)
      q.append("\":")
      field(i, entry, b, to: &q)
      i = Int(n.next)
    }
    if more {
      if !first { q.append(UInt8(ascii: ",")) }
      q.append("\"other-fields\":")
      json.items(from: i, to: end, b, to: &q)
    }
    q.append(UInt8(ascii: "}"))
  }

  private func field(_ i: Int, _ entry: RowTable.Entry, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    if i == frame.secret { return secret(i, b, to: &q) }
    switch n.kind {
    case .scalar:
      if Primitive.of(n.constructor) == entry.primitive { json.bare(i, b, to: &q) } else { json.append(i, b, to: &q) }
    case .described: composite(i, entry, b, to: &q)
    case .map: if entry.form == .any { json.append(i, b, to: &q) } else { message.map(i, .symbol, b, to: &q) }
    case .array: array(i, entry, b, to: &q)
    case .list, .opaque, .frame, .problem: json.append(i, b, to: &q)
    }
  }

  func secret(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    guard let user = frame.plainUser(i, b) else { return q.append("\"***\"") }
    q.append("{\"user\":")
    q.append(jsonOctets: b.extracting(user))
    q.append(",\"password\":\"***\"}")
  }

  private func composite(_ i: Int, _ entry: RowTable.Entry, _ b: Span<UInt8>, to q: inout ByteQueue) {
    guard frame.hasFields(nodes[i]), let list = frame.described(i), nodes[list].kind == .list else {
      return json.append(i, b, to: &q)
    }
    if entry.row == nodes[i].row { return fields(list, b, to: &q) }
    q.append(UInt8(ascii: "{"))
    frame.appendJSONName(i, b, to: &q)
    q.append(UInt8(ascii: ":"))
    fields(list, b, to: &q)
    q.append(UInt8(ascii: "}"))
  }

  /// Several values of the field's type stand without it.
  private func array(_ i: Int, _ entry: RowTable.Entry, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let element = b[Int(nodes[i].content) - 1]
    let plain = Primitive.of(element) == entry.primitive && element >> 4 != 4 && entry.primitive == .symbol
    guard plain, nodes[i].value == 0 || nodes[i + 1].place == .element else { return json.append(i, b, to: &q) }
    q.append(UInt8(ascii: "["))
    var k = i + 1
    while k < Int(nodes[i].next) {
      if nodes[k].kind != .problem {
        if k > i + 1 { q.append(UInt8(ascii: ",")) }
        json.bare(k, b, to: &q)
      }
      k = Int(nodes[k].next)
    }
    q.append(UInt8(ascii: "]"))
  }
}
