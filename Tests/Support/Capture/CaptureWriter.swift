/// Capture files as tcpdump and Wireshark write them, in either byte order, from the formats' descriptions and without
/// anything of `Capture`.

package struct TestPacket: Sendable {
  package var octets: [UInt8]
  /// Nanoseconds since the epoch.
  package var time: UInt64 = 1_700_000_000_123_456_789
  /// Octets that it had on the wire; nil: those it has.
  package var original: Int?

  package init(_ octets: [UInt8], time: UInt64 = 1_700_000_000_123_456_000, original: Int? = nil) {
    (self.octets, self.time, self.original) = (octets, time, original)
  }
}

package struct CaptureWriter: Sendable {
  package var octets: [UInt8] = []
  package let isLittle: Bool

  package init(isLittle: Bool = true) { self.isLittle = isLittle }

  package func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: isLittle ? value.littleEndian : value.bigEndian) { Array($0) }
  }

  // MARK: pcap

  package mutating func pcapHeader(link: TestLink, nanoseconds: Bool = false) {
    octets += number(nanoseconds ? 0xa1b2_3c4d as UInt32 : 0xa1b2_c3d4) + number(2 as UInt16) + number(4 as UInt16)
    octets += number(0 as UInt64) + number(262_144 as UInt32) + number(link.rawValue)
  }

  package mutating func pcapPacket(_ p: TestPacket, nanoseconds: Bool = false) {
    let fraction = p.time % 1_000_000_000 / (nanoseconds ? 1 : 1_000)
    octets += number(UInt32(p.time / 1_000_000_000)) + number(UInt32(fraction))
    octets += number(UInt32(p.octets.count)) + number(UInt32(p.original ?? p.octets.count)) + p.octets
  }

  package static func pcap(
    _ packets: [TestPacket], link: TestLink = .ethernet, isLittle: Bool = true, nanoseconds: Bool = false
  ) -> [UInt8] {
    var w = CaptureWriter(isLittle: isLittle)
    w.pcapHeader(link: link, nanoseconds: nanoseconds)
    for p in packets { w.pcapPacket(p, nanoseconds: nanoseconds) }
    return w.octets
  }

  // MARK: pcapng

  package mutating func block(_ type: UInt32, _ body: [UInt8]) {
    let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
    octets += number(type) + number(UInt32(padded.count + 12)) + padded + number(UInt32(padded.count + 12))
  }

  package mutating func section() {
    block(0x0a0d_0d0a, number(0x1a2b_3c4d as UInt32) + number(1 as UInt16) + number(0 as UInt16) + number(UInt64.max))
  }

  /// - Parameter options: (code, value).
  package mutating func interface(_ link: TestLink, snapshot: UInt32 = 0, options: [(UInt16, [UInt8])] = []) {
    var body = number(UInt16(link.rawValue)) + number(0 as UInt16) + number(snapshot)
    for (code, value) in options {
      body += number(code) + number(UInt16(value.count)) + value
      body += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }
    if !options.isEmpty { body += number(0 as UInt32) }
    block(1, body)
  }

  /// - Parameter stamp: in the interface's unit; nil: microseconds.
  package mutating func enhanced(_ p: TestPacket, interface: UInt32 = 0, stamp: UInt64? = nil) {
    let stamp = stamp ?? p.time / 1_000
    block(
      6,
      number(interface) + number(UInt32(stamp >> 32)) + number(UInt32(truncatingIfNeeded: stamp))
        + number(UInt32(p.octets.count)) + number(UInt32(p.original ?? p.octets.count)) + p.octets)
  }

  package mutating func simple(_ p: TestPacket) {
    block(3, number(UInt32(p.original ?? p.octets.count)) + p.octets)
  }

  package mutating func obsolete(_ p: TestPacket, interface: UInt16 = 0) {
    let stamp = p.time / 1_000
    block(
      2,
      number(interface) + number(0 as UInt16) + number(UInt32(stamp >> 32)) + number(UInt32(truncatingIfNeeded: stamp))
        + number(UInt32(p.octets.count)) + number(UInt32(p.original ?? p.octets.count)) + p.octets)
  }

  package static func pcapng(_ packets: [TestPacket], link: TestLink = .ethernet, isLittle: Bool = true) -> [UInt8] {
    var w = CaptureWriter(isLittle: isLittle)
    w.section()
    w.interface(link)
    for p in packets { w.enhanced(p) }
    return w.octets
  }
}
