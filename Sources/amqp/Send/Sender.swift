// The run of `send`: messages from the source into outboxes, from there over links with credit, and answers back to
// receipts. One program for both roles: dialling it has one peer and makes the links, listening it serves every peer
// that attaches.
import Bytes
import Console
import Engine
import Glibc
import Render
import Runtime
import Transport
import Wire

final class Sender: Looped {
  typealias Failure = Console.Failure

  /// Messages for one address, and what is known of them.
  private final class Route {
    let address: NodeAddress?
    var outbox = Outbox()
    /// Dialling: how far its link is.
    var attachment = Attachment.none
    enum Attachment: Equatable {
      case none
      /// A receiver finds out whether the queue is there, see `check`.
      case checking(LinkID)
      case asked
    }
    init(_ address: NodeAddress?) { self.address = address }
  }

  /// A link over which messages of a route go.
  private struct Outlet {
    let holder: Int
    let server: Served
    let link: LinkID
    let route: Route
    /// Settled messages handed to the connection and not yet written.
    var handed: ClosedRange<Int>?
    /// The message whose frames are being cut, and how far.
    var partial: (number: Int, offset: Int)?
    var isUp: Bool
  }

  private enum Stage { case running, closing(until: Int64) }

  private let plan: SendPlan
  private let diagnostics: Diagnostics
  private let signals: Signals?
  private var source: MessageSource
  private let listener: ListeningSocket?
  private let trace: Trace?
  private var served: [Served] = []
  private var outlets: [Outlet] = []
  private var routes: [Route] = []
  private var nextHolder = 0
  private(set) var receipts = Receipts()
  private var stage = Stage.running
  private var trouble: Failure?
  private var status = ExitCode.success
  private let started: Int64
  private var lastProgress: Int64
  private var released = 0
  /// Octets of messages that were handed to connections.
  private(set) var octets = 0
  private var now: Int64
  private var scratch = ByteQueue()

  init(_ plan: SendPlan, _ diagnostics: Diagnostics, signals: Signals?, trace: Trace?) throws(Failure) {
    self.plan = plan
    self.diagnostics = diagnostics
    self.signals = signals
    self.trace = trace
    started = Clock.now
    now = started
    lastProgress = started
    source = try MessageSource(plan.form, composer: plan.composer, keepsEmpty: plan.keepsEmpty, limit: plan.count)
    listener = try plan.connect.listen.map { endpoint throws(Failure) in try Listening.open(endpoint, diagnostics) }
    if let target = plan.target { _ = route(target) }
    if listener == nil {
      served = [
        plan.isDryRun
          ? Served(rehearsing: plan.connect, now: started, trace: trace)
          : Served(dialing: plan.connect, now: started, trace: trace)
      ]
      // What does not depend on who the peer is goes out together with open.
      if let first = routes.first, !(first.address?.dependsOnPeer ?? false) { attach(first, on: served[0], .other) }
    }
  }

  private func route(_ address: NodeAddress?) -> Route {
    if let known = routes.first(where: { $0.address == address }) { return known }
    let route = Route(address)
    _ = route.outbox.addHead(plan.head)
    if let window = plan.window { route.outbox.countLimit = window }
    routes.append(route)
    return route
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    self.now = now
    try acceptPeers()
    for server in served { serve(server) }
    if listener != nil { served.removeAll { $0.peer.isGone } }
    checkEndings()
    readInput()
    if let lastWords, trouble == nil, pending || !source.isAtEnd { fail(lastWords) }
    let before = released
    for i in outlets.indices where outlets[i].isUp { push(i) }
    var all = true
    for server in served {
      if server.peer.flush(now: now) { written(server) } else { all = false }
    }
    // Everything went out at once, so there is room for more without anybody having to wake us.
    mayGoOn = all && (released > before || !source.isStarved) && hasRoom
    mustGoOn = all && outlets.contains { $0.partial != nil && $0.server.peer.connection.canContinue($0.link) }
    return finish()
  }
  private var mayGoOn = false
  /// The same in the middle of a message, which waits for no `--rate`.
  private var mustGoOn = false

