/// Who speaks, judged by the first octets, where AMQP was expected: ports are mixed up more often than anything else.
package enum ForeignProtocol: String, Sendable, CaseIterable {
  case tls = "TLS"
  case http = "HTTP"
  case ssh = "SSH"

  package init?(_ octets: [UInt8]) {
    let beginnings: [(ForeignProtocol, [[UInt8]])] = [
      // An alert or a handshake, RFC 8446 §5.1.
      (.tls, [[0x15, 0x03], [0x16, 0x03]]),
      // The last two are what a server sends that takes an octet 10 for the end of a request.
      (.http, ["HTTP", "GET ", "POST ", "PRI * HTTP", "<!DOC", "<html"].map { Array($0.utf8) }),
      (.ssh, [Array("SSH-".utf8)]),
    ]
    guard let found = beginnings.first(where: { $0.1.contains(where: octets.starts(with:)) }) else { return nil }
    self = found.0
  }

  /// The first octets of something that has no name here: "41 4d 51 50".
  package static func hex(_ octets: [UInt8], most: Int = 8) -> String {
    octets.prefix(most).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
