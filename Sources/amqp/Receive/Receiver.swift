// The run of `receive`: deliveries to output, output to standard output, and back to settlements. One program for both
// roles: dialling it has one peer and makes the links, listening it takes what any peer sends.
import Bytes
import Console
import Engine
import Glibc
import Render
import Runtime
import Transport
import Wire

final class Receiver: Looped {
  typealias Failure = Console.Failure

  private enum Stage {
    case running
    /// Credit is taken back; what still comes is released.
    case stopping(until: Int64)
    case closing(until: Int64)
  }

  private let plan: ReceivePlan
  private let diagnostics: Diagnostics
  private let signals: Signals?
  private let listener: ListeningSocket?
  private let trace: Trace?
  private var served: [Served] = []
  private var inlets: [Inlet] = []
  private var intake: Intake
  private var stage = Stage.running
  private var trouble: Failure?
  private var status = ExitCode.success
  private let started: Int64
  private var now: Int64
  private var lastMessage: Int64
  /// Messages taken into the output, and settled after it was written.
  var taken: Int { intake.taken }
  var octets: Int { intake.octets }
  private var settled = 0
  private var givenBack = 0
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
    if listener == nil {
      served = [Served(dialing: plan.connect, now: started, trace: trace)]
      if !plan.sources.contains(where: \.dependsOnPeer) { attachAll(served[0], .other) }
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
        lose(server, server.explanation(plan.connect).failure(failure))
      }
    }
    try flushOutput()
    try checkEndings()
    for server in served {
      let all = server.peer.flush(now: now)
      if server.isOver && (all || !server.peer.isConnected) && listener != nil { server.peer.drop() }
    }
    if listener != nil { served.removeAll { $0.peer.isGone } }
    return finish()
  }

  private func handle(_ event: Event, _ server: Served) {
    switch event {
    case .opened:
      server.peer.isOpen()
      diagnostics.detail(server.description)
      if listener == nil && inlets.isEmpty { attachAll(server, server.dialect) }
    case .attachRequested(let link): requested(link, server)
    case .attached(let link): attached(link, server)
    case .detached(let link, let reason): detached(link, reason, server)
    case .drained(let link): if let i = inlet(link, server) { inlets[i].isDrained = true }
    case .stopped(let link): if let i = inlet(link, server) { inlets[i].isStopped = true }
    case .closed(let reason):
      server.isOver = true
      closed(reason, server)
    case .delivery, .answered, .aborted, .settledBySender: break
    }
  }

  // MARK: Links

  private func attachAll(_ server: Served, _ dialect: NodeAddress.Dialect) {
    for (i, source) in plan.sources.enumerated() {
      var attach = plan.attach
      if i > 0 { attach.name += "-\(i + 1)" }
      attach.source?.address = Value(source.text(for: dialect))
      attach.target?.address = .string(attach.name)
      let link = server.peer.connection.attach(attach)
      inlets.append(Inlet(server: server, link: link, address: source.description, isUp: false))
    }
  }

  private func attached(_ link: LinkID, _ server: Served) {
    guard let i = inlet(link, server) else { return }
    inlets[i].isUp = true
    lastMessage = now
    let remote = server.peer.connection.remoteAttach(link)
    if plan.mode == .exactlyOnce && remote.rcvSettleMode != .second {
      return fail(
        Failure(
          "\(server.peer.name) can't do exactly-once", "it answered rcv-settle-mode first",
          nextStep: "--mode at-least-once is what it can do", exitCode: .failure))
    }
    if plan.attach.source?.dynamic == true, let address = remote.source?.address.text {
      diagnostics.note("the peer made the node '\(address)'")
    }
    // RabbitMQ repeats the mode and takes messages out of its queues all the same; only its streams are copied, and only
    // they know of offsets.
    inlets[i].isCopy =
      remote.source?.distributionMode == "copy"
      && (server.dialect == .other || remote.source?.filter["rabbitmq:stream-offset-spec"] != nil)
    if plan.browses && !inlets[i].isCopy {
      diagnostics.note("'\(inlets[i].address)' can't be browsed: what it sends is held, and given back at the end")
    }
    for entry in plan.attach.source?.filter.entries ?? [] where remote.source?.filter[entry.key.text ?? ""] == nil {
      diagnostics.note("the peer ignores the filter '\(entry.key.text ?? "")'")
    }
    grant(i)
    if plan.drains {
      if server.dialect == .rabbitMQ3 {
        diagnostics.note("RabbitMQ 3 can't drain: this ends when nothing has come for \(durationText(drainPatience))")
      } else {
        server.peer.connection.drain(link)
      }
    }
  }

  /// Whether what came from there stays unsettled until the end.
  private func holds(_ inlet: Inlet) -> Bool {
    switch plan.settlement {
    case .outcome: plan.browses && !inlet.isCopy
    case .atEnd, .none: true
    }
  }

  private var mostHeld: Int { plan.credit ?? 8_192 }

  /// Credit grows from 500 to 8,192 while the output keeps up, and is never more than what `--count` still needs.
  private func grant(_ i: Int) {
    let budget = plan.count.map { max(0, $0 - taken) }
    let start = UInt32(clamping: holds(inlets[i]) ? mostHeld : plan.credit ?? 500)
    inlets[i].server.peer.connection.grant(
      inlets[i].link, start: start, ceiling: UInt32(clamping: plan.credit ?? 8_192), budget: budget)
  }

  /// Listening: a peer wants a link.
  private func requested(_ link: LinkID, _ server: Served) {
    let asked = server.peer.connection.remoteAttach(link)
    let connection = { (error: AMQPError) in server.peer.connection.refuse(link, error) }
    guard asked.role == .sender else {
      return connection(AMQPError(Condition.notAllowed, "this end receives, it has no messages"))
    }
    guard let target = asked.target else {
      return connection(AMQPError(Condition.invalidField, "an attach without target"))
    }
    if target.coordinator { return connection(AMQPError(Condition.notImplemented, "no transactions here")) }
    let address = target.address.text ?? ""
    if !address.isEmpty && !plan.patterns.isEmpty && !plan.patterns.contains(where: { matches(address, $0) }) {
      return connection(AMQPError(Condition.notFound, "no node '\(address)' here"))
    }
    server.peer.connection.accept(link) { attach in
      if attach.target?.dynamic == true { attach.target?.address = .string("dynamic-\(inlets.count)") }
    }
    inlets.append(Inlet(server: server, link: link, address: address, isUp: true))
    grant(inlets.count - 1)
    if case .running = stage {} else { server.peer.connection.stop(link) }
  }

  private func matches(_ address: String, _ pattern: String) -> Bool {
    unsafe fnmatch(pattern, address, 0) == 0
  }

  private func detached(_ link: LinkID, _ reason: CloseReason, _ server: Served) {
    guard let i = inlet(link, server) else { return }
    let inlet = inlets.remove(at: i)
    if listener != nil {
      if reason.error != nil {
        diagnostics.note("\(server.peer.name): \(server.explanation(plan.connect).text(reason))")
      }
      return
    }
    if case .running = stage {} else if reason.error == nil { return }
    var explanation = server.explanation(plan.connect)
    explanation.action = "receive from '\(inlet.address)'"
    fail(explanation.failure(reason))
  }

  private func inlet(_ link: LinkID, _ server: Served) -> Int? {
    inlets.firstIndex { $0.link == link && $0.server === server }
  }

  // MARK: Deliveries

  private func takeEvents(_ server: Served) {
    var isRunning = false
    if case .running = stage { isRunning = true }
    let before = taken
    while let event = intake.take(from: &server.peer.connection, server, &inlets, isRunning: isRunning) {
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

  private func flushOutput() throws(Failure) {
    do throws(Failure) {
      try intake.output.flush { mark in
        settled += mark.run.count
        guard let i = inlets.count == 1 ? 0 : inlet(mark.link, mark.server) else { return }
        if case .outcome(let outcome) = plan.settlement, !holds(inlets[i]) {
          return mark.server.peer.connection.settle(mark.link, mark.run, outcome)
        }
        inlets[i].held.append(mark.run)
        inlets[i].heldCount += mark.run.count
      }
    } catch {
      // What was not written is given back, as at every end.
      fail(error)
    }
    // While the output has no room nothing is read: such a silence is ours.
    if !intake.output.isEmpty { lastMessage = now }
    if intake.output.isClosed, case .running = stage { stop() }
  }

  // MARK: Endings

  private func closed(_ reason: CloseReason, _ server: Served) {
    if listener != nil {
      if reason.error != nil, reason.scope != .transport || server.isLeaving == false {
        diagnostics.note("\(server.peer.name): \(server.explanation(plan.connect).text(reason))")
      }
      return lose(server, nil)
    }
    switch stage {
    case .closing: if reason.error == nil || reason.scope == .transport { return lose(server, nil) }
    // We have what we wanted, and the peer has nothing against us.
    case .stopping: if reason.error == nil { return lose(server, nil) }
    case .running: break
    }
    if reason.scope == .connection && reason.side == .peer && reason.error == nil {
      // In good order: whoever it was has nothing more. What came is written and counts.
      diagnostics.detail("\(server.peer.name) closed the connection")
      inlets.removeAll { $0.server === server }
      return stop()
    }
    var explanation = server.explanation(plan.connect)
    if reason.scope != .sasl && reason.scope != .transport, let source = plan.sources.first {
      explanation.action = "receive from '\(source.description)'"
    }
    lose(server, explanation.failure(reason))
  }

  private func lose(_ server: Served, _ failure: Failure?) {
    inlets.removeAll { $0.server === server }
    if let failure { fail(failure) }
  }

  private func fail(_ failure: Failure) {
    if trouble == nil { trouble = failure }
    stop()
  }

  /// Past a deadline nobody wants to wait for a peer that says nothing.
  private var isLate: Bool { trouble?.exitCode == .incomplete }

  /// Takes no more: credit back, then the rest is given back.
  private func stop() {
    guard case .running = stage else { return }
    stage = .stopping(until: now + (isLate ? 300_000_000 : 1_000_000_000))
    for inlet in inlets where inlet.isUp { inlet.server.peer.connection.stop(inlet.link) }
  }

  private func checkEndings() throws(Failure) {
    guard case .running = stage else { return }
    if let signal = signals?.first {
      status = signal == .interrupt ? .interrupted : .terminated
      return stop()
    }
    if let duration = plan.duration, now - started >= duration { return stop() }
    if let idle = plan.idle, now - lastMessage >= idle { return stop() }
    if let full = inlets.first(where: { $0.heldCount >= mostHeld }) {
      let what = "\(full.heldCount) messages of '\(full.address)' are held until the end"
      diagnostics.note("\(what): there is no credit for more, --credit gives it")
      return stop()
    }
    // Not every peer answers drain.
    if plan.drains, inlets.contains(where: \.isUp), now - lastMessage >= drainPatience { return stop() }
    if plan.drains, !inlets.isEmpty, inlets.allSatisfy(\.isDrained), intake.output.isEmpty { return stop() }
    if let timeout = plan.timeout, now - started >= timeout {
      let what = taken == 0 ? "nothing received" : "\(taken) received"
      fail(
        Failure(
          "\(what) from \(sourceName) in \(durationText(timeout))", plan.count.map { "asked for \($0)" } ?? "",
          exitCode: .incomplete))
    }
  }

  private var drainPatience: Int64 {
    served.first?.dialect == .rabbitMQ3 ? 1_000_000_000 : 5_000_000_000
  }

  private var sourceName: String {
    plan.sources.isEmpty ? "any peer" : plan.sources.map { "'\($0.description)'" }.joined(separator: ", ")
  }

  /// Returns true when all is over.
  private func finish() -> Bool {
    let impatient = (signals?.count ?? 0) > 1
    switch stage {
    case .running: return false
    case .stopping(let until):
      // A link without credit says that it has stopped as soon as it is asked: nobody will wake us for that.
      for server in served where !server.isOver { takeEvents(server) }
      let quiet = inlets.allSatisfy { $0.isStopped || !$0.isUp || $0.server.isOver }
      guard (quiet && (intake.output.isEmpty || intake.output.isClosed)) || now >= until || impatient else {
        return false
      }
      giveBack()
      stage = .closing(until: now + (isLate ? 300_000_000 : 2_000_000_000))
      return finish()
    case .closing(let until):
      // In the second mode the sender settles before we may forget.
      let waits = served.contains { !$0.isOver && $0.peer.connection.awaitsSettlement }
      if !waits || now >= until {
        for server in served where !server.isOver { server.peer.connection.close() }
      }
      for server in served { server.peer.flush(now: now) }
      let left = served.contains { !$0.isOver && $0.peer.isConnected }
      if left && now < until && !impatient { return false }
      for server in served { server.peer.drop() }
      return true
    }
  }

  /// What waited for the end is decided, and everything else that came is released.
  private func giveBack() {
    for inlet in inlets where !inlet.server.isOver {
      if case .atEnd(let outcome) = plan.settlement {
        for run in inlet.held { inlet.server.peer.connection.settle(inlet.link, run, outcome) }
      }
      if let seen = inlet.seen {
        givenBack += inlet.server.peer.connection.unsettledIncoming(inlet.link)
        inlet.server.peer.connection.settle(inlet.link, seen, .release)
      }
    }
  }

  /// The exit status of the run, after it has ended.
  func result() throws(Failure) -> ExitCode {
    if status == .interrupted || status == .terminated {
      diagnostics.note("\(taken == 0 ? "nothing" : "\(taken)") received from \(sourceName)\(ends)")
      return status
    }
    if let trouble { throw trouble }
    if intake.output.isClosed { return .success }
    if let count = plan.count, taken < count {
      throw Failure(
        "\(taken == 0 ? "nothing" : "\(taken)") received from \(sourceName)", "asked for \(count)",
        exitCode: .incomplete)
    }
    return status
  }

  /// What became of the messages: ", 3 accepted, 36 handed back".
  private var ends: String {
    var word: String?
    switch plan.settlement {
    case .outcome(let outcome), .atEnd(let outcome):
      switch outcome {
      case .accept: word = "accepted"
      case .reject: word = "rejected"
      case .release: word = "released"
      case .modify: word = "modified"
      }
    case .none: break
    }
    // Settled by the sender, nothing is decided by us.
    if plan.mode == .atMostOnce || plan.browses { word = nil }
    var text = ""
    if let word, settled > 0 { text += ", \(settled) \(word)" }
    if givenBack > 0 { text += ", \(givenBack) handed back" }
    return text
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
    }
    return at.min()
  }
}
