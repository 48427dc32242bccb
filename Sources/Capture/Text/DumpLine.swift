/// One line of a hexadecimal dump: an offset, groups of digits, and maybe a column of characters, which is told from the
/// groups by where it stands and never by what stands in it.
import Bytes

struct DumpLine {
  var offset: Int
  var offsetDigits: Int
  /// Digits in a group.
  var width = 0
  var octets: [UInt8] = []

  /// How the forms differ.
  struct Style {
    /// Digits of an offset.
    var offset: ClosedRange<Int>
    var hasPrefix = false
    var hasColon = false
    /// Spaces between offset and groups.
    var gap: ClosedRange<Int>
    /// So many spaces end the groups.
    var end: Int
    /// Digits of a group; empty: pairs of any number.
    var widths: [Int]
    var mostOctets: Int

    static func of(_ form: InputForm) -> Style? {
      switch form {
      case .xxd: Style(offset: 8...16, hasColon: true, gap: 1...1, end: 2, widths: [], mostOctets: 256)
      case .hexdumpC, .follow: Style(offset: 8...16, gap: 2...2, end: 3, widths: [2], mostOctets: 16)
      case .tcpdump:
        Style(offset: 4...8, hasPrefix: true, hasColon: true, gap: 2...2, end: 2, widths: [4], mostOctets: 16)
      case .tshark: Style(offset: 4...7, gap: 2...3, end: 3, widths: [2], mostOctets: 16)
      case .trace: Style(offset: 4...8, gap: 2...60, end: 3, widths: [2], mostOctets: 8)
      case .od: Style(offset: 6...16, gap: 1...2, end: 2, widths: [2, 3, 4, 6, 8, 16], mostOctets: 64)
      case .hexdump: Style(offset: 6...16, gap: 1...4, end: 5, widths: [4], mostOctets: 64)
      case .auto, .pcap, .pcapng, .raw, .hex, .base64, .c, .escaped, .python, .node, .go, .java, .dotnet,
        .nsdata, .erlang, .protonRaw, .protonFrm, .rhea, .json:
        nil
      }
    }
  }

  /// Reads the line; nil when it is none of that style's.
  init?(_ b: Span<UInt8>, _ style: Style) {
    var at = b.end(of: isSpace, from: 0)
    if style.hasPrefix {
      if !b.has("0x", at: at) { return nil }
      at += 2
    }
    let digits = b.end(of: isHex, from: at)
    offsetDigits = digits - at
    guard style.offset.contains(digits - at), let offset = b.number(at..<digits, radix: 16) else { return nil }
    self.offset = offset
    at = digits
    if style.hasColon {
      if at == b.count || b[at] != 0x3a { return nil }
      at += 1
    }
    let first = b.end(of: isSpace, from: at)
    if first == b.count {
      // Nothing but the offset: the end of the dump.
      if style.hasColon { return nil }
      return
    }
    if !style.gap.contains(first - at) { return nil }
    at = first
    while octets.count < style.mostOctets {
      let end = b.end(of: isHex, from: at)
      // Digits that go on as something else are no group.
      if end < b.count && !isSpace(b[end]) || !take(b, at..<end, style) { break }
      at = b.end(of: isSpace, from: end)
      if at - end >= style.end || at == b.count { break }
    }
    if octets.isEmpty { return nil }
  }

  private mutating func take(_ b: Span<UInt8>, _ digits: Range<Int>, _ style: Style) -> Bool {
    let n = digits.count
    if style.widths.isEmpty || style.widths == [4] && style.hasPrefix {
      // Octets in their order; the last group may be shorter.
      if n == 0 || n % 2 != 0 || (width != 0 && n > width) || octets.count + n / 2 > style.mostOctets { return false }
      if width == 0 { width = n }
      for i in stride(from: digits.lowerBound, to: digits.upperBound, by: 2) { octets.append(pair(b, i)) }
      return true
    }
    if !style.widths.contains(n) || (width != 0 && n != width) { return false }
    guard let value = b.number(digits, radix: n == 3 || n == 6 ? 8 : 16) ?? large(b, digits) else { return false }
    let size = n == 3 ? 1 : n == 6 ? 2 : n / 2
    if size < 8 && value >> (size * 8) != 0 || octets.count + size > style.mostOctets { return false }
    width = n
    // Words stand as the machine has them, which is the smallest octet first everywhere today.
    for i in 0..<size { octets.append(UInt8(truncatingIfNeeded: value >> (i * 8))) }
    return true
  }

  private func pair(_ b: Span<UInt8>, _ at: Int) -> UInt8 { hexValue(b[at])! << 4 | hexValue(b[at + 1])! }

  /// Sixteen digits can be more than an integer with a sign holds.
  private func large(_ b: Span<UInt8>, _ digits: Range<Int>) -> Int? {
    if digits.count != 16 { return nil }
    var value: UInt64 = 0
    for i in digits {
      guard let digit = hexValue(b[i]) else { return nil }
      value = value << 4 | UInt64(digit)
    }
    return Int(truncatingIfNeeded: value)
  }

  /// Octets of a group, when groups are words; 1 when octets stand in their order.
  var wordSize: Int { width == 6 ? 2 : width == 4 || width == 8 || width == 16 ? width / 2 : 1 }

  /// The offset when its digits are read in another base; nil when they can't be.
  func offset(radix: Int) -> Int? {
    if radix == 16 { return offset }
    var value = 0
    var place = 1
    var rest = offset
    while rest > 0 {
      if rest & 15 >= radix { return nil }
      value += (rest & 15) * place
      place *= radix
      rest >>= 4
    }
    return value
  }
}
