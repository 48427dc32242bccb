/// Methods, content headers and bodies of 0-9-1 after each other, as they belong and otherwise.
import Bytes
import Support
import Testing
import Wire

@Suite struct ContentSequenceTests {
  /// What is said of each of the frames: "m" a publish, "n" an ack, "h5" a header that declares 5 octets, "b2" two octets of
  /// body, "-" a heartbeat; a digit in front is the channel.
  private func said(_ frames: String) -> [String?] {
    var contents = ContentSequence()
    var dissector = Dissector()
    return frames.split(separator: " ").map { word in
      let channel = UInt16(word.first?.wholeNumberValue ?? 1)
      let word = word.first?.isNumber == true ? word.dropFirst() : word
      let size = Int(word.dropFirst()) ?? 0
      var q = ByteQueue()
      switch word.first {
      case "m":
        q.appendPublish(channel: channel, exchange: octets("").span, routingKey: octets("").span, mandatory: true)
      case "n": q.appendAck(channel: channel, deliveryTag: 1, multiple: false)
      case "h": q.appendContentHeader(channel: channel, bodySize: UInt64(size), properties: octets("0000").span)
      case "b": q.appendBody(channel: channel, [UInt8](repeating: 7, count: size).span)
      default: q.appendHeartbeat()
      }
      let bytes = q.bytes
      #expect(dissector.frame091(bytes.span, at: 0) == .frame(end: bytes.count))
      dissector.follow(&contents)
      #expect(dissector.firstFlaw(octets: bytes.count) == nil)
      #expect(dissector.problems.allSatisfy { $0.severity == .warning })
      return dissector.problems.first?.text
    }
  }

  @Test(arguments: [
    "m h0", "m h0 b0", "m h5 b5", "m h5 b2 - b3 n", "1m 2m 2h1 1h2 1b1 2b1 1b1 n", "m h5 b0 b5 m h0 m h0 n", "h5 b5",
    "b5 m h0", "b1 b1 h1 b1 n",
  ])
  func inPlace(_ frames: String) {
    #expect(said(frames).allSatisfy { $0 == nil })
  }

  @Test func outOfPlace() {
    #expect(said("m h2 b5").last == "expected a body of 2 octets, as declared, got 5")
    #expect(said("m h5 b2 b4").last == "expected a body of 5 octets, as declared, got 6")
    #expect(said("m h5 b2 n").last == "expected the other 3 of 5 octets of body, got basic.ack")
    #expect(said("m n").last == "expected the content header of basic.publish, got basic.ack")
    #expect(said("m b1").last == "expected the content header of basic.publish, got a body")
    #expect(said("m h5 h5").last == "expected the other 5 of 5 octets of body, got a content header")
    #expect(said("n h5").last == "expected a method that carries content first, got a content header")
    #expect(said("n b1").last == "expected no more octets than the content header declared, got a body")
    // After a fault the next message is read as it stands.
    #expect(said("m n m h1 b1 m h0").dropFirst(2).allSatisfy { $0 == nil })
    #expect(said("n b1 h1 b1 m h0").dropFirst(3).allSatisfy { $0 == nil })
  }

  /// The vector that takes two frames to be wrong.
  @Test func bodyLongerThanDeclared() {
    let stream = octets("0200010000000e003c000000000000000000020000ce0300010000000568656c6c6fce")
    var contents = ContentSequence()
    var dissector = Dissector()
    #expect(dissector.frame091(stream.span, at: 0) == .frame(end: 22))
    dissector.follow(&contents)
    #expect(dissector.problems == [])
    #expect(dissector.frame091(stream.span, at: 22) == .frame(end: stream.count))
    dissector.follow(&contents)
    #expect(dissector.problems.map(\.text) == ["expected a body of 2 octets, as declared, got 5"])
    #expect(dissector.problems[0].offset == 29)
  }
}
