// Why an endpoint could not be connected to or listened on: its name, or each of its addresses.
internal import Glibc

package struct EndpointError: Error, Sendable, CustomStringConvertible {
  package enum Cause: Sendable {
    case name(ResolveError)
    /// What each address tried came to, in that order; never empty.
    case addresses([(address: SocketAddress?, error: Errno)])
  }
  package let endpoint: Endpoint
  package let cause: Cause

  init(_ endpoint: Endpoint, _ cause: Cause) {
    self.endpoint = endpoint
    self.cause = cause
  }

  init(_ endpoint: Endpoint, _ error: Errno) {
    self.init(endpoint, .addresses([(nil, error)]))
  }

  /// The most telling error. That this machine has no IPv6 says nothing when an IPv4 address refused.
  package var error: Errno? {
    guard case .addresses(let tried) = cause else { return nil }
    let telling = tried.first { ![EADDRNOTAVAIL, EAFNOSUPPORT, ENETUNREACH].contains($0.error.code) }
    return (telling ?? tried.first)?.error
  }

  /// `connection refused`.
  package var text: String {
    switch cause {
    case .name(let error): error.text
    case .addresses: error?.text ?? "no address"
    }
  }

  /// `localhost:5672: connection refused`.
  package var description: String { "\(endpoint): \(text)" }
}
