/// Checked reads from a span in network byte order. Every one of them traps outside the span: callers compare lengths
/// first, because too few bytes is an answer of theirs and not an accident.
extension Span where Element == UInt8 {
  /// The integer at `offset`, which must leave room for it.
  @inlinable package func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self, at offset: Int) -> T
  {
    precondition(offset >= 0 && offset &+ MemoryLayout<T>.size <= count)
    return unsafe T(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  @inlinable package func u16(_ offset: Int) -> UInt16 { integer(at: offset) }
  @inlinable package func u32(_ offset: Int) -> UInt32 { integer(at: offset) }
  @inlinable package func u64(_ offset: Int) -> UInt64 { integer(at: offset) }

  /// Whether the bytes are the same.
  package func matches(_ other: Span<UInt8>) -> Bool {
    if count != other.count { return false }
    var i = 0
    while i &+ 8 <= count {
      if integer(UInt64.self, at: i) != other.integer(UInt64.self, at: i) { return false }
      i &+= 8
    }
    while i < count {
      if self[i] != other[i] { return false }
      i &+= 1
    }
    return true
  }

  /// Whether the bytes are this text.
  package func matches(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { p in unsafe matches(p.span) }
  }

  /// A copy as an array.
  @inlinable package var array: [UInt8] {
    unsafe withUnsafeBufferPointer { unsafe Array($0) }
  }

  /// The bytes as text; anything that is not UTF-8 is replaced.
  package var text: String {
    unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// The position of the first `byte` at or after `start`, looked at eight bytes at a time.
  @inlinable package func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    var i = start
    let ones: UInt64 = 0x0101_0101_0101_0101
    let pattern = ones &* UInt64(byte)
    while i &+ 8 <= count {
      let word = unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self)) ^ pattern
      let found = (word &- ones) & ~word & 0x8080_8080_8080_8080
      if found != 0 { return i &+ found.trailingZeroBitCount / 8 }
      i &+= 8
    }
    while i < count {
      if self[i] == byte { return i }
      i &+= 1
    }
    return nil
  }
}

extension Array where Element == UInt8 {
  /// The UTF-8 bytes of a text.
  package init(utf8 text: String) { self = Array(text.utf8) }
}

extension OutputRawSpan {
  /// Appends a copy of `bytes`, for which there must be room.
  package mutating func append(copying bytes: Span<UInt8>) {
    for i in 0..<bytes.count { unsafe append(bytes[i], as: UInt8.self) }
  }
}
