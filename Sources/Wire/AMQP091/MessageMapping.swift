/// Messages of 0-9-1 as sections of 1.0 and back: the one place where the two dialects' messages meet. Everything above
/// the machines knows sections only. Pure functions; what 0-9-1 has and sections have not goes into message-annotations:
/// `x-exchange` and `x-routing-key`, as RabbitMQ 4 names them, and `x-basic-NAME` for a property that fits no field.
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
