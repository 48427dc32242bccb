/// Where messages go to or come from, as the user named it, and what that is called at a peer: RabbitMQ has two forms of
/// 1.0 address (v1 of the plugin up to 3.x, v2 from 4.0), everybody else takes addresses as they are.
package enum NodeAddress: Sendable, Equatable {
  /// A positional without a leading slash: most brokers' own name for a queue.
  case name(String)
  /// `--queue`: literal.
  case queue(String)
  /// `--exchange`, `--routing-key`: literal.
  case exchange(String, key: String?)
  /// Goes to the peer untouched.
  case verbatim(String)
  /// The peer chooses, or (of a target) each message says.
  case none

  package init(_ text: String) {
    self = text.contains("/") || text.contains(":") ? .verbatim(text) : .name(text)
  }

  /// The kinds of peer that want an address in a form of their own.
  package enum Dialect: Sendable, Equatable {
    case rabbitMQ3, rabbitMQ4, other
    /// Whoever speaks 0-9-1: exchanges and queues are all there is, written as RabbitMQ 4 writes them.
    case amqp091

    package init(product: String?, version: String?) {
      guard product == "RabbitMQ" else {
        self = .other
        return
      }
      let major = version.flatMap { Int($0.prefix { $0.isNumber }) } ?? 4
      self = major >= 4 ? .rabbitMQ4 : .rabbitMQ3
    }
  }

  /// Whether the form depends on who the peer is, so that attach has to wait for its open.
  package var dependsOnPeer: Bool {
    switch self {
    case .name, .queue, .exchange: true
    case .verbatim, .none: false
    }
  }

  /// Nil: no address.
  package func text(for dialect: Dialect) -> String? {
    switch (self, dialect) {
    case (.none, _): nil
    case (_, .amqp091): node091?.address
    case (.verbatim(let text), _): text
    case (.name(let name), .other), (.queue(let name), .other): name
    case (.name(let name), .rabbitMQ4), (.queue(let name), .rabbitMQ4): "/queues/" + PercentEncoding.encode(name)
    case (.name(let name), .rabbitMQ3), (.queue(let name), .rabbitMQ3): "/amq/queue/" + name
    case (.exchange(let name, let key), .rabbitMQ3): "/exchange/" + name + (key.map { "/" + $0 } ?? "")
    case (.exchange(let name, let key), .rabbitMQ4), (.exchange(let name, let key), .other):
      "/exchanges/" + PercentEncoding.encode(name) + (key.map { "/" + PercentEncoding.encode($0) } ?? "")
    }
  }

  /// As the user would write it.
  package var description: String {
    switch self {
    case .name(let name), .queue(let name), .verbatim(let name): name
    case .exchange(let name, let key): key.map { "\(name)/\($0)" } ?? name
    case .none: ""
    }
  }
}
