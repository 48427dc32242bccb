/// The AMQP 1.0 connection as a pure function of octets and time: it is handed octets and the time, and hands back
/// events, octets and the next deadline. It owns the connection's state and the parsing of frames; what frames do to
/// sessions and links is in the extensions beside this file. It knows no socket and no clock.
///
/// Replies are state: `settle`, credit and the like only note what is due, and `produce` writes it when output is
/// asked for. So replies merge by themselves, and reading never has to wait for the peer to read.
import Bytes
import Wire

struct Machine10: Sendable {
  /// Where the connection stands, seen from what comes in.
  enum Phase: Sendable {
    case saslHeader, saslMechanisms, saslInit, saslResponse, saslOutcome, amqpHeader, open, running
    /// The peer's close has come, or a fault has: nothing more is read.
    case over
  }

  let settings: ConnectionSettings
  var phase: Phase
  var sasl = SASLState.none
  /// Whom the peer's certificate names.
  var identity: String?
  var input = ByteQueue()
  var output = ByteQueue()
  var dissector = Dissector()
  var peer = PeerDescription()
  /// Places of sessions and links that are gone are used again.
  var sessions: [Session] = []
  /// Where the search for a free channel begins.
  var nextChannel: UInt16 = 0
  var links: [Link] = []
  var freePlaces: [Int] = []
  /// Links of ours that the peer has not answered, in the order in which they were asked for.
  var asked: [Int] = []
  var nextSerial = 0
  /// The session behind each of the peer's channels, in whatever state.
  var channels = PlaceTable()
  /// Events that wait behind the one that was handed out; mostly empty.
  var events: [Event] = []
  var nextEventIndex = 0
  var beats = Beats()

  /// Headers and SASL are done, or done with on our side: open may be written.
  var mayOpen = false
  var openDue: Bool
  var openSent = false
  var closeDue = false
  var closeSent = false
  var closeError: AMQPError?
  var closedReported = false
  /// The peer has closed: it wants to hear our close and nothing else.
  var peerClosed = false
  var inputEnded = false
  /// Something besides transfers may have to be written.
  var workDue = true
  /// The identity of the transaction that we work in, or null.
  var transaction = Value.null

  var lastReceived: Instant
  var lastSent: Instant
  /// The frame size that the peer takes, at least 512.
  var remoteFrameSize = 512
  /// The bound on what waits to be written before no more transfers are cut.
  static let outputBound = 256 * 1024
  static let handleMax: UInt32 = 4_095
  /// Handles that are used before the peer's handle-max is known; 63 is the lowest that was seen.
  static let boldHandles: UInt32 = 64
  /// Links at once, over all sessions and with those that are not quite gone.
  static let linkBound = 8_192

  /// - Parameter input: octets of the peer that came before it was known which machine is to have them.
  init(_ settings: ConnectionSettings, now: Instant, input: ByteQueue = ByteQueue()) {
    self.settings = settings
    self.input = input
    dissector.limits = settings.limits
    lastReceived = now
    lastSent = now
    openDue = settings.role == .initiator
    if settings.mechanisms.isEmpty {
      phase = .amqpHeader
      if settings.role == .initiator {
        output.append(ProtocolHeader.amqp10.bytes)
        mayOpen = true
      }
    } else {
      phase = .saslHeader
      if settings.role == .initiator { output.append(ProtocolHeader.sasl10.bytes) }
    }
  }

  // MARK: The world

