// Wireshark's dissector and ours read the same traffic: the octets of `--trace=hex`, put into a capture file, have to be
// well formed to it, and the frames it names have to be those that our `--trace` names.
import Foundation
import Testing

@Suite(.needs(.tshark)) struct CaptureTests {
  @Test func tsharkNamesTheFramesThatWeName() throws {
    let (receiver, port) = try Amqp.listen("receive", "-c", "3")
    let url = "amqp://127.0.0.1:\(port)"
    let run = try Amqp.run(
      "send", "-u", url, "node", "-l", "-H", "a:uint=1", "-P", "subject=s", "--annotation", "x-b:ubyte=2", "--trace",
      input: .lines(["one", "two", "three"]))
    let received = try receiver.finish()
    #expect(run.status == 0 && received.lines == ["one", "two", "three"])
    let dry = try Amqp.run(
      "send", "-u", url, "node", "-l", "-H", "a:uint=1", "-P", "subject=s", "--annotation", "x-b:ubyte=2", "--dry-run",
      input: .lines(["one", "two", "three"]))
    let frames = dry.lines.map { $0.filter { !$0.isWhitespace } }
    try #require(dry.status == 0 && frames.count >= 6, "\(dry.text) \(dry.errors)")
    let file = "/tmp/amqp-interop-\(UUID().uuidString).pcap"
    defer { unlink(file) }
    try Data(capture(frames.map { octets(String($0)) })).write(to: URL(fileURLWithPath: file))
    let read = try Program(
      try RealPeer.tshark.value,
      [
        "-r", file, "-d", "tcp.port==5672,amqp", "-T", "fields", "-e", "amqp.performative", "-e", "_ws.malformed", "-e",
        "_ws.col.Info",
      ]
    ).finish()
    #expect(read.status == 0, "\(read.errors)")
    #expect(!read.text.contains("Malformed"), "\(read.text)")
    let names = ["open", "begin", "attach", "transfer", "close"]
    var ours: [String] = []
    for line in run.errors.split(separator: "\n") where line.hasPrefix("-> ch") {
      guard let at = line.firstIndex(of: "@") else { continue }
      ours.append(String(line[at...].dropFirst().prefix { $0 != " " }))
    }
    // What is decided by the peer's answers is not in a dry run.
    ours.removeAll { !names.contains($0) }
    let theirs = read.text.lowercased().split { !$0.isLetter }.map(String.init)
      .filter { names.contains($0) }
    #expect(theirs == ours, "\(read.text)\n\(run.errors)")
  }

  private func octets(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
  }

  /// One direction of a TCP connection to port 5672, a segment each; link type 101 is bare IP.
  private func capture(_ segments: [[UInt8]]) -> [UInt8] {
    func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
    var file = little(0xa1b2_c3d4) + [2, 0, 4, 0] + little(0) + little(0) + little(1 << 18) + little(101)
    var sequence: UInt32 = 1
    for (i, segment) in segments.enumerated() {
      let length = UInt16(40 + segment.count)
      let packet =
        [0x45, 0] + big(length) + [0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1] + big(UInt16(40_000))
        + big(UInt16(5_672)) + big(sequence) + big(UInt32(1)) + [0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0] + segment
      file += little(UInt32(i)) + little(0) + little(UInt32(packet.count)) + little(UInt32(packet.count)) + packet
      sequence &+= UInt32(segment.count)
    }
    return file
  }
}
