// The sending half of `receive --forward`: a connection of its own to the target, an outbox between, and what the target
// answered, which is what settles the source. It is part of the receiver's turn: it reads, sends and says what it waits for.
import Bytes
import Console
import Engine
import Runtime
import Transport
import Wire

final class Forwarder {
  enum State: Equatable {
    /// Not connected yet.
    case waiting
    case connecting
    /// A receiver finds out whether the queue is there, see `Sender.check`.
    case checking(LinkID)
    case attaching
    case up
    /// Dialled again when that is due.
    case lost
    case over
  }

  let plan: ForwardPlan
  let diagnostics: Diagnostics
  private let trace: Trace?
  private let findsOffsets: Bool
  var state = State.waiting
  var server: Served?
  var outlet: Outlet?
  let route: Route
  var redialing: Redialing
  /// The form of what is in the outbox: that of the first connection.
  var targetDialect: MessageBridge.Dialect?
  /// By what the source speaks; listening there may be sources of both kinds.
  private var bridge10: MessageBridge?
  private var bridge091: MessageBridge?
  private var sources = ForwardSources()
  private var receipts = Receipts()
  private var octets = 0
  var now: Int64
  var lastProgress: Int64
  /// Why nothing more is forwarded, until the receiver has taken it.
  var trouble: Failure?
  /// Runs that the target has accepted.
  private var accepted: [ClosedRange<Int>] = []
  private var mustGoOn = false
  var isClosing = false
  /// The target has closed while nothing was under way.
  var lastWords: Failure?
  /// Nothing more is sent, because of what `takeTrouble` has told.
  private var isGivenUp = false
  /// The first message that stays at the source: a place in a stream must not move behind it.
  var firstLeft = Int.max
  /// Messages up to this one come again from a source that was lost.
  private var comesAgain = 0

  init(_ plan: ForwardPlan, _ diagnostics: Diagnostics, trace: Trace?, findsOffsets: Bool, now: Int64) {
    (self.plan, self.diagnostics, self.trace, self.findsOffsets) = (plan, diagnostics, trace, findsOffsets)
    (self.now, lastProgress) = (now, now)
    route = Route(plan.target)
    redialing = Redialing(plan.connect, now: now)
  }

  /// It has been connected, and what is taken gets there if it can be done.
  var isReady: Bool { targetDialect != nil && state != .over }
  var hasRoom: Bool { route.outbox.hasRoom }
  /// Nothing is left that was not answered.
  var isEmpty: Bool { route.outbox.isEmpty }
  var forwarded: Int { receipts.accepted }

  // MARK: In

  /// Connects, at the latest when the source's peer is known.
  func begin(source: DialectChoice.Protocols?, now: Int64) {
    guard state == .waiting else { return }
    self.now = now
    redialing.begin(as: plan.dialect(source: source))
    dial()
  }

  func dial() {
    state = .connecting
    let server = redialing.dial(now: now, trace: trace)
    self.server = server
    if server.speaks091 || !plan.target.dependsOnPeer { attach(on: server) }
    // Begins to connect: nobody wakes us for that.
    server.peer.read(now: now)
  }

  /// Takes a message of the source.
  func take(_ delivery: Delivery, _ connection: borrowing Connection, _ source: Served) throws(Failure) {
    let number =
      connection.dialect == .amqp091
      ? try append(delivery, connection, .amqp091, &bridge091) : try append(delivery, connection, .amqp10, &bridge10)
    if route.outbox.isFresh { lastProgress = now }
    sources.append(number, source, delivery.link, delivery: delivery.number)
    if findsOffsets, let offset = connection.withBytes(delivery.message, { Checkpoint.offset(of: $0) }) {
      sources.append(number, offset: offset)
    }
  }

