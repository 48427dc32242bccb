// A command for each message, so many at a time: which message is next, whose turn it is to put something out, and whose
// message is decided. Messages are started in their order, end in any, and put out in their order again.
import Bytes
import Console
import Glibc
import Render
import Transport

final class CommandPool: Handling {
  private let plan: HandlerPlan
  /// Taken and not decided, in the order in which they came.
  private var line: [Job] = []
  /// How many of them are started: the first ones.
  private var started = 0
  private var running = 0
  private var tools = Job.Tools()
  /// The system had no room for another process: not before then.
  private var startAgain: Int64?
  private var hasUnreadable = false
  private var failure: Failure?
  private var notes: [String] = []

  /// Octets of output that may wait for their turn before no more programs are started.
  private static let outputBound = 16 << 20

  init(_ plan: HandlerPlan) { self.plan = plan }

  var waiting: Int { line.count - started }
  var busy: Int { started }

  func take(_ ticket: Ticket, _ message: Span<UInt8>, _ context: MessageContext) {
    line.append(Job(ticket, message, context))
  }

  func dropWaiting() -> Int {
    let before = line.count
    line = line[..<started] + line[started...].filter(\.ticket.isSettled)
    return before - line.count
  }

  func busy(of server: Served) -> Int {
    line[..<started].count { $0.ticket.server === server && !$0.ticket.isSettled }
  }

  func finish(now: Int64) -> Bool { true }

  func kill() {
    for job in line { job.kill() }
    line = []
    (started, running) = (0, 0)
  }

  // MARK: The turn

  func advance(now: Int64, childrenChanged: Bool, _ output: inout OutputQueue, _ answer: (HandlerAnswer) -> Void) {
    // What ends makes room for another, whose output may be there at once.
    move(now: now, childrenChanged: childrenChanged, &output)
    decide(output, answer)
    start(now: now)
    // A message that nobody can read has its verdict without a program.
    if hasUnreadable { decide(output, answer) }
    hasUnreadable = false
  }

  private func move(now: Int64, childrenChanged: Bool, _ output: inout OutputQueue) {
    if started == 0 { return }
    running = 0
    var isTurn = true
    for i in 0..<started {
      let job = line[i]
      let place = destination(of: job, isTurn: isTurn)
      if job.isRunning {
        job.tick(now: now)
        job.feed()
        job.collect(place, childrenChanged: childrenChanged, &output)
        if job.isRunning { running += 1 }
      }
      guard isTurn, place == .ours else { continue }
      job.handOver(&output)
      // The next one's turn begins where this one's output ends.
      if job.verdict == nil { isTurn = false } else if job.end == nil { job.end = output.position }
    }
  }

  private func destination(of job: Job, isTurn: Bool) -> Job.Place {
    job.ticket.request != nil ? .reply : isTurn ? .ours : .waits
  }

  private func decide(_ output: borrowing OutputQueue, _ answer: (HandlerAnswer) -> Void) {
    var i = 0
    while i < started {
      let job = line[i]
      guard let verdict = job.verdict, isWritten(job, output) else {
        i += 1
        continue
      }
      line.remove(at: i)
      started -= 1
      // Output that nobody read is no work done: its message comes again.
      if output.isClosed && job.hasWritten && job.ticket.request == nil { continue }
      var reply = HandlerAnswer.Reply.none
      if job.ticket.request != nil && verdict == .accept { reply = .body(job.output) }
      answer(HandlerAnswer(ticket: job.ticket, verdict: verdict, began: job.began, reply: reply))
    }
  }

  /// Without output there is nothing to be in order with.
  private func isWritten(_ job: Job, _ output: borrowing OutputQueue) -> Bool {
    if job.ticket.request != nil || !job.hasWritten || output.isClosed { return true }
    return job.end.map { $0 <= output.written } ?? false
  }

  private func start(now: Int64) {
    if let startAgain, now < startAgain { return }
    startAgain = nil
    while running < plan.jobs, started < line.count, failure == nil, pendingOutput < CommandPool.outputBound {
      let job = line[started]
      if job.ticket.isVoid {
        // Its connection is gone, and with it whoever wanted to know what becomes of it.
        line.remove(at: started)
        continue
      }
      do throws(Errno) {
        try job.start(plan, &tools, now: now)
      } catch {
        switch error.code {
        case EAGAIN, ENOMEM, EMFILE, ENFILE:
          notes.append("cannot run '\(plan.name)' now: \(error.text)")
          startAgain = now + 1_000_000_000
        default: failure = HandlerPlan.cannotRun(plan.name, error)
        }
        return
      }
      started += 1
      if job.isRunning { running += 1 } else { hasUnreadable = true }
    }
  }

  private var pendingOutput: Int {
    if plan.jobs == 1 { return 0 }
    return line[..<started].reduce(0) { $0 + ($1.ticket.request == nil ? $1.output.count : 0) }
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet, room: Bool) {
    var isTurn = true
    for job in line[..<started] {
      let place = destination(of: job, isTurn: isTurn)
      job.register(&polls, place, room: room)
      if place == .ours && job.verdict == nil { isTurn = false }
    }
  }

  var deadline: Int64? {
    var at = startAgain
    for job in line[..<started] {
      guard let patience = job.patience, job.isRunning else { continue }
      at = min(at ?? patience, patience)
    }
    return at
  }

  func takeFailure() -> Failure? { failure }

  func takeNotes() -> [String] {
    if notes.isEmpty { return [] }
    defer { notes = [] }
    return notes
  }
}
