/// One run of a program on a connection, and what has to hold whatever the peer and the application do. What must be
/// the same however the octets come (events, octets written, deadlines) is kept for comparison.
import Bytes
import Engine
import Wire

/// Stops with what went wrong, so that libFuzzer keeps the input.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}

/// Runs the program with octets that come whole, and with the same octets in pieces.
package func fuzzDialogue(
  _ role: ConnectionSettings.Role, protocols: ConnectionSettings.Protocols = .amqp10, _ octets: [UInt8]
) {
  let whole = Dialogue(role, protocols, octets, inPieces: false)
  whole.run()
  let pieces = Dialogue(role, protocols, octets, inPieces: true)
  pieces.run()
  if whole.log != pieces.log {
    let at = zip(whole.log, pieces.log).prefix { $0 == $1 }.count
    let (a, b) = (whole.log.dropFirst(at).first ?? "nothing", pieces.log.dropFirst(at).first ?? "nothing")
    fatalError("in pieces it is another story, at \(at): \(a) | \(b)")
  }
  require(whole.written == pieces.written, "in pieces other octets are written")
  if protocols == .amqp091 {
    var check = WrittenCheck091(role, frameSize: whole.peerFrameSize)
    check.check(whole.written)
  } else {
    var check = WrittenCheck(frameSize: whole.peerFrameSize)
    check.check(whole.written)
  }
}

