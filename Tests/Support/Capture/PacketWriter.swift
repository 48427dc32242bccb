/// Packets as a network card would have them, written from the RFCs and without anything of `Capture`: TCP in IPv4 or IPv6
/// behind any of the link headers.

package struct TestEndpoint: Sendable {
  /// 4 or 16 octets.
  package var address: [UInt8]
  package var port: UInt16

  package init(_ address: [UInt8], _ port: UInt16) { (self.address, self.port) = (address, port) }

  package static let client = TestEndpoint([10, 0, 0, 5], 41_022)
  package static let server = TestEndpoint([10, 0, 0, 9], 5_672)
  package static let client6 = TestEndpoint([0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [1], 41_022)
  package static let server6 = TestEndpoint([UInt8](repeating: 0, count: 15) + [1], 5_672)
}

package struct TestSegment: Sendable {
  package var from: TestEndpoint
  package var to: TestEndpoint
  package var sequence: UInt32
  package var acknowledgment: UInt32 = 0
  /// "S", "SA", "A", "F", "R"
  package var flags = "A"
  package var payload: [UInt8] = []
  package var optionWords = 0

  package init(
    _ from: TestEndpoint, _ to: TestEndpoint, _ flags: String = "A", _ sequence: UInt32, ack: UInt32 = 0,
    _ payload: [UInt8] = []
  ) {
    (self.from, self.to, self.flags) = (from, to, flags)
    (self.sequence, self.acknowledgment, self.payload) = (sequence, ack, payload)
  }

  package var tcp: [UInt8] {
    var bits: UInt8 = 0
    for f in flags { bits |= ["F": 1, "S": 2, "R": 4, "P": 8, "A": 16][f]! }
    return big(from.port) + big(to.port) + big(sequence) + big(acknowledgment)
      + [UInt8(5 + optionWords) << 4, bits, 0xff, 0xff, 0, 0, 0, 0] + [UInt8](repeating: 1, count: optionWords * 4)
      + payload
  }

  package var ip: [UInt8] { from.address.count == 4 ? ipv4() : ipv6() }

  package func ipv4(total: Int? = nil, fragment: UInt16 = 0x4000, options: Int = 0) -> [UInt8] {
    let size = 20 + options * 4 + tcp.count
    return [UInt8(0x45 + options), 0] + big(UInt16(truncatingIfNeeded: total ?? size)) + [0, 1] + big(fragment)
      + [64, 6, 0, 0] + from.address + to.address + [UInt8](repeating: 0, count: options * 4) + tcp
  }

  /// - Parameter extensions: (number, octets with the first one left out) in front of TCP.
  package func ipv6(length: Int? = nil, extensions: [(UInt8, [UInt8])] = []) -> [UInt8] {
    var chain: [UInt8] = []
    for (i, e) in extensions.enumerated() {
      chain += [i + 1 < extensions.count ? extensions[i + 1].0 : 6] + e.1
    }
    return [0x60, 0, 0, 0] + big(UInt16(truncatingIfNeeded: length ?? chain.count + tcp.count))
      + [extensions.first?.0 ?? 6, 64] + from.address + to.address + chain + tcp
  }
}

package func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

package enum TestLink: UInt32, CaseIterable, Sendable {
  case null = 0
  case ethernet = 1
  case raw12 = 12
  case raw = 101
  case loop = 108
  case cooked = 113
  case ipv4 = 228
  case ipv6 = 229
  case cooked2 = 276

  /// The packet with this link's header, tags in front of the protocol where the link has such.
  package func frame(_ ip: [UInt8], tags: [UInt16] = []) -> [UInt8] {
    let isIPv6 = ip[0] >> 4 == 6
    var types: [UInt8] = []
    for tag in tags { types += big(tag) + [0, 7] }
    types += isIPv6 ? [0x86, 0xdd] : [0x08, 0x00]
    switch self {
    case .null: return [isIPv6 ? 30 : 2, 0, 0, 0] + ip
    case .loop: return [0, 0, 0, isIPv6 ? 30 : 2] + ip
    case .ethernet: return [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] + types + ip
    case .raw12, .raw, .ipv4, .ipv6: return ip
    case .cooked: return [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0] + types + ip
    case .cooked2:
      return types.prefix(2) + [0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0] + types.dropFirst(2) + ip
    }
  }
}
