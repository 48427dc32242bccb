/// Packets to streams: the TCP segments among them, and at the end a line for everything that was left out.
import Bytes

struct PacketStreams {
  private var table = TCPTable()
  private var packets = 0
  private var segments = 0
  private var fragments = 0
  private var broken = 0
  private var cutPackets = 0
  private var cutOctets = 0
  /// A link type that nobody here reads, and how many packets had one.
  private var unknownLink: UInt32?
  private var unknownLinks = 0

  var hasOutput: Bool { table.hasOutput }

  /// - Parameter held: takes the octets of the event when they are none of the input's.
  mutating func nextEvent(held: inout [UInt8]) -> CaptureEvent? {
    switch table.nextOutput() {
    case .event(let event): return event
    case .held(let stream, let direction, let time, let octets):
      held = octets
      return .octets(stream: stream, direction, time: time, 0..<octets.count)
    case nil: return nil
    }
  }

  mutating func nextOutput() -> StreamOutput? { table.nextOutput() }

  /// Puts octets that a packet led to behind what is said before them.
  mutating func append(_ output: StreamOutput) { table.append(output) }

  /// Takes the packet, which stands in `b`. Its octets are returned when they are all there is to say.
  mutating func receive(_ packet: Packet, _ b: Span<UInt8>) -> CaptureEvent? {
    packets += 1
    switch TCPSegment.read(b, packet) {
    case .segment(let segment):
      segments += 1
      if segment.cut > 0 {
        cutPackets += 1
        cutOctets += segment.cut
      }
      return table.receive(segment, time: packet.time, b)
    case .otherProtocol: break
    case .fragment: fragments += 1
    case .broken: broken += 1
    case .unknownLink:
      if unknownLink == nil { unknownLink = packet.linkType }
      unknownLinks += 1
    }
    return nil
  }

  mutating func finish() { table.finish() }

  /// What was left out.
  /// - Parameter isWhole: the input could be read to its end.
  func notes(isWhole: Bool) -> Queue<String> {
    func packets(_ n: Int) -> String { n == 1 ? "1 packet" : "\(n) packets" }
    func octets(_ n: Int) -> String { n == 1 ? "1 octet" : "\(n) octets" }
    var notes = Queue<String>()
    if let unknownLink {
      notes.append("\(packets(unknownLinks)) of link type \(unknownLink) left out: nobody here reads that")
    }
    if fragments > 0 { notes.append("\(packets(fragments)) left out: IP fragments of TCP are not joined") }
    if broken > 0 { notes.append("\(packets(broken)) left out: headers cut off or damaged") }
    if cutPackets > 0 {
      notes.append("\(packets(cutPackets)) cut by the capture's snapshot length: \(octets(cutOctets)) missing")
    }
    if table.unplaced > 0 { notes.append("\(octets(table.unplaced)) left out: outside of their connection") }
    if segments == 0 && self.packets > 0 && unknownLink == nil && fragments == 0 {
      notes.append("no TCP in \(packets(self.packets))")
    }
    if self.packets == 0 && isWhole { notes.append("no packets") }
    return notes
  }
}
