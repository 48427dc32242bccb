/// To 0-9-1: the sections of a message to what basic.publish and the content header say of it, and to the octets of its
/// body. What 0-9-1 has no place for is listed, not dropped in silence: who asked for it decides what that means.
import Bytes

/// What stands in front of a body.
package struct ContentHead: Sendable, Equatable {
  /// Where the message itself says it goes; nil: it doesn't.
  package var exchange: [UInt8]?
  package var routingKey: [UInt8]?
  /// The field `to`, an address.
  package var to: String?
  /// Flags and values, as they stand in a content header.
  package var properties: [UInt8] = []
  /// What can't be said in 0-9-1, in the specification's words: "subject", "footer".
  package var unmapped: [String] = []

  package init() {}
}

/// Which octets of a message are what.
package struct ContentBody: Sendable, Equatable {
  /// The sections in front of the body.
  package var head: Range<Int>
  /// The body's octets: the first run, and (from several data sections) more of them.
  package var first: Range<Int>
  package var more: [Run] = []
  /// What can't be said in 0-9-1: "amqp-sequence", "footer".
  package var unmapped: [String] = []

  package var runs: [Run] { [Run(range: first)] + more }
  package var size: Int { more.reduce(first.count) { $0 + $1.range.count } }

  /// Octets of one section. The runtime makes an array of these in no time; for one of `Range<Int>` it searches all
  /// conformances, a hundredth of sending one message.
  package struct Run: Sendable, Equatable {
    package let range: Range<Int>
  }
}

extension MessageMapping {
  /// Finds head and body of a message that begins at the start of `b`, or of what follows a head that is kept elsewhere.
  package static func body(_ b: Span<UInt8>) throws(FieldFault) -> ContentBody {
    // Nearly always: one data section and nothing else.
    if b.count >= 5 && b[0] == 0 && b[1] == 0x53 && b[2] == UInt8(Code.data) {
      if b[3] == 0xa0 && 5 + Int(b[4]) == b.count { return ContentBody(head: 0..<0, first: 5..<b.count) }
      if b[3] == 0xb0 && b.count >= 8 && 8 + Int(b.u32(4)) == b.count {
        return ContentBody(head: 0..<0, first: 8..<b.count)
      }
    }
    return try anyBody(b)
  }

  private static func anyBody(_ b: Span<UInt8>) throws(FieldFault) -> ContentBody {
    var body = ContentBody(head: 0..<0, first: 0..<0)
    var runs: [ContentBody.Run] = []
    var sections = Sections(0..<b.count)
    while let section = try next(&sections, b) {
      switch section.code {
      case Code.data: runs.append(ContentBody.Run(range: section.content))
      case Code.amqpValue:
        switch section.constructor {
        case 0xa0, 0xb0, 0xa1, 0xb1: runs.append(ContentBody.Run(range: section.content))
        default: body.unmapped.append("a body of type \(Primitive.of(section.constructor)?.name ?? "described")")
        }
      case Code.amqpSequence: body.unmapped.append("amqp-sequence")
      case Code.footer: body.unmapped.append("footer")
      case 0: body.unmapped.append("a section that nobody knows")
      default: body.head = 0..<section.range.upperBound
      }
    }
    if let first = runs.first {
      body.first = first.range
      body.more = Array(runs.dropFirst())
    }
    return body
  }

  /// Translates the sections in front of a body: those in `head`, then those in `own` (a message's own, mostly none).
  package static func head(_ head: Span<UInt8>, _ own: Span<UInt8>) throws(FieldFault) -> ContentHead {
    var out = ContentHead()
    // Nearly always: durable or not, and no more.
    if own.isEmpty, head.matches(saysDurable.span) || head.matches(saysTransient.span) {
      out.properties = head[6] == 0x41 ? persistent : nothing
      return out
    }
    var properties = BasicProperties()
    var headers: [MapEntry]?
    for part in 0..<2 {
      let b = part == 0 ? head : own
      var sections = Sections(0..<b.count)
      while let section = try next(&sections, b) {
        let value: Value
        do throws(Problem) {
          value = try Value.decode(b.extracting(section.value..<section.range.upperBound))
        } catch {
          throw FieldFault("a malformed section at octet \(section.value + error.offset): \(error.text)")
        }
        switch (section.code, value) {
        case (Code.header, .list(let values)): header(values, &properties)
        case (Code.messageAnnotations, .map(let entries)):
          try annotations(entries, &out, &properties, &headers)
        case (Code.properties, .list(let values)): try self.properties(values, &out, &properties)
        case (Code.applicationProperties, .map(let entries)): headers = entries + (headers ?? [])
        case (Code.deliveryAnnotations, _): out.unmapped.append("delivery-annotations")
        default: break
        }
      }
    }
    if let headers { properties[.headers] = .map(headers) }
    // Nothing but "transient" is nothing: a broker that reads the flags the other way round takes just that.
    if saysOnlyTransient(properties) { properties = BasicProperties() }
    var q = ByteQueue()
    try q.append(properties)
    out.properties = q.bytes
    return out
  }

