/// AMQP over WebSocket: unmasked, joined, and without pings.
import Capture
import Support
import Testing

private let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]

private func capture(_ forward: [[UInt8]], _ backward: [[UInt8]]) -> Reading {
  var segments = [TestSegment(.client, .server, "S", 0), TestSegment(.server, .client, "SA", 0, ack: 1)]
  var next: UInt32 = 1
  for f in forward {
    segments.append(TestSegment(.client, .server, "A", next, f))
    next += UInt32(f.count)
  }
  next = 1
  for b in backward {
    segments.append(TestSegment(.server, .client, "A", next, b))
    next += UInt32(b.count)
  }
  return readCapture(CaptureWriter.pcap(segments.map { TestPacket($0.ip) }, link: .raw))
}

@Suite struct WebSocketTests {
  @Test func unmaskedAndJoined() {
    let long = [UInt8](repeating: 5, count: 300)
    let huge = [UInt8](repeating: 6, count: 70_000)
    var forward = webSocketHead + webSocketFrame(Array(sample.prefix(10)), isLast: false, mask: mask)
    forward += webSocketFrame([1, 2, 3], opcode: 9, mask: mask)
    forward += webSocketFrame(Array(sample.dropFirst(10)), opcode: 0, mask: [0xff, 0, 1, 2])
    forward += webSocketFrame(huge, mask: mask) + webSocketFrame([], opcode: 8, mask: mask)
    let backward = webSocketAnswer + webSocketFrame(sample) + webSocketFrame([], opcode: 10) + webSocketFrame(long)
    for size in [1, 3, 17, 1_000, 60_000] {
      func cut(_ b: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: b.count, by: size).map { Array(b[$0..<min($0 + size, b.count)]) }
      }
      let reading = capture(cut(forward), cut(backward))
      #expect(reading.streams.map(\.forward) == [sample + huge])
      #expect(reading.streams.map(\.backward) == [sample + long])
      #expect(reading.notes.contains("connection 1 carries WebSocket frames: they are opened and unmasked"))
    }
    #expect(readCapture(forward).streams.map(\.unknown) == [sample + huge])
  }

  @Test func otherHTTPIsLeftAsItIs() {
    let get = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    let bad = Array("HTTP/1.1 400 Bad Request\r\nUpgrade: websocket\r\n\r\nAMQP".utf8)
    let reading = capture([get], [bad])
    #expect(reading.streams.map(\.forward) == [get])
    #expect(reading.streams.map(\.backward) == [bad])
    #expect(capture([Array("GET /".utf8)], []).streams.map(\.forward) == [Array("GET /".utf8)])
    #expect(capture([Array("GXMQP".utf8)], []).streams.map(\.forward) == [Array("GXMQP".utf8)])
    let long = Array("GET /".utf8) + [UInt8](repeating: 0x61, count: 200_000)
    #expect(readCapture(long).streams.map(\.unknown) == [long])
  }

  @Test func missingOctetsWithinAFrame() {
    let frame = webSocketFrame(Array(0..<100), mask: mask)
    for (hole, known) in [(20..<30, true), (90..<103, true), (100..<110, false)] {
      let all = frame + webSocketFrame([7], mask: mask)
      let first = webSocketHead + all[..<hole.lowerBound]
      var segments = [TestSegment(.client, .server, "S", 0), TestSegment(.client, .server, "A", 1, first)]
      segments.append(
        TestSegment(
          .client, .server, "A", UInt32(1 + first.count + hole.count), Array(all[min(hole.upperBound, all.count)...])))
      let reading = readCapture(CaptureWriter.pcap(segments.map { TestPacket($0.ip) }, link: .raw))
      #expect(reading.gaps == (known ? ["0>\(hole.count)"] : ["0>?"]), "\(hole)")
      if known {
        let expected = (0..<100).filter { !hole.contains($0 + 6) }.map { UInt8($0) }
        #expect(reading.streams.first?.forward == expected + [7], "\(hole)")
      }
    }
  }

  @Test func compressedFramesAndNoFrames() {
    let reading = capture([webSocketHead, webSocketFrame([1], flags: 0x40)], [])
    #expect(reading.notes.last == "connection 1: no more WebSocket frames can be read: its frames are compressed")
    #expect(reading.gaps == ["0>?"])
    #expect(capture([webSocketHead, [0xf3, 1, 1, 1]], []).gaps == ["0>?"])
  }
}
