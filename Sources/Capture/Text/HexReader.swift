/// Hexadecimal digits, on their own or in the midst of other text. A line of nothing but digits and what people put between
/// them is taken whole, but for short ones among prose; from any other line only what can hardly be anything else: runs of eight digits and more, and
/// four pairs and more with one separator. Lines wrap anywhere, so a half octet is kept from line to line.
import Bytes

struct HexReader {
  private let form: InputForm
  private var half: UInt8?
  private var digits = 0
  /// What the line before, or the beginning of this one, was taken for.
  private var isClean = true

  init(_ form: InputForm) { self.form = form }

  mutating func read(_ b: Span<UInt8>, isStart: Bool, _ sink: inout TextSink) {
    if form == .follow && isStart && (title(b, &sink) || dump(b, &sink)) { return }
    if isStart {
      let wasClean = isClean
      isClean = Self.isClean(b)
      // "42" is octets when it ends a run of digits, and not under a headline.
      if isClean && !wasClean && Self.digits(b) < 8 { isClean = false }
    }
    if isClean {
      if form == .follow && isStart && !b.isEmpty { turn(b[0] == 0x09 ? .backward : .forward, &sink) }
      readClean(b, &sink)
    } else {
      readProse(b, &sink)
    }
  }

  mutating func finish(_ sink: inout TextSink) {
    if half != nil { sink.fail("an odd number of hexadecimal digits: \(digits)") }
  }

  /// A line of digits and separators only.
  static func isClean(_ b: Span<UInt8>) -> Bool {
    var seen = 0
    for i in 0..<b.count {
      let c = b[i]
      if isHex(c) {
        seen += 1
      } else if (c | 0x20) == 0x78 {
        // The x of 0x
        if i == 0 || b[i - 1] != 0x30 || (i > 1 && isHex(b[i - 2])) { return false }
        seen -= 1
      } else if !isSeparator(c) && c != 0x22 && c != 0x27 {
        return false
      }
    }
    return seen > 0 || b.end(of: isSpace, from: 0) == b.count
  }

  private static func digits(_ b: Span<UInt8>) -> Int {
    var count = 0
    for i in 0..<b.count where isHex(b[i]) { count += 1 }
    return count
  }

  /// Space, tab, and ":", "-", ",", ";", "_", "."
  private static func isSeparator(_ c: UInt8) -> Bool {
    isSpace(c) || c == 0x3a || c == 0x2d || c == 0x2c || c == 0x3b || c == 0x5f || c == 0x2e
  }

  private mutating func turn(_ direction: Direction, _ sink: inout TextSink) {
    half = nil
    sink.turn(to: direction)
  }

  // MARK: Nothing but digits

  private mutating func readClean(_ b: Span<UInt8>, _ sink: inout TextSink) {
    // "0 0 0 1f": where every group is a digit or two, each is an octet.
    if areOctets(b) {
      var at = 0
      while at < b.count {
        let start = b.end(of: { !isHex($0) }, from: at)
        if start == b.count { break }
        let end = b.end(of: isHex, from: start)
        at = end
        // The 0 of 0x
        if end < b.count && (b[end] | 0x20) == 0x78 { continue }
        take(end - start == 2 ? b[start] : 0x30, &sink)
        take(b[end - 1], &sink)
      }
      return
    }
    var at = 0
    while at < b.count {
      let c = b[at]
      if c == 0x30 && at + 1 < b.count && (b[at + 1] | 0x20) == 0x78 {
        at += 2
        continue
      }
      if isHex(c) { take(c, &sink) }
      at += 1
    }
  }

  /// Whether there are several groups, a single digit among them, and none has more than two.
  private func areOctets(_ b: Span<UInt8>) -> Bool {
    var groups = 0
    var singles = 0
    var at = 0
    while at < b.count {
      let start = b.end(of: { !isHex($0) }, from: at)
      let end = b.end(of: isHex, from: start)
      if end - start > 2 { return false }
      if end > start { groups += 1 }
      if end - start == 1 && !(end < b.count && (b[end] | 0x20) == 0x78) { singles += 1 }
      at = end
    }
    return groups > 1 && singles > 0
  }

