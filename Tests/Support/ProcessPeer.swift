// A peer that plays a part, octet by octet, to everyone who connects: what no real peer can be made to do at will. It
// understands nothing of what it hears but the octets it is told to wait for.
import Glibc

package final class ProcessPeer: Polled {
  package enum Step: Equatable {
    case send([UInt8])
    /// Goes on when these octets have come, in what came since the last such step.
    case await([UInt8])
    /// Ends the stream in good order.
    case close
    /// Ends it with a reset.
    case reset
  }

  package let port: Int
  private let listener: Int32
  private let parts: [[Step]]
  private var visitors: [Visitor] = []

  private struct Visitor {
    let socket: Int32
    let steps: [Step]
    var next = 0
    var heard: [UInt8] = []
    var waiting: ArraySlice<UInt8> = []
    var isGone = false
  }

  /// One part for each connection, the last for all that follow. After its last step a peer is silent and listens until
  /// the other end closes.
  package init(_ parts: [[Step]]) throws {
    self.parts = parts
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
    guard listener >= 0, bound else { throw ProcessFault("no socket for a peer") }
    self.listener = listener
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  deinit {
    close(listener)
    for visitor in visitors where !visitor.isGone { close(visitor.socket) }
  }

  func interests() -> [pollfd] {
    var all = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    for visitor in visitors where !visitor.isGone {
      let events = POLLIN | (visitor.waiting.isEmpty ? 0 : POLLOUT)
      all.append(pollfd(fd: visitor.socket, events: Int16(events), revents: 0))
    }
    return all
  }

  func ready(_ poll: pollfd) {
    if poll.fd == listener {
      let socket = accept(listener, nil, nil)
      guard socket >= 0 else { return }
      _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
      _ = fcntl(socket, F_SETFL, O_NONBLOCK)
      visitors.append(Visitor(socket: socket, steps: parts[min(visitors.count, parts.count - 1)]))
      play(visitors.count - 1)
    } else if let i = visitors.firstIndex(where: { $0.socket == poll.fd && !$0.isGone }) {
      hear(i)
      play(i)
    }
  }

  private func hear(_ i: Int) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !visitors[i].isGone {
      let n = read(visitors[i].socket, &buffer, buffer.count)
      if n > 0 {
        visitors[i].heard += buffer[..<n]
      } else if n < 0 && errno == EAGAIN {
        return
      } else {
        end(i)
      }
    }
  }

  private func play(_ i: Int) {
    while !visitors[i].isGone {
      if !visitors[i].waiting.isEmpty {
        let n = visitors[i].waiting.withUnsafeBytes { write(visitors[i].socket, $0.baseAddress, $0.count) }
        if n < 0 && errno == EAGAIN { return }
        if n < 0 { return end(i) }
        visitors[i].waiting = visitors[i].waiting.dropFirst(n)
        continue
      }
      guard visitors[i].next < visitors[i].steps.count else { return }
      switch visitors[i].steps[visitors[i].next] {
      case .send(let octets): visitors[i].waiting = octets[...]
      case .await(let octets):
        guard let at = visitors[i].heard.firstRange(of: octets) else { return }
        visitors[i].heard.removeSubrange(..<at.upperBound)
      case .close:
        // Half closed first, and the rest heard: closing with octets unread would be a reset.
        shutdown(visitors[i].socket, Int32(SHUT_WR))
      case .reset:
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
          visitors[i].socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        end(i)
      }
      visitors[i].next += 1
    }
  }

  private func end(_ i: Int) {
    close(visitors[i].socket)
    visitors[i].isGone = true
  }
}