package final class Dialogue {
  static let names = ["a", "b", "c", "d"]
  /// Bodies are cut from here.
  static let filler = [UInt8](repeating: 0x61, count: 200_000)
  private static let head: [UInt8] = [0, 0x53, 0x70, 0xc0, 2, 1, 0x41]
  /// What may wait to be written before no more is made (the machine's bound, which isn't visible here).
  private static let outputBound = 256 * 1024

  private var connection: Connection
  private var program: Program
  private let settings: ProgramSettings
  private var peer: PeerFrames
  private var peer091 = PeerFrames091()
  private let client091 = ClientFrames091()
  private let role: ConnectionSettings.Role
  private let is091: Bool
  private let inPieces: Bool
  private var now: Instant = 0
  package private(set) var log: [String] = []
  package private(set) var written: [UInt8] = []
  private(set) var peerFrameSize = 512

  private var links: [LinkID] = []
  private var models: [LinkID: LinkModel] = [:]
  private var nextNumber = 1
  private var newestDelivery = -1
  private var opened = false
  private var closed = false

  private var stepsLeft = 120
  private var octetsLeft = 256 << 10
  private var bodyLeft = 400 << 10
  private var wrong: (at: Int, with: UInt8)?
  private var octetsReceived = 0
  private var calls = 0
  private var eventCount = 0

  private enum Reading { case all, some(Int), none, unasked }
  private var reading = Reading.all
  /// Octets that waited when the peer last took none.
  private var stalled: Int?

  struct LinkModel {
    let place: Int
    var isUp = false
    var isGone = false
    var outstanding: Set<Int> = []
    var newestDelivery = -1
    var partial: (number: Int, size: Int, settled: Bool, at: Int)?
  }

  package init(
    _ role: ConnectionSettings.Role, _ protocols: ConnectionSettings.Protocols = .amqp10, _ octets: [UInt8],
    inPieces: Bool
  ) {
    program = Program(octets)
    settings = ProgramSettings(role, protocols, &program)
    is091 = protocols == .amqp091
    self.role = role
    peer = PeerFrames(role)
    self.inPieces = inPieces
    connection = Connection(settings.connection, now: 0)
  }

  package func run() {
    var starts: [Int] = []
    write()
    while !program.isOver && stepsLeft > 0 {
      starts.append(program.at)
      let step = program.step()
      if step == .again { again(starts) } else { run(step) }
    }
    questions()
    reading = .all
    write()
    takeEvents()
  }

  /// The last steps over and over: floods.
  private func again(_ starts: [Int]) {
    let b = program.byte()
    let next = program.at
    let count = min(Int(b & 3) + 1, starts.count - 1)
    if count == 0 { return }
    for _ in 0..<Int(b >> 2) * 2 where stepsLeft > 0 {
      program.at = starts[starts.count - 1 - count]
      for _ in 0..<count where stepsLeft > 0 {
        let step = program.step()
        if step == .again { _ = program.byte() } else { run(step) }
      }
    }
    program.at = next
  }

  private func run(_ step: Step) {
    stepsLeft -= 1
    if let octets = octets(step) {
      receive(octets)
    } else {
      calls += 1
      perform(step)
    }
    takeEvents()
    write()
    takeEvents()
    if stepsLeft % 8 == 0 { questions() }
  }

  /// What the peer sends in this step.
  private func octets(_ step: Step) -> [UInt8]? {
    switch (is091, role) {
    case (false, _): peer.octets(step, &program, sasl: !settings.connection.mechanisms.isEmpty)
    case (true, .initiator): peer091.octets(step, &program)
    case (true, .acceptor): client091.octets(step, &program)
    }
  }

  // MARK: The world

  private func receive(_ octets: [UInt8]) {
    var octets = octets
    if octetsLeft < octets.count { return }
    octetsLeft -= octets.count
    if let flip = wrong, !octets.isEmpty {
      octets[flip.at % octets.count] ^= flip.with
      wrong = nil
    }
    octetsReceived += octets.count
    var at = 0
    while at < octets.count {
      // A large payload in single octets costs time and shows nothing.
      let piece = inPieces ? max(settings.piece, octets.count / 64) : octets.count
      let part = octets[at..<min(at + piece, octets.count)]
      let n = connection.receive(now: now, room: part.count + (inPieces ? 7 : 0)) { span in
        span.withUnsafeMutableBytes { target, count in
          target.copyBytes(from: part)
          count = part.count
        }
      }
      require(n == part.count, "\(n) octets received of \(part.count)")
      at += n
      if at < octets.count { takeEvents() }
    }
  }

  private func write() {
    var quota: Int
    switch reading {
    case .unasked: return
    case .all: quota = .max
    case .some(let n): quota = n
    case .none: quota = 0
    }
    var first: Int?
    var left = 0
    let all = connection.withOutput(now: now) { span in
      if first == nil { first = span.count }
      let n = min(quota, span.count)
      written += span.extracting(0..<n).array
      quota -= n
      left = span.count - n
      return n
    }
    require(all == (left == 0), "all written: \(all), left \(left)")
    let waiting = first ?? 0
    if let stalled, stalled >= Dialogue.outputBound {
      require(waiting <= stalled, "what waits for a peer that does not read grew from \(stalled) to \(waiting)")
    }
    let most = Dialogue.outputBound + 65_536 + 2 * octetsReceived + 256 * (calls + 4)
    require(waiting <= most, "\(waiting) octets wait to be written")
    stalled = left
  }

  private func perform(_ step: Step) {
    switch step {
    case .wrong: wrong = (Int(program.byte()), program.byte() | 1)
    case .tick:
      now += Instant(program.number() ?? 0) * 50_000
      tick()
    case .deadline:
      if let deadline = connection.deadline { now = max(now, deadline) }
      tick()
    case .receivedEnd: connection.receivedEnd()
    case .read:
      let b = program.byte()
      reading =
        switch b & 3 {
        case 0: .all
        case 1: .some(Int(b >> 2) * 16 + 1)
        case 2: .none
        default: .unasked
        }
    case .fork: if inPieces { connection = connection.fork() }
    case .link: attach()
    case .accept:
      let b = program.byte()
      guard let link = anyLink(b) else { return }
      connection.accept(link) { attach in
        if b & 64 != 0 { attach.maxMessageSize = 1_000 }
        if b & 128 != 0 { attach.rcvSettleMode = .second }
      }
    case .refuse: if let link = anyLink() { connection.refuse(link, AMQPError(Condition.notFound, "no")) }
    case .grant:
      guard let link = anyLink() else { return }
      let (start, ceiling) = (program.number() ?? 1, program.number() ?? 1)
      connection.grant(
        link, start: start, ceiling: max(start, ceiling), budget: ceiling & 1 == 0 ? Int(ceiling) : nil)
    case .deliver: deliver()
    case .goOn: if let link = anyLink() { goOn(link) }
    case .settle:
      guard let link = anyLink() else { return }
      let (from, b) = (Int(program.byte()), program.byte())
      connection.settle(link, from...from + Int(b >> 3), outcome(b))
    case .stop: if let link = anyLink() { connection.stop(link) }
    case .drain: if let link = anyLink() { connection.drain(link) }
    case .idle: if let link = anyLink() { connection.idle(link) }
    case .leave:
      let b = program.byte()
      guard let link = anyLink(b) else { return }
      models[link]?.partial = nil
      connection.detach(link, b & 64 != 0 ? AMQPError(Condition.internalError) : nil, closes: b & 128 == 0)
    case .hangUp: connection.close(program.byte() & 1 != 0 ? AMQPError(Condition.internalError, "no more") : nil)
    case .octets, .restOctets, .header, .handshake, .sasl, .open, .begin, .attach, .flow, .transfer, .disposition,
      .detach, .end, .close, .keepalive, .again:
      break
    }
  }

  private func tick() {
    connection.tick(now: now)
    takeEvents()
    write()
    takeEvents()
    if let deadline = connection.deadline {
      require(deadline > now, "the deadline \(deadline) stays in the past of \(now)")
    }
    log.append("deadline \(connection.deadline ?? -1)")
  }

  // MARK: The application

  private func anyLink(_ b: UInt8? = nil) -> LinkID? {
    let b = b ?? program.byte()
    return links.isEmpty ? nil : links[Int(b & 63) % links.count]
  }

  private func attach() {
    let b = program.byte()
    // Over 0-9-1 it is for the client to ask.
    if is091 && role == .acceptor { return }
    var attach = Attach()
    attach.name = Dialogue.names[Int(b & 3)]
    attach.role = b & 4 != 0 ? .receiver : .sender
    attach.sndSettleMode = [.unsettled, .settled, .mixed, .mixed][Int(b >> 3 & 3)]
    attach.rcvSettleMode = b & 32 != 0 ? .second : .first
    attach.source = Source(address: "q")
    if b & 64 == 0 { attach.target = Target(address: "q") }
    let link = connection.attach(attach)
    know(link)
    if settings.reacts && attach.role == .receiver { connection.grant(link, start: 10, ceiling: 100) }
  }

  private func know(_ link: LinkID) {
    require(models[link] == nil, "a new link with the name of an old one")
    models[link] = LinkModel(place: links.count)
    links.append(link)
  }

  private func deliver() {
    let b = program.byte()
    let size = min(program.size(), bodyLeft)
    guard let link = anyLink(b), let model = models[link], model.partial == nil else { return }
    // Nobody delivers on the receiving end of a link.
    guard connection.localAttach(link).role == .sender else { return }
    bodyLeft -= size
    // Over 0-9-1 a link is one or the other.
    let settled = b & 64 != 0 || (is091 && connection.localAttach(link).sndSettleMode == .settled)
    let room = connection.room(link)
    let number = nextNumber
    nextNumber += 1
    let body = body(size)
    let total = body.count + Dialogue.head.count
    let at = connection.deliver(
      link, number, head: Dialogue.head.span, body: body.span, from: 0, settled: settled)
    require(at >= 0 && at <= total, "\(at) of \(total) octets delivered")
    require((at > 0) == (room > 0), "room \(room), and \(at) octets went")
    if at == 0 { return }
    if !settled { models[link]?.outstanding.insert(number) }
    if at < total { models[link]?.partial = (number, size, settled, at) }
    log.append("delivered \(number) \(at)")
  }

  /// 1.0 carries anything; what is to be translated is a section.
  private func body(_ size: Int) -> [UInt8] {
    var q = ByteQueue()
    if is091 { q.appendDataHead(size) }
    q.append(Dialogue.filler.span.extracting(0..<size))
    return q.bytes
  }

  private func goOn(_ link: LinkID) {
    guard let partial = models[link]?.partial else { return }
    let can = connection.canContinue(link)
    if !can { return }
    let at = connection.deliver(
      link, partial.number, head: Dialogue.head.span, body: body(partial.size).span, from: partial.at,
      settled: partial.settled)
    let total = body(partial.size).count + Dialogue.head.count
    require(at > partial.at && at <= total, "\(at) after \(partial.at) of \(total) octets")
    models[link]?.partial = at < total ? (partial.number, partial.size, partial.settled, at) : nil
    log.append("went on \(partial.number) \(at)")
  }

  private func outcome(_ b: UInt8) -> Outcome {
    switch b & 7 {
    case 0, 1, 2: .accept
    case 3: .reject(nil)
    case 4: .reject(AMQPError(Condition.notAllowed, "bad"))
    case 5: .release
    case 6: .modify(failed: true, undeliverable: false, annotations: .null)
    default: .modify(failed: false, undeliverable: true, annotations: .map([]))
    }
  }

  // MARK: What comes out

  private func takeEvents() {
    while let event = connection.nextEvent() {
      eventCount += 1
      require(!closed, "an event after the end: \(event)")
      // Every event has a frame (an end: links, too; a disposition: messages, too) or a wish behind it.
      require(eventCount <= 16 + octetsReceived / 4 + 4 * calls, "\(eventCount) events")
      take(event)
    }
    require(connection.nextEvent() == nil, "an event after the last")
    require(connection.isOver == closed, "over without a word")
  }

  private func take(_ event: Event) {
    switch event {
    case .opened:
      require(!opened, "opened twice")
      opened = true
      peerFrameSize = max(512, Int(connection.peer.open.maxFrameSize))
      log.append("opened \(connection.peer.open.containerID)")
    case .attached(let link):
      let at = live(link, "attached")
      require(models[link]?.isUp == false, "attached twice")
      models[link]?.isUp = true
      log.append("attached \(at)")
    case .attachRequested(let link):
      know(link)
      models[link]?.isUp = true
      log.append("requested \(connection.remoteAttach(link).name)")
      if settings.reacts {
        connection.accept(link)
        if connection.localAttach(link).role == .receiver { connection.grant(link, start: 5, ceiling: 50) }
      }
    case .detached(let link, let reason):
      let at = live(link, "detached")
      models[link]?.isGone = true
      models[link]?.outstanding = []
      models[link]?.partial = nil
      log.append("detached \(at) \(text(reason))")
    case .delivery(let d): delivery(d)
    case .aborted(let link): log.append("aborted \(up(link, "aborted"))")
    case .answered(let link, let run, let answer):
      let at = up(link, "answered")
      for number in run {
        // What can't be said in 0-9-1 is answered in every mode.
        let wasWaitedFor = models[link]?.outstanding.remove(number) != nil
        require(wasWaitedFor || is091, "an answer to \(number), which nobody waits for")
        if models[link]?.partial?.number == number { models[link]?.partial = nil }
      }
      log.append("answered \(at) \(run) \(answer)")
    case .settledBySender(let link, let run):
      let at = up(link, "settled by sender")
      require(run.lowerBound >= 0 && run.upperBound <= newestDelivery, "settled \(run), and \(newestDelivery) came")
      log.append("settled by sender \(at) \(run)")
    case .drained(let link): log.append("drained \(up(link, "drained"))")
    case .stopped(let link): log.append("stopped \(up(link, "stopped"))")
    case .blocked, .unblocked, .declared, .discharged:
      require(is091, "an event of 0-9-1")
      log.append("\(event)")
    case .closed(let reason):
      closed = true
      log.append("closed \(text(reason))")
    }
  }

  private func delivery(_ d: Delivery) {
    let at = up(d.link, "delivery")
    let newest = models[d.link]?.newestDelivery ?? -1
    require(d.number > newest, "delivery \(d.number) after \(newest)")
    models[d.link]?.newestDelivery = d.number
    newestDelivery = max(newestDelivery, d.number)
    let message = connection.withBytes(d.message) { $0.array }
    let tag = connection.withBytes(d.tag) { $0.array }
    require(message.count == d.message.count && tag.count == d.tag.count, "slices of another size")
    let most = settings.connection.limits.messageSize + (is091 ? 4_096 : 0)
    require(message.count <= most, "a message of \(message.count) octets")
    var sum = Hasher()
    sum.combine(message)
    log.append("delivery \(at) \(d.number) \(d.settled) \(tag) \(message.count) \(sum.finalize())")
    if settings.settles { connection.settle(d.link, d.number...d.number, .accept) }
  }

  /// The link's place; it must be one that the application knows and whose end was not told.
  private func live(_ link: LinkID, _ what: String) -> Int {
    guard let model = models[link] else { fatalError("\(what): a link that nobody knows") }
    require(!model.isGone, "\(what): link \(model.place) is gone")
    return model.place
  }

  private func up(_ link: LinkID, _ what: String) -> Int {
    let place = live(link, what)
    require(models[link]?.isUp == true, "\(what): link \(place) is not up")
    return place
  }

  private func questions() {
    for link in links {
      let room = connection.room(link)
      require(room >= 0, "room \(room)")
      require(connection.credit(link) >= 0 && connection.unsettledIncoming(link) >= 0, "less than nothing")
      guard let model = models[link] else { continue }
      let unsettled = connection.unsettled(link)
      require(
        closed || unsettled == model.outstanding.count, "\(unsettled) unsettled, really \(model.outstanding.count)")
      require(room == 0 || (!closed && model.isUp && !model.isGone), "room \(room) on a link that is not up")
    }
    _ = connection.awaitsSettlement
    _ = connection.outputIsEmpty
    if let deadline = connection.deadline {
      require(deadline >= 0 && !closed || deadline > now, "deadline \(deadline)")
    }
  }

  /// Without the octets that are quoted, which are as many as happen to be there.
  private func text(_ reason: CloseReason) -> String {
    var text = "\(reason.scope) \(reason.side) \(reason.error?.condition ?? "in good order") "
    let words = reason.error?.description ?? ""
    for part in words.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).prefix(1) { text += part }
    return text
  }
}
