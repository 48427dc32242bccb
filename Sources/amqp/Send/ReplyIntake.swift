// What comes back: the replies of `--request`, which are known by their correlation-id, or after `--then-receive` whatever
// the source has. It owns the link that they come over, prints them as `receive` would and settles what is printed; what is
// sent, and when the run ends, it leaves to the sender, who asks `isReady` before the first message and `isDone` at the end.
import Bytes
import Console
import Engine
import Render
import Runtime
import Transport
import Wire

final class ReplyIntake {
  let plan: ReplyPlan
  private(set) var output: OutputQueue
  private var writer: MessageWriter
  /// Nil: not asked for on this connection.
  private var link: LinkID?
  private weak var server: Served?
  /// Where replies are to go; nil: the link is not up.
  private(set) var address: String?
  /// The queue of this run, where the peer makes none by itself.
  private var queue: String?
  /// Requests without all their replies, by correlation-id.
  private var awaited: [String: Request] = [:]
  private var keys: [Int: String] = [:]
  private let token = String(UInt32.random(in: 0 ... .max), radix: 16)
  /// What belongs to nobody here, and is given back at the end.
  private var strangers: [ClosedRange<Int>] = []
  private(set) var taken = 0
  private var isStopped = false
  /// With `--stats`: from a request to each of its replies.
  var latency: Histogram?

  private struct Request {
    var missing: Int
    let began: Int64
  }

  init(_ plan: ReplyPlan, measures: Bool) throws(Failure) {
    self.plan = plan
    let output = try OutputQueue()
    writer = MessageWriter(plan.output, escapes: output.isTerminal)
    self.output = output
    latency = measures && plan.isRequest ? Histogram() : nil
  }

  // MARK: The node that they come to

  /// A new connection: what was before is gone.
  func begin() { (link, server, address, queue) = (nil, nil, nil, nil) }

  /// What has to be made before the link is asked for, on a peer that makes no node of its own accord: RabbitMQ over 1.0.
  /// A queue that is gone with the connection. Over 0-9-1 it has direct reply-to, and nothing has to be made.
  func declarations(_ dialect: NodeAddress.Dialect) -> [Declaration] {
    guard plan.source == nil else { return [] }
    switch dialect {
    case .other, .amqp091: return []
    case .rabbitMQ4, .rabbitMQ3:
      var made = Declaration.Queue("amqp.reply-" + ConnectPlan.freshName())
      (made.isExclusive, made.isAutoDelete, made.isDurable) = (true, true, false)
      queue = made.name
      return [.queue(made)]
    }
  }

  func attach(_ server: Served, _ name: String) {
    guard link == nil else { return }
    var attach = Attach()
    attach.role = .receiver
    attach.name = name + "-replies"
    attach.sndSettleMode = .unsettled
    attach.target = Target(address: attach.name)
    let node = plan.source ?? queue.map { .queue($0) }
    var source = Source(address: node?.text(for: server.dialect))
    if node == nil && server.speaks091 {
      source.address = .string(Connection.directReplyAddress)
    } else if node == nil {
      source.dynamic = true
      source.dynamicNodeProperties = .map([
        MapEntry(.symbol("lifetime-policy"), Record(Code.deleteOnClose).value)
      ])
    }
    attach.source = source
    self.server = server
    link = server.peer.connection.attach(attach)
  }

  func owns(_ link: LinkID, _ server: Served) -> Bool { self.link == link && self.server === server }

  /// The link is up. Messages may be sent from here on: its credit goes out in front of them.
  func attached(_ server: Served) throws(Failure) {
    guard let link else { return }
    let credit = UInt32(plan.credit)
    server.peer.connection.grant(link, start: credit, ceiling: credit, budget: plan.limit.map { max(0, $0 - taken) })
    if let text = plan.source?.text(for: server.dialect)
      ?? queue.flatMap({ NodeAddress.queue($0).text(for: server.dialect) })
    {
      address = server.speaks091 ? (plan.source?.description ?? queue) : text
      return
    }
    guard let text = server.peer.connection.remoteAttach(link).source?.address.text, !text.isEmpty else {
      throw Failure(
        "no node for replies", "\(server.peer.name) made none, or doesn't say how it is called",
        nextStep: "--reply-to NAME: a queue that is there", exitCode: .failure)
    }
    address = text
  }

  var isReady: Bool { address != nil }
  /// As failures name it.
  var name: String { plan.source?.description ?? address ?? "a queue of its own" }

  // MARK: Requests

  /// So many requests may wait for their replies.
  var hasRoom: Bool { isReady && awaited.count < plan.window && !output.isFull }

