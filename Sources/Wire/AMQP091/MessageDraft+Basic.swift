/// The names that 0-9-1 has for the properties of a message, where 1.0 has others or none.
extension MessageDraft {
  /// Names that `set` knows besides the fields' own.
  package static let synonyms = ["type", "app-id", "cluster-id", "expiration", "timestamp", "delivery-mode"]

  /// The field that has the same meaning and, as text, the same form.
  package static func field(synonym name: String) -> Field? {
    switch name {
    case "expiration": field(named: "ttl")
    case "timestamp": field(named: "creation-time")
    default: nil
    }
  }

  /// The annotation that carries what 1.0 has no field for.
  package static func annotation(synonym name: String) -> String? {
    switch name {
    case "type": MessageMapping.annotation(.type)
    case "app-id": MessageMapping.annotation(.appID)
    case "cluster-id": MessageMapping.annotation(.clusterID)
    default: nil
    }
  }

  /// Sets a property by the name that 0-9-1 has for it: an expiration in milliseconds, a timestamp in seconds, a
  /// delivery-mode of 1 (transient) or 2 (durable).
  package mutating func set(synonym name: String, text: String) throws(TextFault) {
    switch name {
    case "expiration": try rename(name) { (draft) throws(TextFault) in try draft.set("ttl", text: text) }
    case "timestamp":
      let seconds = Int64(text).map { $0.multipliedReportingOverflow(by: 1000) }
      try rename(name) { (draft) throws(TextFault) in
        try draft.set("creation-time", text: seconds.map { $0.overflow ? "" : "\($0.partialValue)" } ?? text)
      }
    case "delivery-mode":
      guard text == "1" || text == "2" else {
        throw TextFault("delivery-mode: expected 1 (transient) or 2 (durable), got '\(text)'")
      }
      try set("durable", .boolean(text == "2"))
    default:
      guard let key = MessageDraft.annotation(synonym: name) else {
        let names = (MessageDraft.fieldNames + MessageDraft.synonyms).joined(separator: ", ")
        throw TextFault("no property '\(name)': one of \(names)")
      }
      var entries = (messageAnnotations ?? []).filter { $0.key != .symbol(key) }
      entries.append(MapEntry(.symbol(key), .string(text)))
      messageAnnotations = entries
    }
  }

  /// A fault in the words that the user chose.
  private mutating func rename(
    _ name: String, _ body: (inout MessageDraft) throws(TextFault) -> Void
  ) throws(TextFault) {
    do throws(TextFault) { try body(&self) } catch {
      throw TextFault(name + error.reason.drop { $0 != ":" })
    }
  }
}
