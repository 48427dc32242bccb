// Why there is no conversation, or why it ended: one sentence, a next step, an exit status. The conditions of the
// specification are rows here; everything that is said of a peer's refusal comes from them.
import Console
import Engine
import Glibc
import Runtime
import Transport
import Wire

struct Explanation {
  /// "localhost:5672"
  let peer: String
  let plan: ConnectPlan
  /// It took our credentials before, and knew our virtual host.
  var isKnown = false
  /// What the peer said of itself, as far as it came.
  var said = PeerDescription()
  /// Where the peer is; nil: it was never reached.
  var address: SocketAddress?
  /// What was attempted: "send to 'orders'"; nil: only to connect.
  var action: String?

  func failure(_ failure: Peer.Failure) -> Failure {
    var explained = described(failure)
    // What is said of an unreachable peer may be otherwise in a moment; of a certificate, a protocol or a password not.
    explained.isTemporary = explained.exitCode == .unreachable
    return explained
  }

  func failure(_ reason: CloseReason) -> Failure {
    var explained = described(reason)
    explained.isTemporary = isTemporary(reason, explained)
    return explained
  }

  private func isTemporary(_ reason: CloseReason, _ explained: Failure) -> Bool {
    guard let error = reason.error else { return explained.exitCode == .unreachable }
    switch (reason.scope, reason.side) {
    // Hung up in the middle of the login, which is how some refuse it.
    case (.sasl, .peer):
      return error.condition == Condition.internalError || (isKnown && error.condition == Condition.connectionForced)
    case (.transport, .peer): return explained.exitCode == .unreachable && (isKnown || silentRefusal == nil)
    case (.transport, .local): return explained.exitCode == .unreachable && silentRefusal == nil
    case (.connection, .peer), (.session, .peer), (.link, .peer): return Explanation.row(error).passes == .perhaps
    case (.sasl, .local), (.connection, .local), (.session, .local), (.link, .local): return false
    }
  }

  /// Whether what was there before the connection was lost, and is refused now, may be there in a moment.
  static func mayComeBack(_ reason: CloseReason) -> Bool {
    guard reason.side == .peer, let error = reason.error else { return false }
    switch reason.scope {
    case .connection: return row(error).passes == .afterLoss
    case .session, .link: return row(error).passes != .no
    case .transport, .sasl: return false
    }
  }

  private func described(_ failure: Peer.Failure) -> Failure {
    switch failure {
    case .unreachable(let error):
      return Failure(
        "cannot connect to \(error.endpoint)", error.text, nextStep: Explanation.nextStep(error), exitCode: .unreachable
      )
    case .timedOut(let isConnected):
      let next =
        isConnected
        ? "something takes connections there and says nothing: does it speak AMQP, or is it frozen?"
        : "--connect-timeout gives it longer"
      return Failure(
        "cannot connect to \(peer)", "no answer in \(durationText(plan.connectTimeout))", nextStep: next,
        exitCode: .unreachable)
    case .broken(let error):
      return Failure("lost the connection to \(peer)", error.text, exitCode: .unreachable)
    case .tls(let error): return self.failure(error)
    }
  }

  private func described(_ reason: CloseReason) -> Failure {
    let error = reason.error
    let why = text(reason)
    switch (reason.scope, reason.side) {
    case (.sasl, .peer): return refusedLogin(why)
    case (.sasl, .local): return failedLogin(why, error?.info.text)
    case (.transport, .peer):
      if case .string(let header)? = error?.info {
        return Failure(
          "cannot speak with \(peer)", why, nextStep: nextStep(header: header), exitCode: .protocolViolation)
      }
      return Failure(
        "lost the connection to \(peer)", "it was \(why)",
        nextStep: error?.description == "closed before open" ? silentRefusal ?? silence : nil, exitCode: .unreachable)
    case (.transport, .local):
      if error?.condition == Condition.resourceLimitExceeded {
        return Failure(
          "lost the connection to \(peer)", why,
          nextStep: silentRefusal ?? "--heartbeat sets how long a silence may last", exitCode: .unreachable)
      }
      return Failure(
        "cannot speak with \(peer)", why, nextStep: nextStep(foreign: error?.info.text), exitCode: .protocolViolation)
    case (.link, .local) where error?.condition == Condition.invalidField:
      // Our own machine would not even ask.
      return Failure("cannot \(action ?? "make the link")", why, exitCode: .usage)
    case (.link, .local) where error?.condition == Condition.notImplemented:
      return Failure("cannot \(action ?? "make the link")", why, exitCode: .failure)
    case (.connection, .local), (.session, .local), (.link, .local):
      return Failure(
        "\(peer) broke the protocol", why, nextStep: "--trace shows the frames", exitCode: .protocolViolation)
    case (.connection, .peer), (.session, .peer), (.link, .peer):
      let subject = action.map { "cannot \($0)" } ?? "\(peer) closed the \(reason.scope.rawValue)"
      guard let error else {
        return Failure(
          subject, "the peer closed the \(reason.scope.rawValue) without saying why",
          exitCode: reason.scope == .connection ? .unreachable : .failure)
      }
      let row = Explanation.row(error)
      return Failure(subject, why, nextStep: row.next ?? permission(error), exitCode: row.exitCode)
    }
  }

