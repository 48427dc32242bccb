/// SCRAM, RFC 5802 (and RFC 7677 for SHA-256): both sides of it, without channel binding. The client proves that it knows
/// the password without saying it, and so does the server: who can't is not spoken with.
import Bytes

/// What both sides compute from the same four texts.
struct SCRAM: Sendable {
  let hash: SASLCryptography.Hash
  let cryptography: SASLCryptography

  /// Below the first (RFC 7677 §4) an eavesdropper would have it easy, above the second a server could keep us busy.
  static let iterations = 4_096...1_000_000

  struct Proof: Sendable {
    let client: [UInt8]
    let server: [UInt8]
  }

  /// §3. `message` is AuthMessage.
  func prove(password: String, salt: [UInt8], iterations: Int, message: String) throws(SASLFault) -> Proof {
    let salted = try cryptography.derive(hash, Array(password.utf8), salt, iterations)
    let message = Array(message.utf8)
    let clientKey = try cryptography.mac(hash, salted, Array("Client Key".utf8))
    let signature = try cryptography.mac(hash, try cryptography.digest(hash, clientKey), message)
    let serverKey = try cryptography.mac(hash, salted, Array("Server Key".utf8))
    return Proof(
      client: zip(clientKey, signature).map { $0 ^ $1 }, server: try cryptography.mac(hash, serverKey, message))
  }

  /// Takes the same time wherever they differ.
  static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && zip(a, b).reduce(0) { $0 | $1.0 ^ $1.1 } == 0
  }

  func nonce() -> String { SCRAM.base64(cryptography.random(18)) }

  static func base64(_ octets: [UInt8]) -> String {
    var q = ByteQueue()
    q.append(base64: octets.span)
    return String(decoding: q.bytes, as: UTF8.self)
  }

  static func octets(base64 text: Substring) -> [UInt8]? { bytesFromBase64(Array(text.utf8).span) }

  /// §5.1: a name has neither `,` nor `=`.
  static func escaped(_ name: String) -> String {
    var out = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case ",": out += "=2C"
      case "=": out += "=3D"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// `r=…,s=…` as its attributes, in order; nil when it is not that.
  static func attributes(_ octets: [UInt8]) -> [(name: Character, value: Substring)]? {
    guard let text = String(validating: octets, as: UTF8.self) else { return nil }
    return attributes(text[...])
  }

  static func attributes(_ text: Substring) -> [(name: Character, value: Substring)]? {
    var attributes: [(name: Character, value: Substring)] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let name = part.first, part.dropFirst().first == "=" else { return nil }
      attributes.append((name, part.dropFirst(2)))
    }
    return attributes
  }
}

// MARK: The initiator

struct SCRAMClient: Sendable {
  private let scram: SCRAM
  private let password: String
  private let bare: String
  private let nonce: String
  private var expected: [UInt8]?
  private(set) var isProven = false

  init(_ scram: SCRAM, user: String, password: String) {
    (self.scram, self.password) = (scram, password)
    nonce = scram.nonce()
    bare = "n=\(SCRAM.escaped(user)),r=\(nonce)"
  }

  private static let header = "n,,"

  var first: [UInt8] { Array((SCRAMClient.header + bare).utf8) }