  private func append(
    _ delivery: Delivery, _ connection: borrowing Connection, _ dialect: MessageBridge.Dialect,
    _ bridge: inout MessageBridge?
  ) throws(Failure) -> Int {
    let targetDialect = targetDialect ?? .amqp10
    var passing = bridge ?? MessageBridge(from: dialect, to: targetDialect)
    bridge = nil
    defer { bridge = passing }
    let none: [UInt8] = []
    let number: Int
    do throws(Problem) {
      number = try connection.withBytes(delivery.message) { b throws(Problem) in
        try passing.pass(b) { prefix, rest in
          route.outbox.append(head: 0, prefix: prefix, body: rest, suffix: none.span)
        }
      }
    } catch {
      throw Failure(
        "a message can't be forwarded: it is malformed",
        "at octet \(error.offset) expected \(error.expected), got \(error.got) (\(error.section))", exitCode: .badInput)
    }
    for loss in passing.takeLosses() {
      let side = targetDialect == .amqp091 ? "AMQP 0-9-1" : "AMQP 1.0"
      diagnostics.note("\(side) has no place for \(loss): forwarded without it")
    }
    return number
  }

  // MARK: The turn

  func turn(now: Int64) {
    self.now = now
    if state == .over {
      // Its end would wake us for ever.
      if let server, server.isOver, !isClosing, server.peer.flush(now: now) { server.peer.drop() }
      if let failure = lastWords, !route.outbox.isEmpty {
        lastWords = nil
        lose(failure)
      }
      return
    }
    if state == .lost, redialing.isDue(now) { dial() }
    guard let server else { return }
    server.peer.read(now: now)
    while !server.isOver, let event = server.peer.connection.nextEvent() { handle(event, server) }
    if server !== self.server || state == .lost { return }
    if let failure = server.peer.failure, !server.isOver {
      server.isOver = true
      lose(server.failure(failure, diagnostics))
      if state == .lost { return }
    }
    push(server)
    let all = server.peer.flush(now: now)
    mustGoOn = all && outlet.map { canGoOn($0, server) } ?? false
    // While the peer says that it takes nothing, nobody has to answer.
    if server.isBlocked || (state == .up && route.outbox.isEmpty) { lastProgress = now }
    if let due = patienceEnd, now >= due {
      let what = state != .up ? "link" : route.outbox.hasUnanswered ? "answer" : "credit"
      fail(
        Failure(
          "cannot forward to '\(plan.target.description)'",
          "no \(what) from \(server.peer.name) in \(durationText(plan.patience))", exitCode: .notAccepted))
    }
  }

  /// When a target that says nothing is given up; nil: it owes nothing, or there is none.
  private var patienceEnd: Int64? {
    guard server?.isOpen == true, state != .lost, state != .over, !isGivenUp else { return nil }
    return state == .up && route.outbox.isEmpty ? nil : lastProgress + plan.patience
  }

  /// How long what is under way may take when no more is to come; nil: nothing is.
  var lastPatience: Int64? { route.outbox.isEmpty ? nil : lastProgress + plan.patience }

  private func canGoOn(_ outlet: Outlet, _ server: Served) -> Bool {
    if outlet.partial != nil { return server.peer.connection.canContinue(outlet.link) }
    return outlet.isUp && route.outbox.nextToSend != nil && server.peer.connection.room(outlet.link) > 0
  }

  private func push(_ server: Served) {
    guard var sending = outlet, sending.isUp else { return }
    // Nothing else holds it meanwhile.
    outlet = nil
    let moved = Sender.push(
      &sending, &server.peer.connection, &route.outbox, settled: false, limit: .max, now: now, octets: &octets)
    if moved.octets > 0 { lastProgress = now }
    if route.outbox.nextToSend == nil { server.peer.connection.idle(sending.link) }
    outlet = sending
  }

