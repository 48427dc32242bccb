// The run of `decode`: input to streams, streams to frames, frames to standard output. This file: the sources one after the
// other, the output, and how it ends. Streams are in Decoding+Streams, frames in Decoding+Frames.
import Analysis
import Bytes
import Capture
import Console
import Render
import Runtime
import Transport
import Wire

final class Decoding: Looped {
  typealias Failure = Console.Failure

  let plan: DecodePlan
  let diagnostics: Diagnostics
  let signals: Signals?
  /// Already written by the report of a failure; several at once combine.
  var status = ExitCode.success

  // The source that is being read.
  var source = DecodePlan.Source.standardInput
  private var nextSource = 0
  private var file: InputFile?
  var reader = CaptureReader(.auto)
  private var lines = FrameLines()
  /// Octets were written as they are.
  var madeOctets = false
  private var isReading = false
  private var waitsForInput = false
  private var isFollowing = false
  var inputOctets = 0
  var summary = DecodeSummary()

  // Frames.
  var streams: [Int: DecodedStream] = [:]
  var lastStream: DecodedStream?
  var lastNumber = -1
  /// Lent to whoever cuts frames: as a property it would be copied at every use.
  var dissector = Dissector()
  var spare = Dissector()
  var joined = Dissector()
  /// A message of 0-9-1 as sections, and what that costs remembered.
  var sections = ByteQueue()
  var sectionsCache = SectionsCache()
  var out = ByteQueue()
  var clock = TimeText()
  var statistics = FrameStatistics()
  var findings = 0
  var malformed = 0
  /// Streams so far.
  var opened = 0
  var messages = 0
  let ladder: Ladder
  /// The connection whose sides are named over the rungs.
  var ladderStream = 0

  /// Nothing is asked of a frame but its line, or its object.
  let showsPlainLines: Bool
  let showsPlainJSON: Bool
  private let output: OutputFile
  private var outputIsClosed = false
  let started: Int64
  private let tap: Tap?

  /// Lines are written when so many octets wait, or the input pauses.
  private static let batch = 1 << 17
  private static let read = 1 << 16

  init(_ plan: DecodePlan, _ diagnostics: Diagnostics, signals: Signals?) throws(Failure) {
    self.plan = plan
    self.diagnostics = diagnostics
    self.signals = signals
    started = Clock.now
    (showsPlainLines, showsPlainJSON) = (plan.isPlainLine, plan.isPlainJSON)
    ladder = Ladder(width: Terminal.width() ?? 120)
    do throws(Errno) {
      output = try OutputFile()
    } catch {
      throw Failure("cannot write to standard output", error.text, exitCode: .cannotWrite)
    }
    tap = try plan.tap.map { ends throws(Failure) in try Tap(ends, diagnostics) }
    // What is shown is no reason to stop: the limits are those of our memory.
    dissector.limits = .onlooker(frameSize: Framing.largest)
    joined.limits = dissector.limits
    (dissector.isStrict, joined.isStrict) = (true, true)
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    if let signal = signals?.first {
      status = status.combined(with: signal == .terminate ? .terminated : .interrupted)
      finishSource()
      return try finish()
    }
    if let timeout = plan.timeout, now >= started + timeout {
      finishSource()
      diagnostics.report(
        Failure("not at the end", "the time limit has passed", exitCode: .incomplete))
      status = status.combined(with: .incomplete)
      return try finish()
    }
    if let tap {
      tap.turn(now: now, self)
      try flush(all: true)
      return outputIsClosed
    }
    waitsForInput = false
    while !waitsForInput && !outputIsClosed {
      if out.count >= Decoding.batch {
        try flush(all: false)
        if out.count >= Decoding.batch { return false }
      }
      if !isReading {
        if nextSource == plan.sources.count { return try finish() }
        try openSource(plan.sources[nextSource])
        nextSource += 1
        continue
      }
      try readSome()
    }
    if outputIsClosed { return true }
    // The input pauses: what is there is shown now.
    if plan.input != .json {
      reader.flush()
      takeEvents()
    }
    try flush(all: false)
    return outputIsClosed
  }