  /// Answers the server's first message, and takes its last one.
  mutating func answer(_ challenge: [UInt8]) throws(SASLFault) -> [UInt8] {
    if isProven { throw SASLFault(.outOfPlace, "the peer goes on asking after its proof") }
    if expected != nil {
      try verify(challenge)
      return []
    }
    let parts = SCRAM.attributes(challenge) ?? []
    guard parts.count >= 3, parts[0].name == "r", parts[1].name == "s", parts[2].name == "i",
      let salt = SCRAM.octets(base64: parts[1].value), !salt.isEmpty, let count = Int(parts[2].value)
    else { throw SASLFault(.outOfPlace, "the peer's challenge is none of SCRAM") }
    let both = String(parts[0].value)
    guard both.hasPrefix(nonce), both.utf8.count > nonce.utf8.count else {
      throw SASLFault(.unproven, "the peer's challenge is not for us: it repeats another nonce")
    }
    guard SCRAM.iterations.contains(count) else {
      let range = "\(SCRAM.iterations.lowerBound) to \(SCRAM.iterations.upperBound)"
      throw SASLFault(.badCost, "the peer asks for \(count) iterations of the password's hash, we do \(range)")
    }
    let final = "c=\(SCRAM.base64(Array(SCRAMClient.header.utf8))),r=\(both)"
    let message = "\(bare),\(String(decoding: challenge, as: UTF8.self)),\(final)"
    let proof = try scram.prove(password: password, salt: salt, iterations: count, message: message)
    expected = proof.server
    return Array("\(final),p=\(SCRAM.base64(proof.client))".utf8)
  }

  /// The server's last message.
  private mutating func verify(_ message: [UInt8]) throws(SASLFault) {
    let parts = SCRAM.attributes(message) ?? []
    if let first = parts.first, first.name == "e" {
      throw SASLFault(.outOfPlace, "the peer refuses the proof: \(first.value)")
    }
    guard let first = parts.first, first.name == "v", let signature = SCRAM.octets(base64: first.value),
      let expected, SCRAM.isSame(signature, expected)
    else { throw SASLFault(.unproven, "the peer does not prove that it knows the password") }
    isProven = true
  }

  /// The peer says that it is content; its last message may have come along.
  mutating func succeeded(_ data: [UInt8]?) throws(SASLFault) {
    if isProven { return }
    guard let data else { throw SASLFault(.unproven, "the peer does not prove that it knows the password") }
    try verify(data)
  }
}

// MARK: The acceptor

struct SCRAMServer: Sendable {
  private let scram: SCRAM
  private let user: String
  private let password: String
  private let salt: [UInt8]
  private var bare = ""
  private var first = ""
  private var name = ""
  private var header: Substring = ""
  private var nonce = ""

  init(_ scram: SCRAM, user: String, password: String) {
    (self.scram, self.user, self.password) = (scram, user, password)
    salt = scram.cryptography.random(16)
  }

  /// The answer to the client's first message; nil when it is none. Whether there is such a user it does not tell.
  mutating func challenge(_ message: [UInt8]) -> [UInt8]? {
    // `n,,` or `y,,`, perhaps with an identity to act as, which nobody here may.
    guard let text = String(validating: message, as: UTF8.self), text.hasPrefix("n,,") || text.hasPrefix("y,,"),
      let parts = SCRAM.attributes(text.dropFirst(3)), parts.count >= 2, parts[0].name == "n", parts[1].name == "r",
      !parts[1].value.isEmpty
    else { return nil }
    header = text.prefix(3)
    bare = String(text.dropFirst(3))
    name = String(parts[0].value)
    nonce = "\(parts[1].value)\(scram.nonce())"
    first = "r=\(nonce),s=\(SCRAM.base64(salt)),i=\(SCRAM.iterations.lowerBound)"
    return Array(first.utf8)
  }

  /// Our last message, in which we prove ourselves; nil when the client has proven nothing.
  func finish(_ message: [UInt8]) throws(SASLFault) -> [UInt8]? {
    guard let text = String(validating: message, as: UTF8.self), let parts = SCRAM.attributes(text[...]),
      parts.count >= 3, parts[0].name == "c", parts[0].value == SCRAM.base64(Array(header.utf8)),
      parts[1].name == "r", parts[1].value == nonce, let last = parts.last, last.name == "p",
      let given = SCRAM.octets(base64: last.value)
    else { return nil }
    let message = "\(bare),\(first),\(text.dropLast(last.value.count + 3))"
    let proof = try scram.prove(
      password: password, salt: salt, iterations: SCRAM.iterations.lowerBound, message: message)
    guard SCRAM.isSame(given, proof.client), name == SCRAM.escaped(user) else { return nil }
    return Array("v=\(SCRAM.base64(proof.server))".utf8)
  }
}
