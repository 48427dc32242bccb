/// From a captured packet to the TCP segment in it: link layers, VLAN tags, IPv4 and IPv6.
import Bytes

struct TCPSegment {
  var source: Endpoint
  var target: Endpoint
  var sequence: UInt32
  var acknowledgment: UInt32
  var flags: UInt8
  /// Where its captured payload stands in the input.
  var payload: Range<Int>
  /// Octets of payload behind it that were not captured.
  var cut: Int

  static let fin: UInt8 = 1
  static let syn: UInt8 = 2
  static let rst: UInt8 = 4
  static let ack: UInt8 = 16
}

/// What a packet was.
enum PacketContent {
  case segment(TCPSegment)
  /// No TCP, or not internet at all.
  case otherProtocol
  case fragment
  /// Its headers are cut off or contradict themselves.
  case broken
  case unknownLink
}

extension TCPSegment {
  /// Reads the packet in `octets` of `b`.
  static func read(_ b: Span<UInt8>, _ packet: Packet) -> PacketContent {
    let end = packet.octets.upperBound
    var at = packet.octets.lowerBound
    var etherType: UInt16?
    switch packet.linkType {
    case 1:  // Ethernet
      if at + 14 > end { return .broken }
      etherType = b.u16(at + 12)
      at += 14
    case 113:  // Linux cooked
      if at + 16 > end { return .broken }
      etherType = b.u16(at + 14)
      at += 16
    case 276:  // Linux cooked, version 2
      if at + 20 > end { return .broken }
      etherType = b.u16(at)
      at += 20
    case 0, 108: at += 4  // BSD loopback: an address family that differs from system to system, so the version decides
    case 12, 14, 101, 228, 229: break  // nothing in front of IP
    default: return .unknownLink
    }
    // VLAN tags, those of providers in front
    while let type = etherType, type == 0x8100 || type == 0x88a8 || type == 0x9100 {
      if at + 4 > end { return .broken }
      etherType = b.u16(at + 2)
      at += 4
    }
    if let etherType, etherType != 0x0800 && etherType != 0x86dd { return .otherProtocol }
    if at + 20 > end { return .broken }
    switch b[at] >> 4 {
    case 4: return readIPv4(b, at, end, packet.cut)
    case 6: return readIPv6(b, at, end, packet.cut)
    default: return etherType == nil ? .otherProtocol : .broken
    }
  }

  private static func readIPv4(_ b: Span<UInt8>, _ start: Int, _ end: Int, _ cut: Int) -> PacketContent {
    let header = Int(b[start] & 15) * 4
    if header < 20 || start + header > end { return .broken }
    // Anything but the last fragment, or all of it, says "more" or has an offset.
    if b.u16(start + 6) & 0x3fff != 0 { return b[start + 9] == 6 ? .fragment : .otherProtocol }
    if b[start + 9] != 6 { return .otherProtocol }
    // Segments that the network card was to cut have no length yet.
    let total = Int(b.u16(start + 2))
    let length = total == 0 ? end - start + cut : total
    if length < header { return .broken }
    let source = Endpoint(high: 0, low: UInt64(b.u32(start + 12)), port: 0, isIPv6: false)
    let target = Endpoint(high: 0, low: UInt64(b.u32(start + 16)), port: 0, isIPv6: false)
    return readTCP(b, start + header, end, length - header, source, target)
  }

  private static func readIPv6(_ b: Span<UInt8>, _ start: Int, _ end: Int, _ cut: Int) -> PacketContent {
    if start + 40 > end { return .broken }
    var at = start + 40
    let said = Int(b.u16(start + 4))
    let length = said == 0 ? end - at + cut : said
    var next = b[start + 6]
    while next != 6 {
      let size: Int
      switch next {
      case 0, 43, 60, 135, 139, 140:
        if at + 8 > end { return .broken }
        size = 8 + Int(b[at + 1]) * 8
      case 51:
        if at + 8 > end { return .broken }
        size = 8 + Int(b[at + 1]) * 4
      case 44:
        if at + 8 > end { return .broken }
        if b.u16(at + 2) & 0xfff9 != 0 { return b[at] == 6 ? .fragment : .otherProtocol }
        size = 8
      default: return .otherProtocol
      }
      next = b[at]
      at += size
      if at > end { return .broken }
    }
    let source = Endpoint(high: b.u64(start + 8), low: b.u64(start + 16), port: 0, isIPv6: true)
    let target = Endpoint(high: b.u64(start + 24), low: b.u64(start + 32), port: 0, isIPv6: true)
    return readTCP(b, at, end, length - (at - start - 40), source, target)
  }

  /// - Parameter length: octets of header and payload, as IP said.
  private static func readTCP(
    _ b: Span<UInt8>, _ at: Int, _ end: Int, _ length: Int, _ source: Endpoint, _ target: Endpoint
  ) -> PacketContent {
    if at + 20 > end || length < 20 { return .broken }
    let header = Int(b[at + 12] >> 4) * 4
    if header < 20 || header > length { return .broken }
    var (source, target) = (source, target)
    source.port = b.u16(at)
    target.port = b.u16(at + 2)
    let start = min(at + header, end)
    let captured = min(length - header, end - start)
    return .segment(
      TCPSegment(
        source: source, target: target, sequence: b.u32(at + 4), acknowledgment: b.u32(at + 8), flags: b[at + 13],
        payload: start..<start + captured, cut: length - header - captured))
  }
}
