// Outcomes by program: messages to handlers, their verdicts to outcomes, outcomes to the peer. What sends a message back
// is told to the peer later and later while it happens again and again, so that nothing loops hot: the message keeps its
// place in our credit meanwhile. With `--drain` it is told at the end, because the end would never come otherwise.
import Bytes
import Console
import Engine
import Render
import Runtime
import Transport
import Wire

final class Handlers {
  let plan: HandlerPlan
  private let diagnostics: Diagnostics
  private let signals: Signals
  private let pool: any Handling
  private let replies: Replies?
  private(set) var tally = Tally()
  private var backoff = Backoff()
  /// Decided, and not told before `at`.
  private var held: [(at: Int64, ticket: Ticket, outcome: Outcome)] = []
  /// Accepted one after the other, not told yet.
  private var accepted: (server: Served, link: LinkID, run: ClosedRange<Int>)?
  private var failure: Failure?
  private var context = MessageContext()
  private var now: Int64 = 0
  /// No more messages are taken: nothing is held back any longer.
  private var isStopping = false
  private(set) var isKilled = false
  /// Handlers wait for messages that came settled, with no credit to bound them.
  private let mostWaiting: Int
  private let drains: Bool

  init(_ plan: ReceivePlan, _ handler: HandlerPlan, _ diagnostics: Diagnostics, _ signals: Signals) {
    self.plan = handler
    self.diagnostics = diagnostics
    self.signals = signals
    drains = plan.drains
    mostWaiting = max(plan.credit ?? handler.credit, 64)
    pool = handler.kind == .worker ? Worker(handler) : CommandPool(handler)
    replies = handler.responds ? Replies(linkName: plan.attach.name, isListening: plan.connect.listen != nil) : nil
  }

  // MARK: Messages in

  /// Takes over a delivery.
  /// - Parameter isCopy: it is of a stream.
  func take(_ delivery: Delivery, _ connection: borrowing Connection, _ inlet: Inlet, number: Int, isCopy: Bool) {
    context.describe(delivery, connection, address: inlet.address, number: number)
    connection.withBytes(delivery.message) { message in
      var ticket = Ticket(
        server: inlet.server, link: inlet.link, delivery: delivery.number, number: number, isCopy: isCopy,
        isSettled: delivery.settled)
      if replies != nil { ticket.request = Request(message) }
      pool.take(ticket, message, context)
    }
  }

  var responds: Bool { replies != nil }

  /// Messages that take room of our credit up to the end.
  var heldToTheEnd: Int { drains ? held.count { $0.at == .max } : 0 }

  /// No more is to be read for now.
  var isFull: Bool { pool.waiting > mostWaiting }
  /// No message is with a handler, or waits for one or for its reply's answer.
  var isIdle: Bool { pool.busy == 0 && pool.waiting == 0 && (replies?.pending ?? 0) == 0 }

  // MARK: The turn

  func advance(now: Int64, _ output: inout OutputQueue) {
    if isKilled { return }
    self.now = now
    let childrenChanged = signals.childChanged
    signals.childChanged = false
    pool.advance(now: now, childrenChanged: childrenChanged, &output) { answer in
      if let replies, answer.ticket.request != nil, answer.verdict == .accept {
        replies.send(answer, now: now)
      } else {
        decide(answer)
      }
    }
    if let replies {
      replies.push(now: now)
      for (answer, refusal) in replies.takeDone() { replied(answer, refusal) }
    }
    tellAccepted()
    tellHeld()
    for note in pool.takeNotes() { diagnostics.note(note) }
    failure = failure ?? pool.takeFailure()
  }

  /// The peer has answered a reply, or never will.
  private func replied(_ answer: HandlerAnswer, _ refusal: String?) {
    guard let refusal else { return decide(answer) }
    // The work is done, and who asked for it is gone: once more would change nothing.
    let why = "its reply to '\(answer.ticket.request?.address ?? "")' was not accepted: \(refusal)"
    decide(HandlerAnswer(ticket: answer.ticket, verdict: .reject(why), began: answer.began))
  }

  private func decide(_ answer: HandlerAnswer) {
    let ticket = answer.ticket
    if case .stop(let code, let why) = answer.verdict {
      failure = failure ?? Failure("cannot run '\(plan.name)' for message \(ticket.number)", why, exitCode: code)
      return
    }
    guard let outcome = answer.verdict.outcome else { return }
    if ticket.isVoid {
      tally.unsettled += 1
      return
    }
    tally.add(answer.verdict, ticket.number)
    switch answer.verdict {
    case .accept:
      backoff.succeeded()
      return accept(ticket)
    case .reject(let reason): diagnostics.detail("message \(ticket.number) is rejected: \(reason)")
    case .fail(let why):
      // A worker's end is told once, and not for each message that it had.
      if plan.kind == .command { diagnostics.note("message \(ticket.number): '\(plan.name)' \(why)") }
    case .release, .modify, .stop: break
    }
    guard answer.verdict.comesAgain else {
      backoff.succeeded()
      return tell(ticket, outcome)
    }
    let delay = backoff.failed(began: answer.began, now: now)
    if isStopping { return tell(ticket, outcome) }
    held.append((drains && !answer.isUntried ? .max : now + delay, ticket, outcome))
  }

