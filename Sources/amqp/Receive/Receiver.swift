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
  var declaring: Declaring
  /// The plan's, as they are on this connection.
  var sources: [NodeAddress] = []
  var served: [Served] = []
  var inlets: [Inlet] = []
  var intake: Intake
  var stage = Stage.running
  var trouble: Failure?
  var status = ExitCode.success
  let started: Int64
  var now: Int64
  var lastMessage: Int64
  /// Messages taken into the output, and settled after it was written.
  var checkpointFailure: Failure?
  var taken: Int { intake.taken }
  var octets: Int { intake.octets }
  var settled = 0
  var givenBack = 0
  /// With `--mode transaction`.
  var commits: Commits?
  var counts: [(String, Int)] { [("settled", settled), ("handed back", givenBack)] }

  init(_ plan: ReceivePlan, _ diagnostics: Diagnostics, signals: Signals?, trace: Trace?) throws(Failure) {
    self.plan = plan
    self.diagnostics = diagnostics
    self.signals = signals
    self.trace = trace
    started = Clock.now
    now = started
    lastMessage = started
    intake = Intake(try OutputQueue(), plan)
    listener = try plan.connect.listen.map { endpoint throws(Failure) in try Listening.open(endpoint, diagnostics) }
    declaring = Declaring(plan.declarations)
    if plan.mode == .transaction { commits = Commits(size: plan.batch) }
    if listener == nil {
      diagnostics.detail(plan.connect.choice.why)
      dial(plan.connect.choice.order[0])
    }
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    self.now = now
    if let listener {
      while let server = try Listening.accept(listener, plan.connect, now: now, trace: trace) { served.append(server) }
    }
    for server in served {
      if !intake.output.isFull || server.isOver { server.peer.read(now: now) }
      takeEvents(server)
      if let failure = server.peer.failure, !server.isOver {
        server.isOver = true
        lose(server, server.failure(failure, plan.connect, isListening: listener != nil, diagnostics))
      }
    }
    if listener == nil, !declaring.isDone, let server = served.first { declaring.advance(&server.peer.connection) }
    try flushOutput()
    if commits != nil { advanceCommits() }
    waitForReader()
    try checkEndings()
    for server in served {
      let all = server.peer.flush(now: now)
      if server.isOver && (all || !server.peer.isConnected) && listener != nil { server.peer.drop() }
    }
    if listener != nil { served.removeAll { $0.peer.isGone } }
    return finish()
  }

  func handle(_ event: Event, _ server: Served) {
    if takeTransaction(event, server) { return }
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
    while !server.isOver, let event = intake.take(from: &server.peer.connection, server, &inlets, isRunning: isRunning)
    {
      // What ends the connection behind the last message that was wanted is no failure.
      if let count = plan.count, taken >= count { stop() }
      handle(event, server)
    }
    if taken > before { lastMessage = now }
    for fault in intake.takeFaults() {
      diagnostics.report(fault)
      status = status.combined(with: fault.exitCode)
    }
    if let count = plan.count, taken >= count { stop() }
  }

  func flushOutput() throws(Failure) {
    do throws(Failure) {
      try intake.output.flush { mark in
        if commits == nil { settled += mark.run.count }
        if let checkpoint = plan.checkpoint, let offset = mark.offset {
          checkpoint.wrote(offset)
          do throws(Failure) { try checkpoint.save() } catch { checkpointFailure = checkpointFailure ?? error }
        }
        guard let i = inlets.count == 1 ? 0 : inlet(mark.link, mark.server) else { return }
        if case .outcome(let outcome) = plan.settlement, !holds(inlets[i]) {
          if commits != nil { return commits!.waiting.append(mark) }
          return mark.server.peer.connection.settle(mark.link, mark.run, outcome)
        }
        inlets[i].held.append(mark.run)
        inlets[i].heldCount += mark.run.count
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

  // MARK: Waiting

  func register(_ polls: inout PollSet) {
    if let listener { _ = polls.add(listener.number, read: true) }
    for server in served { server.peer.register(&polls, reads: !intake.output.isFull) }
    intake.output.register(&polls)
  }

  var deadline: Int64? {
    var at: [Int64] = served.compactMap(\.peer.deadline)
    switch stage {
    case .stopping(let until), .closing(let until): at.append(until)
    case .running:
      if let duration = plan.duration { at.append(started + duration) }
      if let timeout = plan.timeout { at.append(started + timeout) }
      if let idle = plan.idle { at.append(lastMessage + idle) }
      if plan.drains { at.append(lastMessage + drainPatience) }
      if let commit = commits?.deadline { at.append(commit) }
    }
    return at.min()
  }
}
