// What only Azure's event hubs have: partitions of consumer groups as sources, and places in them as selectors.
import Console
import Transport
import Wire

enum EventHub {
  static let offset = "amqp.annotation.x-opt-offset"
  private static let time = "amqp.annotation.x-opt-enqueued-time"
  private static let partitions = "/ConsumerGroups/"

  static func isPartition(_ address: String) -> Bool { address.contains(partitions) }

  static func partition(_ name: String, of hub: String, group: String) -> NodeAddress {
    .verbatim("\(hub)\(partitions)\(group)/Partitions/\(name)")
  }

  /// The selector for a position of `--offset`; nil: it is none.
  static func selector(_ text: String) -> String? {
    switch text {
    case "first": return "\(offset) > '-1'"
    case "last", "next": return "\(offset) > '@latest'"
    default: break
    }
    if let number = UInt64(text) { return "\(offset) >= '\(number)'" }
    if case .timestamp(let time)? = try? TypedText.value(.timestamp, text) { return "\(self.time) >= '\(time)'" }
    guard let ago = try? ValueKind.nanoseconds(text) else { return nil }
    return "\(time) >= '\((Clock.wall - Int64(ago)) / 1_000_000)'"
  }
}
