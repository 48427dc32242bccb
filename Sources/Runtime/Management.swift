/// Queues, exchanges and bindings over AMQP 1.0, as RabbitMQ 4 has them made: requests and answers in the manner of HTTP
/// over a pair of links to the node `/management`. Driven by whoever takes the connection's events; it knows no options.
import Bytes
package import Engine
package import Wire

package struct Management: Sendable {
  private let requests: [Request]
  private var sender: LinkID?
  private var receiver: LinkID?
  private var sent = 0
  private var answered = 0
  private var isUp = (sender: false, receiver: false)
  /// What each request came to so far: the body of its answer, or why it was refused.
  package private(set) var outcomes: [Result<Value, AMQPError>] = []
  /// What was refused first, and why.
  package private(set) var refusal: (declaration: Declaration, error: AMQPError)?
  /// The links themselves are gone.
  package private(set) var loss: CloseReason?

  package var isDone: Bool { answered == requests.count || loss != nil }

  fileprivate struct Request: Sendable {
    let declaration: Declaration
    let method: String
    let path: String
    let body: Value
  }

  package init(_ declarations: [Declaration]) { requests = declarations.map { Request($0) } }

  /// Asks for the two links, which have one name: first the one that answers come over, because RabbitMQ ends the session
  /// over a request for whose answer there is no credit.
  package mutating func begin(_ connection: inout Connection) { receiver = connection.attach(attach(.receiver)) }

  private func attach(_ role: Role) -> Attach {
    var attach = Attach()
    attach.name = "management"
    attach.role = role
    attach.sndSettleMode = .settled
    attach.source = Source(address: role == .sender ? Management.ours : Management.node)
    attach.target = Target(address: role == .sender ? Management.node : Management.ours)
    attach.properties = .map([MapEntry(.symbol("paired"), .boolean(true))])
    return attach
  }

  static let node = "/management"
  /// How RabbitMQ calls the other one of the pair.
  private static let ours = "$me"

  /// - Returns: whether the event was about this.
  package mutating func take(_ event: Event, _ connection: inout Connection) -> Bool {
    switch event {
    case .attached(let link) where link == sender: isUp.sender = true
    case .attached(let link) where link == receiver:
      isUp.receiver = true
      connection.grant(link, start: 100, ceiling: 100)
      sender = connection.attach(attach(.sender))
    case .detached(let link, let reason) where link == sender || link == receiver:
      if !isDone { loss = reason }
    case .delivery(let delivery) where delivery.link == receiver:
      let draft = connection.withBytes(delivery.message) { Management.answer($0) }
      connection.settle(delivery.link, delivery.number...delivery.number, .accept)
      take(draft)
    case .drained(let link) where link == sender || link == receiver: break
    case .stopped(let link) where link == sender || link == receiver: break
    case .opened, .attached, .attachRequested, .detached, .delivery, .aborted, .answered, .settledBySender, .drained,
      .stopped, .blocked, .unblocked, .declared, .discharged, .closed:
      return false
    }
    return true
  }

  /// Sends what there is credit for.
  package mutating func advance(_ connection: inout Connection) {
    guard let sender, let receiver, isUp.sender, isUp.receiver else { return }
    while sent < requests.count, connection.room(sender) > 0 {
      let message = requests[sent].message(number: sent)
      let none: [UInt8] = []
      let size = connection.deliver(sender, sent, head: none.span, body: message.span, from: 0, settled: true)
      // Requests are small: one frame each.
      if size < message.count { return }
      sent += 1
    }
    if isDone && loss == nil {
      self.sender = nil
      self.receiver = nil
      connection.detach(sender)
      connection.detach(receiver)
    }
  }

  private struct Answer {
    var number: UInt64
    var status: String
    var body = Value.null
  }

  /// Nil: no answer that we know.
  private static func answer(_ b: Span<UInt8>) -> Answer? {
    var sections = Sections(0..<b.count)
    var answer = Answer(number: 0, status: "")
    while let section = try? sections.next(b) {
      guard let value = try? Value.decode(b.extracting(section.value..<section.range.upperBound)) else { return nil }
      switch (section.code, value) {
      case (Code.properties, .list(let fields)):
        if fields.count > 3 { answer.status = fields[3].text ?? "" }
        if fields.count > 5 { answer.number = fields[5].unsigned ?? .max }
      case (Code.amqpValue, _): answer.body = value
      default: break
      }
    }
    return answer
  }

  private mutating func take(_ answer: Answer?) {
    guard let answer, answer.number == UInt64(answered), answered < sent else {
      loss = CloseReason(
        .link, .local, AMQPError(Condition.internalError, "an answer of the management node that can't be read"))
      return
    }
    answered += 1
    if answer.status.hasPrefix("2") { return outcomes.append(.success(answer.body)) }
    let condition =
      switch answer.status {
      case "400": Condition.invalidField
      case "401", "403": Condition.unauthorizedAccess
      case "404": Condition.notFound
      case "409": "amqp:precondition-failed"
      default: Condition.internalError
      }
    let error = AMQPError(condition, answer.body.text ?? "status \(answer.status)")
    outcomes.append(.failure(error))
    if refusal == nil { refusal = (requests[answered - 1].declaration, error) }
  }
}

extension Management.Request {
  fileprivate init(_ declaration: Declaration) {
    self.declaration = declaration
    func map(_ entries: [(String, Value)]) -> Value { .map(entries.map { MapEntry(.string($0.0), $0.1) }) }
    switch declaration {
    case .queue(let queue):
      path = "/queues/" + PercentEncoding.encode(queue.name)
      method = queue.isPassive ? "GET" : "PUT"
      body =
        queue.isPassive
        ? .null
        : map([
          ("durable", .boolean(queue.isDurable)), ("exclusive", .boolean(queue.isExclusive)),
          ("auto_delete", .boolean(queue.isAutoDelete)), ("arguments", .map(queue.arguments)),
        ])
    case .exchange(let exchange):
      path = "/exchanges/" + PercentEncoding.encode(exchange.name)
      method = "PUT"
      body = map([
        ("type", .string(exchange.type)), ("durable", .boolean(exchange.isDurable)),
        ("auto_delete", .boolean(exchange.isAutoDelete)), ("internal", .boolean(exchange.isInternal)),
        ("arguments", .map(exchange.arguments)),
      ])
    case .bind(let binding):
      path = "/bindings"
      method = "POST"
      let destination: (String, Value) =
        switch binding.destination {
        case .queue(let name): ("destination_queue", .string(name))
        case .exchange(let name): ("destination_exchange", .string(name))
        }
      body = map([
        ("source", .string(binding.source)), destination, ("binding_key", .string(binding.key)),
        ("arguments", .map(binding.arguments)),
      ])
    }
  }

  fileprivate func message(number: Int) -> [UInt8] {
    var q = ByteQueue()
    // message-id, user-id, to, subject, reply-to.
    q.appendSection(
      Code.properties,
      fields: [.ulong(UInt64(number)), .null, .string(path), .string(method), .string(Management.replyTo)])
    q.appendSection(Code.amqpValue, body)
    return q.bytes
  }
}

extension Management {
  fileprivate static var replyTo: String { ours }
}
