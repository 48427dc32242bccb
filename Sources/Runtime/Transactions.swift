/// Transactions as a subcommand drives them, whatever the dialect: ask for one, work in it, end it. Over 1.0 that is a link
/// to the peer's coordinator (part 4 §4.1–4.3); over 0-9-1 every channel of a transactional connection is in one from the
/// start. Driven by whoever takes the connection's events; it knows no messages.
import Bytes
package import Engine
package import Wire

package struct Transactions: Sendable {
  package enum State: Sendable {
    /// Nothing is asked for: what is sent now belongs to no transaction.
    case none
    case asking
    case open
    /// Its end is asked for, and not answered.
    case ending(fail: Bool)
    /// The peer has no transactions, or no more.
    case lost
  }
  package private(set) var state = State.none

  /// What an event came to.
  package enum News: Sendable {
    case notOurs
    case nothing
    case began
    /// With an error: the peer rolled back what was to be committed.
    case ended(AMQPError?)
    case lost(CloseReason)
  }

  private var coordinator: LinkID?
  private var isUp = false
  private var id: [UInt8] = []
  /// What the coordinator is to be told next.
  private var request: [UInt8] = []
  private var requests = 0

  package init() {}

  package var isOpen: Bool { if case .open = state { true } else { false } }

  /// Asks for a transaction; over 0-9-1 it is there at once.
  package mutating func begin(_ connection: inout Connection) {
    if connection.dialect == .amqp091 {
      state = .open
      return
    }
    state = .asking
    request = Transactions.request(Record(Code.declare))
    if coordinator == nil { coordinator = connection.attach(Transactions.attach) }
    advance(&connection)
  }

  /// Ends it: what was done in it counts or, with `fail`, never happened.
  package mutating func end(fail: Bool, _ connection: inout Connection) {
    state = .ending(fail: fail)
    if connection.dialect == .amqp091 { return connection.discharge(fail: fail) }
    connection.enlist(nil)
    request = Transactions.request(Record(Code.discharge, [.binary(id), .boolean(fail)]))
    advance(&connection)
  }

  private static var attach: Attach {
    var attach = Attach()
    attach.name = "coordinator"
    attach.role = .sender
    attach.sndSettleMode = .unsettled
    attach.source = Source(address: attach.name)
    attach.target = Target()
    attach.target?.coordinator = true
    attach.target?.capabilities = ["amqp:local-transactions"]
    return attach
  }

  private static func request(_ record: Record) -> [UInt8] {
    var q = ByteQueue()
    q.appendSection(Code.amqpValue, record.value)
    return q.bytes
  }

  /// Says what is to be said, when there is credit for it.
  package mutating func advance(_ connection: inout Connection) {
    guard !request.isEmpty, isUp, let coordinator, connection.room(coordinator) > 0 else { return }
    let none: [UInt8] = []
    requests += 1
    // A request is small: one frame.
    _ = connection.deliver(coordinator, requests, head: none.span, body: request.span, from: 0, settled: false)
    request = []
  }

  package mutating func take(_ event: Event, _ connection: inout Connection) -> News {
    switch event {
    case .discharged:
      state = .none
      return .ended(nil)
    case .attached(let link) where link == coordinator:
      isUp = true
      advance(&connection)
      return .nothing
    case .detached(let link, let reason) where link == coordinator:
      coordinator = nil
      isUp = false
      return lose(reason, &connection)
    case .answered(let link, _, let answer) where link == coordinator: return answered(answer, &connection)
    case .opened, .attached, .attachRequested, .detached, .delivery, .aborted, .answered, .settledBySender, .drained,
      .stopped, .blocked, .unblocked, .declared, .closed:
      return .notOurs
    }
  }

  private mutating func answered(_ answer: Answer, _ connection: inout Connection) -> News {
    switch (state, answer) {
    case (.asking, .declared(let id)) where id.count <= Connection.longestTransaction:
      self.id = id
      state = .open
      connection.enlist(id)
      return .began
    case (.asking, .declared(let id)):
      let words =
        "the coordinator's txn-id has \(id.count) octets; at most \(Connection.longestTransaction) are possible"
      return lose(CloseReason(.link, .local, AMQPError(Condition.notImplemented, words)), &connection)
    case (.ending, .accepted):
      state = .none
      return .ended(nil)
    case (.ending, .rejected(let error)):
      state = .none
      return .ended(error ?? AMQPError(Condition.transactionRollback))
    case (_, .rejected(let error)): return lose(CloseReason(.link, .peer, error), &connection)
    case (_, .accepted), (_, .declared), (_, .released), (_, .modified), (_, .returned), (_, .unspecified):
      let error = AMQPError(Condition.illegalState, "an answer of the coordinator that was not asked for")
      return lose(CloseReason(.link, .local, error), &connection)
    }
  }

  private mutating func lose(_ reason: CloseReason, _ connection: inout Connection) -> News {
    if case .lost = state { return .nothing }
    state = .lost
    request = []
    connection.enlist(nil)
    return .lost(reason)
  }
}
