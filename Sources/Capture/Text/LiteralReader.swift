/// Octets as a program's source or log has them: lists of numbers, quoted text with escapes, "<Buffer …>" and their like,
/// over any number of lines and with other text around them.
import Bytes

struct LiteralReader {
  private enum State {
    case outside
    case inside(LiteralForm.Content, closer: UInt8)
    /// A quoted text within a list, as Erlang has them.
    case quoted(closer: UInt8)
  }

  private let form: InputForm
  private let literal: LiteralForm
  private var state = State.outside
  /// Octets that "{length = 31, bytes = 0x…" promised, less those that came.
  private var promised: Int?
  private var half: UInt8?
  /// Openers, as bits, that don't come any more in this line.
  private var absent = 0

  init(_ form: InputForm, _ literal: LiteralForm) {
    (self.form, self.literal) = (form, literal)
  }

  /// Reads a line, or a part of a long one.
  mutating func read(_ b: Span<UInt8>, isEnd: Bool, _ sink: inout TextSink) {
    var at = 0
    absent = 0
    while at < b.count {
      switch state {
      case .outside: at = open(b, from: at, &sink)
      case .inside(.hex, let closer): hex(b, &at, closer, &sink)
      case .inside(.numbers, let closer): numbers(b, &at, closer, &sink)
      case .inside(.text, let closer): text(b, &at, closer, &sink)
      case .quoted(let closer): quoted(b, &at, closer, &sink)
      }
    }
    // Text without a quote ends with its line.
    if isEnd, case .inside(.text, closer: 0) = state { state = .outside }
  }

  mutating func finish(_ sink: inout TextSink) {
    if half != nil { sink.fail("an odd number of hexadecimal digits") }
  }

  // MARK: The beginning

  /// Looks for octets, and goes to where they begin.
  private mutating func open(_ b: Span<UInt8>, from start: Int, _ sink: inout TextSink) -> Int {
    var best: (at: Int, opener: LiteralForm.Opener)?
    for (i, opener) in literal.openers.enumerated() where absent & (1 << i) == 0 {
      var from = start
      while true {
        guard let at = b.find(opener.text, from: from) else {
          absent |= 1 << i
          break
        }
        if let best, best.at <= at { break }
        if isMeant(opener, b, at) {
          best = (at, opener)
          break
        }
        from = at + 1
      }
    }
    if let loose = loose(b, from: start, before: best?.at ?? b.count) {
      sink.skip(loose.lowerBound - start)
      if literal.hasLooseHex {
        number(b, loose, 0, &sink)
        return loose.upperBound
      }
      if start == 0, let direction = b.direction(upTo: loose.lowerBound) { sink.turn(to: direction) }
      state = .inside(.text, closer: 0)
      return loose.lowerBound
    }
    guard let (at, opener) = best else {
      sink.skip(meaningful(b, start..<b.count))
      return b.count
    }
    sink.skip(meaningful(b, start..<at))
    if start == 0, let direction = b.direction(upTo: at) { sink.turn(to: direction) }
    if form == .nsdata { promised = promise(b, before: at) }
    state = .inside(opener.content, closer: opener.closer)
    return at + opener.text.utf8CodeUnitCount
  }

  /// Punctuation and spaces around octets are nothing that was left out.
  private func meaningful(_ b: Span<UInt8>, _ range: Range<Int>) -> Int {
    for i in range where isWord(b[i]) { return range.count }
    return 0
  }

  private func isMeant(_ opener: LiteralForm.Opener, _ b: Span<UInt8>, _ at: Int) -> Bool {
    let start = at + opener.text.utf8CodeUnitCount
    if form == .python { return at == 0 || !isWord(b[at - 1]) }
    if form == .protonRaw { return b.find("RAW").map { $0 < at } ?? false }
    if form == .escaped || form == .c && opener.content == .text {
      // A quoted word is not meant, one with an escape is.
      let end = b.firstIndex(of: opener.closer, from: start) ?? b.count
      return b.extracting(start..<end).firstIndex(of: 0x5c, from: 0) != nil
    }
    if !opener.isWeak { return true }
    if opener.content == .hex { return b.end(of: isHex, from: start) >= start + 8 }
    return Self.isList(b, from: start)
  }

