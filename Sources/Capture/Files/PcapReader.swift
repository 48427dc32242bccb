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

  mutating func next(_ input: inout ByteQueue) -> PacketStep {
    if unit == 0 {
      if input.count < 24 { return .needsMore }
      let isPcap = input.withReadable { readHeader($0) }
      if !isPcap { return .failed("no pcap file: it does not begin with pcap's magic number") }
      input.skip(24)
    }
    if input.count < recordHeader { return .needsMore }
    let order = order
    let (seconds, fraction, captured, original) = input.withReadable { b in
      (order.u32(b, 0), order.u32(b, 4), Int(order.u32(b, 8)), Int(order.u32(b, 12)))
    }
    if captured > longestPacket {
      return .failed("packet \(packets + 1) claims \(captured) octets: the file is damaged there")
    }
    if input.count < recordHeader + captured { return .needsMore }
    packets += 1
    let start = input.readable.lowerBound + recordHeader
    input.skip(recordHeader + captured)
    return .packet(
      Packet(
        time: Int64(seconds) * 1_000_000_000 + Int64(fraction) * unit, linkType: linkType,
        octets: start..<start + captured, cut: max(0, original - captured)))
  }

  /// What is missing at the end of the input; nil: nothing.
  func truncation(_ input: ByteQueue) -> String? {
    if unit == 0 { return "truncated pcap: \(input.count) of the file header's 24 octets" }
    if input.isEmpty { return nil }
    let order = order
    let size =
      input.count < recordHeader
      ? recordHeader : recordHeader + input.withReadable { Int(order.u32($0, 8)) }
    return "truncated pcap: packet \(packets + 1) ends after \(input.count) of \(size) octets"
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
