// A socket that waits for connections on one address.
internal import Glibc

package final class ListeningSocket {
  private let descriptor: Descriptor
  /// Poll this for reading, then `accept` until it says nil.
  package var number: Int32 { descriptor.number }
  /// Where it listens: the port that was picked when 0 was asked for.
  package let endpoint: Endpoint

  /// Listens on the first address of `endpoint` that can be had. Blocks while a name is resolved.
  package init(on endpoint: Endpoint) throws(EndpointError) {
    let addresses: [SocketAddress]
    do throws(ResolveError) {
      addresses = try Resolver.addresses(of: endpoint)
    } catch {
      throw EndpointError(endpoint, .name(error))
    }
    var failures: [(address: SocketAddress?, error: Errno)] = []
    for address in addresses {
      do throws(Errno) {
        descriptor = try Self.listen(on: address)
        let number = descriptor.number
        self.endpoint = unsafe SocketAddress { unsafe getsockname(number, $0, $1) }?.endpoint ?? address.endpoint
        return
      } catch {
        failures.append((address, error))
      }
    }
    throw EndpointError(endpoint, .addresses(failures))
  }

  private static func listen(on address: SocketAddress) throws(Errno) -> Descriptor {
    let number = socket(address.family, streamType, 0)
    guard number >= 0 else { throw Errno(of: "socket") }
    let descriptor = Descriptor(owning: number)
    // Else a restart has to wait until the last run's connections have left TIME_WAIT.
    descriptor.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
    guard unsafe address.withPointer({ unsafe bind(number, $0, address.length) }) == 0 else { throw Errno(of: "bind") }
    guard Glibc.listen(number, SOMAXCONN) == 0 else { throw Errno(of: "listen") }
    return descriptor
  }

  /// The next connection, or nil when none is waiting. One that died in the queue is passed over.
  ///
  /// A throw means this process or the machine is out of something (EMFILE, ENOBUFS). The connection stays in the queue
  /// and the socket readable, so leave it out of the poll set until one of yours has closed.
  package func accept() throws(Errno) -> Socket? {
    while true {
      let number = Glibc.accept(descriptor.number, nil, nil)
      if number >= 0 {
        let accepted = Descriptor(owning: number)
        try accepted.makeOurs()
        return Socket(owning: accepted)
      }
      switch errno {
      case EAGAIN: return nil
      case EINTR, ECONNABORTED: continue
      // What accept(2) hands on from the connection it would have returned.
      case EPROTO, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENOPROTOOPT, ENONET, ETIMEDOUT: continue
      default: throw Errno(of: "accept")
      }
    }
  }
}
