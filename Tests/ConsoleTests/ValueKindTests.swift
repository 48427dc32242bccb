import Testing

@testable import Console

@Suite struct ValueKindTests {
  @Test(arguments: [
    ("500ms", 500_000_000), ("10s", 10_000_000_000), ("2m", 120_000_000_000), ("1h", 3_600_000_000_000),
    ("1d", 86_400_000_000_000), ("7us", 7_000), ("3", 3_000_000_000), ("0", 0), ("1.5", 1_500_000_000),
    (".5s", 500_000_000), ("1.s", 1_000_000_000), ("1.1s", 1_100_000_000), ("12.123456789", 12_123_456_789),
    ("1h30m", 5_400_000_000_000), ("1m1.5s", 61_500_000_000), ("0.10000000000000000000s", 100_000_000),
  ]) func durations(_ text: String, _ nanoseconds: Int) throws {
    #expect(try ValueKind.duration.parse(Array(text.utf8)) == .number(nanoseconds))
  }

  @Test(arguments: [
    "", "s", "-1s", "+1", "1x", "1 s", "1h30", "30 1h", "1s1h", "1s1s", "1.2.3", ".", "1e3", "inf", "0.0000000001",
    "9223372037s", "99999999999999999999", "１s", "1S",
  ]) func notDurations(_ text: String) {
    #expect(throws: Expected(what: "a duration like 500ms, 10s, 2m or 1h")) {
      try ValueKind.duration.parse(Array(text.utf8))
    }
  }

  @Test(arguments: [("1", 1), ("10k", 10_000), ("2m", 2_000_000), ("1.5K", 1_500), ("9223372036854775807", Int.max)])
  func counts(_ text: String, _ count: Int) throws {
    #expect(try ValueKind.count.parse(Array(text.utf8)) == .number(count))
  }

  @Test(arguments: ["0", "-1", "1.5", "1kk", "ten", "", "9223372036854775808", "10000000000000m"])
  func notCounts(_ text: String) {
    #expect(throws: Expected.self) { try ValueKind.count.parse(Array(text.utf8)) }
  }

  @Test(arguments: [("0", 0), ("512", 512), ("1.5KiB", 1_536), ("2MB", 2_000_000), ("1GiB", 1 << 30), ("3B", 3)])
  func sizes(_ text: String, _ octets: Int) throws {
    #expect(try ValueKind.size.parse(Array(text.utf8)) == .number(octets))
  }

  @Test(arguments: ["1K", "1kib", "0.3KiB", "MB"]) func notSizes(_ text: String) {
    #expect(throws: Expected.self) { try ValueKind.size.parse(Array(text.utf8)) }
  }

  @Test func integersHaveARange() throws {
    #expect(try ValueKind.integer(0...255).parse(Array("255".utf8)) == .number(255))
    #expect(throws: Expected(what: "a number from 0 to 255")) {
      try ValueKind.integer(0...255).parse(Array("256".utf8))
    }
  }

  @Test func listsKeepTheirOrderAndTakeAnyCase() throws {
    let kind = ValueKind.list(["ANONYMOUS", "PLAIN"])
    #expect(try kind.parse(Array("plain,ANONYMOUS,PLAIN".utf8)) == .list(["PLAIN", "ANONYMOUS"]))
    #expect(throws: Expected.self) { try kind.parse(Array("PLAIN,".utf8)) }
    #expect(throws: Expected.self) { try kind.parse([]) }
  }

  @Test func onlyBytesNeedNotBeText() throws {
    #expect(try ValueKind.bytes.parse([0xFF]) == .bytes([0xFF]))
    #expect(throws: Expected(what: "UTF-8 text")) { try ValueKind.text.parse([0xFF]) }
    #expect(throws: Expected(what: "UTF-8 text")) { try ValueKind.count.parse([0xFF]) }
  }
}
