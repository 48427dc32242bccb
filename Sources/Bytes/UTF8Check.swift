/// Validation of UTF-8 as Unicode defines it (no overlong forms, no surrogates, nothing above U+10FFFF).
extension Span where Element == UInt8 {
  /// The offset of the first byte that can't belong to UTF-8 text, or nil when all of it is well formed.
  package func firstInvalidUTF8() -> Int? {
    var i = 0
    let n = count
    while i < n {
      // Eight ASCII bytes at a time: most text is that.
      if i &+ 8 <= n && u64(i) & 0x8080_8080_8080_8080 == 0 {
        i &+= 8
        continue
      }
      let lead = self[i]
      if lead < 0x80 {
        i &+= 1
        continue
      }
      let length: Int
      var low: UInt8 = 0x80
      var high: UInt8 = 0xbf
      switch lead {
      case 0xc2...0xdf: length = 2
      case 0xe0: (length, low) = (3, 0xa0)
      case 0xed: (length, high) = (3, 0x9f)
      case 0xe1...0xef: length = 3
      case 0xf0: (length, low) = (4, 0x90)
      case 0xf4: (length, high) = (4, 0x8f)
      case 0xf1...0xf3: length = 4
      default: return i
      }
      if i &+ length > n { return i }
      if self[i &+ 1] < low || self[i &+ 1] > high { return i }
      var k = 2
      while k < length {
        if self[i &+ k] & 0xc0 != 0x80 { return i }
        k &+= 1
      }
      i &+= length
    }
    return nil
  }

  /// The offset of the first byte above 127, or nil.
  package func firstNonASCII() -> Int? {
    var i = 0
    while i &+ 8 <= count && u64(i) & 0x8080_8080_8080_8080 == 0 { i &+= 8 }
    while i < count {
      if self[i] >= 0x80 { return i }
      i &+= 1
    }
    return nil
  }

  /// The offset of the first byte from `start` on that is no printable ASCII, or a quote or a backslash; `count` when there
  /// is none.
  package func firstUnplain(from start: Int = 0) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    var i = start
    while i &+ 8 <= count {
      let word = unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
      let quote = word ^ ones &* 0x22
      let slash = word ^ ones &* 0x5c
      let delete = word ^ ones &* 0x7f
      // Each term sets the top bit of an octet it is about; of those behind the first it may set others.
      let found = (word | (word &- ones &* 0x20) | (quote &- ones) | (slash &- ones) | (delete &- ones)) & tops
      if found != 0 { break }
      i &+= 8
    }
    while i < count {
      let c = self[i]
      if c < 0x20 || c >= 0x7f || c == 0x22 || c == 0x5c { return i }
      i &+= 1
    }
    return count
  }
}