  func register(_ polls: inout PollSet) {
    tap?.register(&polls)
    if waitsForInput && !isFollowing, let file { _ = polls.add(file.number, read: true) }
    _ = polls.add(output.number, write: !out.isEmpty, hangUp: out.isEmpty)
  }

  var deadline: Int64? {
    let follow = isFollowing && waitsForInput ? Clock.now + 100_000_000 : nil
    return [follow, plan.timeout.map { started + $0 }, tap?.deadline].compactMap { $0 }.min()
  }

  // MARK: Sources

  private func openSource(_ source: DecodePlan.Source) throws(Failure) {
    self.source = source
    reader = CaptureReader(form(of: source))
    summary = DecodeSummary()
    inputOctets = 0
    isFollowing = false
    isReading = true
    do throws(Errno) {
      switch source {
      case .octets(let octets), .text(let octets):
        file = nil
        inputOctets = octets.count
        reader.append(octets.span)
        endInput()
      case .standardInput: file = try InputFile()
      case .file(let path): file = try InputFile(path: path)
      }
    } catch {
      isReading = false
      let isDirectory = error.text.contains("directory") && Files.isDirectory(error.subject ?? "")
      report(
        Failure(
          "cannot read \(source.name)", error.text,
          nextStep: isDirectory ? "name the files in it" : nil, exitCode: isDirectory ? .badInput : .noInput))
    }
  }

  private func form(of source: DecodePlan.Source) -> InputForm {
    if case .octets = source { return .raw }
    return plan.input
  }

  private func readSome() throws(Failure) {
    guard let file else { return endInput() }
    var progress = IOProgress.end
    do throws(Errno) {
      if plan.input == .json {
        inputOctets += try lines.append(room: Decoding.read) { span throws(Errno) in
          progress = try file.read(into: &span)
        }
      } else {
        inputOctets += try reader.append(room: Decoding.read) { span throws(Errno) in
          progress = try file.read(into: &span)
        }
      }
    } catch {
      report(Failure("cannot read \(source.name)", error.text, exitCode: .noInput))
      return endInput()
    }
    switch progress {
    case .bytes: if plan.input == .json { lines.take(self, isEnd: false) } else { takeEvents() }
    case .wouldBlock: waitsForInput = true
    case .end:
      if plan.follows, case .file = file.kind {
        isFollowing = true
        waitsForInput = true
      } else {
        endInput()
      }
    }
  }

  private func endInput() {
    isReading = false
    file = nil
    if plan.input == .json {
      lines.take(self, isEnd: true)
    } else {
      reader.finish()
      takeEvents()
    }
    finishSource()
  }

  /// Ends what is under way in the source and says what it was.
  private func finishSource() {
    if tap == nil && inputOctets == 0 && !summary.hasFailed && signals?.first == nil {
      if case .octets = source {
      } else {
        return report(Failure("\(source.name) is empty", exitCode: .badInput))
      }
    }
    for stream in streams.values.sorted(by: { $0.number < $1.number }) {
      lendDissector { close(&$0, stream, .inputEnded, time: nil) }
    }
    streams = [:]
    forgetStream()
    summarize()
  }

  func report(_ failure: Failure) {
    diagnostics.report(failure)
    status = status.combined(with: failure.exitCode)
  }

  // MARK: The end

  private func finish() throws(Failure) -> Bool {
    finishOutput()
    // What still waits is written, whatever it takes, unless nobody reads it.
    try flush(all: true)
    return true
  }

  /// - Parameter all: wait until everything is written.
  private func flush(all: Bool) throws(Failure) {
    while !out.isEmpty && !outputIsClosed {
      var progress = IOProgress.wouldBlock
      do throws(Errno) {
        progress = try out.withReadable { span throws(Errno) in try output.write(span) }
      } catch {
        outputIsClosed = true
        throw Failure("cannot write to standard output", error.text, exitCode: .cannotWrite)
      }
      switch progress {
      case .bytes(let n): out.consume(n)
      case .end: outputIsClosed = true
      case .wouldBlock:
        if !all { return }
        var polls = PollSet()
        _ = polls.add(output.number, write: true)
        try? polls.wait(now: Clock.now, until: nil)
      }
    }
    out.release(above: 1 << 22)
  }
}