  /// Input that can't be read ends it; what was read before is sent all the same.
  private func readInput() {
    guard trouble == nil, inputFailure == nil, case .running = stage else { return }
    do throws(Failure) {
      try pump()
    } catch {
      inputFailure = error
      source.stop()
    }
  }
  private var inputFailure: Failure?

  private func acceptPeers() throws(Failure) {
    guard let listener else { return }
    while let server = try Listening.accept(listener, plan.connect, now: now, trace: trace) { served.append(server) }
  }

  private func serve(_ server: Served) {
    server.peer.read(now: now)
    while let event = server.peer.connection.nextEvent() { handle(event, server) }
    if let failure = server.peer.failure, !server.isOver {
      server.isOver = true
      lose(server, server.explanation(plan.connect).failure(failure))
    }
  }

  private func handle(_ event: Event, _ server: Served) {
    switch event {
    case .opened:
      server.peer.isOpen()
      server.isOpen = true
      if listener == nil {
        diagnostics.detail(server.description)
        for route in routes where route.attachment == .none { begin(route, on: server) }
      }
    case .attachRequested(let link): requested(link, server)
    case .attached(let link): attached(link, server)
    case .detached(let link, let reason): detached(link, reason, server)
    case .answered(let link, let run, let answer): answered(link, run, answer, server)
    case .closed(let reason):
      server.isOver = true
      closed(reason, server)
    case .delivery, .aborted, .settledBySender, .drained, .stopped: break
    }
  }

  // MARK: Links

  private func attach(_ route: Route, on server: Served, _ dialect: NodeAddress.Dialect) {
    route.attachment = .asked
    var attach = plan.attach
    if let i = routes.firstIndex(where: { $0 === route }), i > 0 { attach.name += "-\(i + 1)" }
    attach.target?.address = Value(route.address?.text(for: dialect))
    let link = server.peer.connection.attach(attach)
    add(link, route, server)
  }

  /// The peer is known: attaches in its dialect, or checks first.
  private func begin(_ route: Route, on server: Served) {
    switch (server.dialect, route.address) {
    case (.rabbitMQ3, .name?), (.rabbitMQ3, .queue?): check(route, on: server)
    default: attach(route, on: server, server.dialect)
    }
  }

  /// RabbitMQ 3 accepts messages for a queue that is not there, and drops them. A receiver from that queue it refuses, so
  /// one is attached first, without credit.
  private func check(_ route: Route, on server: Served) {
    var attach = Attach()
    attach.role = .receiver
    attach.name = plan.attach.name + "-check"
    attach.source = Source(address: route.address?.text(for: .rabbitMQ3))
    attach.target = Target(address: attach.name)
    route.attachment = .checking(server.peer.connection.attach(attach))
  }

  /// The check is answered. Returns false when the link was none.
  private func checked(_ link: LinkID, _ refusal: AMQPError?, _ server: Served) -> Bool {
    guard let route = routes.first(where: { $0.attachment == .checking(link) }) else { return false }
    if let refusal {
      if refusal.condition == Condition.notFound { return false }
      // Perhaps we may send and not receive.
      diagnostics.detail(
        "can't tell whether '\(route.address?.description ?? "")' exists: \(refusal.description ?? refusal.condition)")
    } else {
      server.peer.connection.detach(link)
    }
    attach(route, on: server, .rabbitMQ3)
    return true
  }

  private func add(_ link: LinkID, _ route: Route, _ server: Served, isUp: Bool = false) {
    outlets.append(Outlet(holder: nextHolder, server: server, link: link, route: route, isUp: isUp))
    nextHolder += 1
    lastProgress = now
  }

  private func attached(_ link: LinkID, _ server: Served) {
    if checked(link, nil, server) { return }
    guard let i = outlet(link, server) else { return }
    outlets[i].isUp = true
    let remote = server.peer.connection.remoteAttach(link)
    if plan.mode == .exactlyOnce && remote.rcvSettleMode != .second {
      return fail(
        Failure(
          "\(server.peer.name) can't do exactly-once", "it answered rcv-settle-mode first",
          nextStep: "--mode at-least-once is what it can do", exitCode: .failure))
    }
    if plan.attach.target?.dynamic == true, let address = remote.target?.address.text {
      diagnostics.note("the peer made the node '\(address)'")
    }
    for capability in plan.attach.target?.capabilities ?? []
    where !(remote.target?.capabilities.contains(capability) ?? false) {
      diagnostics.detail("the peer did not confirm the capability '\(capability)'")
    }
  }

