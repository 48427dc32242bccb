/// A capture file of either format, cut into packets.
import Bytes

struct CaptureFile {
  enum Format { case pcap, pcapng }

  private enum Phase { case packets, rest, notes, done }

  private let format: Format
  private var pcap = PcapReader()
  private var pcapng = PcapngReader()
  private var streams = PacketStreams()
  private var phase = Phase.packets
  private var failure: String?
  private var notes = Queue<String>()

  init(_ format: Format) { self.format = format }

  /// - Parameter held: takes the octets of the event when they are none of the input's.
  mutating func nextEvent(_ input: inout ByteQueue, held: inout [UInt8], isFinished: Bool) -> CaptureEvent? {
    while true {
      if streams.hasOutput { return streams.nextEvent(held: &held) }
      switch phase {
      case .packets:
        let start = input.readable.lowerBound
        var at = start
        var needsMore = false
        let event = input.withBytes(0..<input.readable.upperBound) { readPackets($0, &at, isFinished, &needsMore) }
        // What `event` lends stays where it is until there is more input.
        input.skip(at - start)
        if event != nil || needsMore { return event }
      case .rest:
        streams.finish()
        notes = streams.notes(isWhole: failure == nil)
        phase = .notes
      case .notes:
        if let note = notes.popFirst() { return .note(note) }
        phase = .done
        if let failure { return .failed(failure) }
      case .done: return nil
      }
    }
  }

  /// Reads packets until one of them leads to something.
  private mutating func readPackets(
    _ b: Span<UInt8>, _ at: inout Int, _ isFinished: Bool, _ needsMore: inout Bool
  ) -> CaptureEvent? {
    while true {
      switch format == .pcap ? pcap.next(b, &at) : pcapng.next(b, &at) {
      case .packet(let packet):
        if let event = streams.receive(packet, b) { return event }
        if streams.hasOutput { return nil }
      case .needsMore:
        if isFinished {
          let rest = b.extracting(at..<b.count)
          failure = format == .pcap ? pcap.truncation(rest) : pcapng.truncation(rest)
          phase = .rest
        }
        needsMore = !isFinished
        return nil
      case .failed(let why):
        failure = why
        phase = .rest
        return nil
      }
    }
  }
}
