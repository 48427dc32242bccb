/// A capture file of either format: from its packets through the segments in them to the events of its streams, and at
/// the end a line for everything that was left out.
import Bytes

struct CaptureFile {
  enum Format { case pcap, pcapng }

  private enum Phase { case packets, rest, notes, done }

  /// Octets that the last event lends when they are none of the input's.
  private(set) var heldOctets: [UInt8] = []

  private let format: Format
  private var pcap = PcapReader()
  private var pcapng = PcapngReader()
  private var table = TCPTable()
  private var phase = Phase.packets
  private var failure: String?
  private var notes = Queue<CaptureEvent>()

  private var packets = 0
  private var segments = 0
  private var fragments = 0
  private var broken = 0
  private var cutPackets = 0
  private var cutOctets = 0
  /// A link type that nobody here reads, and how many packets had one.
  private var unknownLink: UInt32?
  private var unknownLinks = 0

  init(_ format: Format) { self.format = format }

  /// Whether the octets of the last event are in `heldOctets` and not in the input.
  private(set) var lendsHeld = false

  mutating func nextEvent(_ input: inout ByteQueue, isFinished: Bool) -> CaptureEvent? {
    lendsHeld = false
    while true {
      if let output = table.nextOutput() {
        switch output {
        case .event(let event): return event
        case .held(let stream, let direction, let time, let octets):
          heldOctets = octets
          lendsHeld = true
          return .octets(stream: stream, direction, time: time, 0..<octets.count)
        }
      }
      switch phase {
      case .packets:
        let step = format == .pcap ? pcap.next(&input) : pcapng.next(&input)
        switch step {
        case .packet(let packet):
          if let event = receive(packet, input) { return event }
        case .needsMore:
          if !isFinished { return nil }
          failure = format == .pcap ? pcap.truncation(input) : pcapng.truncation(input)
          phase = .rest
        case .failed(let why):
          failure = why
          phase = .rest
        }
      case .rest:
        table.finish()
        summarise()
        phase = .notes
      case .notes:
        if let note = notes.popFirst() { return note }
        phase = .done
        if let failure { return .failed(failure) }
      case .done: return nil
      }
    }
  }

  private mutating func receive(_ packet: Packet, _ input: ByteQueue) -> CaptureEvent? {
    packets += 1
    return input.withBytes(0..<packet.octets.upperBound) { b in
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
  }

  private mutating func summarise() {
    func packets(_ n: Int) -> String { n == 1 ? "1 packet" : "\(n) packets" }
    func octets(_ n: Int) -> String { n == 1 ? "1 octet" : "\(n) octets" }
    if let unknownLink { note("\(packets(unknownLinks)) of link type \(unknownLink) left out: nobody here reads that") }
    if fragments > 0 { note("\(packets(fragments)) left out: IP fragments of TCP are not joined") }
    if broken > 0 { note("\(packets(broken)) left out: headers cut off or damaged") }
    if cutPackets > 0 {
      note("\(packets(cutPackets)) cut by the capture's snapshot length: \(octets(cutOctets)) missing")
    }
    if table.unplaced > 0 { note("\(octets(table.unplaced)) left out: outside of their connection") }
    if segments == 0 && self.packets > 0 && unknownLink == nil && fragments == 0 {
      note("no TCP in \(packets(self.packets))")
    }
    if self.packets == 0 && failure == nil { note("no packets") }
  }

  private mutating func note(_ text: String) { notes.append(.note(text)) }
}
