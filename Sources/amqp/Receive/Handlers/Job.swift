// A message and the program that is run for it, from the moment it is taken to its verdict.
import Bytes
import Render
import Transport
import Wire

final class Job {
  /// Octets of output that wait here while it isn't the message's turn; its program waits when there are more.
  static let bound = 1 << 16
  /// Octets of a reply, which has to be whole before it can be sent.
  static let replyBound = 128 << 20

  let ticket: Ticket
  let context: MessageContext
  /// The message, and then its body.
  private var octets: ByteQueue
  /// What of them is body and not written.
  private var body = 0..<0
  /// Of the message as JSON, what did not fit into the pipe.
  private var json = ByteQueue()
  private(set) var child: Child?
  private(set) var began: Int64 = 0
  /// When its time is over; and then, when its patience is.
  private(set) var patience: Int64?
  private var limit: Int64?
  private var isLate = false
  /// What it put out and nobody has taken.
  var output = ByteQueue()
  /// It put something out.
  private(set) var hasWritten = false
  private(set) var verdict: Verdict?
  /// Where in all our output its last octet is; nil: it is not all there.
  var end: Int?

  init(_ ticket: Ticket, _ message: Span<UInt8>, _ context: MessageContext) {
    self.ticket = ticket
    self.context = context
    octets = ByteQueue()
    octets.append(message)
  }

  var isRunning: Bool { child != nil }

  /// What the making of a child's input uses, one for all.
  struct Tools {
    var dissector = Dissector()
    var variables = ByteQueue()
    var json = ByteQueue()
  }

  // MARK: Its program

  /// Runs the program, with as much of its input in the pipes as they hold.
  func start(_ plan: HandlerPlan, _ tools: inout Tools, now: Int64) throws(Errno) {
    began = now
    let readable = octets.readable
    let fault = octets.withBytes(readable) { b in
      tools.dissector.message(b, in: 0..<b.count)
      return tools.dissector.firstFault
    }
    if let fault {
      // Whoever made it has to look at it; as it is it comes to nobody.
      verdict = .reject("malformed at octet \(fault.offset): \(fault.text)")
      return
    }
    tools.variables.removeAll()
    tools.json.removeAll()
    octets.withBytes(readable) { b in
      MessageVariables.append(tools.dissector, b, context, to: &tools.variables)
      MessageJSON.append(tools.dissector, b, context, to: &tools.json)
    }
    tools.json.append(0x0a)
    findBody(&tools)
    var taken = (input: 0, json: 0)
    child = try tools.json.withReadable { (json) throws(Errno) in
      try octets.withBytes(body) { (input) throws(Errno) in
        try Child(plan.program, variables: tools.variables, input: input, extra: json) { taken = ($0, $1) }
      }
    }
    body = body.lowerBound + taken.input..<body.upperBound
    if taken.json < tools.json.count {
      tools.json.consume(taken.json)
      json = tools.json
      tools.json = ByteQueue()
    }
    limit = plan.timeout
    patience = limit.map { now + $0 }
  }

  /// Nearly every body stands in the message as it is.
  private func findBody(_ tools: inout Tools) {
    let message = octets.readable
    let single = octets.withBytes(message) { b in try? BodyText.single(b, in: 0..<b.count) }
    if let single {
      body = message.lowerBound + single.lowerBound..<message.lowerBound + single.upperBound
      return
    }
    var text = ByteQueue()
    octets.withBytes(message) { b in
      _ = try? BodyText.append(b, in: 0..<b.count, with: &tools.dissector, to: &text)
    }
    octets = text
    body = octets.readable
  }

  /// Writes what is left of its input, as far as it is read.
  func feed() {
    guard let child else { return }
    while child.inputNumber != nil, !body.isEmpty {
      guard case .bytes(let n) = octets.withBytes(body, { child.write($0) }) else { break }
      body = body.lowerBound + n..<body.upperBound
      if body.isEmpty { child.closeInput() }
    }
    while child.extraNumber != nil, !json.isEmpty {
      guard case .bytes(let n) = json.withReadable({ child.writeExtra($0) }) else { break }
      json.consume(n)
      if json.isEmpty { child.closeExtra() }
    }
    // Nobody reads it: it need not be kept.
    if child.inputNumber == nil && body.count > 0 { (octets, body) = (ByteQueue(), 0..<0) }
    if child.extraNumber == nil && !json.isEmpty { json = ByteQueue() }
  }

  /// Reads its output into `queue` until that holds `bound` octets.
  /// - Returns: whether there is no more for now, or ever.
  private func read(into queue: inout ByteQueue, bound: Int) -> Bool {
    guard let child else { return true }
    while child.outputNumber != nil {
      if queue.count >= bound { return false }
      var progress = IOProgress.end
      let n = queue.fill(room: Job.bound) { span in progress = child.read(into: &span) }
      if n > 0 { hasWritten = true }
      switch progress {
      case .bytes: break
      case .wouldBlock: return true
      case .end: return true
      }
    }
    return true
  }

  /// Where its output goes.
  enum Place { case ours, waits, reply }

  /// Moves its output: to ours when it is its turn, else as far as it may wait. Its status is asked for first: what can't
  /// be read when it has ended is not its own.
  func collect(_ place: Place, childrenChanged: Bool, _ ours: inout OutputQueue) {
    guard let child else { return }
    let ending = childrenChanged ? child.poll() : child.ending
    if ours.isClosed && place != .reply {
      child.closeOutput()
      output = ByteQueue()
    }
    let isAll: Bool
    switch place {
    case .ours:
      handOver(&ours)
      isAll = read(into: &ours.octets, bound: OutputQueue.bound)
    case .waits: isAll = read(into: &output, bound: Job.bound)
    case .reply:
      isAll = read(into: &output, bound: Job.replyBound)
      if !isAll {
        child.kill()
        child.closeOutput()
        tooMuch = true
      }
    }
    if let ending, isAll { ended(child, ending) }
  }
  private var tooMuch = false

  /// Puts what waited here into ours.
  func handOver(_ ours: inout OutputQueue) {
    if output.isEmpty { return }
    output.withReadable { ours.octets.append($0) }
    output = ByteQueue()
  }

  private func ended(_ child: Child, _ ending: Child.Ending) {
    if isLate {
      // What it left behind in its group.
      child.kill()
      verdict = .fail("took longer than \(durationText(limit ?? 0))")
    } else if tooMuch {
      verdict = .fail("put out more than \(Job.replyBound >> 20) MiB, too much for a reply")
    } else {
      verdict = Verdict(ending)
    }
    release()
  }

  private func release() {
    child = nil
    (octets, json, body) = (ByteQueue(), ByteQueue(), 0..<0)
  }

  /// Its time is over: asked to end first, and ended when it does not.
  func tick(now: Int64) {
    guard let child, let patience, now >= patience else { return }
    if isLate {
      child.kill()
      self.patience = nil
    } else {
      isLate = true
      child.terminate()
      self.patience = now + 2_000_000_000
    }
  }

  func kill() {
    child?.kill()
    release()
  }

  func register(_ polls: inout PollSet, _ place: Place, room: Bool) {
    guard let child else { return }
    if let number = child.inputNumber { _ = polls.add(number, write: true) }
    if let number = child.extraNumber { _ = polls.add(number, write: true) }
    let wants = place == .ours ? room : place == .reply || output.count < Job.bound
    if let number = child.outputNumber, wants { _ = polls.add(number, read: true) }
  }
}
