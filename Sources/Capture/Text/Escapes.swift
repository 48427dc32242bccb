/// Backslash escapes as C, Python, Go, JavaScript and Erlang write them.
import Bytes

extension Span where Element == UInt8 {
  /// Appends the octets that the character or escape at `at` stands for, and moves `at` behind it.
  func unescape(_ at: inout Int, _ sink: inout TextSink) {
    if self[at] != 0x5c || at + 1 == count {
      // A backslash at the very end joins the line with the next one.
      if self[at] != 0x5c { sink.append(self[at]) }
      at += 1
      return
    }
    let c = self[at + 1]
    at += 2
    switch c {
    case 0x78:  // x
      if !appendHex(&at, &sink) {
        sink.append(0x5c)
        sink.append(c)
      }
    case 0x75:  // u
      guard at + 4 <= count, let value = number(at..<at + 4, radix: 16) else { return sink.append(c) }
      at += 4
      if value < 0x100 { sink.append(UInt8(value)) } else { sink.append(utf8: value) }
    case 0x30...0x37:
      var value = Int(c & 7)
      var digits = 1
      while digits < 3, at < count, isOctal(self[at]), value < 32 {
        value = value * 8 + Int(self[at] & 7)
        at += 1
        digits += 1
      }
      sink.append(UInt8(truncatingIfNeeded: value))
    case 0x61: sink.append(7)  // a
    case 0x62: sink.append(8)  // b
    case 0x65: sink.append(27)  // e
    case 0x66: sink.append(12)  // f
    case 0x6e: sink.append(10)  // n
    case 0x72: sink.append(13)  // r
    case 0x74: sink.append(9)  // t
    case 0x76: sink.append(11)  // v
    default: sink.append(c)
    }
  }

  /// \xHH and nothing else.
  func unescapeHexOnly(_ at: inout Int, _ sink: inout TextSink) {
    if has("\\x", at: at) {
      var digits = at + 2
      if appendHex(&digits, &sink) {
        at = digits
        return
      }
    }
    sink.append(self[at])
    at += 1
  }

  private func appendHex(_ at: inout Int, _ sink: inout TextSink) -> Bool {
    guard at < count, let first = hexValue(self[at]) else { return false }
    if at + 1 < count, let second = hexValue(self[at + 1]) {
      sink.append(first << 4 | second)
      at += 2
    } else {
      sink.append(first)
      at += 1
    }
    return true
  }
}

extension TextSink {
  /// A character above U+00FF below U+10000.
  mutating func append(utf8 value: Int) {
    if value < 0x800 {
      append(UInt8(0xc0 | value >> 6))
    } else {
      append(UInt8(0xe0 | value >> 12))
      append(UInt8(0x80 | value >> 6 & 63))
    }
    append(UInt8(0x80 | value & 63))
  }
}
