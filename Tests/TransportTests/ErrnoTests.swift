import Glibc
import Testing

@testable import Transport

@Suite struct ErrnoTests {
  @Test func theSystemsWords() {
    #expect(Errno("connect", code: ECONNREFUSED).description == "connect: connection refused")
    #expect(Errno("open", code: ENOENT, subject: "a b").description == "a b: no such file or directory")
    #expect(Errno("open", code: 9_999).text == "error 9999")
  }
}

@Suite struct ClockTests {
  @Test func clocks() {
    let first = Clock.now
    #expect(Clock.now >= first)
    // 2025 to 2100, in nanoseconds.
    #expect((1_735_689_600_000_000_000..<4_102_444_800_000_000_000).contains(Clock.wall))
  }
}
