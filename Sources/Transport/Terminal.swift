// What is known of a terminal without drawing on it.
internal import Glibc

package enum Terminal {
  package static func isTerminal(_ number: Int32) -> Bool { isatty(number) == 1 }

  /// Columns; nil when it is no terminal or doesn't know.
  package static func width(_ number: Int32 = STDOUT_FILENO) -> Int? {
    var size = winsize()
    guard unsafe ioctl(number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
