/// Numbers, hexadecimal, base64 and UTF-8, against tables and against Foundation.
import Bytes
import Foundation
import Support
import Testing

private func text(_ body: (inout ByteQueue) -> Void) -> String {
  var queue = ByteQueue()
  body(&queue)
  return String(decoding: queue.bytes, as: UTF8.self)
}

@Suite struct DigitsTests {
  @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 12_345, 999_999_999, 1_000_000_000, .max] as [UInt64])
  func decimal(_ value: UInt64) {
    #expect(text { $0.append(decimal: value) } == "\(value)")
    let signed = Int64(truncatingIfNeeded: value)
    #expect(text { $0.append(decimal: -signed) } == "\(-signed)")
  }

  @Test func smallestInteger() {
    #expect(text { $0.append(decimal: Int64.min) } == "-9223372036854775808")
  }

  @Test func hexadecimal() {
    #expect(text { $0.append(hex: [0x00, 0x9a, 0xff].span) } == "009aff")
    #expect(text { $0.append(hex: 0xabc, digits: 8) } == "00000abc")
    #expect(text { $0.append(hex: .max, digits: 16) } == "ffffffffffffffff")
    #expect(text { $0.append(hex: 0x1234, digits: 2) } == "34")
  }

  @Test(arguments: ["", "00", "0a0B", "ffFF"]) func hexReads(_ hex: String) {
    let digits = Array(hex.utf8)
    #expect(bytesFromHex(digits.span).map(hexText) == hex.lowercased())
  }

  @Test(arguments: ["0", "0g", "g0", "000", " 00", "0x00", "/:@G`g"]) func hexRefuses(_ hex: String) {
    let digits = Array(hex.utf8)
    #expect(bytesFromHex(digits.span) == nil)
  }

  @Test(arguments: 0..<70) func base64(_ count: Int) {
    var random = FixedRandom(seed: UInt64(count))
    let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    let encoded = Data(bytes).base64EncodedString()
    #expect(text { $0.append(base64: bytes.span) } == encoded)
    let letters = Array(encoded.utf8)
    #expect(bytesFromBase64(letters.span) == bytes)
    let unpadded = letters.filter { $0 != 0x3d }
    #expect(bytesFromBase64(unpadded.span) == bytes)
  }

  @Test(arguments: ["A", "A===", "=", "AA=A", "AAA-", "AA A", "AAAA=", "AAAAA=", "AA=", "AAAA\n", "AAAAA"])
  func base64Refuses(_ letters: String) {
    let letters = Array(letters.utf8)
    #expect(bytesFromBase64(letters.span) == nil)
  }

  /// Every sequence of two bytes and a fixed sample of longer ones, with text before and behind, as the standard
  /// library judges it.
  @Test func utf8AgreesWithTheStandardLibrary() {
    var random = FixedRandom(seed: 8)
    var cases: [[UInt8]] = []
    for a in UInt8.min...UInt8.max { for b in UInt8.min...UInt8.max { cases.append([a, b]) } }
    for _ in 0..<50_000 {
      let n = Int.random(in: 3...6, using: &random)
      cases.append((0..<n).map { _ in UInt8.random(in: 0x7e...0xff, using: &random) })
    }
    for (i, bytes) in cases.enumerated() {
      let padded = Array(repeating: UInt8(0x61), count: i % 9) + bytes + Array(repeating: 0x62, count: i % 3)
      let ours = padded.span.firstInvalidUTF8()
      let theirs = String(validating: padded, as: UTF8.self)
      if (ours == nil) != (theirs != nil) { Issue.record("\(hexText(padded))") }
      if let ours {
        #expect(String(validating: padded[..<ours], as: UTF8.self) != nil)
        #expect(ours >= i % 9)
      }
    }
  }

  @Test(arguments: 0..<20) func firstNonASCII(_ at: Int) {
    var bytes = Array(repeating: UInt8(0x7f), count: 20)
    #expect(bytes.span.firstNonASCII() == nil)
    bytes[at] = 0x80
    #expect(bytes.span.firstNonASCII() == at)
    bytes[19] = 0xff
    #expect(bytes.span.firstNonASCII() == at)
  }

  @Test(arguments: 0..<20) func firstIndex(_ at: Int) {
    var bytes = Array(repeating: UInt8(0x0b), count: 20)
    #expect(bytes.span.firstIndex(of: 0x0a, from: 0) == nil)
    bytes[at] = 0x0a
    for start in 0...20 { #expect(bytes.span.firstIndex(of: 0x0a, from: start) == (start <= at ? at : nil)) }
  }
}
