// Help and version on standard output. Messages take another way, through the loop; this one just waits.
import Glibc

package enum StandardOutput {
  /// A reader that went away (`amqp help | head -1`) is no failure.
  package static func write(_ text: String) throws(Failure) -> ExitCode {
    var text = text
    let code = text.withUTF8 { unsafe writeAll(1, UnsafeRawBufferPointer($0)) }
    if code == 0 || code == EPIPE { return .success }
    throw Failure("cannot write to standard output", unsafe String(cString: strerror(code)), exitCode: .cannotWrite)
  }

  /// Writes whole lines for somebody who may have read enough.
  /// - Returns: false when nobody reads them any more.
  package static func writeLines(_ bytes: Span<UInt8>) throws(Failure) -> Bool {
    let code = unsafe bytes.withUnsafeBufferPointer { unsafe writeAll(1, UnsafeRawBufferPointer($0)) }
    if code == 0 || code == EPIPE { return code == 0 }
    throw Failure("cannot write to standard output", unsafe String(cString: strerror(code)), exitCode: .cannotWrite)
  }
}

/// Writes everything, waiting where somebody else made a shared descriptor non-blocking; 0, or errno.
func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
  var offset = 0
  while offset < bytes.count {
    let n = unsafe write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
    if n >= 0 {
      offset += n
    } else if errno == EAGAIN {
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = unsafe poll(&entry, 1, -1)
    } else if errno != EINTR {
      return errno
    }
  }
  return 0
}
