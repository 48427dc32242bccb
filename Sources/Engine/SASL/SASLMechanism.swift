/// The SASL mechanisms we speak, in our order of preference, and how one is chosen: the first of ours that the peer offers
/// too and that we have the credentials for. RFC 5802 and 7677 SCRAM, RFC 4422 appendix A EXTERNAL, RFC 4616 PLAIN, RFC 4505
/// ANONYMOUS; XOAUTH2 is Google's, AMQPLAIN 0-9-1's own, RABBIT-CR-DEMO RabbitMQ's example of a challenge.
import Wire

package enum SASLMechanism: String, Sendable, CaseIterable {
  case scramSHA512 = "SCRAM-SHA-512"
  case scramSHA256 = "SCRAM-SHA-256"
  case scramSHA1 = "SCRAM-SHA-1"
  /// Who we are is what our certificate says.
  case external = "EXTERNAL"
  case xoauth2 = "XOAUTH2"
  case plain = "PLAIN"
  /// PLAIN as a field table. We use it where nothing else is offered, and never offer it.
  case amqplain = "AMQPLAIN"
  /// PLAIN in two steps, only when it is asked for by name.
  case crDemo = "RABBIT-CR-DEMO"
  case anonymous = "ANONYMOUS"

  /// What is used without being asked for, best first.
  package static let preferred = allCases.filter { $0 != .crDemo }

  var hash: SASLCryptography.Hash? {
    switch self {
    case .scramSHA512: .sha512
    case .scramSHA256: .sha256
    case .scramSHA1: .sha1
    case .external, .xoauth2, .plain, .amqplain, .crDemo, .anonymous: nil
    }
  }

  /// Whether the initial response is all there is to say, so that what follows success can go along with it.
  var isOneStep: Bool {
    switch self {
    case .plain, .amqplain, .anonymous: true
    // Some ask an EXTERNAL for its name once more; a token is refused by a challenge.
    case .scramSHA512, .scramSHA256, .scramSHA1, .external, .xoauth2, .crDemo: false
    }
  }

  /// Whether an initiator has what it takes, and what was given is not left unused: where somebody named a user, being
  /// nobody or a certificate won't do unless that was asked for as well.
  package func isUsable(_ settings: ConnectionSettings) -> Bool {
    let isNamed = settings.user != nil && !settings.credentialsAreDefault
    return switch self {
    case .scramSHA512, .scramSHA256, .scramSHA1:
      settings.cryptography != nil && settings.user != nil && settings.password != nil && settings.token == nil
    case .external:
      settings.hasCertificate
        && (settings.mechanismsAreChosen || (!isNamed || settings.password == nil) && settings.token == nil)
    case .xoauth2: settings.token != nil
    case .plain, .amqplain, .crDemo: settings.user != nil || settings.token != nil
    case .anonymous: settings.mechanismsAreChosen || !isNamed && settings.token == nil
    }
  }

  /// The first of ours that is among those offered.
  static func choose(_ settings: ConnectionSettings, _ ours: [SASLMechanism], offered: [String]) throws(SASLFault)
    -> SASLMechanism
  {
    let usable = ours.filter { $0.isUsable(settings) }
    if let mechanism = usable.first(where: { offered.contains($0.rawValue) }) { return mechanism }
    let named = (usable.isEmpty ? ours : usable).map(\.rawValue).joined(separator: ", ")
    let theirs = offered.isEmpty ? "no mechanism" : offered.joined(separator: ", ")
    throw SASLFault(.noMechanism, "the peer offers \(theirs), we could use \(named)")
  }
}

/// Why there is no logging in, found by ourselves.
package struct SASLFault: Error, Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Nothing in common.
    case noMechanism = "no-mechanism"
    /// The peer says something that the mechanism has no place for.
    case outOfPlace = "out-of-place"
    /// The peer does not prove that it knows the password.
    case unproven
    /// It asks for a proof that would be too cheap to take apart, or too dear to make.
    case badCost = "bad-cost"
    /// There is no library to make a proof with.
    case noLibrary = "no-library"
  }
  package let kind: Kind
  package let reason: String

  package init(_ kind: Kind, _ reason: String) { (self.kind, self.reason) = (kind, reason) }

  /// As the end of a connection.
  var closeReason: CloseReason {
    CloseReason(
      .sasl, .local, AMQPError(Condition.unauthorizedAccess, reason, info: .symbol(kind.rawValue)))
  }
}

extension ConnectionSettings {
  /// What an acceptor offers, best first. A password that is demanded can't be got around: neither by being nobody nor, if
  /// that was not asked for, by a certificate.
  /// - Parameter identity: whom the peer's certificate names.
  func offered(identity: String?) -> [SASLMechanism] {
    mechanisms.filter { mechanism in
      switch mechanism {
      case .plain: true
      case .anonymous: user == nil
      case .external: identity != nil && (user == nil || mechanismsAreChosen)
      case .scramSHA512, .scramSHA256, .scramSHA1: user != nil && cryptography != nil
      case .xoauth2, .amqplain, .crDemo: false
      }
    }
  }
}
