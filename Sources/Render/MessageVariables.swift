/// A message's metadata as environment variables for a program that is run for it: `NAME=VALUE`, a NUL behind each.
///
/// All names begin with `AMQP_MSG_`, which no setting of `amqp` does, so that a message can't steer the next command:
/// fields of header and properties by their names (`AMQP_MSG_REPLY_TO`), what 0-9-1 has beside them (`AMQP_MSG_EXCHANGE`),
/// and application properties as `AMQP_MSG_H_NAME`, where letters are capitals and what is no letter or digit is `_`. The
/// first of several that come to one name has it. Values are strings and numbers; a value that is neither, holds a NUL or is
/// larger than `valueLimit` is left out, and so is what would make more than `totalLimit` of them.
package import Bytes
package import Wire

package struct MessageVariables {
  package static let prefix = "AMQP_MSG_"
  /// Octets: Linux takes 131,072 for one variable.
  package static let valueLimit = 65_536
  package static let totalLimit = 262_144
  private static let mostHeaders = 1_000

  private let json: ValueJSON
  private let start: Int

  /// Appends the variables of the message in `dissector`.
  package static func append(
    _ dissector: Dissector, _ b: Span<UInt8>, _ context: MessageContext, to q: inout ByteQueue
  ) {
    let variables = MessageVariables(json: ValueJSON(dissector), start: q.count)
    variables.append(b, context, to: &q)
  }

  private init(json: ValueJSON, start: Int) { (self.json, self.start) = (json, start) }

  private func append(_ b: Span<UInt8>, _ context: MessageContext, to q: inout ByteQueue) {
    if let address = context.address { set("ADDRESS", utf8: address, to: &q) }
    if let number = context.number { set("NUMBER", utf8: String(number), to: &q) }
    var deliveryCount: UInt64 = 0
    var headers: Int?
    eachSection { code, value in
      switch code {
      case Code.header:
        fields(value, b, to: &q)
        if let count = child(of: value, field: 4) { deliveryCount = json.nodes[count].value }
      case Code.properties: fields(value, b, to: &q)
      case Code.messageAnnotations:
        json.eachEntry(value) { key, entry in
          let name = b.extracting(json.nodes[key].contentRange)
          guard let from = MessageMapping.basicName(name) else { return }
          set(name.extracting(from..<name.count), entry, b, to: &q)
        }
      case Code.applicationProperties: headers = headers ?? value
      default: break
      }
    }
    if deliveryCount == 0 { set("DELIVERY_COUNT", utf8: "0", to: &q) }
    set("REDELIVERED", utf8: context.redelivered ?? (deliveryCount > 0) ? "true" : "false", to: &q)
    if let headers { append(headers: headers, b, to: &q) }
  }

  private func append(headers map: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    var count = 0
    json.eachEntry(map) { key, entry in
      if count >= MessageVariables.mostHeaders { return }
      count += 1
      set(b.extracting(json.nodes[key].contentRange), entry, b, isHeader: true, to: &q)
    }
  }

  private func eachSection(_ body: (_ code: UInt64, _ value: Int) -> Void) {
    var i = 0
    while i < json.nodes.count {
      let n = json.nodes[i]
      if n.place == .section, n.kind == .described, let row = CompositeSpec.row(n.row), let value = json.described(i) {
        let expected: Node.Kind = row.code == Code.header || row.code == Code.properties ? .list : .map
        if json.nodes[value].kind == expected, let code = row.code { body(code, value) }
      }
      i = Int(n.next)
    }
  }

  private func child(of list: Int, field: UInt16) -> Int? {
    var i = list + 1
    while i < Int(json.nodes[list].next) {
      if json.nodes[i].field == field && json.nodes[i].kind == .scalar { return json.nodes[i].isNull ? nil : i }
      i = Int(json.nodes[i].next)
    }
    return nil
  }

  private func fields(_ list: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    guard let names = CompositeSpec.row(json.nodes[list].row)?.fields else { return }
    var i = list + 1
    while i < Int(json.nodes[list].next) {
      let n = json.nodes[i]
      if n.kind == .scalar, Int(n.field) < names.count {
        var name = names[Int(n.field)].name
        name.withUTF8 { p in unsafe set(p.span, i, b, to: &q) }
      }
      i = Int(n.next)
    }
  }

  private func set(_ name: StaticString, utf8 value: String, to q: inout ByteQueue) {
    let before = q.count
    q.append("AMQP_MSG_")
    q.append(name)
    q.append(UInt8(ascii: "="))
    let from = q.count
    q.append(utf8: value)
    end(before, value: from, to: &q)
  }

  private func set(
    _ name: Span<UInt8>, _ value: Int, _ b: Span<UInt8>, isHeader: Bool = false, to q: inout ByteQueue
  ) {
    let n = json.nodes[value]
    guard n.kind == .scalar, !n.isNull, !name.isEmpty, n.contentRange.count <= MessageVariables.valueLimit else {
      return
    }
    let before = q.count
    q.append("AMQP_MSG_")
    if isHeader { q.append("H_") }
    for i in 0..<name.count {
      switch name[i] {
      case 0x61...0x7a: q.append(name[i] - 0x20)
      case 0x41...0x5a, 0x30...0x39: q.append(name[i])
      default: q.append(UInt8(ascii: "_"))
      }
    }
    q.append(UInt8(ascii: "="))
    if isKnown(from: before, q) { return q.truncate(to: before) }
    let from = q.count
    switch Primitive.of(n.constructor) {
    case .string, .symbol, .binary: q.append(b.extracting(n.contentRange))
    case .uuid: q.append(uuid: b.integer(at: Int(n.content)))
    case .char: q.append(utf8: String(Character(Unicode.Scalar(UInt32(n.value)) ?? "\u{fffd}")))
    default: json.plain(value, b, to: &q)
    }
    end(before, value: from, to: &q)
  }

  /// Keeps the variable that begins at `before` if it may stay.
  private func end(_ before: Int, value: Int, to q: inout ByteQueue) {
    let isGood = q.withReadable { octets in
      octets.count - value <= MessageVariables.valueLimit && octets.count - start < MessageVariables.totalLimit
        && octets.extracting(value..<octets.count).firstIndex(of: 0, from: 0) == nil
    }
    if isGood { q.append(0) } else { q.truncate(to: before) }
  }

  /// Whether a variable in front of the one that begins at `from`, and ends with its `=`, has its name.
  private func isKnown(from: Int, _ q: borrowing ByteQueue) -> Bool {
    q.withReadable { octets in
      let name = octets.extracting(from..<octets.count)
      var at = start
      while at < from {
        if octets.count - at >= name.count, octets.extracting(at..<at + name.count).matches(name) { return true }
        guard let next = octets.firstIndex(of: 0, from: at) else { return false }
        at = next + 1
      }
      return false
    }
  }
}
