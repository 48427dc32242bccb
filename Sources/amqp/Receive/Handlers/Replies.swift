// `--respond`: what handlers put out, as messages to the reply-to of their requests, over the connection that the request
// came over. Dialling, one anonymous link serves all where the peer has such a thing, else each address has its own;
// listening, replies go to the peer that receives from that address. A request is decided when its reply is answered.
import Bytes
import Console
import Engine
import Runtime
import Wire

final class Replies {
  private final class Outlet {
    let server: Served
    /// Nil: messages say themselves where they go.
    let address: String?
    let link: LinkID
    var isUp: Bool
    var outbox = Outbox()
    var partial: (number: Int, offset: Int)?
    /// What waits for the peer's answer, by the reply's number.
    var answers: [Int: HandlerAnswer] = [:]
    var lastProgress: Int64

    init(_ server: Served, _ address: String?, _ link: LinkID, isUp: Bool, now: Int64) {
      (self.server, self.address, self.link, self.isUp, lastProgress) = (server, address, link, isUp, now)
    }
  }

  private let linkName: String
  private let isListening: Bool
  private var outlets: [Outlet] = []
  private var serial = 0
  /// Answered, or not to be had; why not, if so.
  private var done: [(HandlerAnswer, refusal: String?)] = []
  private var prefix = ByteQueue()
  /// How long a peer may say nothing.
  private static let patience: Int64 = 30_000_000_000

  init(linkName: String, isListening: Bool) { (self.linkName, self.isListening) = (linkName, isListening) }

  /// Replies that nobody has answered yet.
  var pending: Int { outlets.reduce(done.count) { $0 + $1.answers.count } }

  // MARK: Sending

  func send(_ answer: HandlerAnswer, now: Int64) {
    guard let request = answer.ticket.request, !answer.ticket.server.isOver else { return }
    guard let outlet = open(answer.ticket.server, request.address, now: now) else {
      return done.append((answer, "nobody receives from '\(request.address)' here"))
    }
    var draft = MessageDraft()
    if case .message(let message) = answer.reply { draft = message }
    do throws(TextFault) {
      if draft["correlation-id"] == nil { try draft.set("correlation-id", request.correlation) }
      if outlet.address == nil { try draft.set("to", .string(Replies.destination(request.address, outlet.server))) }
      if draft["durable"] == nil { try draft.set("durable", .boolean(false)) }
    } catch {
      return done.append((answer, error.reason))
    }
    prefix.removeAll()
    let none: [UInt8] = []
    var number = 0
    if case .body(let body) = answer.reply {
      draft.encodeHead(into: &prefix)
      prefix.appendDataHead(body.count)
      number = prefix.withReadable { head in
        body.withReadable { outlet.outbox.append(head: 0, prefix: head, body: $0, suffix: none.span) }
      }
    } else {
      draft.encode(into: &prefix)
      number = prefix.withReadable {
        outlet.outbox.append(head: 0, prefix: $0, body: none.span, suffix: none.span)
      }
    }
    if outlet.answers.isEmpty { outlet.lastProgress = now }
    var waiting = answer
    waiting.reply = .none
    outlet.answers[number] = waiting
  }

  /// In the form that this peer takes: a reply-to of 0-9-1 is a queue's name, of the default exchange, unless who asked
  /// speaks 1.0.
  private static func destination(_ address: String, _ server: Served) -> String {
    if server.speaks091 {
      let isAddress = address.hasPrefix("/queues/") || address.hasPrefix("/exchanges/")
      return (isAddress ? Node091(address) : nil)?.address ?? Node091.queue(address).address
    }
    return NodeAddress(address).text(for: server.dialect) ?? address
  }

  private func open(_ server: Served, _ address: String, now: Int64) -> Outlet? {
    if isListening {
      return outlets.first { $0.server === server && $0.address == address } ?? outlets.first { $0.address == address }
    }
    let isRelay = server.speaks091 || server.peer.connection.peer.open.offeredCapabilities.contains("ANONYMOUS-RELAY")
    let name = isRelay ? nil : address
    if let known = outlets.first(where: { $0.server === server && $0.address == name }) { return known }
    serial += 1
    var attach = Attach()
    attach.role = .sender
    attach.name = "\(linkName)-reply-\(serial)"
    attach.sndSettleMode = .unsettled
    attach.source = Source(address: attach.name)
    attach.target = Target(address: name.map { Replies.destination($0, server) })
    let link = server.peer.connection.attach(attach)
    let outlet = Outlet(server, name, link, isUp: false, now: now)
    outlets.append(outlet)
    return outlet
  }

  /// Listening: a peer receives from this address.
  func serve(_ link: LinkID, _ server: Served, address: String, now: Int64) {
    outlets.append(Outlet(server, address, link, isUp: true, now: now))
  }

