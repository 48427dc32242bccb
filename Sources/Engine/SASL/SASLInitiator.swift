/// One logging in as the initiator sees it, in either dialect: what to say first, what to each challenge, and whether the
/// peer may say that it is content.
import Bytes
import Wire

struct SASLInitiator: Sendable {
  let mechanism: SASLMechanism
  /// What goes along with the mechanism's name; empty is something else than missing.
  let first: [UInt8]
  /// What the peer said against a token, before it refuses.
  private(set) var complaint: String?
  private var rest: Rest

  private enum Rest: Sendable {
    case nothing
    /// Said once more, whatever is asked.
    case once([UInt8])
    case token
    case scram(SCRAMClient)
  }

  init(_ mechanism: SASLMechanism, _ settings: ConnectionSettings) throws(SASLFault) {
    self.mechanism = mechanism
    let user = settings.user ?? ""
    let password = settings.token ?? settings.password ?? ""
    rest = .nothing
    switch mechanism {
    case .plain: first = [0] + Array(user.utf8) + [0] + Array(password.utf8)
    // RFC 4505 wants a trace of who it is; nobody is.
    case .anonymous: first = Array("anonymous".utf8)
    case .amqplain: first = SASLInitiator.table(user, password)
    case .external:
      // Who named a user wants to act as that one.
      first = settings.credentialsAreDefault ? [] : Array(user.utf8)
      rest = .once(first)
    case .xoauth2:
      first = Array("user=\(user)\u{1}auth=Bearer \(password)\u{1}\u{1}".utf8)
      rest = .token
    case .crDemo:
      first = Array(user.utf8)
      rest = .once(Array("My password is \(password)".utf8))
    case .scramSHA1, .scramSHA256, .scramSHA512:
      guard let cryptography = settings.cryptography, let hash = mechanism.hash else {
        throw SASLFault(.noLibrary, "\(mechanism.rawValue) needs a cryptographic library")
      }
      let client = SCRAMClient(SCRAM(hash: hash, cryptography: cryptography), user: user, password: password)
      first = client.first
      rest = .scram(client)
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

  mutating func answer(_ challenge: [UInt8]) throws(SASLFault) -> [UInt8] {
    switch rest {
    case .once(let response):
      rest = .nothing
      return response
    case .token:
      // The error as JSON; its answer is empty, and the refusal follows.
      complaint = String(decoding: challenge.prefix(1_000), as: UTF8.self)
      rest = .nothing
      return []
    case .scram(var client):
      let response = try client.answer(challenge)
      rest = .scram(client)
      return response
    case .nothing:
      throw SASLFault(.outOfPlace, "the peer asks for more than \(mechanism.rawValue) has")
    }
  }

  /// The peer says that it is content.
  mutating func succeeded(_ data: [UInt8]?) throws(SASLFault) {
    guard case .scram(var client) = rest else { return }
    try client.succeeded(data)
  }
}
