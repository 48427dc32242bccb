// One long-lived process for all messages: a line of JSON each to its standard input, a line each back from its standard
// output, in any order. When it ends in the middle, what it had is handed back and another one is started, later each
// time, until that has happened so often in a row that it makes no sense.
import Bytes
import Console
import Glibc
import Render
import Transport
import Wire

final class Worker: Handling {
  private let plan: HandlerPlan
  private var child: Child?
  private var dissector = Dissector()
  private var scratch = ByteQueue()

  private struct Entry {
    let ticket: Ticket
    /// Behind its line, among all octets of lines.
    let end: Int
    /// When it was given to the worker; nil: it waits.
    var began: Int64?
    var isAnswered = false
  }
  /// Messages with ids from `first` on; those that are answered go when they are the oldest.
  private var ring: [Entry?] = []
  private var first = 1
  private var next = 1
  /// The first that waits.
  private var unasked = 1
  /// Given to this worker and not answered.
  private var inFlight = 0

  /// Lines that are not written whole; `base` is where they begin among all octets of lines.
  private var lines = ByteQueue()
  private var base = 0
  /// Up to where they may be written.
  private var allowed = 0
  private var answers = ByteQueue()

  /// Ends in a row without a single answer.
  private var ends = 0
  private var backoff = Backoff()
  private var startAt: Int64?
  private var startedAt: Int64 = 0
  private var hasStarted = false
  private var isFinishing = false
  private var isKilled = false
  /// Of the worker's own end when there is nothing more to do.
  private var patience: Int64?
  private var isLate = false
  private var failure: Failure?
  private var notes: [String] = []

  /// Ends in a row that are too many.
  static let mostEnds = 5
  /// Octets of an answer.
  private static let answerBound = 1 << 20
  private static let replyBound = 128 << 20
  /// How long it may take to end, and then to end when it is asked to.
  private static let farewell: Int64 = 10_000_000_000
  private static let grace: Int64 = 2_000_000_000

  init(_ plan: HandlerPlan) { self.plan = plan }

  var waiting: Int { next - unasked }
  var busy: Int { inFlight }

  func take(_ ticket: Ticket, _ message: Span<UInt8>, _ context: MessageContext) {
    dissector.message(message, in: 0..<message.count)
    scratch.removeAll()
    MessageJSON.append(dissector, message, context, to: &scratch)
    lines.append("{\"id\":")
    lines.append(decimal: next)
    scratch.withReadable { json in
      // Never an empty object: there is a body always.
      lines.append(UInt8(ascii: ","))
      lines.append(json.extracting(1..<json.count))
    }
    lines.append(0x0a)
    append(Entry(ticket: ticket, end: base + lines.count))
  }

  private func append(_ entry: Entry) {
    if next - first == ring.count {
      let old = ring
      ring = [Entry?](repeating: nil, count: max(64, old.count * 2))
      for id in first..<next { ring[id & (ring.count - 1)] = old[id & (old.count - 1)] }
    }
    ring[next & (ring.count - 1)] = entry
    next += 1
  }

  private subscript(id: Int) -> Entry? {
    get { ring[id & (ring.count - 1)] }
    set { ring[id & (ring.count - 1)] = newValue }
  }

  /// What is in front of the last that came settled stays as well.
  func dropWaiting() -> Int {
    var (keep, end) = (unasked, allowed)
    for id in unasked..<next {
      if let entry = self[id], entry.ticket.isSettled { (keep, end) = (id + 1, entry.end) }
    }
    let count = next - keep
    for id in keep..<next { self[id] = nil }
    next = keep
    lines.truncate(to: max(0, end - base))
    return count
  }

  func busy(of server: Served) -> Int {
    (first..<unasked).count { id in
      self[id].map { !$0.isAnswered && $0.ticket.server === server && !$0.ticket.isSettled } ?? false
    }
  }

  // MARK: The turn

