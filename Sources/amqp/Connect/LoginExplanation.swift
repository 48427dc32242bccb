// Why a peer does not let us in, or why we don't log in there: what the credentials were, and what could be done.
import Console
import Engine
import Runtime
import Transport
import Wire

extension Explanation {
  /// The peer says no.
  func refusedLogin(_ why: String) -> Failure {
    let settings = plan.settings
    let what: String
    let next: String
    if let token = settings.token {
      what = "\(peer) refused the token"
      if let untimely = TokenFacts(token)?.untimely(now: Clock.wall / 1_000_000_000) {
        return Failure(
          what, untimely, nextStep: "get a new one; if it should be good, is this machine's clock right?",
          exitCode: .refused)
      }
      next = "is it meant for this peer, and for the permissions that it takes? --token-file FILE gives another"
    } else if isExternal {
      what = "\(peer) refused the certificate as a login"
      next = "does it know a user of the certificate's name? --sasl PLAIN and a password is the other way"
    } else if let stranger {
      what = "\(peer) refused the credentials of 'guest'"
      next = stranger
    } else {
      what = "\(peer) refused the credentials\(settings.user.map { " of '\($0)'" } ?? "")"
      next = "give user and password in the URL or with --user and AMQP_PASSWORD"
    }
    return Failure(what, why, nextStep: next, exitCode: .refused)
  }

  /// RabbitMQ's guest, or nobody, who is guest there, where the peer is not on this machine as far as its address tells.
  private var stranger: String? {
    guard plan.settings.user == "guest", plan.listen == nil, let address, !address.isLoopback else { return nil }
    return "RabbitMQ lets 'guest' in from its own machine only: --user NAME and AMQP_PASSWORD are another user's"
  }

  private var isExternal: Bool { said.mechanism == SASLMechanism.external.rawValue }

  /// We found something wrong ourselves.
  func failedLogin(_ why: String, _ kind: String?) -> Failure {
    var exitCode = ExitCode.refused
    let next: String?
    switch kind.flatMap(SASLFault.Kind.init(rawValue:)) {
    case .noMechanism: next = offer
    case .unproven: next = "somebody else may be answering there: check the URL, and prefer amqps://"
    case .badCost: next = "--sasl chooses another mechanism"
    case .noLibrary:
      next = "install it: apt install libssl3, dnf install openssl-libs; or --sasl PLAIN, over amqps://"
      exitCode = .failure
    case .outOfPlace: next = "--sasl chooses another mechanism, --trace shows the frames"
    case nil: next = nil
    }
    return Failure("cannot log in to \(peer)", why, nextStep: next, exitCode: exitCode)
  }

  // MARK: Virtual hosts and permissions

  /// RabbitMQ 4 says nothing at all when the virtual host is missing, or not for this user.
  var silence: String? {
    guard said.mechanism != nil, plan.listen == nil else { return nil }
    if let stranger { return stranger }
    let user = plan.settings.user.map { "may '\($0)' use it" } ?? "may we use it"
    return "does the virtual host '\(plan.vhost)' exist, and \(user)? \(grant)"
  }

  /// What a peer says of rights that are missing, in RabbitMQ's words.
  func permission(_ error: AMQPError) -> String? {
    let text = error.description ?? ""
    if text.contains("insufficient permissions") {
      return "does the virtual host '\(plan.vhost)' exist? \(grant)"
    }
    return text.contains("refused for user") || text.contains("refused to user") ? grant : nil
  }

  private var grant: String {
    "rabbitmqctl set_permissions -p \(plan.vhost) \(plan.settings.user ?? "USER") '.*' '.*' '.*' grants everything there"
  }

  /// What the peer offers and would need more for.
  private var offer: String {
    let settings = plan.settings
    if settings.mechanismsAreChosen {
      return "--sasl names what is allowed; without it the strongest that is offered is used"
    }
    if said.mechanisms.contains(SASLMechanism.external.rawValue), !settings.hasCertificate {
      return "EXTERNAL is a client certificate: --cert FILE and --key FILE, with amqps://"
    }
    if settings.credentialsAreDefault || settings.user == nil && settings.token == nil {
      return "it wants to know who we are: --user NAME and --password-file FILE, or AMQP_PASSWORD"
    }
    if said.mechanisms.contains(SASLMechanism.xoauth2.rawValue) {
      return "XOAUTH2 is a token: --token-file FILE gives one"
    }
    return "--sasl chooses among \(Credentials.names.joined(separator: ", "))"
  }
}
