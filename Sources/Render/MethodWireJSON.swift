/// A 0-9-1 frame in the form of `FrameWireJSON`:
///
///     {…,"type":1,"channel":1,"size":17,"frame":"basic.publish","end":206,"items":[
///       {"offset":7,"format":"method","class":60,"method":40,"items":[
///         {"name":"reserved-1","offset":11,"format":"short","value":0},
///         {"name":"exchange","offset":13,"format":"shortstr","value":"logs"},…,
///         {"offset":22,"format":"bits","octet":1,"bits":{"mandatory":true,"immediate":false}}]}]}
///
/// The fields of a method or content header have the type's name for a format, the values of a table "letter S", a key is
/// a "shortstr" in front of its value. The bits that share an octet are one item, made of its "octet".
import Bytes
import Wire

extension FrameWireJSON {
  /// All but the brace and the members in front.
  mutating func append091(_ octets: Range<Int>, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let isFrame = nodes.first?.kind == .frame && octets.count >= Frame091.overhead
    let end = isFrame ? octets.upperBound - 1 : octets.upperBound
    if isFrame {
      q.append("\"type\":")
      q.append(decimal: UInt64(b[at]))
      q.append(",\"channel\":")
      q.append(decimal: UInt64(b.u16(at + 1)))
      q.append(",\"size\":")
      q.append(decimal: UInt64(b.u32(at + 3)))
      q.append(",\"end\":")
      q.append(decimal: UInt64(b[end]))
      q.append(UInt8(ascii: ","))
      at += Frame091.headSize
    }
    if let method = nodes.first(where: { $0.place == .performative }), let name = MethodTable.shared.method(method) {
      q.append("\"frame\":\"")
      MethodTable.shared.append(name, to: &q)
      q.append("\",")
    }
    q.append("\"items\":[")
    items091(nodes.first?.kind == .frame ? 1 : 0, nodes.count, end, b, to: &q)
    q.append(UInt8(ascii: "]"))
    frame.appendProblems(b, to: &q)
    q.append(UInt8(ascii: "}"))
  }

  private mutating func items091(_ start: Int, _ end: Int, _ limit: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    var i = start
    while i < end {
      let n = nodes[i]
      if n.kind != .problem && Int(n.offset) >= at {
        raw(upTo: Int(n.offset), b, to: &q)
        if n.kind == .opaque && (n.place == .payload || n.place == .rest) {
          raw(upTo: n.range.upperBound, b, to: &q)
        } else {
          q.comma()
          if n.fieldType == .bit { bits(i, end, b, to: &q) } else { item091(i, b, to: &q) }
        }
      }
      i = Int(n.next)
    }
    raw(upTo: limit, b, to: &q)
  }

  private mutating func item091(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    q.append(UInt8(ascii: "{"))
    if let field = MethodTable.shared.field(n) {
      q.append("\"name\":\"")
      MethodTable.shared.append(field, to: &q)
      q.append("\",")
    }
    q.append("\"offset\":")
    q.append(decimal: Int(n.offset) - frame.origin)
    q.append(",\"format\":\"")
    if let type = n.fieldType {
      q.append(type.formatName)
    } else if n.kind == .list && n.constructor == 0 {
      q.append(n.place == .section ? "content-header" : "method")
    } else {
      q.append("letter ")
      q.append(jsonEscaped: b.extracting(at..<at + 1))
      at += 1
    }
    q.append(UInt8(ascii: "\""))
    switch n.kind {
    case .scalar, .opaque: scalar091(i, b, to: &q)
    case .list, .map:
      if n.place == .performative {
        q.append(",\"class\":")
        q.append(decimal: UInt64(b.u16(at)))
        q.append(",\"method\":")
        q.append(decimal: UInt64(b.u16(at + 2)))
        at += 4
      } else if n.place != .section {
        q.append(",\"size\":")
        q.append(decimal: UInt64(b.u32(at)))
        at += 4
      }
      q.append(",\"items\":[")
      items091(i + 1, Int(n.next), n.range.upperBound, b, to: &q)
      q.append(UInt8(ascii: "]"))
    case .frame, .array, .described, .problem: break
    }
    q.append(UInt8(ascii: "}"))
  }

  /// The octet that the bit at `first` shares with those after it.
  private mutating func bits(_ first: Int, _ end: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append("{\"offset\":")
    q.append(decimal: at - frame.origin)
    q.append(",\"format\":\"bits\",\"octet\":")
    q.append(decimal: UInt64(b[at]))
    q.append(",\"bits\":{")
    var i = first
    while i < end && nodes[i].fieldType == .bit && Int(nodes[i].offset) == at {
      q.append(i > first ? ",\"" : "\"")
      if let name = MethodTable.shared.field(nodes[i]) { MethodTable.shared.append(name, to: &q) }
      q.append(nodes[i].value == 1 ? "\":true" : "\":false")
      i += 1
    }
    q.append("}}")
    at += 1
  }

  private mutating func scalar091(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    let end = n.range.upperBound
    let content = b.extracting(n.contentRange)
    if i == frame.secret {
      q.append(",\"masked\":")
      q.append(decimal: content.count)
    } else if at == end {
      return
    } else if Int(n.content) > at {
      // A string behind its length.
      if n.kind == .scalar && n.constructor != UInt8(ascii: "x") && content.firstInvalidUTF8() == nil {
        q.append(",\"value\":")
        q.append(jsonString: content)
      } else {
        q.append(",\"octets\":")
        q.append(jsonHex: b.extracting(at..<end))
      }
    } else {
      // A number as what its octets are without a sign, whatever it means.
      q.append(",\"value\":")
      var v: UInt64 = 0
      for k in 0..<content.count { v = v << 8 | UInt64(content[k]) }
      q.append(exact: Int128(v))
    }
    at = end
  }
}

extension MethodFieldType {
  /// The name without the reflection behind `name`.
  var formatName: StaticString {
    switch self {
    case .bit: "bit"
    case .octet: "octet"
    case .short: "short"
    case .long: "long"
    case .longlong: "longlong"
    case .shortstr: "shortstr"
    case .longstr: "longstr"
    case .timestamp: "timestamp"
    case .table: "table"
    }
  }
}
