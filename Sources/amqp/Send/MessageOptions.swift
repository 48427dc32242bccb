// The sections that the options of `send` ask for: header, properties, application-properties, annotations, footer.
import Bytes
import Console
import Render
import Wire

enum MessageOptions {
  /// The text of an option's value, and the option, to the text that counts: `--template`.
  typealias Expansion = (_ text: String, _ option: String) throws(Failure) -> String

  static func draft(
    _ arguments: ParsedArguments, _ expand: Expansion = { (text, _) throws(Failure) in text }
  ) throws(Failure) -> MessageDraft {
    var draft = MessageDraft()
    // Said always: without a header section RabbitMQ 4.2 takes a message for transient.
    draft.header = [.boolean(arguments.last(of: ["durable", "transient"]) != "transient")]
    if let priority = arguments.number("priority") {
      try set(&draft, "priority", .ubyte(UInt8(priority)), "--priority")
    }
    if let ttl = arguments.nanoseconds("ttl") {
      guard let milliseconds = UInt32(exactly: ttl / 1_000_000) else {
        throw arguments.badValue(of: "ttl", arguments.value("ttl") ?? "", expected: "at most 49 days")
      }
      try set(&draft, "ttl", .uint(milliseconds), "--ttl")
    }
    for text in arguments.values("property") {
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else { throw arguments.badValue(of: "property", text, expected: "NAME=V") }
      try setText(&draft, String(sides[0]), try expand(String(sides[1]), "--property"), "--property")
    }
    if let type = arguments.value("content-type") {
      try setText(&draft, "content-type", try expand(type, "--content-type"), "--content-type")
    }
    if let address = arguments.value("reply-to") {
      try setText(&draft, "reply-to", try expand(address, "--reply-to"), "--reply-to")
    }
    draft.applicationProperties = try entries(arguments, "header", expand, key: { .string($0) })
    // Behind those that stand for properties of 0-9-1.
    if let annotations = try entries(arguments, "annotation", expand, key: { .symbol($0) }) {
      draft.messageAnnotations = (draft.messageAnnotations ?? []) + annotations
    }
    draft.deliveryAnnotations = try entries(arguments, "delivery-annotation", expand, key: { .symbol($0) })
    draft.footer = try entries(arguments, "footer", expand, key: { .symbol($0) })
    return draft
  }

  static func head(_ draft: MessageDraft) -> [UInt8] {
    var q = ByteQueue()
    draft.encodeHead(into: &q)
    return q.bytes
  }

  static func footer(_ draft: MessageDraft) -> [UInt8] {
    var q = ByteQueue()
    draft.encodeFooter(into: &q)
    return q.bytes
  }

  /// nil when the option isn't given: no section then.
  private static func entries(
    _ arguments: ParsedArguments, _ option: String, _ expand: Expansion, key: (String) -> Value
  ) throws(Failure) -> [MapEntry]? {
    let texts = arguments.values(option)
    if texts.isEmpty { return nil }
    var entries: [MapEntry] = []
    for template in texts {
      let text = try expand(template, "--\(option)")
      do throws(TextFault) {
        let typed = try TypedText(text)
        let entry = MapEntry(key(typed.name), try value(typed))
        // The last one counts, as it does for every option.
        if let at = entries.firstIndex(where: { $0.key == entry.key }) {
          entries[at] = entry
        } else {
          entries.append(entry)
        }
      } catch {
        throw .usage(
          "--\(option) '\(text)'", error.reason,
          nextStep: "-H name=text, -H count:int=5, -H when:timestamp=2026-01-01T00:00:00Z")
      }
    }
    return entries
  }

  private static func value(_ typed: TypedText) throws(TextFault) -> Value { try typed.value() }

  private static func set(_ draft: inout MessageDraft, _ name: String, _ value: Value, _ option: String) throws(Failure)
  {
    do throws(TextFault) { try draft.set(name, value) } catch { throw .usage(option, error.reason) }
  }

  private static func setText(_ draft: inout MessageDraft, _ name: String, _ text: String, _ option: String)
    throws(Failure)
  {
    do throws(TextFault) {
      if MessageDraft.field(named: name) == nil {
        try draft.set(synonym: name, text: text)
      } else {
        try draft.set(name, text: text)
      }
    } catch { throw .usage(option, error.reason) }
  }
}
