// What the octets of a connection travel over: a socket, or TLS over a socket. Who reads and writes sees no difference.
internal import Bytes

package enum StreamFailure: Error, Sendable {
  case system(Errno)
  case tls(TLSFailure)
}

package final class ByteStream {
  private let socket: Socket
  /// Nil: clear text.
  package let session: TLSSession?
  /// Whether to poll for writing, as the last `write` or `push` found.
  package private(set) var wantsWrite = false
  /// The peer sends nothing more; known at the earliest.
  package private(set) var isAtEnd = false
  private var room = 16 * 1024
  private static let roomCeiling = 256 * 1024

  package init(_ socket: Socket, _ session: TLSSession? = nil) {
    self.socket = socket
    self.session = session
  }

  /// For the poll set.
  package var number: Int32 { socket.number }

  // MARK: Reading

  /// Gets ready for one `read`.
  /// - Returns: the room it needs.
  package func prepareRead() throws(StreamFailure) -> Int {
    guard let session else { return room }
    var progress = IOProgress.wouldBlock
    do throws(Errno) {
      try session.receive(room: room) { span throws(Errno) in progress = try receive(into: &span) }
    } catch {
      throw refusal.map { .tls($0) } ?? .system(error)
    }
    isAtEnd = progress == .end
    return session.readable
  }

  /// Reads once what there is. What was read before a fault is in `span` all the same.
  package func read(into span: inout OutputRawSpan) throws(StreamFailure) -> IOProgress {
    guard let session else {
      do throws(Errno) {
        let progress = try receive(into: &span)
        isAtEnd = progress == .end
        return progress
      } catch {
        throw .system(error)
      }
    }
    do throws(TLSFailure) {
      let progress = try session.read(into: &span)
      if isAtEnd { try session.receivedEnd() }
      if session.hasEnded { isAtEnd = true }
      if isAtEnd, let refusal { throw refusal }
      return progress
    } catch {
      throw .tls(error)
    }
  }

  private func receive(into span: inout OutputRawSpan) throws(Errno) -> IOProgress {
    let progress = try socket.read(into: &span)
    if progress == .bytes(room) { room = min(room * 2, ByteStream.roomCeiling) }
    return progress
  }

  /// In TLS 1.3 a client hears only after its handshake that it needed a certificate, and the peer may just go away: a
  /// server that never said anything to one it asked in vain.
  private var refusal: TLSFailure? {
    guard let session, session.lacksCertificate, !session.hasDelivered else { return nil }
    return .refused(alert: nil, certificateWasAsked: true)
  }

  // MARK: Writing

  /// Writes as much of `octets` as is taken. A peer that reads no more takes everything: what it said before is still to be
  /// read.
  /// - Returns: the number of octets.
  package func write(_ octets: Span<UInt8>) throws(StreamFailure) -> Int {
    guard let session else { return try send(octets) }
    // What waits goes first: the end of the handshake, and then nobody would wake us for the rest.
    try push()
    if session.hasOutput { return 0 }
    let count: Int
    do throws(TLSFailure) {
      count = try session.write(octets)
    } catch {
      throw .tls(error)
    }
    try push()
    return count
  }

  /// Sends ciphertext that waits: of the handshake, of an alert, of a write before.
  package func push() throws(StreamFailure) {
    guard let session else { return }
    try session.withOutput { octets throws(StreamFailure) in try send(octets) }
  }

  private func send(_ octets: Span<UInt8>) throws(StreamFailure) -> Int {
    do throws(Errno) {
      let progress = try socket.write(octets)
      wantsWrite = progress == .wouldBlock
      return switch progress {
      case .bytes(let n): n
      case .wouldBlock: 0
      case .end: octets.count
      }
    } catch {
      wantsWrite = false
      throw .system(error)
    }
  }

  /// Says that nothing follows.
  package func endWriting() {
    session?.close()
    try? push()
    socket.endWriting()
  }
}
