// What an expression looks at in a message: `subject`, `header.tenant`, `annotation.x-opt`, `body`, `body.user.id`. The
// names of properties are 1.0's, with 0-9-1's as synonyms; the grammar is in `MatchExpression`.
import Bytes
import Engine
import Render
import Wire

enum MessageField: Equatable {
  /// A field of header or properties, by section and place.
  case property(UInt64, Int)
  case annotation(String)
  case header(String)
  case address
  case body([PathStep])

  /// One step into a JSON body.
  enum PathStep: Equatable {
    case member(String)
    case item(Int)
    /// Any item of an array, any member of an object.
    case any
  }

  /// A value found in a message, as far as expressions tell values apart.
  enum Found: Equatable {
    case text([UInt8])
    /// As it is written.
    case number(String)
    case json(JSON)
  }

  /// The standard property of this name; nil: there is none.
  init?(property name: String) {
    switch name {
    case "address": self = .address
    case "exchange": self = .annotation(MessageMapping.exchange)
    case "routing-key": self = .annotation(MessageMapping.routingKey)
    case "delivery-mode": self = .property(Code.header, 0)
    default:
      if let field = MessageDraft.field(named: name) ?? MessageDraft.field(synonym: name) {
        self = .property(field.section, field.index)
      } else if let annotation = MessageDraft.annotation(synonym: name) {
        self = .annotation(annotation)
      } else {
        return nil
      }
    }
  }

  static var names: [String] {
    ["address"] + MessageDraft.fieldNames + MessageDraft.synonyms + ["exchange", "routing-key"]
  }
}

/// Reads fields out of a message. What can't be read isn't there: whether a message is malformed is said where it is
/// printed.
struct FieldReader {
  private var dissector = Dissector()
  private var scratch = ByteQueue()

  /// Lends each value that the field has in the message until `body` returns true. Nothing found: it isn't called.
  mutating func any(
    _ field: MessageField, _ b: Span<UInt8>, address: String, _ body: (MessageField.Found) -> Bool
  ) -> Bool {
    switch field {
    case .address: return body(.text([UInt8](utf8: address)))
    case .property(let section, let index):
      let fields = FieldReader.section(section, b)
      if case .list(let values)? = fields, index < values.count, !values[index].isNull {
        return found(values[index]).map(body) ?? false
      }
      // What a message without header section means, part 3 §3.2.1.
      guard section == Code.header else { return false }
      switch index {
      case 0, 3: return body(.text([UInt8](utf8: "false")))
      case 1: return body(.number("4"))
      case 4: return body(.number("0"))
      default: return false
      }
    case .annotation(let key): return entry(key, Code.messageAnnotations, b).map(body) ?? false
    case .header(let key): return entry(key, Code.applicationProperties, b).map(body) ?? false
    case .body(let path):
      if path.isEmpty { return self.body(b).map { body(.text($0)) } ?? false }
      guard let octets = self.body(b), let json = try? JSONReader.read(octets.span) else { return false }
      return FieldReader.walk(json, path[...]) { body(FieldReader.found($0)) }
    }
  }

  /// The octets of the body, or the JSON of one that is no octets.
  mutating func body(_ b: Span<UInt8>) -> [UInt8]? {
    if let single = try? BodyText.single(b, in: 0..<b.count) { return b.extracting(single).array }
    scratch.removeAll()
    guard (try? BodyText.append(b, in: 0..<b.count, with: &dissector, to: &scratch)) != nil else { return nil }
    return scratch.bytes
  }

  /// Whether `matches` holds for the octets of the body, which are not copied where they stand together.
  mutating func body(_ b: Span<UInt8>, _ matches: (Span<UInt8>) -> Bool) -> Bool {
    if let single = try? BodyText.single(b, in: 0..<b.count) { return matches(b.extracting(single)) }
    return body(b).map { matches($0.span) } ?? false
  }

  private static func section(_ code: UInt64, _ b: Span<UInt8>) -> Value? {
    var sections = Sections(0..<b.count)
    while let section = try? sections.next(b) {
      if section.code == code {
        return try? Value.decode(b.extracting(section.value..<section.range.upperBound))
      }
      // Behind the body there is nothing that is asked for.
      if section.code >= Code.data { return nil }
    }
    return nil
  }

  private mutating func entry(_ key: String, _ code: UInt64, _ b: Span<UInt8>) -> MessageField.Found? {
    guard case .map(let entries)? = FieldReader.section(code, b),
      let value = entries.first(where: { $0.key.text == key })?.value
    else { return nil }
    return found(value)
  }

  private mutating func found(_ value: Value) -> MessageField.Found? {
    switch value {
    case .null: return nil
    case .string(let text), .symbol(let text): return .text([UInt8](utf8: text))
    case .binary(let octets): return .text(octets)
    case .described(let descriptor, .binary(let octets)) where descriptor == Value.longstr091: return .text(octets)
    case .uuid(let bits): return .text([UInt8](utf8: Value.uuidText(bits)))
    case .char(let c): return .text([UInt8](utf8: String(Character(c))))
    default:
      // As everywhere in plain JSON.
      var q = ByteQueue()
      q.append(value)
      let octets = q.bytes
      dissector.reset()
      dissector.value(octets.span, at: 0, limit: octets.count)
      q.removeAll()
      ValueJSON(dissector).plain(0, octets.span, to: &q)
      let text = q.bytes
      return (try? JSONReader.read(text.span)).map { FieldReader.found($0) }
    }
  }

  private static func found(_ json: JSON) -> MessageField.Found {
    switch json {
    case .string(let text): .text([UInt8](utf8: text))
    case .number(let text): .number(text)
    case .null: .text([UInt8](utf8: "null"))
    case .boolean(let v): .text([UInt8](utf8: v ? "true" : "false"))
    case .array, .object: .json(json)
    }
  }

  private static func walk(_ json: JSON, _ path: ArraySlice<MessageField.PathStep>, _ body: (JSON) -> Bool) -> Bool {
    guard let step = path.first else { return body(json) }
    let rest = path.dropFirst()
    switch (step, json) {
    case (.member(let name), .object): return json[name].map { walk($0, rest, body) } ?? false
    case (.item(let i), .array(let items)):
      let at = i < 0 ? items.count + i : i
      return items.indices.contains(at) && walk(items[at], rest, body)
    case (.any, .array(let items)): return items.contains { walk($0, rest, body) }
    case (.any, .object(let members)): return members.contains { walk($0.value, rest, body) }
    default: return false
    }
  }
}
