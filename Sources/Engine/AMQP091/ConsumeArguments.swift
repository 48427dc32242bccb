/// What filters and properties of an attach are called among the arguments of basic.consume.
import Wire

enum ConsumeArguments {
  /// Filters of RabbitMQ's streams, and the arguments that mean the same.
  private static let filters: [(name: String, argument: String)] = [
    ("rabbitmq:stream-offset-spec", "x-stream-offset"), ("rabbitmq:stream-filter", "x-stream-filter"),
    ("rabbitmq:stream-match-unfiltered", "x-stream-match-unfiltered"),
  ]

  static func of(_ attach: Attach) -> [MapEntry] {
    var arguments: [MapEntry] = []
    for (name, argument) in filters {
      guard let filter = attach.source?.filter[name] else { continue }
      var value = filter
      if case .described(_, let inner) = filter { value = inner }
      arguments.append(MapEntry(.string(argument), signed(value)))
    }
    if let priority = attach.properties["rabbitmq:priority"] {
      arguments.append(MapEntry(.string("x-priority"), signed(priority)))
    }
    return arguments + (attach.properties["amqp-0-9-1:arguments"]?.entries ?? [])
  }

  /// The filters that became arguments.
  static func understood(_ filter: Value) -> Value {
    let entries = (filter.entries ?? []).filter { entry in filters.contains { $0.name == entry.key.text } }
    return entries.isEmpty ? .null : .map(entries)
  }

  /// Offsets and priorities are signed in 0-9-1.
  private static func signed(_ value: Value) -> Value {
    value.unsigned.flatMap { Int64(exactly: $0) }.map { .long($0) } ?? value
  }
}
