/// pcap and pcapng in every byte order, resolution and link type.
import Bytes
import Capture
import Support
import Testing

private let time: UInt64 = 1_700_000_000_123_456_789

/// A handshake, the sample and an answer, from the 4 or 16 octets of both addresses.
private func dialogue(_ client: TestEndpoint = .client, _ server: TestEndpoint = .server) -> [TestSegment] {
  [
    TestSegment(client, server, "S", 99), TestSegment(server, client, "SA", 499, ack: 100),
    TestSegment(client, server, "A", 100, ack: 500),
    TestSegment(client, server, "PA", 100, ack: 500, sample),
    TestSegment(server, client, "PA", 500, ack: 131, [1, 2, 3]),
    TestSegment(client, server, "FA", 131, ack: 503), TestSegment(server, client, "FA", 503, ack: 132),
  ]
}

private func expectDialogue(_ reading: Reading, _ what: Comment, isIPv6: Bool = false) {
  #expect(reading.failure == nil, what)
  #expect(reading.notes == [], what)
  #expect(reading.gaps == [], what)
  #expect(reading.streams.count == 1, what)
  guard let stream = reading.streams.first else { return }
  #expect(stream.forward == sample, what)
  #expect(stream.backward == [1, 2, 3], what)
  #expect(stream.ending == .finished, what)
  let source = isIPv6 ? "[fe80::1]:41022" : "10.0.0.5:41022"
  let target = isIPv6 ? "[::1]:5672" : "10.0.0.9:5672"
  #expect(stream.description == StreamDescription(source: source, target: target, startSeen: true), what)
}

@Suite struct CaptureFileTests {
  @Test(arguments: TestLink.allCases) func everyLinkType(_ link: TestLink) {
    for isIPv6 in [false, true] where link != (isIPv6 ? .ipv4 : .ipv6) {
      let segments = isIPv6 ? dialogue(.client6, .server6) : dialogue()
      let packets = segments.map { TestPacket(link.frame($0.ip), time: time) }
      for isLittle in [true, false] {
        for nanoseconds in [true, false] {
          let pcap = CaptureWriter.pcap(packets, link: link, isLittle: isLittle, nanoseconds: nanoseconds)
          let reading = readCapture(pcap)
          #expect(reading.form == .pcap)
          expectDialogue(reading, "pcap \(link) \(isLittle)", isIPv6: isIPv6)
          #expect(reading.times.first == Int64(nanoseconds ? time : time / 1_000 * 1_000))
        }
        let reading = readCapture(CaptureWriter.pcapng(packets, link: link, isLittle: isLittle))
        #expect(reading.form == .pcapng)
        expectDialogue(reading, "pcapng \(link) \(isLittle)", isIPv6: isIPv6)
        #expect(reading.times.first == Int64(time / 1_000 * 1_000))
      }
    }
  }

  @Test(arguments: 1...80) func inPiecesOfEverySize(_ size: Int) {
    let packets = dialogue().map { TestPacket(TestLink.ethernet.frame($0.ip)) }
    expectDialogue(readCapture(CaptureWriter.pcap(packets), pieces: size), "pcap in \(size)")
    expectDialogue(readCapture(CaptureWriter.pcapng(packets, isLittle: false), pieces: size), "pcapng in \(size)")
  }

  @Test(arguments: [[0x8100], [0x88a8, 0x8100], [0x9100, 0x88a8, 0x8100]] as [[UInt16]])
  func tags(_ tags: [UInt16]) {
    for link in [TestLink.ethernet, .cooked, .cooked2] {
      let packets = dialogue().map { TestPacket(link.frame($0.ip, tags: tags)) }
      expectDialogue(readCapture(CaptureWriter.pcap(packets, link: link)), "\(link)")
    }
  }

