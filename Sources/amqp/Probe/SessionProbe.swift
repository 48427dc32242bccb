// A connection in earnest with one peer, in one of the protocols: logs in, opens, measures beats, looks at nodes, and leaves
// in good order. It takes nothing and alters nothing.
import Console
import Engine
import Runtime
import Transport
import Wire

final class SessionProbe {
  private enum Stage {
    case opening
    /// Since when, and when the beat went out that is under way.
    case beating(since: Int64, sent: Int64?)
    case looking(until: Int64)
    case closing(until: Int64)
    case done
  }

  let peer: Peer
  private let plan: ConnectPlan
  private(set) var report: SessionReport
  /// What this session adds to what is known of the nodes.
  private(set) var nodes: NodeProbe
  private var stage = Stage.opening
  private let started: Int64

  static let beatCount = 10
  /// A beat that is not answered by then never will be.
  private static let patience: Int64 = 2_000_000_000

  init(
    _ plan: ConnectPlan, _ dialect: DialectChoice.Protocols, withoutSASL: Bool, _ nodes: NodeProbe, now: Int64,
    trace: Trace?
  ) {
    self.plan = plan
    self.nodes = nodes
    started = now
    var settings = plan.settings
    settings.protocols = dialect
    if withoutSASL { settings.mechanisms = [] }
    report = SessionReport(is091: dialect == .amqp091)
    peer = Peer(dialing: plan.endpoint, settings, tls: plan.tls, now: now, deadline: now + plan.connectTimeout)
    trace?.attach(to: peer)
    plan.capture?.attach(to: peer)
  }

  var isDone: Bool { if case .done = stage { true } else { false } }

  private var explanation: Explanation {
    Explanation(
      peer: peer.name, plan: plan, isKnown: report.duration != nil, said: peer.connection.peer, address: peer.address)
  }

  // MARK: The turn

  func turn(now: Int64) {
    if isDone { return }
    peer.read(now: now)
    while let event = peer.connection.nextEvent() {
      handle(event, now: now)
      if isDone { return }
    }
    if let failure = peer.failure { return lose(explanation.failure(failure)) }
    advance(now: now)
    let asked = peer.connection.beats.asked
    let before = Clock.now
    let isAllOut = peer.flush(now: now)
    if case .beating(let since, _) = stage, peer.connection.beats.asked > asked {
      stage = .beating(since: since, sent: before)
    }
    if let failure = peer.failure { return lose(explanation.failure(failure)) }
    if case .closing(let until) = stage, (peer.connection.isOver && isAllOut) || now >= until { leave() }
  }

  private func handle(_ event: Event, now: Int64) {
    switch event {
    case .opened: opened(now: now)
    case .closed(let reason): closed(reason)
    case .blocked(let why): report.blocked = why
    case .unblocked: report.blocked = nil
    case .attached, .attachRequested, .detached, .delivery, .aborted, .answered, .settledBySender, .drained, .stopped,
      .declared, .discharged:
      if case .looking = stage { nodes.take(event, &peer.connection, explanation, now: now) }
    }
  }

  private func opened(now: Int64) {
    peer.isOpen()
    report.duration = now - started
    let description = peer.connection.peer
    describe(description)
    if description.mechanism != nil { report.login = .accepted }
    beat(since: now)
  }

  private func describe(_ description: PeerDescription) {
    let open = description.open
    report.mechanism = description.mechanism
    if description.mechanism != nil && description.mechanism != "ANONYMOUS" { report.user = plan.settings.user }
    report.mechanisms = description.mechanisms
    report.properties = open.properties
    if !open.containerID.isEmpty { report.containerID = open.containerID }
    report.offeredCapabilities = open.offeredCapabilities
    report.desiredCapabilities = open.desiredCapabilities
    guard report.duration != nil else { return }
    if let tune = description.tune {
      // What was agreed on is in `open`.
      report.frameSize = tune.frameMax == 0 ? nil : tune.frameMax
      report.channels = tune.channelMax == 0 ? nil : Int(tune.channelMax)
      report.idleTimeOut = tune.heartbeat == 0 ? nil : UInt32(tune.heartbeat) * 1_000
      report.agreedFrameSize = open.maxFrameSize
      report.agreedChannels = Int(open.channelMax)
    } else {
      report.frameSize = open.maxFrameSize == .max ? nil : open.maxFrameSize
      report.channels = open.channelMax == .max ? nil : Int(open.channelMax) + 1
      report.idleTimeOut = open.idleTimeOut == 0 ? nil : open.idleTimeOut
      report.agreedFrameSize = min(open.maxFrameSize, plan.settings.limits.frameSize)
      report.agreedChannels = Int(min(open.channelMax, plan.settings.channelMax)) + 1
    }
  }

  private func closed(_ reason: CloseReason) {
    describe(peer.connection.peer)
    if case .closing = stage { return }
    if reason.scope == .sasl && reason.side == .peer { report.login = .refused }
    var explained = explanation
    if case .looking = stage, let name = nodes.current { explained.action = "look at '\(name)'" }
    var failure = explained.failure(reason)
    if reason.scope == .connection && reason.error == nil {
      failure = Failure("\(peer.name) closed the connection", "without saying why", exitCode: .unreachable)
    }
    // Our close answers theirs.
    peer.flush(now: Clock.now)
    lose(failure)
  }

  private func lose(_ failure: Failure) {
    report.failure = failure
    nodes.end()
    leave()
  }

  private func leave() {
    peer.drop()
    stage = .done
  }

  // MARK: Beats, then nodes

  private func beat(since: Int64) {
    if report.beats.count < SessionProbe.beatCount, peer.connection.beat() {
      stage = .beating(since: since, sent: nil)
    } else {
      look(now: since)
    }
  }

  private func look(now: Int64) {
    stage = .looking(until: now + plan.connectTimeout)
    nodes.begin(&peer.connection, now: now)
  }

  private func advance(now: Int64) {
    switch stage {
    case .beating(let since, let sent):
      if let sent, peer.connection.beats.answered > report.beats.count {
        report.beats.append(max(0, now - sent))
        beat(since: now)
      } else if now >= since + SessionProbe.patience {
        look(now: now)
      }
    case .looking(let until):
      nodes.advance(&peer.connection, explanation, now: now)
      if now >= until { nodes.giveUp(after: plan.connectTimeout) }
    case .opening, .closing, .done: return
    }
    if case .looking = stage, nodes.isDone {
      peer.connection.close()
      stage = .closing(until: now + SessionProbe.patience)
    }
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet) { if !isDone { peer.register(&polls) } }

  var deadline: Int64? {
    var at = peer.deadline
    func soon(_ moment: Int64) { at = min(at ?? moment, moment) }
    switch stage {
    case .opening: break
    case .beating(let since, _): soon(since + SessionProbe.patience)
    case .looking(let until):
      soon(until)
      if let moment = nodes.deadline { soon(moment) }
    case .closing(let until): soon(until)
    case .done: return nil
    }
    return at
  }
}
