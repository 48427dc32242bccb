/// Base64 (RFC 4648 §4 and §5), wrapped or not, several texts in one paste or one among other words.
import Bytes

struct Base64Reader {
  private var bits: UInt32 = 0
  private var have = 0
  /// Letters of the line so far.
  private var letters = 0
  private var isClean = true

  mutating func read(_ b: Span<UInt8>, isStart: Bool, isEnd: Bool, _ sink: inout TextSink) {
    if isStart {
      isClean = Self.isClean(b)
      letters = 0
    }
    if isClean {
      for i in 0..<b.count { take(b[i], &sink) }
      // A line that is no multiple of four letters is not a wrapped one.
      if isEnd && have != 0 && letters % 4 != 0 { endText(&sink) }
      return
    }
    guard let found = Self.find(b) else { return sink.skip(b.count) }
    sink.skip(b.count - found.count)
    endText(&sink)
    for i in found { take(b[i], &sink) }
    endText(&sink)
  }

  mutating func finish(_ sink: inout TextSink) { endText(&sink) }

  static func isLetter(_ c: UInt8) -> Bool { value(of: c) != nil }

  /// A line of nothing but base64.
  static func isClean(_ b: Span<UInt8>) -> Bool {
    let isQuote = { (c: UInt8) in isSpace(c) || c == 0x22 || c == 0x27 }
    let start = b.end(of: isQuote, from: 0)
    let end = b.end(of: isLetter, from: start)
    let padded = b.end(of: { $0 == 0x3d }, from: end)
    return padded - end < 3 && b.end(of: isQuote, from: padded) == b.count
  }

  /// Such a line that is hardly a word: eight letters at least, capitals among them, or padding.
  static func isLikely(_ b: Span<UInt8>) -> Bool {
    if !isClean(b) || b.count < 4 { return false }
    let hasCapital = (0..<b.count).contains { b[$0] >= 0x41 && b[$0] <= 0x5a }
    return (hasCapital && b.count >= 8) || b.firstIndex(of: 0x3d, from: 0) != nil
  }

  /// The longest word that is whole base64, of sixteen letters at least.
  static func find(_ b: Span<UInt8>) -> Range<Int>? {
    var longest: Range<Int>?
    var at = 0
    while at < b.count {
      let start = b.end(of: { !isLetter($0) }, from: at)
      let end = b.end(of: isLetter, from: start)
      let padded = min(b.end(of: { $0 == 0x3d }, from: end), end + 2)
      let word = start..<padded
      // A word that is a path or a name has no capitals and digits side by side with small letters.
      let hasDigit = (start..<end).contains { isDigit(b[$0]) }
      let hasCapital = (start..<end).contains { b[$0] >= 0x41 && b[$0] <= 0x5a }
      if word.count >= 16 && word.count % 4 == 0 && hasDigit && hasCapital && word.count > (longest?.count ?? 0) {
        longest = word
      }
      at = max(padded, start + 1)
    }
    return longest
  }

  private static func value(of c: UInt8) -> UInt8? {
    switch c {
    case 0x41...0x5a: c - 0x41
    case 0x61...0x7a: c - 0x61 + 26
    case 0x30...0x39: c - 0x30 + 52
    case 0x2b, 0x2d: 62
    case 0x2f, 0x5f: 63
    default: nil
    }
  }

  private mutating func take(_ c: UInt8, _ sink: inout TextSink) {
    guard let value = Self.value(of: c) else {
      if c == 0x3d { endText(&sink) }
      return
    }
    letters += 1
    bits = bits << 6 | UInt32(value)
    have += 6
    if have >= 8 {
      have -= 8
      sink.append(UInt8(truncatingIfNeeded: bits >> UInt32(have)))
      bits &= (1 << UInt32(have)) - 1
    }
  }

  private mutating func endText(_ sink: inout TextSink) {
    if have == 6 { sink.fail("base64 that ends in the middle of an octet") }
    (bits, have) = (0, 0)
  }
}