  /// Whether a list of octets begins here: four numbers in range, or fewer and the line's end.
  static func isList(_ b: Span<UInt8>, from start: Int) -> Bool {
    var at = start
    for i in 0..<4 {
      at = b.end(of: { isSpace($0) || $0 == 0x2c }, from: at)
      if at == b.count { return i > 0 || start == b.count }
      if b.has("(byte)", at: at) { at = b.end(of: isSpace, from: at + 6) }
      if b[at] == 0x27 { return true }
      let end = b.end(of: { isWord($0) || $0 == 0x2d }, from: at)
      // "00" is hexadecimal.
      if value(b, at..<end) == nil || end - at == 2 && b[at] == 0x30 { return false }
      at = end
    }
    return true
  }

  /// The next octet, or run of them, that needs no opener.
  private func loose(_ b: Span<UInt8>, from start: Int, before end: Int) -> Range<Int>? {
    if literal.hasLooseHex {
      var at = start
      while let found = b.find("0x", from: at) ?? b.find("0X", from: at), found < end {
        let digits = b.end(of: isWord, from: found)
        if (found == 0 || !isWord(b[found - 1])) && (3...4).contains(digits - found)
          && Self.value(b, found..<digits) != nil
        {
          return found..<digits
        }
        at = digits
      }
    }
    if literal.hasLooseEscapes, let backslash = b.firstIndex(of: 0x5c, from: start), backslash < end {
      // The word that it stands in may begin with what needs no escape.
      var word = backslash
      while word > start && !isSpace(b[word - 1]) && b[word - 1] != 0x3d { word -= 1 }
      return word..<b.count
    }
    return nil
  }

  /// The length in front of "bytes = 0x…".
  private func promise(_ b: Span<UInt8>, before end: Int) -> Int? {
    guard let at = b.extracting(0..<end).find("length = ") else { return nil }
    return b.number(at + 9..<b.end(of: isDigit, from: at + 9), radix: 10)
  }

  // MARK: What is inside

  private mutating func close(_ sink: inout TextSink) {
    if half != nil { sink.fail("an odd number of hexadecimal digits") }
    half = nil
    state = .outside
  }

  private mutating func hex(_ b: Span<UInt8>, _ at: inout Int, _ closer: UInt8, _ sink: inout TextSink) {
    while at < b.count {
      let c = b[at]
      if let value = hexValue(c) {
        at += 1
        guard let high = half else {
          half = value
          continue
        }
        sink.append(high << 4 | value)
        half = nil
        if promised != nil { promised! -= 1 }
      } else if c == closer {
        at += 1
        return close(&sink)
      } else if c == 0x2e || c == 0x20 && b.has(" ...", at: at) {
        elided(b, &at, &sink)
      } else {
        at += 1
      }
    }
  }

  /// "...", "... 50 more bytes"
  private mutating func elided(_ b: Span<UInt8>, _ at: inout Int, _ sink: inout TextSink) {
    at = b.end(of: { isSpace($0) || $0 == 0x2e }, from: at)
    let end = b.end(of: isDigit, from: at)
    if end > at && b.has(" more", at: end) {
      sink.gap(b.number(at..<end, radix: 10))
      at = b.end(of: isLetter, from: b.end(of: isSpace, from: b.end(of: isLetter, from: end + 1)))
    } else if let left = promised, case .inside(.hex, let closer) = state {
      // What stands behind the dots is told from what the length has left.
      let tail = b.extracting(at..<(b.firstIndex(of: closer, from: at) ?? b.count))
      var digits = 0
      for i in 0..<tail.count where isHex(tail[i]) { digits += 1 }
      sink.gap(max(0, left - digits / 2))
      promised = nil
    } else {
      sink.gap(nil)
    }
  }

