/// What is to be there before any link: queues, exchanges and bindings, as both dialects make them.
package enum Declaration: Sendable, Equatable {
  case queue(Queue)
  case exchange(Exchange)
  case bind(Binding)

  package struct Queue: Sendable, Equatable {
    /// Empty: the peer chooses.
    package var name: String
    package var isDurable = true
    package var isExclusive = false
    package var isAutoDelete = false
    /// `x-queue-type` is one of them.
    package var arguments: [MapEntry] = []
    /// Only look whether it is there.
    package var isPassive = false

    package init(_ name: String) { self.name = name }
  }

  package struct Exchange: Sendable, Equatable {
    package var name: String
    package var type = "direct"
    package var isDurable = true
    package var isAutoDelete = false
    package var isInternal = false
    package var arguments: [MapEntry] = []
    package var isPassive = false

    package init(_ name: String) { self.name = name }
  }

  package struct Binding: Sendable, Equatable {
    package enum Destination: Sendable, Equatable {
      case queue(String)
      case exchange(String)
    }
    /// An exchange.
    package var source: String
    package var destination: Destination
    package var key = ""
    package var arguments: [MapEntry] = []

    package init(_ source: String, to destination: Destination) {
      (self.source, self.destination) = (source, destination)
    }
  }

  package var isPassive: Bool {
    switch self {
    case .queue(let queue): queue.isPassive
    case .exchange(let exchange): exchange.isPassive
    case .bind: false
    }
  }

  package var kind: String {
    switch self {
    case .queue: "queue"
    case .exchange: "exchange"
    case .bind: "binding"
    }
  }

  /// "queue 'x'", as failures name it.
  package var description: String {
    switch self {
    case .queue(let queue): "queue '\(queue.name)'"
    case .exchange(let exchange): "exchange '\(exchange.name)'"
    case .bind(let binding):
      switch binding.destination {
      case .queue(let name): "binding of queue '\(name)' to exchange '\(binding.source)'"
      case .exchange(let name): "binding of exchange '\(name)' to exchange '\(binding.source)'"
      }
    }
  }
}
