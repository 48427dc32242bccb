/// The sections in front of a body between 1.0 and 0-9-1, by RabbitMQ 4's rules (seen of 4.0): what 0-9-1 has no field
/// for becomes a header or is lost, what 1.0 has no field for an annotation.
import Bytes

extension MessageBridge {
  /// The type of a message whose body is 1.0's sections.
  static let encodedType = "amqp-1.0"
  private static let urn = "urn:uuid:"

  private enum Field {
    static let (messageID, userID, to, subject, replyTo, correlationID) = (0, 1, 2, 3, 4, 5)
    static let (contentType, contentEncoding, absoluteExpiry, creationTime) = (6, 7, 8, 9)
    static let (groupID, groupSequence, replyToGroupID, count) = (10, 11, 12, 13)
    static let ids = [(messageID, "x-message-id"), (correlationID, "x-correlation-id")]
    /// 0-9-1 has nothing for these.
    static let lost = [to, subject, absoluteExpiry, groupSequence, replyToGroupID]
  }

  // MARK: To 0-9-1

  mutating func toBasic(_ draft: inout MessageDraft, encoded: Bool) {
    var headers: [MapEntry] = []
    var annotations: [MapEntry] = []
    for entry in draft.messageAnnotations ?? [] {
      guard case .symbol(let key) = entry.key else {
        lose("an annotation whose key is a number")
        continue
      }
      if MessageMapping.basicName([UInt8](utf8: key).span) != nil {
        annotations.append(entry)
      } else {
        add(key == "x-cc" ? "CC" : key, Self.longstr(entry.value), to: &headers)
      }
    }
    for entry in draft.applicationProperties ?? [] {
      add(entry.key.text ?? "", Self.longstr(entry.value), to: &headers)
    }
    if var fields = draft.properties {
      while fields.count < Field.count { fields.append(.null) }
      let names = MessageDraft.fieldNames.suffix(Field.count)
      func name(_ i: Int) -> String { names[names.startIndex + i] }
      for i in Field.lost where !fields[i].isNull {
        lose(name(i))
        fields[i] = .null
      }
      for (i, header) in Field.ids {
        switch fields[i] {
        case .uuid(let bits): fields[i] = .string(Self.urn + Value.uuidText(bits))
        case .string(let text) where text.utf8.count > 255:
          add(header, .string(text), to: &headers)
          fields[i] = .null
        case .binary(let octets):
          add(header, .binary(octets), to: &headers)
          fields[i] = .null
        default: break
        }
      }
      if case .string(let group) = fields[Field.groupID] {
        if group.utf8.count <= 255 {
          annotations.append(MapEntry(.symbol(MessageMapping.annotation(.appID)), .string(group)))
        } else {
          lose("a group-id of more than 255 octets")
        }
      }
      fields[Field.groupID] = .null
      for i in [Field.userID, Field.replyTo, Field.contentType, Field.contentEncoding] {
        let isLong =
          switch fields[i] {
          case .string(let text), .symbol(let text): text.utf8.count > 255
          case .binary(let octets): octets.count > 255 || octets.span.firstInvalidUTF8() != nil
          default: false
          }
        if isLong {
          lose("a \(name(i)) that is no short string")
          fields[i] = .null
        }
      }
      if case .timestamp(let time) = fields[Field.creationTime], time % 1000 != 0 {
        lose("the milliseconds of creation-time")
      }
      draft.properties = fields
    }
    if encoded {
      annotations.removeAll { $0.key.text == MessageMapping.annotation(.type) }
      annotations.append(MapEntry(.symbol(MessageMapping.annotation(.type)), .string(Self.encodedType)))
    }
    draft.messageAnnotations = annotations.isEmpty ? nil : annotations
    draft.applicationProperties = headers.isEmpty ? nil : headers
  }

  /// Binaries become long strings, whatever is in them.
  private static func longstr(_ value: Value) -> Value {
    guard case .binary(let octets) = value else { return value }
    if octets.span.firstInvalidUTF8() == nil { return .string(octets.span.text) }
    return .described(descriptor: .longstr091, value: value)
  }

  /// A header that 0-9-1 can't hold is lost.
  private mutating func add(_ key: String, _ value: Value, to headers: inout [MapEntry]) {
    if key.isEmpty || key.utf8.count > 255 { return lose("a header whose name is no short string") }
    let entry = MapEntry(.string(key), value)
    var q = ByteQueue()
    do throws(FieldFault) { try q.appendTable(.map([entry])) } catch {
      return lose("a header of type \(value.primitive?.name ?? "described")")
    }
    headers.append(entry)
  }

  // MARK: To 1.0

  /// - Returns: whether the body's octets are sections.
  mutating func fromBasic(_ draft: inout MessageDraft) -> Bool {
    var isEncoded = false
    var annotations: [MapEntry] = []
    var fields = draft.properties ?? []
    for entry in draft.messageAnnotations ?? [] {
      let key = entry.key.text ?? ""
      if key == MessageMapping.annotation(.appID), case .string(let app) = entry.value {
        while fields.count <= Field.groupID { fields.append(.null) }
        fields[Field.groupID] = .string(app)
      } else if key == MessageMapping.annotation(.type), entry.value == .string(Self.encodedType) {
        isEncoded = true
      } else if let value = simple(entry.value) {
        annotations.append(MapEntry(entry.key, value))
      }
    }
    for (i, _) in Field.ids where i < fields.count {
      if case .string(let text) = fields[i], text.hasPrefix(Self.urn),
        let uuid = try? TypedText.value(.uuid, String(text.dropFirst(Self.urn.utf8.count)))
      {
        fields[i] = uuid
      }
    }
    var headers: [MapEntry] = []
    for entry in draft.applicationProperties ?? [] {
      let key = entry.key.text ?? ""
      guard !key.isEmpty else {
        lose("a header whose name is no text")
        continue
      }
      guard let value = simple(entry.value) else { continue }
      switch value {
      case _ where key.hasPrefix("x-"): annotations.append(MapEntry(.symbol(key), value))
      case .list where key == "CC": annotations.append(MapEntry(.symbol("x-cc"), value))
      // Application properties are simple values, part 3 §3.2.5.
      case .list, .map, .array: lose("a header that is \(value.primitive == .map ? "a table" : "an array")")
      default: headers.append(MapEntry(.string(key), value))
      }
    }
    draft.messageAnnotations = annotations.isEmpty ? nil : annotations
    draft.applicationProperties = headers.isEmpty ? nil : headers
    if !fields.isEmpty { draft.properties = fields }
    return isEncoded
  }

  /// What only 0-9-1 has, in the types of 1.0; nil: there is none.
  private mutating func simple(_ value: Value) -> Value? {
    switch value {
    case .described(.longstr091, .binary(let octets)): return .binary(octets)
    case .described:
      lose("a header that is a decimal or a large timestamp")
      return nil
    case .list(let items): return .list(items.compactMap { simple($0) })
    case .map(let entries):
      return .map(
        entries.compactMap { entry in
          simple(entry.value).map { MapEntry(entry.key.text.map { .symbol($0) } ?? entry.key, $0) }
        })
    default: return value
    }
  }
}
