/// What texts leave out, put together in two directions or get wrong.
import Bytes
import Capture
import Support
import Testing

private let digits = "0000001f02000000005314c008054343a001004341005377a10568656c6c6f"

@Suite struct TextTests {
  @Test func elidedOctetsAreGaps() {
    var reading = readCapture("<Buffer 00 00 00 1f 02 00 ... 25 more bytes>")
    #expect(reading.form == .node)
    #expect(reading.streams.first?.unknown == [0, 0, 0, 0x1f, 2, 0])
    #expect(reading.gaps == ["0-25"])
    reading = readCapture("{length = 31, bytes = 0x0000001f 02000000 005314c0 ... a1056865 6c6c6f }")
    #expect(reading.streams.first?.unknown == octets("0000001f02000000005314c0a10568656c6c6f"))
    #expect(reading.gaps == ["0-12"])
    reading = readCapture("<<0,0,0,31,2,0,0,0,0,83,20,192,8,5,...>>")
    #expect(reading.gaps == ["0-?"])
    reading = readCapture(#"{"type":"Buffer","data":[0,0,0,31,... 27 more items]}"#)
    #expect(reading.gaps == ["0-27"])
    reading = readCapture("[conn] SENT: 31 0000001f0200000000")
    #expect(reading.gaps == ["0>22"])
  }

  @Test func repeatedLinesArePutBack() {
    let zeros = [UInt8](repeating: 0, count: 65)
    let all = sample + zeros + sample.dropFirst()
    for text in [
      """
      00000000  00 00 00 1f 02 00 00 00  00 53 14 c0 08 05 43 43  |.........S....CC|
      00000010  a0 01 00 43 41 00 53 77  a1 05 68 65 6c 6c 6f 00  |...CA.Sw..hello.|
      00000020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
      *
      00000060  00 00 1f 02 00 00 00 00  53 14 c0 08 05 43 43 a0  |........S....CC.|
      00000070  01 00 43 41 00 53 77 a1  05 68 65 6c 6c 6f        |..CA.Sw..hello|
      0000007e
      """,
      """
      0000000 000000 017400 000002 000000 051400 140024 002410 041503
      0000020 000640 041400 000101 073523 002641 062550 066154 000157
      0000040 000000 000000 000000 000000 000000 000000 000000 000000
      *
      0000140 000000 001037 000000 000000 012123 004300 041405 120103
      0000160 000001 040503 051400 120567 064005 066145 067554
      0000176
      """,
      """
      0000000 0000 1f00 0002 0000 5300 c014 0508 4343
      0000020 01a0 4300 0041 7753 05a1 6568 6c6c 006f
      0000040 0000 0000 0000 0000 0000 0000 0000 0000
      *
      0000140 0000 021f 0000 0000 1453 08c0 4305 a043
      0000160 0001 4143 5300 a177 6805 6c65 6f6c
      0000176
      """,
    ] {
      let reading = readCapture(text)
      #expect(reading.streams.map(\.unknown) == [all])
      #expect(reading.gaps == [])
    }
    let tail = readCapture("0000000 0000\n*\n0000007\n", as: .od)
    #expect(tail.streams.map(\.unknown) == [[UInt8](repeating: 0, count: 7)])
  }

  @Test func missingLinesAreGaps() {
    let reading = readCapture(
      """
      00000000: 0000 001f 0200 0000 0053 14c0 0805 4343  .........S....CC
      00000030: a001 0043 4100 5377 a105 6865 6c6c 6f    ...CA.Sw..hello
      """)
    #expect(reading.gaps == ["0-32"])
    // An offset from nowhere doesn't take memory.
    let far = readCapture("00000000: 0000\n*\n0fffffffffffff00: 0000\n00000000: 01\n")
    #expect(far.gaps.count == 1)
    #expect(far.streams.first?.unknown == [0, 0, 0, 0, 1])
  }

  @Test func followHasTwoDirections() {
    let bare = readCapture("414d515000010000\n\t414d515000010000\n\(digits)\n")
    #expect(bare.form == .follow)
    #expect(bare.streams.first?.forward == octets("414d515000010000") + sample)
    #expect(bare.streams.first?.backward == octets("414d515000010000"))
    #expect(bare.turns == [.forward, .backward, .forward])
    let line = String(repeating: "=", count: 67)
    let two = readCapture(
      """
      \(line)
      Follow: tcp,raw
      Filter: tcp.stream eq 0
      Node 0: 127.0.0.1:40000
      Node 1: 127.0.0.1:5672
      414d515000010000
      \t414d515000010000
      \(line)
      \(line)
      Follow: tcp,raw
      Filter: tcp.stream eq 1
      Node 0: [::1]:40000
      Node 1: [::1]:5672
      \(digits)
      \(line)
      """)
    #expect(two.form == .follow)
    #expect(two.streams.map(\.description.source) == ["127.0.0.1:40000", "[::1]:40000"])
    #expect(two.streams.map(\.description.target) == ["127.0.0.1:5672", "[::1]:5672"])
    #expect(two.streams.map(\.forward) == [octets("414d515000010000"), sample])
    #expect(two.notes == [])
  }

  @Test func followAsADump() {
    let dump = """
      00000000  41 4d 51 50 00 01 00 00                            AMQP....
          00000000  41 4d 51 50 00 01 00 00                            AMQP....
      00000008  00 00 00 1f 02 00 00 00  00 53 14 c0 08 05 43 43  be face.
      00000018  a0 01 00 43 41 00 53 77  a1 05 68 65 6c 6c 6f     ...CA.Sw ..hello

      """
    for text in [dump, "====\nFollow: tcp,hex\nFilter: tcp.stream eq 0\n" + dump + "====\n"] {
      let reading = readCapture(text)
      #expect(reading.form == .follow)
      #expect(reading.streams.map(\.forward) == [octets("414d515000010000") + sample])
      #expect(reading.streams.map(\.backward) == [octets("414d515000010000")])
    }
  }

  @Test func logsHaveTwoDirections() {
    let rhea = readCapture(
      """
        rhea:raw [connection-1] SENT: 8 414d515000010000 +0ms
        rhea:frames [connection-1]:0 -> open#10 {...} +1ms
        rhea:raw [connection-1] READ: 8 414d515000010000 +2ms
        rhea:raw [connection-1] SENT: 31 \(digits) +0ms
      """)
    #expect(rhea.turns == [.forward, .backward, .forward])
    #expect(rhea.streams.first?.forward == octets("414d515000010000") + sample)
    let proton = readCapture(
      #"""
      [0x55]:   IO:  RAW: -> "AMQP\x00\x01\x00\x00"
      [0x55]:   IO:  RAW: <- "AMQP\x00\x01\x00\x00"
      [0x55]:   IO:  RAW: -> "\x00\x00\x00\x0b"\"x"
      """#)
    #expect(proton.turns == [.forward, .backward, .forward])
    #expect(proton.streams.first?.forward == octets("414d515000010000 0000000b") + Array(#""\"x"#.utf8))
    let hex = readCapture("-> 414d515000010000\n<- 414d515000010000\n-> \(digits)\n")
    #expect(hex.turns == [.forward, .backward, .forward])
    #expect(hex.streams.first?.forward == octets("414d515000010000") + sample)
  }

  @Test func protonFramesHaveOnlyTheirPayloads() {
    let reading = readCapture(
      #"""
      [0x7f]: AMQP:FRAME:  -> AMQP
      [0x7f]: AMQP:FRAME:0 -> @open(16) [container-id="a", max-frame-size=32768]
      [0x7f]: AMQP:FRAME:0 -> @transfer(20) [handle=0, delivery-id=0, delivery-tag=b"\x00"] (10) \x00Sw\xa1\x05hello
      [0x7f]: AMQP:FRAME:0 <- @transfer(20) [handle=0] (13) "\x00Sp\xc0\x02\x01A\x00Sw\xa1\x01"... (truncated)
      """#)
    #expect(reading.form == .protonFrm)
    #expect(reading.streams.map(\.forward) == [octets("005377a105") + Array("hello".utf8), []])
    #expect(reading.streams.last?.backward == octets("005370c0020141005377a101"))
    #expect(reading.gaps == ["1<1"])
    #expect(reading.notes.first?.hasPrefix("2 frames left out: PN_TRACE_FRM") == true)
  }

  @Test func proseIsLeftOutAndSaid() {
    let reading = readCapture(
      """
      At 2026-11-21 08:14:01 the client 3f2504e0-4f89-11d3-9a0c-0305e82c3301 on 02:42:ac:11:00:02 sent
      \(digits) at 0x7ffd1234abcd and then 1700000000123456 ms
      """)
    #expect(reading.form == .hex)
    #expect(reading.streams.map(\.unknown) == [sample])
    #expect(reading.notes.count == 1)
  }

  @Test func oddDigits() {
    for text in [String(digits.dropLast()), digits + "\n0", "0000001"] {
      let reading = readCapture(text)
      #expect(reading.failure?.hasPrefix("an odd number of hexadecimal digits") == true, "\(text)")
    }
    #expect(readCapture("<Buffer 00 00 0>").failure == "an odd number of hexadecimal digits")
    #expect(readCapture("AAAAHwIAAAAAU", as: .base64).failure == "base64 that ends in the middle of an octet")
  }

  @Test func nothingToRead() {
    #expect(readCapture("").failure == "it is empty")
    #expect(readCapture("  \n\t\n").failure == "it holds only white space")
    #expect(readCapture("hello, world!\n").failure?.hasPrefix("text, and neither") == true)
    #expect(readCapture([0x1f, 0x8b, 8, 0]).failure == "gzip: unpack it first")
    #expect(readCapture([0xff, 0xfe, 0x30, 0, 0x30, 0]).failure == "UTF-16 text: convert it to UTF-8 first")
    #expect(readCapture("hello", as: .xxd).failure == "nothing in it is octets as xxd spells them")
    #expect(readCapture("hello", as: .pcap).failure?.hasPrefix("truncated pcap") == true)
    #expect(readCapture(Array("hello, hello, hello, hello".utf8), as: .pcap).failure?.hasPrefix("no pcap file") == true)
  }

  @Test func rawOctetsAndOtherProtocols() {
    #expect(readCapture(sample).form == .raw)
    #expect(readCapture(octets("414d515000010000")).form == .raw)
    #expect(readCapture("HTTP/1.1 400 Bad Request\r\n").form == .raw)
    #expect(readCapture("{\"frame\":1}\n").form == .json)
    #expect(readCapture("{\"frame\":1}\n").streams.first?.unknown == Array("{\"frame\":1}\n".utf8))
  }

  @Test func colours() {
    let reading = readCapture("\u{1b}[1m00000000:\u{1b}[0m \u{1b}[32m0000\u{1b}[0m 001f  ....\n")
    #expect(reading.form == .xxd)
    #expect(reading.streams.first?.unknown == [0, 0, 0, 0x1f])
  }

  @Test func packetsOfTcpdumpAndTshark() {
    let segments = [
      TestSegment(.client, .server, "S", 99), TestSegment(.server, .client, "SA", 499, ack: 100),
      TestSegment(.client, .server, "PA", 100, ack: 500, sample),
      TestSegment(.server, .client, "PA", 500, ack: 131, [1, 2, 3]),
    ]
    for (form, link) in [(InputForm.tcpdump, TestLink.raw), (.tcpdump, .ethernet), (.tshark, .ethernet)] {
      for isShort in [false, true] where form == .tcpdump || !isShort {
        var text = ""
        for s in segments {
          if form == .tcpdump { text += "12:00:01.204 IP 10.0.0.5.41022 > 10.0.0.9.5672: Flags [P.], length 31\n" }
          text += dump(link.frame(s.ip), form, isShort: isShort)
          if form == .tshark { text += "\nReassembled TCP (31 bytes):\n" + dump(sample, form, isShort: false) + "\n" }
        }
        for size in [1, 7, 100_000] {
          let reading = readCapture(text, pieces: size)
          #expect(reading.form == form)
          #expect(reading.streams.map(\.forward) == [sample])
          #expect(reading.streams.map(\.backward) == [[1, 2, 3]])
          #expect(reading.streams.first?.description.target == "10.0.0.9:5672")
        }
      }
    }
    // Octets in that form that are no packet are what they are.
    let bare = readCapture(dump(sample, .tshark, isShort: false))
    #expect(bare.form == .tshark)
    #expect(bare.streams.map(\.unknown) == [sample])
  }

  /// As tcpdump -X (or -x) and tshark -x print octets.
  private func dump(_ octets: [UInt8], _ form: InputForm, isShort: Bool) -> String {
    var text = ""
    for at in stride(from: 0, to: octets.count, by: 16) {
      let line = octets[at..<min(at + 16, octets.count)]
      let ascii = String(decoding: line.map { $0 > 32 && $0 < 127 ? $0 : 0x2e }, as: UTF8.self)
      let pairs = line.map { hexText([$0]) }
      if form == .tcpdump {
        let groups = stride(from: 0, to: pairs.count, by: 2).map { pairs[$0..<min($0 + 2, pairs.count)].joined() }
        var hex = groups.joined(separator: " ")
        if !isShort { hex += String(repeating: " ", count: 41 - hex.count) + ascii }
        text += "\t0x" + hexText(big(UInt16(at))) + ":  " + hex + "\n"
      } else {
        let hex = pairs.joined(separator: " ")
        text += hexText(big(UInt16(at))) + "  " + hex + String(repeating: " ", count: 50 - hex.count) + ascii + "\n"
      }
    }
    return text
  }

  @Test func aPauseDecides() {
    var reader = CaptureReader()
    reader.append(Array((digits + "\n").utf8).span)
    #expect(reader.nextEvent() == nil)
    reader.flush()
    var got: [UInt8] = []
    while let event = reader.nextEvent() {
      if case .octets(_, _, _, let range) = event { got += reader.withBytes(range) { $0.array } }
    }
    #expect(got == sample)
    reader.append(Array((digits + "\n").utf8).span)
    while let event = reader.nextEvent() {
      if case .octets(_, _, _, let range) = event { got += reader.withBytes(range) { $0.array } }
    }
    #expect(got == sample + sample)
  }

  @Test func longLines() {
    let many = [[UInt8]](repeating: sample, count: 10_000).flatMap { $0 }
    let hex = hexText(many)
    #expect(readCapture(hex).streams.map(\.unknown) == [many])
    #expect(readCapture("0" + hex + "0", pieces: 100_000).failure == nil)
    var q = ByteQueue()
    q.append(base64: many.span)
    #expect(readCapture(q.bytes).streams.map(\.unknown) == [many])
    #expect(readCapture("[" + many.map { "\($0)" }.joined(separator: ", ") + "]").streams.map(\.unknown) == [many])
    #expect(readCapture("b'" + many.map { "\\x" + hexText([$0]) }.joined() + "'").streams.map(\.unknown) == [many])
    #expect(
      readCapture("<Buffer " + many.map { hexText([$0]) }.joined(separator: " ") + ">").streams.map(\.unknown) == [many]
    )
  }
}