  func push(now: Int64) {
    for outlet in outlets where outlet.isUp {
      push(outlet, now: now)
      if outlet.outbox.nextToSend == nil { outlet.server.peer.connection.idle(outlet.link) }
      if !outlet.answers.isEmpty, now - outlet.lastProgress >= Replies.patience {
        fail(outlet, "no credit or answer in \(durationText(Replies.patience))")
      }
    }
  }

  private func push(_ outlet: Outlet, now: Int64) {
    // A peer may receive without acknowledging: then there is nothing to wait for.
    let isSettled = outlet.server.peer.connection.localAttach(outlet.link).sndSettleMode == .settled
    while true {
      let number: Int
      var offset = 0
      if let partial = outlet.partial {
        guard outlet.server.peer.connection.canContinue(outlet.link) else { return }
        (number, offset) = partial
      } else {
        guard let next = outlet.outbox.nextToSend, outlet.server.peer.connection.room(outlet.link) > 0 else { return }
        number = next
      }
      let size = outlet.outbox.size(number)
      let at = outlet.outbox.withMessage(number) { head, body in
        outlet.server.peer.connection.deliver(
          outlet.link, number, head: head, body: body, from: offset, settled: isSettled)
      }
      if outlet.partial == nil {
        outlet.outbox.begin(number, holder: 0, whole: at == size, now: now)
      } else if at == size {
        outlet.outbox.completed(number)
      }
      outlet.lastProgress = now
      outlet.partial = nil
      if at < size {
        outlet.partial = (number, at)
        return
      }
      if isSettled { answered(outlet, number, nil) }
    }
  }

  /// The middle of a reply can go on, and nobody will wake us for that.
  var mustGoOn: Bool {
    outlets.contains { $0.isUp && $0.partial != nil && $0.server.peer.connection.canContinue($0.link) }
  }

  // MARK: What the peer says

  /// Returns whether the event was about one of these links.
  func take(_ event: Event, _ server: Served, now: Int64) -> Bool {
    switch event {
    case .attached(let link):
      guard let outlet = find(link, server) else { return false }
      outlet.isUp = true
      outlet.lastProgress = now
    case .detached(let link, let reason):
      guard let outlet = find(link, server) else { return false }
      outlets.removeAll { $0 === outlet }
      fail(outlet, reason.error.map { $0.description ?? $0.condition } ?? "the link was detached")
    case .answered(let link, let run, let answer):
      guard let outlet = find(link, server) else { return false }
      outlet.lastProgress = now
      if let partial = outlet.partial, run.contains(partial.number) { outlet.partial = nil }
      for number in run { answered(outlet, number, Replies.refusal(answer)) }
    case .opened, .attachRequested, .delivery, .aborted, .settledBySender, .drained, .stopped, .blocked, .unblocked,
      .declared, .discharged, .closed:
      return false
    }
    return true
  }

  private func answered(_ outlet: Outlet, _ number: Int, _ refusal: String?) {
    outlet.outbox.finish(number...number)
    if let waiting = outlet.answers.removeValue(forKey: number) { done.append((waiting, refusal)) }
  }

  private static func refusal(_ answer: Answer) -> String? {
    switch answer {
    case .accepted, .unspecified, .declared: nil
    case .rejected(let error): "rejected" + (error?.description.map { ": \($0)" } ?? "")
    case .released: "released: nobody took it"
    case .modified: "modified: it was not delivered"
    case .returned(let error): "returned: \(error.description ?? error.condition)"
    }
  }

  private func fail(_ outlet: Outlet, _ why: String) {
    for number in outlet.answers.keys.sorted() {
      if let answer = outlet.answers[number] { done.append((answer, why)) }
    }
    outlet.answers = [:]
    outlet.outbox = Outbox()
    outlet.partial = nil
  }

  /// A connection is gone, and with it the requests that came over it.
  /// - Returns: how many of them had a reply that was not answered.
  func lose(_ server: Served) -> Int {
    let count = done.count + outlets.reduce(0) { $0 + $1.answers.count }
    outlets.removeAll { $0.server === server }
    done.removeAll { $0.0.ticket.server === server }
    return count - done.count - outlets.reduce(0) { $0 + $1.answers.count }
  }

  private func find(_ link: LinkID, _ server: Served) -> Outlet? {
    outlets.first { $0.link == link && $0.server === server }
  }

  /// What was answered since the last time.
  func takeDone() -> [(HandlerAnswer, refusal: String?)] {
    if done.isEmpty { return [] }
    defer { done = [] }
    return done
  }

  var deadline: Int64? {
    outlets.filter { !$0.answers.isEmpty }.map { $0.lastProgress + Replies.patience }.min()
  }
}
