/// `EventterMQ` behind a port of this machine, for the built program: one connection after the other, and what waits in
/// its groups stays.
import Glibc

package final class EventterMQSocket: Polled {
  package let port: Int
  package private(set) var broker: EventterMQ
  /// Complaints of all connections, those that are over too.
  package private(set) var complaints: [String] = []
  private let fresh: EventterMQ
  private let listener: Int32
  private var visitor: Int32 = -1
  private var waiting: ArraySlice<UInt8> = []

  package init(_ broker: EventterMQ = EventterMQ()) throws {
    self.broker = broker
    fresh = broker
    // With SOCK_CLOEXEC and SOCK_NONBLOCK, which are not imported.
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0x80000 | 0x800, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard listener >= 0, bound else { throw ProcessFault("no socket for a broker") }
    self.listener = listener
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  /// Nobody is connected: all that was said is heard.
  package var isIdle: Bool { visitor < 0 }

  deinit {
    close(listener)
    if visitor >= 0 { close(visitor) }
  }

  func interests() -> [pollfd] {
    if visitor < 0 { return [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)] }
    return [pollfd(fd: visitor, events: Int16(POLLIN | (waiting.isEmpty ? 0 : POLLOUT)), revents: 0)]
  }

  func ready(_ poll: pollfd) {
    if poll.fd == listener {
      visitor = accept(listener, nil, nil)
      if visitor >= 0 { _ = fcntl(visitor, F_SETFL, O_NONBLOCK) }
      let queues = broker.queues
      broker = fresh
      broker.queues = queues
    } else if poll.fd == visitor {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let n = read(visitor, &buffer, buffer.count)
      if n > 0 { broker.receive(buffer[..<n], now: 0) }
      if n == 0 || (n < 0 && errno != EAGAIN) { return leave() }
      write()
    }
  }

  private func write() {
    waiting += broker.takeOutput(now: 0)
    while !waiting.isEmpty {
      let n = waiting.withUnsafeBytes { Glibc.write(visitor, $0.baseAddress, $0.count) }
      if n < 0 && errno == EAGAIN { return }
      if n < 0 { return leave() }
      waiting = waiting.dropFirst(n)
    }
    if broker.isOver { leave() }
  }

  private func leave() {
    complaints += broker.complaints
    close(visitor)
    visitor = -1
    waiting = []
  }
}