  @Test func optionsAndExtensionHeaders() {
    var segments = dialogue()
    for i in segments.indices { segments[i].optionWords = 3 + i % 8 }
    let packets = segments.map { TestPacket(TestLink.ethernet.frame($0.ipv4(options: 10))) }
    expectDialogue(readCapture(CaptureWriter.pcap(packets)), "IPv4 options")
    let extensions: [(UInt8, [UInt8])] = [
      (0, [0] + [UInt8](repeating: 1, count: 6)), (43, [1] + [UInt8](repeating: 0, count: 14)),
      (44, [0, 0, 0, 0, 0, 0, 9]), (51, [4] + [UInt8](repeating: 0, count: 22)),
      (60, [2] + [UInt8](repeating: 0, count: 22)),
    ]
    let six = dialogue(.client6, .server6).map {
      TestPacket(TestLink.ethernet.frame($0.ipv6(extensions: extensions)))
    }
    expectDialogue(readCapture(CaptureWriter.pcap(six)), "IPv6 extensions", isIPv6: true)
  }

  @Test func paddingBehindAShortPacketIsNoPayload() {
    let packets = dialogue().map { TestPacket(TestLink.ethernet.frame($0.ip) + [0, 0, 0, 0, 0, 0]) }
    expectDialogue(readCapture(CaptureWriter.pcap(packets)), "padding")
  }

  @Test func segmentsThatTheCardIsToCut() {
    let large = [UInt8](repeating: 7, count: 65_600)
    let four = TestSegment(.client, .server, "A", 100, large)
    let six = TestSegment(.client6, .server6, "A", 100, large)
    let packets = [TestPacket(TestLink.raw.frame(four.ipv4(total: 0))), TestPacket(six.ipv6(length: 0))]
    let reading = readCapture(CaptureWriter.pcap(packets, link: .raw))
    #expect(reading.streams.map(\.forward) == [large, large])
    #expect(reading.streams.map(\.description.startSeen) == [false, false])
  }

  @Test func snapshotLengthLeavesGaps() {
    var packets = dialogue().map { TestPacket(TestLink.ethernet.frame($0.ip)) }
    packets[3].original = packets[3].octets.count
    packets[3].octets.removeLast(21)
    let reading = readCapture(CaptureWriter.pcap(packets))
    #expect(reading.streams[0].forward == Array(sample.prefix(10)))
    #expect(reading.gaps == ["0>21"])
    #expect(reading.notes == ["1 packet cut by the capture's snapshot length: 21 octets missing"])
    #expect(reading.streams[0].ending == .finished)
  }

  @Test func sectionsInterfacesAndResolutions() {
    let p = dialogue().map { TestPacket(TestLink.ethernet.frame($0.ip), time: time) }
    let bare = dialogue().map { TestPacket($0.ip, time: time) }
    var w = CaptureWriter(isLittle: true)
    w.section()
    w.interface(.ethernet)
    w.block(4, [UInt8](repeating: 0, count: 4))
    w.interface(.raw, options: [(2, Array("lo0".utf8)), (9, [9])])
    w.enhanced(p[0], interface: 0)
    w.enhanced(bare[1], interface: 1, stamp: time)
    w.block(0xbad, [1, 2, 3])
    w.enhanced(bare[2], interface: 1, stamp: time)
    w.enhanced(bare[3], interface: 1, stamp: time)
    var other = CaptureWriter(isLittle: false)
    other.section()
    other.interface(.raw, options: [(9, [0x80 | 20]), (14, other.number(100 as Int64))])
    other.enhanced(bare[4], stamp: (time / 1_000_000_000) << 20 | 1 << 19)
    other.obsolete(bare[5])
    other.simple(bare[6])
    let reading = readCapture(w.octets + other.octets)
    expectDialogue(reading, "sections")
    #expect(reading.times == [Int64(time), Int64(time / 1_000_000_000 + 100) * 1_000_000_000 + 500_000_000])
  }

  @Test(arguments: [0, 3, 6, 9, 12, 19, 20, 0x80, 0x80 | 10, 0x80 | 63, 0x80 | 64, 255] as [UInt8])
  func everyResolution(_ resolution: UInt8) {
    var w = CaptureWriter()
    w.section()
    w.interface(.raw, options: [(9, [resolution])])
    w.enhanced(TestPacket(TestSegment(.client, .server, "A", 1, [1]).ip), stamp: 1_234_567)
    w.enhanced(TestPacket(TestSegment(.client, .server, "A", 2, [1]).ip), stamp: .max)
    let reading = readCapture(w.octets)
    let expected: Int64? =
      switch resolution {
      case 0: 1_234_567_000_000_000
      case 3: 1_234_567_000_000
      case 6: 1_234_567_000
      case 9: 1_234_567
      case 12: 1_234
      case 19: 0
      case 0x80: 1_234_567_000_000_000
      case 0x80 | 10: 1_205_631_835_937
      case 0x80 | 63: 0
      default: nil
      }
    // The second stamp is the largest there is, which is a time in fine units only.
    #expect(expected == nil ? reading.times.count < 2 : reading.times.first == expected)
    #expect(reading.streams.map(\.forward) == [[1, 1]])
  }

