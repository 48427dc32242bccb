/// `amqp://USER:PASSWORD@HOST:PORT/VHOST?KEY=VALUE`, the URI of RabbitMQ's specification with our defaults.
package struct ConnectionURL: Sendable, Equatable {
  package var isSecure = false
  package var user: String?
  package var password: String?
  package var host = "localhost"
  package var port: UInt16 = 5672
  /// Nil: none was given, or a bare `/`.
  package var vhost: String?
  package var query: [(key: String, value: String)] = []

  package static func == (a: ConnectionURL, b: ConnectionURL) -> Bool {
    a.isSecure == b.isSecure && a.user == b.user && a.password == b.password && a.host == b.host && a.port == b.port
      && a.vhost == b.vhost && a.query.map(\.key) == b.query.map(\.key) && a.query.map(\.value) == b.query.map(\.value)
  }

  /// What was expected; never a part of the URL, which may hold a password.
  package struct Fault: Error, Sendable, Equatable {
    package let expected: String
  }

  /// The URLs of a list, which a comma divides where another one begins.
  package static func list(_ text: String) -> [String] {
    var urls: [String] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if urls.isEmpty || part.hasPrefix("amqp:") || part.hasPrefix("amqps:") {
        urls.append(String(part))
      } else {
        urls[urls.count - 1] += "," + part
      }
    }
    return urls
  }

  package init(_ text: String) throws(Fault) {
    var rest = Substring(text)
    if rest.hasPrefix("amqps://") {
      isSecure = true
      port = 5671
      rest = rest.dropFirst(8)
    } else if rest.hasPrefix("amqp://") {
      rest = rest.dropFirst(7)
    } else {
      throw Fault(expected: "a URL like amqp://USER:PASSWORD@HOST:PORT/VHOST")
    }
    if rest.contains("#") { throw Fault(expected: "no fragment (write '#' in a password as %23)") }
    if let mark = rest.firstIndex(of: "?") {
      for pair in rest[rest.index(after: mark)...].split(separator: "&") {
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        query.append((try decode(sides[0]), sides.count > 1 ? try decode(sides[1]) : ""))
      }
      rest = rest[..<mark]
    }
    if let slash = rest.firstIndex(of: "/") {
      let path = rest[rest.index(after: slash)...]
      if path.contains("/") {
        throw Fault(expected: "one segment after the port, the virtual host (write '/' in it as %2F)")
      }
      if !path.isEmpty { vhost = try decode(path) }
      rest = rest[..<slash]
    }
    if let at = rest.lastIndex(of: "@") {
      let sides = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      user = try decode(sides[0])
      if sides.count > 1 { password = try decode(sides[1]) }
      rest = rest[rest.index(after: at)...]
    }
    try authority(rest)
  }

  private mutating func authority(_ text: Substring) throws(Fault) {
    var rest = text
    if rest.hasPrefix("[") {
      guard let close = rest.firstIndex(of: "]") else { throw Fault(expected: "a ']' after the IPv6 address") }
      host = String(rest[rest.index(after: rest.startIndex)..<close])
      rest = rest[rest.index(after: close)...]
      if rest.isEmpty { return }
      guard rest.hasPrefix(":") else { throw Fault(expected: "a port or nothing after the IPv6 address") }
      rest = rest.dropFirst()
    } else if let colon = rest.firstIndex(of: ":") {
      if colon != rest.startIndex { host = try decode(rest[..<colon]) }
      rest = rest[rest.index(after: colon)...]
      if rest.contains(":") { throw Fault(expected: "an IPv6 address in brackets, amqp://[::1]:5672") }
    } else {
      if !rest.isEmpty { host = try decode(rest) }
      return
    }
    if rest.isEmpty { return }
    guard rest.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt16(rest), number > 0 else {
      throw Fault(expected: "a port from 1 to 65535 after the host")
    }
    port = number
  }

  private func decode(_ text: Substring) throws(Fault) -> String {
    guard let bytes = PercentEncoding.decode(text), let decoded = String(validating: bytes, as: UTF8.self) else {
      throw Fault(expected: "percent-encoded UTF-8 (write a '%' as %25)")
    }
    return decoded
  }
}

/// RFC 3986 §2.1.
package enum PercentEncoding {
  package static func decode(_ text: Substring) -> [UInt8]? {
    var out: [UInt8] = []
    var bytes = text.utf8.makeIterator()
    while let c = bytes.next() {
      if c != 0x25 {
        out.append(c)
        continue
      }
      guard let a = bytes.next().flatMap(hexDigitValue), let b = bytes.next().flatMap(hexDigitValue) else { return nil }
      out.append(a << 4 | b)
    }
    return out
  }

  /// All but the unreserved characters.
  package static func encode(_ text: String) -> String {
    var out = ""
    for c in text.utf8 {
      switch c {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: out.unicodeScalars.append(Unicode.Scalar(c))
      default:
        out += c < 16 ? "%0" : "%"
        out += String(c, radix: 16, uppercase: true)
      }
    }
    return out
  }

  private static func hexDigitValue(_ c: UInt8) -> UInt8? {
    switch c {
    case 0x30...0x39: c - 0x30
    case 0x41...0x46: c - 0x37
    case 0x61...0x66: c - 0x57
    default: nil
    }
  }
}
