/// One AMQP connection, whatever the dialect: handed octets and the time, it hands back events, octets and the next
/// deadline. The subcommands see this and no machine. Methods are of four kinds: the world (`receive`, `receivedEnd`,
/// `tick`), the application's wishes, outputs (`nextEvent`, `withOutput`), and plain questions.
///
/// A struct that holds its machine in place: an enum with machines as payloads would move them at every call. It can't be
/// copied by accident, because asking a copyable one that is somebody's property copies it first (measured: a third of
/// the sender's time); `fork` is for tests.
import Bytes
package import Wire

package struct Connection: ~Copyable, Sendable {
  private var amqp10: Machine10

  package init(_ settings: ConnectionSettings, now: Instant) {
    amqp10 = Machine10(settings, now: now)
  }

  private init(_ machine: Machine10) { amqp10 = machine }

  /// Another connection in exactly this state.
  package func fork() -> Connection { Connection(amqp10) }

  // MARK: The world

  /// Lets `fill` put up to `room` octets behind what was received. Positions of earlier events end here.
  /// - Returns: the number of octets.
  @discardableResult
  package mutating func receive<E: Error>(
    now: Instant, room: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    try amqp10.receive(now: now, room: room, fill)
  }

  /// The peer sends nothing more.
  package mutating func receivedEnd() { amqp10.receivedEnd() }

  /// Time has passed: keepalives become due, a silent peer is given up.
  package mutating func tick(now: Instant) { amqp10.tick(now: now) }

  // MARK: The application

  /// Asks for a link. `attached` or `detached` follows.
  package mutating func attach(_ attach: Attach) -> LinkID { amqp10.attach(attach) }

  /// Grants a link that the peer asked for, as the peer asked or as `adjust` changes it.
  package mutating func accept(_ link: LinkID, _ adjust: (inout Attach) -> Void = { _ in }) {
    amqp10.accept(link, adjust)
  }

  package mutating func refuse(_ link: LinkID, _ error: AMQPError) { amqp10.refuse(link, error) }

  package mutating func detach(_ link: LinkID, _ error: AMQPError? = nil, closes: Bool = true) {
    amqp10.detach(link, error, closes: closes)
  }

  /// Ends the connection; `closed` follows when the peer has answered.
  package mutating func close(_ error: AMQPError? = nil) { amqp10.close(error) }

  /// How many messages may be begun on this link now.
  package func room(_ link: LinkID) -> Int { amqp10.room(link) }

  /// Whether the message that was begun on this link can go on now.
  package func canContinue(_ link: LinkID) -> Bool { amqp10.canContinue(link) }

  /// Sends the message that is `head` followed by `body`, or what is left of it from `offset` on, as far as there is
  /// room. `number`, not negative, comes back with the answer. A message that was answered before all of it was out needs
  /// no more octets.
  /// - Returns: how many octets of it are on their way.
  package mutating func deliver(
    _ link: LinkID, _ number: Int, head: Span<UInt8>, body: Span<UInt8>, from offset: Int, settled: Bool
  ) -> Int {
    amqp10.deliver(link, number, head: head, body: body, from: offset, settled: settled)
  }

  /// There is nothing more to send on this link for now.
  package mutating func idle(_ link: LinkID) { amqp10.idle(link) }

  /// Decides about the link's deliveries; those of the run that are another link's, or decided already, are left alone.
  package mutating func settle(_ link: LinkID, _ run: ClosedRange<Int>, _ outcome: Outcome) {
    amqp10.settle(link, run, outcome)
  }

  /// Lets the sender have `start` messages under way, more while we keep up but never above `ceiling`, and at most
  /// `budget` in all.
  package mutating func grant(_ link: LinkID, start: UInt32, ceiling: UInt32, budget: Int? = nil) {
    amqp10.grant(link, start: start, ceiling: ceiling, budget: budget)
  }

  /// Takes all credit back; `stopped` follows.
  package mutating func stop(_ link: LinkID) { amqp10.stop(link) }

  /// Asks for what there is now; `drained` follows.
  package mutating func drain(_ link: LinkID) { amqp10.drain(link) }

  // MARK: Outputs

  package mutating func nextEvent() -> Event? { amqp10.nextEvent() }

  /// Lends the octets of a slice, which must be of an event since the last `receive`.
  package func withBytes<R, E: Error>(_ slice: Slice, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    switch slice.place {
    case .input: try amqp10.input.withBytes(slice.range, body)
    case .assembly(let link): try amqp10.links[link].receiver.assembly.withBytes(slice.range, body)
    }
  }

  /// Lends the last `n` octets that `receive` took, before any event of them is asked for: what a trace shows.
  package func withLastReceived(_ n: Int, _ body: (Span<UInt8>) -> Void) {
    let received = amqp10.input.readable
    amqp10.input.withBytes(received.upperBound - n..<received.upperBound, body)
  }

  /// Lends what is to be written until there is nothing left or `write` takes none of it.
  /// - Returns: whether nothing is left.
  @discardableResult
  package mutating func withOutput<E: Error>(
    now: Instant, _ write: (Span<UInt8>) throws(E) -> Int
  ) throws(E) -> Bool {
    try amqp10.withOutput(now: now, write)
  }

  // MARK: Questions

  /// When `tick` is due, if nothing happens before.
  package var deadline: Instant? { amqp10.deadline }
  package var peer: PeerDescription { amqp10.peer }
  package var isOver: Bool { amqp10.phase == .over }
  /// Whether our close, or all there was to say before an end, has been handed out.
  package var outputIsEmpty: Bool { amqp10.output.isEmpty && !amqp10.workDue }
  /// The peer's attach.
  package func remoteAttach(_ link: LinkID) -> Attach { amqp10.index(link).map { amqp10.links[$0].remote } ?? Attach() }
  package func localAttach(_ link: LinkID) -> Attach { amqp10.index(link).map { amqp10.links[$0].local } ?? Attach() }
  /// Messages sent on the link that nobody has answered.
  package func unsettled(_ link: LinkID) -> Int { amqp10.index(link).map { amqp10.links[$0].sender.unsettled } ?? 0 }
  /// Whether the sender still has to settle what we gave an outcome (rcv-settle-mode second).
  package var awaitsSettlement: Bool { amqp10.awaitsSettlement }
  /// Deliveries of the link that came unsettled and are not decided.
  package func unsettledIncoming(_ link: LinkID) -> Int { amqp10.unsettledIncoming(link) }
  package func credit(_ link: LinkID) -> Int { amqp10.index(link).map { Int(amqp10.links[$0].credit) } ?? 0 }
}
