/// Writing where there is room for all that can come: what a `ByteQueue` asks at every append is asked once. Each append
/// is still held against the room; what does not fit traps.
@safe package struct TailWriter: ~Copyable {
  @usableFromInline let start: UnsafeMutablePointer<UInt8>
  @usableFromInline let room: Int
  @usableFromInline package var count = 0

  @usableFromInline init(_ start: UnsafeMutablePointer<UInt8>, room: Int) {
    unsafe self.start = start
    self.room = room
  }

  @inlinable package var left: Int { room &- count }

  @inlinable @inline(__always)
  package mutating func append(_ byte: UInt8) {
    precondition(count < room)
    unsafe start[count] = byte
    count &+= 1
  }

  @inlinable package mutating func append(_ bytes: Span<UInt8>) {
    precondition(bytes.count <= room &- count)
    unsafe bytes.withUnsafeBufferPointer { p in
      if let base = p.baseAddress { unsafe copy(base, p.count) }
    }
  }

  @inlinable @inline(__always)
  package mutating func append(_ text: StaticString) {
    precondition(text.utf8CodeUnitCount <= room &- count)
    unsafe copy(text.utf8Start, text.utf8CodeUnitCount)
  }

  /// Copies what is known to fit. A call is dearer than a few octets, which two loads at either end, as wide as fits, and
  /// overlapping where they meet, move without a loop.
  @inlinable @inline(__always)
  mutating func copy(_ source: UnsafePointer<UInt8>, _ n: Int) {
    let from = unsafe UnsafeRawPointer(source)
    let to = unsafe UnsafeMutableRawPointer(start + count)
    if n > 32 {
      unsafe to.copyMemory(from: from, byteCount: n)
    } else if n >= 16 {
      let head = unsafe from.loadUnaligned(as: SIMD16<UInt8>.self)
      let tail = unsafe (from + (n &- 16)).loadUnaligned(as: SIMD16<UInt8>.self)
      unsafe to.storeBytes(of: head, as: SIMD16<UInt8>.self)
      unsafe (to + (n &- 16)).storeBytes(of: tail, as: SIMD16<UInt8>.self)
    } else if n >= 8 {
      let head = unsafe from.loadUnaligned(as: UInt64.self)
      let tail = unsafe (from + (n &- 8)).loadUnaligned(as: UInt64.self)
      unsafe to.storeBytes(of: head, as: UInt64.self)
      unsafe (to + (n &- 8)).storeBytes(of: tail, as: UInt64.self)
    } else if n >= 4 {
      let head = unsafe from.loadUnaligned(as: UInt32.self)
      let tail = unsafe (from + (n &- 4)).loadUnaligned(as: UInt32.self)
      unsafe to.storeBytes(of: head, as: UInt32.self)
      unsafe (to + (n &- 4)).storeBytes(of: tail, as: UInt32.self)
    } else if n > 0 {
      let target = unsafe start + count
      unsafe target[0] = source[0]
      unsafe target[n >> 1] = source[n >> 1]
      unsafe target[n &- 1] = source[n &- 1]
    }
    count &+= n
  }

  @inlinable package mutating func append(decimal value: UInt64) {
    if value < 10 { return append(0x30 &+ UInt8(truncatingIfNeeded: value)) }
    var digits = 1
    var bound: UInt64 = 10
    while digits < 20 && value >= bound {
      digits &+= 1
      bound = bound &* 10
    }
    precondition(digits <= room &- count)
    var rest = value
    var at = count &+ digits
    while at > count {
      at &-= 1
      let (tens, digit) = rest.quotientAndRemainder(dividingBy: 10)
      unsafe start[at] = 0x30 &+ UInt8(truncatingIfNeeded: digit)
      rest = tens
    }
    count &+= digits
  }

  package mutating func append(decimal value: Int64) {
    if value < 0 { append(0x2d) }
    append(decimal: value.magnitude)
  }

  /// RFC 4648 §4, padded.
  package mutating func append(base64 bytes: Span<UInt8>) {
    precondition((bytes.count &+ 2) / 3 &* 4 <= room &- count)
    var i = 0
    while i < bytes.count {
      let left = bytes.count &- i
      let second = left > 1 ? UInt32(bytes[i &+ 1]) << 8 : 0
      let third = left > 2 ? UInt32(bytes[i &+ 2]) : 0
      let v = UInt32(bytes[i]) << 16 | second | third
      append(base64Letter(v >> 18))
      append(base64Letter(v >> 12))
      append(left > 1 ? base64Letter(v >> 6) : 0x3d)
      append(left > 2 ? base64Letter(v) : 0x3d)
      i &+= 3
    }
  }

  /// The low `digits` hexadecimal digits of `value`.
  package mutating func append(hex value: UInt64, digits: Int) {
    for i in stride(from: digits - 1, through: 0, by: -1) {
      append(hexDigit(UInt8(truncatingIfNeeded: value >> (UInt64(i) * 4)) & 15))
    }
  }

  /// Takes back what was written since `count` was `n`.
  @inlinable package mutating func truncate(to n: Int) {
    precondition(n >= 0 && n <= count)
    count = n
  }

  /// Two lower-case digits a byte.
  @inlinable package mutating func append(hex bytes: Span<UInt8>) {
    for i in 0..<bytes.count {
      append(hexDigit(bytes[i] >> 4))
      append(hexDigit(bytes[i] & 15))
    }
  }
}

extension ByteQueue {
  /// Lends up to `room` bytes at the tail; what `body` wrote is appended when it returns true.
  @inlinable package mutating func write(room: Int, _ body: (inout TailWriter) -> Bool) -> Bool {
    reserve(room)
    let at = tail
    let written = unsafe storage.withUnsafeMutableBufferPointer { p in
      var writer = unsafe TailWriter(p.baseAddress! + at, room: room)
      return body(&writer) ? writer.count : -1
    }
    if written < 0 { return false }
    tail = at &+ written
    return true
  }
}

/// The letter of RFC 4648 §4 for the low six bits.
@inline(__always)
func base64Letter(_ v: UInt32) -> UInt8 {
  let v = UInt8(truncatingIfNeeded: v & 63)
  return switch v {
  case 0..<26: 0x41 &+ v
  case 26..<52: 0x47 &+ v
  case 52..<62: v &- 4
  case 62: 0x2b
  default: 0x2f
  }
}
