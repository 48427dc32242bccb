/// The AMQP 0-9-1 connection as a pure function of octets and time, for both roles. It owns the connection's state and
/// the parsing of frames; what methods and contents do is in the extensions beside this file. It knows no socket and no
/// clock. Above it messages are sections of 1.0: it translates them at its edge, with `MessageMapping`.
///
/// Replies are state, as in the 1.0 machine: `settle`, windows and the like only note what is due, and `produce` writes
/// it when output is asked for.
import Bytes
import Wire

struct Machine091: Sendable {
  /// Where the connection stands, seen from what comes in.
  enum Phase: Sendable {
    /// Acceptor: the peer's protocol header.
    case header
    /// Initiator: connection.start, or another header.
    case start
    /// Acceptor: connection.start-ok, and secure-ok if the mechanism has more steps.
    case startOK, secureOK
    /// Initiator: connection.tune, which says that the credentials are good.
    case tune
    /// Acceptor: tune-ok and open.
    case tuneOK, open
    /// Initiator: links are asked for and messages sent, and open-ok has not come.
    case opening
    case running
    /// The peer's close has come, or a fault has: nothing more is read.
    case over
  }

  let settings: ConnectionSettings
  var phase: Phase
  var sasl = SASLState.none
  /// Whom the peer's certificate names.
  var identity: String?
  var input: ByteQueue
  var output = ByteQueue()
  var peer = PeerDescription()
  /// What the peer's capabilities say.
  var canConfirm = false
  var canNack = false
  /// It knows what a close during logging in means.
  var knowsRefusal = false
  /// Places of channels and links that are gone are used again.
  var channels: [Channel091] = []
  var links: [Link091] = []
  var freePlaces: [Int] = []
  var nextSerial = 0
  /// The channel behind each number, -1 for none.
  var numbers: [Int] = []
  var declarer = Declarer()
  /// What the peer said last of a queue that was declared.
  var declaredQueue: DeclaredQueue?
  var beats = Beats()
  /// The place of the channel of beats, and how many of them wait to be written.
  var beatChannel: Int?
  var beatsDue = 0
  /// Events that wait behind the one that was handed out; mostly empty.
  var events: [Event] = []
  var nextEventIndex = 0

  var closeDue = false
  var closeSent = false
  var closeOKDue = false
  var closeError: AMQPError?
  var closedReported = false
  var inputEnded = false
  /// Something besides publishes may have to be written.
  var workDue = true
  /// Acceptor: until then a peer may still end the connection itself.
  var closeNotBefore: Instant?
  static let closeGrace: Instant = 300_000_000
  /// connection.blocked.
  var isBlocked = false
  /// `discharged` is owed.
  var isDischarging = false
  /// Acceptor: there were transactions.
  var keepsBatches = false
  /// Octets at the front of the input that were kept for a commit on this channel.
  var replaying: (channel: Int, left: Int)?

  var lastReceived: Instant
  var lastSent: Instant
  var now: Instant
  /// Tuned: the largest frame either end may send, the highest channel, and the heartbeat in seconds.
  var frameMax: UInt32
  var channelMax: UInt16
  var heartbeat: UInt16 = 0
  /// The bound on what waits to be written before no more messages are cut.
  static let outputBound = 256 * 1024
  /// basic.gets under way on one link.
  static let getBound = 64
  /// How long an empty queue is left alone.
  static let askAgainAfter: Instant = 100_000_000

  /// - Parameter input: octets of the peer that came before it was known which machine is to have them.
  init(_ settings: ConnectionSettings, now: Instant, input: ByteQueue = ByteQueue()) {
    self.settings = settings
    self.input = input
    (lastReceived, lastSent, self.now) = (now, now, now)
    frameMax = max(settings.limits.frameMax, Frame091.minimumSize)
    channelMax = max(settings.channelMax, 1)
    switch settings.role {
    case .initiator:
      phase = .start
      output.append(ProtocolHeader.amqp091.bytes)
    case .acceptor: phase = .header
    }
  }

  // MARK: The world

  mutating func receive<E: Error>(
    now: Instant, room: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    // After the end nobody takes anything out.
    if phase == .over { input.removeAll() }
    self.now = now
    let n = try input.fill(room: room, fill)
    if n > 0 { lastReceived = now }
    return n
  }

  /// The peer will send nothing more. What is buffered is still handled first.
  mutating func receivedEnd() { inputEnded = true }

