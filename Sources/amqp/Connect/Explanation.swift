// Why there is no conversation, or why it ended: one sentence, a next step, an exit status. The conditions of the
// specification are rows here; everything that is said of a peer's refusal comes from them.
import Console
import Engine
import Runtime
import Transport
import Wire

struct Explanation {
  /// "localhost:5672"
  let peer: String
  let plan: ConnectPlan
  /// What was attempted: "send to 'orders'"; nil: only to connect.
  var action: String?

  func failure(_ failure: Peer.Failure) -> Failure {
    switch failure {
    case .unreachable(let error):
      var next = "is a broker running there? give its address with -u amqp://HOST:PORT"
      if case .name = error.cause { next = "check the host name in the URL" }
      return Failure("cannot connect to \(error.endpoint)", error.text, nextStep: next, exitCode: .unreachable)
    case .timedOut:
      return Failure(
        "cannot connect to \(peer)", "no answer in \(durationText(plan.connectTimeout))",
        nextStep: "--connect-timeout gives it longer",
        exitCode: .unreachable)
    case .broken(let error):
      return Failure("lost the connection to \(peer)", error.text, exitCode: .unreachable)
    }
  }

  func failure(_ reason: CloseReason) -> Failure {
    let error = reason.error
    let why = text(reason)
    switch (reason.scope, reason.side) {
    case (.sasl, .peer):
      let account = plan.settings.user.map { " of '\($0)'" } ?? ""
      return Failure(
        "\(peer) refused the credentials\(account)", why,
        nextStep: "give user and password in the URL or with --user and AMQP_PASSWORD",
        exitCode: .refused)
    case (.sasl, .local):
      return Failure(
        "cannot log in to \(peer)", why, nextStep: "--sasl chooses among ANONYMOUS, PLAIN and NONE", exitCode: .refused)
    case (.transport, .peer):
      if case .string(let header)? = error?.info {
        return Failure(
          "cannot speak with \(peer)", why, nextStep: nextStep(header: header), exitCode: .protocolViolation)
      }
      // RabbitMQ 4 says nothing when the virtual host is missing.
      let vhost = error?.description == "closed before open" && plan.vhost != "/"
      return Failure(
        "lost the connection to \(peer)", "it was \(why)",
        nextStep: vhost ? "does the virtual host '\(plan.vhost)' exist?" : nil, exitCode: .unreachable)
    case (.transport, .local):
      if error?.condition == Condition.resourceLimitExceeded {
        return Failure(
          "lost the connection to \(peer)", why, nextStep: "--heartbeat sets how long a silence may last",
          exitCode: .unreachable)
      }
      return Failure(
        "cannot speak with \(peer)", why, nextStep: "AMQP's port is mostly 5672", exitCode: .protocolViolation)
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
      let row = Explanation.row(error.condition)
      return Failure(subject, why, nextStep: row.next, exitCode: row.exitCode)
    }
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
    let words = Explanation.row(error.condition).words
    let description = error.description ?? ""
    // A condition that is not in the table.
    if words.isEmpty {
      return description.isEmpty ? error.condition : "\(description) (\(error.condition))"
    }
    return "\(words) (\(error.condition)\(description.isEmpty ? "" : ": \(description)"))" + redirect(error)
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
    if header == "AMQP 1.0" { return "--sasl NONE leaves the SASL layer out" }
    if header == "AMQP 1.0 (SASL)" { return "leave --sasl NONE out" }
    if header == "AMQP 1.0 (TLS)" { return "TLS is not in this version yet: use a TLS tunnel" }
    return "for RabbitMQ 3 switch its plugin on: rabbitmq-plugins enable rabbitmq_amqp1_0"
  }

  private struct Row {
    let condition: String
    let words: String
    let exitCode: ExitCode
    var next: String?
  }

  private static func row(_ condition: String) -> Row {
    rows.first { $0.condition == condition } ?? Row(condition: condition, words: "", exitCode: .failure)
  }

  private static let rows: [Row] = [
    Row(
      condition: Condition.notFound, words: "no such node", exitCode: .noSuchAddress,
      next: "is the name right? a RabbitMQ queue has to be declared first"),
    Row(condition: Condition.unauthorizedAccess, words: "not permitted", exitCode: .refused),
    Row(condition: Condition.notAllowed, words: "not allowed", exitCode: .refused),
    Row(condition: "amqp:resource-locked", words: "locked by another client", exitCode: .failure),
    Row(condition: "amqp:resource-deleted", words: "the node was deleted", exitCode: .failure),
    Row(condition: "amqp:precondition-failed", words: "a precondition failed", exitCode: .failure),
    Row(condition: Condition.resourceLimitExceeded, words: "a limit of the peer was exceeded", exitCode: .failure),
    Row(condition: Condition.notImplemented, words: "not implemented by the peer", exitCode: .failure),
    Row(condition: Condition.invalidField, words: "the peer did not like a field", exitCode: .failure),
    Row(condition: Condition.connectionForced, words: "closed by an operator of the peer", exitCode: .unreachable),
    Row(condition: Condition.detachForced, words: "detached by an operator of the peer", exitCode: .failure),
    Row(condition: Condition.stolen, words: "the link was taken over by another client", exitCode: .failure),
    Row(condition: Condition.linkRedirect, words: "redirected", exitCode: .failure, next: "connect there with -u"),
    Row(
      condition: Condition.connectionRedirect, words: "redirected", exitCode: .unreachable,
      next: "connect there with -u"),
    Row(condition: Condition.messageSizeExceeded, words: "the message is too large", exitCode: .failure),
    Row(
      condition: Condition.transferLimitExceeded, words: "more was sent than there was credit for", exitCode: .failure),
    Row(condition: Condition.internalError, words: "an internal error of the peer", exitCode: .failure),
  ]
}
