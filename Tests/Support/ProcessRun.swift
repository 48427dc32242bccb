// A running child, as a script sees it: what it has written, what it is still to be given to read, how it ended.
import Glibc

package final class ProcessRun: Polled {
  package let pid: pid_t
  /// Where standard error is put when all of it is there, in place of an answer.
  package var errorFile: String?
  package private(set) var output: [UInt8] = []
  package private(set) var errors: [UInt8] = []
  /// Nil while it runs: the exit status, or minus the signal that ended it.
  package private(set) var status: Int32?

  private var input: Int32
  private var waiting: ArraySlice<UInt8> = []
  private var keepsInput: Bool
  private var outputEnd: Int32
  private var errorEnd: Int32

  package enum Input {
    case none
    case file(String)
    /// Written to a pipe, which is then closed or kept open for more.
    case octets([UInt8], keepsOpen: Bool)
  }
  package enum Output {
    case kept
    case file(String)
    case terminal
  }

  package init(
    _ program: String, _ arguments: [String], environment: [String], directory: String, input: Input, output: Output,
    errors: Output = .kept
  ) throws {
    var mine: [Int32] = []
    defer { for end in mine { close(end) } }
    func opened(_ path: String, _ flags: Int32) throws -> Int32 {
      let number = open(path.hasPrefix("/") ? path : "\(directory)/\(path)", flags | O_CLOEXEC, 0o600)
      guard number >= 0 else { throw ProcessFault("\(path): \(String(cString: strerror(errno)))") }
      mine.append(number)
      return number
    }
    let stdin: Int32
    switch input {
    case .none:
      stdin = try opened("/dev/null", O_RDONLY)
      (self.input, keepsInput) = (-1, false)
    case .file(let path):
      stdin = try opened(path, O_RDONLY)
      (self.input, keepsInput) = (-1, false)
    case .octets(let octets, let keepsOpen):
      let pipe = try ProcessSpawn.pipe()
      mine.append(pipe.reader)
      stdin = pipe.reader
      self.input = pipe.writer
      _ = fcntl(pipe.writer, F_SETFL, O_NONBLOCK)
      waiting = octets[...]
      keepsInput = keepsOpen
    }
    let stdout: Int32
    switch output {
    case .kept:
      let pipe = try ProcessSpawn.pipe()
      mine.append(pipe.writer)
      (stdout, outputEnd) = (pipe.writer, pipe.reader)
    case .file(let path):
      stdout = try opened(path, O_WRONLY | O_CREAT | (path.hasPrefix("/") ? 0 : O_TRUNC))
      outputEnd = -1
    case .terminal:
      let terminal = try ProcessSpawn.terminal()
      mine.append(terminal.slave)
      (stdout, outputEnd) = (terminal.slave, terminal.master)
    }
    let stderr: Int32
    if case .terminal = errors {
      let terminal = try ProcessSpawn.terminal()
      mine.append(terminal.slave)
      (stderr, errorEnd) = (terminal.slave, terminal.master)
    } else {
      let pipe = try ProcessSpawn.pipe()
      mine.append(pipe.writer)
      (stderr, errorEnd) = (pipe.writer, pipe.reader)
    }
    pid = try ProcessSpawn.start(
      program, arguments, environment: environment, directory: directory, descriptors: (stdin, stdout, stderr))
  }

  deinit {
    if status == nil {
      Glibc.kill(pid, SIGKILL)
      var code: Int32 = 0
      waitpid(pid, &code, 0)
    }
    for end in [input, outputEnd, errorEnd] where end >= 0 { close(end) }
  }

  package func signal(_ number: Int32) { if status == nil { Glibc.kill(pid, number) } }

  /// More to read for it.
  package func feed(_ octets: [UInt8]) { waiting += octets }
  package func endInput() { keepsInput = false }

  /// Nobody reads its standard output any more.
  package func closeOutput() {
    if outputEnd >= 0 { close(outputEnd) }
    outputEnd = -1
  }

  /// What it waits for, of `poll`.
  func interests() -> [pollfd] {
    if input >= 0 && waiting.isEmpty && !keepsInput {
      close(input)
      input = -1
    }
    var all: [pollfd] = []
    if outputEnd >= 0 { all.append(pollfd(fd: outputEnd, events: Int16(POLLIN), revents: 0)) }
    if errorEnd >= 0 { all.append(pollfd(fd: errorEnd, events: Int16(POLLIN), revents: 0)) }
    if input >= 0 && !waiting.isEmpty { all.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
    return all
  }

  func ready(_ poll: pollfd) {
    if poll.fd == outputEnd {
      if !ProcessRun.read(poll.fd, into: &output) { closeOutput() }
    } else if poll.fd == errorEnd {
      if !ProcessRun.read(poll.fd, into: &errors) {
        close(errorEnd)
        errorEnd = -1
        reap()
      }
    } else if poll.fd == input {
      let n = waiting.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
      if n > 0 {
        waiting = waiting.dropFirst(n)
      } else if errno != EAGAIN {
        close(input)
        input = -1
        waiting = []
      }
    }
  }

  /// Standard error closes when a process exits, and ours never close it before.
  private func reap() {
    var code: Int32 = 0
    waitpid(pid, &code, 0)
    status = code & 0x7f == 0 ? code >> 8 & 0xff : -(code & 0x7f)
    // The last of its output may still be in the pipe.
    while outputEnd >= 0 {
      var poll = [pollfd(fd: outputEnd, events: Int16(POLLIN), revents: 0)]
      guard Glibc.poll(&poll, 1, 0) > 0, ProcessRun.read(outputEnd, into: &output) else { return closeOutput() }
    }
  }

  /// - Returns: whether there may be more. A terminal ends with EIO.
  private static func read(_ number: Int32, into octets: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let n = Glibc.read(number, &buffer, buffer.count)
    if n > 0 { octets += buffer[..<n] }
    return n > 0
  }
}
