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
  }

  private static let mostInterfaces = 65_536
  /// Options beyond this are not looked for.
  private static let longestInterfaceBlock = 65_536

  static func matches(_ b: Span<UInt8>) -> Bool { b.u32(0) == Block.section }

  mutating func next(_ input: inout ByteQueue) -> PacketStep {
    while true {
      if skipping > 0 {
        let n = min(skipping, input.count)
        skipping -= n
        pass(n, &input)
        if skipping > 0 { return .needsMore }
      }
      if input.count < 12 { return .needsMore }
      var type: UInt32 = 0
      var length = 0
      let sized = input.withReadable { b in
        if b.u32(0) == Block.section {
          // The byte order is part of the block, and its length is written in it.
          switch b.u32(8) {
          case 0x1a2b_3c4d: order.isLittle = false
          case 0x4d3c_2b1a: order.isLittle = true
          default: return false
          }
        }
        (type, length) = (order.u32(b, 0), Int(order.u32(b, 4)))
        return true
      }
      if !sized { return .failed("pcapng section at offset \(offset): no byte-order magic") }
      if !sectionSeen && type != Block.section { return .failed("no pcapng file: it does not begin with a section") }
      if length < 12 || length % 4 != 0 {
        return .failed("pcapng block at offset \(offset): length \(length) is impossible")
      }
      switch type {
      case Block.section:
        if length < 28 { return .failed("pcapng section at offset \(offset): length \(length) is impossible") }
        sectionSeen = true
        interfaces.removeAll(keepingCapacity: true)
        skipping = length
      case Block.interface:
        if length < 20 { return .failed("pcapng interface at offset \(offset): length \(length) is impossible") }
        let kept = min(length, Self.longestInterfaceBlock)
        if input.count < kept { return .needsMore }
        if interfaces.count == Self.mostInterfaces {
          return .failed("pcapng interface at offset \(offset): more than \(Self.mostInterfaces)")
        }
        let interface = input.withReadable { readInterface($0.extracting(0..<kept)) }
        interfaces.append(interface)
        skipping = length
      case Block.enhancedPacket, Block.obsoletePacket, Block.simplePacket:
        if length > longestPacket + 65_536 {
          return .failed("pcapng packet at offset \(offset) claims \(length) octets: the file is damaged there")
        }
        if input.count < length { return .needsMore }
        packets += 1
        guard let packet = readPacket(type, length, input) else {
          return .failed("pcapng packet at offset \(offset): its lengths or its interface are impossible")
        }
        pass(length, &input)
        return .packet(packet)
      default: skipping = length
      }
    }
  }

  func truncation(_ input: ByteQueue) -> String? {
    if input.isEmpty && skipping == 0 { return nil }
    return "truncated pcapng: the block after packet \(packets) is not all there"
  }

  private mutating func pass(_ n: Int, _ input: inout ByteQueue) {
    input.skip(n)
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

  private func readPacket(_ type: UInt32, _ length: Int, _ input: ByteQueue) -> Packet? {
    let start = input.readable.lowerBound
    return input.withReadable { b in
      let header = type == Block.simplePacket ? 12 : 28
      if length < header + 4 { return nil }
      let room = length - header - 4
      var number = 0
      var time: UInt64?
      var captured = 0
      var original = 0
      if type == Block.simplePacket {
        original = Int(order.u32(b, 8))
      } else {
        number = type == Block.enhancedPacket ? Int(order.u32(b, 8)) : Int(order.u16(b, 8))
        time = UInt64(order.u32(b, 12)) << 32 | UInt64(order.u32(b, 16))
        captured = Int(order.u32(b, 20))
        original = Int(order.u32(b, 24))
      }
      if number >= interfaces.count { return nil }
      let interface = interfaces[number]
      if type == Block.simplePacket {
        let snapshot = interface.snapshotLength
        captured = min(original, snapshot == 0 ? original : snapshot, room)
      }
      if captured > room { return nil }
      let octets = start + header..<start + header + captured
      return Packet(
        time: time.flatMap { nanoseconds($0, interface) }, linkType: interface.linkType, octets: octets,
        cut: max(0, original - captured))
    }
  }

  /// Nil when the time is none that nanoseconds in 64 bits can say.
  private func nanoseconds(_ stamp: UInt64, _ interface: Interface) -> Int64? {
    var seconds: UInt64
    var rest: UInt64
    switch interface.resolution {
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
