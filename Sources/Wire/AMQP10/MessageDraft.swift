/// A message as somebody composes it: sections as values, to be encoded in the specification's order and the smallest
/// form. Which fields there are, and of which types, is read from the rows of header and properties.
package import Bytes

package struct MessageDraft: Sendable, Equatable {
  /// Where it should go, when the message itself says so. Not a part of the encoding.
  package var address: String?
  /// The fields in the order of the row. Nil: no such section; empty: a section with nothing in it.
  package var header: [Value]?
  package var deliveryAnnotations: [MapEntry]?
  package var messageAnnotations: [MapEntry]?
  package var properties: [Value]?
  package var applicationProperties: [MapEntry]?
  package var body: [BodySection] = []
  package var footer: [MapEntry]?
  /// Sections that the specification doesn't know or doesn't allow again, behind all others.
  package var others: [Value] = []

  package enum BodySection: Sendable, Equatable {
    case data([UInt8])
    case sequence([Value])
    case value(Value)
  }

  package init() {}

  // MARK: Standard fields by name

  /// A field of header or properties.
  package struct Field: Sendable {
    /// The code of the section that it stands in.
    package let section: UInt64
    package let index: Int
    package let spec: FieldSpec
  }

  /// The names that `set` knows, header first.
  package static let fieldNames: [String] = [Code.header, Code.properties].flatMap { rowFields($0).map(\.name) }

  package static func field(named name: String) -> Field? {
    for section in [Code.header, Code.properties] {
      for (index, spec) in rowFields(section).enumerated() where spec.name == name {
        return Field(section: section, index: index, spec: spec)
      }
    }
    return nil
  }

  /// Sets a standard field from text. `user-id` is the text's UTF-8; ids and addresses are strings.
  package mutating func set(_ name: String, text: String) throws(TextFault) {
    let field = try MessageDraft.known(name)
    switch field.spec.type.primitive {
    case .any: store(field, .string(text))
    case .binary: store(field, .binary(Array(text.utf8)))
    case let type:
      let value: Value
      do throws(TextFault) { value = try TypedText.value(type, text) } catch {
        throw TextFault("\(name): \(error.reason)")
      }
      store(field, value)
    }
  }

  /// Sets a standard field to a value of one of the types it may have; null takes it away.
  package mutating func set(_ name: String, _ value: Value) throws(TextFault) {
    let field = try MessageDraft.known(name)
    let allowed = MessageDraft.types(of: field.spec)
    if !value.isNull, value.primitive.map({ allowed.contains($0) }) != true {
      let names = allowed.map(\.name).joined(separator: ", ")
      throw TextFault("\(name): expected \(names), got \(value.primitive?.name ?? "a described value")")
    }
    store(field, value)
  }

  /// What a field may hold. The rows say `*` where section 3.2 has a choice of types: ids and addresses.
  package static func types(of spec: FieldSpec) -> [Primitive] {
    switch spec.requires {
    case .messageID: [.string, .ulong, .uuid, .binary]
    case .address: [.string]
    default: [spec.type.primitive]
    }
  }

  private static func known(_ name: String) throws(TextFault) -> Field {
    guard let field = field(named: name) else {
      throw TextFault("no property '\(name)': one of \(fieldNames.joined(separator: ", "))")
    }
    return field
  }

  private mutating func store(_ field: Field, _ value: Value) {
    func stored(_ fields: [Value]?) -> [Value] {
      var fields = fields ?? []
      while fields.count <= field.index { fields.append(.null) }
      fields[field.index] = value
      return fields
    }
    if field.section == Code.header { header = stored(header) } else { properties = stored(properties) }
  }

  /// The value of a standard field, or nil when it is not set.
  package subscript(name: String) -> Value? {
    guard let field = MessageDraft.field(named: name) else { return nil }
    let fields = (field.section == Code.header ? header : properties) ?? []
    return field.index < fields.count && !fields[field.index].isNull ? fields[field.index] : nil
  }

  private static func rowFields(_ code: UInt64) -> [FieldSpec] {
    CompositeSpec.row(CompositeSpec.index(code: code))?.fields ?? []
  }

  // MARK: Octets

  /// Appends the whole message.
  package func encode(into q: inout ByteQueue) {
    encodeHead(into: &q)
    encodeBody(into: &q)
    encodeFooter(into: &q)
  }

  /// Appends the sections in front of the body: what stays the same for a run of messages.
  package func encodeHead(into q: inout ByteQueue) {
    if let header { q.appendSection(Code.header, fields: header) }
    if let deliveryAnnotations { q.appendSection(Code.deliveryAnnotations, .map(deliveryAnnotations)) }
    if let messageAnnotations { q.appendSection(Code.messageAnnotations, .map(messageAnnotations)) }
    if let properties { q.appendSection(Code.properties, fields: properties) }
    if let applicationProperties { q.appendSection(Code.applicationProperties, .map(applicationProperties)) }
  }

  /// Appends the body. A message has one always, be it empty: RabbitMQ 4.0 never answers a message without.
  package func encodeBody(into q: inout ByteQueue) {
    if body.isEmpty { q.appendDataHead(0) }
    for section in body {
      switch section {
      case .data(let octets):
        q.appendDataHead(octets.count)
        q.append(octets)
      case .sequence(let items): q.appendSection(Code.amqpSequence, .list(items))
      case .value(let value): q.appendSection(Code.amqpValue, value)
      }
    }
  }

  package func encodeFooter(into q: inout ByteQueue) {
    if let footer { q.appendSection(Code.footer, .map(footer)) }
    for section in others { q.append(section) }
  }
}

extension ByteQueue {
  /// Appends a section: its descriptor and `value`.
  package mutating func appendSection(_ code: UInt64, _ value: Value) {
    append(0x00)
    append(.ulong(code))
    append(value)
  }

  /// Appends a section of named fields; nulls at its end are left away, as several peers demand.
  package mutating func appendSection(_ code: UInt64, fields: [Value]) {
    var used = fields.count
    while used > 0 && fields[used - 1].isNull { used -= 1 }
    appendSection(code, .list(used == fields.count ? fields : Array(fields[..<used])))
  }

  /// Appends what stands in front of the `n` octets of a data section.
  package mutating func appendDataHead(_ n: Int) {
    // 00 53 75, then vbin8 or vbin32: this is done once a message.
    if n < 256 {
      append32(0x0053_75a0)
      append(UInt8(n))
    } else {
      append32(0x0053_75b0)
      append32(UInt32(n))
    }
  }
}
