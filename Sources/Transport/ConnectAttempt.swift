// One attempt to reach an endpoint: resolves it, then tries its addresses in order until one answers. The loop polls
// `interest` until `deadline` and calls `advance`. How often to attempt, and where else, is the caller's policy.
internal import Glibc

package final class ConnectAttempt {
  /// Nanoseconds after which a silent address makes way for the next. The last one has as long as the caller gives it.
  private static let patience: Int64 = 2_000_000_000

  package let endpoint: Endpoint
  private var resolution: Resolution?
  /// Nil until the name is resolved; then the addresses still to try.
  private var waiting: ArraySlice<SocketAddress>?
  private var current: Descriptor?
  private var currentAddress: SocketAddress?
  private var failures: [(address: SocketAddress?, error: Errno)] = []

  /// What `begin` came to, until it is asked for.
  private var outcome: Outcome?
  private enum Outcome {
    case underWay
    case connected(Socket)
    case failed(EndpointError)
  }

  /// What the name came to, once it is known.
  package private(set) var addresses: [SocketAddress]?

  /// When to call `advance` even if nothing is ready; nil for no such moment.
  package private(set) var deadline: Int64?

  package init(to endpoint: Endpoint) {
    self.endpoint = endpoint
  }

  /// For addresses that are known already.
  package init(to endpoint: Endpoint, addresses: [SocketAddress]) {
    self.endpoint = endpoint
    waiting = addresses[...]
    self.addresses = addresses
  }

  /// What to poll for; nil before the first `advance` and after the last.
  package var interest: (number: Int32, read: Bool, write: Bool)? {
    if let resolution { return (resolution.number, read: true, write: false) }
    return currentNumber.map { ($0, read: false, write: true) }
  }

  /// Sets off, for a caller who has other things to do before it calls `advance` for what this came to.
  package func begin(now: Int64) {
    do throws(EndpointError) {
      outcome = try advance(now: now).map(Outcome.connected) ?? .underWay
    } catch {
      outcome = .failed(error)
    }
  }

  /// Goes as far as it can without waiting; nil while under way. The first call starts it, and one too many does no harm.
  package func advance(now: Int64) throws(EndpointError) -> Socket? {
    if let outcome = outcome.take() {
      switch outcome {
      case .underWay: return nil
      case .connected(let socket): return socket
      case .failed(let error): throw error
      }
    }
    if waiting == nil {
      guard let found = try resolve() else { return nil }
      waiting = found[...]
      addresses = found
    }
    while true {
      if let number = currentNumber, let address = currentAddress {
        // The same call starts the connection and, once it is under way, reports on it.
        let code = unsafe address.withPointer { unsafe connect(number, $0, address.length) } == 0 ? 0 : errno
        switch code {
        case 0, EISCONN:
          let socket = takeCurrent()
          if !socket.isConnectedToItself { return socket }
          failures.append((address, Errno("connect", code: ECONNREFUSED)))
        case EINPROGRESS, EALREADY, EINTR:
          guard let deadline, now >= deadline else { return nil }
          giveUp(ETIMEDOUT)
        default:
          giveUp(code)
        }
      }
      try startNext(now: now)
    }
  }

  private var currentNumber: Int32? {
    switch current {
    case .some(let current): current.number
    case .none: nil
    }
  }

  private func resolve() throws(EndpointError) -> [SocketAddress]? {
    if let resolution {
      guard let answer = resolution.take() else { return nil }
      self.resolution = nil
      switch answer {
      case .success(let found): return found
      case .failure(let error): throw EndpointError(endpoint, .name(error))
      }
    }
    if let known = Resolver.immediate(endpoint) { return known }
    do throws(Errno) {
      resolution = try Resolution(of: endpoint)
    } catch {
      throw EndpointError(endpoint, error)
    }
    return nil
  }

  private func startNext(now: Int64) throws(EndpointError) {
    while let address = waiting?.popFirst() {
      let number = socket(address.family, streamType, 0)
      guard number >= 0 else {
        failures.append((address, Errno(of: "socket")))
        continue
      }
      current = Descriptor(owning: number)
      currentAddress = address
      deadline = waiting?.isEmpty == true ? nil : now + Self.patience
      return
    }
    deadline = nil
    throw EndpointError(endpoint, .addresses(failures))
  }

  private func takeCurrent() -> Socket {
    let descriptor = current.take()!
    deadline = nil
    return Socket(owning: descriptor)
  }

  private func giveUp(_ code: Int32) {
    failures.append((currentAddress, Errno("connect", code: code)))
    current = nil
  }
}

extension Socket {
  /// TCP connects a socket to itself when the port asked for is free and happens to be the one it was given to come from:
  /// sooner or later that happens to a program that keeps trying a local port above 32,768.
  var isConnectedToItself: Bool {
    guard let local = localAddress?.endpoint, local.port != 0 else { return false }
    return local == peerAddress?.endpoint
  }
}
