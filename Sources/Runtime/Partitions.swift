/// The partitions of an Azure event hub: one request to the node `$management` and its answer, over a link each way.
/// Driven by whoever takes the connection's events; it knows no options.
import Bytes
package import Engine
package import Wire

package struct Partitions: Sendable {
  private let hub: String
  private var sender: LinkID?
  private var receiver: LinkID?
  private var isUp = (sender: false, receiver: false)
  private var isSent = false
  /// The answer: their names, in its order.
  package private(set) var names: [String]?
  /// Why there is no answer.
  package private(set) var refusal: AMQPError?
  package private(set) var loss: CloseReason?

  package var isDone: Bool { names != nil || refusal != nil || loss != nil }

  package init(of hub: String) { self.hub = hub }

  package mutating func begin(_ connection: inout Connection) {
    receiver = connection.attach(attach(.receiver))
    sender = connection.attach(attach(.sender))
  }

  private static let node = "$management"
  private static let ours = "partitions-reply"

  private func attach(_ role: Role) -> Attach {
    var attach = Attach()
    attach.name = "partitions-\(role == .sender ? "ask" : "answer")"
    attach.role = role
    attach.source = Source(address: role == .sender ? Partitions.ours : Partitions.node)
    attach.target = Target(address: role == .sender ? Partitions.node : Partitions.ours)
    return attach
  }

  /// - Returns: whether the event was about this.
  package mutating func take(_ event: Event, _ connection: inout Connection) -> Bool {
    switch event {
    case .attached(let link) where link == sender: isUp.sender = true
    case .attached(let link) where link == receiver:
      isUp.receiver = true
      connection.grant(link, start: 10, ceiling: 10)
    case .detached(let link, let reason) where link == sender || link == receiver: if !isDone { loss = reason }
    case .delivery(let delivery) where delivery.link == receiver:
      let answer = connection.withBytes(delivery.message) { Partitions.answer($0) }
      connection.settle(delivery.link, delivery.number...delivery.number, .accept)
      take(answer)
    case .answered(let link, _, let answer) where link == sender:
      if case .rejected(let error) = answer, !isDone {
        refusal = error ?? AMQPError(Condition.internalError, "the request was rejected")
      }
    case .opened, .attached, .attachRequested, .detached, .delivery, .aborted, .answered, .settledBySender, .drained,
      .stopped, .blocked, .unblocked, .declared, .discharged, .closed:
      return false
    }
    return true
  }

  /// Sends the request when there is credit for it; takes the links down behind the answer.
  package mutating func advance(_ connection: inout Connection) {
    guard let sender, let receiver else { return }
    if isDone {
      self.sender = nil
      self.receiver = nil
      connection.detach(sender)
      connection.detach(receiver)
    } else if !isSent, isUp.sender, isUp.receiver, connection.room(sender) > 0 {
      let message = request
      let none: [UInt8] = []
      _ = connection.deliver(sender, 1, head: none.span, body: message.span, from: 0, settled: false)
      isSent = true
    }
  }

  private var request: [UInt8] {
    func entry(_ key: String, _ value: String) -> MapEntry { MapEntry(.string(key), .string(value)) }
    var draft = MessageDraft()
    draft.properties = [.ulong(1), .null, .null, .null, .string(Partitions.ours)]
    draft.applicationProperties = [
      entry("operation", "READ"), entry("name", hub), entry("type", "com.microsoft:eventhub"),
    ]
    draft.body = [.value(.null)]
    var q = ByteQueue()
    draft.encode(into: &q)
    return q.bytes
  }

  private struct Answer {
    var status: Int64 = 0
    var words: String?
    var names: [String]?
  }

  private static func answer(_ b: Span<UInt8>) -> Answer {
    var answer = Answer()
    var sections = Sections(0..<b.count)
    while let section = try? sections.next(b) {
      guard let value = try? Value.decode(b.extracting(section.value..<section.range.upperBound)) else { break }
      switch section.code {
      case Code.applicationProperties:
        // Both spellings are seen.
        switch value["status-code"] ?? value["statusCode"] {
        case .int(let code)?: answer.status = Int64(code)
        case .long(let code)?: answer.status = code
        case let code?: answer.status = code.unsigned.map { Int64(clamping: $0) } ?? 0
        case nil: break
        }
        answer.words = (value["status-description"] ?? value["statusDescription"])?.text
      case Code.amqpValue:
        switch value["partition_ids"] {
        case .array(let ids)?: answer.names = ids.elements.compactMap(\.text)
        case .list(let ids)?: answer.names = ids.compactMap(\.text)
        default: break
        }
      default: break
      }
    }
    return answer
  }

  private mutating func take(_ answer: Answer) {
    if isDone { return }
    if answer.status / 100 == 2, let found = answer.names, !found.isEmpty {
      names = found
      return
    }
    let condition =
      switch answer.status {
      case 401, 403: Condition.unauthorizedAccess
      case 404: Condition.notFound
      default: Condition.internalError
      }
    refusal = AMQPError(
      condition, answer.words ?? "an answer without partitions (status \(answer.status))")
  }
}
