// Bytes from standard input or a file of any kind, read without blocking the loop.
internal import Glibc

package final class InputFile {
  package let kind: FileKind
  /// For the poll set. Always the descriptor we were given: one opened again on a FIFO without writers never hangs up.
  package var number: Int32 { descriptor.number }
  private let descriptor: Descriptor
  private let access: Access
  /// A FIFO we opened ourselves reads as ended until its first writer comes.
  private let mayLackWriter: Bool

  /// Standard input, unless told otherwise. `reopening` false takes the last row of `Access` for pipes and terminals.
  package init(inherited number: Int32 = STDIN_FILENO, reopening: Bool = true) throws(Errno) {
    descriptor = Descriptor(inherited: number)
    kind = try FileKind(of: number)
    access = Access(to: number, kind, O_RDONLY, reopening: reopening)
    mayLackWriter = false
    if kind == .directory { throw Errno("read", code: EISDIR) }
  }

  /// Opens a path; a FIFO without waiting for its writer.
  package init(path: String) throws(Errno) {
    descriptor = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
    kind = try FileKind(of: descriptor.number)
    access = .plain  // its O_NONBLOCK is ours alone
    mayLackWriter = kind == .pipe
    if kind == .directory { throw Errno("open", code: EISDIR, subject: path) }
  }

  /// Octets, of a regular file; nil for everything else.
  package var size: Int? {
    var status = stat()
    guard kind == .file, unsafe fstat(number, &status) == 0 else { return nil }
    return Int(status.st_size)
  }

  package func read(into span: inout OutputRawSpan) throws(Errno) -> IOProgress {
    switch access {
    case .plain:
      let progress = try descriptor.read(into: &span)
      guard progress == .end, mayLackWriter else { return progress }
      return descriptor.pollNow(Int16(POLLIN)) & Int16(POLLHUP) == 0 ? .wouldBlock : .end
    case .nonBlocking(let reopened):
      return try reopened.read(into: &span)
    case .perCall:
      let number = number
      return try unsafe fill(&span) { unsafe recv(number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
    case .polled:
      return descriptor.pollNow(Int16(POLLIN)) == 0 ? .wouldBlock : try descriptor.read(into: &span)
    }
  }
}
