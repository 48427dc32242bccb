import Glibc
import Testing

import class Foundation.FileManager

@testable import Transport

/// What one call read, up to 256 KiB.
func readOnce(
  _ call: (inout OutputRawSpan) throws(Errno) -> IOProgress
) throws -> (progress: IOProgress, bytes: [UInt8]) {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 1)
  defer { buffer.deallocate() }
  var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
  let progress = try call(&span)
  return (progress, Array(buffer[..<span.byteCount]))
}

/// Waits, with a limit that a failing test runs into, until `number` is ready.
func wait(_ number: Int32, read: Bool = false, write: Bool = false) throws {
  var poll = PollSet()
  let token = poll.add(number, read: read, write: write)
  let end = Clock.now + 10_000_000_000
  var now = Clock.now
  while now < end {
    try poll.wait(now: now, until: end)
    if poll.readable(token) || poll.writable(token) { return }
    now = Clock.now
  }
  Issue.record("descriptor \(number) was not ready within 10 s")
}

/// Everything until `.end`.
func readToEnd(_ number: Int32, _ call: (inout OutputRawSpan) throws(Errno) -> IOProgress) throws -> [UInt8] {
  var all: [UInt8] = []
  while true {
    let (progress, bytes) = try readOnce(call)
    all += bytes
    switch progress {
    case .bytes: break
    case .end: return all
    case .wouldBlock: try wait(number, read: true)
    }
  }
}

func statusFlags(_ number: Int32) -> Int32 { fcntl(number, F_GETFL) }

/// A pipe as a shell would have made it: blocking, and inherited as far as our code can tell.
struct PlainPipe: ~Copyable {
  let reader: Descriptor
  let writer: Descriptor

  init() {
    var numbers: [Int32] = [-1, -1]
    precondition(pipe(&numbers) == 0)
    reader = Descriptor(owning: numbers[0])
    writer = Descriptor(owning: numbers[1])
  }
}

/// A pseudo-terminal: what is written to `master` is typed, what is shown is read from it.
struct PseudoTerminal: ~Copyable {
  let master: Descriptor
  let slave: Descriptor

  init() {
    master = Descriptor(owning: open("/dev/ptmx", O_RDWR | O_NOCTTY))
    var unlock: Int32 = 0
    var number: Int32 = 0
    // TIOCSPTLCK and TIOCGPTN: posix_openpt's helpers are not in the module map.
    precondition(ioctl(master.number, 0x4004_5431, &unlock) == 0 && ioctl(master.number, 0x8004_5430, &number) == 0)
    slave = Descriptor(owning: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY))
  }
}

/// A directory for one test, removed with everything in it.
final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/transport-tests-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
  }

  deinit {
    try! FileManager.default.removeItem(atPath: path)
  }

  func file(_ name: String, _ bytes: [UInt8] = []) -> String {
    let path = "\(self.path)/\(name)"
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(number >= 0 && write(number, bytes, bytes.count) == bytes.count)
    close(number)
    return path
  }
}

extension Errno {
  init(_ code: Int32) { self.init("", code: code) }
}

/// The code of the error `body` throws; nil when it throws none.
func code(_ body: () throws -> Void) -> Int32? {
  do {
    try body()
    return nil
  } catch let error as Errno {
    return error.code
  } catch let error as EndpointError {
    return error.error?.code
  } catch {
    return -1
  }
}
