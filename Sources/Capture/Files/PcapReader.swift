/// Cuts a pcap file into packets: 24 octets of file header, then 16 (24 in Kuznetzov's variant) before each packet.
import Bytes

struct PcapReader {
  private var order = ByteOrder(isLittle: true)
  /// Nanoseconds in a unit of the time stamp's lower half; 0 before the file header.
  private var unit: Int64 = 0
  private var linkType: UInt32 = 0
  private var recordHeader = 16
  private var packets = 0

  /// Whether a file that begins with these four octets is pcap.
  static func matches(_ b: Span<UInt8>) -> Bool {
    [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34, 0xd4c3_b2a1, 0x4d3c_b2a1, 0x34cd_b2a1].contains(b.u32(0))
  }

  /// Reads the packet at `at`, and moves `at` behind it.
  mutating func next(_ b: Span<UInt8>, _ at: inout Int) -> PacketStep {
    if unit == 0 {
      if b.count - at < 24 { return .needsMore }
      if !readHeader(b.extracting(at..<at + 24)) {
        return .failed("no pcap file: it does not begin with pcap's magic number")
      }
      at += 24
    }
    if b.count - at < recordHeader { return .needsMore }
    let captured = Int(order.u32(b, at + 8))
    if captured > longestPacket {
      return .failed("packet \(packets + 1) claims \(captured) octets: the file is damaged there")
    }
    let start = at + recordHeader
    if b.count - start < captured { return .needsMore }
    let time = Int64(order.u32(b, at)) * 1_000_000_000 + Int64(order.u32(b, at + 4)) * unit
    let cut = max(0, Int(order.u32(b, at + 12)) - captured)
    packets += 1
    at = start + captured
    return .packet(Packet(time: time, linkType: linkType, octets: start..<at, cut: cut))
  }

  /// What is missing at the end of the input; nil: nothing.
  func truncation(_ b: Span<UInt8>) -> String? {
    if unit == 0 { return "truncated pcap: \(b.count) of the file header's 24 octets" }
    if b.isEmpty { return nil }
    let size = b.count < recordHeader ? recordHeader : recordHeader + Int(order.u32(b, 8))
    return "truncated pcap: packet \(packets + 1) ends after \(b.count) of \(size) octets"
  }

  private mutating func readHeader(_ b: Span<UInt8>) -> Bool {
    order.isLittle = b[0] != 0xa1
    switch order.u32(b, 0) {
    case 0xa1b2_c3d4: unit = 1_000
    case 0xa1b2_3c4d: unit = 1
    case 0xa1b2_cd34: (unit, recordHeader) = (1_000, 24)
    default: return false
    }
    // The upper half says whether frames end with their checksums.
    linkType = order.u32(b, 20) & 0xffff
    return true
  }
}