  /// Says in a request where its replies go, and by what they are known.
  func prepare(_ draft: inout MessageDraft, place: Int, now: Int64) {
    guard plan.isRequest else { return }
    if draft["reply-to"] == nil, let address { try? draft.set("reply-to", .string(address)) }
    let key: String
    if let id = draft["correlation-id"] {
      key = ReplyIntake.key(id)
    } else {
      key = "\(token)-\(place)"
      try? draft.set("correlation-id", .string(key))
    }
    if plan.expectsAnswers { keys[place] = key }
    awaited[key] = Request(missing: (awaited[key]?.missing ?? 0) + plan.replies, began: now)
  }

  /// Nobody replies to what was not accepted.
  func answered(_ run: ClosedRange<Int>, _ outbox: borrowing Outbox, _ answer: Answer) {
    guard plan.isRequest else { return }
    outbox.forEachPending(in: run) { message in
      guard let key = keys.removeValue(forKey: message.place), answer != .accepted else { return }
      if let missing = awaited[key]?.missing, missing > plan.replies {
        awaited[key]?.missing -= plan.replies
      } else {
        awaited[key] = nil
      }
    }
  }

  /// An id as 0-9-1 has it: replies may come back through a broker that makes text of it.
  private static func key(_ id: Value) -> String {
    switch id {
    case .string(let text), .symbol(let text): text
    case .ulong(let number): "\(number)"
    case .uuid(let bits): Value.uuidText(bits)
    case .binary(let octets): String(decoding: octets, as: UTF8.self)
    default: "\(id)"
    }
  }

  // MARK: Replies

  func take(_ delivery: Delivery, _ server: Served, now: Int64) throws(Failure) {
    guard owns(delivery.link, server) else { return }
    if isStopped || plan.limit.map({ taken >= $0 }) == true {
      return strangers.append(delivery.number...delivery.number)
    }
    if plan.isRequest {
      let key = server.peer.connection.withBytes(delivery.message) { ReplyIntake.correlation($0) }.map(ReplyIntake.key)
      guard let key, let request = awaited[key] else { return stranger(delivery, server) }
      latency?.add(now - request.began)
      awaited[key]?.missing -= 1
      if request.missing == 1 { awaited[key] = nil }
    }
    taken += 1
    try writer.write(delivery, server.peer.connection, address: name, number: taken, to: &output.octets)
    output.mark(server, delivery)
  }

  /// In a queue of ours nobody else will ask for it; in another it may be somebody's.
  private func stranger(_ delivery: Delivery, _ server: Served) {
    if plan.source == nil {
      server.peer.connection.settle(delivery.link, delivery.number...delivery.number, .accept)
    } else {
      strangers.append(delivery.number...delivery.number)
    }
  }

  private static func correlation(_ message: Span<UInt8>) -> Value? {
    var sections = Sections(0..<message.count)
    while let section = try? sections.next(message) {
      guard section.code == Code.properties else { continue }
      let value = try? Value.decode(message.extracting(section.value..<section.range.upperBound))
      guard case .list(let fields)? = value else { return nil }
      if fields.count > 5, !fields[5].isNull { return fields[5] }
      return nil
    }
    return nil
  }

  /// Writes what can be written, and settles it then.
  func flush() throws(Failure) {
    try output.flush { mark in mark.server.peer.connection.settle(mark.link, mark.run, .accept) }
  }

  func register(_ polls: inout PollSet) { output.register(&polls) }

  // MARK: The end

  /// No more are wanted.
  func stop() { isStopped = true }

  /// All that was asked for is here, and written.
  var isDone: Bool {
    if output.isClosed { return true }
    guard output.isEmpty else { return false }
    if isStopped { return true }
    return plan.isRequest ? awaited.isEmpty : plan.limit.map { taken >= $0 } ?? false
  }

  /// Gives back what is nobody's here.
  func giveBack() {
    guard let link, let server, !server.isOver else { return }
    for run in strangers { server.peer.connection.settle(link, run, .release) }
    strangers = []
  }

  /// What is missing; nil: nothing is. "2 of 3 requests have no reply: correlation-id 9f-2, 9f-3"
  func missing(of requests: Int) -> String? {
    if isStopped || output.isClosed { return nil }
    if !plan.isRequest { return plan.limit.flatMap { taken < $0 ? "\(taken) of \($0) received from '\(name)'" : nil } }
    if awaited.isEmpty { return nil }
    let some = awaited.keys.sorted().prefix(3).joined(separator: ", ") + (awaited.count > 3 ? ", …" : "")
    let what = plan.replies == 1 ? "no reply" : "not all replies"
    return
      "\(awaited.count) of \(requests) \(requests == 1 ? "request has" : "requests have") \(what): correlation-id \(some)"
  }
}