  /// Listening: a peer wants to receive.
  private func requested(_ link: LinkID, _ server: Served) {
    let asked = server.peer.connection.remoteAttach(link)
    guard asked.role == .receiver else {
      return server.peer.connection.refuse(
        link, AMQPError(Condition.notAllowed, "this end sends, it takes no messages"))
    }
    server.peer.connection.accept(link) { attach in
      if plan.mode == .atMostOnce { attach.sndSettleMode = .settled }
      // What the answer repeats is in force, part 2 §2.6.3: nobody gets copies here, and no filter is applied.
      if attach.source?.distributionMode != nil { attach.source?.distributionMode = "move" }
      attach.source?.filter = .null
      if attach.source?.dynamic == true { attach.source?.address = .string("dynamic-\(nextHolder)") }
    }
    add(link, routes.first ?? route(NodeAddress.none), server, isUp: true)
  }

  private func detached(_ link: LinkID, _ reason: CloseReason, _ server: Served) {
    if let refusal = reason.error, checked(link, refusal, server) { return }
    if let route = routes.first(where: { $0.attachment == .checking(link) }) {
      return refused(reason, route, server)
    }
    guard let i = outlet(link, server) else { return }
    let outlet = outlets.remove(at: i)
    if listener != nil {
      giveBack(outlet)
      return
    }
    if case .closing = stage, reason.error == nil { return }
    refused(reason, outlet.route, server)
  }

  private func refused(_ reason: CloseReason, _ route: Route, _ server: Served) {
    var explanation = server.explanation(plan.connect)
    explanation.action = "send to '\(route.address?.description ?? "")'"
    fail(explanation.failure(reason))
  }

  private func giveBack(_ outlet: Outlet) {
    let count = outlet.route.outbox.giveBack(holder: outlet.holder)
    if count > 0 {
      diagnostics.detail("\(outlet.server.peer.name) left \(count) messages unanswered: they are sent again")
    }
  }

  private func outlet(_ link: LinkID, _ server: Served) -> Int? {
    outlets.firstIndex { $0.link == link && $0.server === server }
  }

  // MARK: The end of a connection

  private func closed(_ reason: CloseReason, _ server: Served) {
    if listener != nil {
      if reason.error != nil {
        diagnostics.note("\(server.peer.name): \(server.explanation(plan.connect).text(reason))")
      }
      return lose(server, nil)
    }
    switch stage {
    case .closing: if reason.error == nil || reason.scope == .transport { return }
    case .running: break
    }
    var explanation = server.explanation(plan.connect)
    if reason.scope != .sasl && reason.scope != .transport, let target = plan.target {
      explanation.action = "send to '\(target.description)'"
    }
    let failure = explanation.failure(reason)
    if reason.error == nil && reason.scope == .connection {
      // In good order: a failure only if there is more to send, which this turn finds out.
      outlets.removeAll { $0.server === server }
      lastWords = failure
    } else {
      lose(server, failure)
    }
  }
  private var lastWords: Failure?

  private func lose(_ server: Served, _ failure: Failure?) {
    for outlet in outlets where outlet.server === server && listener != nil { giveBack(outlet) }
    outlets.removeAll { $0.server === server }
    if listener != nil {
      server.isLeaving = true
    } else if let failure {
      fail(failure)
    }
  }

  private func fail(_ failure: Failure) {
    if trouble == nil { trouble = failure }
    source.stop()
  }

  // MARK: Messages in

  fileprivate var hasRoom: Bool { routes.allSatisfy { $0.outbox.hasRoom } }

  private func pump() throws(Failure) {
    if case .json = plan.form {
      var lines = JSONLines(sender: self)
      return try source.pump(into: &lines)
    }
    let route = routes[0]
    let wasEmpty = route.outbox.isEmpty
    try source.pump(into: &route.outbox)
    if wasEmpty && !route.outbox.isEmpty { lastProgress = now }
  }

