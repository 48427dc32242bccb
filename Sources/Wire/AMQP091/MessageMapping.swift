/// Messages of 0-9-1 as sections of 1.0 and back: the one place where the two dialects' messages meet. Everything above
/// the machines knows sections only. Pure functions; what 0-9-1 has and sections have not goes into message-annotations:
/// `x-exchange` and `x-routing-key`, as RabbitMQ 4 names them, and `x-basic-NAME` for a property that fits no field.
import Bytes

package enum MessageMapping {
  package static let exchange = "x-exchange"
  package static let routingKey = "x-routing-key"
  static let prefix = "x-basic-"

  /// The annotation that carries a property as it is.
  package static func annotation(_ property: BasicProperties.Index) -> String {
    prefix + PropertySpec.basic[property.rawValue].name
  }

  /// The property whose annotation this is. Headers have a section of their own.
  package static func property(annotation: String) -> BasicProperties.Index? {
    guard annotation.hasPrefix(prefix) else { return nil }
    let name = annotation.dropFirst(prefix.count)
    return BasicProperties.Index.allCases.first { $0 != .headers && PropertySpec.basic[$0.rawValue].name == name }
  }

  /// Where in an annotation's key the name of what is 0-9-1's own begins: "x-basic-type" is `type`, "x-exchange" is
  /// `exchange`. Nil: an annotation like any other.
  package static func basicName(_ key: Span<UInt8>) -> Int? {
    if key.matches("x-exchange") || key.matches("x-routing-key") { return 2 }
    return key.count > 8 && key.extracting(0..<8).matches("x-basic-") ? 8 : nil
  }

  /// The other way round, and the type that it has when nothing else is said.
  package static func annotation(basicName name: String) -> (key: String, type: Primitive)? {
    if name == "exchange" { return (exchange, .string) }
    if name == "routing-key" { return (routingKey, .string) }
    guard let property = property(annotation: prefix + name) else { return nil }
    switch PropertySpec.basic[property.rawValue].type {
    case .octet: return (annotation(property), .ubyte)
    case .timestamp: return (annotation(property), .timestamp)
    case .bit, .short, .long, .longlong, .shortstr, .longstr, .table: return (annotation(property), .string)
    }
  }

  /// Where a message of 0-9-1 was published to, if it says so.
  package static func destination(_ draft: MessageDraft) -> NodeAddress? {
    func text(_ key: String) -> String? { draft.messageAnnotations?.first { $0.key.text == key }?.value.text }
    guard let key = text(routingKey) else { return nil }
    let name = text(exchange) ?? ""
    return name.isEmpty ? .queue(key) : .exchange(name, key: key)
  }

  /// Where the fields stand in the rows of header and properties.
  enum HeaderField { static let (durable, priority, ttl) = (0, 1, 2) }
  enum PropertiesField {
    static let (messageID, userID, to, replyTo, correlationID) = (0, 1, 2, 4, 5)
    static let (contentType, contentEncoding, creationTime) = (6, 7, 9)
  }

  /// Properties of 0-9-1 that are fields of the properties section, by the field's place.
  static let fields: [(property: BasicProperties.Index, field: Int)] = [
    (.messageID, PropertiesField.messageID), (.userID, PropertiesField.userID), (.replyTo, PropertiesField.replyTo),
    (.correlationID, PropertiesField.correlationID), (.contentType, PropertiesField.contentType),
    (.contentEncoding, PropertiesField.contentEncoding), (.timestamp, PropertiesField.creationTime),
  ]
}
