// Bytes to standard output, whatever it is, written without blocking the loop. Keeps nothing: what a short write leaves
// is the caller's to offer again.
internal import Glibc

package final class OutputFile {
  package let kind: FileKind
  /// For the poll set; `hangUp` there tells of a pipe's reader going away while there is nothing to write.
  package var number: Int32 { descriptor.number }
  private let descriptor: Descriptor
  private let access: Access

  /// Standard output, unless told otherwise. `reopening` false takes the last row of `Access` for pipes and terminals.
  package init(inherited number: Int32 = STDOUT_FILENO, reopening: Bool = true) throws(Errno) {
    descriptor = Descriptor(inherited: number)
    kind = try FileKind(of: number)
    access = Access(to: number, kind, O_WRONLY, reopening: reopening)
  }

  /// Opens a path to write to from its beginning; what it held is gone. A FIFO nobody reads is ENXIO.
  package init(creating path: String) throws(Errno) {
    let number = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0o666)
    if number < 0 { throw Errno(of: "open", subject: path) }
    descriptor = Descriptor(owning: number)
    kind = try FileKind(of: number)
    access = .plain  // its O_NONBLOCK is ours alone
  }

  /// `.end`: nobody reads it any more (EPIPE).
  package func write(_ span: Span<UInt8>) throws(Errno) -> IOProgress {
    switch access {
    case .plain:
      return try descriptor.write(span)
    case .nonBlocking(let reopened):
      return try reopened.write(span)
    case .perCall:
      let number = number
      let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
      return try unsafe drain(span) { unsafe send(number, $0.baseAddress, $0.count, flags) }
    case .polled:
      guard descriptor.pollNow(Int16(POLLOUT)) != 0 else { return .wouldBlock }
      return try descriptor.write(span.extracting(first: 4_096))
    }
  }
}
