// A connected stream socket, never blocking. Who connected it (ConnectAttempt) or accepted it (ListeningSocket) is over
// by then.
internal import Glibc

package final class Socket {
  private let descriptor: Descriptor
  /// For the poll set.
  package var number: Int32 { descriptor.number }

  /// Takes over a non-blocking, connected socket.
  init(owning descriptor: consuming Descriptor) {
    self.descriptor = descriptor
    // We write whole batches, so Nagle's wait for more would only add a delay. Not every socket is TCP: no error.
    set(IPPROTO_TCP, TCP_NODELAY, 1)
  }

  /// Two sockets connected to each other, without a network.
  package static func pair() throws(Errno) -> (Socket, Socket) {
    var numbers: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutableBytes(of: &numbers) {
      unsafe socketpair(AF_UNIX, streamType, 0, $0.bindMemory(to: Int32.self).baseAddress)
    }
    guard result == 0 else { throw Errno(of: "socketpair") }
    return (Socket(owning: Descriptor(owning: numbers.0)), Socket(owning: Descriptor(owning: numbers.1)))
  }

  /// `.end` when the peer has closed its side.
  package func read(into span: inout OutputRawSpan) throws(Errno) -> IOProgress {
    let number = number
    return try unsafe fill(&span) { buffer in unsafe recv(number, buffer.baseAddress, buffer.count, 0) }
  }

  /// `.end` when the connection no longer takes anything. What the peer sent before that can still be read.
  package func write(_ span: Span<UInt8>) throws(Errno) -> IOProgress {
    let number = number
    return try unsafe drain(span) { buffer in unsafe send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// Reads and forgets, a bounded amount a call. To close in order: `endWriting`, then this at each readiness until `.end`
  /// or your deadline, then drop the socket. Closing with unread input makes the kernel send a reset, which can destroy
  /// our last bytes before the peer has read them.
  package func discardInput() throws(Errno) -> IOProgress {
    let number = number
    return try unsafe withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) {
      (buffer) throws(Errno) -> IOProgress in
      var span = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
      return try unsafe fill(&span) { buffer in unsafe recv(number, buffer.baseAddress, buffer.count, 0) }
    }
  }

  /// Half-close: the peer reads what was written, then the end. A connection that is already gone is no error.
  package func endWriting() {
    _ = shutdown(number, Int32(SHUT_WR))
  }

  /// Makes the close a reset: nothing that is still unsent goes out.
  package func resetOnClose() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    _ = unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }

  /// Nil when the connection is already gone.
  package var localAddress: SocketAddress? {
    unsafe SocketAddress { unsafe getsockname(number, $0, $1) }
  }

  /// Nil when the connection is already gone.
  package var peerAddress: SocketAddress? {
    unsafe SocketAddress { unsafe getpeername(number, $0, $1) }
  }

  private func set(_ level: Int, _ option: Int32, _ value: Int32) {
    descriptor.setOption(Int32(level), option, value)
  }
}

/// SOCK_STREAM with the flags every socket of ours has.
let streamType = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

extension Descriptor {
  borrowing func setOption(_ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}
