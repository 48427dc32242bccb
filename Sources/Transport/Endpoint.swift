// A host and a port as people write them. Whether the host is a name or a number is the resolver's business.

package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  /// A name, an IPv4 address, or an IPv6 address without its brackets.
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `[HOST:]PORT`, an IPv6 host in brackets; nil when it is neither. Port 0 is legal: "pick one".
  package init?(listening text: String, defaultHost: String = "127.0.0.1") {
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else {
      guard let port = Self.port(text[...]) else { return nil }
      self.init(host: defaultHost, port: port)
      return
    }
    var host = text[..<colon]
    if host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") {
      host = host.dropFirst().dropLast()
    } else if host.utf8.contains(UInt8(ascii: ":")) {
      return nil  // `::1:5672` could be read either way
    }
    guard !host.isEmpty, let port = Self.port(text[text.utf8.index(after: colon)...]) else { return nil }
    self.init(host: String(host), port: port)
  }

  /// `UInt16.init` alone would take `+5672`.
  private static func port(_ text: Substring) -> UInt16? {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt16(text) : nil
  }

  /// `example.com:5672`, `[::1]:5672`.
  package var description: String {
    host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
