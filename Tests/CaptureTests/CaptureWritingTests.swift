/// What `--capture` writes, read back by our own reader; its checksums are added up here once more.
import Bytes
import Capture
import Support
import Testing

@Suite struct CaptureWritingTests {
  private static let time: Int64 = 1_700_000_000_123_456_789
  private static let local = PacketMaker.Address([10, 0, 0, 5], port: 41_022)
  private static let remote = PacketMaker.Address([10, 0, 0, 9], port: 5_672)

  private static func file(_ body: (inout ByteQueue) -> Void) -> [UInt8] {
    var q = ByteQueue()
    PcapngWriter.begin(application: "amqp test", to: &q)
    body(&q)
    return q.bytes
  }

  private static func octets(_ count: Int, _ seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 + seed) * 167 >> 3) }
  }

  /// One octet more than a packet takes, several packets, and none at all.
  @Test(arguments: [0, 1, 65_000, 65_001, 200_003]) func aConversationIsReadBack(_ count: Int) {
    let file = Self.file { q in
      var maker = PacketMaker(local: Self.local, remote: Self.remote, dialled: .local, time: Self.time, to: &q)
      maker.data(.local, Self.octets(count).span, time: Self.time + 1, to: &q)
      maker.data(.remote, Self.octets(5, 9).span, time: Self.time + 2, to: &q)
      maker.data(.local, Self.octets(3, 7).span, time: Self.time + 3, to: &q)
      maker.end(.local, time: Self.time + 4, to: &q)
      maker.end(.remote, time: Self.time + 5, to: &q)
    }
    let reading = readCapture(file, pieces: 4_096)
    #expect(reading.form == .pcapng && reading.failure == nil && reading.notes == [] && reading.gaps == [])
    #expect(reading.streams.count == 1)
    let stream = reading.streams.first
    #expect(stream?.forward == Self.octets(count) + Self.octets(3, 7))
    #expect(stream?.backward == Self.octets(5, 9))
    #expect(stream?.ending == .finished)
    #expect(
      stream?.description
        == StreamDescription(source: "10.0.0.5:41022", target: "10.0.0.9:5672", startSeen: true))
    #expect(reading.times.last == Self.time + 3, "to the nanosecond")
  }

  @Test func whoListensWasCalled() {
    let local = PacketMaker.Address([UInt8](repeating: 0, count: 15) + [1], port: 5_672)
    let remote = PacketMaker.Address([0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [2], port: 41_022)
    let file = Self.file { q in
      var maker = PacketMaker(local: local, remote: remote, dialled: .remote, time: Self.time, to: &q)
      maker.data(.remote, Self.octets(10).span, time: Self.time, to: &q)
    }
    let stream = readCapture(file).streams.first
    #expect(stream?.description == StreamDescription(source: "[fe80::2]:41022", target: "[::1]:5672", startSeen: true))
    #expect(stream?.forward == Self.octets(10))
  }

  @Test func connectionsOfOneFileAreApart() {
    let other = PacketMaker.Address([10, 0, 0, 5], port: 41_023)
    let file = Self.file { q in
      var first = PacketMaker(local: Self.local, remote: Self.remote, dialled: .local, time: Self.time, to: &q)
      var second = PacketMaker(local: other, remote: Self.remote, dialled: .local, time: Self.time, to: &q)
      for i in 0..<10 {
        first.data(.local, Self.octets(i, 1).span, time: Self.time, to: &q)
        second.data(.local, Self.octets(i, 2).span, time: Self.time, to: &q)
      }
    }
    let streams = readCapture(file).streams
    #expect(streams.map(\.forward) == [1, 2].map { seed in (0..<10).flatMap { Self.octets($0, seed) } })
  }

  /// RFC 1071: with its checksum every header adds up to all ones.
  @Test(arguments: [0, 1, 2, 3, 999, 65_000]) func checksumsAreRight(_ count: Int) throws {
    let file = Self.file { q in
      var maker = PacketMaker(local: Self.local, remote: Self.remote, dialled: .local, time: Self.time, to: &q)
      maker.data(.local, Self.octets(count).span, time: Self.time, to: &q)
    }
    var packets = 0
    var at = 0
    while at < file.count {
      let type = file.span.u32(at)
      let size = Int(file.span.u32(at + 4))
      if type == 6 {
        packets += 1
        let ip = Array(file[(at + 28 + 14)..<(at + 28 + Int(file.span.u32(at + 20)))])
        #expect(sum(Array(ip[..<20])) == 0xffff)
        let tcp = Array(ip[20...])
        #expect(sum(Array(ip[12..<20]) + [0, 6] + big(UInt16(tcp.count)) + tcp) == 0xffff)
        #expect(ip.span.u16(2) == UInt16(ip.count))
      }
      at += size
    }
    #expect(packets == (count == 0 ? 3 : 4))
  }

  private func sum(_ b: [UInt8]) -> Int {
    var sum = 0
    for i in stride(from: 0, to: b.count, by: 2) { sum += Int(b[i]) << 8 + (i + 1 < b.count ? Int(b[i + 1]) : 0) }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return sum
  }
}
