/// Reassembly: whatever order the segments come in, the octets come in theirs.
import Bytes
import Capture
import Support
import Testing

private func capture(_ segments: [TestSegment]) -> Reading {
  let packets = segments.enumerated().map { TestPacket($1.ip, time: UInt64($0) * 1_000) }
  return readCapture(CaptureWriter.pcap(packets, link: .raw))
}

/// `text` as segments of `size` octets from the client, the first with this sequence number.
private func segments(_ text: [UInt8], from first: UInt32, size: Int = 4, ack: UInt32 = 0) -> [TestSegment] {
  stride(from: 0, to: text.count, by: size).map {
    TestSegment(
      .client, .server, "A", first &+ UInt32($0), ack: ack, Array(text[$0..<min($0 + size, text.count)]))
  }
}

private func handshake(_ first: UInt32) -> [TestSegment] {
  [
    TestSegment(.client, .server, "S", first &- 1), TestSegment(.server, .client, "SA", 999, ack: first),
  ]
}

private let text = (0..<100).map { UInt8($0) }

@Suite struct TCPTests {
  @Test(arguments: [1, 0xffff_fff0, 0x7fff_fff0, 0] as [UInt32])
  func anyOrder(_ first: UInt32) {
    var random = FixedRandom(seed: UInt64(first) + 1)
    for _ in 0..<50 {
      let shuffled = segments(text, from: first).shuffled(using: &random)
      let reading = capture(handshake(first) + shuffled)
      #expect(reading.streams.first?.forward == text)
      #expect(reading.gaps == [])
    }
  }

  @Test func overlapsAndRepetitions() {
    var random = FixedRandom(seed: 7)
    for _ in 0..<200 {
      var pieces = segments(text, from: 50, size: 10)
      for _ in 0..<30 {
        let start = Int.random(in: 0..<100, using: &random)
        let end = Int.random(in: start..<min(start + 30, 100), using: &random) + 1
        pieces.append(TestSegment(.client, .server, "A", 50 + UInt32(start), Array(text[start..<end])))
      }
      let reading = capture(handshake(50) + pieces.shuffled(using: &random))
      #expect(reading.streams.first?.forward == text)
      #expect(reading.gaps == [])
    }
  }

  @Test func theStartOfAConnectionInTheWrongOrder() {
    let all = handshake(1) + segments(text, from: 1, size: 50)
    for order in [[2, 0, 1, 3], [0, 2, 1, 3], [1, 0, 2, 3], [2, 3, 1, 0], [3, 2, 1, 0]] {
      let reading = capture(order.map { all[$0] })
      #expect(reading.streams.map(\.forward) == [text], "\(order)")
      #expect(reading.streams.first?.description.source == "10.0.0.5:41022", "\(order)")
      #expect(reading.streams.first?.description.startSeen == true, "\(order)")
    }
  }

  @Test func fromTheMiddle() {
    var pieces = segments(text, from: 5_000)
    pieces.swapAt(0, 2)
    let reading = capture(pieces)
    #expect(reading.streams.map(\.forward) == [text])
    #expect(reading.streams.first?.description.startSeen == false)
    #expect(reading.streams.first?.ending == .inputEnded)
  }

  @Test func bothDirectionsFromTheMiddleKeepTheirOrder() {
    let reading = capture([
      TestSegment(.client, .server, "A", 10, ack: 70, [1]), TestSegment(.server, .client, "A", 70, ack: 11, [2]),
      TestSegment(.client, .server, "A", 11, ack: 71, [3]), TestSegment(.server, .client, "A", 71, ack: 12, [4]),
      TestSegment(.client, .server, "A", 12, ack: 72, [5]), TestSegment(.server, .client, "A", 72, ack: 13, [6]),
    ])
    #expect(reading.streams.first?.forward == [1, 3, 5])
    #expect(reading.streams.first?.backward == [2, 4, 6])
    #expect(reading.times == [0, 1_000, 2_000, 3_000, 4_000, 5_000])
    let short = capture([
      TestSegment(.client, .server, "A", 10, ack: 70, [1]), TestSegment(.server, .client, "A", 70, ack: 11, [2]),
      TestSegment(.client, .server, "A", 11, ack: 71, [3]),
    ])
    #expect(short.times == [0, 1_000, 2_000])
  }

  @Test func missingAtTheEnd() {
    var pieces = segments(text, from: 1, size: 10)
    pieces.remove(at: 3)
    let reading = capture(handshake(1) + pieces)
    #expect(reading.streams.first?.forward == Array(text[..<30] + text[40...]))
    #expect(reading.gaps == ["0>10"])
  }

  @Test func missingAndAcknowledged() {
    var pieces = segments([UInt8](repeating: 9, count: 1_000), from: 1, size: 10)
    pieces.remove(at: 3)
    pieces.insert(TestSegment(.server, .client, "A", 1_000, ack: 61), at: 8)
    var packets = (handshake(1) + pieces).map { TestPacket($0.ip) }
    packets.removeLast(40)
    var reader = CaptureReader()
    reader.append(CaptureWriter.pcap(packets, link: .raw).span)
    var gap: Int?
    var count = 0
    while let event = reader.nextEvent() {
      if case .gap(_, _, let n, _) = event { gap = n }
      if case .octets(_, _, _, let range) = event { count += range.count }
    }
    // The input has not ended, and what followed the gap is out.
    #expect(gap == 10)
    #expect(count > 300)
  }