  private static let saysDurable: [UInt8] = [0, 0x53, 0x70, 0xc0, 2, 1, 0x41]
  private static let saysTransient: [UInt8] = [0, 0x53, 0x70, 0xc0, 2, 1, 0x42]
  /// Flags and values of a content header: delivery-mode 2, and none.
  private static let persistent: [UInt8] = [0x10, 0, 2]
  private static let nothing: [UInt8] = [0, 0]

  private static func saysOnlyTransient(_ properties: BasicProperties) -> Bool {
    BasicProperties.Index.allCases.allSatisfy {
      $0 == .deliveryMode ? properties[$0] == .ubyte(1) : properties[$0].isNull
    }
  }

  private static func next(_ sections: inout Sections, _ b: Span<UInt8>) throws(FieldFault) -> Section? {
    do throws(Problem) { return try sections.next(b) } catch {
      throw FieldFault("a malformed message: at octet \(error.offset) \(error.text)")
    }
  }

  /// first-acquirer and delivery-count tell of a delivery that has been: they are not for the next one.
  private static func header(_ values: [Value], _ properties: inout BasicProperties) {
    func field(_ i: Int) -> Value { i < values.count ? values[i] : .null }
    if let durable = field(HeaderField.durable).bool { properties[.deliveryMode] = .ubyte(durable ? 2 : 1) }
    properties[.priority] = field(HeaderField.priority)
    if let ttl = field(HeaderField.ttl).unsigned { properties[.expiration] = .string("\(ttl)") }
  }

  private static func properties(
    _ values: [Value], _ out: inout ContentHead, _ properties: inout BasicProperties
  ) throws(FieldFault) {
    let rows = CompositeSpec.row(CompositeSpec.index(code: Code.properties))?.fields ?? []
    for (i, value) in values.enumerated() where !value.isNull {
      if i == PropertiesField.to {
        out.to = value.text
      } else if let property = fields.first(where: { $0.field == i })?.property {
        properties[property] = property == .timestamp ? value : try text(value, rows[i].name)
      } else {
        out.unmapped.append(i < rows.count ? rows[i].name : "a field of properties that nobody knows")
      }
    }
  }

  /// Ids are strings in 0-9-1.
  private static func text(_ value: Value, _ name: String) throws(FieldFault) -> Value {
    switch value {
    case .string, .binary: return value
    case .symbol(let text): return .string(text)
    case .ulong(let number): return .string("\(number)")
    case .uuid(let bits): return .string(Value.uuidText(bits))
    default: throw FieldFault("\(name): neither text nor binary")
    }
  }

  private static func annotations(
    _ entries: [MapEntry], _ out: inout ContentHead, _ properties: inout BasicProperties, _ headers: inout [MapEntry]?
  ) throws(FieldFault) {
    for entry in entries {
      let key = entry.key.text ?? ""
      if key == exchange {
        out.exchange = try short(entry.value, "exchange")
      } else if key == routingKey {
        out.routingKey = try short(entry.value, "routing-key")
      } else if let property = property(annotation: key) {
        properties[property] = entry.value
      } else {
        headers = (headers ?? []) + [MapEntry(.string(key), entry.value)]
      }
    }
  }

  private static func short(_ value: Value, _ name: String) throws(FieldFault) -> [UInt8] {
    let octets: [UInt8]
    switch value {
    case .string(let text), .symbol(let text): octets = [UInt8](utf8: text)
    case .binary(let bytes): octets = bytes
    default: throw FieldFault("\(name): not a string")
    }
    if octets.count > 255 { throw FieldFault("\(name): \(octets.count) octets, and 0-9-1 has room for 255") }
    return octets
  }
}
