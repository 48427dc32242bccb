/// The SASL mechanisms we speak (RFC 4616 PLAIN, RFC 4505 ANONYMOUS, and 0-9-1's own AMQPLAIN) and how one is chosen: the first of ours that the
/// peer offers too.
import Bytes
import Wire

package enum SASLMechanism: String, Sendable, CaseIterable {
  case plain = "PLAIN"
  case anonymous = "ANONYMOUS"
  /// PLAIN as a field table. We use it where nothing else is offered, and never offer it.
  case amqplain = "AMQPLAIN"

  /// What the initiator sends first.
  func initialResponse(user: String?, password: String?) -> [UInt8] {
    switch self {
    case .plain: [0] + Array((user ?? "").utf8) + [0] + Array((password ?? "").utf8)
    // RFC 4505 wants a trace of who it is; nobody is.
    case .anonymous: Array("anonymous".utf8)
    case .amqplain: SASLMechanism.table(user ?? "", password ?? "")
    }
  }

  /// A table without its length in front.
  private static func table(_ user: String, _ password: String) -> [UInt8] {
    var q = ByteQueue()
    let entries = [
      MapEntry(.string("LOGIN"), .string(user)), MapEntry(.string("PASSWORD"), .string(password)),
    ]
    // Text always fits.
    try? q.appendTable(.map(entries))
    return Array(q.bytes.dropFirst(4))
  }

  /// Whether an initiator with these credentials may use it. Credentials that somebody gave are never left unused.
  func isUsable(_ settings: ConnectionSettings) -> Bool {
    switch self {
    case .plain, .amqplain: settings.user != nil
    case .anonymous: settings.user == nil || settings.credentialsAreDefault
    }
  }

  /// What an acceptor makes of an initial response: the user, or nil when it is refused.
  func verify(_ response: [UInt8], user: String?, password: String?) -> String? {
    switch self {
    case .anonymous: return user == nil ? "anonymous" : nil
    case .amqplain: return nil
    case .plain:
      let parts = response.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
      if parts.count != 3 { return nil }
      let name = String(decoding: parts[1], as: UTF8.self)
      guard let user else { return name }
      return name == user && String(decoding: parts[2], as: UTF8.self) == password ?? "" ? name : nil
    }
  }
}
