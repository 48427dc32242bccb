// Where the answer to a message goes, and by what its sender knows it.
import Wire

struct Request {
  /// The message's reply-to.
  let address: String
  /// Its correlation-id, or else its message-id; null: it has neither.
  let correlation: Value

  /// Nil: nobody waits for an answer.
  init?(_ message: Span<UInt8>) {
    var sections = Sections(0..<message.count)
    while let section = try? sections.next(message) {
      guard section.code == Code.properties else { continue }
      let value = try? Value.decode(message.extracting(section.value..<section.range.upperBound))
      guard case .list(let fields)? = value else { return nil }
      func field(_ name: String) -> Value {
        guard let i = MessageDraft.field(named: name)?.index, i < fields.count else { return .null }
        return fields[i]
      }
      guard let address = field("reply-to").text, !address.isEmpty else { return nil }
      self.address = address
      let own = field("correlation-id")
      correlation = own.isNull ? field("message-id") : own
      return
    }
    return nil
  }
}
