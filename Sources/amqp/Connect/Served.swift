// A peer as a subcommand serves it: its connection, what is known of it, whether it is on its way out; and listening.
import Console
import Engine
import Runtime
import Transport
import Wire

final class Served {
  let peer: Peer
  /// How it was dialled or is listened to.
  let plan: ConnectPlan
  /// It was connected to before, in this run.
  var isKnown = false
  /// Nobody is there.
  private(set) var isRehearsal = false
  /// Its open has come.
  var isOpen = false
  /// It said that it takes no messages for now.
  private(set) var isBlocked = false
  /// Its end has been dealt with.
  var isOver = false
  /// Azure's tokens, where they are needed.
  var claims: ClaimsBasedSecurity?
  /// There are `claims`: asked once a message.
  private(set) var isGuarded = false
  /// Nothing more is expected: it may be dropped when what is to be written is written.
  var isLeaving = false

  init(dialing plan: ConnectPlan, as dialect: DialectChoice.Protocols, now: Int64, trace: Trace?) {
    var settings = plan.settings
    settings.protocols = dialect
    self.plan = plan
    peer = Peer(dialing: plan.endpoint, settings, tls: plan.tls, now: now, deadline: now + plan.connectTimeout)
    trace?.attach(to: peer)
    plan.capture?.attach(to: peer)
    claims = plan.claims()
    isGuarded = claims != nil
    claims?.begin(&peer.connection)
  }

  init(rehearsing plan: ConnectPlan, now: Int64, trace: Trace?) {
    var settings = plan.settings
    settings.protocols = plan.choice.order[0]
    self.plan = plan
    peer = Peer(rehearsing: settings, now: now)
    isRehearsal = true
    trace?.attach(to: peer)
  }

  init(accepted socket: Socket, _ plan: ConnectPlan, now: Int64, trace: Trace?) {
    self.plan = plan
    peer = Peer(accepted: socket, plan.settings, tls: plan.tls, now: now, deadline: now + plan.connectTimeout)
    trace?.attach(to: peer)
    plan.capture?.attach(to: peer)
  }

  func blocked(_ reason: String, _ diagnostics: Diagnostics) {
    isBlocked = true
    diagnostics.note("\(peer.name) takes no messages for now\(reason.isEmpty ? "" : ": \(reason)")")
  }

  func unblocked(_ diagnostics: Diagnostics) {
    isBlocked = false
    diagnostics.note("\(peer.name) takes messages again")
  }

  /// In good order, and without waiting for an answer.
  func sayGoodbye(now: Int64) {
    peer.connection.close()
    peer.flush(now: now)
  }

  var explanation: Explanation {
    Explanation(
      peer: peer.name, plan: plan, isKnown: isKnown || isOpen, said: peer.connection.peer, address: peer.address)
  }

  /// What the loss of this peer means: to a listener, which has others, no more than a note.
  func failure(_ failure: Peer.Failure, _ diagnostics: Diagnostics) -> Failure? {
    let explained = explanation.failure(failure)
    guard plan.listen != nil else { return explained }
    diagnostics.note("\(peer.name): \(explained.why)")
    return nil
  }

  /// Which form of address it takes.
  var dialect: NodeAddress.Dialect {
    if speaks091 { return .amqp091 }
    let description = peer.connection.peer
    return NodeAddress.Dialect(product: description.product, version: description.version)
  }

  var speaks091: Bool { peer.connection.dialect == .amqp091 }

  /// Why another connection, over 0-9-1, is the thing to do now; nil: it isn't.
  func reasonToFallBack(
    needsManagement: Bool = false, needsStreams: Bool = false, needsTransactions: Bool = false,
    elsewhere: String? = nil
  ) -> String? {
    if speaks091 || isRehearsal || !plan.choice.order.contains(.amqp091) { return nil }
    let description = peer.connection.peer
    if !isOpen { return description.header == .amqp091 ? "that is what \(peer.name) speaks" : nil }
    if let elsewhere { return elsewhere }
    if needsManagement && dialect != .rabbitMQ4 { return "\(peer.name) has no management node over AMQP 1.0" }
    if needsStreams && dialect == .rabbitMQ3 { return "\(peer.name) knows no stream offsets over AMQP 1.0" }
    if needsTransactions && dialect != .other { return "RabbitMQ has no transactions over AMQP 1.0" }
    return nil
  }

  /// A password or token that whoever is on the way could read.
  var exposure: (what: String, next: String)? {
    guard peer.session == nil, let address = peer.address, !address.isNearby else { return nil }
    switch peer.connection.peer.mechanism.flatMap(SASLMechanism.init(rawValue:)) {
    case .plain, .amqplain, .xoauth2, .crDemo:
      return ("the password went to \(peer.name) in clear text", "amqps:// encrypts it")
    case .scramSHA1, .scramSHA256, .scramSHA512, .external, .anonymous, nil: return nil
    }
  }

  /// Says who the peer is, and what should not have been said to it.
  func announce(_ diagnostics: Diagnostics) {
    diagnostics.detail(description)
    if let exposure { diagnostics.note(exposure.what, nextStep: exposure.next) }
  }

  /// "connected to localhost:5672: RabbitMQ 4.0.5, container-id rabbit@host, SASL PLAIN"
  var description: String {
    let d = peer.connection.peer
    var parts = [
      [d.product, d.version].compactMap { $0 }.joined(separator: " "), speaks091 ? "AMQP 0-9-1" : "AMQP 1.0",
    ]
    if !speaks091 { parts.append("container-id \(d.open.containerID)") }
    parts.append(d.mechanism.map { "SASL \($0)" } ?? "no SASL")
    parts.append("max-frame-size \(d.open.maxFrameSize)")
    parts.append("\(speaks091 ? "heartbeat" : "idle-time-out") \(d.open.idleTimeOut.map { "\($0) ms" } ?? "none")")
    if let session = peer.session {
      parts.append("\(session.version) \(session.cipher)")
      parts.append(session.certificates.first.map { "certificate \($0.subject)" } ?? "")
    }
    return "connected to \(peer.name): " + parts.filter { !$0.isEmpty }.joined(separator: ", ")
  }
}

enum Listening {
  static func open(_ endpoint: Endpoint, _ diagnostics: Diagnostics) throws(Failure) -> ListeningSocket {
    do throws(EndpointError) {
      let listener = try ListeningSocket(on: endpoint)
      diagnostics.note("listening on \(listener.endpoint)")
      return listener
    } catch {
      throw Failure("cannot listen on \(endpoint)", error.text, exitCode: .failure)
    }
  }

  static func accept(_ listener: ListeningSocket, _ plan: ConnectPlan, now: Int64, trace: Trace?) throws(Failure)
    -> Served?
  {
    do throws(Errno) {
      return try listener.accept().map { Served(accepted: $0, plan, now: now, trace: trace) }
    } catch {
      // Out of descriptors or memory: those who are connected go on.
      return nil
    }
  }
}
