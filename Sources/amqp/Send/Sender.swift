// The run of `send`: messages from the source into outboxes, from there over links with credit, and answers back to
// receipts. One program for both roles: dialling it has one peer and makes the links, listening it serves every peer
// that attaches.
import Bytes
import Console
import Engine
import Runtime
import Transport
import Wire

final class Sender: Looped {
  typealias Failure = Console.Failure

  enum Stage { case running, closing(until: Int64) }

  let plan: SendPlan
  let diagnostics: Diagnostics
  let signals: Signals?
  var source: MessageSource
  let listener: ListeningSocket?
  let trace: Trace?
  var declaring: Declaring
  /// Dialling there is one, or none until the next attempt.
  var served: [Served] = []
  var redialing: Redialing
  var outlets: [Outlet] = []
  var routes: [Route] = []
  var nextHolder = 0
  var receipts = Receipts()
  /// With `--mode transaction`.
  var batch: Batch?
  /// Nil: nobody asks what becomes of each message.
  let witness: Witness?
  /// With `--request` and `--then-receive`.
  let replies: ReplyIntake?
  /// With `--rate`.
  var pace: Pace?
  /// With `--keep-timing`.
  var replay: Replay?
  /// With `--progress`, as the run's owner wishes.
  var progress: Progress?
  /// With what the peer ended a link or the connection.
  var refusal: AMQPError?
  /// Why the peer can't answer for what it was not sent.
  var unable: AMQPError?
  var stage = Stage.running
  var trouble: Failure?
  var status = ExitCode.success
  let started: Int64
  var lastProgress: Int64
  var released = 0
  /// With `--fan-out`: messages read, and copies of receivers that have left.
  var read = 0
  var gone = 0
  /// Octets of messages that were handed to connections.
  var octets = 0
  var now: Int64
  var scratch = ByteQueue()
  var lastWords: Failure?
  /// `--for` has passed.
  var timeIsUp = false
  /// After a signal, answers are waited for until then.
  var deadlineAfterSignal: Int64?

  init(_ plan: SendPlan, _ diagnostics: Diagnostics, signals: Signals?, trace: Trace?) throws(Failure) {
    self.plan = plan
    self.diagnostics = diagnostics
    self.signals = signals
    self.trace = trace
    started = Clock.now
    now = started
    lastProgress = started
    witness = try plan.witness()
    replies = try plan.replies.map { replies throws(Failure) in try ReplyIntake(replies, measures: plan.measures) }
    // What is only shown has no pace.
    pace = plan.isDryRun ? nil : plan.rate.map { Pace(rate: $0) }
    replay = plan.isDryRun ? nil : plan.replay
    source = try MessageSource(plan.form, composer: plan.composer, keepsEmpty: plan.keepsEmpty, limit: plan.count)
    source.rejects = witness?.rejects
    listener = try plan.connect.listen.map { endpoint throws(Failure) in try Listening.open(endpoint, diagnostics) }
    declaring = Declaring(plan.declarations)
    if plan.mode == .transaction { batch = Batch(size: plan.batch) }
    redialing = Redialing(plan.connect, now: started)
    if let target = plan.target, !fansOut { _ = route(target) }
    if listener == nil {
      diagnostics.detail(plan.connect.choice.why)
      dial()
    }
  }

  func dial() {
    let server = plan.isDryRun ? redialing.rehearse(now: now, trace: trace) : redialing.dial(now: now, trace: trace)
    served = [server]
    replies?.begin()
    declaring = Declaring(declarations(server.speaks091 ? .amqp091 : nil))
    if server.speaks091 && !declaring.isDone { declaring.begin(&server.peer.connection) }
    beginReplies(server)
    for route in routes { beginIfReady(route, on: server) }
  }

  /// The peer can't do it over 1.0: once more over 0-9-1, with a connection of its own.
  func fallBack(_ server: Served, _ reason: String) {
    diagnostics.detail("AMQP 0-9-1: \(reason)")
    forget(server)
    redialing.fallBack()
    dial()
    // Begins to connect: nobody wakes us for that.
    served[0].peer.read(now: now)
  }

  func route(_ address: NodeAddress?) -> Route {
    if let known = routes.first(where: { $0.address == address }) { return known }
    let route = newRoute(address)
    routes.append(route)
    return route
  }

  func newRoute(_ address: NodeAddress?) -> Route {
    let route = Route(address)
    _ = route.outbox.addHead(plan.head)
    if let window = plan.window { (route.outbox.countLimit, route.outbox.octetLimit) = (window, Outbox.unlimited) }
    // A batch is kept until it is committed.
    if plan.mode == .transaction {
      (route.outbox.countLimit, route.outbox.octetLimit) = (plan.batch ?? Outbox.unlimited, Outbox.unlimited)
    }
    return route
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    self.now = now
    pace?.turn(now: now, begun: released)
    try acceptPeers()
    if redialing.isDue(now), trouble == nil, case .running = stage { dial() }
    for server in served { serve(server) }
    if listener == nil, !declaring.isDone, let server = served.first { declaring.advance(&server.peer.connection) }
    if let server = served.first, server.claims != nil {
      _ = took(claims: server.advanceClaims(plan.connect, now: now), server)
    }
    if listener != nil { served.removeAll { $0.peer.isGone } }
    flushReplies()
    checkEndings()
    releaseHeld()
    readInput()
    if let lastWords, trouble == nil, pending || !source.isAtEnd, let server = served.first {
      self.lastWords = nil
      lose(server, lastWords)
    }
    let before = released
    if batch != nil { advanceBatch() }
    for i in outlets.indices where outlets[i].isUp { push(i) }
    if batch != nil { advanceBatch() }
    if allowance > released { pace?.starved(now: now, begun: released) }
    var all = true
    for server in served {
      if server.peer.flush(now: now) { written(server) } else { all = false }
    }
    // Everything went out at once, so there is room for more without anybody having to wake us.
    // A peer may have given credit before our open was out: the flush was what it waited for.
    mayGoOn = all && (!source.isAtEnd && (released > before || !source.isStarved) && hasRoom || canBegin)
    witness?.flush(isIdle: !mayGoOn || released >= allowance)
    if case .running = stage { progress?.turn(now: now) { state } }
    // Nothing more is sent whose fate nobody would learn.
    if witness?.failure != nil && !source.isAtEnd {
      source.stop()
      dropUnsent()
    }
    mustGoOn = all && outlets.contains { $0.partial != nil && $0.server.peer.connection.canContinue($0.link) }
    return finish()
  }
  var mayGoOn = false
  private var canBegin: Bool {
    if batch?.room == 0 { return false }
    return outlets.contains {
      $0.isUp && $0.partial == nil && $0.server.peer.connection.room($0.link) > 0 && $0.route.outbox.nextToSend != nil
    }
  }
  /// The same in the middle of a message, which waits for no `--rate`.
  var mustGoOn = false