  private func handle(_ event: Event, _ server: Served) {
    switch event {
    case .opened:
      server.peer.isOpen()
      server.isOpen = true
      diagnostics.detail("forwarding: " + server.description)
      redialing.connected(server, now: now, diagnostics)
      lastProgress = now
      if let reason = server.reasonToFallBack() { return fallBack(reason) }
      if outlet == nil, state == .connecting { attach(on: server) }
    case .attached(let link): attached(link, server)
    case .detached(let link, let reason): detached(link, reason, server)
    case .answered(_, let run, let answer): answered(run, answer)
    case .closed(let reason):
      server.isOver = true
      closed(reason, server)
    case .blocked(let reason): server.blocked(reason, diagnostics)
    case .unblocked:
      lastProgress = now
      server.unblocked(diagnostics)
    case .attachRequested(let link):
      server.peer.connection.refuse(link, AMQPError(Condition.notAllowed, "this end asked for its links"))
    case .delivery, .aborted, .settledBySender, .drained, .stopped, .declared, .discharged: break
    }
  }

  // MARK: Answers

  private func answered(_ run: ClosedRange<Int>, _ answer: Answer) {
    lastProgress = now
    redialing.progressed()
    if let partial = outlet?.partial, run.contains(partial.number) { outlet?.partial = nil }
    route.outbox.finish(run) { done in
      receipts.add(done.count, answer, place: done.lowerBound, target: plan.target, vhost: plan.connect.vhost)
      if answer == .accepted { accepted.append(done) }
    }
    // One that the target doesn't take stays where it is, and so does all that comes after.
    if answer != .accepted { firstLeft = min(firstLeft, run.lowerBound) }
    if answer != .accepted, trouble == nil {
      fail(
        receipts.failure(target: plan.target.description)
          ?? Failure("cannot forward to '\(plan.target.description)'", exitCode: .notAccepted))
    }
  }

  /// Hands out what may be settled at the source.
  /// - Returns: the place in a stream before which all is forwarded, if it has moved.
  func takeAccepted(_ each: (Served, LinkID, ClosedRange<Int>) -> Void) -> UInt64? {
    for run in accepted { sources.deliveries(run, each) }
    let isNews = !accepted.isEmpty
    accepted.removeAll(keepingCapacity: true)
    return isNews ? sources.trim(before: min(route.outbox.oldest, firstLeft)) : nil
  }

  func takeTrouble() -> Failure? {
    defer { trouble = nil }
    return trouble
  }

  func fail(_ failure: Failure) {
    if trouble == nil { trouble = failure }
    isGivenUp = true
    dropUnsent()
  }

  /// Forgets what was not begun, at the end: it is given back at the source.
  func dropUnsent() {
    if let next = route.outbox.nextToSend { firstLeft = min(firstLeft, next) }
    forgetUnsent()
  }

  private func forgetUnsent() {
    while let next = route.outbox.nextToSend {
      route.outbox.begin(next, holder: -1, whole: true)
      route.outbox.finish(next...next)
    }
  }

  /// The source is dialled again and sends what it was told nothing of once more.
  /// - Returns: how many messages that is.
  func sourceLost() -> Int {
    var count = 0
    route.outbox.forEachPending(in: comesAgain + 1...Int.max) { _ in count += 1 }
    comesAgain = route.outbox.total
    forgetUnsent()
    return count
  }

  // MARK: The end

  /// Nothing more is sent. Returns whether all is said.
  func close(until: Int64) -> Bool {
    guard let server, !server.isOver, server.peer.isConnected, now < until else {
      server?.peer.drop()
      return true
    }
    state = .over
    if !isClosing {
      isClosing = true
      server.peer.connection.close()
    }
    // Its answer to our close could say nothing new.
    if server.peer.flush(now: now) {
      server.peer.drop()
      return true
    }
    return false
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet) { server?.peer.register(&polls) }

  var deadline: Int64? {
    if mustGoOn && state == .up { return now }
    var at = [server?.peer.deadline, state == .lost ? redialing.due : nil].compactMap { $0 }
    if let patienceEnd { at.append(patienceEnd) }
    return at.min()
  }
}
