/// A line of message JSON into a draft: the other direction of `MessageJSON`. Strict, so that a mistyped name is an error
/// and not a property that silently isn't sent; what is said about a delivery is let through and dropped.
import Bytes
package import Wire

extension JSON {
  package init(line: Span<UInt8>) throws(TextFault) {
    do throws(JSONFault) { self = try JSONReader.read(line) } catch {
      throw TextFault("\(error.reason) at character \(error.offset + 1)")
    }
  }
}

extension MessageDraft {
  /// The message that one line of JSON stands for.
  package init(jsonLine line: Span<UInt8>) throws(TextFault) { try self.init(json: JSON(line: line)) }

  package init(json: JSON) throws(TextFault) {
    guard case .object(let members) = json else { throw TextFault("expected a message object, got \(json.kind)") }
    self.init()
    for member in members {
      do throws(TextFault) { try take(member.name, member.value) } catch {
        throw TextFault("\(member.name)\(error.reason.hasPrefix(".") ? "" : ": ")\(error.reason)")
      }
    }
  }

  private mutating func take(_ name: String, _ json: JSON) throws(TextFault) {
    switch name {
    case "address":
      guard case .string(let text) = json else { throw TextFault("expected a string, got \(json.kind)") }
      address = text
    case "header": header = try MessageDraft.fields(Code.header, json)
    case "properties": properties = try MessageDraft.fields(Code.properties, json)
    case "delivery-annotations": deliveryAnnotations = try MessageDraft.map(json, .symbol)
    case "message-annotations":
      if let entries = try MessageDraft.map(json, .symbol) { messageAnnotations = entries + (messageAnnotations ?? []) }
    case "application-properties": applicationProperties = try MessageDraft.map(json, .string)
    case "footer": footer = try MessageDraft.map(json, .symbol)
    case "body": body = try MessageDraft.body(json)
    case "other-sections":
      guard case .array(let items) = json else { throw TextFault("expected an array, got \(json.kind)") }
      for item in items {
        let section = try Value(json: item)
        guard case .described = section else { throw TextFault("expected described values") }
        others.append(section)
      }
    case "delivery": break
    case "malformed": throw TextFault("this message was broken where it was received and can't be sent")
    case "basic": messageAnnotations = (messageAnnotations ?? []) + (try MessageDraft.basic(json))
    default:
      throw TextFault(
        "no such member: address, header, delivery-annotations, message-annotations, properties, application-properties,"
          + " body, footer, basic")
    }
  }

  // MARK: Sections

  private static func fields(_ code: UInt64, _ json: JSON) throws(TextFault) -> [Value]? {
    if json == .null { return nil }
    guard case .object(let members) = json else { throw TextFault("expected an object, got \(json.kind)") }
    let specs = CompositeSpec.row(CompositeSpec.index(code: code))?.fields ?? []
    var values = [Value](repeating: .null, count: specs.count)
    var used = 0
    for member in members {
      guard let index = specs.firstIndex(where: { $0.name == member.name }) else {
        throw TextFault(".\(member.name): no such field: \(specs.map(\.name).joined(separator: ", "))")
      }
      do throws(TextFault) { values[index] = try field(specs[index], member.value) } catch {
        throw TextFault(".\(member.name): \(error.reason)")
      }
      if !values[index].isNull { used = max(used, index + 1) }
    }
    values.removeLast(values.count - used)
    return values
  }

  /// A field in its plain form; tagged with a type that the field may have is fine as well.
  private static func field(_ spec: FieldSpec, _ json: JSON) throws(TextFault) -> Value {
    let type = spec.type.primitive
    switch json {
    case .null: return .null
    case .object:
      let value = try Value(json: json)
      let allowed = types(of: spec)
      // Fields of type * take what came from a peer, whatever the specification's prose says of them.
      if type != .any, value.primitive.map({ allowed.contains($0) }) != true {
        throw TextFault("expected \(type.name), got \(value.primitive?.name ?? "a described value")")
      }
      return value
    case .string(let text) where type == .binary: return .binary(Array(text.utf8))
    case .boolean, .number, .string, .array: return try Value(type, json)
    }
  }

  private static func map(_ json: JSON, _ keys: Primitive) throws(TextFault) -> [MapEntry]? {
    if json == .null { return nil }
    guard case .object(let members) = json else { throw TextFault("expected an object, got \(json.kind)") }
    if members.count == 1, members[0].name == "map", case .array = members[0].value {
      return try Value.pairs(members[0].value)
    }
    var entries: [MapEntry] = []
    entries.reserveCapacity(members.count)
    for member in members {
      do throws(TextFault) {
        entries.append(MapEntry(try TypedText.value(keys, member.name), try Value(json: member.value)))
      } catch { throw TextFault(".\(member.name): \(error.reason)") }
    }
    return entries
  }

  /// What is 0-9-1's own, as the annotations that stand for it.
  private static func basic(_ json: JSON) throws(TextFault) -> [MapEntry] {
    guard case .object(let members) = json else { throw TextFault("expected an object, got \(json.kind)") }
    var entries: [MapEntry] = []
    for member in members {
      guard let (key, type) = MessageMapping.annotation(basicName: member.name) else {
        throw TextFault(
          ".\(member.name): no such field: exchange, routing-key, type, app-id, cluster-id, expiration")
      }
      do throws(TextFault) {
        let value: Value
        switch member.value {
        case .object: value = try Value(json: member.value)
        case .null, .boolean, .number, .string, .array: value = try Value(type, member.value)
        }
        entries.append(MapEntry(.symbol(key), value))
      } catch { throw TextFault(".\(member.name): \(error.reason)") }
    }
    return entries
  }

  // MARK: Body

  private static func body(_ json: JSON) throws(TextFault) -> [BodySection] {
    if json == .null { return [] }
    if case .string(let text) = json { return [.data(Array(text.utf8))] }
    guard case .object(let members) = json, members.count == 1 else {
      throw TextFault(
        "expected a string or one of {\"text\":…} {\"data\":…} {\"value\":…} {\"sequence\":…}, got \(json.kind)")
    }
    let (name, content) = (members[0].name, members[0].value)
    do throws(TextFault) {
      switch (name, content) {
      case ("text", .string(let text)): return [.data(Array(text.utf8))]
      case ("data", .array(let items)):
        var sections: [BodySection] = []
        for item in items { sections.append(.data(try octets(item))) }
        return sections
      case ("data", _): return [.data(try octets(content))]
      case ("value", _): return [.value(try Value(json: content))]
      case ("sequence", .array): return [.sequence(try items(content))]
      case ("sequences", .array(let lists)):
        var sections: [BodySection] = []
        for list in lists { sections.append(.sequence(try items(list))) }
        return sections
      case ("sections", .array(let parts)):
        var sections: [BodySection] = []
        for part in parts { sections += try body(part) }
        return sections
      case ("text", _), ("sequence", _), ("sequences", _), ("sections", _):
        throw TextFault("\(content.kind) can't stand here")
      default: throw TextFault("no such form of a body: text, data, value, sequence, sequences, sections")
      }
    } catch { throw TextFault(".\(name): \(error.reason)") }
  }

  private static func octets(_ json: JSON) throws(TextFault) -> [UInt8] {
    guard case .string(let text) = json, let octets = bytesFromBase64(Array(text.utf8).span) else {
      throw TextFault("expected base64")
    }
    return octets
  }

  private static func items(_ json: JSON) throws(TextFault) -> [Value] {
    guard case .list(let items) = try Value(json: json) else { throw TextFault("expected an array, got \(json.kind)") }
    return items
  }
}