  fileprivate func accept(json line: Span<UInt8>, number: Int) throws(Failure) {
    let draft: MessageDraft
    do throws(TextFault) {
      draft = try MessageDraft(jsonLine: line)
    } catch {
      throw Failure("line \(number) of standard input", error.reason, exitCode: .badInput)
    }
    let target: Route
    if plan.target != nil {
      target = routes[0]
    } else if let address = draft.address {
      target = route(NodeAddress(address))
      if target.attachment == .none, let server = served.first, listener == nil,
        server.isOpen || !(target.address?.dependsOnPeer ?? false)
      {
        if server.isOpen { begin(target, on: server) } else { attach(target, on: server, .other) }
      }
    } else {
      throw Failure(
        "line \(number) of standard input", "the message names no address",
        nextStep: "give a TARGET, or an \"address\" to each message",
        exitCode: .badInput)
    }
    scratch.removeAll()
    draft.encode(into: &scratch)
    let none: [UInt8] = []
    scratch.withReadable { _ = target.outbox.append(head: 0, prefix: $0, body: none.span, suffix: none.span) }
    if target.outbox.isFresh { lastProgress = now }
  }

  // MARK: Messages out

  /// How many messages may have been begun by now, by `--rate`.
  private var allowance: Int {
    guard let rate = plan.rate else { return .max }
    return 1 + Int((now - started) / 1_000) * rate / 1_000_000
  }

  private func push(_ i: Int) {
    let server = outlets[i].server
    let link = outlets[i].link
    let route = outlets[i].route
    let settled = plan.mode == .atMostOnce || server.peer.connection.localAttach(link).sndSettleMode == .settled
    var outlet = outlets[i]
    let moved = Sender.push(
      &outlet, &server.peer.connection, &route.outbox, settled: settled, limit: allowance - released, octets: &octets)
    released += moved.begun
    if moved.octets > 0 { lastProgress = now }
    outlets[i] = outlet
    if route.outbox.nextToSend == nil { server.peer.connection.idle(link) }
  }

  /// Static, with everything it touches lent to it: once a turn and not once a message.
  private static func push(
    _ outlet: inout Outlet, _ connection: inout Connection, _ outbox: inout Outbox, settled: Bool, limit: Int,
    octets: inout Int
  ) -> (begun: Int, octets: Int) {
    var begun = 0
    let before = octets
    while true {
      let number: Int
      var offset = 0
      if let partial = outlet.partial {
        guard connection.canContinue(outlet.link) else { break }
        (number, offset) = partial
      } else {
        guard begun < limit, let next = outbox.nextToSend, connection.room(outlet.link) > 0 else { break }
        number = next
        begun += 1
      }
      let size = outbox.size(number)
      let at = outbox.withMessage(number) { head, body in
        connection.deliver(outlet.link, number, head: head, body: body, from: offset, settled: settled)
      }
      if outlet.partial == nil {
        outbox.begin(number, holder: outlet.holder, whole: at == size)
      } else if at == size {
        outbox.completed(number)
      }
      octets += at - offset
      if at < size {
        outlet.partial = (number, at)
        break
      }
      outlet.partial = nil
      if settled { outlet.handed = (outlet.handed?.lowerBound ?? number)...number }
    }
    return (begun, octets - before)
  }

  /// All that was handed to this connection has been written: settled messages are done with.
  private func written(_ server: Served) {
    for i in outlets.indices where outlets[i].server === server {
      guard let run = outlets[i].handed else { continue }
      outlets[i].handed = nil
      outlets[i].route.outbox.finish(run) { receipts.addSent($0.count) }
    }
  }

  private func answered(_ link: LinkID, _ run: ClosedRange<Int>, _ answer: Answer, _ server: Served) {
    guard let i = outlet(link, server) else { return }
    lastProgress = now
    if let partial = outlets[i].partial, run.contains(partial.number) { outlets[i].partial = nil }
    if listener != nil && answer == .released {
      // Somebody else may want it.
      return outlets[i].route.outbox.giveBack(run)
    }
    outlets[i].route.outbox.finish(run) { receipts.add($0, answer) }
  }

  // MARK: Endings

  private var pending: Bool { routes.contains { !$0.outbox.isEmpty } }

