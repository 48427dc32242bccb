/// Claims-based security over AMQP 1.0, as Azure Service Bus and Event Hubs have it: a token for each address is put to the
/// node `$cbs` before a link to that address is asked for, and again before it expires. Driven by whoever takes the
/// connection's events, which also tells the time; it knows no options and no clock.
import Bytes
package import Engine
import Transport
package import Wire

package struct ClaimsBasedSecurity: Sendable {
  /// What an event was about.
  package enum Taken: Sendable, Equatable {
    /// Something else.
    case nothing
    case progress
    /// One more address may be used.
    case granted
    /// No token is taken any more: what was refused, and why.
    case refused(address: String, AMQPError)
    /// The links themselves went away.
    case lost(CloseReason)
  }

  private struct Claim: Sendable {
    let address: String
    /// Seconds of the wall clock.
    var expires: Int64 = 0
    var isGranted = false
  }

  private let key: SharedAccessKey
  private let host: String
  /// Seconds that a token is good for.
  private let lifetime: Int64
  private let patience: Instant
  private var claims: [Claim] = []
  private var sender: LinkID?
  private var receiver: LinkID?
  private var isUp = (sender: false, receiver: false)
  /// The claim whose answer is awaited: one at a time, so that answers need no names.
  private var asked: (claim: Int, number: UInt64, since: Instant)?
  private var requests: UInt64 = 0
  private var isOver = false

  /// - Parameter host: of the namespace, as the peer is called.
  package init(_ key: SharedAccessKey, host: String, lifetime: Int64, patience: Instant) {
    (self.key, self.host, self.lifetime, self.patience) = (key, host, lifetime, patience)
  }

  private static let node = "$cbs"

  // MARK: The application

  /// Wants to use an address; asks for a token as soon as that can be done.
  package mutating func want(_ address: String) {
    if !claims.contains(where: { $0.address == address }) { claims.append(Claim(address: address)) }
  }

  package func grants(_ address: String) -> Bool { claims.contains { $0.address == address && $0.isGranted } }

  package func owns(_ link: LinkID) -> Bool { link == sender || link == receiver }

  /// Asks for the two links; the connection may still be on its way.
  package mutating func begin(_ connection: inout Connection) {
    receiver = connection.attach(attach(.receiver))
    sender = connection.attach(attach(.sender))
  }

  private func attach(_ role: Role) -> Attach {
    var attach = Attach()
    attach.name = "cbs-\(role == .sender ? "sender" : "receiver")"
    attach.role = role
    let ours = "cbs"
    attach.source = Source(address: role == .sender ? ours : ClaimsBasedSecurity.node)
    attach.target = Target(address: role == .sender ? ClaimsBasedSecurity.node : ours)
    return attach
  }

  package mutating func take(_ event: Event, _ connection: inout Connection) -> Taken {
    switch event {
    case .attached(let link) where link == sender: isUp.sender = true
    case .attached(let link) where link == receiver:
      isUp.receiver = true
      connection.grant(link, start: 10, ceiling: 10)
    case .detached(let link, let reason) where owns(link):
      if isOver { return .progress }
      isOver = true
      return .lost(reason)
    case .delivery(let delivery) where delivery.link == receiver:
      let answer = connection.withBytes(delivery.message) { Answer($0) }
      connection.settle(delivery.link, delivery.number...delivery.number, .accept)
      return take(answer)
    case .answered(let link, _, let answer) where link == sender:
      if case .rejected(let error) = answer {
        return refuse(error ?? AMQPError(Condition.internalError, "rejected without a reason"))
      }
    case .drained(let link) where owns(link): break
    case .stopped(let link) where owns(link): break
    case .opened, .attached, .attachRequested, .detached, .delivery, .aborted, .answered, .settledBySender, .drained,
      .stopped, .blocked, .unblocked, .declared, .discharged, .closed:
      return .nothing
    }
    return .progress
  }

  private mutating func take(_ answer: Answer) -> Taken {
    // An answer to a request that was given up is late, and nobody's.
    guard let asked, answer.number == nil || answer.number == asked.number else { return .progress }
    guard answer.status == 200 || answer.status == 202 else {
      let words = answer.words ?? "without a description"
      return refuse(
        AMQPError(
          Condition.unauthorizedAccess, answer.status == nil ? "an answer without status-code" : words,
          info: answer.status.map { .uint(UInt32(clamping: $0)) } ?? .null))
    }
    self.asked = nil
    let isFirst = !claims[asked.claim].isGranted
    claims[asked.claim].isGranted = true
    return isFirst ? .granted : .progress
  }

  private mutating func refuse(_ error: AMQPError) -> Taken {
    isOver = true
    let address = asked.map { claims[$0.claim].address } ?? ""
    asked = nil
    return .refused(address: address, error)
  }

  // MARK: Time

  /// When a token is put again: a quarter of its life is left for trouble.
  private func renewal(_ claim: Claim) -> Int64 { claim.expires - lifetime / 4 }

  /// Puts the next token that is due. `wall`: seconds since 1970-01-01 UTC.
  package mutating func advance(_ connection: inout Connection, now: Instant, wall: Int64) -> Taken {
    guard !isOver else { return .nothing }
    if let asked {
      if now < asked.since + patience { return .nothing }
      return refuse(AMQPError(Condition.resourceLimitExceeded, "no answer from $cbs"))
    }
    guard let sender, isUp.sender, isUp.receiver, connection.room(sender) > 0,
      let next = claims.indices.first(where: { !claims[$0].isGranted || wall >= renewal(claims[$0]) })
    else { return .nothing }
    requests += 1
    claims[next].expires = wall + lifetime
    let message: [UInt8]
    do throws(CryptographyFault) {
      message = try request(claims[next])
    } catch {
      asked = (next, requests, now)
      return refuse(AMQPError(Condition.internalError, "libcrypto of OpenSSL 3 or 1.1.1 is needed: \(error.reason)"))
    }
    let none: [UInt8] = []
    _ = connection.deliver(sender, Int(requests), head: none.span, body: message.span, from: 0, settled: false)
    asked = (next, requests, now)
    return .progress
  }

  /// Nanoseconds until `advance` has something to do though nothing comes.
  package func wait(now: Instant, wall: Int64) -> Int64? {
    guard !isOver else { return nil }
    if let asked { return max(0, asked.since + patience - now) }
    guard let next = claims.filter(\.isGranted).map({ renewal($0) }).min() else { return nil }
    return max(0, next - wall) * 1_000_000_000
  }

  // MARK: Messages

  private func request(_ claim: Claim) throws(CryptographyFault) -> [UInt8] {
    let resource = "amqp://\(host)/\(claim.address)"
    let token = try key.token(for: resource, until: claim.expires)
    func map(_ entries: [(String, Value)]) -> Value { .map(entries.map { MapEntry(.string($0.0), $0.1) }) }
    var q = ByteQueue()
    // message-id, user-id, to, subject, reply-to.
    q.appendSection(
      Code.properties,
      fields: [.ulong(requests), .null, .string(ClaimsBasedSecurity.node), .null, .string("cbs")])
    q.appendSection(
      Code.applicationProperties,
      map([
        ("operation", .string("put-token")), ("type", .string("servicebus.windows.net:sastoken")),
        ("name", .string(resource)), ("expiration", .timestamp(claim.expires * 1_000)),
      ]))
    q.appendSection(Code.amqpValue, .string(token))
    return q.bytes
  }

  private struct Answer {
    /// The correlation-id, where it is a number.
    var number: UInt64?
    var status: Int?
    var words: String?

    init(_ b: Span<UInt8>) {
      var sections = Sections(0..<b.count)
      while let section = try? sections.next(b) {
        guard let value = try? Value.decode(b.extracting(section.value..<section.range.upperBound)) else { return }
        switch (section.code, value) {
        case (Code.properties, .list(let fields)): if fields.count > 5 { number = fields[5].unsigned }
        case (Code.applicationProperties, _):
          // Both spellings are in use.
          status = (value["status-code"] ?? value["statusCode"])?.integer
          words = (value["status-description"] ?? value["statusDescription"])?.text
        default: break
        }
      }
    }
  }
}
