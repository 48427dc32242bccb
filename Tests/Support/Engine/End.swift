/// One end of a connection in a test: the connection, everything that it told as lines of text, and octets in and out
/// without a socket. Deliveries are kept, because their octets are good for a moment only.
import Bytes
import Engine
import Wire

package final class End {
  package var connection: Connection
  /// What happened, a line an event: "attached a", "answered a 0...3 accepted", "closed connection peer".
  package private(set) var log: [String] = []
  /// The messages that came, whole.
  package private(set) var messages: [[UInt8]] = []
  package private(set) var tags: [[UInt8]] = []
  package private(set) var deliveries: [Delivery] = []
  /// The links in the order in which they came up or were asked for.
  package private(set) var links: [LinkID] = []
  /// What the application does about an event, right after it was noted.
  package var react: (End, Event) -> Void = { _, _ in }
  private var names: [LinkID: String] = [:]

  package init(_ settings: ConnectionSettings, now: Instant = 0) { connection = Connection(settings, now: now) }

  private init(_ other: End) {
    connection = other.connection.fork()
    names = other.names
    links = other.links
  }

  /// Another end in the same state, with an empty log.
  package func fork() -> End { End(self) }

  // MARK: Octets

  package func receive(_ bytes: some Collection<UInt8>, now: Instant) {
    let bytes = Array(bytes)
    connection.receive(now: now, room: bytes.count) { span in
      for byte in bytes { span.append(byte) }
    }
    takeEvents()
  }

  package func receivedEnd() {
    connection.receivedEnd()
    takeEvents()
  }

  package func tick(now: Instant) {
    connection.tick(now: now)
    takeEvents()
  }

  package func output(now: Instant) -> [UInt8] {
    var out: [UInt8] = []
    connection.withOutput(now: now) { span in
      out += span.array
      return span.count
    }
    takeEvents()
    return out
  }

  // MARK: Events

  package func takeEvents() {
    while let event = connection.nextEvent() {
      note(event)
      react(self, event)
    }
  }

  /// The lines since the last time.
  package func takeLog() -> [String] {
    defer { log = [] }
    return log
  }

  private func note(_ event: Event) {
    switch event {
    case .attached(let link), .attachRequested(let link):
      names[link] = connection.localAttach(link).name
      links.append(link)
    case .delivery(let delivery):
      deliveries.append(delivery)
      messages.append(connection.withBytes(delivery.message) { $0.array })
      tags.append(connection.withBytes(delivery.tag) { $0.array })
    case .opened, .detached, .aborted, .answered, .settledBySender, .drained, .stopped, .closed, .blocked,
      .unblocked, .declared, .discharged:
      break
    }
    log.append(text(event))
  }

  package func name(_ link: LinkID) -> String {
    if let name = names[link] { return name }
    let name = connection.localAttach(link).name
    names[link] = name
    return name
  }

  private func text(_ event: Event) -> String {
    switch event {
    case .opened: "opened"
    case .attached(let l): "attached \(name(l))"
    case .attachRequested(let l): "requested \(name(l)) as \(connection.localAttach(l).role)"
    case .detached(let l, let reason): "detached \(name(l)) \(text(reason))"
    case .delivery(let d):
      "delivery \(name(d.link)) \(d.number)\(d.settled ? " settled" : "") \(messages.last.map(body) ?? "")"
    case .aborted(let l): "aborted \(name(l))"
    case .answered(let l, let run, let answer): "answered \(name(l)) \(run) \(text(answer))"
    case .settledBySender(let l, let run): "settled by sender \(name(l)) \(run)"
    case .drained(let l): "drained \(name(l))"
    case .stopped(let l): "stopped \(name(l))"
    case .blocked(let reason): "blocked \(reason)"
    case .unblocked: "unblocked"
    case .discharged: "discharged"
    case .declared(let number, let error): "declared \(number)" + (error.map { " " + text($0) } ?? "")
    case .closed(let reason): "closed \(text(reason))"
    }
  }

  private func body(_ message: [UInt8]) -> String {
    message.count > 40 ? "\(message.count) octets" : String(decoding: message, as: UTF8.self)
  }

  private func text(_ reason: CloseReason) -> String {
    "\(reason.scope.rawValue) \(reason.side)\(reason.error.map { " " + text($0) } ?? "")"
  }

  private func text(_ error: AMQPError) -> String {
    var text = error.condition
    if let description = error.description { text += " (\(description))" }
    if !error.info.isNull { text += " \(error.info)" }
    return text
  }

  private func text(_ answer: Answer) -> String {
    switch answer {
    case .accepted: "accepted"
    case .rejected(let error): "rejected" + (error.map { " " + text($0) } ?? "")
    case .released: "released"
    case .modified(let failed, let undeliverable):
      "modified" + (failed ? " failed" : "") + (undeliverable ? " undeliverable" : "")
    case .returned(let error): "returned \(text(error))"
    case .unspecified: "unspecified"
    case .declared(let id): "declared \(id)"
    }
  }

  // MARK: Questions, which expectations can't ask a connection that is not copyable

  package var awaitsSettlement: Bool { connection.awaitsSettlement }
  package var deadline: Instant? { connection.deadline }
  package var isOver: Bool { connection.isOver }
  package var outputIsEmpty: Bool { connection.outputIsEmpty }
  package var peer: PeerDescription { connection.peer }
  package func room(_ link: LinkID) -> Int { connection.room(link) }
  package func credit(_ link: LinkID) -> Int { connection.credit(link) }
  package func unsettled(_ link: LinkID) -> Int { connection.unsettled(link) }
  package func canContinue(_ link: LinkID) -> Bool { connection.canContinue(link) }

  // MARK: Wishes

  /// Sends a whole message, as far as there is room.
  /// - Returns: how many octets are on their way.
  @discardableResult
  package func deliver(
    _ link: LinkID, _ number: Int, _ body: [UInt8], from offset: Int = 0, settled: Bool = false
  ) -> Int {
    let empty: [UInt8] = []
    return connection.deliver(link, number, head: empty.span, body: body.span, from: offset, settled: settled)
  }

  @discardableResult
  package func deliver(_ link: LinkID, _ number: Int, _ body: String, settled: Bool = false) -> Int {
    deliver(link, number, Array(body.utf8), settled: settled)
  }
}

extension Attach {
  /// A link as most tests want it: both termini there.
  package init(
    _ role: Role, _ name: String, snd: SenderSettleMode = .unsettled, rcv: ReceiverSettleMode = .first,
    to address: String? = "q"
  ) {
    self.init()
    (self.name, self.role, sndSettleMode, rcvSettleMode) = (name, role, snd, rcv)
    source = Source(address: role == .receiver ? address : nil)
    target = Target(address: role == .sender ? address : nil)
  }
}
