// The keys behind the `?` of a URL, which are RabbitMQ's (its URI query parameters). Each says what an option says too; the
// option wins.
import Console
import Engine
import Wire

struct URLKeys {
  private let pairs: [(key: String, value: String)]
  private let spelling: String

  private static let known = [
    "cacertfile", "certfile", "keyfile", "verify", "server_name_indication", "auth_mechanism", "heartbeat",
    "connection_timeout", "channel_max", "frame_max",
  ]
  private static let forTLS = known.prefix(5)

  /// - Parameter spelling: how messages call the URL.
  init(_ url: ConnectionURL, spelling: String) throws(Failure) {
    pairs = url.query
    self.spelling = spelling
    for (key, _) in pairs {
      guard URLKeys.known.contains(key) else {
        let near = Suggestion.nearest(to: key, among: URLKeys.known)
        throw .usage(spelling, "the key '\(key)' is not known", nextStep: near.map { "did you mean \($0)?" })
      }
      if URLKeys.forTLS.contains(key), !url.isSecure {
        throw .usage(spelling, "the key '\(key)' is for amqps://, and this is amqp://")
      }
    }
  }

  /// The last one counts.
  func value(_ key: String) -> String? { pairs.last { $0.key == key }?.value }

  func number(_ key: String, _ range: ClosedRange<Int>) throws(Failure) -> Int? {
    guard let text = value(key) else { return nil }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let n = Int(text), range.contains(n) else {
      throw wrong(key, text, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return n
  }

  func choice<T>(_ key: String, _ choices: [(String, T)]) throws(Failure) -> T? {
    guard let text = value(key) else { return nil }
    guard let found = choices.first(where: { $0.0 == text }) else {
      throw wrong(key, text, choices.map(\.0).joined(separator: " or "))
    }
    return found.1
  }

  private func wrong(_ key: String, _ value: String, _ expected: String) -> Failure {
    .usage("\(spelling): the key '\(key)'", "'\(value)' is not \(expected)")
  }

  // MARK: What is no option of TLS

  /// Milliseconds of idle-time-out.
  func heartbeat() throws(Failure) -> UInt32? { try number("heartbeat", 0...4_000_000).map { UInt32($0) * 1_000 } }

  /// Nanoseconds.
  func connectTimeout() throws(Failure) -> Int64? {
    try number("connection_timeout", 1...1_000_000_000).map { Int64($0) * 1_000_000 }
  }

  func limits(_ settings: inout ConnectionSettings) throws(Failure) {
    if let n = try number("channel_max", 0...65_535), n > 0 { settings.channelMax = UInt16(n) }
    if let n = try number("frame_max", 0...Int(Int32.max)), n > 0 {
      if n < 512 { throw wrong("frame_max", "\(n)", "512 or more") }
      (settings.limits.frameSize, settings.limits.frameMax) = (UInt32(n), UInt32(n))
    }
  }

  /// In the order given; nil: none was.
  func mechanisms() throws(Failure) -> [SASLMechanism]? {
    let names = pairs.filter { $0.key == "auth_mechanism" }.map(\.value)
    if names.isEmpty { return nil }
    return try names.map { name throws(Failure) in
      guard let mechanism = SASLMechanism(rawValue: name.uppercased()) else {
        let names = SASLMechanism.allCases.map { $0.rawValue.lowercased() }
        throw wrong("auth_mechanism", name, names.joined(separator: ", "))
      }
      return mechanism
    }
  }
}
