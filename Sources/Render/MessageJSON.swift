/// A message as one line of JSON, out of the dissector's nodes. In the lossless style reading the line and encoding it
/// gives the same sections and values (`MessageDraft.init(json:)`); what the forms of values are says `ValueJSON`.
///
///     {"address":"q","header":{"durable":true},"message-annotations":{"x-opt":{"int":1}},"properties":{"to":"q"},
///      "application-properties":{"k":"v"},"body":{"text":"hello"},"footer":{},"delivery":{"number":1}}
///
/// - Fields whose type the specification fixes are plain, absent ones are left out; `user-id` is plain when it is UTF-8.
/// - Keys of annotations and footer are symbols, keys of application-properties strings. A map with any other key, with
///   one key twice, or with the only key "map", is {"map":[[K,V],…]}.
/// - Bodies: {"text":T} one data section of UTF-8, {"data":BASE64} one of anything, {"data":[BASE64,…]} several,
///   {"value":V}, {"sequence":[V,…]} one, {"sequences":[[V,…],…]} several, {"sections":[BODY,…]} a mix.
/// - A section that is unknown, or a second one where one is allowed, goes to "other-sections" as a described value.
/// - "basic" holds what a message of 0-9-1 has and sections have not: exchange, routing-key, type, app-id, cluster-id, and
///   any other property that fits no field.
/// - "delivery" tells of the delivery and is not read back; "malformed" tells where reading the message had to stop.
///
/// In the plain style types are dropped and a body that is JSON is embedded.
package import Bytes
package import Wire

