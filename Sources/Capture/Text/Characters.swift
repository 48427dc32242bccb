/// What characters are, for the readers of text.
import Bytes

func isSpace(_ c: UInt8) -> Bool { c == 0x20 || c == 0x09 }
func isDigit(_ c: UInt8) -> Bool { c >= 0x30 && c <= 0x39 }
func isLetter(_ c: UInt8) -> Bool { (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a }
func isWord(_ c: UInt8) -> Bool { isDigit(c) || isLetter(c) || c == 0x5f }
func isHex(_ c: UInt8) -> Bool { isDigit(c) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66) }
func isOctal(_ c: UInt8) -> Bool { c & 0xf8 == 0x30 }

extension Span where Element == UInt8 {
  /// Whether `text` stands at `at`.
  func has(_ text: StaticString, at: Int) -> Bool {
    if at < 0 || text.utf8CodeUnitCount > count - at { return false }
    return extracting(at..<at + text.utf8CodeUnitCount).matches(text)
  }

  /// Where `text` stands first, at or after `start`.
  func find(_ text: StaticString, from start: Int = 0) -> Int? {
    let first = text.withUTF8Buffer { unsafe $0[0] }
    var at = start
    while let i = firstIndex(of: first, from: at) {
      if has(text, at: i) { return i }
      at = i + 1
    }
    return nil
  }

  /// The first position at or after `start` whose character is not like that; the end if there is none.
  @inline(__always)
  func end(of isLike: (UInt8) -> Bool, from start: Int) -> Int {
    var i = start
    while i < count && isLike(self[i]) { i += 1 }
    return i
  }

  /// The number that these characters spell; nil when they don't, or when it is too large.
  func number(_ range: Range<Int>, radix: Int) -> Int? {
    if range.isEmpty { return nil }
    var value = 0
    for i in range {
      guard let digit = hexValue(self[i]), digit < radix else { return nil }
      let (high, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, overflowAgain) = high.addingReportingOverflow(Int(digit))
      if overflow || overflowAgain { return nil }
      value = sum
    }
    return value
  }

  /// Where the text of a log line begins: behind date, time, level and process, if that is what it begins with.
  var logPrefix: Int {
    var at = end(of: isSpace, from: 0)
    func take(_ pattern: StaticString) -> Bool {
      let n = pattern.utf8CodeUnitCount
      if n > count - at { return false }
      let fits = pattern.withUTF8Buffer { p in
        (0..<n).allSatisfy { i in
          let c = unsafe p[i]
          return c == 0x64 ? isDigit(self[at + i]) : self[at + i] == c
        }
      }
      if fits { at += n }
      return fits
    }
    guard take("dddd-dd-dd ") || take("dddd-dd-ddT"), take("dd:dd:dd") else { return 0 }
    if at < count && (self[at] == 0x2e || self[at] == 0x2c) { at = end(of: isDigit, from: at + 1) }
    if take("Z") || take("+dd:dd") || take("-dd:dd") || take("+dddd") || take("-dddd") {}
    while true {
      let start = end(of: isSpace, from: at)
      if start == at || start == count { return start }
      // "[info]", "<0.1234.0>"
      var close = start
      if self[start] == 0x5b {
        close = end(of: isLetter, from: start + 1)
        if close == count || self[close] != 0x5d { return start }
      } else if self[start] == 0x3c {
        close = end(of: { isDigit($0) || $0 == 0x2e }, from: start + 1)
        if close == count || self[close] != 0x3e || close < start + 4 { return start }
      } else {
        return start
      }
      at = close + 1
    }
  }

  /// A copy without the escape sequences that terminals take for colours.
  var withoutColours: [UInt8] {
    if firstIndex(of: 0x1b, from: 0) == nil { return array }
    var out: [UInt8] = []
    var at = 0
    while at < count {
      if has("\u{1b}[", at: at) {
        at = end(of: { $0 < 0x40 }, from: at + 2) + 1
      } else {
        if self[at] != 0x1b { out.append(self[at]) }
        at += 1
      }
    }
    return out
  }

  /// Which way a line's arrow or word says that its octets went; nil: it does not say.
  func direction(upTo end: Int) -> Direction? {
    let head = extracting(0..<end)
    let marks: [(StaticString, Direction)] = [
      ("->", .forward), ("<-", .backward), ("SENT", .forward), ("READ", .backward), ("RECV", .backward),
    ]
    for (mark, direction) in marks {
      if head.find(mark) != nil { return direction }
    }
    return nil
  }
}
