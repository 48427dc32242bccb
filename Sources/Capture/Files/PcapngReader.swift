/// Cuts a pcapng file into packets: blocks of a type, a length and the length again behind them, in sections that have
/// their own byte order and interfaces. Blocks that hold no packets are passed over without being kept.
import Bytes

struct PcapngReader {
  private var order = ByteOrder(isLittle: true)
  private var interfaces: [Interface] = []
  private var sectionSeen = false
  /// Octets of a block that are still to be passed over.
  private var skipping = 0
  /// Octets of the file before what is readable.
  private var offset = 0
  private var packets = 0

  private struct Interface {
    var linkType: UInt32
    var snapshotLength: Int
    var resolution = Resolution.decimal(6)
    /// Seconds to add.
    var offset: Int64 = 0
  }

  private enum Resolution {
    /// 10⁻ⁿ seconds.
    case decimal(Int)
    /// 2⁻ⁿ seconds.
    case binary(Int)
  }

  private enum Block {
    static let section: UInt32 = 0x0a0d_0d0a
    static let interface: UInt32 = 1
    static let obsoletePacket: UInt32 = 2
    static let simplePacket: UInt32 = 3
    static let enhancedPacket: UInt32 = 6

    /// The octets of a block without options and contents.
    static func smallest(_ type: UInt32) -> Int {
      switch type {
      case section: 28
      case interface: 20
      case simplePacket: 16
      case obsoletePacket, enhancedPacket: 32
      default: 12
      }
    }
  }

  private static let mostInterfaces = 65_536
  /// Options beyond this are not looked for.
  private static let longestInterfaceBlock = 65_536

  static func matches(_ b: Span<UInt8>) -> Bool { b.u32(0) == Block.section }

  /// Reads on to the next packet after `at`, and moves `at` behind it.
  mutating func next(_ b: Span<UInt8>, _ at: inout Int) -> PacketStep {
    while true {
      if skipping > 0 {
        let n = min(skipping, b.count - at)
        skipping -= n
        pass(n, &at)
        if skipping > 0 { return .needsMore }
      }
      let available = b.count - at
      if available < 12 { return .needsMore }
      if b.u32(at) == Block.section {
        // The byte order is part of the block, and its length is written in it.
        switch b.u32(at + 8) {
        case 0x1a2b_3c4d: order.isLittle = false
        case 0x4d3c_2b1a: order.isLittle = true
        default: return .failed("pcapng section at offset \(offset): no byte-order magic")
        }
      }
      let type = order.u32(b, at)
      let length = Int(order.u32(b, at + 4))
      if !sectionSeen && type != Block.section { return .failed("no pcapng file: it does not begin with a section") }
      if length < Block.smallest(type) || length % 4 != 0 {
        return .failed("pcapng block at offset \(offset): length \(length) is impossible")
      }
      switch type {
      case Block.section:
        sectionSeen = true
        interfaces.removeAll(keepingCapacity: true)
        skipping = length
      case Block.interface:
        let kept = min(length, Self.longestInterfaceBlock)
        if available < kept { return .needsMore }
        if interfaces.count == Self.mostInterfaces {
          return .failed("pcapng interface at offset \(offset): more than \(Self.mostInterfaces)")
        }
        interfaces.append(readInterface(b.extracting(at..<at + kept)))
        skipping = length
      case Block.enhancedPacket, Block.obsoletePacket, Block.simplePacket:
        if length > longestPacket + 65_536 {
          return .failed("pcapng packet at offset \(offset) claims \(length) octets: the file is damaged there")
        }
        if available < length { return .needsMore }
        guard let packet = readPacket(type, length, b, at) else {
          return .failed("pcapng packet at offset \(offset): its lengths or its interface are impossible")
        }
        packets += 1
        pass(length, &at)
        return .packet(packet)
      default: skipping = length
      }
    }
  }

  func truncation(_ b: Span<UInt8>) -> String? {
    if b.isEmpty && skipping == 0 { return nil }
    return "truncated pcapng: the block after packet \(packets) is not all there"
  }

  private mutating func pass(_ n: Int, _ at: inout Int) {
    at += n
    offset += n
  }

  private func readInterface(_ b: Span<UInt8>) -> Interface {
    var interface = Interface(linkType: UInt32(order.u16(b, 8)), snapshotLength: Int(order.u32(b, 12)))
    var at = 16
    while at + 4 <= b.count - 4 {
      let code = order.u16(b, at)
      let length = Int(order.u16(b, at + 2))
      if code == 0 || at + 4 + length > b.count - 4 { break }
      if code == 9 && length == 1 {
        let value = b[at + 4]
        interface.resolution = value & 0x80 == 0 ? .decimal(Int(value)) : .binary(Int(value & 0x7f))
      }
      if code == 14 && length == 8 { interface.offset = Int64(bitPattern: order.u64(b, at + 4)) }
      at += 4 + (length + 3) / 4 * 4
    }
    return interface
  }

  private func readPacket(_ type: UInt32, _ length: Int, _ b: Span<UInt8>, _ at: Int) -> Packet? {
    let isSimple = type == Block.simplePacket
    let start = at + (isSimple ? 12 : 28)
    let room = at + length - 4 - start
    let number = isSimple ? 0 : type == Block.enhancedPacket ? Int(order.u32(b, at + 8)) : Int(order.u16(b, at + 8))
    if number >= interfaces.count { return nil }
    var time: Int64?
    var captured: Int
    let original: Int
    if isSimple {
      let snapshot = interfaces[number].snapshotLength
      original = Int(order.u32(b, at + 8))
      captured = min(original, snapshot == 0 ? original : snapshot, room)
    } else {
      let stamp = UInt64(order.u32(b, at + 12)) << 32 | UInt64(order.u32(b, at + 16))
      time = nanoseconds(stamp, interfaces[number])
      captured = Int(order.u32(b, at + 20))
      original = Int(order.u32(b, at + 24))
    }
    if captured > room { return nil }
    return Packet(
      time: time, linkType: interfaces[number].linkType, octets: start..<start + captured,
      cut: max(0, original - captured))
  }

  /// Nil when the time is none that nanoseconds in 64 bits can say.
  private func nanoseconds(_ stamp: UInt64, _ interface: Interface) -> Int64? {
    var seconds: UInt64
    var rest: UInt64
    switch interface.resolution {
    case .decimal(6) where interface.offset == 0 && stamp < 1 << 53: return Int64(stamp) * 1_000
    case .decimal(let digits):
      if digits > 19 { return nil }
      var unit: UInt64 = 1
      for _ in 0..<digits { unit &*= 10 }
      (seconds, rest) = stamp.quotientAndRemainder(dividingBy: unit)
      if digits <= 9 {
        for _ in digits..<9 { rest &*= 10 }
      } else {
        for _ in 9..<digits { rest /= 10 }
      }
    case .binary(let bits):
      if bits > 63 { return nil }
      seconds = stamp >> UInt64(bits)
      rest = stamp & ((1 << UInt64(bits)) &- 1)
      // rest < 2^bits, so the quotient is below 10⁹.
      let product = rest.multipliedFullWidth(by: 1_000_000_000)
      rest = bits == 0 ? 0 : product.high << UInt64(64 - bits) | product.low >> UInt64(bits)
    }
    let (whole, overflow) = Int64(clamping: seconds).addingReportingOverflow(interface.offset)
    let (scaled, overflowAgain) = whole.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflowAtLast) = scaled.addingReportingOverflow(Int64(rest))
    return overflow || overflowAgain || overflowAtLast ? nil : sum
  }
}
