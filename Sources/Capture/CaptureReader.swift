/// Turns what a person pastes, or a capture file, into streams of octets: the form is detected, captures are reassembled,
/// text is read for the octets it spells. One pass over input of any size in bounded memory; octets that need no work are
/// lent from where they were read to. It must not know AMQP, files or printing.
import Bytes

package struct CaptureReader: Sendable {
  /// What the input is: as asked for, or else detected; `.auto` until that is decided.
  package private(set) var form: InputForm
  private var input = ByteQueue()
  private var isFinished = false
  private var isOpen = false
  private var isDone = false
  /// Octets of `input` that the last event lent and that are done with then.
  private var lent = 0
  private var file: CaptureFile?

  package init(_ form: InputForm = .auto) {
    self.form = form
  }

  /// Lets `fill` write up to `room` octets of input; `nextEvent` must have been nil since the last time.
  /// - Returns: how many were written.
  @discardableResult
  package mutating func append<E: Error>(
    room: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    takeBack()
    return try input.fill(room: room, fill)
  }

  package mutating func append(_ octets: Span<UInt8>) {
    takeBack()
    input.append(octets)
  }

  /// The input pauses (a person at a terminal, a quiet pipe): what it is gets decided from what is there.
  package mutating func flush() {}

  /// The input has ended.
  package mutating func finish() { isFinished = true }

  /// What comes next, or nil: more input is needed, or after `finish` all was said.
  package mutating func nextEvent() -> CaptureEvent? {
    if file != nil { return file!.nextEvent(&input, isFinished: isFinished) }
    takeBack()
    if isDone { return nil }
    if form == .auto {
      if input.count < 4 && !isFinished { return nil }
      form = detected()
    }
    switch form {
    case .pcap, .pcapng:
      file = CaptureFile(form == .pcap ? .pcap : .pcapng)
      return file!.nextEvent(&input, isFinished: isFinished)
    default: return nextRaw()
    }
  }

  /// Lends the octets of the last event.
  package func withBytes<R, E: Error>(_ range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    if file != nil && file!.lendsHeld { return try body(file!.heldOctets.span.extracting(range)) }
    return try input.withBytes(range, body)
  }

  private func detected() -> InputForm {
    if input.count < 4 { return .raw }
    return input.withReadable { b in
      PcapReader.matches(b) ? .pcap : PcapngReader.matches(b) ? .pcapng : .raw
    }
  }

  private mutating func nextRaw() -> CaptureEvent? {
    if !input.isEmpty {
      if !isOpen {
        isOpen = true
        return .opened(stream: 0, StreamDescription(startSeen: true))
      }
      lent = input.count
      return .octets(stream: 0, .unknown, time: nil, input.readable)
    }
    if !isFinished { return nil }
    isDone = true
    return isOpen ? .closed(stream: 0, .inputEnded, time: nil) : nil
  }

  private mutating func takeBack() {
    input.consume(lent)
    lent = 0
  }
}