  @Test func whatIsLeftOutIsSaid() {
    let fragment = TestSegment(.client, .server, "A", 1, sample)
    var udp = fragment.ip
    udp[9] = 17
    let packets = [
      TestPacket(TestLink.ethernet.frame(fragment.ipv4(fragment: 0x2000))),
      TestPacket(TestLink.ethernet.frame(fragment.ipv4(fragment: 0x00b9))),
      TestPacket(TestLink.ethernet.frame(udp)), TestPacket([1, 2, 3]),
      TestPacket([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6] + [UInt8](repeating: 0, count: 28)),
    ]
    let reading = readCapture(CaptureWriter.pcap(packets))
    #expect(reading.streams == [])
    #expect(
      reading.notes == [
        "2 packets left out: IP fragments of TCP are not joined", "1 packet left out: headers cut off or damaged",
      ])
    var w = CaptureWriter()
    w.section()
    w.block(1, w.number(147 as UInt16) + w.number(0 as UInt16) + w.number(0 as UInt32))
    w.enhanced(TestPacket([1]))
    #expect(readCapture(w.octets).notes == ["1 packet of link type 147 left out: nobody here reads that"])
    #expect(readCapture(CaptureWriter.pcap([])).notes == ["no packets"])
    #expect(readCapture(CaptureWriter.pcap([TestPacket(TestLink.ethernet.frame(udp))])).notes == ["no TCP in 1 packet"])
  }

  @Test func truncatedAnywhere() {
    let packets = dialogue().map { TestPacket(TestLink.ethernet.frame($0.ip)) }
    for whole in [CaptureWriter.pcap(packets), CaptureWriter.pcapng(packets)] {
      var failures = 0
      for end in 4..<whole.count {
        let reading = readCapture(Array(whole[..<end]))
        if let failure = reading.failure {
          failures += 1
          #expect(failure.hasPrefix("truncated pcap"))
        }
        #expect(reading.streams.allSatisfy { $0.ending != nil })
      }
      // What ends between packets can't be told from a whole file.
      #expect(whole.count - 4 - failures <= packets.count + 2)
      #expect(readCapture(whole).failure == nil)
    }
  }

  @Test func impossibleLengths() {
    let packets = dialogue().map { TestPacket(TestLink.ethernet.frame($0.ip)) }
    var pcap = CaptureWriter.pcap(Array(packets.prefix(4)))
    let sound = readCapture(pcap)
    pcap += [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    var reading = readCapture(pcap)
    #expect(reading.failure == "packet 5 claims 4294967295 octets: the file is damaged there")
    #expect(reading.streams == sound.streams)
    for length in [0, 4, 11, 13, 0xffff_ffff] as [UInt32] {
      var w = CaptureWriter()
      w.section()
      w.interface(.ethernet)
      for p in packets.prefix(4) { w.enhanced(p) }
      w.octets += w.number(6 as UInt32) + w.number(length) + [UInt8](repeating: 0, count: 64)
      reading = readCapture(w.octets)
      #expect(reading.failure != nil)
      #expect(reading.streams.first?.forward == sample)
    }
    // An unknown block may be of any length, and nobody keeps it.
    var w = CaptureWriter()
    w.section()
    w.octets += w.number(0xbad as UInt32) + w.number(0xffff_fffc as UInt32) + [UInt8](repeating: 0, count: 64)
    #expect(readCapture(w.octets).failure == "truncated pcapng: the block after packet 0 is not all there")
    #expect(
      readCapture([0x0a, 0x0d, 0x0d, 0x0a] + [UInt8](repeating: 0, count: 30)).failure?.contains("byte-order") == true)
  }
}
