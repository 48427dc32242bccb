// `--filter` and `--offset`: the filter-set of a source, part 3 §3.5.8, as described values.
import Console
import Wire

enum FilterOptions {
  private static let selector = "apache.org:selector-filter:string"
  private static let positions = "first, last, next, an offset, a duration such as 10m, or a time"
  private static let offset = "rabbitmq:stream-offset-spec"

  /// A map from name to described value, or null.
  /// - Parameter place: where an earlier run came to, which counts more than `--offset`.
  /// - Parameter isEventHub: the source is a partition of an event hub, where a place is a selector.
  static func filter(_ arguments: ParsedArguments, from place: Value?, isEventHub: Bool) throws(Failure) -> Value {
    var entries: [MapEntry] = []
    for text in arguments.values("filter") { entries.append(entry(text)) }
    if isEventHub, place != nil || arguments.flag("offset") {
      if entries.contains(where: { $0.key == .symbol(selector) }) {
        throw .usage(
          "--filter and --offset", "a place in an event hub is a selector as well", nextStep: "leave one out")
      }
      let text = arguments.value("offset") ?? ""
      guard let words = place?.unsigned.map({ "\(EventHub.offset) >= '\($0)'" }) ?? EventHub.selector(text) else {
        throw arguments.badValue(of: "offset", text, expected: positions)
      }
      entries.append(described(selector, .string(words)))
      return .map(entries)
    }
    if let text = arguments.value("offset") {
      guard let value = position(text) else {
        throw arguments.badValue(of: "offset", text, expected: positions)
      }
      entries.append(described(offset, place ?? value))
    } else if let place {
      entries.append(described(offset, place))
    }
    return entries.isEmpty ? .null : .map(entries)
  }

  /// The same for a run that goes on behind `offset`.
  static func filter(_ filter: Value, behind offset: UInt64) -> Value {
    let others = (filter.entries ?? []).filter { $0.key.text != self.offset }
    return .map(others + [described(self.offset, .ulong(offset + 1))])
  }

  /// The same for a stream of which nobody said where to begin.
  static func filterOfStream(_ filter: Value) -> Value {
    let entries = filter.entries ?? []
    if entries.contains(where: { $0.key.text == offset }) { return filter }
    return .map(entries + [described(offset, .string("next"))])
  }

  /// NAME=V where NAME has a colon in it; anything else is a selector.
  private static func entry(_ text: String) -> MapEntry {
    if let equals = text.firstIndex(of: "=") {
      let name = String(text[..<equals])
      if name.contains(":") && !name.contains(" ") && !name.contains("'") {
        return described(name, value(of: name, String(text[text.index(after: equals)...])))
      }
    }
    return described(selector, .string(text))
  }

  private static func value(of name: String, _ text: String) -> Value {
    let row = CompositeSpec.row(CompositeSpec.index(symbol: name))
    switch row?.source {
    case .boolean: return .boolean(text == "true")
    case .list: return .list([])
    default: return .string(text)
    }
  }

  /// The numeric descriptor where there is one: some peers know no other.
  private static func described(_ name: String, _ value: Value) -> MapEntry {
    let code = CompositeSpec.row(CompositeSpec.index(symbol: name))?.code
    // RabbitMQ looks for the name as descriptor; the registry's own filters are known by number everywhere.
    let descriptor: Value = code.map { .ulong($0) } ?? .symbol(name)
    return MapEntry(.symbol(name), .described(descriptor: descriptor, value: value))
  }

  private static func position(_ text: String) -> Value? {
    if ["first", "last", "next"].contains(text) { return .string(text) }
    if let number = UInt64(text) { return .ulong(number) }
    if let value = try? TypedText.value(.timestamp, text) { return value }
    // A duration goes to the broker as it is written.
    return (try? ValueKind.nanoseconds(text)) != nil ? .string(text) : nil
  }
}