  /// All that came before the end is handled.
  private mutating func reachedEnd() {
    let midFrame = !input.isEmpty
    let reason: String
    switch phase {
    case .header, .start:
      reason = midFrame ? "closed in the middle of its first frame" : "closed before it said anything"
    case .startOK, .secureOK: reason = "closed during SASL"
    case .tune: reason = "closed without an answer to the credentials"
    case .tuneOK, .open, .opening: reason = "closed before open"
    case .running, .over: reason = midFrame ? "closed in the middle of a frame" : "closed without saying why"
    }
    // A peer without authentication_failure_close hangs up on credentials that it does not like.
    end(CloseReason(phase == .tune ? .sasl : .transport, .peer, AMQPError(Condition.connectionForced, reason)))
  }

  mutating func tick(now: Instant) {
    self.now = now
    guard phase != .over || !closedReported else { return }
    if let limit = silenceLimit, now >= limit {
      fail(
        .transport,
        AMQPError(Condition.resourceLimitExceeded, "nothing came for \(2 * Int(heartbeat)) s"))
    }
    if let due = heartbeatDue, now >= due {
      if output.isEmpty { output.appendHeartbeat() }
      lastSent = now
    }
    if let until = closeNotBefore, now >= until {
      closeNotBefore = nil
      workDue = true
    }
    for l in links.indices {
      if let at = links[l].receiver.askAgain, now >= at {
        links[l].receiver.askAgain = nil
        links[l].receiver.sawEmpty = false
        workDue = true
      }
    }
  }

  /// When `tick` wants to be called.
  var deadline: Instant? {
    // An event of our own making: nothing of the peer's will bring anybody here.
    if nextEventIndex < events.count { return now }
    var at: Instant?
    if let limit = silenceLimit { at = limit }
    if let due = heartbeatDue { at = min(at ?? due, due) }
    if closeDue, !closeSent, let until = closeNotBefore { at = min(at ?? until, until) }
    for link in links {
      if let again = link.receiver.askAgain { at = min(at ?? again, again) }
    }
    return at
  }

  private var silenceLimit: Instant? {
    phase == .over || heartbeat == 0 ? nil : lastReceived + Instant(heartbeat) * 2_000_000_000
  }

  private var heartbeatDue: Instant? {
    guard phase == .running || phase == .opening, !closeSent, heartbeat > 0 else { return nil }
    return lastSent + Instant(heartbeat) * 500_000_000
  }

  // MARK: Events

  mutating func nextEvent() -> Event? {
    while true {
      if nextEventIndex < events.count {
        nextEventIndex += 1
        return events[nextEventIndex - 1]
      }
      if !events.isEmpty {
        events.removeAll(keepingCapacity: true)
        nextEventIndex = 0
      }
      if phase == .over { return nil }
      var event: Event?
      if replaying != nil {
        let before = input.count
        if !takeHot(&event) { _ = step(&event) }
        replayed(before - input.count)
        if let event { return event }
        continue
      }
      while takeHot(&event) {
        if let event { return event }
        // A fault waits in the queue.
        if nextEventIndex < events.count || phase == .over { break }
      }
      if nextEventIndex < events.count || phase == .over { continue }
      if !step(&event) && nextEventIndex == events.count {
        if !inputEnded { return nil }
        reachedEnd()
      }
      if let event { return event }
    }
  }

  /// §1.4.2.8: behind its close an acceptor hears and says nothing but of the connection. A client still takes what is
  /// under way.
  var answersNothing: Bool { closeSent && settings.role == .acceptor }

  /// Handles what is at the front when it is a whole message of a consumer, or one about messages that are settled: no
  /// detour over records. Returns false when it is something else.
  private mutating func takeHot(_ event: inout Event?) -> Bool {
    guard phase == .running, input.count >= 21, !answersNothing, !keepsBatches || replaying != nil else { return false }
    let (type, id) = input.withReadable { b in (b[0], b.u32(7)) }
    guard type == FrameType091.method.rawValue else { return false }
    switch id {
    case MethodID.basicDeliver: return takeDelivery(&event)
    case MethodID.basicAck, MethodID.basicNack, MethodID.basicReject: return takeSettlement(&event)
    case MethodID.basicPublish: return settings.role == .acceptor && takePublish(&event)
    default: return false
    }
  }