  func advance(now: Int64, childrenChanged: Bool, _ output: inout OutputQueue, _ answer: (HandlerAnswer) -> Void) {
    if isKilled { return }
    if !hasStarted {
      hasStarted = true
      start(now: now)
    }
    if child == nil, failure == nil, waiting > 0, startAt.map({ now >= $0 }) ?? true { start(now: now) }
    repeat {
      ask(now: now)
      write()
    } while read(now: now, answer)
    if let child {
      let ending = childrenChanged ? child.poll() : child.ending
      // What it said before it ended counts: all of it is read.
      if let ending {
        ended(ending, now: now, answer)
      } else {
        // Nothing can be heard of it any more.
        if child.outputNumber == nil && !isFinishing { child.kill() }
        watch(now: now)
      }
    }
  }

  private func start(now: Int64) {
    startAt = nil
    let nothing = ByteQueue()
    do throws(Errno) {
      child = try nothing.withReadable { (empty) throws(Errno) in
        try Child(plan.program, variables: nothing, input: empty, closesInput: false, extra: nil) { _, _ in }
      }
      startedAt = now
      answers.removeAll()
    } catch {
      failure = HandlerPlan.cannotRun(plan.name, error)
    }
  }

  /// Gives it as many as it may have.
  private func ask(now: Int64) {
    guard child != nil else { return }
    while inFlight < plan.jobs, unasked < next {
      guard var entry = self[unasked] else { return }
      entry.began = now
      self[unasked] = entry
      allowed = entry.end
      unasked += 1
      inFlight += 1
    }
  }

  private func write() {
    guard let child, child.inputNumber != nil else { return }
    while allowed > base {
      let progress = lines.withReadable { child.write($0.extracting(0..<allowed - base)) }
      guard case .bytes(let n) = progress else { return }
      lines.consume(n)
      base += n
    }
  }

  /// - Returns: whether there is room for more messages now.
  private func read(now: Int64, _ answer: (HandlerAnswer) -> Void) -> Bool {
    guard let child else { return false }
    let before = inFlight
    while child.outputNumber != nil {
      var progress = IOProgress.end
      answers.fill(room: 1 << 16) { span in progress = child.read(into: &span) }
      guard case .bytes(let n) = progress else { break }
      guard take(now: now, answer) else { return false }
      // Less than there was room for: it is all there was.
      if n < 1 << 16 { break }
    }
    return inFlight < before && unasked < next
  }

  /// Takes whole lines; false: one was none.
  private func take(now: Int64, _ answer: (HandlerAnswer) -> Void) -> Bool {
    var bad: String?
    let used = answers.withReadable { b in
      var at = 0
      while let newline = b.firstIndex(of: 0x0a, from: at) {
        let end = newline > at && b[newline - 1] == 0x0d ? newline - 1 : newline
        let line = b.extracting(at..<end)
        at = newline + 1
        if line.isEmpty { continue }
        guard let said = WorkerAnswer(line, responds: plan.responds), take(said, answer) else {
          bad = line.extracting(0..<min(line.count, 200)).text
          break
        }
      }
      return at
    }
    answers.consume(used)
    if bad == nil, answers.count > (plan.responds ? Worker.replyBound : Worker.answerBound) {
      bad = answers.withReadable { $0.extracting(0..<200).text } + "…"
    }
    guard let bad else { return true }
    notes.append(
      "the worker '\(plan.name)' wrote '\(bad)': expected \(WorkerAnswer.expected), of a message that it has")
    // There is no telling what else it has misunderstood.
    child?.kill()
    child?.closeOutput()
    return false
  }

  private func take(_ said: WorkerAnswer, _ answer: (HandlerAnswer) -> Void) -> Bool {
    guard said.id >= first, said.id < unasked, let entry = self[said.id], let began = entry.began, !entry.isAnswered
    else { return false }
    self[said.id]?.isAnswered = true
    inFlight -= 1
    ends = 0
    backoff.succeeded()
    let wantsReply = entry.ticket.request != nil
    answer(
      HandlerAnswer(ticket: entry.ticket, verdict: said.verdict, began: began, reply: wantsReply ? said.reply : .none))
    trim()
    return true
  }

