/// A message on its way from one peer to another, through us: what goes on instead of what came. Within 1.0 only what
/// belongs to the hop is taken off (part 3 §3.2: delivery-annotations, and of the header first-acquirer and
/// delivery-count). Between the dialects it is changed as RabbitMQ 4 does it, and what has no place on the other side is
/// named once, never dropped in silence.
///
/// Messages of 0-9-1 come as sections, in the way of `MessageMapping`, and are handed on as such.
import Bytes

package struct MessageBridge: Sendable {
  package enum Dialect: Sendable { case amqp10, amqp091 }

  private let from: Dialect
  private let to: Dialect
  /// The sections in front of the body of the message before, and what became of them: mostly the next one has the same.
  private var head: [UInt8] = []
  private var changed = ByteQueue()
  private var isKnown = false
  /// The body's octets are sections (to 1.0), or have to become so (to 0-9-1).
  private var isEncoded = false
  private var told: Set<String> = []
  private var untold: [String] = []

  package init(from: Dialect, to: Dialect) { (self.from, self.to) = (from, to) }

  /// What could not be said on the other side, each kind once: "subject", "a header of type map".
  package mutating func takeLosses() -> [String] {
    if untold.isEmpty { return [] }
    defer { untold = [] }
    return untold
  }

  /// Lends what goes on: octets of ours, and behind them octets of the message.
  package mutating func pass<R>(
    _ b: Span<UInt8>, _ body: (_ prefix: Span<UInt8>, _ rest: Span<UInt8>) -> R
  ) throws(Problem) -> R {
    switch (from, to) {
    case (.amqp091, .amqp091):
      let none: [UInt8] = []
      return body(none.span, b)
    case (.amqp10, .amqp10):
      let end = try ofTheHop(b)
      if !matches(b, end, encoded: false) {
        changed.removeAll()
        try Self.hop(b, end, to: &changed)
        remember(b, end, encoded: false)
      }
      return changed.withReadable { body($0, b.extracting(end..<b.count)) }
    case (.amqp10, .amqp091):
      let parts = try Self.parts(b)
      if !matches(b, parts.body.lowerBound, encoded: parts.isEncoded) {
        try translate(b, parts.body.lowerBound, encoded: parts.isEncoded)
      }
      if parts.hasFooter && !parts.isEncoded { lose("footer") }
      if !parts.isEncoded { return changed.withReadable { body($0, b.extracting(parts.body)) } }
      // The length of the body stands in front of it, so the prefix is one message's own.
      var prefix = changed
      prefix.appendDataHead(b.count - parts.body.lowerBound)
      return prefix.withReadable { body($0, b.extracting(parts.body.lowerBound..<b.count)) }
    case (.amqp091, .amqp10):
      let parts = try Self.parts(b)
      if !matches(b, parts.body.lowerBound, encoded: isEncoded) { try translate(b, parts.body.lowerBound) }
      if isEncoded, let content = Self.sections(b, parts.body) {
        return changed.withReadable { body($0, b.extracting(content)) }
      }
      return changed.withReadable { body($0, b.extracting(parts.body)) }
    }
  }

  private func matches(_ b: Span<UInt8>, _ end: Int, encoded: Bool) -> Bool {
    isKnown && isEncoded == encoded && head.span.matches(b.extracting(0..<end))
  }

  private mutating func remember(_ b: Span<UInt8>, _ end: Int, encoded: Bool) {
    head = b.extracting(0..<end).array
    isKnown = true
    isEncoded = encoded
  }

  mutating func lose(_ what: String) {
    if told.insert(what).inserted { untold.append(what) }
  }

  // MARK: Within 1.0

  /// Where the sections that belong to the hop end.
  private func ofTheHop(_ b: Span<UInt8>) throws(Problem) -> Int {
    var sections = Sections(0..<b.count)
    var end = 0
    while let section = try sections.next(b) {
      if section.code != Code.header && section.code != Code.deliveryAnnotations { return end }
      end = section.range.upperBound
    }
    return end
  }

  private static func hop(_ b: Span<UInt8>, _ end: Int, to q: inout ByteQueue) throws(Problem) {
    var sections = Sections(0..<end)
    while let section = try sections.next(b) {
      guard section.code == Code.header else { continue }
      let value = try Value.decode(b.extracting(section.value..<section.range.upperBound))
      guard case .list(let fields) = value, fields.count > 3 else {
        q.append(b.extracting(section.range))
        continue
      }
      let kept = Array(fields[..<3])
      if kept.contains(where: { !$0.isNull }) { q.appendSection(Code.header, fields: kept) }
    }
  }

  // MARK: Between the dialects

  private struct Parts {
    /// The body's sections; what is in front of them is the head.
    var body: Range<Int>
    /// They are not data alone.
    var isEncoded = false
    var hasFooter = false
  }

  private static func parts(_ b: Span<UInt8>) throws(Problem) -> Parts {
    var sections = Sections(0..<b.count)
    var start: Int?
    var parts = Parts(body: b.count..<b.count)
    while let section = try sections.next(b) {
      switch section.code {
      case Code.data: break
      case Code.amqpValue, Code.amqpSequence: parts.isEncoded = true
      case Code.footer:
        parts.hasFooter = true
        continue
      default: if start == nil { continue } else { break }
      }
      if start == nil { start = section.range.lowerBound }
      parts.body = (start ?? 0)..<section.range.upperBound
    }
    return parts
  }

  /// The sections that the body of a message of type amqp-1.0 holds; nil: it holds none.
  private static func sections(_ b: Span<UInt8>, _ body: Range<Int>) -> Range<Int>? {
    var outer = Sections(body)
    guard let data = try? outer.next(b), data.code == Code.data, !data.content.isEmpty else { return nil }
    var inner = Sections(data.content)
    do throws(Problem) {
      while let section = try inner.next(b) { if section.code < Code.data { return nil } }
    } catch { return nil }
    return data.content
  }

  private mutating func translate(_ b: Span<UInt8>, _ end: Int, encoded: Bool = false) throws(Problem) {
    var draft = try Self.draft(b, end)
    var isEncoded = encoded
    if to == .amqp091 {
      toBasic(&draft, encoded: encoded)
    } else {
      isEncoded = fromBasic(&draft)
      // Without a delivery-mode a message is transient; without a header RabbitMQ takes it for durable.
      if !isEncoded, draft["durable"] == nil { try? draft.set("durable", .boolean(false)) }
    }
    changed.removeAll()
    draft.encodeHead(into: &changed)
    remember(b, end, encoded: isEncoded)
  }

  private static func draft(_ b: Span<UInt8>, _ end: Int) throws(Problem) -> MessageDraft {
    var draft = MessageDraft()
    var sections = Sections(0..<end)
    while let section = try sections.next(b) {
      let value = try Value.decode(b.extracting(section.value..<section.range.upperBound))
      switch (section.code, value) {
      case (Code.header, .list(let fields)): draft.header = Array(fields.prefix(3))
      case (Code.messageAnnotations, .map(let entries)): draft.messageAnnotations = entries
      case (Code.properties, .list(let fields)): draft.properties = fields
      case (Code.applicationProperties, .map(let entries)): draft.applicationProperties = entries
      default: break
      }
    }
    return draft
  }
}
