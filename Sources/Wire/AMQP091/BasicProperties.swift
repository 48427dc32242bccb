/// The properties of a message as its content header has them, §4.2.6.1: flags for those that are there, then their
/// values. Their rows are in `PropertySpec.basic`.
package import Bytes

package struct BasicProperties: Sendable, Equatable {
  /// One for each row of `PropertySpec.basic`; null for one that is not there.
  package var values: [Value]

  /// Where in `values` each stands.
  package enum Index: Int, Sendable, CaseIterable {
    case contentType, contentEncoding, headers, deliveryMode, priority, correlationID, replyTo, expiration, messageID
    case timestamp, type, userID, appID, clusterID
  }

  package init() { values = Array(repeating: .null, count: PropertySpec.basic.count) }

  package subscript(_ i: Index) -> Value {
    get { values[i.rawValue] }
    set { values[i.rawValue] = newValue }
  }

  /// Reads flags and values in `range`. Octets behind the last value are tolerated, as RabbitMQ does.
  package init(
    _ b: Span<UInt8>, _ range: Range<Int>, limits: Limits = Limits(), dialect: FieldTableDialect = .rabbitMQ
  ) throws(Problem) {
    self.init()
    let (flags, start) = try BasicProperties.flags(b, range)
    var reader = FieldReader(start..<range.upperBound)
    for (i, row) in PropertySpec.basic.enumerated() where flags & row.flag != 0 {
      values[i] = try reader.value(b, row.type, row.name, limits: limits, dialect: dialect)
    }
  }

  /// The flags, and where the values start. The last bit of sixteen says that sixteen more follow; `basic` has no
  /// properties for those, and what they stand for can't be known.
  static func flags(_ b: Span<UInt8>, _ range: Range<Int>) throws(Problem) -> (flags: UInt16, values: Int) {
    var at = range.lowerBound
    var first: UInt16?
    while true {
      if range.upperBound - at < 2 {
        throw FieldReader.problem(at, "2 octets of property flags", "\(range.upperBound - at) left", "§4.2.6.1")
      }
      let word = b.u16(at)
      if first != nil && word & ~1 != 0 {
        throw FieldReader.problem(at, "no property flags after the first 16", hex(UInt64(word)), "§4.2.6.1")
      }
      if first == nil { first = word }
      at += 2
      if word & 1 == 0 { return (first ?? 0, at) }
    }
  }
}

extension ByteQueue {
  /// Appends flags and values.
  package mutating func append(_ properties: BasicProperties) throws(FieldFault) {
    var flags: UInt16 = 0
    for (row, value) in zip(PropertySpec.basic, properties.values) where !value.isNull { flags |= row.flag }
    append16(flags)
    for (row, value) in zip(PropertySpec.basic, properties.values) where !value.isNull {
      try appendFields([row.type], [value]) { _ in row.name }
    }
  }
}
