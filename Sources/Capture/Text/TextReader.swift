/// Cuts text into lines, takes away what is none of theirs (carriage returns, colours, the date and level of a log), and
/// gives them to the reader of their form. Lines of any length come in parts.
import Bytes

struct TextReader {
  private let form: InputForm
  private var sink = TextSink()
  private var dump: DumpReader?
  private var hex: HexReader?
  private var base64: Base64Reader?
  private var literal: LiteralReader?
  private var trace: TraceReader?

  private enum Phase { case lines, rest, notes, done }
  private var phase = Phase.lines
  private var notes = Queue<String>()
  private var isStart = true
  private var isFirst = true
  /// Octets of `input` without a line's end among them.
  private var scanned = 0

  /// A longer line comes in parts.
  private static let longestLine = 65_536

  /// - Parameter form: one of text.
  init(_ form: InputForm) {
    self.form = form
    switch form {
    case .xxd, .hexdumpC, .hexdump, .od, .tcpdump, .tshark, .trace:
      dump = DumpLine.Style.of(form).map { DumpReader(form, $0) }
    case .base64: base64 = Base64Reader()
    case .rhea, .protonFrm: trace = TraceReader(form)
    case .c, .escaped, .python, .node, .go, .java, .nsdata, .erlang, .protonRaw, .json:
      literal = LiteralForm.of(form).map { LiteralReader(form, $0) }
    case .hex, .follow, .dotnet, .auto, .pcap, .pcapng, .raw: hex = HexReader(form)
    }
  }

  mutating func nextEvent(_ input: inout ByteQueue, held: inout [UInt8], isFinished: Bool) -> CaptureEvent? {
    while true {
      if let output = sink.nextOutput() ?? dump?.nextOutput() {
        switch output {
        case .event(let event): return event
        case .held(let stream, let direction, let time, let octets):
          held = octets
          return .octets(stream: stream, direction, time: time, 0..<octets.count)
        }
      }
      switch phase {
      case .lines:
        if sink.isFull {
          sink.flush()
          continue
        }
        if readLine(&input, isFinished: isFinished) { continue }
        if isFinished { phase = .rest }
        sink.flush()
        if sink.isFull || isFinished { continue }
        return nil
      case .rest:
        finish()
        phase = .notes
      case .notes:
        if let note = notes.popFirst() { return .note(note) }
        phase = .done
        if let failure = sink.failure { return .failed(failure) }
      case .done: return nil
      }
    }
  }

  /// What a person sees as one thing (a packet of a dump) ends here, because nothing follows for now.
  mutating func flush() {
    dump?.end(&sink)
    sink.flush()
  }

  private mutating func readLine(_ input: inout ByteQueue, isFinished: Bool) -> Bool {
    if input.isEmpty { return false }
    let start = input.readable.lowerBound
    let available = input.count
    let newline = input.withReadable { $0.firstIndex(of: 0x0a, from: scanned) }
    var end = newline ?? available
    var isEnd = newline != nil || isFinished
    if end > Self.longestLine {
      end = input.withReadable { Self.cut($0) }
      isEnd = false
    } else if !isEnd {
      scanned = available
      return false
    }
    scanned = 0
    let line = input.withBytes(start..<start + end) { $0.array }
    input.consume(isEnd ? min(end + 1, available) : end)
    read(line, isEnd: isEnd)
    return true
  }

  /// Where a line that is too long may be cut without cutting a number or an escape.
  private static func cut(_ b: Span<UInt8>) -> Int {
    var at = longestLine
    while at > longestLine - 256 {
      let c = b[at - 1]
      if isSpace(c) || c == 0x2c || c == 0x3a { return at }
      if b[at] == 0x5c && c != 0x5c { return at }
      at -= 1
    }
    return longestLine
  }

  private mutating func read(_ octets: [UInt8], isEnd: Bool) {
    var line = octets
    if isEnd && line.last == 0x0d { line.removeLast() }
    if isFirst && line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
    if line.contains(0x1b) { line = line.span.withoutColours }
    let prefix = isStart && dump == nil ? line.span.logPrefix : 0
    let text = line.span.extracting(prefix..<line.count)
    if dump != nil {
      if isStart && isEnd { dump!.read(text, &sink) } else { sink.skip(line.count) }
    }
    if hex != nil { hex!.read(text, isStart: isStart, &sink) }
    if base64 != nil { base64!.read(text, isStart: isStart, isEnd: isEnd, &sink) }
    if literal != nil { literal!.read(text, isEnd: isEnd, &sink) }
    if trace != nil { trace!.read(text, &sink) }
    isFirst = false
    isStart = isEnd
  }

  private mutating func finish() {
    dump?.finish(&sink)
    hex?.finish(&sink)
    base64?.finish(&sink)
    literal?.finish(&sink)
    let isEmpty = sink.isEmpty && dump?.packets == nil
    sink.close()
    var more: [String] = []
    trace?.finish(&more)
    for note in more { notes.append(note) }
    if var packets = dump?.packets?.notes(isWhole: true) {
      while let note = packets.popFirst() { notes.append(note) }
    }
    if isEmpty && more.isEmpty {
      sink.fail("nothing in it is octets as \(form.rawValue) spells them")
    } else if sink.skippedOctets > 0 {
      let characters = sink.skippedOctets == 1 ? "1 character" : "\(sink.skippedOctets) characters"
      notes.append("\(characters) of other text left out")
    }
  }
}
