// The run of `receive`: deliveries to output, output to standard output, and back to settlements. One program for both
// roles: dialling it has one peer and makes the links, listening it takes what any peer sends.
import Bytes
import Console
import Engine
import Render
import Runtime
import Transport
import Wire

final class Receiver: Looped {
  typealias Failure = Console.Failure

  enum Stage {
    case running
    /// Credit is taken back; what still comes is released.
    case stopping(until: Int64)
    case closing(until: Int64)
  }

  let plan: ReceivePlan
  let diagnostics: Diagnostics
  let signals: Signals?
  let listener: ListeningSocket?
  let trace: Trace?
  /// With `--progress`, as the run's owner wishes.
  var progress: Progress?
  var declaring: Declaring
  /// The plan's, as they are on this connection.
  var sources: [NodeAddress] = []
  /// Dialling there is one, or none until the next attempt.
  var served: [Served] = []
  var redialing: Redialing
  var inlets: [Inlet] = []
  /// With `--forward`.
  let forwarder: Forwarder?
  var waitsForTarget = false
  /// With `--group`: the question that is asked before links are.
  var partitions: Partitions?
  let handlers: Handlers?
  var intake: Intake
  var stage = Stage.running
  var trouble: Failure?
  var status = ExitCode.success
  let started: Int64
  var now: Int64
  var lastMessage: Int64
  /// Messages taken into the output, and settled after it was written.
  var checkpointFailure: Failure?
  /// Nothing is with a handler any more.
  var handlersHaveEnded = true
  var taken: Int { intake.taken }
  var octets: Int { intake.octets }
  var settled = 0
  var givenBack = 0
  /// With `--mode transaction`.
  var commits: Commits?
  /// Over 0-9-1, where no option said so: a source is a stream.
  var readsStreams = false
  var counts: [(String, Int)] { (handlers?.tally.counts ?? [("settled", settled)]) + [("handed back", givenBack)] }

  init(_ plan: ReceivePlan, _ diagnostics: Diagnostics, signals: Signals?, trace: Trace?) throws(Failure) {
    self.plan = plan
    self.diagnostics = diagnostics
    self.signals = signals
    self.trace = trace
    started = Clock.now
    now = started
    lastMessage = started
    forwarder = plan.forward.map {
      Forwarder($0, diagnostics, trace: trace, findsOffsets: plan.checkpoint != nil, now: Clock.now)
    }
    var handlers: Handlers?
    if let handler = plan.handler, let signals { handlers = Handlers(plan, handler, diagnostics, signals) }
    self.handlers = handlers
    intake = Intake(try OutputQueue(), plan, forwarder, handlers)
    listener = try plan.connect.listen.map { endpoint throws(Failure) in try Listening.open(endpoint, diagnostics) }
    declaring = Declaring(plan.declarations)
    if plan.mode == .transaction { commits = Commits(size: plan.batch) }
    redialing = Redialing(plan.connect, now: started)
    if listener == nil {
      diagnostics.detail(plan.connect.choice.why)
      dial()
    } else {
      forwarder?.begin(source: nil, now: now)
    }
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    self.now = now
    if let listener {
      while let server = try Listening.accept(listener, plan.connect, now: now, trace: trace) { served.append(server) }
    }
    if redialing.isDue(now), case .running = stage { dial() }
    for server in served {
      if mayRead(server) { server.peer.read(now: now) }
      takeEvents(server)
      if let failure = server.peer.failure, !server.isOver {
        server.isOver = true
        lose(server, server.failure(failure, diagnostics))
      }
    }
    if listener == nil, !declaring.isDone, let server = served.first { declaring.advance(&server.peer.connection) }
    if let server = served.first, server.claims != nil {
      _ = took(claims: server.advanceClaims(plan.connect, now: now), server)
    }
    if let progress, !intake.output.octets.isEmpty, intake.output.isTerminal { progress.line.hide() }
    try flushOutput()
    if commits != nil { advanceCommits() }
    if let forwarder { serveTarget(forwarder) }
    if let handlers { advance(handlers) }
    waitForReader()
    if case .running = stage { progress?.turn(now: now) { state } }
    try checkEndings()
    for server in served {
      let all = server.peer.flush(now: now)
      if server.isOver && (all || !server.peer.isConnected) && listener != nil { server.peer.drop() }
    }
    if listener != nil { served.removeAll { $0.peer.isGone } }
    return finish()
  }

  /// - Returns: whether it was about Azure's tokens.
  func took(claims news: Served.ClaimsNews, _ server: Served) -> Bool {
    switch news {
    case .none: return false
    case .progress: break
    case .granted: if declaring.isDone && inlets.isEmpty { attachAll(server) }
    case .failed(let failure): fail(failure)
    }
    return true
  }

  func handle(_ event: Event, _ server: Served) {
    if takeTransaction(event, server) { return }
    if server.claims != nil, took(claims: server.take(claims: event, plan.connect), server) { return }
    if let handlers, handlers.take(event, server, now: now) { return }
    switch event {
    case .opened: opened(server)
    case .attachRequested(let link): requested(link, server)
    case .attached(let link): attached(link, server)
    case .detached(let link, let reason): detached(link, reason, server)
    case .drained(let link): if let i = inlet(link, server) { inlets[i].isDrained = true }
    case .stopped(let link): if let i = inlet(link, server) { inlets[i].isStopped = true }
    case .closed(let reason):
      server.isOver = true
      closed(reason, server)
    case .delivery, .answered, .aborted, .settledBySender, .blocked, .unblocked, .declared, .discharged: break
    }
  }

