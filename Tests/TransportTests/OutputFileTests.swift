import Glibc
import Testing

@testable import Transport

@Suite struct OutputFileTests {
  init() { signal(SIGPIPE, SIG_IGN) }

  private let chunk = (0..<262_144).map { UInt8(truncatingIfNeeded: $0 / 3) }

  @Test(arguments: [(true, 65_536), (false, 4_096)])
  func aPipe(reopening: Bool, first: Int) throws {
    let pipe = PlainPipe()
    let before = statusFlags(pipe.writer.number)
    let output = try OutputFile(inherited: pipe.writer.number, reopening: reopening)
    let input = try InputFile(inherited: pipe.reader.number)
    #expect(try output.write(chunk.span) == .bytes(first))
    var written = first
    while case .bytes(let count) = try output.write(chunk.span.extracting(droppingFirst: written)) { written += count }
    #expect(written == 65_536)
    var received: [UInt8] = []
    while received.count < chunk.count {
      if case .bytes(let count) = try output.write(chunk.span.extracting(droppingFirst: written)) { written += count }
      received += try readOnce(input.read(into:)).bytes
    }
    #expect(received == chunk)
    #expect(statusFlags(pipe.writer.number) == before)
    #expect(before & O_NONBLOCK == 0)
  }

  /// The reader may be gone before we start (`amqp receive … | true`), or later.
  @Test(arguments: [true, false], [true, false])
  func nobodyReads(reopening: Bool, before: Bool) throws {
    var numbers: [Int32] = [-1, -1]
    try #require(pipe(&numbers) == 0)
    defer { close(numbers[1]) }
    if before { close(numbers[0]) }
    let output = try OutputFile(inherited: numbers[1], reopening: reopening)
    if !before { close(numbers[0]) }

    var poll = PollSet()
    let idle = poll.add(output.number, hangUp: true)
    try poll.wait(now: 0, until: 0)
    let hungUp = poll.hungUp(idle)
    #expect(hungUp)
    try wait(output.number, write: true)
    #expect(try output.write([1].span) == .end)
  }

  @Test func aFile() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("out")
    let number = open(path, O_WRONLY | O_APPEND)
    defer { close(number) }
    #expect(try OutputFile(inherited: number).write(chunk.span) == .bytes(chunk.count))
    #expect(try Files.contents(of: path) == chunk)
  }

  @Test func aFullDisk() throws {
    let number = open("/dev/full", O_WRONLY)
    defer { close(number) }
    let output = try OutputFile(inherited: number)
    #expect(code { _ = try output.write([1].span) } == ENOSPC)
  }
}

@Suite struct DescriptorTests {
  @Test func ownedOnesAreClosed() throws {
    let number: Int32
    do {
      let pipe = try Pipe()
      number = pipe.reader.number
      #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
    }
    #expect(fcntl(number, F_GETFD) == -1)
  }

  @Test func closedStandardNumbersAreTaken() async {
    await #expect(processExitsWith: .success) {
      close(STDIN_FILENO)
      close(STDOUT_FILENO)
      Descriptor.fillStandardNumbers()
      let (near, far) = try Socket.pair()
      guard min(near.number, far.number) > STDERR_FILENO else { exit(1) }
      // Using them still fails as if they were closed.
      guard write(STDOUT_FILENO, "x", 1) < 0, errno == EBADF else { exit(2) }
      var byte: UInt8 = 0
      guard read(STDIN_FILENO, &byte, 1) < 0, errno == EBADF else { exit(3) }
    }
  }
}
