/// One logging in as the acceptor sees it, in either dialect: each response of the peer is a step.
struct SASLAcceptor: Sendable {
  enum Step: Sendable {
    case challenge([UInt8])
    /// `data` is the last word of the mechanism.
    case accepted(user: String, data: [UInt8]?)
    case refused
  }

  private let settings: ConnectionSettings
  private var state: State

  private enum State: Sendable {
    case plain, anonymous
    case external(String)
    case scramFirst(SCRAMServer)
    case scramFinal(SCRAMServer)
    case nothing
  }

  /// - Parameter identity: whom the peer's certificate names.
  init(_ mechanism: SASLMechanism?, _ settings: ConnectionSettings, offered: [SASLMechanism], identity: String?) {
    self.settings = settings
    state = .nothing
    guard let mechanism, offered.contains(mechanism) else { return }
    switch mechanism {
    case .plain: state = .plain
    case .anonymous: state = .anonymous
    case .external: state = identity.map { .external($0) } ?? .nothing
    case .scramSHA1, .scramSHA256, .scramSHA512:
      guard let cryptography = settings.cryptography, let hash = mechanism.hash, let user = settings.user else {
        return
      }
      state = .scramFirst(
        SCRAMServer(
          SCRAM(hash: hash, cryptography: cryptography), user: user, password: settings.password ?? ""))
    case .xoauth2, .amqplain, .crDemo: break
    }
  }

  mutating func take(_ response: [UInt8]) throws(SASLFault) -> Step {
    switch state {
    case .nothing: return .refused
    case .anonymous: return settings.user == nil ? .accepted(user: "anonymous", data: nil) : .refused
    case .external(let identity):
      // Nobody may act as somebody else.
      return response.isEmpty || response == Array(identity.utf8) ? .accepted(user: identity, data: nil) : .refused
    case .plain: return plain(response).map { Step.accepted(user: $0, data: nil) } ?? .refused
    case .scramFirst(var server):
      guard let challenge = server.challenge(response) else { return .refused }
      state = .scramFinal(server)
      return .challenge(challenge)
    case .scramFinal(let server):
      guard let data = try server.finish(response), let user = settings.user else { return .refused }
      return .accepted(user: user, data: data)
    }
  }

  private func plain(_ response: [UInt8]) -> String? {
    let parts = response.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    if parts.count != 3 { return nil }
    let name = String(decoding: parts[1], as: UTF8.self)
    guard let user = settings.user else { return name }
    let isRight = SCRAM.isSame(Array(parts[2]), Array((settings.password ?? "").utf8))
    return name == user && isRight ? name : nil
  }
}

/// How far logging in has come, for either machine.
enum SASLState: Sendable {
  /// Not begun, or over.
  case none
  case initiator(SASLInitiator)
  case acceptor(SASLAcceptor)
  /// Acceptor: all is well, but our last word has no answer yet.
  case accepted(String)
}
