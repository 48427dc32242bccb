// What a descriptor is, which decides how it can be used without ever blocking the loop.
internal import Glibc

package enum FileKind: Sendable {
  case file
  case pipe
  case socket
  case terminal
  /// `/dev/null` and other devices.
  case device
  case directory

  init(of number: Int32) throws(Errno) {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else { throw Errno(of: "fstat") }
    self =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      case S_IFDIR: .directory
      case S_IFCHR: isatty(number) == 1 ? .terminal : .device
      default: .device
      }
  }
}

/// How to read or write without blocking.
///
/// O_NONBLOCK belongs to the open file, which an inherited descriptor shares with the shell and with the other end of a
/// pipeline: setting it there breaks them, often after we are gone. So:
///
/// | kind            | how                                                                                            |
/// |-----------------|------------------------------------------------------------------------------------------------|
/// | file, device    | `plain`: just read and write; poll calls it ready, and so it is                                |
/// | socket          | `perCall`: MSG_DONTWAIT                                                                        |
/// | pipe, terminal  | `nonBlocking`: opened again through /proc, which makes an open file of our own for O_NONBLOCK  |
/// | … if that fails | `polled`: asked with poll before each call, and written 4,096 bytes (PIPE_BUF) at a time, the  |
/// |                 | most that poll promises room for                                                               |
enum Access: ~Copyable {
  case plain
  case perCall
  case nonBlocking(Descriptor)
  case polled
}

extension Access {
  init(to number: Int32, _ kind: FileKind, _ mode: Int32, reopening: Bool) {
    switch kind {
    case .file, .device, .directory:
      self = .plain
    case .socket:
      self = .perCall
    case .pipe, .terminal:
      // Fails without /proc, for a terminal that is another user's (su), and for a FIFO that has lost its reader.
      guard reopening else {
        self = .polled
        return
      }
      do throws(Errno) {
        self = .nonBlocking(try Descriptor(opening: "/proc/self/fd/\(number)", mode | O_NONBLOCK))
      } catch {
        self = .polled
      }
    }
  }
}