  /// What a peer that hangs up before its open may not have liked: RabbitMQ 4 says nothing of either.
  private var silentRefusal: String? {
    if isKnown { return nil }
    if (1..<1_000).contains(plan.settings.idleTimeOut) { return "RabbitMQ 4 takes no --heartbeat below 1s" }
    return plan.vhost == "/" ? nil : silence ?? "does the virtual host '\(plan.vhost)' exist?"
  }

  private static func nextStep(_ error: EndpointError) -> String {
    if case .name = error.cause { return "check the host name in the URL" }
    switch error.error?.code {
    case ENETUNREACH, EHOSTUNREACH: return "no way leads there from here: is the network up, and the address right?"
    case ETIMEDOUT: return "nobody answers there: is the address right, or a firewall in between?"
    default: return "is a broker running there? give its address with -u amqp://HOST:PORT"
    }
  }

  /// Nil: all of it is there.
  func failure(_ declaring: Declaring) -> Failure? {
    if let (declaration, error) = declaring.refusal { return failure(declaration, error) }
    return declaring.loss.map {
      if NodeAddress.Dialect(product: said.product, version: said.version) == .rabbitMQ3 {
        return Failure(
          "cannot declare \(declaring.declarations[0].description)", "RabbitMQ 3 can't over AMQP 1.0",
          nextStep: "leave --protocol 1.0 out, or take --protocol 0-9-1", exitCode: .failure)
      }
      var explanation = self
      explanation.action = "declare \(declaring.declarations[0].description)"
      return explanation.failure($0)
    }
  }

  func failure(_ declaration: Declaration, _ error: AMQPError) -> Failure {
    let row = Explanation.row(error)
    var next = row.next
    if let argument = Explanation.differing(error) {
      next = "leave \(argument) as it is there, or delete the \(declaration.kind) first"
    }
    return Failure(
      "cannot \(declaration.isPassive ? "find" : "declare") \(declaration.description)", text(error), nextStep: next,
      exitCode: row.exitCode)
  }