  @Test func missingForEver() {
    var pieces = segments([UInt8](repeating: 9, count: 4_000), from: 1, size: 10)
    pieces.remove(at: 3)
    let packets = (handshake(1) + pieces).map { TestPacket($0.ip) }
    var reader = CaptureReader()
    reader.append(CaptureWriter.pcap(packets, link: .raw).span)
    var count = 0
    while let event = reader.nextEvent() {
      if case .octets(_, _, _, let range) = event { count += range.count }
    }
    #expect(count == 3_990)
  }

  @Test func portsUsedAgain() {
    let first = handshake(1) + segments(text, from: 1)
    let second = handshake(70_000) + segments(text.reversed(), from: 70_000)
    var reading = capture(first + second)
    #expect(reading.streams.map(\.forward) == [text, text.reversed()])
    #expect(reading.streams.map(\.ending) == [.forgotten, .inputEnded])
    let fins = [
      TestSegment(.client, .server, "FA", 101, ack: 1_000), TestSegment(.server, .client, "FA", 1_000, ack: 102),
    ]
    reading = capture(first + fins + second)
    #expect(reading.streams.map(\.ending) == [.finished, .inputEnded])
    #expect(reading.streams.map(\.forward) == [text, text.reversed()])
    // Without its SYN the other connection is known by its answer, or by numbers far away.
    reading = capture(first + fins + second.dropFirst())
    #expect(reading.streams.map(\.forward) == [text, text.reversed()])
    for far in [0x8000_0000, 0xf000_0000] as [UInt32] {
      reading = capture(first + segments(text.reversed(), from: far))
      #expect(reading.streams.map(\.forward) == [text, text.reversed()])
    }
  }

  @Test func repeatedHandshakeIsTheSameConnection() {
    let h = handshake(1)
    let reading = capture(h + h + segments(text, from: 1, size: 50) + [h[0], h[1]])
    #expect(reading.streams.map(\.forward) == [text])
  }

  @Test func resetClosesAndLateRepetitionsAreNothingNew() {
    let pieces = segments(text, from: 1, size: 50)
    let reading = capture(handshake(1) + pieces + [TestSegment(.server, .client, "R", 1_000)] + pieces)
    #expect(reading.streams.map(\.forward) == [text])
    #expect(reading.streams.map(\.ending) == [.reset])
    #expect(reading.notes == [])
    let late = capture(
      handshake(1) + pieces + [
        TestSegment(.server, .client, "R", 1_000), TestSegment(.client, .server, "A", 101, [1, 2]),
      ])
    #expect(late.notes == ["2 octets left out: outside of their connection"])
  }

  @Test func endInTheWrongOrder() {
    var pieces = segments(text, from: 1, size: 25)
    pieces[3].flags = "FA"
    pieces.swapAt(2, 3)
    let fin = TestSegment(.server, .client, "FA", 1_000, ack: 102)
    let reading = capture(handshake(1) + [fin] + pieces)
    #expect(reading.streams.map(\.forward) == [text])
    #expect(reading.streams.map(\.ending) == [.finished])
  }

  @Test func dataInTheHandshake() {
    let reading = capture([
      TestSegment(.client, .server, "S", 0, [1, 2]), TestSegment(.server, .client, "SA", 10, ack: 3),
      TestSegment(.client, .server, "A", 3, ack: 11, [3]),
    ])
    #expect(reading.streams.map(\.forward) == [[1, 2, 3]])
  }

  @Test func onlyTheAnswerWasSeen() {
    let reading = capture([
      TestSegment(.server, .client, "SA", 10, ack: 3), TestSegment(.server, .client, "A", 11, ack: 3, [7]),
      TestSegment(.client, .server, "A", 3, ack: 12, [3]),
    ])
    #expect(reading.streams.map(\.forward) == [[3]])
    #expect(reading.streams.map(\.backward) == [[7]])
    #expect(reading.streams.first?.description.source == "10.0.0.5:41022")
  }

  @Test func manyConnectionsAtOnce() {
    var segments: [TestSegment] = []
    for round in 0..<3 {
      for n in 0..<500 {
        let client = TestEndpoint([10, 1, UInt8(n >> 8), UInt8(n & 255)], 1_000)
        if round == 0 { segments.append(TestSegment(client, .server, "S", UInt32(n))) }
        segments.append(TestSegment(client, .server, "A", UInt32(n) + 1 + UInt32(round), [UInt8(round)]))
      }
    }
    let reading = capture(segments)
    #expect(reading.streams.count == 500)
    #expect(reading.streams.allSatisfy { $0.forward == [0, 1, 2] })
  }

  @Test func moreConnectionsThanThereIsRoomFor() {
    var segments: [TestSegment] = []
    for n in 0..<6_000 {
      let client = TestEndpoint([10, 1, UInt8(n >> 8), UInt8(n & 255)], 1_000)
      segments.append(TestSegment(client, .server, "S", 5))
      segments.append(TestSegment(client, .server, "A", 7, [2]))
    }
    let reading = capture(segments)
    #expect(reading.streams.count == 6_000)
    #expect(reading.streams.allSatisfy { $0.forward == [2] })
    #expect(reading.gaps.count == 6_000)
    #expect(reading.streams.filter { $0.ending == .forgotten }.count == 6_000 - 4_096)
  }
}
