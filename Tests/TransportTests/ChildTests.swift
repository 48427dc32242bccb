import Bytes
import Glibc
import Testing

@testable import Transport

@Suite struct ChildTests {
  private func shell(_ script: String, hides: [String] = []) throws -> Executable {
    try Executable(path: "/bin/sh", arguments: ["sh", "-c", script].map { Array($0.utf8) }, hides: hides)
  }

  private func start(
    _ program: Executable, variables: [String] = [], input: [UInt8] = [], extra: [UInt8]? = nil,
    took: (Int, Int) -> Void = { _, _ in }
  ) throws -> Child {
    var block = ByteQueue()
    for variable in variables {
      block.append(utf8: variable)
      block.append(0)
    }
    guard let extra else {
      return try Child(program, variables: block, input: input.span, extra: nil, took: took)
    }
    return try Child(program, variables: block, input: input.span, extra: extra.span, took: took)
  }

  private func output(_ child: Child) throws -> [UInt8] {
    let number = try #require(child.outputNumber)
    return try readToEnd(number) { (span) throws(Errno) in child.read(into: &span) }
  }

  private func ending(_ child: Child) -> Child.Ending {
    let end = Clock.now + 10_000_000_000
    while Clock.now < end {
      if let ending = child.poll() { return ending }
      usleep(200)
    }
    return .exited(-1)
  }

  @Test func threeStreamsAndAStatus() throws {
    let program = try shell("cat; cat <&3; echo \"$ONE-$TWO\"; exit 7")
    let child = try start(
      program, variables: ["ONE=1", "TWO=zwei"], input: Array("in ".utf8), extra: Array("three ".utf8))
    #expect(child.inputNumber == nil && child.extraNumber == nil, "all of it was in the pipes, and they are closed")
    #expect(try String(decoding: output(child), as: UTF8.self) == "in three 1-zwei\n")
    #expect(ending(child) == .exited(7))
  }

  @Test func hiddenVariablesAreNotInherited() throws {
    setenv("CHILD_TESTS_HIDDEN_X", "1", 1)
    setenv("CHILD_TESTS_SHOWN", "1", 1)
    let child = try start(try shell("env", hides: ["CHILD_TESTS_HIDDEN"]))
    let lines = try String(decoding: output(child), as: UTF8.self).split(separator: "\n")
    #expect(lines.contains("CHILD_TESTS_SHOWN=1") && !lines.contains { $0.hasPrefix("CHILD_TESTS_HIDDEN") })
    // A child that nobody waits for keeps the tests that wait for an exit of theirs from seeing it.
    #expect(ending(child) == .exited(0))
  }

  /// More than a pipe holds: what is left is written while it reads.
  @Test func muchInput() throws {
    let octets = [UInt8](repeating: 0x61, count: 300_000)
    var taken = 0
    let child = try start(try shell("wc -c"), input: octets) { n, _ in taken = n }
    #expect(taken > 0 && taken < octets.count)
    while taken < octets.count {
      let number = try #require(child.inputNumber)
      try wait(number, write: true)
      if case .bytes(let n) = child.write(octets.span.extracting(taken..<octets.count)) { taken += n }
    }
    child.closeInput()
    #expect(try String(decoding: output(child), as: UTF8.self) == "300000\n")
    #expect(ending(child) == .exited(0))
  }

  @Test func inputThatNobodyReadsIsNoFailure() throws {
    signal(SIGPIPE, SIG_IGN)
    let octets = [UInt8](repeating: 0x61, count: 300_000)
    var taken = 0
    let child = try start(try shell("exec <&-; echo closed; cat <&3"), input: octets, extra: []) { n, _ in taken = n }
    _ = try output(child)
    #expect(child.write(octets.span.extracting(taken..<octets.count)) == .end)
    #expect(child.inputNumber == nil)
    #expect(ending(child) == .exited(0))
  }

  /// What it leaves behind may hold its output open for as long as it likes.
  @Test func aGrandchildHoldsNobodyUp() throws {
    let child = try start(try shell("sleep 60 & echo mine"))
    #expect(ending(child) == .exited(0))
    let first = try readOnce { (span) throws(Errno) in child.read(into: &span) }
    #expect(String(decoding: first.bytes, as: UTF8.self) == "mine\n")
    #expect(try readOnce { (span) throws(Errno) in child.read(into: &span) }.progress == .wouldBlock)
    child.kill()
    #expect(try output(child) == [], "the whole group is gone")
  }

  @Test func theGroupIsItsOwn() throws {
    let child = try start(try shell("sleep 60 & wait"))
    #expect(getpgid(child.pid) == child.pid)
    child.terminate()
    #expect(ending(child) == .killed(signal: SIGTERM))
  }

  /// What writes into a pipe that nobody reads ends by that, as in a shell: SIGPIPE is not ignored there.
  @Test func brokenPipesKill() throws {
    let child = try start(try shell("exec yes"))
    try wait(try #require(child.outputNumber), read: true)
    let first = try readOnce { (span) throws(Errno) in child.read(into: &span) }
    #expect(first.bytes.starts(with: "y\n".utf8))
    child.closeOutput()
    #expect(ending(child) == .killed(signal: SIGPIPE))
  }

  @Test func programsAreFoundAsAShellDoes() throws {
    let directory = TemporaryDirectory()
    let plain = directory.file("plain", Array("#!/bin/sh\n".utf8))
    #expect(try Executable.find("sh").hasSuffix("/sh"))
    #expect(try Executable.find("/bin/sh") == "/bin/sh")
    #expect(code { _ = try Executable.find("no-such-program-anywhere") } == ENOENT)
    #expect(code { _ = try Executable.find(plain) } == EACCES)
    #expect(code { _ = try Executable.find(directory.path) } == EACCES)
    #expect(code { _ = try Executable.find("") } == ENOENT)
    let gone = try Executable(path: plain + "-gone", arguments: [[0x78]])
    #expect(code { _ = try start(gone) } == ENOENT)
    chmod(plain, 0o700)
    let text = directory.file("text", Array("no interpreter\n".utf8))
    chmod(text, 0o700)
    let bad = try Executable(path: text, arguments: [[0x78]])
    #expect(code { _ = try start(bad) } == ENOEXEC)
  }
}