  /// "x-queue-type" of "inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received 'quorum' but current is …".
  private static func differing(_ error: AMQPError) -> String? {
    let parts = (error.description ?? "").split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0].hasSuffix("inequivalent arg ") ? String(parts[1]) : nil
  }

  /// "no such node (amqp:not-found: no queue 'x' in vhost '/')" for what the peer says; what we found ourselves says it all.
  func text(_ reason: CloseReason) -> String {
    guard let error = reason.error else { return "no reason given" }
    switch (reason.scope, reason.side) {
    case (.transport, _), (.sasl, _), (_, .local): return error.description ?? error.condition
    case (.connection, .peer), (.session, .peer), (.link, .peer): return text(error)
    }
  }

  func text(_ error: AMQPError) -> String {
    if let code = ReplyCode.number(error.condition) { return text(code, error) }
    let words = Explanation.row(error).words
    let description = error.description ?? ""
    // A condition that is not in the table.
    if words.isEmpty {
      return description.isEmpty ? error.condition : "\(description) (\(error.condition))"
    }
    return "\(words) (\(error.condition)\(description.isEmpty ? "" : ": \(description)"))" + redirect(error)
  }

  /// "no such queue or exchange (404 NOT_FOUND: no queue 'x' in vhost '/')": the reply-text begins with the code's name.
  private func text(_ code: String, _ error: AMQPError) -> String {
    var description = error.description ?? ""
    let parts = description.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    if parts.count == 3 && parts[1] == "-" { description = "\(parts[0]): \(parts[2])" }
    let said = description.isEmpty ? code : "\(code) \(description)"
    let words = Explanation.row(error).words
    return words.isEmpty ? said : "\(words) (\(said))"
  }

  /// Whether what the peer says is about this node: a session that ends for one link ends them all.
  static func names(_ reason: CloseReason, _ address: NodeAddress?) -> Bool {
    guard reason.scope == .session, let said = reason.error?.description else { return false }
    switch address?.node091 {
    case .queue(let name), .exchange(let name, _): return said.contains("'\(name)'") || said.contains("/\(name)\"")
    case nil: return false
    }
  }

  private func redirect(_ error: AMQPError) -> String {
    guard error.condition == Condition.linkRedirect || error.condition == Condition.connectionRedirect else {
      return ""
    }
    let parts = (error.info.entries ?? []).compactMap { entry -> String? in
      guard let key = entry.key.text else { return nil }
      return "\(key) \(entry.value.text ?? entry.value.unsigned.map { "\($0)" } ?? "?")"
    }
    return parts.isEmpty ? "" : " to " + parts.joined(separator: ", ")
  }

  private func nextStep(header: String) -> String? {
    if plan.choice.order == [.amqp091] && header.hasPrefix("AMQP 1.0") {
      return "leave --protocol 0-9-1 and what needs it out"
    }
    if header == "AMQP 0-9-1", let need = plan.choice.only10 { return "\(need.what) needs AMQP 1.0: \(need.instead)" }
    if header == "AMQP 0-9-1" && plan.choice.order == [.amqp10] {
      return "--protocol 0-9-1 speaks it; a RabbitMQ 3 learns 1.0 by: rabbitmq-plugins enable rabbitmq_amqp1_0"
    }
    if header == "AMQP 1.0" { return "--sasl NONE leaves the SASL layer out" }
    if header == "AMQP 1.0 (SASL)" { return "leave --sasl NONE out" }
    if header == ProtocolHeader.tls10.description {
      return "amqps:// begins with TLS; --tls in-band asks for it as AMQP 1.0 does"
    }
    return "for RabbitMQ 3 switch its plugin on: rabbitmq-plugins enable rabbitmq_amqp1_0"
  }

  private func nextStep(foreign: String?) -> String {
    switch foreign.flatMap(ForeignProtocol.init(rawValue:)) {
    case .tls: "that is a TLS port: amqps://\(peer)"
    case .http: "that is a web server, RabbitMQ's management perhaps: AMQP's port is mostly 5672"
    case .ssh: "that is an SSH server: AMQP's port is mostly 5672"
    case nil: "AMQP's port is mostly 5672"
    }
  }

  /// Whether another attempt may go better.
  private enum Passing {
    case no
    /// Of a node that was there before: a broker that has just come back may not have it yet.
    case afterLoss
    case perhaps
  }

  private struct Row {
    let condition: String
    let words: String
    let exitCode: ExitCode
    var next: String?
    let passes: Passing

    init(condition: String, words: String, exitCode: ExitCode, next: String? = nil, passes: Passing = .no) {
      (self.condition, self.words, self.exitCode, self.next) = (condition, words, exitCode, next)
      self.passes = passes
    }

    init(reply code: ReplyCode, _ words: String, _ exitCode: ExitCode, next: String? = nil, passes: Passing = .no) {
      self.init(condition: code.condition, words: words, exitCode: exitCode, next: next, passes: passes)
    }
  }

  private static func row(_ error: AMQPError) -> Row {
    // RabbitMQ has no code of its own for it.
    if error.condition == ReplyCode.notAllowed.condition, let text = error.description, text.contains("vhost"),
      text.hasSuffix("not found")
    {
      return Row(
        reply: .notAllowed, "no such virtual host", .noSuchAddress, next: "--vhost or the URL's path names it",
        passes: .afterLoss)
    }
    let said = error.description ?? ""
    if let phrase = phrases.first(where: { $0.row.condition == error.condition && said.contains($0.fragment) }) {
      return phrase.row
    }
    return rows.first { $0.condition == error.condition }
      ?? Row(condition: error.condition, words: "", exitCode: .failure)
  }

  private static func missing(_ kind: String, _ condition: String) -> Row {
    Row(
      condition: condition, words: "no such \(kind)", exitCode: .noSuchAddress,
      next: "is the name right? --declare \(kind):NAME creates one", passes: .afterLoss)
  }

  /// What RabbitMQ has no condition for and says in words.
  private static let phrases: [(fragment: String, row: Row)] = [
    (
      "in exclusive use",
      Row(reply: .accessRefused, "locked by another client", .failure, passes: .afterLoss)
    ),
    (
      "unknown exchange type",
      Row(
        reply: .commandInvalid, "the peer has no such type of exchange", .failure,
        next: "direct, fanout, topic and headers are there always; others are plugins")
    ),
    ("no exchange '", missing("exchange", ReplyCode.notFound.condition)),
    ("no exchange '", missing("exchange", Condition.notFound)),
    ("no exchange '", missing("exchange", Condition.invalidField)),
    ("no queue '", missing("queue", Condition.invalidField)),
    (
      "exclusive access to locked",
      Row(
        condition: Condition.invalidField, words: "locked by another client", exitCode: .failure, passes: .afterLoss)
    ),
    (
      "broker forced connection closure",
      Row(
        condition: Condition.internalError, words: "closed by an operator of the peer", exitCode: .unreachable,
        passes: .perhaps)
    ),
    (
      "amqp_address_v1_not_permitted",
      Row(
        condition: Condition.invalidField, words: "this RabbitMQ takes no addresses of version 1",
        exitCode: .noSuchAddress, next: "its own are /queues/NAME, /exchanges/NAME/KEY, or a bare NAME")
    ),
    (
      "unknown_destination",
      Row(
        condition: Condition.invalidField, words: "this RabbitMQ knows no such address", exitCode: .noSuchAddress,
        next: "RabbitMQ 3 takes NAME, /amq/queue/NAME, /exchange/NAME/KEY; /queues and /exchanges are RabbitMQ 4's")
    ),
  ]

  private static let rows: [Row] = [
    Row(reply: .contentTooLarge, "the message is too large", .failure),
    Row(reply: .noRoute, "no queue takes it", .notAccepted),
    Row(reply: .connectionForced, "closed by an operator of the peer", .unreachable, passes: .perhaps),
    Row(
      reply: .invalidPath, "no such virtual host", .noSuchAddress,
      next: "the path of the URL, or --vhost, names it", passes: .afterLoss),
    Row(reply: .accessRefused, "not permitted", .refused),
    Row(
      reply: .notFound, "no such queue or exchange", .noSuchAddress,
      next: "is the name right? --declare queue:NAME creates a queue", passes: .afterLoss),
    Row(reply: .resourceLocked, "locked by another client", .failure, passes: .afterLoss),
    Row(reply: .preconditionFailed, "a precondition failed", .failure, passes: .afterLoss),
    Row(reply: .frameError, "the peer could not read a frame", .protocolViolation),
    Row(reply: .syntaxError, "the peer did not like a field", .protocolViolation),
    Row(reply: .commandInvalid, "the peer did not expect a method", .protocolViolation),
    Row(reply: .channelError, "the peer did not expect a channel", .protocolViolation),
    Row(reply: .unexpectedFrame, "the peer did not expect a frame", .protocolViolation),
    Row(reply: .resourceError, "the peer has not the means", .failure, passes: .afterLoss),
    Row(reply: .notAllowed, "not allowed", .refused),
    Row(reply: .notImplemented, "not implemented by the peer", .failure),
    Row(reply: .internalError, "an internal error of the peer", .failure, passes: .perhaps),
    Row(
      condition: Condition.notFound, words: "no such node", exitCode: .noSuchAddress,
      next: "is the name right? a RabbitMQ queue has to be declared first", passes: .afterLoss),
    Row(condition: Condition.unauthorizedAccess, words: "not permitted", exitCode: .refused),
    Row(condition: Condition.notAllowed, words: "not allowed", exitCode: .refused),
    Row(condition: "amqp:resource-locked", words: "locked by another client", exitCode: .failure, passes: .afterLoss),
    Row(condition: "amqp:resource-deleted", words: "the node was deleted", exitCode: .failure, passes: .afterLoss),
    Row(condition: "amqp:precondition-failed", words: "a precondition failed", exitCode: .failure, passes: .afterLoss),
    Row(condition: Condition.resourceLimitExceeded, words: "a limit of the peer was exceeded", exitCode: .failure),
    Row(condition: Condition.notImplemented, words: "not implemented by the peer", exitCode: .failure),
    Row(condition: Condition.invalidField, words: "the peer did not like a field", exitCode: .failure),
    Row(
      condition: Condition.connectionForced, words: "closed by an operator of the peer", exitCode: .unreachable,
      passes: .perhaps),
    Row(
      condition: Condition.detachForced, words: "detached by an operator of the peer", exitCode: .failure,
      passes: .perhaps
    ),
    Row(condition: Condition.stolen, words: "the link was taken over by another client", exitCode: .failure),
    Row(condition: Condition.linkRedirect, words: "redirected", exitCode: .failure, next: "connect there with -u"),
    Row(
      condition: Condition.connectionRedirect, words: "redirected", exitCode: .unreachable,
      next: "connect there with -u"),
    Row(condition: Condition.messageSizeExceeded, words: "the message is too large", exitCode: .failure),
    Row(
      condition: Condition.transferLimitExceeded, words: "more was sent than there was credit for", exitCode: .failure),
    Row(
      condition: Condition.internalError, words: "an internal error of the peer", exitCode: .failure, passes: .perhaps),
  ]
}