  private mutating func numbers(_ b: Span<UInt8>, _ at: inout Int, _ closer: UInt8, _ sink: inout TextSink) {
    at = b.end(of: { isSpace($0) || $0 == 0x2c }, from: at)
    if at == b.count { return }
    let c = b[at]
    if c == closer {
      at += form == .erlang && b.has(">>", at: at) ? 2 : 1
      close(&sink)
    } else if c == 0x22 || c == 0x27 {
      at += 1
      state = .quoted(closer: c)
      listCloser = closer
    } else if b.has("...", at: at) {
      elided(b, &at, &sink)
    } else if b.has("//", at: at) {
      at = b.count
    } else if b.has("/*", at: at) {
      at = b.find("*/", from: at).map { $0 + 2 } ?? b.count
    } else if b.has("(byte)", at: at) {
      at += 6
    } else {
      let end = max(at + 1, b.end(of: { isWord($0) || $0 == 0x2d }, from: at))
      if end == at + 1 && !isWord(c) && c != 0x2d || !number(b, at..<end, end, &sink) {
        // No list after all, or a cut one.
        sink.skip(end - at)
        close(&sink)
        at = end
      } else {
        at = end
        skipSize(b, &at)
      }
    }
  }

  /// The closer of the list that a quoted text stands in.
  private var listCloser: UInt8 = 0

  /// Erlang's ":8" and "/utf8".
  private func skipSize(_ b: Span<UInt8>, _ at: inout Int) {
    if form != .erlang { return }
    if at < b.count && b[at] == 0x3a { at = b.end(of: isDigit, from: at + 1) }
    if at < b.count && b[at] == 0x2f { at = b.end(of: isWord, from: at + 1) }
  }

  @discardableResult
  private func number(_ b: Span<UInt8>, _ range: Range<Int>, _ next: Int, _ sink: inout TextSink) -> Bool {
    guard let value = Self.value(b, range) else { return false }
    sink.append(value)
    return true
  }

  /// The octet that a number spells: "31", "-64", "0x1f", "0x1fU", "31y"; nil when it spells none.
  static func value(_ b: Span<UInt8>, _ range: Range<Int>) -> UInt8? {
    var (start, end) = (range.lowerBound, range.upperBound)
    if start == end { return nil }
    let isNegative = b[start] == 0x2d
    if isNegative { start += 1 }
    let isHex = b.has("0x", at: start) || b.has("0X", at: start)
    while end > start + 1 && [0x75, 0x6c, 0x79].contains(b[end - 1] | 0x20) { end -= 1 }
    guard let n = b.number((isHex ? start + 2 : start)..<max(end, isHex ? start + 2 : start), radix: isHex ? 16 : 10)
    else { return nil }
    if isNegative { return n <= 128 ? UInt8(truncatingIfNeeded: -n) : nil }
    return n <= 255 ? UInt8(n) : nil
  }

  private mutating func text(_ b: Span<UInt8>, _ at: inout Int, _ closer: UInt8, _ sink: inout TextSink) {
    if literal.isProton {
      var end = b.count
      while end > at && b[end - 1] != closer { end -= 1 }
      let stop = max(at, end - 1)
      while at < stop { b.unescapeHexOnly(&at, &sink) }
      if b.find("(truncated)", from: stop) != nil { sink.gap(nil) }
      at = b.count
      state = .outside
      return
    }
    while at < b.count {
      if b[at] == closer {
        at += 1
        state = .outside
        return
      }
      b.unescape(&at, &sink)
    }
  }

  /// A text in a list; Erlang writes the octets from 160 up as characters, unless it says that they are UTF-8.
  private mutating func quoted(_ b: Span<UInt8>, _ at: inout Int, _ closer: UInt8, _ sink: inout TextSink) {
    var end = at
    while end < b.count && b[end] != closer { end += b[end] == 0x5c ? 2 : 1 }
    end = min(end, b.count)
    let isUTF8 = form != .erlang || b.has("/utf8", at: end + 1)
    while at < end {
      if !isUTF8 && (b[at] == 0xc2 || b[at] == 0xc3) && at + 1 < end {
        sink.append(b[at] << 6 | b[at + 1] & 0x3f)
        at += 2
      } else {
        b.unescape(&at, &sink)
      }
    }
    if at >= b.count { return }
    at += 1
    state = .inside(.numbers, closer: listCloser)
    skipSize(b, &at)
  }
}
