// One look at one peer, from its name to its nodes, step by step: reach it, ask it with every protocol header, speak with it
// in earnest in those of ours that it speaks. Each step fills in its part of the report, and what is learned before something
// goes wrong stays learned.
import Console
import Engine
import Runtime
import Transport
import Wire

final class PeerProbe {
  private enum Stage {
    /// Name, TCP and TLS, with the header that is most likely to be answered.
    case reaching(HeaderCheck)
    /// All headers at once, as soon as the first one is out.
    case asking([HeaderCheck])
    case speaking(SessionProbe)
    case done
  }

  private(set) var report: ProbeReport
  private let plan: ConnectPlan
  private let addresses: [NodeAddress]
  private let trace: Trace?
  /// Answers of an earlier round, which spare the headers.
  private let known: [HeaderAnswer]
  private var stage: Stage
  /// Sessions that are still to come.
  private var dialects: [DialectChoice.Protocols] = []
  private var withoutSASL = false

  init(
    _ plan: ConnectPlan, _ addresses: [NodeAddress], round: Int = 1, known: [HeaderAnswer] = [], trace: Trace?
  ) {
    (self.plan, self.addresses, self.known, self.trace) = (plan, addresses, known, trace)
    report = ProbeReport(peer: "\(plan.endpoint)", time: Clock.wall, round: round)
    report.nodes = addresses.map { NodeReport(name: $0.description) }
    let row = HeaderAnswer.rows[plan.choice.order[0] == .amqp091 ? 2 : plan.settings.mechanisms.isEmpty ? 1 : 0]
    stage = .reaching(
      HeaderCheck(row, plan.endpoint, plan.tls, timeout: plan.connectTimeout, trace: trace, capture: plan.capture))
  }

  var isDone: Bool { if case .done = stage { true } else { false } }

  private var explanation: Explanation { Explanation(peer: "\(plan.endpoint)", plan: plan) }

  private var silence: Failure {
    explanation.failure(Peer.Failure.timedOut(isConnected: report.tcp != nil))
  }

  // MARK: The turn

  func turn(now: Int64) {
    switch stage {
    case .reaching(let check):
      check.turn(now: now)
      if check.isDone || check.hasAsked { reached(check, now: now) }
    case .asking(let checks):
      let someAnswered = hurries(checks)
      for check in checks {
        check.turn(now: now)
        if someAnswered { check.hurry(now: now) }
      }
      if checks.allSatisfy(\.isDone) { asked(checks.map { PeerProbe.answer($0) }, now: now) }
    case .speaking(let session):
      session.turn(now: now)
      if session.isDone { spoke(session, now: now) }
    case .done: break
    }
  }

  private func hurries(_ checks: [HeaderCheck]) -> Bool {
    checks.contains { $0.answer != nil && $0.answer?.outcome != .silent }
  }

  private func fail(_ failure: Failure) {
    report.failure = failure
    stage = .done
  }

  // MARK: Reaching it

  private func reached(_ check: HeaderCheck, now: Int64) {
    report.name = check.name
    report.tcp = check.tcp
    if let session = check.session, check.tlsDuration != nil || !session.certificates.isEmpty {
      report.tls = tls(session, check)
    }
    var context = plan.tls
    if let failure = check.failure {
      let explained = explanation.failure(failure)
      switch failure {
      case .tls(.untrusted):
        // Who it is, is not known, and so no credentials; headers are no secret.
        report.failure = explained
        report.tls?.fault = explained.why
        context = try? plan.tls?.unverified()
        if context == nil { return fail(explained) }
      case .unreachable, .timedOut, .broken, .tls: return fail(explained)
      }
    }
    if check.isTimedOut { return fail(silence) }
    var checks = check.failure == nil ? [check] : []
    if known.isEmpty {
      checks += HeaderAnswer.rows.filter { check.failure != nil || $0.key != check.row.key }.map { row in
        HeaderCheck(row, plan.endpoint, context, timeout: plan.connectTimeout, trace: trace, capture: plan.capture)
      }
    }
    stage = .asking(checks)
    turn(now: now)
  }

