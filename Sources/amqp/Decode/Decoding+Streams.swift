// From what the capture reader hands out to whole frames: streams come and go, octets are cut, gaps survived.
import Analysis
import Bytes
import Capture
import Console
import Wire

extension Decoding {
  func takeEvents() {
    // As a property it would be copied at every use.
    var reader = CaptureReader(.auto)
    swap(&reader, &self.reader)
    defer { swap(&reader, &self.reader) }
    lendDissector { dissector in takeEvents(&reader, &dissector) }
  }

  /// As a property it would be copied at every use.
  func lendDissector(_ body: (inout Dissector) -> Void) {
    var dissector = spare
    swap(&dissector, &self.dissector)
    body(&dissector)
    swap(&dissector, &self.dissector)
  }

  private func takeEvents(_ reader: inout CaptureReader, _ dissector: inout Dissector) {
    while let event = reader.nextEvent() {
      switch event {
      case .opened(let stream, let description): open(stream, description)
      case .octets(let stream, let direction, let time, let range):
        guard let stream = self.stream(stream), stream.isWanted else { continue }
        reader.withBytes(range) { b in take(&dissector, stream, direction, time, b) }
      case .gap(let stream, let direction, let octets, let time):
        if let stream = self.stream(stream), stream.isWanted { gap(&dissector, stream, direction, octets, time) }
      case .closed(let number, let ending, let time):
        if let stream = self.stream(number) { close(&dissector, stream, ending, time: time) }
        streams[number] = nil
        forgetStream()
      case .note(let text): summary.note(text)
      case .failed(let text):
        summary.hasFailed = true
        report(Failure(source.name, text, exitCode: .badInput))
      }
    }
  }

  @inline(__always)
  private func stream(_ number: Int) -> DecodedStream? {
    if number == lastNumber { return lastStream }
    lastStream = streams[number]
    lastNumber = number
    return lastStream
  }

  func forgetStream() {
    lastStream = nil
    lastNumber = -1
  }

  @discardableResult
  func open(_ number: Int, _ description: StreamDescription) -> DecodedStream {
    let isPaste = description.source == nil
    opened += 1
    let stream = DecodedStream(number: opened, description, isPaste: isPaste)
    stream.conversation.isLinted = plan.output == .lint
    if case .stats = plan.output { stream.conversation.followsCredit = true }
    if needsMessages { stream.conversation.joinedLimit = 256 << 20 }
    stream.isWanted = plan.selection.wants(stream)
    streams[number] = stream
    forgetStream()
    return stream
  }

  private var needsMessages: Bool {
    switch plan.output {
    case .messages, .payload: true
    case .line, .tree, .hex, .json, .ladder, .lint, .stats: false
    }
  }

  // MARK: Octets

  func take(
    _ dissector: inout Dissector, _ stream: DecodedStream, _ direction: Direction, _ time: Int64?, _ b: Span<UInt8>
  ) {
    if direction == .unknown {
      stream.conversation.isOneWay = stream.isOneWay
    } else if stream.isOneWay || stream.conversation.isOneWay {
      (stream.isOneWay, stream.conversation.isOneWay) = (false, false)
    }
    let side = direction == .backward ? 1 : 0
    if let time { stream.lastTime = time }
    let half = stream.sides[side]
    if half.octets.isEmpty {
      let used = cut(&dissector, stream, side, time, b, isEnd: false)
      half.offset += used
      if used < b.count { half.octets.append(b.extracting(used..<b.count)) }
      return
    }
    half.octets.append(b)
    cutHeld(&dissector, stream, side, time, isEnd: false)
  }

  private func cutHeld(_ dissector: inout Dissector, _ stream: DecodedStream, _ side: Int, _ time: Int64?, isEnd: Bool)
  {
    let half = stream.sides[side]
    var held = ByteQueue()
    swap(&held, &half.octets)
    let used = held.withReadable { cut(&dissector, stream, side, time, $0, isEnd: isEnd) }
    held.consume(used)
    held.release(above: 1 << 18)
    half.offset += used
    swap(&held, &half.octets)
  }

  /// Shows every whole frame of `b`. Returns how many octets are done with.
  private func cut(
    _ dissector: inout Dissector, _ stream: DecodedStream, _ side: Int, _ time: Int64?, _ b: Span<UInt8>, isEnd: Bool
  ) -> Int {
    let half = stream.sides[side]
    var framing = half.framing
    let offset = half.offset
    var at = 0
    let place = Place(stream: stream, side: side, time: time, offset: offset)
    steps: while true {
      switch framing.step(b, at: at, isEnd: isEnd) {
      case .more, .done: break steps
      case .frame(.amqp10, let end):
        frame10(&dissector, place, b, at..<end)
        at = end
      case .frame(.amqp091, let end):
        frame091(&dissector, place, b, at..<end)
        at = end
      case .header(let header, let end):
        self.header(place, header, b, at..<end)
        at = end
        if let dialect = framing.dialect, !stream.isOneWay { stream.sides[1 - side].framing.learn(dialect) }
      case .bare(let bare, let end):
        self.bare(&dissector, place, bare, b, at..<end)
        at = end
      case .lost(let dialect): lost(&dissector, place, dialect, b, at)
      case .truncated(let dialect, let end):
        truncated(place, dialect, b, at..<end)
        at = end
      case .discard(let end): at = end
      case .skipped(let count): skipped(place, count, before: at, isFound: framing.dialect != nil)
      case .foreign(let foreign, let end):
        stream.foreign = foreign
        trouble(place, at, "\(foreign.name): not decoded")
        at = end
      }
    }
    half.framing = framing
    return at
  }

  func gap(
    _ dissector: inout Dissector, _ stream: DecodedStream, _ direction: Direction, _ octets: Int?, _ time: Int64?
  ) {
    let side = direction == .backward ? 1 : 0
    // What somebody pasted is shown as far as it goes.
    if !stream.isCaptured { cutHeld(&dissector, stream, side, time, isEnd: true) }
    let held = stream.sides[side].octets.count
    let place = Place(stream: stream, side: side, time: time, offset: stream.sides[side].offset)
    trouble(
      place, held,
      (octets.map { DecodeSummary.counted($0, "octet") + " missing" } ?? "octets missing")
        + (held > 0 ? ", and with them the rest of a frame" : ""))
    stream.sides[side].octets.removeAll()
    stream.sides[side].offset += held + (octets ?? 0)
    stream.sides[side].framing.gap(unfinished: held)
    stream.conversation.gap(side: side)
    stream.conversation.startSeen = false
  }

  /// Ends what is under way: nothing more comes.
  func close(_ dissector: inout Dissector, _ stream: DecodedStream, _ ending: StreamEnding, time: Int64?) {
    if !stream.isWanted { return }
    for side in 0...1 where !stream.sides[side].octets.isEmpty || side == 0 || !stream.isOneWay {
      let isCut = stream.isCaptured && ending != .finished && stream.sides[side].framing.isInStep
      if isCut && !stream.sides[side].octets.isEmpty { cutShort(stream, side) }
      cutHeld(&dissector, stream, side, time ?? stream.lastTime, isEnd: true)
    }
    summary.add(stream)
    finish(stream)
  }

  /// A capture that ends while a frame is under way is nobody's fault.
  private func cutShort(_ stream: DecodedStream, _ side: Int) {
    let held = stream.sides[side].octets.count
    summary.note("ends inside a frame of #\(stream.number): \(DecodeSummary.counted(held, "octet")) of it are there")
    stream.sides[side].octets.removeAll()
    stream.sides[side].offset += held
  }
}
