// `--declare` on a connection: what is asked for is made before any link, over 0-9-1 by methods, over 1.0 by RabbitMQ 4's
// management node. Links wait until all of it is there.
import Engine
import Runtime
import Wire

struct Declaring {
  enum State {
    case waiting
    case methods(pending: Int)
    case management(Management)
    case done
  }
  let declarations: [Declaration]
  private(set) var state: State
  private(set) var refusal: (declaration: Declaration, error: AMQPError)?
  /// The links to the management node went away.
  private(set) var loss: CloseReason?

  init(_ declarations: [Declaration]) {
    self.declarations = declarations
    state = declarations.isEmpty ? .done : .waiting
  }

  var isDone: Bool { if case .done = state { true } else { false } }
  var hasBegun: Bool { if case .waiting = state { false } else { true } }

  /// Over 1.0 the peer must be open, and known to have a management node.
  mutating func begin(_ connection: inout Connection) {
    if connection.dialect == .amqp091 {
      for declaration in declarations { _ = connection.declare(declaration) }
      state = .methods(pending: declarations.count)
    } else {
      var management = Management(declarations)
      management.begin(&connection)
      state = .management(management)
    }
  }

  /// - Returns: whether the event was about this.
  mutating func take(_ event: Event, _ connection: inout Connection) -> Bool {
    switch state {
    case .waiting, .done: return false
    case .methods(let pending):
      guard case .declared(let number, let error) = event else { return false }
      if let error, refusal == nil { refusal = (declarations[number], error) }
      state = pending == 1 ? .done : .methods(pending: pending - 1)
      return true
    case .management(var management):
      let isOurs = management.take(event, &connection)
      management.advance(&connection)
      refusal = management.refusal
      loss = management.loss
      state = management.isDone ? .done : .management(management)
      return isOurs
    }
  }

  /// A flow of the peer is no event, and may have brought credit.
  mutating func advance(_ connection: inout Connection) {
    guard case .management(var management) = state else { return }
    management.advance(&connection)
    state = .management(management)
  }
}
