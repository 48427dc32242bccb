import Glibc
import Testing

@testable import Transport

@Suite struct FilesTests {
  @Test(arguments: [0, 1, 4_095, 4_096, 4_097, 300_000])
  func contents(size: Int) throws {
    let directory = TemporaryDirectory()
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let path = directory.file("data", bytes)
    #expect(try Files.contents(of: path) == bytes)
    #expect(try Files.contents(of: path, limit: size) == bytes)
    if size > 0 { #expect(code { _ = try Files.contents(of: path, limit: size - 1) } == EFBIG) }
  }

  /// Files of the kernel say that they are empty.
  @Test func contentsOfUnknownSize() throws {
    #expect(try Files.contents(of: "/proc/self/status").starts(with: "Name:".utf8))
    #expect(code { _ = try Files.contents(of: "/proc/self/status", limit: 10) } == EFBIG)
    #expect(code { _ = try Files.contents(of: "/dev/zero", limit: 100_000) } == EFBIG)
  }

  @Test func errorsNameThePath() {
    for path in ["/nonexistent", "/tmp"] {
      do {
        _ = try Files.contents(of: path)
        Issue.record("read \(path)")
      } catch {
        #expect(error.description.hasPrefix("\(path): "))
      }
    }
    #expect(code { _ = try Files.inDirectory("/nonexistent") } == ENOENT)
    #expect(code { _ = try Files.inDirectory("/dev/null") } == ENOTDIR)
  }

  @Test func aDirectoryInOrder() throws {
    let directory = TemporaryDirectory()
    let data = directory.file("b10")
    for name in ["b9", "B", "a", ".hidden", "ä"] { _ = directory.file(name) }
    try #require(mkdir("\(directory.path)/c", 0o700) == 0)
    try #require(symlink(data, "\(directory.path)/link") == 0)
    try #require(symlink("/nonexistent", "\(directory.path)/dangling") == 0)
    try #require(mkfifo("\(directory.path)/fifo", 0o600) == 0)
    let expected = ["B", "a", "b10", "b9", "link", "ä"].map { "\(directory.path)/\($0)" }
    #expect(try Files.inDirectory(directory.path) == expected)
    #expect(try Files.inDirectory(directory.path + "/") == expected)
    #expect(Files.isDirectory(directory.path))
    #expect(!Files.isDirectory(data))
  }
}
