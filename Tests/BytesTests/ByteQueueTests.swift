/// The queue under every buffer: what is appended comes out in order whatever moves or grows in between, and positions
/// are good for as long as its comment promises.
import Bytes
import Support
import Testing

@Suite struct ByteQueueTests {
  /// The queue against an array that does the same in the plainest way, over a long fixed sequence of steps.
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func likeAnArray(seed: UInt64) {
    var random = FixedRandom(seed: seed)
    var queue = ByteQueue()
    var model: [UInt8] = []
    for step in 0..<4_000 {
      let n = Int.random(in: 0...(step % 50 == 0 ? 3_000 : 40), using: &random)
      switch Int.random(in: 0..<9, using: &random) {
      case 0:
        let more = (0..<n).map { UInt8(truncatingIfNeeded: $0) }
        queue.append(more)
        model += more
      case 1:
        let value = random.next()
        queue.append64(value)
        model += withUnsafeBytes(of: value.bigEndian, Array.init)
      case 2:
        queue.append(repeating: 7, count: n)
        model += Array(repeating: 7, count: n)
      case 3, 4, 5:
        let m = min(n, model.count)
        queue.consume(m)
        model.removeFirst(m)
      case 6:
        let m = min(n, model.count)
        queue.skip(m)
        model.removeFirst(m)
      case 7:
        let m = max(0, model.count - n)
        queue.truncate(to: m)
        model.removeSubrange(m...)
      default:
        let filled = queue.fill(room: n) { out in for i in 0..<n { out.append(UInt8(truncatingIfNeeded: i)) } }
        #expect(filled == n)
        model += (0..<n).map { UInt8(truncatingIfNeeded: $0) }
      }
      #expect(queue.count == model.count)
      #expect(queue.isEmpty == model.isEmpty)
    }
    #expect(queue.bytes == model)
  }

  @Test func takesNoMemoryBeforeTheFirstByte() {
    var queue = ByteQueue()
    #expect(queue.capacity == 0)
    queue.append(1)
    #expect(queue.capacity == 512)
  }

  /// What is consumed makes room: a queue that is drained as fast as it is filled does not grow.
  @Test func reusesItsMemory() {
    var queue = ByteQueue()
    for _ in 0..<10_000 {
      queue.append(repeating: 1, count: 100)
      queue.consume(90)
      if queue.count > 200 { queue.consume(queue.count - 200) }
    }
    #expect(queue.capacity <= 1_024)
  }

  /// Appending one byte at a time must not move everything each time: growth doubles.
  @Test func growsByDoubling() {
    var queue = ByteQueue()
    var growths = 0
    var capacity = 0
    for i in 0..<1_000_000 {
      queue.append(UInt8(truncatingIfNeeded: i))
      if queue.capacity != capacity {
        growths += 1
        capacity = queue.capacity
      }
    }
    #expect(growths < 16)
    #expect(queue.count == 1_000_000)
  }

  @Test func positionsStayGoodUntilItHasToMove() {
    var queue = ByteQueue()
    queue.append(Array("abcdef".utf8))
    let slice = queue.readable.lowerBound + 2..<queue.readable.lowerBound + 4
    queue.skip(4)
    queue.append(repeating: 0, count: 500)
    #expect(queue.withBytes(slice) { $0.text } == "cd")
    // Emptied by skip, they stay; emptied by consume, the next byte takes their place.
    queue.skip(queue.count)
    #expect(queue.isEmpty)
    #expect(queue.withBytes(slice) { $0.text } == "cd")
    queue.consume(0)
    queue.append(1)
    #expect(queue.bytes == [1])
  }

  @Test func truncateTakesBackTheEnd() {
    var queue = ByteQueue(Array("abcdef".utf8))
    queue.consume(2)
    queue.truncate(to: 3)
    #expect(queue.bytes == Array("cde".utf8))
    queue.truncate(to: 0)
    #expect(queue.isEmpty)
    queue.append(Array("xy".utf8))
    #expect(queue.bytes == Array("xy".utf8))
  }

  @Test func patching() {
    var queue = ByteQueue()
    queue.append64(0)
    queue.consume(1)
    queue.patch32(at: queue.readable.lowerBound, 0x0102_0304)
    queue.patch8(at: queue.readable.upperBound - 1, 9)
    #expect(queue.bytes == [1, 2, 3, 4, 0, 0, 9])
  }

  private struct Broken: Error {}

  /// What was written before a failure is kept: those bytes were received.
  @Test func fillWithFailure() {
    var queue = ByteQueue([1])
    #expect(throws: Broken.self) {
      try queue.fill(room: 10) { out throws(Broken) in
        out.append(2)
        out.append(3)
        throw Broken()
      }
    }
    #expect(queue.bytes == [1, 2, 3])
    #expect(queue.fill(room: 10) { _ in } == 0)
    #expect(queue.fill(room: 0) { _ in } == 0)
    #expect(queue.bytes == [1, 2, 3])
  }

  @Test func givesLargeMemoryBackWhenEmpty() {
    var queue = ByteQueue()
    queue.append(repeating: 0, count: 100_000)
    queue.release(above: 1_000)
    #expect(queue.count == 100_000)
    queue.consume(100_000)
    queue.release(above: 1 << 20)
    #expect(queue.capacity >= 100_000)
    queue.release(above: 1_000)
    #expect(queue.capacity == 0)
  }

  @Test func integersAreBigEndian() {
    var queue = ByteQueue()
    queue.append16(0x0102)
    queue.append32(0x0304_0506)
    queue.append64(0x0708_090a_0b0c_0d0e)
    queue.appendInteger(UInt128(0x0f))
    #expect(queue.bytes == Array(1...14) + Array(repeating: 0, count: 15) + [15])
    queue.withReadable { b in
      #expect(b.u16(0) == 0x0102)
      #expect(b.u32(2) == 0x0304_0506)
      #expect(b.u64(6) == 0x0708_090a_0b0c_0d0e)
      #expect(b.integer(at: 14) == UInt128(0x0f))
    }
  }
}