  private func checkEndings() {
    if let signal = signals?.first, status == .success {
      status = signal == .interrupt ? .interrupted : .terminated
      source.stop()
      dropUnsent()
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
    if listener == nil, trouble == nil, pending, waitsForPeer, now - lastProgress >= plan.answerTimeout {
      fail(
        Failure(
          "no \(unanswered ? "answer" : "credit") from \(served.first?.peer.name ?? "the peer") in "
            + durationText(plan.answerTimeout), soFar,
          nextStep: "--answer-timeout is how long to wait", exitCode: .notAccepted))
    }
  }
  private var deadlineAfterSignal: Int64?

  private var unanswered: Bool { routes.contains { $0.outbox.unanswered > 0 } }

  /// Messages wait for the peer and not for `--rate`.
  private var waitsForPeer: Bool { unanswered || allowance > released }

  private var soFar: String {
    var totals = receipts
    account(&totals)
    return totals.summary
  }

  /// Nil where there are several, or whoever comes.
  private var targetName: String? {
    guard let name = plan.target?.description, !name.isEmpty else { return nil }
    return name
  }

  /// Forgets what was read and never begun.
  private func dropUnsent() {
    for route in routes {
      while let next = route.outbox.nextToSend {
        route.outbox.begin(next, holder: -1, whole: true)
        route.outbox.finish(next...next)
        receipts.addUnsent(1)
      }
    }
  }

  /// Returns true when all is over.
  private func finish() -> Bool {
    switch stage {
    case .running:
      let impatient = (signals?.count ?? 0) > 1 || deadlineAfterSignal.map { now >= $0 } ?? false
      guard trouble != nil || impatient || (source.isAtEnd && !pending) else { return false }
      // Past a deadline nobody wants to wait for a peer that says nothing.
      let isLate = trouble?.exitCode == .incomplete || trouble?.exitCode == .notAccepted
      stage = .closing(until: now + (isLate ? 300_000_000 : 2_000_000_000))
      for server in served where !server.isOver {
        server.peer.connection.close()
        server.peer.flush(now: now)
      }
      return finish()
    case .closing(let until):
      let left = served.contains { !$0.isOver && $0.peer.isConnected }
      if left && now < until && (signals?.count ?? 0) < 2 { return false }
      for server in served { server.peer.drop() }
      return true
    }
  }

  /// Counts what has no receipt yet: it will get none.
  func account() { account(&receipts) }

  private func account(_ receipts: inout Receipts) {
    for route in routes {
      let unanswered = route.outbox.unanswered
      receipts.addUnanswered(unanswered)
      receipts.addUnsent(route.outbox.pending - unanswered)
    }
  }

  /// The exit status of the run, after it has ended.
  func result() throws(Failure) -> ExitCode {
    var code = status
    if status != .success {
      diagnostics.note("\(status == .interrupted ? "interrupted" : "terminated"): \(receipts.summary)")
    }
    for var failure in [inputFailure, trouble ?? receipts.failure(target: targetName)].compactMap({ $0 }) {
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
  }

  var deadline: Int64? {
    if mustGoOn || (mayGoOn && released < allowance), case .running = stage, trouble == nil { return now }
    var at: [Int64] = served.compactMap(\.peer.deadline)
    if case .closing(let until) = stage { at.append(until) }
    if let deadlineAfterSignal { at.append(deadlineAfterSignal) }
    if let duration = plan.duration, !source.isAtEnd { at.append(started + duration) }
    if let timeout = plan.timeout { at.append(started + timeout) }
    if pending { at.append(lastProgress + plan.answerTimeout) }
    if let rate = plan.rate, pending { at.append(started + Int64(released) * 1_000_000_000 / Int64(rate)) }
    return at.min()
  }
}

/// Each line is a message of its own making, and may name its own address.
private struct JSONLines: MessageSink {
  let sender: Sender
  var hasRoom: Bool { sender.hasRoom }
  func accept(prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>) {}
  func accept(json line: Span<UInt8>, number: Int) throws(Failure) { try sender.accept(json: line, number: number) }
}

extension Outbox: MessageSink {
  /// Behind the head that is the same for all: the route's first.
  mutating func accept(prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>) {
    append(head: 1, prefix: prefix, body: body, suffix: suffix)
  }
  func accept(json line: Span<UInt8>, number: Int) throws(Failure) {}
}
