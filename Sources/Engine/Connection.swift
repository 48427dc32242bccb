/// One AMQP connection, whatever the dialect: handed octets and the time, it hands back events, octets and the next
/// deadline. The subcommands see this and no machine. Methods are of four kinds: the world (`receive`, `receivedEnd`,
/// `tick`), the application's wishes, outputs (`nextEvent`, `withOutput`), and plain questions.
///
/// A struct that holds its machine in place, one of two: an enum with machines as payloads would move them at every
/// call. It can't be copied by accident, because asking a copyable one that is somebody's property copies it first
/// (measured: a third of the sender's time); `fork` is for tests.
import Bytes
package import Wire

package struct Connection: ~Copyable, Sendable {
  private var amqp10: Machine10?
  private var amqp091: Machine091?
  /// An acceptor of both dialects, before the peer's header has come: both machines are nil.
  private var undecided: Undecided

  private struct Undecided: Sendable {
    let settings: ConnectionSettings
    let since: Instant
    var input = ByteQueue()
    var identity: String?
  }

  package init(_ settings: ConnectionSettings, now: Instant) {
    undecided = Undecided(settings: settings, since: now)
    if settings.protocols == .amqp091 {
      amqp091 = Machine091(settings, now: now)
    } else if settings.role == .initiator || settings.protocols == .amqp10 {
      amqp10 = Machine10(settings, now: now)
    }
  }

  private init(_ amqp10: Machine10?, _ amqp091: Machine091?, _ undecided: Undecided) {
    (self.amqp10, self.amqp091, self.undecided) = (amqp10, amqp091, undecided)
  }

  /// Another connection in exactly this state.
  package func fork() -> Connection { Connection(amqp10, amqp091, undecided) }

  // MARK: The world

  /// Lets `fill` put up to `room` octets behind what was received. Positions of earlier events end here.
  /// - Returns: the number of octets.
  @discardableResult
  package mutating func receive<E: Error>(
    now: Instant, room: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    if amqp10 != nil { return try amqp10!.receive(now: now, room: room, fill) }
    if amqp091 != nil { return try amqp091!.receive(now: now, room: room, fill) }
    let n = try undecided.input.fill(room: room, fill)
    decide(now: now)
    return n
  }

  /// Makes the machine that the peer's header asks for: the 1.0 one also for whatever is no header, to say so.
  private mutating func decide(now: Instant, isEnd: Bool = false) {
    var isOurs = false
    switch undecided.input.withReadable({ ProtocolHeader.read($0) }) {
    case .incomplete: if !isEnd { return }
    case .header(let header): isOurs = header == .amqp091
    case .other: break
    }
    if isOurs {
      amqp091 = Machine091(undecided.settings, now: now, input: undecided.input)
    } else {
      amqp10 = Machine10(undecided.settings, now: now, input: undecided.input)
    }
    if let identity = undecided.identity { identify(identity) }
    undecided.input = ByteQueue()
  }

  /// The peer has shown a certificate that names it so: EXTERNAL is that.
  package mutating func identify(_ name: String) {
    undecided.identity = name
    amqp10?.identity = name
    amqp091?.identity = name
  }

  /// The peer sends nothing more.
  package mutating func receivedEnd() {
    if amqp10 == nil && amqp091 == nil { decide(now: undecided.since, isEnd: true) }
    if amqp10 != nil { amqp10!.receivedEnd() } else { amqp091?.receivedEnd() }
  }

  /// Time has passed: keepalives become due, a silent peer is given up.
  package mutating func tick(now: Instant) {
    if amqp10 != nil { amqp10!.tick(now: now) } else { amqp091?.tick(now: now) }
  }

  // MARK: The application

  /// Asks for a link. `attached` or `detached` follows.
  package mutating func attach(_ attach: Attach) -> LinkID {
    if amqp10 != nil { return amqp10!.attach(attach) }
    if amqp091 != nil { return amqp091!.attach(attach) }
    preconditionFailure("an acceptor attaches when it knows its peer")
  }

  /// Makes a queue, an exchange or a binding; `declared` follows with the number that is returned.
  package mutating func declare(_ declaration: Declaration) -> Int {
    guard amqp091 != nil else { preconditionFailure("1.0 declares over links of the application") }
    return amqp091!.declare(declaration)
  }

  /// Grants a link that the peer asked for, as the peer asked or as `adjust` changes it.
  package mutating func accept(_ link: LinkID, _ adjust: (inout Attach) -> Void = { _ in }) {
    if amqp10 != nil { amqp10!.accept(link, adjust) } else { amqp091?.accept(link, adjust) }
  }

  package mutating func refuse(_ link: LinkID, _ error: AMQPError) {
    if amqp10 != nil { amqp10!.refuse(link, error) } else { amqp091?.refuse(link, error) }
  }

  package mutating func detach(_ link: LinkID, _ error: AMQPError? = nil, closes: Bool = true) {
    if amqp10 != nil { amqp10!.detach(link, error, closes: closes) } else { amqp091?.detach(link, error) }
  }

  /// Ends the connection; `closed` follows when the peer has answered.
  package mutating func close(_ error: AMQPError? = nil) {
    if amqp10 != nil { amqp10!.close(error) } else { amqp091?.close(error) }
  }

  /// How many messages may be begun on this link now.
  package func room(_ link: LinkID) -> Int {
    if amqp10 != nil { amqp10!.room(link) } else { amqp091?.room(link) ?? 0 }
  }

  /// Whether the message that was begun on this link can go on now.
  package func canContinue(_ link: LinkID) -> Bool {
    if amqp10 != nil { amqp10!.canContinue(link) } else { amqp091?.canContinue(link) ?? false }
  }

  /// Sends the message that is `head` followed by `body`, or what is left of it from `offset` on, as far as there is
  /// room. `number`, not negative, comes back with the answer. A message that was answered before all of it was out needs
  /// no more octets.
  /// - Parameter again: somebody had it before, which an acceptor of 0-9-1 tells its consumers.
  /// - Returns: how many octets of it are on their way.
  package mutating func deliver(
    _ link: LinkID, _ number: Int, head: Span<UInt8>, body: Span<UInt8>, from offset: Int, settled: Bool,
    again: Bool = false
  ) -> Int {
    if amqp10 != nil { return amqp10!.deliver(link, number, head: head, body: body, from: offset, settled: settled) }
    if amqp091 != nil {
      return amqp091!.deliver(
        link, number, head: head, body: body, from: offset, settled: settled, again: again)
    }
    return offset
  }

  /// There is nothing more to send on this link for now.
  package mutating func idle(_ link: LinkID) {
    if amqp10 != nil { amqp10!.idle(link) } else { amqp091?.idle(link) }
  }

  /// Decides about the link's deliveries; those of the run that are another link's, or decided already, are left alone.
  package mutating func settle(_ link: LinkID, _ run: ClosedRange<Int>, _ outcome: Outcome) {
    if amqp10 != nil { amqp10!.settle(link, run, outcome) } else { amqp091?.settle(link, run, outcome) }
  }

  /// Over 1.0: what is sent and settled from now on belongs to this transaction, nil: to none.
  package mutating func enlist(_ transaction: [UInt8]?) {
    if amqp10 != nil { amqp10!.enlist(transaction) }
  }

  /// Over 0-9-1: what was sent and settled since the last time counts now or, with `fail`, never. `discharged` follows.
  package mutating func discharge(fail: Bool) {
    if amqp091 != nil { amqp091!.discharge(fail: fail) }
  }

  /// Lets the sender have `start` messages under way, more while we keep up but never above `ceiling`, and at most
  /// `budget` in all.
  package mutating func grant(_ link: LinkID, start: UInt32, ceiling: UInt32, budget: Int? = nil) {
    if amqp10 != nil {
      amqp10!.grant(link, start: start, ceiling: ceiling, budget: budget)
    } else {
      amqp091?.grant(link, start: start, ceiling: ceiling, budget: budget)
    }
  }

  /// Takes all credit back; `stopped` follows.
  package mutating func stop(_ link: LinkID) {
    if amqp10 != nil { amqp10!.stop(link) } else { amqp091?.stop(link) }
  }

  /// Asks for what there is now; `drained` follows.
  package mutating func drain(_ link: LinkID) {
    if amqp10 != nil { amqp10!.drain(link) } else { amqp091?.drain(link) }
  }

  /// Whether the peer is sure to say that there is no more: queues of 0-9-1 answer each basic.get, `drain` of 1.0 is not
  /// answered by all.
  package func answersDrain(_ link: LinkID) -> Bool { amqp091?.answersDrain(link) ?? false }

  /// Asks the peer for a sign that changes nothing: `beats` counts what goes out and what comes back. False: it can't be
  /// asked now.
  package mutating func beat() -> Bool {
    if amqp10 != nil { amqp10!.beat() } else { amqp091?.beat() ?? false }
  }

  // MARK: Outputs

  package mutating func nextEvent() -> Event? {
    if amqp10 != nil { return amqp10!.nextEvent() }
    if amqp091 != nil { return amqp091!.nextEvent() }
    return nil
  }

  /// Lends the octets of a slice, which must be of an event since the last `receive`.
  package func withBytes<R, E: Error>(_ slice: Slice, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    if amqp10 != nil {
      switch slice.place {
      case .input: return try amqp10!.input.withBytes(slice.range, body)
      case .assembly(let link): return try amqp10!.links[link].receiver.assembly.withBytes(slice.range, body)
      }
    }
    guard amqp091 != nil else { preconditionFailure("a slice of nothing") }
    switch slice.place {
    case .input: return try amqp091!.input.withBytes(slice.range, body)
    case .assembly(let link): return try amqp091!.links[link].receiver.assembly.withBytes(slice.range, body)
    }
  }

  /// Lends the last `n` octets that `receive` took, before any event of them is asked for: what a trace shows.
  package func withLastReceived(_ n: Int, _ body: (Span<UInt8>) -> Void) {
    func lend(_ input: borrowing ByteQueue) {
      let received = input.readable
      input.withBytes(received.upperBound - n..<received.upperBound, body)
    }
    if amqp10 != nil { lend(amqp10!.input) } else { lend(amqp091?.input ?? undecided.input) }
  }

  /// Lends what is to be written until there is nothing left or `write` takes none of it.
  /// - Returns: whether nothing is left.
  @discardableResult
  package mutating func withOutput<E: Error>(
    now: Instant, _ write: (Span<UInt8>) throws(E) -> Int
  ) throws(E) -> Bool {
    if amqp10 != nil { return try amqp10!.withOutput(now: now, write) }
    if amqp091 != nil { return try amqp091!.withOutput(now: now, write) }
    return true
  }

  // MARK: Questions

  /// Nil: the peer has not said which.
  package var dialect: ConnectionSettings.Protocols? {
    if amqp10 != nil { .amqp10 } else if amqp091 != nil { .amqp091 } else { nil }
  }
  /// When `tick` is due, if nothing happens before.
  package var deadline: Instant? { if amqp10 != nil { amqp10!.deadline } else { amqp091?.deadline } }
  package var peer: PeerDescription {
    if amqp10 != nil { amqp10!.peer } else { amqp091?.peer ?? PeerDescription() }
  }
  package var beats: Beats { if amqp10 != nil { amqp10!.beats } else { amqp091?.beats ?? Beats() } }
  /// What the peer said of a queue, as `declared` is told.
  package var declaredQueue: DeclaredQueue? { amqp091?.declaredQueue }
  package var isOver: Bool { if amqp10 != nil { amqp10!.phase == .over } else { amqp091?.phase == .over } }
  /// Whether our close, or all there was to say before an end, has been handed out.
  package var outputIsEmpty: Bool {
    if amqp10 != nil { return amqp10!.output.isEmpty && !amqp10!.workDue }
    if amqp091 != nil { return amqp091!.output.isEmpty && !amqp091!.workDue }
    return true
  }
  /// The peer's attach.
  package func remoteAttach(_ link: LinkID) -> Attach {
    if amqp10 != nil {
      amqp10!.index(link).map { amqp10!.links[$0].remote } ?? Attach()
    } else {
      amqp091?.remoteAttach(link) ?? Attach()
    }
  }
  package func localAttach(_ link: LinkID) -> Attach {
    if amqp10 != nil {
      amqp10!.index(link).map { amqp10!.links[$0].local } ?? Attach()
    } else {
      amqp091?.localAttach(link) ?? Attach()
    }
  }
  /// Messages sent on the link that nobody has answered.
  package func unsettled(_ link: LinkID) -> Int {
    if amqp10 != nil {
      amqp10!.index(link).map { amqp10!.links[$0].sender.unsettled } ?? 0
    } else {
      amqp091?.unsettled(link) ?? 0
    }
  }
  /// Whether the sender still has to settle what we gave an outcome (rcv-settle-mode second).
  package var awaitsSettlement: Bool { if amqp10 != nil { amqp10!.awaitsSettlement } else { false } }
  /// Deliveries of the link that came unsettled and are not decided.
  package func unsettledIncoming(_ link: LinkID) -> Int {
    if amqp10 != nil { amqp10!.unsettledIncoming(link) } else { amqp091?.unsettledIncoming(link) ?? 0 }
  }
  package func credit(_ link: LinkID) -> Int {
    if amqp10 != nil {
      amqp10!.index(link).map { Int(amqp10!.links[$0].credit) } ?? 0
    } else {
      amqp091?.room(link) ?? 0
    }
  }
}
