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

  @inlinable package mutating func append(_ byte: UInt8) {
    precondition(count < room)
    unsafe start[count] = byte
    count &+= 1
  }

  @inlinable package mutating func append(_ bytes: Span<UInt8>) {
    let n = bytes.count
    precondition(n <= room &- count)
    // A call is dearer than a few octets.
    if n <= 16 {
      for i in 0..<n { unsafe start[count &+ i] = bytes[i] }
    } else {
      unsafe bytes.withUnsafeBufferPointer { unsafe (start + count).update(from: $0.baseAddress!, count: n) }
    }
    count &+= n
  }

  @inlinable package mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { p in unsafe append(p.span) }
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
