/// The byte queue that every buffer of the program is: filled at the tail, read and consumed at the head, contiguous in
/// between. It owns positions and growth and knows nothing of what the bytes mean.
///
/// A position is an offset into the storage. Positions stay good while bytes are consumed and appended within the
/// capacity, and until the next `fill` or `append` that has to compact or grow; so a slice of received bytes may be
/// kept until more is received, and no longer.
package struct ByteQueue: Sendable {
  /// All of `count` is usable room; what lies outside `head..<tail` is garbage.
  @usableFromInline package var storage: [UInt8]
  @usableFromInline package var head: Int
  @usableFromInline package var tail: Int

  /// An empty queue that takes its first memory when the first byte comes.
  package init() {
    storage = []
    head = 0
    tail = 0
  }

  /// A queue that holds a copy of `bytes`.
  package init(_ bytes: [UInt8]) {
    storage = bytes
    head = 0
    tail = bytes.count
  }

  @inlinable package var count: Int { tail - head }
  @inlinable package var isEmpty: Bool { tail == head }
  /// The positions of what is readable.
  @inlinable package var readable: Range<Int> { head..<tail }
  package var capacity: Int { storage.count }

  // MARK: Taking out

  /// Forgets the first `n` bytes; `n` must not exceed `count`.
  @inlinable package mutating func consume(_ n: Int) {
    precondition(n >= 0 && n <= tail - head)
    head += n
    if head == tail {
      head = 0
      tail = 0
    }
  }

  /// Forgets the first `n` bytes and keeps every position good, also when the queue runs empty.
  @inlinable package mutating func skip(_ n: Int) {
    precondition(n >= 0 && n <= tail - head)
    head += n
  }

  /// Forgets everything and keeps the memory.
  @inlinable package mutating func removeAll() {
    head = 0
    tail = 0
  }

  /// Takes back the last bytes so that `count` becomes `n`.
  @inlinable package mutating func truncate(to n: Int) {
    precondition(n >= 0 && n <= tail - head)
    tail = head + n
  }

  /// Gives memory beyond `limit` bytes back when the queue is empty: one large message must not be paid for ever.
  package mutating func release(above limit: Int) {
    if isEmpty && storage.count > limit { self = ByteQueue() }
  }

  /// Lends the bytes at `positions`, which must lie within what was written.
  @inlinable package func withBytes<R, E: Error>(
    _ positions: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    precondition(positions.upperBound <= tail)
    return try body(storage.span.extracting(positions))
  }

  /// Lends all that is readable.
  @inlinable package func withReadable<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try body(storage.span.extracting(head..<tail))
  }

  /// A copy of all that is readable.
  package var bytes: [UInt8] { Array(storage[head..<tail]) }

  // MARK: Putting in

  /// Makes room for `n` more bytes at the tail, by moving what is there to the front or else by growing.
  @inlinable package mutating func reserve(_ n: Int) {
    if storage.count - tail < n { makeRoom(n) }
  }

  @usableFromInline package mutating func makeRoom(_ n: Int) {
    let live = tail - head
    if storage.count - live >= n && live <= storage.count / 2 {
      unsafe storage.withUnsafeMutableBufferPointer { p in
        if let base = p.baseAddress { unsafe base.update(from: base + head, count: live) }
      }
    } else {
      let capacity = max(storage.count * 2, live + n, 512)
      let (old, start) = (storage, head)
      storage = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { p, initialized in
        unsafe old.withUnsafeBufferPointer { q in
          if live > 0 { unsafe p.baseAddress!.initialize(from: q.baseAddress! + start, count: live) }
        }
        initialized = capacity
      }
    }
    head = 0
    tail = live
  }

  /// Lets `body` write up to `room` bytes at the tail (a read from a socket, say); what it initialised is appended.
  /// - Returns: the number of bytes appended.
  @discardableResult
  package mutating func fill<E: Error>(
    room: Int, _ body: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    reserve(room)
    let start = tail
    var written = 0
    var failure: E?
    unsafe storage.withUnsafeMutableBytes { p in
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: p[start..<start + room])
      var output = unsafe OutputRawSpan(buffer: target, initializedCount: 0)
      do throws(E) { try body(&output) } catch { failure = error }
      written = unsafe output.finalize(for: target)
    }
    tail = start + written
    if let failure { throw failure }
    return written
  }

  @inlinable package mutating func append(_ byte: UInt8) {
    reserve(1)
    storage[tail] = byte
    tail += 1
  }

  @inlinable package mutating func append16(_ value: UInt16) { appendInteger(value) }
  @inlinable package mutating func append32(_ value: UInt32) { appendInteger(value) }
  @inlinable package mutating func append64(_ value: UInt64) { appendInteger(value) }

  /// Appends an integer in network byte order.
  @inlinable package mutating func appendInteger<T: FixedWidthInteger>(_ value: T) {
    let size = MemoryLayout<T>.size
    reserve(size)
    let at = tail
    unsafe storage.withUnsafeMutableBytes { p in
      unsafe p.storeBytes(of: value.bigEndian, toByteOffset: at, as: T.self)
    }
    tail += size
  }

  /// Overwrites four bytes at `position` with `value` in network byte order: a size that is known only afterwards.
  @inlinable package mutating func patch32(at position: Int, _ value: UInt32) {
    precondition(position >= 0 && position + 4 <= tail)
    unsafe storage.withUnsafeMutableBytes { p in
      unsafe p.storeBytes(of: value.bigEndian, toByteOffset: position, as: UInt32.self)
    }
  }

  /// The same with eight bytes.
  package mutating func patch64(at position: Int, _ value: UInt64) {
    precondition(position >= 0 && position + 8 <= tail)
    unsafe storage.withUnsafeMutableBytes { p in
      unsafe p.storeBytes(of: value.bigEndian, toByteOffset: position, as: UInt64.self)
    }
  }

  @inlinable package mutating func patch8(at position: Int, _ value: UInt8) {
    precondition(position < tail)
    storage[position] = value
  }

  @inlinable package mutating func append(_ bytes: Span<UInt8>) {
    let n = bytes.count
    if n == 0 { return }
    reserve(n)
    let at = tail
    unsafe storage.withUnsafeMutableBufferPointer { p in
      unsafe bytes.withUnsafeBufferPointer { q in
        unsafe (p.baseAddress! + at).update(from: q.baseAddress!, count: n)
      }
    }
    tail += n
  }

  package mutating func append(_ bytes: [UInt8]) { append(bytes.span) }

  package mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { p in unsafe append(p.span) }
  }

  package mutating func append(utf8 text: String) {
    var text = text
    text.withUTF8 { p in unsafe append(p.span) }
  }

  /// Appends `n` times the same byte.
  package mutating func append(repeating byte: UInt8, count n: Int) {
    reserve(n)
    for i in 0..<n { storage[tail + i] = byte }
    tail += n
  }
}
