/// From 0-9-1: exchange, routing key and properties to the sections in front of a body.
package import Bytes

extension MessageMapping {
  /// The sections that say what `properties` do, without a body.
  package static func draft(
    _ properties: BasicProperties, exchange: Span<UInt8>, routingKey: Span<UInt8>
  ) -> MessageDraft {
    var draft = MessageDraft()
    var annotations = [
      MapEntry(.symbol(self.exchange), .shortstr(exchange)), MapEntry(.symbol(self.routingKey), .shortstr(routingKey)),
    ]
    var header: [Value] = [.null, .null, .null]
    var section: [Value] = Array(repeating: .null, count: PropertiesField.creationTime + 1)
    for property in BasicProperties.Index.allCases where !properties[property].isNull {
      let value = properties[property]
      switch property {
      case .headers: draft.applicationProperties = value.entries ?? []
      case .deliveryMode where value == .ubyte(1) || value == .ubyte(2):
        header[HeaderField.durable] = .boolean(value == .ubyte(2))
      case .priority: header[HeaderField.priority] = value
      case .expiration:
        if let ttl = milliseconds(value) {
          header[HeaderField.ttl] = .uint(ttl)
        } else {
          annotations.append(MapEntry(.symbol(annotation(property)), value))
        }
      case .contentType, .contentEncoding, .deliveryMode, .correlationID, .replyTo, .messageID, .timestamp, .type,
        .userID,
        .appID, .clusterID:
        if let field = fields.first(where: { $0.property == property }), let fitting = fitting(value, property) {
          section[field.field] = fitting
        } else {
          annotations.append(MapEntry(.symbol(annotation(property)), value))
        }
      }
    }
    if header.contains(where: { !$0.isNull }) { draft.header = header }
    draft.messageAnnotations = annotations
    if section.contains(where: { !$0.isNull }) { draft.properties = section }
    return draft
  }

  /// What the field of the properties section takes; nil when it can't hold this.
  private static func fitting(_ value: Value, _ property: BasicProperties.Index) -> Value? {
    switch (property, value) {
    case (.contentType, .string(let text)), (.contentEncoding, .string(let text)):
      text.utf8.allSatisfy { $0 < 0x80 } ? .symbol(text) : nil
    case (.userID, .string(let text)): .binary([UInt8](utf8: text))
    case (.userID, .binary), (.messageID, .binary), (.correlationID, .binary): value
    case (.messageID, .string), (.correlationID, .string), (.replyTo, .string): value
    case (.timestamp, .timestamp): value
    default: nil
    }
  }

  /// Of an expiration that comes back the same: "60000", not "060000".
  private static func milliseconds(_ expiration: Value) -> UInt32? {
    guard let text = expiration.text, let number = UInt32(text), String(number) == text else { return nil }
    return number
  }
}

/// The sections in front of bodies, translated once for a run of messages with the same exchange, key and properties.
package struct SectionsCache: Sendable {
  private var exchange: [UInt8] = []
  private var routingKey: [UInt8] = []
  private var properties: [UInt8] = []
  /// Empty: nothing was translated yet. There are always annotations.
  private var sections = ByteQueue()

  package init() {}

  /// Appends the sections that stand in front of the body, and what comes in front of the body's octets themselves.
  /// `properties` are the flags and values of a content header.
  package mutating func append(
    exchange: Span<UInt8>, routingKey: Span<UInt8>, properties: Span<UInt8>, bodySize: Int, limits: Limits = Limits(),
    to q: inout ByteQueue
  ) throws(Problem) {
    if sections.isEmpty || !self.properties.span.matches(properties) || !self.routingKey.span.matches(routingKey)
      || !self.exchange.span.matches(exchange)
    {
      let values = try BasicProperties(properties, 0..<properties.count, limits: limits)
      sections.removeAll()
      MessageMapping.draft(values, exchange: exchange, routingKey: routingKey).encodeHead(into: &sections)
      self.properties = properties.array
      self.routingKey = routingKey.array
      self.exchange = exchange.array
    }
    sections.withReadable { q.append($0) }
    q.appendDataHead(bodySize)
  }
}
