// Names to addresses. Numbers and `localhost` never reach the system's resolver: that costs a tenth of a millisecond and
// reads four files. A name may take many seconds (a dead name server), so `Resolution` asks on a thread of its own.
internal import Glibc

/// Why a name has no address.
package struct ResolveError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    /// The name does not exist, or has no address.
    case notFound
    /// The name server did not answer: trying again may help.
    case temporary
    case other
  }
  package let host: String
  package let reason: Reason
  /// The system's own words, as `name or service not known`.
  package let text: String

  package var description: String { "\(host): \(text)" }
}

package enum Resolver {
  /// The addresses that need no asking: a numeric host, or `localhost`. Nil for any other name.
  ///
  /// `localhost` is always the loopback (RFC 6761 section 6.3), IPv4 first: that is where our own `--listen` is.
  package static func immediate(_ endpoint: Endpoint) -> [SocketAddress]? {
    if let address = SocketAddress(numeric: endpoint.host, port: endpoint.port) { return [address] }
    guard endpoint.host.lowercased() == "localhost" else { return nil }
    return ["127.0.0.1", "::1"].compactMap { SocketAddress(numeric: $0, port: endpoint.port) }
  }

  /// Every address of the endpoint, in the order to try them. Blocks as long as the system's resolver does.
  package static func addresses(of endpoint: Endpoint) throws(ResolveError) -> [SocketAddress] {
    if let known = immediate(endpoint) { return known }
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
    // Kept at once: the calls below may change it.
    let systemError = errno
    defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
    var found: [SocketAddress] = []
    var next = unsafe list
    while code == 0, let entry = unsafe next {
      if let address = unsafe entry.pointee.ai_addr {
        unsafe found.append(SocketAddress(copying: address, length: entry.pointee.ai_addrlen))
      }
      unsafe next = entry.pointee.ai_next
    }
    if !found.isEmpty { return found }
    throw error(code == 0 ? EAI_NONAME : code, systemError, endpoint.host)
  }

  private static func error(_ code: Int32, _ systemError: Int32, _ host: String) -> ResolveError {
    let reason: ResolveError.Reason =
      switch code {
      case EAI_NONAME, EAI_NODATA: .notFound
      case EAI_AGAIN: .temporary
      default: .other
      }
    let text =
      code == EAI_SYSTEM
      ? Errno("getaddrinfo", code: systemError).text : unsafe String(cString: gai_strerror(code)).inSentence
    return ResolveError(host: host, reason: reason, text: text)
  }

  private static let EAI_NODATA: Int32 = -5  // a GNU extension that the module map leaves out
}
