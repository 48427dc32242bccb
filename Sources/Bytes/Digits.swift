/// Numbers to text and back without a formatter in between: decimal, hexadecimal, base64.
extension ByteQueue {
  package mutating func append(decimal value: UInt64) {
    if value < 10 {
      append(0x30 &+ UInt8(value))
      return
    }
    var digits = 1
    var rest = value
    while rest >= 10 {
      rest /= 10
      digits += 1
    }
    reserve(digits)
    rest = value
    var at = tail + digits
    for _ in 0..<digits {
      at -= 1
      storage[at] = 0x30 &+ UInt8(rest % 10)
      rest /= 10
    }
    tail += digits
  }

  package mutating func append(decimal value: Int64) {
    if value < 0 { append(0x2d) }
    append(decimal: value.magnitude)
  }

  package mutating func append(decimal value: Int) { append(decimal: Int64(value)) }

  /// Two lower-case digits a byte.
  package mutating func append(hex bytes: Span<UInt8>) {
    reserve(bytes.count * 2)
    for i in 0..<bytes.count { append(hex: bytes[i]) }
  }

  @inlinable package mutating func append(hex byte: UInt8) {
    append(hexDigit(byte >> 4))
    append(hexDigit(byte & 15))
  }

  /// The low `digits` hexadecimal digits of `value`.
  package mutating func append(hex value: UInt64, digits: Int) {
    for i in stride(from: digits - 1, through: 0, by: -1) {
      append(hexDigit(UInt8(truncatingIfNeeded: value >> (UInt64(i) * 4)) & 15))
    }
  }

  /// RFC 4648 §4, padded.
  package mutating func append(base64 bytes: Span<UInt8>) {
    reserve((bytes.count + 2) / 3 * 4)
    var i = 0
    while i < bytes.count {
      let left = bytes.count - i
      let b0 = UInt32(bytes[i])
      let b1 = left > 1 ? UInt32(bytes[i + 1]) : 0
      let b2 = left > 2 ? UInt32(bytes[i + 2]) : 0
      let v = b0 << 16 | b1 << 8 | b2
      append(base64Letter(v >> 18))
      append(base64Letter(v >> 12))
      append(left > 1 ? base64Letter(v >> 6) : 0x3d)
      append(left > 2 ? base64Letter(v) : 0x3d)
      i += 3
    }
  }
}

@inlinable package func hexDigit(_ v: UInt8) -> UInt8 { v < 10 ? 0x30 &+ v : 0x57 &+ v }

/// The value of a hexadecimal digit.
package func hexValue(_ c: UInt8) -> UInt8? {
  switch c {
  case 0x30...0x39: c - 0x30
  case 0x41...0x46: c - 0x37
  case 0x61...0x66: c - 0x57
  default: nil
  }
}

/// The bytes that base64 text (RFC 4648 §4; padding optional, no white space) stands for, or nil when it is not that.
package func bytesFromBase64(_ text: Span<UInt8>) -> [UInt8]? {
  var end = text.count
  while end > 0 && text[end - 1] == 0x3d && text.count - end < 2 { end -= 1 }
  if end % 4 == 1 || (end != text.count && text.count % 4 != 0) { return nil }
  var out: [UInt8] = []
  out.reserveCapacity(end / 4 * 3 + 2)
  var bits: UInt32 = 0
  var have = 0
  for i in 0..<end {
    let v: UInt32
    switch text[i] {
    case 0x41...0x5a: v = UInt32(text[i]) - 0x41
    case 0x61...0x7a: v = UInt32(text[i]) - 0x61 + 26
    case 0x30...0x39: v = UInt32(text[i]) - 0x30 + 52
    case 0x2b: v = 62
    case 0x2f: v = 63
    default: return nil
    }
    bits = bits << 6 | v
    have += 6
    if have >= 8 {
      have -= 8
      out.append(UInt8(truncatingIfNeeded: bits >> UInt32(have)))
    }
  }
  return out
}

/// The bytes that an even run of hexadecimal digits stands for, or nil when it is not that.
package func bytesFromHex(_ text: Span<UInt8>) -> [UInt8]? {
  if text.count % 2 != 0 { return nil }
  var out: [UInt8] = []
  out.reserveCapacity(text.count / 2)
  var i = 0
  while i < text.count {
    guard let high = hexValue(text[i]), let low = hexValue(text[i + 1]) else { return nil }
    out.append(high << 4 | low)
    i += 2
  }
  return out
}
