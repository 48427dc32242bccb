/// Turns what a person pastes, or a capture file, into streams of octets: the form is detected, captures are reassembled,
/// text is read for the octets it spells. One pass over input of any size in bounded memory; octets that need no work are
/// lent from where they were read to. It must not know AMQP, files or printing.
import Bytes

package struct CaptureReader: Sendable {
  /// What the input is: as asked for, or else detected; `.auto` until that is decided.
  package private(set) var form: InputForm
  private var input = ByteQueue()
  private var isFinished = false
  private var isFlushed = false
  private var isOpen = false
  private var isDone = false
  /// Octets of `input` that the last event lent and that are done with then.
  private var lent = 0
  /// What the last event lent when that is not in `input`; empty when it is.
  private var held: [UInt8] = []
  private var file: CaptureFile?
  private var text: TextReader?
  private var webSockets = WebSocketFilter()
  /// An event that comes behind what `webSockets` has to say.
  private var next: CaptureEvent?

  /// - Parameter form: `.json`, which is our own, is handed out as it is; `.node` reads Node's.
  package init(_ form: InputForm = .auto) {
    self.form = form
    begin()
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
  package mutating func flush() {
    isFlushed = true
    text?.flush()
  }

  /// The input has ended.
  package mutating func finish() { isFinished = true }

  /// What comes next, or nil: more input is needed, or after `finish` all was said.
  package mutating func nextEvent() -> CaptureEvent? {
    while true {
      if !held.isEmpty { held = [] }
      if let output = webSockets.nextOutput() { return event(output) }
      if let event = next {
        next = nil
        return event
      }
      guard let event = nextUnfiltered() else { return nil }
      if case .octets(let stream, let direction, let time, let range) = event {
        if webSockets.passes(stream, direction) { return event }
        if passes(stream, direction, time, range) { return event }
      } else {
        next = webSockets.receive(event)
      }
    }
  }

  private mutating func passes(_ stream: Int, _ direction: Direction, _ time: Int64?, _ range: Range<Int>) -> Bool {
    let octets = held
    if !octets.isEmpty { return webSockets.receive(stream, direction, time, octets.span) }
    var filter = webSockets
    webSockets = WebSocketFilter()
    let passes = input.withBytes(range) { filter.receive(stream, direction, time, $0) }
    webSockets = filter
    return passes
  }

  private mutating func event(_ output: StreamOutput) -> CaptureEvent {
    switch output {
    case .event(let event): return event
    case .held(let stream, let direction, let time, let octets):
      held = octets
      return .octets(stream: stream, direction, time: time, 0..<octets.count)
    }
  }

  private mutating func nextUnfiltered() -> CaptureEvent? {
    if file != nil { return file!.nextEvent(&input, held: &held, isFinished: isFinished) }
    if text != nil { return text!.nextEvent(&input, held: &held, isFinished: isFinished) }
    takeBack()
    if isDone { return nil }
    if form == .auto {
      // A capture or octets show at once; text may show late what it is.
      let isEnough = input.count >= FormDetector.sample || isFinished || (isFlushed && !input.isEmpty)
      if !isEnough && !input.withReadable({ FormDetector.isCapture($0) }) { return nil }
      let sample = input.withReadable { FormDetector.detect($0.extracting(0..<min($0.count, FormDetector.sample))) }
      switch sample {
      case .form(let form):
        self.form = form
        begin()
        return nextUnfiltered()
      case .unreadable(let why):
        isDone = true
        return .failed(why)
      }
    }
    return nextRaw()
  }

  /// Lends the octets of the last event.
  package func withBytes<R, E: Error>(_ range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    if held.isEmpty { return try input.withBytes(range, body) }
    return try body(held.span.extracting(range))
  }

  private mutating func begin() {
    switch form {
    case .pcap: file = CaptureFile(.pcap)
    case .pcapng: file = CaptureFile(.pcapng)
    case .auto, .raw, .json: break
    case .hex, .xxd, .hexdumpC, .hexdump, .od, .tcpdump, .tshark, .follow, .base64, .c, .escaped, .python, .node, .go,
      .java, .dotnet, .nsdata, .erlang, .protonRaw, .protonFrm, .rhea, .trace:
      text = TextReader(form)
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
