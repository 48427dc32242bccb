// Whom a run dials, and whether and when once more: the list of URLs, `--wait` and `--reconnect`. It makes no links and
// knows no messages; whoever it serves drops what was of the old connection and makes it again on the next.
import Console
import Engine
import Runtime
import Transport

struct Redialing {
  private let plans: [ConnectPlan]
  private var policy: RetryPolicy
  /// The protocol that a peer was found to speak, when it is not the one that is tried first.
  private var found: [DialectChoice.Protocols?]
  /// When the next attempt is due; nil: there is a connection, or an attempt under way.
  private(set) var due: Int64?
  private let started: Int64
  private var lostAt: Int64 = 0
  /// When the broker first had an answer again, since then.
  private var backAt: Int64?
  /// What was said last of attempts in vain, so that it is not said of each.
  private var said = ""
  /// What a link that was there before was refused with last.
  private var refused = ""

  init(_ plan: ConnectPlan, now: Int64) {
    plans = [plan] + plan.alternatives
    policy = RetryPolicy(places: plans.count, plan.retry, now: now)
    found = plans.map { _ in nil }
    started = now
  }

  /// The peer in question, as it is to be dialled or was.
  var plan: ConnectPlan { plans[policy.place] }
  private var dialect: DialectChoice.Protocols { found[policy.place] ?? plan.choice.order[0] }
  /// A connection was there, was lost, and isn't back.
  var isReconnecting: Bool { policy.hasLost && due != nil }
  /// What there is no connection for now gets one yet.
  var keepsTrying: Bool { policy.hasLost || plan.retry.wait > 0 }
  /// A link is refused that was there before: the broker may not have its node yet, for as long as this after it is back.
  private static let refusalPatience: Int64 = 30_000_000_000
  /// Connections that are lost come back.
  var reconnects: Bool { plan.retry.reconnects != 0 }

  // MARK: Dialling

  func isDue(_ now: Int64) -> Bool { due.map { now >= $0 } ?? false }

  mutating func dial(now: Int64, trace: Trace?) -> Served {
    due = nil
    var plan = plan
    plan.connectTimeout = policy.deadline(now: now, limit: plan.connectTimeout) - now
    let server = Served(dialing: plan, as: dialect, now: now, trace: trace)
    server.isKnown = policy.hasLost
    return server
  }

  func rehearse(now: Int64, trace: Trace?) -> Served { Served(rehearsing: plan, now: now, trace: trace) }

  /// What is tried first, where it isn't the plan's own choice.
  mutating func begin(as dialect: DialectChoice.Protocols) { found = plans.map { _ in dialect } }

  /// This peer can't do it over 1.0.
  mutating func fallBack() { found[policy.place] = .amqp091 }

  /// The peer's open is there.
  mutating func connected(_ server: Served, now: Int64, _ diagnostics: Diagnostics) {
    policy.connected()
    said = ""
    backAt = backAt ?? now
    if policy.hasLost && refused.isEmpty {
      diagnostics.note("connected again to \(server.peer.name), after \(Redialing.time(now - lostAt))")
    }
  }

  /// Messages go through.
  mutating func progressed() {
    policy.progressed()
    refused = ""
  }

  // MARK: Losses

  /// Whether a refusal is no more than a broker that isn't yet all there again.
  func forgives(_ reason: CloseReason, now: Int64) -> Bool {
    reconnects && policy.hasLost && now - (backAt ?? now) < Redialing.refusalPatience
      && Explanation.mayComeBack(reason)
  }

  /// The attempt came to nothing, or the connection is lost, or of no use for a link that is refused.
  /// - Returns: nil, and another attempt is `due`; or what ends the run.
  mutating func again(
    _ failure: Failure, _ server: Served, isRefusal: Bool = false, now: Int64, _ diagnostics: Diagnostics
  ) -> Failure? {
    let random = UInt64.random(in: 0 ... .max)
    if !failure.isTemporary && !isRefusal { return failure }
    if isRefusal { backAt = backAt ?? now }
    if server.isOpen {
      if !reconnects { return failure }
      let step = policy.lost(now: now, random: random)
      if !isRefusal { (lostAt, backAt) = (now, nil) }
      guard case .dial(let at) = step else { return exhausted(failure, now: now) }
      due = at
      if isRefusal {
        let words = Redialing.words(failure)
        let text = "\(words); trying again in \(Redialing.time(at - now))"
        if words == refused { diagnostics.detail(text) } else { diagnostics.note(text) }
        refused = words
        return nil
      }
      let why = failure.why.isEmpty ? "" : ": \(failure.why)"
      diagnostics.note("lost the connection to \(server.peer.name)\(why); reconnecting in \(Redialing.time(at - now))")
      return nil
    }
    guard case .dial(let at) = policy.failed(now: now, random: random) else { return exhausted(failure, now: now) }
    due = at
    let words = Redialing.words(failure)
    if policy.hasLost && words != said { diagnostics.note(words) } else { diagnostics.detail(words) }
    said = words
    return nil
  }

  /// There were attempts enough, and this is what the last one came to.
  private func exhausted(_ failure: Failure, now: Int64) -> Failure {
    var failure = failure
    failure.isTemporary = false
    let attempts = policy.attempts == 1 ? "1 attempt" : "\(policy.attempts) attempts"
    if policy.hasLost {
      if policy.attempts > 0 { failure.why += " (\(attempts) in \(Redialing.time(now - lostAt)))" }
      return failure
    }
    let wait = plan.retry.wait
    if plans.count == 1 && wait == 0 { return failure }
    let names = plans.map { "\($0.endpoint)" }.joined(separator: ", ")
    failure.what = "no broker at \(names)" + (wait > 0 ? " in \(durationText(wait))" : "")
    failure.why += " (\(attempts))"
    failure.nextStep = nil
    return failure
  }

  private static func words(_ failure: Failure) -> String {
    failure.why.isEmpty ? failure.what : "\(failure.what): \(failure.why)"
  }

  /// `0.2s`
  private static func time(_ nanoseconds: Int64) -> String {
    let tenths = (nanoseconds + 50_000_000) / 100_000_000
    return "\(tenths / 10).\(tenths % 10)s"
  }
}
