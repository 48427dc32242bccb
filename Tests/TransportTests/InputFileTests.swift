import Glibc
import Testing

@testable import Transport

@Suite struct InputFileTests {
  @Test(arguments: [true, false])
  func aPipe(reopening: Bool) throws {
    let pipe = PlainPipe()
    let before = statusFlags(pipe.reader.number)
    let input = try InputFile(inherited: pipe.reader.number, reopening: reopening)
    #expect(input.number == pipe.reader.number)
    #expect(try readOnce(input.read(into:)).progress == .wouldBlock)
    #expect(try pipe.writer.write([1, 2].span) == .bytes(2))
    try wait(input.number, read: true)
    #expect(try readOnce(input.read(into:)) == (.bytes(2), [1, 2]))
    #expect(try readOnce(input.read(into:)).progress == .wouldBlock)
    #expect(statusFlags(pipe.reader.number) == before)
    #expect(before & O_NONBLOCK == 0)
  }

  @Test(arguments: [true, false])
  func theEndOfAPipe(reopening: Bool) throws {
    var numbers: [Int32] = [-1, -1]
    try #require(pipe(&numbers) == 0)
    let reader = Descriptor(owning: numbers[0])
    let input = try InputFile(inherited: reader.number, reopening: reopening)
    #expect(write(numbers[1], "x", 1) == 1)
    close(numbers[1])
    #expect(try readToEnd(input.number, input.read(into:)) == [UInt8(ascii: "x")])
  }

  /// `amqp send < fifo`, whose writer has gone again before we look: opened again it has no writer and no hang-up.
  @Test func anInheritedFIFOThatHasLostItsWriter() throws {
    let directory = TemporaryDirectory()
    let path = "\(directory.path)/fifo"
    try #require(mkfifo(path, 0o600) == 0)
    let reader = open(path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    _ = fcntl(reader, F_SETFL, 0)
    close(open(path, O_WRONLY))
    let input = try InputFile(inherited: reader)
    try wait(input.number, read: true)
    #expect(try readOnce(input.read(into:)).progress == .end)
  }

  @Test func aFIFOWaitsForItsWriter() throws {
    let directory = TemporaryDirectory()
    let path = "\(directory.path)/fifo"
    try #require(mkfifo(path, 0o600) == 0)
    let input = try InputFile(path: path)
    #expect(try readOnce(input.read(into:)).progress == .wouldBlock)
    let writer = open(path, O_WRONLY)
    #expect(try readOnce(input.read(into:)).progress == .wouldBlock)
    #expect(write(writer, "x", 1) == 1)
    close(writer)
    #expect(try readToEnd(input.number, input.read(into:)) == [UInt8(ascii: "x")])
  }

  @Test func aFileIsReadInWholeChunks() throws {
    let directory = TemporaryDirectory()
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let input = try InputFile(path: directory.file("data", bytes))
    try wait(input.number, read: true)
    let first = try readOnce(input.read(into:))
    #expect(first.progress == .bytes(262_144))
    #expect(try first.bytes + readToEnd(input.number, input.read(into:)) == bytes)
  }

  /// A file that two share is read from where the other left it, so it must not be opened again.
  @Test func aFileKeepsItsPosition() throws {
    let directory = TemporaryDirectory()
    let number = open(directory.file("data", [1, 2, 3]), O_RDONLY)
    defer { close(number) }
    lseek(number, 2, SEEK_SET)
    #expect(try readOnce(InputFile(inherited: number).read(into:)) == (.bytes(1), [3]))
  }

  @Test func aSocket() throws {
    var numbers: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0)
    defer { numbers.forEach { close($0) } }
    let input = try InputFile(inherited: numbers[0])
    let output = try OutputFile(inherited: numbers[1])
    #expect(try readOnce(input.read(into:)).progress == .wouldBlock)
    #expect(try output.write([5].span) == .bytes(1))
    #expect(try readOnce(input.read(into:)) == (.bytes(1), [5]))
    while case .bytes = try output.write([UInt8](repeating: 0, count: 65_536).span) {}
    #expect(numbers.allSatisfy { statusFlags($0) & O_NONBLOCK == 0 })
  }

  @Test(arguments: [true, false])
  func aTerminal(reopening: Bool) throws {
    let terminal = PseudoTerminal()
    let (master, slave) = (terminal.master.number, terminal.slave.number)
    let before = statusFlags(slave)
    let input = try InputFile(inherited: slave, reopening: reopening)
    let output = try OutputFile(inherited: slave, reopening: reopening)
    #expect(Terminal.isTerminal(slave))
    #expect(try readOnce(input.read(into:)).progress == .wouldBlock)
    #expect(write(master, "hi\n", 3) == 3)
    try wait(input.number, read: true)
    #expect(try readOnce(input.read(into:)) == (.bytes(3), Array("hi\n".utf8)))
    // Nobody reads the screen: it fills, and the loop goes on. (Polled, a terminal promises room for one octet only, so
    // that way a full screen can hold us up.)
    if reopening {
      while case .bytes = try output.write([UInt8](repeating: 46, count: 1_000).span) {}
    } else {
      #expect(try output.write([46].span) == .bytes(1))
    }
    #expect(statusFlags(slave) == before)

    var size = winsize(ws_row: 24, ws_col: 132, ws_xpixel: 0, ws_ypixel: 0)
    #expect(ioctl(master, UInt(TIOCSWINSZ), &size) == 0)
    #expect(Terminal.width(slave) == 132)
  }

  @Test func whatCannotBeRead() throws {
    #expect(try readOnce(InputFile(path: "/dev/null").read(into:)).progress == .end)
    #expect(code { _ = try InputFile(path: "/tmp") } == EISDIR)
    #expect(code { _ = try InputFile(inherited: 1_000) } == EBADF)
    do {
      _ = try InputFile(path: "/nonexistent/file")
      Issue.record("opened a file that is not there")
    } catch {
      #expect(error.description == "/nonexistent/file: no such file or directory")
    }
  }
}
