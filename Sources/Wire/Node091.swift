/// What an address comes to over 0-9-1, where there are queues and exchanges and no addresses: a queue, or an exchange
/// with a routing key. Written as RabbitMQ 4 writes addresses, so that one text means the same in both dialects.
package enum Node091: Sendable, Hashable {
  case queue(String)
  case exchange(String, key: String?)

  /// `/queues/NAME` or `/exchanges/NAME[/KEY]`, percent-encoded.
  package var address: String {
    switch self {
    case .queue(let name): "/queues/" + PercentEncoding.encode(name)
    case .exchange(let name, let key):
      "/exchanges/" + PercentEncoding.encode(name) + (key.map { "/" + PercentEncoding.encode($0) } ?? "")
    }
  }

  /// Reads `address` and the forms that people know: those of RabbitMQ 3's plugin for 1.0, `EXCHANGE/KEY` as Ditto has
  /// it, and a bare name, which is a queue. Nil: none of them.
  package init?(_ text: String) {
    guard text.hasPrefix("/") else {
      if text.contains("://") || text.isEmpty { return nil }
      guard let slash = text.firstIndex(of: "/") else {
        self = .queue(text)
        return
      }
      self = .exchange(String(text[..<slash]), key: String(text[text.index(after: slash)...]))
      return
    }
    let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Node091.decoded)
    let names = parts.compactMap { $0 }
    guard names.count == parts.count else { return nil }
    switch (names[0], names.count) {
    case ("queues", 2), ("queue", 2): self = .queue(names[1])
    case ("amq", 3) where names[1] == "queue": self = .queue(names[2])
    case ("exchanges", 2), ("exchange", 2): self = .exchange(names[1], key: nil)
    case ("exchanges", 3), ("exchange", 3): self = .exchange(names[1], key: names[2])
    case ("topic", 2): self = .exchange("amq.topic", key: names[1])
    default: return nil
    }
  }

  private static func decoded(_ text: Substring) -> String? {
    PercentEncoding.decode(text).flatMap { String(validating: $0, as: UTF8.self) }
  }
}

extension NodeAddress {
  /// Nil: the relay, or an address that 0-9-1 has nothing for.
  package var node091: Node091? {
    switch self {
    case .name(let name), .queue(let name): .queue(name)
    case .exchange(let name, let key): .exchange(name, key: key)
    case .verbatim(let text): Node091(text)
    case .none: nil
    }
  }
}
