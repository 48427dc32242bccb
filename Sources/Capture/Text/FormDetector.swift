/// Tells from the beginning of an input what it is. Forms with unmistakable marks come first, then dumps by the shape of
/// their lines, then hexadecimal digits, and base64 last, because an even run of digits is base64, too.
import Bytes

enum FormDetector {
  /// Octets that are looked at.
  static let sample = 8_192

  enum Answer {
    case form(InputForm)
    /// Nobody can read that; why.
    case unreadable(String)
  }

  /// Whether that begins a capture file, which nothing behind it can change.
  static func isCapture(_ b: Span<UInt8>) -> Bool {
    b.count >= 4 && (PcapReader.matches(b) || PcapngReader.matches(b))
  }

  /// - Parameter b: the first octets of the input, `sample` of them or all there are.
  static func detect(_ b: Span<UInt8>) -> Answer {
    if b.count >= 4 {
      if PcapReader.matches(b) { return .form(.pcap) }
      if PcapngReader.matches(b) { return .form(.pcapng) }
    }
    if b.has("\u{1f}", at: 0) && b.count > 1 && b[1] == 0x8b { return .unreadable("gzip: unpack it first") }
    if b.count > 3 && b.u32(0) == 0x28b5_2ffd { return .unreadable("zstd: unpack it first") }
    if b.count > 5 && b.u32(0) == 0xfd37_7a58 && b.u16(4) == 0x5a00 { return .unreadable("xz: unpack it first") }
    if b.has("snoop", at: 0) && b.count > 5 && b[5] == 0 {
      return .unreadable("a snoop capture: convert it with editcap first")
    }
    if b.count > 1 && (b.u16(0) == 0xfffe || b.u16(0) == 0xfeff) && isUTF16(b) {
      return .unreadable("UTF-16 text: convert it to UTF-8 first")
    }
    if !isText(b) { return .form(.raw) }
    for greeting in ["GET ", "HTTP/", "SSH-", "PROXY "] as [StaticString] where b.has(greeting, at: 0) {
      return .form(.raw)
    }
    return text(b)
  }

  private static func isUTF16(_ b: Span<UInt8>) -> Bool {
    b.count >= 4 && (b[2] == 0) != (b[3] == 0)
  }

  /// Characters, tabs and line ends.
  private static func isText(_ b: Span<UInt8>) -> Bool {
    for i in 0..<b.count {
      let c = b[i]
      if c < 0x20 && c != 0x09 && c != 0x0a && c != 0x0d && c != 0x1b || c == 0x7f { return false }
    }
    // A character may be cut off at the end.
    guard let invalid = b.firstInvalidUTF8() else { return true }
    return invalid + 4 > b.count
  }

  /// In the order in which they are asked, each about every line.
  private static let asked: [InputForm] = [
    .node, .json, .follow, .protonRaw, .protonFrm, .rhea, .tcpdump, .trace, .xxd, .hexdumpC, .tshark, .hexdump, .od,
    .erlang, .nsdata, .python, .go, .escaped, .c, .java, .dotnet, .hex, .base64,
  ]

  private static func text(_ b: Span<UInt8>) -> Answer {
    var first: Int?
    var start = b.has("\u{feff}", at: 0) ? 3 : 0
    var isOnlySpace = true
    var hasMixedIndentation = (tab: false, none: false)
    while start < b.count {
      let end = b.firstIndex(of: 0x0a, from: start) ?? b.count
      let plain = b.extracting(start..<end).withoutColours
      let isReturned = !plain.isEmpty && plain[plain.count - 1] == 0x0d
      let line = plain.span.extracting(0..<plain.count - (isReturned ? 1 : 0))
      start = end + 1
      if line.end(of: isSpace, from: 0) == line.count { continue }
      isOnlySpace = false
      if HexReader.isClean(line) && line.count > 8 {
        if line[0] == 0x09 { hasMixedIndentation.tab = true } else { hasMixedIndentation.none = true }
      }
      for (i, form) in asked.enumerated() where i < first ?? .max {
        if isLine(line, of: form) {
          first = i
          break
        }
      }
    }
    if isOnlySpace { return .unreadable(b.isEmpty ? "it is empty" : "it holds only white space") }
    if hasMixedIndentation.tab && hasMixedIndentation.none && first == asked.firstIndex(of: .hex) {
      return .form(.follow)
    }
    if let first { return .form(asked[first]) }
    return .unreadable("text, and neither hexadecimal nor base64 nor any other spelling of octets in it")
  }

