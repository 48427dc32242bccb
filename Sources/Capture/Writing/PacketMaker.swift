/// Octets of a conversation as the packets that might have carried it: TCP over IPv4 or IPv6 over Ethernet, with handshake,
/// sequence numbers, acknowledgements, checksums and end. The addresses are real, the cuts between packets are not.
package import Bytes

package struct PacketMaker: Sendable {
  package enum Side: Sendable { case local, remote }

  /// 4 or 16 octets, and a port.
  package struct Address: Sendable {
    package let octets: [UInt8]
    package let port: UInt16

    package init(_ octets: [UInt8], port: UInt16) { (self.octets, self.port) = (octets, port) }
  }

  /// Octets of a conversation in one packet: what IPv4 and IPv6 can say.
  static let largest = 65_000

  private struct End {
    let address: Address
    let link: UInt8
    /// The number of its next octet.
    var next: UInt32 = 0
    var hasEnded = false
  }

  private var local: End
  private var remote: End
  private var identification: UInt16 = 0

  private enum Flag {
    static let fin: UInt8 = 1
    static let syn: UInt8 = 2
    static let push: UInt8 = 8
    static let ack: UInt8 = 16
  }

  /// Begins with the handshake.
  /// - Parameter time: nanoseconds since 1970-01-01 UTC.
  package init(local: Address, remote: Address, dialled: Side, time: Int64, to q: inout ByteQueue) {
    self.local = End(address: local, link: 1)
    self.remote = End(address: remote, link: 2)
    let other: Side = dialled == .local ? .remote : .local
    segment(dialled, Flag.syn, time, to: &q)
    segment(other, Flag.syn | Flag.ack, time, to: &q)
    segment(dialled, Flag.ack, time, to: &q)
  }

  /// What `side` sent, in as many packets as it needs.
  package mutating func data(_ side: Side, _ octets: Span<UInt8>, time: Int64, to q: inout ByteQueue) {
    var at = 0
    while at < octets.count {
      let end = min(octets.count, at + PacketMaker.largest)
      let flags = Flag.ack | (end == octets.count ? Flag.push : 0)
      segment(side, flags, octets.extracting(at..<end), time, to: &q)
      at = end
    }
  }

  /// `side` sends nothing more.
  package mutating func end(_ side: Side, time: Int64, to q: inout ByteQueue) {
    if side == .local ? local.hasEnded : remote.hasEnded { return }
    segment(side, Flag.fin | Flag.ack, time, to: &q)
    segment(side == .local ? .remote : .local, Flag.ack, time, to: &q)
    if side == .local { local.hasEnded = true } else { remote.hasEnded = true }
  }

  // MARK: Segments

  private mutating func segment(_ side: Side, _ flags: UInt8, _ time: Int64, to q: inout ByteQueue) {
    let none: [UInt8] = []
    segment(side, flags, none.span, time, to: &q)
  }

  private mutating func segment(
    _ side: Side, _ flags: UInt8, _ payload: Span<UInt8>, _ time: Int64, to q: inout ByteQueue
  ) {
    let (from, to) = side == .local ? (local, remote) : (remote, local)
    identification &+= 1
    PcapngWriter.packet(time: time, isOutbound: side == .local, to: &q) { q in
      q.append([2, 0, 0, 0, 0, to.link, 2, 0, 0, 0, 0, from.link])
      let size = 20 + payload.count
      if from.address.octets.count == 4 {
        q.append([8, 0])
        ipv4(from.address, to.address, size, to: &q)
      } else {
        q.append([0x86, 0xdd])
        ipv6(from.address, to.address, size, to: &q)
      }
      let start = q.readable.upperBound
      q.append16(from.address.port)
      q.append16(to.address.port)
      q.append32(from.next)
      q.append32(flags & Flag.ack == 0 ? 0 : to.next)
      // Five words, and a window that is always open.
      q.append([0x50, flags, 0xff, 0xff, 0, 0, 0, 0])
      q.append(payload)
      var sum = Checksum()
      sum.add(from.address.octets.span)
      sum.add(to.address.octets.span)
      sum.add(UInt64(6 + size))
      q.withBytes(start..<q.readable.upperBound) { sum.add($0) }
      q.patch(at: start + 16, sum.value)
    }
    let length = UInt32(payload.count) + (flags & (Flag.syn | Flag.fin) == 0 ? 0 : 1)
    if side == .local { local.next &+= length } else { remote.next &+= length }
  }

  private func ipv4(_ from: Address, _ to: Address, _ size: Int, to q: inout ByteQueue) {
    let start = q.readable.upperBound
    q.append([0x45, 0])
    q.append16(UInt16(20 + size))
    q.append16(identification)
    // Don't fragment; 64 hops; TCP.
    q.append([0x40, 0, 64, 6, 0, 0])
    q.append(from.octets)
    q.append(to.octets)
    var sum = Checksum()
    q.withBytes(start..<start + 20) { sum.add($0) }
    q.patch(at: start + 10, sum.value)
  }

  private func ipv6(_ from: Address, _ to: Address, _ size: Int, to q: inout ByteQueue) {
    q.append32(0x6000_0000)
    q.append16(UInt16(size))
    q.append([6, 64])
    q.append(from.octets)
    q.append(to.octets)
  }
}

/// The Internet checksum, RFC 1071.
private struct Checksum {
  private var sum: UInt64 = 0

  mutating func add(_ number: UInt64) { sum += number }

  mutating func add(_ b: Span<UInt8>) {
    var at = 0
    while at + 4 <= b.count {
      sum += UInt64(b.u32(at))
      at += 4
    }
    if at + 2 <= b.count {
      sum += UInt64(b.u16(at))
      at += 2
    }
    if at < b.count { sum += UInt64(b[at]) << 8 }
  }

  var value: UInt16 {
    var folded = sum
    while folded > 0xffff { folded = (folded & 0xffff) + folded >> 16 }
    return ~UInt16(folded)
  }
}

extension ByteQueue {
  fileprivate mutating func patch(at position: Int, _ value: UInt16) {
    patch8(at: position, UInt8(value >> 8))
    patch8(at: position + 1, UInt8(value & 0xff))
  }
}
