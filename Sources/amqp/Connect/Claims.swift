// Azure's tokens in a run: no link is asked for before its address has one, and they are renewed while the run lasts.
import Console
import Engine
import Runtime
import Transport
import Wire

extension ConnectPlan {
  /// Nil: no shared access key was given. Both of its parts are needed.
  static func sharedAccessKey(_ arguments: ParsedArguments, listening: Bool) throws(Failure) -> SharedAccessKey? {
    let name = arguments.value("sas-key-name")
    var key: String?
    if let file = arguments.value("sas-key-file") {
      key = String(decoding: try FirstLine.octets(of: file, "the shared access key"), as: UTF8.self)
    } else if let text = arguments.environment("AMQP_SAS_KEY"), !text.isEmpty {
      key = text
    }
    guard let name else {
      if arguments.flag("sas-key-file") {
        throw .usage(
          arguments.spelling("sas-key-file"), "the key of which policy?",
          nextStep: "--sas-key-name NAME says it, RootManageSharedAccessKey for instance")
      }
      return nil
    }
    if listening { throw .usage(arguments.spelling("sas-key-name"), "it is for dialling, not for --listen") }
    guard let key, !key.isEmpty else {
      throw .usage(
        arguments.spelling("sas-key-name"), "there is no key", nextStep: "--sas-key-file FILE or AMQP_SAS_KEY gives it")
    }
    return SharedAccessKey(name: name, key: key)
  }

  /// Nil: links need no tokens.
  func claims() -> ClaimsBasedSecurity? {
    sharedAccessKey.map { ClaimsBasedSecurity($0, host: endpoint.host, lifetime: 3_600, patience: connectTimeout) }
  }
}

extension Served {
  enum ClaimsNews {
    /// It was about something else.
    case none
    case progress
    /// Links that waited may be asked for.
    case granted
    case failed(Failure)
  }

  /// Whether a link to this address may be asked for; if it needs a token first, that is.
  func mayUse(_ address: NodeAddress?) -> Bool {
    guard claims != nil, let text = address?.text(for: .other) else { return true }
    claims!.want(text)
    return claims!.grants(text)
  }

  func take(claims event: Event, _ plan: ConnectPlan) -> ClaimsNews {
    guard let taken = claims?.take(event, &peer.connection) else { return .none }
    return news(taken, plan)
  }

  func advanceClaims(_ plan: ConnectPlan, now: Int64) -> ClaimsNews {
    guard claims != nil, isOpen, !isOver else { return .none }
    return news(claims!.advance(&peer.connection, now: now, wall: Clock.wall / 1_000_000_000), plan)
  }

  private func news(_ taken: ClaimsBasedSecurity.Taken, _ plan: ConnectPlan) -> ClaimsNews {
    switch taken {
    case .nothing: .none
    case .progress: .progress
    case .granted: .granted
    case .refused(let address, let error): .failed(explanation.refusedToken(for: address, error))
    case .lost(let reason):
      .failed(explanation.lostClaims(reason))
    }
  }

  /// When a turn is due though nothing comes.
  func deadline(now: Int64) -> Int64? {
    let renewal = claims?.wait(now: now, wall: Clock.wall / 1_000_000_000).map { now + $0 }
    return [peer.deadline, renewal].compactMap { $0 }.min()
  }
}

extension Explanation {
  func refusedToken(for address: String, _ error: AMQPError) -> Failure {
    let policy = plan.sharedAccessKey?.name ?? ""
    let words = error.description ?? error.condition
    var exitCode = ExitCode.refused
    var next: String?
    let status = error.info.unsigned
    switch status {
    case 401, 403:
      next =
        "is the key the one of the policy '\(policy)', with a right to '\(address)', and is this machine's clock right?"
    case 404:
      exitCode = .noSuchAddress
      next = "is the name right?"
    case nil where error.condition == Condition.resourceLimitExceeded:
      return Failure(
        "\(peer) does not answer a token for '\(address)'",
        "nothing came from $cbs in \(durationText(plan.connectTimeout))",
        nextStep: "--connect-timeout gives it longer", exitCode: .unreachable)
    case nil where error.condition == Condition.internalError: exitCode = .failure
    case nil: next = Explanation.onlyAzure
    default: break
    }
    return Failure(
      "\(peer) refused the token for '\(address)'", status.map { "\($0) \(words)" } ?? words, nextStep: next,
      exitCode: exitCode)
  }

  private static var onlyAzure: String {
    "--sas-key-name is for Azure Service Bus and Event Hubs: leave it out for other peers"
  }

  func lostClaims(_ reason: CloseReason) -> Failure {
    Failure(
      "\(peer) takes no tokens", "the link to $cbs: \(text(reason))",
      nextStep: Explanation.onlyAzure,
      exitCode: .refused)
  }
}