  private static func isLine(_ b: Span<UInt8>, of form: InputForm) -> Bool {
    switch form {
    case .node: b.find("<Buffer ") != nil || b.find("\"Buffer\"") != nil
    case .json:
      b.has("{\"", at: b.end(of: isSpace, from: 0)) || b.has("[{\"", at: b.end(of: isSpace, from: 0))
    case .follow: b.has("Follow: tcp,", at: 0) || (b.firstIndex(of: 0x7c, from: 0) == nil && dump(b, form))
    case .protonRaw: b.find("RAW:").map { b.firstIndex(of: 0x22, from: $0) != nil } ?? false
    case .protonFrm: TraceReader.isProtonFrame(b)
    case .rhea: TraceReader.rhea(b) != nil
    case .trace: b.find(" frame size=") != nil && dump(b, .trace)
    case .tcpdump, .xxd, .tshark: dump(b, form)
    // Digits in groups are a dump only where a column of characters or an offset of 0 says so.
    case .hexdumpC: b.firstIndex(of: 0x7c, from: 0) != nil && dump(b, form)
    case .od, .hexdump: dump(b, form, digits: 6...7, mostOffset: 0)
    case .erlang:
      b.find("<<").map { at in
        let start = b.end(of: isSpace, from: at + 2)
        return start == b.count || isDigit(b[start]) || b[start] == 0x22 || b[start] == 0x3e
      } ?? false
    case .nsdata: b.find("bytes = 0x") != nil || isAngled(b)
    case .python: isPython(b)
    case .go:
      b.find("[]byte{") != nil || b.find("[]uint8{") != nil || b.find("[]byte(\"") != nil || isList(b, separator: 0x20)
    case .escaped: isEscaped(b)
    case .c: isLooseHex(b)
    case .java: isList(b, separator: 0x2c)
    case .dotnet: isDashed(b)
    case .hex: HexReader.isClean(b) || HexReader.findRun(b, from: 0) != nil
    case .base64: Base64Reader.isLikely(b) || Base64Reader.find(b) != nil
    case .auto, .pcap, .pcapng, .raw: false
    }
  }

  private static func dump(
    _ b: Span<UInt8>, _ form: InputForm, digits: ClosedRange<Int> = 1...16, mostOffset: Int = .max
  ) -> Bool {
    guard let style = DumpLine.Style.of(form), let line = DumpReader.find(b, style), !line.octets.isEmpty else {
      return false
    }
    return digits.contains(line.offsetDigits) && line.offset <= mostOffset
  }

  /// "<0000001f 02000000>"
  private static func isAngled(_ b: Span<UInt8>) -> Bool {
    guard let at = b.firstIndex(of: 0x3c, from: 0) else { return false }
    let end = b.end(of: isHex, from: at + 1)
    return end - at - 1 == 8 && end < b.count && (isSpace(b[end]) || b[end] == 0x3e)
  }

  private static func isPython(_ b: Span<UInt8>) -> Bool {
    for opener in ["b'", "b\""] as [StaticString] {
      if let at = b.find(opener), at == 0 || !isWord(b[at - 1]), b.firstIndex(of: b[at + 1], from: at + 2) != nil {
        return true
      }
    }
    return false
  }

  private static func isEscaped(_ b: Span<UInt8>) -> Bool {
    var at = 0
    while let i = b.firstIndex(of: 0x5c, from: at) {
      if b.has("\\x", at: i), i + 3 < b.count, isHex(b[i + 2]), isHex(b[i + 3]) { return true }
      if b.has("\\u00", at: i) || b.has("\\00", at: i) || b.has("\\0\\", at: i) { return true }
      at = i + 1
    }
    return false
  }

  /// 0xHH, twice at least, or once with nothing else on the line
  private static func isLooseHex(_ b: Span<UInt8>) -> Bool {
    var found = 0
    var at = 0
    while let i = b.find("0x", from: at) ?? b.find("0X", from: at) {
      let end = b.end(of: isWord, from: i)
      if (i == 0 || !isWord(b[i - 1])) && (3...4).contains(end - i) { found += 1 }
      at = end
    }
    return found > 1
  }

  private static func isList(_ b: Span<UInt8>, separator: UInt8) -> Bool {
    // A list of a number a line
    if separator == 0x2c && b[b.count - 1] == 0x5b && b.end(of: isSpace, from: 0) == b.count - 1 { return true }
    for opener in [0x5b, 0x7b] as [UInt8] where opener == 0x5b || separator == 0x2c {
      var at = 0
      while let i = b.firstIndex(of: opener, from: at) {
        let end = b.end(of: { isWord($0) || $0 == 0x2d }, from: b.end(of: isSpace, from: i + 1))
        if end < b.count && b[end] == separator && LiteralReader.isList(b, from: i + 1) { return true }
        at = i + 1
      }
    }
    return false
  }

  /// "00-00-00-1F"
  private static func isDashed(_ b: Span<UInt8>) -> Bool {
    var at = b.end(of: isSpace, from: 0)
    var pairs = 0
    while at + 2 < b.count && isHex(b[at]) && isHex(b[at + 1]) && b[at + 2] == 0x2d {
      at += 3
      pairs += 1
    }
    return pairs >= 3 && HexReader.isClean(b)
  }
}
