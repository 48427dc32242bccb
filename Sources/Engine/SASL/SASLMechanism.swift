/// The SASL mechanisms we speak (RFC 4616 PLAIN, RFC 4505 ANONYMOUS) and how one is chosen: the first of ours that the
/// peer offers too.
package enum SASLMechanism: String, Sendable, CaseIterable {
  case plain = "PLAIN"
  case anonymous = "ANONYMOUS"

  /// What the initiator sends first.
  func initialResponse(user: String?, password: String?) -> [UInt8] {
    switch self {
    case .plain: [0] + Array((user ?? "").utf8) + [0] + Array((password ?? "").utf8)
    // RFC 4505 wants a trace of who it is; nobody is.
    case .anonymous: Array("anonymous".utf8)
    }
  }

  /// Whether an initiator with these credentials may use it. Credentials that somebody gave are never left unused.
  func isUsable(_ settings: ConnectionSettings) -> Bool {
    switch self {
    case .plain: settings.user != nil
    case .anonymous: settings.user == nil || settings.credentialsAreDefault
    }
  }

  /// What an acceptor makes of an initial response: the user, or nil when it is refused.
  func verify(_ response: [UInt8], user: String?, password: String?) -> String? {
    switch self {
    case .anonymous: return user == nil ? "anonymous" : nil
    case .plain:
      let parts = response.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
      if parts.count != 3 { return nil }
      let name = String(decoding: parts[1], as: UTF8.self)
      guard let user else { return name }
      return name == user && String(decoding: parts[2], as: UTF8.self) == password ?? "" ? name : nil
    }
  }
}
