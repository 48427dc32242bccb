// A file descriptor and the plain calls on it. Owned ones are closed on exec and with the value; inherited ones are left
// as they were found, flags included, because they are shared with the process that started us.
internal import Glibc

package struct Descriptor: ~Copyable, Sendable {
  package let number: Int32
  private let isOwned: Bool

  /// Takes over a descriptor and closes it in the end.
  package init(owning number: Int32) {
    self.number = number
    isOwned = true
  }

  /// Borrows 0, 1, 2 or another inherited descriptor.
  package init(inherited number: Int32) {
    self.number = number
    isOwned = false
  }

  deinit {
    // Not repeated after EINTR: Linux has closed it by then, and the number may be someone else's.
    if isOwned { _ = Glibc.close(number) }
  }

  /// Gives the number away; someone else closes it.
  package consuming func release() -> Int32 {
    let number = number
    discard self
    return number
  }

  /// Opens a path; close-on-exec always.
  init(opening path: String, _ flags: Int32) throws(Errno) {
    while true {
      let number = unsafe Glibc.open(path, flags | O_CLOEXEC | O_NOCTTY)
      if number >= 0 {
        self.init(owning: number)
        return
      }
      if errno != EINTR { throw Errno(of: "open", subject: path) }
    }
  }

  /// Appends what there is to read, at most the free capacity of `span`. A full span moves `.bytes(0)`.
  package borrowing func read(into span: inout OutputRawSpan) throws(Errno) -> IOProgress {
    let number = number
    return try unsafe fill(&span) { unsafe Glibc.read(number, $0.baseAddress, $0.count) }
  }

  /// Writes as much of `span` as the other side takes.
  package borrowing func write(_ span: Span<UInt8>) throws(Errno) -> IOProgress {
    let number = number
    return try unsafe drain(span) { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
  }

  /// Waits for nothing: what poll(2) says of this descriptor right now.
  borrowing func pollNow(_ events: Int16) -> Int16 {
    var entry = pollfd(fd: number, events: events, revents: 0)
    return unsafe Glibc.poll(&entry, 1, 0) > 0 ? entry.revents : 0
  }

  /// Close-on-exec and O_NONBLOCK for a descriptor made by a call that can't take the flags (accept, pipe).
  borrowing func makeOurs() throws(Errno) {
    guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0, fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) == 0
    else { throw Errno(of: "fcntl") }
  }

  /// A program started with 0, 1 or 2 closed would hand those numbers to its sockets, and its messages to the peer. This
  /// fills them, each opened the wrong way round, so that using one still fails as a closed one would (EBADF).
  package static func fillStandardNumbers() {
    for number: Int32 in 0...2 where fcntl(number, F_GETFD) < 0 {
      _ = unsafe Glibc.open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
    }
  }
}

/// Runs a reading call over the free part of `span` and appends what it delivered.
func fill(
  _ span: inout OutputRawSpan, _ call: (UnsafeMutableRawBufferPointer) -> Int
) throws(Errno) -> IOProgress {
  try unsafe span.withUnsafeMutableBytes { (buffer, count) throws(Errno) -> IOProgress in
    let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
    guard free.count > 0 else { return .bytes(0) }
    while true {
      let moved = unsafe call(free)
      if moved > 0 {
        count += moved
        return .bytes(moved)
      }
      if moved == 0 { return .end }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      default: throw Errno(of: "read")
      }
    }
  }
}

/// Runs a writing call over `span`.
func drain(_ span: Span<UInt8>, _ call: (UnsafeRawBufferPointer) -> Int) throws(Errno) -> IOProgress {
  guard !span.isEmpty else { return .bytes(0) }
  return try unsafe span.withUnsafeBytes { (buffer) throws(Errno) -> IOProgress in
    while true {
      let moved = unsafe call(buffer)
      if moved >= 0 { return .bytes(moved) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      case EPIPE: return .end
      default: throw Errno(of: "write")
      }
    }
  }
}