package struct MessageJSON {
  package enum Style: Sendable { case lossless, plain }

  let json: ValueJSON
  let style: Style
  private let isBasic: Bool
  private let rows = RowTable.shared
  var nodes: [Node] { json.nodes }

  init(_ json: ValueJSON, _ style: Style = .lossless, isBasic: Bool = false) {
    (self.json, self.style, self.isBasic) = (json, style, isBasic)
  }

  /// Appends the object of the message in `dissector` (without a newline).
  /// - Parameter first: the node of the first section: 0 after `Dissector.message`, another after a performative.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, from first: Int = 0, _ context: MessageContext, style: Style = .lossless,
    to q: inout ByteQueue
  ) {
    let writer = MessageJSON(ValueJSON(dissector), style, isBasic: context.isBasic)
    q.append(UInt8(ascii: "{"))
    var comma = false
    if let address = context.address {
      q.append("\"address\":")
      q.append(jsonString: address)
      comma = true
    }
    writer.sections(b, first, &comma, to: &q)
    if context.isBasic { writer.basic(b, first, &comma, to: &q) }
    writer.delivery(b, first, context, &comma, to: &q)
    if let fault = dissector.firstFault { writer.malformed(fault, &comma, to: &q) }
    q.append(UInt8(ascii: "}"))
  }

  func member(_ name: StaticString, _ comma: inout Bool, to q: inout ByteQueue) {
    if comma { q.append(UInt8(ascii: ",")) }
    comma = true
    q.append(jsonString: name)
    q.append(UInt8(ascii: ":"))
  }

  // MARK: Sections

  func sections(_ b: Span<UInt8>, _ first: Int, _ comma: inout Bool, to q: inout ByteQueue) {
    // One bit a section from 0x70 on.
    var seen: UInt16 = 0
    var others = false
    var i = first
    while i < nodes.count {
      let n = nodes[i]
      if n.place == .section && n.kind == .described {
        let code = sectionCode(i)
        if code == 0 || (seen >> (code & 15) & 1 == 1 && !isBody(code)) {
          others = true
        } else if isBody(code) {
          let any: UInt16 = 7 << 5
          if seen & any == 0 { body(b, first, &comma, to: &q) }
          seen |= 1 << (code & 15)
        } else {
          seen |= 1 << (code & 15)
          section(i, code, b, &comma, to: &q)
        }
      }
      i = Int(n.next)
    }
    if others { otherSections(b, first, &comma, to: &q) }
  }

  func isBody(_ code: UInt64) -> Bool { code >= Code.data && code <= Code.amqpValue }

  /// The code of the message section at `i`; 0 for anything else, also for a section that is not whole or holds what it
  /// should not.
  func sectionCode(_ i: Int) -> UInt64 {
    let n = nodes[i]
    let code = rows.code(n.row)
    guard code >= Code.header, code <= Code.footer, let value = json.described(i) else { return 0 }
    let expected: Node.Kind
    switch code {
    case Code.header, Code.properties, Code.amqpSequence: expected = .list
    case Code.data: expected = .scalar
    case Code.amqpValue: return code
    default: expected = .map
    }
    return nodes[value].kind == expected ? code : 0
  }

  private func section(_ i: Int, _ code: UInt64, _ b: Span<UInt8>, _ comma: inout Bool, to q: inout ByteQueue) {
    let value = json.described(i) ?? i
    switch code {
    case Code.header:
      member("header", &comma, to: &q)
      fields(value, b, to: &q)
    case Code.properties:
      member("properties", &comma, to: &q)
      fields(value, b, to: &q)
    case Code.deliveryAnnotations:
      member("delivery-annotations", &comma, to: &q)
      map(value, .symbol, b, to: &q)
    case Code.messageAnnotations:
      if isBasic && isObject(value, .symbol, b) { return annotations(value, own: false, b, &comma, to: &q) }
      member("message-annotations", &comma, to: &q)
      map(value, .symbol, b, to: &q)
    case Code.applicationProperties:
      member("application-properties", &comma, to: &q)
      map(value, .string, b, to: &q)
    default:
      member("footer", &comma, to: &q)
      map(value, .symbol, b, to: &q)
    }
  }

  /// The annotations that stand for what is 0-9-1's own (`own`), or the others, if there are any.
  private func annotations(_ map: Int, own: Bool, _ b: Span<UInt8>, _ comma: inout Bool, to q: inout ByteQueue) {
    var first = true
    json.eachEntry(map) { key, value in
      let name = b.extracting(nodes[key].contentRange)
      let start = MessageMapping.basicName(name)
      if (start != nil) != own { return }
      if first { member(own ? "basic" : "message-annotations", &comma, to: &q) }
      q.append(first ? UInt8(ascii: "{") : UInt8(ascii: ","))
      first = false
      q.append(jsonString: name.extracting((start ?? 0)..<name.count))
      q.append(UInt8(ascii: ":"))
      if style == .plain { json.plain(value, b, to: &q) } else { json.append(value, b, to: &q) }
    }
    if !first { q.append(UInt8(ascii: "}")) }
  }

  private func basic(_ b: Span<UInt8>, _ first: Int, _ comma: inout Bool, to q: inout ByteQueue) {
    var i = first
    while i < nodes.count {
      if nodes[i].place == .section, sectionCode(i) == Code.messageAnnotations, let value = json.described(i),
        isObject(value, .symbol, b)
      {
        return annotations(value, own: true, b, &comma, to: &q)
      }
      i = Int(nodes[i].next)
    }
  }

  /// A section of named fields, without those that are null.
  private func fields(_ list: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append(UInt8(ascii: "{"))
    var first = true
    var i = list + 1
    while i < Int(nodes[list].next) {
      let n = nodes[i]
      if !n.isNull, n.kind != .problem, let entry = rows.field(nodes[list].row, n.field) {
        if !first { q.append(UInt8(ascii: ",")) }
        first = false
        q.append(UInt8(ascii: "\""))
        rows.append(entry, to: &q)
        q.append("\":")
        field(i, entry.form, b, to: &q)
      }
      i = Int(n.next)
    }
    q.append(UInt8(ascii: "}"))
  }

  private func field(_ i: Int, _ form: RowTable.Form, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if style == .plain && form != .binary { return json.plain(i, b, to: &q) }
    switch form {
    case .any: json.append(i, b, to: &q)
    case .binary:
      let octets = nodes[i].contentRange
      if b.extracting(octets).firstInvalidUTF8() == nil {
        q.append(jsonString: b.extracting(octets))
      } else if style == .plain {
        json.plain(i, b, to: &q)
      } else {
        json.append(i, b, to: &q)
      }
    case .fixed: json.bare(i, b, to: &q)
    }
  }

  // MARK: The rest

  private func otherSections(_ b: Span<UInt8>, _ first: Int, _ comma: inout Bool, to q: inout ByteQueue) {
    member("other-sections", &comma, to: &q)
    q.append(UInt8(ascii: "["))
    var seen: UInt16 = 0
    var written = false
    var i = first
    while i < nodes.count {
      let n = nodes[i]
      if n.place == .section {
        let code = sectionCode(i)
        let again = code != 0 && seen >> (code & 15) & 1 == 1 && !isBody(code)
        if code == 0 || again {
          if written { q.append(UInt8(ascii: ",")) }
          written = true
          if style == .plain { json.plain(i, b, to: &q) } else { json.append(i, b, to: &q) }
        } else {
          seen |= 1 << (code & 15)
        }
      }
      i = Int(n.next)
    }
    q.append(UInt8(ascii: "]"))
  }

  private func delivery(
    _ b: Span<UInt8>, _ first: Int, _ context: MessageContext, _ comma: inout Bool, to q: inout ByteQueue
  ) {
    let redelivered = context.redelivered ?? deliveryCount(first).map { $0 > 0 }
    if context.number == nil && context.deliveryID == nil && context.tag == nil && context.arrival == nil
      && context.redelivered == nil && context.settled == nil
    {
      return
    }
    member("delivery", &comma, to: &q)
    q.append(UInt8(ascii: "{"))
    var inner = false
    func number(_ name: StaticString, _ value: UInt64?) {
      guard let value else { return }
      member(name, &inner, to: &q)
      q.append(decimal: value)
    }
    func flag(_ name: StaticString, _ value: Bool?) {
      guard let value else { return }
      member(name, &inner, to: &q)
      q.append(value ? "true" : "false")
    }
    number("number", context.number)
    number("id", context.deliveryID.map { UInt64($0) })
    if let tag = context.tag {
      member("tag", &inner, to: &q)
      q.append(jsonBase64: tag.span)
    }
    if let format = context.messageFormat, format != 0 { number("message-format", UInt64(format)) }
    flag("settled", context.settled)
    flag("redelivered", redelivered ?? false)
    if let arrival = context.arrival {
      member("time", &inner, to: &q)
      q.append(decimal: arrival)
    }
    q.append(UInt8(ascii: "}"))
  }

  private func deliveryCount(_ first: Int) -> UInt64? {
    var i = first
    while i < nodes.count {
      if nodes[i].place == .section, sectionCode(i) == Code.header, let list = json.described(i) {
        var k = list + 1
        while k < Int(nodes[list].next) {
          if nodes[k].field == 4 && nodes[k].kind == .scalar && !nodes[k].isNull { return nodes[k].value }
          k = Int(nodes[k].next)
        }
      }
      i = Int(nodes[i].next)
    }
    return nil
  }

  private func malformed(_ fault: Problem, _ comma: inout Bool, to q: inout ByteQueue) {
    member("malformed", &comma, to: &q)
    q.append("{\"offset\":")
    q.append(decimal: fault.offset)
    q.append(",\"expected\":")
    q.append(jsonString: fault.expected)
    q.append(",\"got\":")
    q.append(jsonString: fault.got)
    q.append(",\"section\":")
    q.append(jsonString: fault.section)
    q.append(UInt8(ascii: "}"))
  }
}