  /// Input that can't be read ends it; what was read before is sent all the same.
  func readInput() {
    guard trouble == nil, inputFailure == nil, case .running = stage else { return }
    do throws(Failure) {
      try pump()
    } catch {
      inputFailure = error
      if error.exitCode == .badInput, source.emitted >= nextPlace {
        witness?.refused(place: source.emitted, error)
      }
      source.stop()
      batch?.isFailed = true
    }
  }
  var inputFailure: Failure?

  func acceptPeers() throws(Failure) {
    guard let listener else { return }
    while let server = try Listening.accept(listener, plan.connect, now: now, trace: trace) { served.append(server) }
  }

  func serve(_ server: Served) {
    if replies?.output.isFull != true { server.peer.read(now: now) }
    while !server.isOver, let event = server.peer.connection.nextEvent() { handle(event, server) }
    if let failure = server.peer.failure, !server.isOver {
      server.isOver = true
      lose(server, server.failure(failure, diagnostics))
    }
  }

  /// - Returns: whether it was about Azure's tokens.
  func took(claims news: Served.ClaimsNews, _ server: Served) -> Bool {
    switch news {
    case .none: return false
    case .progress: break
    case .granted: for route in routes { beginIfReady(route, on: server) }
    case .failed(let failure): fail(failure)
    }
    return true
  }

  func handle(_ event: Event, _ server: Served) {
    if server.claims != nil, took(claims: server.take(claims: event, plan.connect), server) { return }
    if !declaring.isDone, listener == nil, declaring.take(event, &server.peer.connection) {
      if declaring.isDone { declared(server) }
      return
    }
    if takeTransaction(event, server) { return }
    switch event {
    case .opened:
      server.peer.isOpen()
      server.isOpen = true
      if listener == nil {
        server.announce(diagnostics)
        if replies != nil, !server.speaks091 { declaring = Declaring(declarations(server.dialect)) }
        let reason = reasonToAskElsewhere(server)
        if let reason = server.reasonToFallBack(
          needsManagement: !declaring.isDone, needsTransactions: batch != nil,
          elsewhere: reason ?? reasonToPublishElsewhere(server))
        {
          return fallBack(server, reason)
        }
        if let reason {
          return fail(
            Failure(
              "no queue for replies", reason,
              nextStep: "--reply-to NAME: a queue that is there, or leave --protocol 1.0 out",
              exitCode: .failure))
        }
        redialing.connected(server, now: now, diagnostics)
        if !declaring.isDone && !declaring.hasBegun { declaring.begin(&server.peer.connection) }
        beginReplies(server)
        for route in routes { beginIfReady(route, on: server) }
      }
    case .attachRequested(let link): requested(link, server)
    case .attached(let link): if !repliesAttached(link, server) { attached(link, server) }
    case .detached(let link, let reason): if !repliesDetached(link, reason, server) { detached(link, reason, server) }
    case .answered(let link, let run, let answer): answered(link, run, answer, server)
    case .closed(let reason):
      server.isOver = true
      closed(reason, server)
    case .blocked(let reason): server.blocked(reason, diagnostics)
    case .unblocked:
      lastProgress = now
      server.unblocked(diagnostics)
    case .delivery(let delivery): took(delivery, server)
    case .declared(let number, let error): found(number, error, server)
    case .aborted, .settledBySender, .drained, .stopped, .discharged: break
    }
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet) {
    if let listener { _ = polls.add(listener.number, read: true) }
    for server in served { server.peer.register(&polls, reads: replies?.output.isFull != true) }
    replies?.register(&polls)
    if case .running = stage { source.register(&polls, wants: hasRoom) }
    witness?.register(&polls)
  }

  var deadline: Int64? {
    if mustGoOn || (mayGoOn && released < allowance), case .running = stage, trouble == nil { return now }
    var at: [Int64] = served.compactMap { $0.deadline(now: now) }
    if let due = redialing.due { at.append(due) }
    if case .running = stage, let progress { at.append(progress.deadline) }
    if case .closing(let until) = stage { at.append(until) }
    if let deadlineAfterSignal { at.append(deadlineAfterSignal) }
    if let duration = plan.duration, !timeIsUp { at.append(started + duration) }
    if let timeout = plan.timeout { at.append(started + timeout) }
    // Nobody has to answer a listener, nor what waits for its time: a deadline that nothing comes of would be met for ever.
    if listener == nil, trouble == nil, pending, waitsForPeer { at.append(lastProgress + plan.answerTimeout) }
    if let pace, pending { at.append(pace.due(begun: released)) }
    if let due = replay?.deadline { at.append(due) }
    return at.min()
  }
}