  private mutating func take(_ c: UInt8, _ sink: inout TextSink) {
    guard let value = hexValue(c) else { return }
    digits += 1
    if let high = half {
      sink.append(high << 4 | value)
      half = nil
    } else {
      half = value
    }
  }

  // MARK: Digits among other text

  private mutating func readProse(_ b: Span<UInt8>, _ sink: inout TextSink) {
    var at = 0
    var taken = 0
    while let found = Self.findRun(b, from: at) {
      if taken == 0 {
        if half != nil {
          sink.fail("an odd number of hexadecimal digits: \(digits)")
          half = nil
        }
        if let direction = b.direction(upTo: found.lowerBound) { sink.turn(to: direction) }
      }
      for i in found where isHex(b[i]) { take(b[i], &sink) }
      taken += found.count
      at = found.upperBound
    }
    sink.skip(b.count - taken)
  }

  /// The next run of digits that is meant as octets, at or after `start`.
  static func findRun(_ b: Span<UInt8>, from start: Int) -> Range<Int>? {
    var at = start
    while at < b.count {
      if !isHex(b[at]) {
        at += 1
        continue
      }
      let end = b.end(of: isHex, from: at)
      if at > 0 && isWord(b[at - 1]) || (end < b.count && isWord(b[end])) {
        // A part of a word, or of 0x… which is an address.
        at = b.end(of: isWord, from: end)
        continue
      }
      if end - at == 2 {
        let pairs = pairs(b, from: at)
        let count = (pairs.count + 1) / 3
        // Six with colons are a network card's address.
        if count >= 4 && !(count == 6 && b[end] == 0x3a) { return pairs }
        at = pairs.upperBound
        continue
      }
      if isRun(b, at..<end) { return at..<end }
      at = end
    }
    return nil
  }

  private static func isRun(_ b: Span<UInt8>, _ run: Range<Int>) -> Bool {
    if run.count < 8 || run.count % 2 != 0 { return false }
    // Part of a UUID or of a date
    if run.lowerBound > 0 && b[run.lowerBound - 1] == 0x2d { return false }
    if run.upperBound + 1 < b.count && b[run.upperBound] == 0x2d && isHex(b[run.upperBound + 1]) { return false }
    // A time in milliseconds or a number of some kind
    let isDecimal = b.end(of: isDigit, from: run.lowerBound) >= run.upperBound
    return run.count >= 20 || !isDecimal || b.has("00", at: run.lowerBound)
  }

  /// The pairs from here on that have the same separator.
  private static func pairs(_ b: Span<UInt8>, from start: Int) -> Range<Int> {
    var end = start + 2
    if end == b.count { return start..<end }
    let separator = b[end]
    if separator != 0x20 && separator != 0x3a && separator != 0x2d { return start..<end }
    while end + 2 < b.count && b[end] == separator && isHex(b[end + 1]) && isHex(b[end + 2])
      && (end + 3 == b.count || !isWord(b[end + 3]))
    {
      end += 3
    }
    return start..<end
  }

  // MARK: tshark's "follow"

  /// A line of its dump, which has no bars around the characters; the other side's are indented.
  private mutating func dump(_ b: Span<UInt8>, _ sink: inout TextSink) -> Bool {
    guard let style = DumpLine.Style.of(.follow), let line = DumpLine(b, style), !line.octets.isEmpty else {
      return false
    }
    turn(isSpace(b[0]) ? .backward : .forward, &sink)
    sink.append(line.octets)
    return true
  }

  /// The lines around the digits: the endpoints, and where another stream begins.
  private mutating func title(_ b: Span<UInt8>, _ sink: inout TextSink) -> Bool {
    if b.has("Follow: ", at: 0) {
      sink.close()
      half = nil
      return true
    }
    if b.has("Node 0: ", at: 0) || b.has("Node 1: ", at: 0) {
      let name = b.extracting(8..<min(b.count, 128)).text
      if b[5] == 0x30 { sink.name(source: name, target: nil) } else { sink.name(source: nil, target: name) }
      return true
    }
    return b.has("Filter: ", at: 0) || b.has("====", at: 0)
  }
}
