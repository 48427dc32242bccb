// Signals as input to the loop. The handler only writes the signal's number into a pipe; the rest happens in `take`, in
// the loop's own time.
internal import Glibc

/// The pipe the handler writes to. Set before a handler is installed and left alone while one is.
nonisolated(unsafe) private var handlerPipe: Int32 = -1

package final class Signals {
  package enum Signal: Int32, Sendable, CaseIterable {
    case hangUp = 1
    case interrupt = 2
    case terminate = 15

    /// 128 and the number, as the shell reports a death by it.
    package var exitStatus: Int32 { 128 + rawValue }
  }

  /// Poll this for reading, then `take`.
  package var number: Int32 { pipe.reader.number }
  /// The first request to stop; it gives the exit status.
  package private(set) var first: Signal?
  /// How many requests to stop have come: 2 means that the user has lost patience.
  package private(set) var count = 0
  /// A child may have finished. The owner of the children sets it back.
  package var childChanged = false

  private let pipe: Pipe
  private var before: [(number: Int32, action: sigaction)] = []

  /// Catches the requests to stop, ignores SIGPIPE (a write then says EPIPE), and with `children` catches SIGCHLD. One at
  /// a time in a process. What was ignored when we were started stays so: nohup, and jobs in a shell's background.
  package init(children: Bool = false) throws(Errno) {
    precondition(unsafe handlerPipe < 0, "one Signals at a time")
    pipe = try Pipe()
    unsafe handlerPipe = pipe.writer.number
    for signal in Signal.allCases { try install(signal.rawValue, keepIgnored: true) }
    if children { try install(SIGCHLD, keepIgnored: false) }
    try ignore(SIGPIPE)
  }

  deinit { restore() }

  /// Counts what has come in since; call it when `number` is readable (or at any time).
  package func take() throws(Errno) {
    var received: [UInt8] = []
    while case .bytes = try pipe.reader.read(appendingTo: &received, atMost: 64) {}
    for number in received {
      if Int32(number) == SIGCHLD {
        childChanged = true
      } else if let signal = Signal(rawValue: Int32(number)) {
        first = first ?? signal
        count += 1
      }
    }
  }

  /// Puts back what was there before, as when handing the terminal to someone else.
  package func restore() {
    for old in before {
      var action = old.action
      _ = unsafe sigaction(old.number, &action, nil)
    }
    before = []
    unsafe handlerPipe = -1
  }

  /// Dies by `signal`, so that the parent sees that and not merely a status: a shell loop then stops too.
  package func die(by signal: Signal) -> Never {
    restore()
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigprocmask(SIG_SETMASK, &none, nil)
    _ = Glibc.signal(signal.rawValue, SIG_DFL)
    raise(signal.rawValue)
    exit(signal.exitStatus)
  }

  private func install(_ number: Int32, keepIgnored: Bool) throws(Errno) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { number in
      let code = errno
      var byte = UInt8(truncatingIfNeeded: number)
      // A full pipe loses it, after 65,536 that nobody took.
      _ = unsafe write(handlerPipe, &byte, 1)
      errno = code
    }
    action.sa_flags = SA_RESTART
    var old = sigaction()
    guard unsafe sigaction(number, nil, &old) == 0 else { throw Errno(of: "sigaction") }
    if keepIgnored, isIgnored(old) { return }
    guard unsafe sigaction(number, &action, nil) == 0 else { throw Errno(of: "sigaction") }
    before.append((number, old))
  }

  private func ignore(_ number: Int32) throws(Errno) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = SIG_IGN
    var old = sigaction()
    guard unsafe sigaction(number, &action, &old) == 0 else { throw Errno(of: "sigaction") }
    before.append((number, old))
  }

  private func isIgnored(_ action: sigaction) -> Bool {
    unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