  private func trim() {
    while first < unasked, self[first]?.isAnswered ?? true {
      self[first] = nil
      first += 1
    }
  }

  // MARK: Its end

  /// It takes too long over a message, or over its end.
  private func watch(now: Int64) {
    if let patience, now >= patience {
      if isLate {
        child?.kill()
        self.patience = nil
      } else {
        isLate = true
        child?.terminate()
        self.patience = now + Worker.grace
      }
      return
    }
    guard !isLate, let limit = plan.timeout, let oldest, now - oldest >= limit else { return }
    notes.append("the worker '\(plan.name)' had a message for longer than \(durationText(limit)): it is ended")
    isLate = true
    child?.terminate()
    patience = now + Worker.grace
  }

  private var oldest: Int64? { first < unasked ? self[first]?.began : nil }

  private func ended(_ ending: Child.Ending, now: Int64, _ answer: (HandlerAnswer) -> Void) {
    while read(now: now, answer) {}
    // What it left behind in its group.
    if isLate { child?.kill() }
    child = nil
    isLate = false
    patience = nil
    lines.consume(max(0, allowed - base))
    base = max(base, allowed)
    let why =
      switch ending {
      case .exited(let status): "exited with status \(status)"
      case .killed(let signal): "was killed by signal \(signal)"
      }
    let had = inFlight
    for id in first..<unasked {
      guard let entry = self[id], !entry.isAnswered, let began = entry.began else { continue }
      answer(
        HandlerAnswer(
          ticket: entry.ticket, verdict: .fail("was with a worker that \(why)"), began: began, isUntried: true))
      self[id]?.isAnswered = true
    }
    inFlight = 0
    trim()
    switch ending {
    case .exited(126): failure = failure ?? HandlerPlan.cannotRun(plan.name, Errno("exec", code: EACCES))
    case .exited(127): failure = failure ?? HandlerPlan.cannotRun(plan.name, Errno("exec", code: ENOENT))
    case .exited, .killed: break
    }
    if isFinishing && had == 0 {
      if ending != .exited(0) { notes.append("the worker '\(plan.name)' \(why)") }
      return
    }
    ends += 1
    startAt = now + backoff.failed(began: startedAt, now: now)
    notes.append("the worker '\(plan.name)' \(why)\(had == 0 ? "" : ", and \(had) of its messages are handed back")")
    if ends >= Worker.mostEnds, failure == nil {
      failure = Failure(
        "the worker '\(plan.name)' ended \(ends) times in a row without an answer", "it \(why) the last time",
        exitCode: .failure)
    }
  }

  func finish(now: Int64) -> Bool {
    guard let child else { return true }
    if !isFinishing {
      isFinishing = true
      child.closeInput()
      patience = now + Worker.farewell
    }
    return false
  }

  func kill() {
    isKilled = true
    child?.kill()
    child = nil
    inFlight = 0
    (first, unasked, next) = (next, next, next)
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet, room: Bool) {
    guard let child else { return }
    if let number = child.inputNumber, allowed > base { _ = polls.add(number, write: true) }
    if let number = child.outputNumber { _ = polls.add(number, read: true) }
  }

  var deadline: Int64? {
    var at: [Int64] = []
    if let patience { at.append(patience) }
    if child == nil, let startAt, waiting > 0 { at.append(startAt) }
    if child != nil, !isLate, let limit = plan.timeout, let oldest { at.append(oldest + limit) }
    return at.min()
  }

  func takeFailure() -> Failure? { failure }

  func takeNotes() -> [String] {
    if notes.isEmpty { return [] }
    defer { notes = [] }
    return notes
  }
}