  private mutating func takeSettlement(_ event: inout Event?) -> Bool {
    let read: (HotSettlement, UInt16, Int)? = input.withReadable { b in
      guard case .frame(let frame) = Frame091.read(b, at: 0, largest: frameMax),
        let method = HotSettlement(b, frame.payload)
      else { return nil }
      return (method, frame.channel, frame.end)
    }
    guard let (method, number, end) = read, let c = channel(number), channels[c].content.kind == .none else {
      return false
    }
    input.skip(end)
    if channels[c].isLive { event = received(method, channel: c) }
    return true
  }

  /// Handles one frame or header. Returns false when more octets are needed.
  private mutating func step(_ event: inout Event?) -> Bool {
    if phase == .header { return readHeader() }
    guard !input.isEmpty else { return false }
    if phase == .start, input.withReadable({ $0[0] }) != FrameType091.method.rawValue { return readOtherHeader() }
    switch input.withReadable({ Frame091.read($0, at: 0, largest: frameMax) }) {
    case .incomplete: return false
    case .malformed(let problem):
      let found = phase == .start || phase == .startOK ? input.foreign(most: 7) : ""
      fail(.connection, AMQPError(.frameError, "a malformed frame: \(problem.text)\(found)"))
    case .frame(let frame):
      let start = input.readable.lowerBound
      input.skip(frame.end)
      if answersNothing && frame.channel != 0 { return true }
      if keepsBatches, keeps(frame, at: start) { return true }
      let payload = start + frame.payload.lowerBound..<start + frame.payload.upperBound
      switch frame.type {
      case .method: method(frame.channel, payload)
      case .header: event = contentHeader(frame.channel, payload)
      case .body: event = contentBody(frame.channel, payload)
      case .heartbeat:
        if frame.channel != 0 { fail(.connection, AMQPError(.frameError, "a heartbeat on channel \(frame.channel)")) }
      }
    }
    return true
  }

  // MARK: Methods

  /// `payload` is where it stands in the input.
  private mutating func method(_ number: UInt16, _ payload: Range<Int>) {
    let m: MethodRecord
    do throws(Problem) {
      m = try input.withBytes(payload) { (b) throws(Problem) in
        try MethodRecord(b, 0..<b.count, limits: settings.limits)
      }
    } catch {
      return fail(.connection, AMQPError(.syntaxError, "a malformed method: at octet \(error.offset) \(error.text)"))
    }
    let isConnections = m.id >> 16 == MethodID.connectionStart >> 16
    if isConnections != (number == 0) { return outOfPlace(m, "on channel \(number)") }
    if isConnections { return connection(m) }
    guard phase == .running || phase == .opening else { return outOfPlace(m, "before the connection was open") }
    if settings.role == .acceptor && m.id == MethodID.channelOpen { return receivedChannelOpen(number) }
    guard let c = channel(number) else {
      return fail(.connection, AMQPError(.channelError, "\(name(m)) on channel \(number), which is not open"))
    }
    if channels[c].content.kind != .none && m.id != MethodID.channelClose && channels[c].isLive {
      return fail(.connection, AMQPError(.unexpectedFrame, "\(name(m)) where a content was to go on"))
    }
    switch m.id {
    case MethodID.channelClose: return receivedChannelClose(c, AMQPError(m))
    case MethodID.channelCloseOK: return receivedChannelCloseOK(c)
    default: break
    }
    // After our own close the peer's last words may still be under way.
    if !channels[c].isLive { return }
    switch m.id {
    case MethodID.channelFlow:
      let active = m["active"].bool ?? true
      channels[c].isPaused = !active
      channels[c].flowOKDue = active
      workDue = true
    case MethodID.channelFlowOK: break
    case MethodID.basicAck, MethodID.basicNack, MethodID.basicReject:
      // Not well formed to the octet, or it would have been taken up above.
      if let hot = input.withBytes(payload, { HotSettlement($0, 0..<min($0.count, 13)) }),
        let event = received(hot, channel: c)
      {
        events.append(event)
      }
    default:
      switch settings.role {
      case .initiator: initiator(m, c)
      case .acceptor: acceptor(m, c)
      }
    }
  }

  mutating func outOfPlace(_ m: MethodRecord, _ place: String) {
    fail(.connection, AMQPError(.commandInvalid, "\(name(m)) came \(place), where it can't stand"))
  }

  func name(_ m: MethodRecord) -> String { MethodSpec.row(m.id)?.name ?? "a method" }

  /// The place of a channel that the peer may speak on.
  func channel(_ number: UInt16) -> Int? {
    guard Int(number) < numbers.count, numbers[Int(number)] >= 0 else { return nil }
    return numbers[Int(number)]
  }
}