  // MARK: Outcomes out

  private func accept(_ ticket: Ticket) {
    if let run = accepted, run.link == ticket.link, run.server === ticket.server,
      ticket.delivery == run.run.upperBound + 1
    {
      accepted?.run = run.run.lowerBound...ticket.delivery
      return
    }
    tellAccepted()
    accepted = (ticket.server, ticket.link, ticket.delivery...ticket.delivery)
  }

  private func tellAccepted() {
    guard let (server, link, run) = accepted else { return }
    accepted = nil
    if !server.isOver { server.peer.connection.settle(link, run, .accept) }
  }

  private func tellHeld() {
    if held.isEmpty { return }
    for (_, ticket, outcome) in held.filter({ isStopping || $0.at <= now }) { tell(ticket, outcome) }
    held.removeAll { isStopping || $0.at <= now }
  }

  private func tell(_ ticket: Ticket, _ outcome: Outcome) {
    if ticket.server.isOver { return }
    ticket.server.peer.connection.settle(
      ticket.link, ticket.delivery...ticket.delivery, understood(outcome, ticket))
  }

  /// RabbitMQ 3 ends the session over an outcome that it didn't offer. Released is what it makes of such a message.
  private func understood(_ outcome: Outcome, _ ticket: Ticket) -> Outcome {
    guard case .modify(_, let undeliverable, _) = outcome,
      let offered = ticket.server.peer.connection.remoteAttach(ticket.link).source?.outcomes, !offered.isEmpty,
      !offered.contains("amqp:modified:list")
    else { return outcome }
    diagnostics.detail("\(ticket.server.peer.name) knows no modified: message \(ticket.number) is handed back as it is")
    return undeliverable ? .reject(nil) : .release
  }

  // MARK: The peer

  /// Returns whether the event was about replies.
  func take(_ event: Event, _ server: Served, now: Int64) -> Bool { replies?.take(event, server, now: now) ?? false }

  /// The run's only connection is lost, and another is made.
  /// - Parameter staysHere: what came is of streams: it goes on to its handlers.
  /// - Returns: how many messages come again.
  func reconnects(after server: Served, staysHere: Bool) -> Int {
    let unanswered = lose(server)
    if staysHere { return 0 }
    let count = pool.busy(of: server) + unanswered + held.count { $0.ticket.server === server }
    held.removeAll { $0.ticket.server === server }
    return count + pool.dropWaiting()
  }

  /// - Returns: how many replies were not answered.
  @discardableResult
  func lose(_ server: Served) -> Int { replies?.lose(server) ?? 0 }

  /// Listening: a peer wants to receive. Returns the address that it is to have, nil: nobody receives here.
  func serve(_ link: LinkID, _ server: Served, now: Int64) -> Bool {
    guard let replies else { return false }
    let asked = server.peer.connection.remoteAttach(link).source
    var address = asked?.address.text ?? ""
    if asked?.dynamic == true || address.isEmpty {
      names += 1
      address = "reply-\(names)"
    }
    server.peer.connection.accept(link) { attach in
      attach.source?.address = .string(address)
      attach.source?.filter = .null
    }
    if server.speaks091, case .queue(let name)? = Node091(address) { address = name }
    replies.serve(link, server, address: address, now: now)
    return true
  }
  private var names = 0

  // MARK: The end

  /// Takes no more: what waits is forgotten unless it still counts, and what sends messages back does so at once.
  func stop(startsWaiting: Bool) {
    isStopping = true
    if !startsWaiting { pool.dropWaiting() }
  }

  /// After the first Ctrl-C.
  func noteWaiting() {
    let count = pool.busy
    if count > 0 { diagnostics.note("waiting for \(count) messages with handlers; once more ends at once") }
  }

  /// Whether all that was begun has ended; called until it has.
  func finish(now: Int64) -> Bool {
    if isKilled { return true }
    guard isIdle else { return false }
    tellHeld()
    return pool.finish(now: now)
  }

  /// Ends everything at once. What it was about is given back.
  func kill() {
    if isKilled { return }
    isKilled = true
    pool.kill()
    held = []
  }

  func takeFailure() -> Failure? {
    defer { failure = nil }
    return failure
  }

  /// What was not accepted, if anything was not.
  var notAccepted: Failure? {
    guard let first = tally.first else { return nil }
    let count = tally.total - tally.accepted
    return Failure(
      "\(count) of \(tally.total) messages not accepted", "message \(first.number) \(first.why)",
      nextStep: tally.summary,
      exitCode: .notAccepted)
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet, room: Bool) { pool.register(&polls, room: room) }

  var deadline: Int64? {
    if isKilled { return nil }
    if replies?.mustGoOn == true { return now }
    return ([pool.deadline, replies?.deadline] + held.map { $0.at == .max ? nil : $0.at }).compactMap { $0 }.min()
  }
}
