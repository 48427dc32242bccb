/// One packet of a capture file, and what the readers of both file formats share.
import Bytes

struct Packet {
  /// Nanoseconds since the epoch; nil when the file has no time for it, or an impossible one.
  var time: Int64?
  /// As registered with tcpdump.org: 1 is Ethernet.
  var linkType: UInt32
  /// Where its captured octets stand in the input.
  var octets: Range<Int>
  /// Octets that were on the wire and are not in the file (the snapshot length cut them).
  var cut: Int
}

enum PacketStep {
  case packet(Packet)
  case needsMore
  /// The file can't be read beyond this.
  case failed(String)
}

/// The order in which a file's numbers are written.
struct ByteOrder {
  var isLittle: Bool

  @inline(__always) func u16(_ b: Span<UInt8>, _ at: Int) -> UInt16 { isLittle ? b.u16(at).byteSwapped : b.u16(at) }
  @inline(__always) func u32(_ b: Span<UInt8>, _ at: Int) -> UInt32 { isLittle ? b.u32(at).byteSwapped : b.u32(at) }
  @inline(__always) func u64(_ b: Span<UInt8>, _ at: Int) -> UInt64 { isLittle ? b.u64(at).byteSwapped : b.u64(at) }
}

/// A packet that claims more octets than this is not one: the largest snapshot length that libpcap knows for what we read
/// is a quarter of it.
let longestPacket = 1 << 20
