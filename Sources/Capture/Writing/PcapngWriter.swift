/// The blocks of a pcapng file: one section with one Ethernet interface, in network byte order, times in nanoseconds. Packets
/// are made by `PacketMaker`; a file is somebody else's.
package import Bytes

package enum PcapngWriter {
  /// What the file begins with.
  package static func begin(application: String, to q: inout ByteQueue) {
    block(0x0a0d_0d0a, to: &q) { q in
      q.append32(0x1a2b_3c4d)
      q.append16(1)
      q.append16(0)
      // Nobody knows how long the section gets.
      q.append64(.max)
      option(4, Array(application.utf8), to: &q)
      q.append32(0)
    }
    block(1, to: &q) { q in
      // Ethernet.
      q.append16(1)
      q.append16(0)
      q.append32(0)
      option(2, Array("amqp".utf8), to: &q)
      // The unit of times: 10⁻⁹ s.
      option(9, [9], to: &q)
      q.append32(0)
    }
  }

  /// - Parameter time: nanoseconds since 1970-01-01 UTC.
  static func packet(time: Int64, isOutbound: Bool, to q: inout ByteQueue, _ body: (inout ByteQueue) -> Void) {
    block(6, to: &q) { q in
      q.append32(0)
      q.append32(UInt32(truncatingIfNeeded: time >> 32))
      q.append32(UInt32(truncatingIfNeeded: time))
      let lengths = q.readable.upperBound
      q.append64(0)
      let start = q.count
      body(&q)
      let size = q.count - start
      q.patch32(at: lengths, UInt32(size))
      q.patch32(at: lengths + 4, UInt32(size))
      q.append(repeating: 0, count: (4 - size % 4) % 4)
      // epb_flags: which way it went.
      option(2, [0, 0, 0, isOutbound ? 2 : 1], to: &q)
      q.append32(0)
    }
  }

  /// Type and length, what `body` appends, the length again.
  private static func block(_ type: UInt32, to q: inout ByteQueue, _ body: (inout ByteQueue) -> Void) {
    // Positions are good for as long as nothing has to move.
    q.reserve(PacketMaker.largest + 256)
    let start = q.count
    q.append32(type)
    q.append32(0)
    body(&q)
    let size = UInt32(q.count - start + 4)
    q.append32(size)
    q.patch32(at: q.readable.lowerBound + start + 4, size)
  }

  private static func option(_ code: UInt16, _ value: [UInt8], to q: inout ByteQueue) {
    q.append16(code)
    q.append16(UInt16(value.count))
    q.append(value)
    q.append(repeating: 0, count: (4 - value.count % 4) % 4)
  }
}