  private func tls(_ session: TLSSession, _ check: HeaderCheck) -> ProbeReport.TLS {
    ProbeReport.TLS(
      // A handshake that was broken off may have none.
      duration: check.tlsDuration, version: session.version, cipher: session.cipher == "(NONE)" ? "" : session.cipher,
      chain: session.certificates,
      isVerified: plan.tls?.isVerifying ?? false, now: Clock.wall / 1_000_000_000)
  }

  private static func answer(_ check: HeaderCheck) -> HeaderAnswer {
    if let answer = check.answer { return answer }
    switch check.failure {
    case .unreachable(let error): return HeaderAnswer(check.row, .failed(error.text))
    case .broken(let error): return HeaderAnswer(check.row, .failed(error.text))
    case .tls: return HeaderAnswer(check.row, .failed("no TLS"))
    case .timedOut, nil: return HeaderAnswer(check.row, .silent)
    }
  }

  // MARK: Speaking with it

  private func asked(_ answers: [HeaderAnswer], now: Int64) {
    report.answers = HeaderAnswer.rows.compactMap { row in
      (answers + known).first { $0.row.key == row.key }
    }
    if report.failure != nil {
      stage = .done
      return
    }
    if report.answers.allSatisfy({ $0.outcome == .silent }) { return fail(silence) }
    if !report.answers.contains(where: \.isAMQP), let foreign = report.answers.lazy.compactMap(\.foreign).first {
      return fail(explanation.failure(foreign))
    }
    func speaks(_ key: String) -> Bool { report.answers.contains { $0.row.key == key && $0.isSpoken } }
    let nobody = plan.settings.user == nil || plan.settings.credentialsAreDefault
    withoutSASL = !speaks("1-0-sasl") && speaks("1-0") && nobody
    let allowed = plan.choice.order
    var found = allowed.filter { $0 == .amqp091 ? speaks("0-9-1") : speaks("1-0-sasl") || speaks("1-0") }
    // Nothing of ours: the engine says what is wrong.
    if found.isEmpty { found = [allowed[0]] }
    // 0-9-1 first: it counts consumers, and of ours there are none yet.
    dialects = found.reversed()
    next(now: now)
  }

  private func next(now: Int64) {
    guard let dialect = dialects.first else { return conclude() }
    dialects.removeFirst()
    let session = SessionProbe(
      plan, dialect, withoutSASL: withoutSASL && dialect == .amqp10, NodeProbe(addresses, report.nodes), now: now,
      trace: trace)
    stage = .speaking(session)
    session.turn(now: now)
    if session.isDone { spoke(session, now: now) }
  }

  private func spoke(_ session: SessionProbe, now: Int64) {
    report.sessions.append(session.report)
    report.nodes = session.nodes.reports
    // Wrong credentials are said once.
    if session.report.login == .refused { dialects = [] }
    next(now: now)
  }

  private func conclude() {
    // In the order in which they are preferred.
    report.sessions.sort { !$0.is091 && $1.is091 }
    // Where one protocol only hangs up, the other one may say why.
    if report.session == nil {
      let failures = report.sessions.compactMap(\.failure)
      report.failure = failures.first { $0.exitCode != .unreachable } ?? failures.first
    }
    stage = .done
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet) {
    switch stage {
    case .reaching(let check): check.register(&polls)
    case .asking(let checks): for check in checks { check.register(&polls) }
    case .speaking(let session): session.register(&polls)
    case .done: break
    }
  }

  var deadline: Int64? {
    switch stage {
    case .reaching(let check): return check.deadline(hurries: false)
    case .asking(let checks):
      let someAnswered = hurries(checks)
      return checks.compactMap { $0.deadline(hurries: someAnswered) }.min()
    case .speaking(let session): return session.deadline
    case .done: return nil
    }
  }
}
