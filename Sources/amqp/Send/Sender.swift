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
  var served: [Served] = []
  var outlets: [Outlet] = []
  var routes: [Route] = []
  var nextHolder = 0
  var receipts = Receipts()
  /// With `--receipts`.
  let receiptLines: ReceiptLines?
  /// With `--mode transaction`.
  var batch: Batch?
  /// Why the peer can't answer for what it was not sent.
  var unable: AMQPError?
  var stage = Stage.running
  var trouble: Failure?
  var status = ExitCode.success
  let started: Int64
  var lastProgress: Int64
  var released = 0
  /// Octets of messages that were handed to connections.
  var octets = 0
  var now: Int64
  var scratch = ByteQueue()
  var lastWords: Failure?

  init(_ plan: SendPlan, _ diagnostics: Diagnostics, signals: Signals?, trace: Trace?) throws(Failure) {
    self.plan = plan
    self.diagnostics = diagnostics
    self.signals = signals
    self.trace = trace
    started = Clock.now
    now = started
    lastProgress = started
    receiptLines = try plan.receipts.map { path throws(Failure) in try ReceiptLines(path) }
    source = try MessageSource(plan.form, composer: plan.composer, keepsEmpty: plan.keepsEmpty, limit: plan.count)
    listener = try plan.connect.listen.map { endpoint throws(Failure) in try Listening.open(endpoint, diagnostics) }
    declaring = Declaring(plan.declarations)
    if plan.mode == .transaction { batch = Batch(size: plan.batch) }
    if let target = plan.target { _ = route(target) }
    if listener == nil {
      diagnostics.detail(plan.connect.choice.why)
      dial(plan.connect.choice.order[0])
    }
  }

  func dial(_ dialect: DialectChoice.Protocols) {
    let server =
      plan.isDryRun
      ? Served(rehearsing: plan.connect, now: now, trace: trace)
      : Served(dialing: plan.connect, as: dialect, now: now, trace: trace)
    served = [server]
    declaring = Declaring(plan.declarations + queuesToFind(dialect))
    if server.speaks091 && !declaring.isDone { declaring.begin(&server.peer.connection) }
    for route in routes { beginIfReady(route, on: server) }
  }

  /// The peer can't do it over 1.0: once more over 0-9-1, with a connection of its own.
  func fallBack(_ server: Served, _ reason: String) {
    diagnostics.detail("AMQP 0-9-1: \(reason)")
    server.isOver = true
    server.peer.drop()
    outlets.removeAll { $0.server === server }
    for route in routes { route.attachment = .none }
    dial(.amqp091)
    // Begins to connect: nobody wakes us for that.
    served[0].peer.read(now: now)
  }

  func route(_ address: NodeAddress?) -> Route {
    if let known = routes.first(where: { $0.address == address }) { return known }
    let route = Route(address)
    _ = route.outbox.addHead(plan.head)
    if let window = plan.window { route.outbox.countLimit = window }
    // A batch is kept until it is committed.
    if plan.mode == .transaction {
      (route.outbox.countLimit, route.outbox.octetLimit) = (plan.batch ?? Outbox.unlimited, Outbox.unlimited)
    }
    routes.append(route)
    return route
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    self.now = now
    try acceptPeers()
    for server in served { serve(server) }
    if listener == nil, !declaring.isDone, let server = served.first { declaring.advance(&server.peer.connection) }
    if let server = served.first, server.claims != nil {
      _ = took(claims: server.advanceClaims(plan.connect, now: now), server)
    }
    if listener != nil { served.removeAll { $0.peer.isGone } }
    checkEndings()
    readInput()
    if let lastWords, trouble == nil, pending || !source.isAtEnd { fail(lastWords) }
    let before = released
    if batch != nil { advanceBatch() }
    for i in outlets.indices where outlets[i].isUp { push(i) }
    if batch != nil { advanceBatch() }
    var all = true
    for server in served {
      if server.peer.flush(now: now) { written(server) } else { all = false }
    }
    // Everything went out at once, so there is room for more without anybody having to wake us.
    // A peer may have given credit before our open was out: the flush was what it waited for.
    mayGoOn = all && (!source.isAtEnd && (released > before || !source.isStarved) && hasRoom || canBegin)
    receiptLines?.flush(isIdle: !mayGoOn)
    // Nothing more is sent whose fate nobody would learn.
    if receiptLines?.failure != nil && !source.isAtEnd {
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
      if error.exitCode == .badInput, source.emitted > taken {
        receiptLines?.addRefused(place: source.emitted, "\(error.what): \(error.why)")
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
    server.peer.read(now: now)
    while !server.isOver, let event = server.peer.connection.nextEvent() { handle(event, server) }
    if let failure = server.peer.failure, !server.isOver {
      server.isOver = true
      lose(server, server.failure(failure, plan.connect, isListening: listener != nil, diagnostics))
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
        if let reason = server.reasonToFallBack(
          plan.connect, needsManagement: !declaring.isDone, needsTransactions: batch != nil)
        {
          return fallBack(server, reason)
        }
        if !declaring.isDone && !declaring.hasBegun { declaring.begin(&server.peer.connection) }
        for route in routes { beginIfReady(route, on: server) }
      }
    case .attachRequested(let link): requested(link, server)
    case .attached(let link): attached(link, server)
    case .detached(let link, let reason): detached(link, reason, server)
    case .answered(let link, let run, let answer): answered(link, run, answer, server)
    case .closed(let reason):
      server.isOver = true
      closed(reason, server)
    case .blocked(let reason):
      server.isBlocked = true
      diagnostics.note("\(server.peer.name) takes no messages for now\(reason.isEmpty ? "" : ": \(reason)")")
    case .unblocked:
      server.isBlocked = false
      lastProgress = now
      diagnostics.note("\(server.peer.name) takes messages again")
    case .delivery, .aborted, .settledBySender, .drained, .stopped, .declared, .discharged: break
    }
  }

  // MARK: Endings

  var pending: Bool { routes.contains { !$0.outbox.isEmpty } }

  func checkEndings() {
    if let signal = signals?.first, status == .success {
      status = signal == .interrupt ? .interrupted : .terminated
      source.stop()
      dropUnsent()
      batch?.isFailed = true
      if case .running = stage { deadlineAfterSignal = now + 2_000_000_000 }
      let waiting = routes.reduce(0) { $0 + $1.outbox.unanswered }
      if waiting > 0 { diagnostics.note("waiting for answers to \(waiting); once more ends at once") }
    }
    if let duration = plan.duration, now - started >= duration, !source.isAtEnd {
      source.stop()
      dropUnsent()
    }
    if let timeout = plan.timeout, now - started >= timeout, trouble == nil, pending || !source.isAtEnd {
      fail(
        Failure(
          "not all was accepted\(targetName.map { " by '\($0)'" } ?? "") in \(durationText(timeout))", soFar,
          exitCode: .incomplete))
    }
    // While the peer says that it takes nothing, nobody has to answer.
    if served.contains(where: \.isBlocked) { lastProgress = now }
    if listener == nil, trouble == nil, pending, waitsForPeer, now - lastProgress >= plan.answerTimeout {
      fail(
        Failure(
          "no \(unanswered ? "answer" : "credit") from \(served.first?.peer.name ?? "the peer") in "
            + durationText(plan.answerTimeout), soFar,
          nextStep: "--answer-timeout is how long to wait", exitCode: .notAccepted))
    }
  }
  var deadlineAfterSignal: Int64?

  var unanswered: Bool { routes.contains { $0.outbox.unanswered > 0 } }

  /// Messages wait for the peer and not for `--rate`.
  var waitsForPeer: Bool {
    if let batch { return waitsForPeer(batch) }
    return unanswered || allowance > released
  }

  var soFar: String {
    var totals = receipts
    account(&totals)
    return totals.summary
  }

  /// Nil where there are several, or whoever comes.
  var targetName: String? {
    guard let name = plan.target?.description, !name.isEmpty else { return nil }
    return name
  }

  /// Forgets what was read and never begun.
  func dropUnsent() {
    for route in routes {
      while let next = route.outbox.nextToSend {
        if let receiptLines {
          route.outbox.forEachPending(in: next...next) { receiptLines.addLeft($0, unable: nil, now: now) }
        }
        route.outbox.begin(next, holder: -1, whole: true)
        route.outbox.finish(next...next)
        receipts.addUnsent(1)
      }
    }
  }

  /// Returns true when all is over.
  func finish() -> Bool {
    switch stage {
    case .running:
      let impatient = (signals?.count ?? 0) > 1 || deadlineAfterSignal.map { now >= $0 } ?? false
      guard trouble != nil || impatient || (source.isAtEnd && !pending) else { return false }
      // Past a deadline nobody wants to wait for a peer that says nothing.
      let isLate = trouble?.exitCode == .incomplete || trouble?.exitCode == .notAccepted
      stage = .closing(until: now + (isLate ? 300_000_000 : 2_000_000_000))
      for server in served where !server.isOver { server.peer.connection.close() }
      return finish()
    case .closing(let until):
      var left = false
      for server in served where !server.isOver && server.peer.isConnected {
        if !server.peer.flush(now: now) || !allIsKnown { left = true }
      }
      if left && now < until && (signals?.count ?? 0) < 2 { return false }
      for server in served { server.peer.drop() }
      return true
    }
  }

  /// Every message has its receipt, so the peer's answer to our close could say nothing new; a trace shows it.
  private var allIsKnown: Bool { listener == nil && trouble == nil && trace == nil && plan.mode != .atMostOnce }

  /// Counts what has no receipt yet: it will get none.
  func account() {
    account(&receipts)
    guard let receiptLines else { return }
    for route in routes {
      route.outbox.forEachPending { message in
        if message.began != nil, let batch, !batch.mayCount {
          receiptLines.addRolledBack(message, nil, now: now)
        } else {
          receiptLines.addLeft(message, unable: unable, now: now)
        }
      }
    }
    receiptLines.drain(signals)
  }

  func account(_ receipts: inout Receipts) {
    for route in routes {
      let unanswered = route.outbox.unanswered
      // What was not told to be committed never will be.
      if let batch, !batch.mayCount {
        receipts.addRolledBack(unanswered, nil)
      } else {
        receipts.addUnanswered(unanswered)
      }
      receipts.addUnsent(route.outbox.pending - unanswered)
    }
  }

  /// The exit status of the run, after it has ended.
  func result() throws(Failure) -> ExitCode {
    var code = status
    if status != .success {
      diagnostics.note("\(status == .interrupted ? "interrupted" : "terminated"): \(receipts.summary)")
    }
    // What could not be written after the run is known only now.
    let last = trouble ?? receiptLines?.failure ?? receipts.failure(target: targetName)
    for var failure in [inputFailure, last].compactMap({ $0 }) {
      if status != .success && failure.exitCode == .notAccepted { continue }
      if receipts.total > 0 && failure.exitCode != .incomplete && failure.exitCode != .notAccepted
        && failure.nextStep == nil
      {
        failure.nextStep = receipts.summary
      }
      diagnostics.report(failure)
      code = code.combined(with: failure.exitCode)
    }
    return code
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet) {
    if let listener { _ = polls.add(listener.number, read: true) }
    for server in served { server.peer.register(&polls) }
    if case .running = stage { source.register(&polls, wants: hasRoom) }
    receiptLines?.register(&polls)
  }

  var deadline: Int64? {
    if mustGoOn || (mayGoOn && released < allowance), case .running = stage, trouble == nil { return now }
    var at: [Int64] = served.compactMap { $0.deadline(now: now) }
    if case .closing(let until) = stage { at.append(until) }
    if let deadlineAfterSignal { at.append(deadlineAfterSignal) }
    if let duration = plan.duration, !source.isAtEnd { at.append(started + duration) }
    if let timeout = plan.timeout { at.append(started + timeout) }
    if pending && waitsForPeer { at.append(lastProgress + plan.answerTimeout) }
    if let rate = plan.rate, pending { at.append(started + Int64(released) * 1_000_000_000 / Int64(rate)) }
    return at.min()
  }
}