  // MARK: Deliveries

  func takeEvents(_ server: Served) {
    var isRunning = false
    if case .running = stage { isRunning = true }
    let before = taken
    while listener == nil, !declaring.isDone, !server.isOver, let event = server.peer.connection.nextEvent() {
      if !declaring.take(event, &server.peer.connection) {
        handle(event, server)
      } else if declaring.isDone {
        declared(server)
      }
    }
    askPartitions(server)
    while !server.isOver, let event = intake.take(from: &server.peer.connection, server, &inlets, isRunning: isRunning)
    {
      // What ends the connection behind the last message that was wanted is no failure.
      if let count = plan.count, taken >= count { stop(startsWaiting: true) }
      handle(event, server)
    }
    if taken > before {
      lastMessage = now
      redialing.progressed()
    }
    // What came before doesn't count, and took credit.
    if plan.count != nil, intake.repeats > 0 {
      for i in inlets.indices where inlets[i].repeats > inlets[i].repeatsGranted && isRunning { grant(i) }
    }
    if let ending = intake.ending { fail(ending) }
    for fault in intake.takeFaults() {
      diagnostics.report(fault)
      status = status.combined(with: fault.exitCode)
    }
    if let count = plan.count, taken >= count { stop(startsWaiting: true) }
  }

  func flushOutput() throws(Failure) {
    do throws(Failure) {
      try intake.output.flush { mark in
        if let checkpoint = plan.checkpoint, let offset = mark.offset {
          checkpoint.wrote(offset)
          do throws(Failure) { try checkpoint.save() } catch {
            // Not settled: given back at the end.
            checkpointFailure = checkpointFailure ?? error
            return
          }
        }
        // Of a connection that is lost it comes again.
        if commits != nil, let i = inlet(mark.link, mark.server), case .outcome = plan.settlement, !holds(inlets[i]) {
          commits!.waiting.append(mark)
          return
        }
        settle(mark.server, mark.link, mark.run)
      }
    } catch {
      // What was not written is given back, as at every end.
      fail(error)
    }
    if let checkpointFailure, trouble == nil { fail(checkpointFailure) }
    // While the output has no room nothing is read: such a silence is ours.
    if !intake.output.isEmpty { lastMessage = now }
    if intake.output.isClosed, case .running = stage { stop() }
  }

  /// What became of these is known: they are settled, or held until the end.
  func settle(_ server: Served, _ link: LinkID, _ run: ClosedRange<Int>) {
    // Of a connection that is lost it comes again.
    guard let i = inlet(link, server) else { return }
    if commits == nil { settled += run.count }
    if case .outcome(let outcome) = plan.settlement, !holds(inlets[i]) {
      return server.peer.connection.settle(link, run, outcome)
    }
    inlets[i].held.append(run)
    inlets[i].heldCount += run.count
  }

  /// For a status line.
  private var state: ProgressMeter.State {
    let goal: ProgressMeter.Goal = plan.count.map { .count($0) } ?? plan.duration.map { .duration($0) } ?? .unknown
    return ProgressMeter.State(done: taken, inFlight: max(0, taken - settled), goal: goal)
  }

  func advance(_ handlers: Handlers) {
    let before = handlers.heldToTheEnd
    handlers.advance(now: now, &intake.output)
    if handlers.heldToTheEnd > before, case .running = stage {
      for i in inlets.indices where inlets[i].isUp && !inlets[i].isDrained { grant(i) }
    }
    if let failure = handlers.takeFailure() { fail(failure) }
    // While they work nothing can come: such a silence is ours.
    if !handlers.isIdle { lastMessage = now }
  }

  // MARK: Waiting

  /// Nothing more is read for now. Handlers bound what comes by credit.
  var isFull: Bool { handlers?.isFull ?? intake.output.isFull }

  func register(_ polls: inout PollSet) {
    if let listener { _ = polls.add(listener.number, read: true) }
    let reads = !isFull && forwarder?.hasRoom ?? true
    for server in served { server.peer.register(&polls, reads: reads) }
    forwarder?.register(&polls)
    intake.output.register(&polls)
    handlers?.register(&polls, room: !intake.output.isFull)
  }

  var deadline: Int64? {
    var at: [Int64] = served.compactMap { $0.deadline(now: now) }
    if let due = forwarder?.deadline { at.append(due) }
    if let due = handlers?.deadline { at.append(due) }
    switch stage {
    case .stopping(let until): if handlersHaveEnded { at.append(until) }
    case .closing(let until): at.append(until)
    case .running:
      if let due = redialing.due { at.append(due) }
      if let progress { at.append(progress.deadline) }
      if let duration = plan.duration { at.append(started + duration) }
      if let timeout = plan.timeout { at.append(started + timeout) }
      if let within = plan.expectations?.within { at.append(started + within) }
      if let idle = plan.idle { at.append(lastMessage + idle) }
      if let end = drainEnd { at.append(end) }
      if let commit = commits?.deadline { at.append(commit) }
    }
    return at.min()
  }
}
