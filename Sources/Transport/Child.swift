// A running child: pipes of ours are its standard input, its standard output and its descriptor 3; standard error is ours.
// Nothing here waits: pipes are read and written as they are ready, and its end is asked for after SIGCHLD.
package import Bytes
internal import Glibc

package final class Child {
  package enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  /// What children find a third stream under.
  package static let extraNumber: Int32 = 3

  package let pid: Int32
  /// Nil: closed.
  private var input: Descriptor?
  private var output: Descriptor?
  private var extra: Descriptor?
  package private(set) var ending: Ending?

  /// Starts `program` with its environment and these variables, `NAME=VALUE` with a NUL behind each. What is put into the
  /// pipes at once is put there before it runs; `took` is told how much that was of either stream, and a stream that is
  /// whole is closed, its input only with `closesInput`. `extra` nil: it has no descriptor 3 of ours.
  package init(
    _ program: Executable, variables: borrowing ByteQueue, input octets: Span<UInt8>, closesInput: Bool = true,
    extra more: Span<UInt8>?, took: (_ input: Int, _ extra: Int) -> Void
  ) throws(Errno) {
    var (first, second) = (0, 0)
    var toInput: Descriptor?
    var fromOutput: Descriptor?
    var toExtra: Descriptor?
    var theirInput: Descriptor?
    var theirOutput: Descriptor?
    var theirExtra: Descriptor?
    try Child.pipe(reading: false, &toInput, &theirInput)
    try Child.pipe(reading: true, &fromOutput, &theirOutput)
    first = Child.put(octets, into: toInput)
    if let more {
      try Child.pipe(reading: false, &toExtra, &theirExtra)
      second = Child.put(more, into: toExtra)
    }
    let numbers = (Child.number(theirInput) ?? -1, Child.number(theirOutput) ?? -1, Child.number(theirExtra))
    pid = try unsafe Child.withEnvironment(program.inherited, variables) { (environment) throws(Errno) in
      try unsafe program.spawn(environment, input: numbers.0, output: numbers.1, extra: numbers.2)
    }
    // The other ends are the child's alone from here on.
    theirInput = nil
    theirOutput = nil
    theirExtra = nil
    output = fromOutput.take()
    if first < octets.count || !closesInput { input = toInput.take() }
    if let more, second < more.count { extra = toExtra.take() }
    took(first, second)
  }

  deinit {
    if ending == nil { _ = poll() }
  }

  /// As much as the pipe holds; a pipe in which nothing fits, or that fails, takes it later or says so then.
  private static func put(_ octets: Span<UInt8>, into pipe: borrowing Descriptor?) -> Int {
    switch pipe {
    case .some(let writer):
      guard !octets.isEmpty, case .bytes(let n)? = try? writer.write(octets) else { return 0 }
      return n
    case .none: return 0
    }
  }

  /// A pipe between us and a child: our end doesn't block, theirs does, as programs expect.
  private static func pipe(
    reading: Bool, _ ours: inout Descriptor?, _ theirs: inout Descriptor?
  ) throws(Errno) {
    var numbers: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutableBytes(of: &numbers) {
      unsafe Glibc.pipe($0.bindMemory(to: Int32.self).baseAddress)
    }
    guard result == 0 else { throw Errno(of: "pipe") }
    let (own, other) = reading ? numbers : (numbers.1, numbers.0)
    let first = Descriptor(owning: own)
    let second = Descriptor(owning: other)
    try first.makeOurs()
    guard fcntl(second.number, F_SETFD, FD_CLOEXEC) == 0 else { throw Errno(of: "fcntl") }
    ours = consume first
    theirs = consume second
  }

  /// Lends the inherited variables and those of `block` as the vector that execve takes.
  private static func withEnvironment<R>(
    _ inherited: CStrings, _ block: borrowing ByteQueue,
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws(Errno) -> R
  ) throws(Errno) -> R {
    try block.withReadable { (octets) throws(Errno) in
      var count = 0
      for i in 0..<octets.count where octets[i] == 0 { count += 1 }
      let total = inherited.count + count
      return try unsafe withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<CChar>?.self, capacity: total + 1) {
        (vector) -> Result<R, Errno> in
        for i in 0..<inherited.count { unsafe (vector.baseAddress! + i).initialize(to: inherited.pointers[i]) }
        return unsafe octets.withUnsafeBytes { bytes in
          var at = inherited.count
          var start = 0
          for i in bytes.indices where unsafe bytes[i] == 0 {
            // execve reads them and no more, whatever its type says.
            let text = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress! + start)
            unsafe (vector.baseAddress! + at).initialize(to: text.assumingMemoryBound(to: CChar.self))
            at += 1
            start = i + 1
          }
          unsafe (vector.baseAddress! + at).initialize(to: nil)
          do throws(Errno) { return .success(try unsafe body(UnsafePointer(vector.baseAddress!))) } catch {
            return .failure(error)
          }
        }
      }.get()
    }
  }

  // MARK: Streams

  /// For the poll set; nil: closed.
  package var inputNumber: Int32? { Child.number(input) }
  package var outputNumber: Int32? { Child.number(output) }
  package var extraNumber: Int32? { Child.number(extra) }

  private static func number(_ descriptor: borrowing Descriptor?) -> Int32? {
    switch descriptor {
    case .some(let d): d.number
    case .none: nil
    }
  }

  /// `.end`: nobody reads it any more, which is no failure, and it is closed.
  package func write(_ octets: Span<UInt8>) -> IOProgress { Child.write(octets, to: &input) }
  package func writeExtra(_ octets: Span<UInt8>) -> IOProgress { Child.write(octets, to: &extra) }

  private static func write(_ octets: Span<UInt8>, to descriptor: inout Descriptor?) -> IOProgress {
    guard let pipe = descriptor.take() else { return .end }
    // Every failure of a pipe's writing means that it will never be read.
    let progress = (try? pipe.write(octets)) ?? .end
    if progress != .end { descriptor = consume pipe }
    return progress
  }

  package func closeInput() { input = nil }
  package func closeExtra() { extra = nil }

  /// `.end`: it has no more to say, and the pipe is closed.
  package func read(into span: inout OutputRawSpan) -> IOProgress {
    guard let pipe = output.take() else { return .end }
    let progress = (try? pipe.read(into: &span)) ?? .end
    if progress != .end { output = consume pipe }
    return progress
  }

  package func closeOutput() { output = nil }

  // MARK: Its end

  /// Whether it has ended; also who holds its output open then is nobody's concern.
  package func poll() -> Ending? {
    if ending != nil { return ending }
    var status: Int32 = 0
    let found = unsafe waitpid(pid, &status, WNOHANG)
    if found == pid {
      let signal = status & 0x7f
      ending = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
    } else if found < 0 && errno == ECHILD {
      // Somebody else took its status, or nobody keeps any.
      ending = .exited(0)
    }
    return ending
  }

  /// The child and all that is in its group.
  package func terminate() { _ = Glibc.kill(-pid, SIGTERM) }
  package func kill() { _ = Glibc.kill(-pid, SIGKILL) }
}