  mutating func receive<E: Error>(
    now: Instant, room: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    // After the end nobody takes anything out.
    if phase == .over { input.removeAll() }
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
    case .saslHeader, .amqpHeader:
      reason = midFrame ? "closed in the middle of its protocol header" : "closed before it said anything"
    case .saslMechanisms, .saslInit, .saslResponse: reason = "closed during SASL"
    case .saslOutcome: reason = "closed without an answer to the credentials"
    case .open: reason = "closed before open"
    case .running, .over: reason = midFrame ? "closed in the middle of a frame" : "closed without saying why"
    }
    end(CloseReason(phase == .saslOutcome ? .sasl : .transport, .peer, AMQPError(Condition.connectionForced, reason)))
  }

  mutating func tick(now: Instant) {
    guard phase != .over || !closedReported else { return }
    if let limit = silenceLimit, now >= limit {
      fail(
        .transport,
        AMQPError(Condition.resourceLimitExceeded, "nothing came for \(2 * Int(settings.idleTimeOut)) ms"))
    }
    if let due = keepaliveDue, now >= due {
      if output.isEmpty { output.appendKeepalive() }
      lastSent = now
    }
  }

  /// When `tick` wants to be called.
  var deadline: Instant? {
    switch (silenceLimit, keepaliveDue) {
    case (let a?, let b?): min(a, b)
    case (let a, let b): a ?? b
    }
  }

  private var silenceLimit: Instant? {
    phase == .over || settings.idleTimeOut == 0 || !openSent
      ? nil : lastReceived + Instant(settings.idleTimeOut) * 2_000_000
  }

  private var keepaliveDue: Instant? {
    guard phase == .running, openSent, !closeSent, let idle = peer.open.idleTimeOut, idle > 0 else { return nil }
    return lastSent + Instant(idle) * 500_000
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
      while takeHot(&event) {
        if let event { return event }
        // A fault waits in the queue.
        if nextEventIndex < events.count || phase == .over { break }
      }
      if nextEventIndex < events.count || phase == .over { continue }
      if !step() && nextEventIndex == events.count {
        if !inputEnded { return nil }
        reachedEnd()
      }
    }
  }

  /// Handles the frame at the front when it is a plain transfer on a running connection: no detour over the queue of
  /// events. Returns false when it is something else.
  private mutating func takeHot(_ event: inout Event?) -> Bool {
    guard phase == .running, input.count >= 12 else { return false }
    let at = input.readable.lowerBound
    let (size, word, channel, kind) = input.withReadable { b in
      (Int(b.u32(0)), b.u16(4), b.u16(6), b.u32(8) >> 8)
    }
    guard word == 0x0200, kind == 0x005314, size <= input.count, size <= Int(settings.limits.frameSize) else {
      return false
    }
    let transfer = input.withReadable { b in HotTransfer(b, from: 8, to: size) }
    guard let transfer, let session = sessionIndex(channel) else { return false }
    input.skip(size)
    event = received(transfer, session: session, frame: at, end: at + size)
    return true
  }

  /// Handles one frame or header. Returns false when more octets are needed.
  private mutating func step() -> Bool {
    switch phase {
    case .saslHeader, .amqpHeader: return readHeader()
    case .over: return false
    case .saslMechanisms, .saslInit, .saslResponse, .saslOutcome, .open, .running: break
    }
    guard input.count >= 8 else { return false }
    let at = input.readable.lowerBound
    let size = input.withReadable { Int($0.u32(0)) }
    if size < 8 || size > Int(settings.limits.frameSize) {
      var found = "a frame of \(size) octets; 8 to \(settings.limits.frameSize) are possible"
      if phase == .saslMechanisms || phase == .open { found += input.foreign() }
      fail(.connection, AMQPError(Condition.framingError, found))
      return true
    }
    if input.count < size { return false }
    input.skip(size)
    frame(at: at, size: size)
    return true
  }

  /// A frame whose octets are at `at` in the input.
  private mutating func frame(at: Int, size: Int) {
    var record: Record?
    var problem: Problem?
    let channel = input.withBytes(at..<at + size) { b in b.u16(6) }
    let isSASL = input.withBytes(at..<at + size) { b in b[5] == 1 }
    let saslDue =
      phase == .saslMechanisms || phase == .saslInit || phase == .saslResponse || phase == .saslOutcome
    if isSASL != saslDue {
      return fail(
        .connection,
        AMQPError(
          Condition.framingError, isSASL ? "a SASL frame after SASL was over" : "an AMQP frame before SASL was over"))
    }
    if phase == .running,
      let flow = input.withBytes(at..<at + size, { b in b[4] == 2 ? Flow(hot: b, from: 8, to: size) : nil })
    {
      guard let session = sessionIndex(channel) else { return unknownChannel(channel) }
      return received(flow, session: session)
    }
    if phase == .running,
      let disposition = input.withBytes(at..<at + size, { b in b[4] == 2 ? HotDisposition(b, from: 8, to: size) : nil })
    {
      guard let session = sessionIndex(channel) else { return unknownChannel(channel) }
      let state: DeliveryState? =
        switch disposition.state {
        case nil: nil
        case 0x24: .accepted
        case 0x25: .rejected(nil)
        case 0x26: .released
        default: .modified(deliveryFailed: false, undeliverableHere: false, annotations: .null)
        }
      return received(
        disposition.role, disposition.first, disposition.last, settled: disposition.settled, state, session: session)
    }
    var payload = 0..<0
    var tag = 0..<0
    input.withBytes(at..<at + size) { b in
      let result = dissector.frame(b, at: 0, payload: .opaque)
      guard case .frame = result, !dissector.isMalformed else {
        problem = dissector.firstFault
        return
      }
      if dissector.nodes.count > 1 {
        record = dissector.record(at: 1, b)
        payload = at + dissector.nodes[1].range.upperBound..<at + size
        if record?.code == Code.transfer, let list = dissector.child(of: 1, field: nil),
          let field = dissector.child(of: list, field: 2)
        {
          let range = dissector.nodes[field].contentRange
          tag = at + range.lowerBound..<at + range.upperBound
        }
      }
    }
    if let problem {
      return fail(
        .connection,
        AMQPError(
          Condition.decodeError,
          "malformed frame at octet \(problem.offset): expected \(problem.expected), got \(problem.got) (\(problem.section))"
        ))
    }
    guard let record else { return }  // an empty frame: the peer is alive
    dispatch(record, channel: channel, tag: tag, payload: payload)
  }

  /// `tag` and `payload` are positions in the input, of a transfer's.
  private mutating func dispatch(_ r: Record, channel: UInt16, tag: Range<Int>, payload: Range<Int>) {
    if phase != .running {
      switch (phase, r.code) {
      case (.saslMechanisms, Code.saslMechanisms): return receivedMechanisms(r)
      case (.saslInit, Code.saslInit): return receivedInit(r)
      case (.saslOutcome, Code.saslOutcome): return receivedOutcome(r)
      case (.saslOutcome, Code.saslChallenge): return receivedChallenge(r)
      case (.saslResponse, Code.saslResponse): return receivedResponse(r)
      case (.open, Code.open): return received(Open(r))
      case (.open, Code.close): return receivedClose(AMQPError(r[0]))
      default:
        return fail(.connection, AMQPError(Condition.illegalState, "\(name(r)) came where it can't stand"))
      }
    }
    switch r.code {
    case Code.open: return fail(.connection, AMQPError(Condition.illegalState, "a second open"))
    case Code.close: return receivedClose(AMQPError(r[0]))
    case Code.begin: return received(Begin(r), channel: channel)
    case Code.end:
      guard let session = channels[Int(channel)] else { return unknownChannel(channel) }
      return receivedEnd(AMQPError(r[0]), session: session)
    default: break
    }
    guard let session = sessionIndex(channel) else { return unknownChannel(channel) }
    switch r.code {
    case Code.attach: received(Attach(r), session: session)
    case Code.flow: received(Flow(r), session: session)
    case Code.transfer: received(Transfer(r), session: session, tag: tag, payload: payload)
    case Code.disposition:
      let d = Disposition(r)
      received(d.role, d.first, d.last ?? d.first, settled: d.settled, DeliveryState(d.state), session: session)
    case Code.detach: received(Detach(r), session: session)
    default: fail(.connection, AMQPError(Condition.illegalState, "\(name(r)) came where it can't stand"))
    }
  }

  private func name(_ r: Record) -> String { CompositeSpec.row(CompositeSpec.index(code: r.code))?.name ?? "a frame" }

  /// The session that frames on the peer's channel are for.
  func sessionIndex(_ channel: UInt16) -> Int? {
    // Nearly always there is one session.
    if !sessions.isEmpty && sessions[0].remoteChannel == channel && sessions[0].state == .mapped { return 0 }
    guard let s = channels[Int(channel)], sessions[s].state == .mapped else { return nil }
    return s
  }

  private mutating func unknownChannel(_ channel: UInt16) {
    // After our own end the peer's last frames may still be under way.
    if channels[Int(channel)] != nil { return }
    fail(.connection, AMQPError(Condition.notAllowed, "a frame on channel \(channel), where no session is"))
  }
}
