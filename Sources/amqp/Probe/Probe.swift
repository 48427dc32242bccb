// The run of `probe`: rounds, in each of which every peer is looked at, all at once; and with `--wait` once more those that
// are not yet as they should be.
import Bytes
import Console
import Engine
import Render
import Runtime
import Transport

final class Probe: Looped {
  typealias Failure = Console.Failure

  private enum Stage {
    case looking
    /// Those that are not good are looked at again.
    case waiting(until: Int64)
    case pausing(until: Int64)
    case ended
  }

  /// One peer of the list.
  private struct Place {
    let plan: ConnectPlan
    var probe: PeerProbe
    /// Of its last look.
    var json = JSON.null
    var verdict: ProbeVerdict?
    /// What it answered to the headers when it was asked.
    var known: [HeaderAnswer] = []
  }

  private let plan: ProbePlan
  private let diagnostics: Diagnostics
  private let signals: Signals?
  private let trace: Trace?
  private var places: [Place]
  private var stage = Stage.looking
  private var retry: RetryPolicy
  private var round = 1
  private var goodRounds = 0
  private var roundTrips: [Int64] = []
  private var status = ExitCode.success
  private let started: Int64

  init(_ plan: ProbePlan, _ diagnostics: Diagnostics, signals: Signals?, trace: Trace?) {
    (self.plan, self.diagnostics, self.signals, self.trace) = (plan, diagnostics, signals, trace)
    started = Clock.now
    places = plan.peers.map { Place(plan: $0, probe: PeerProbe($0, plan.nodes, trace: trace)) }
    retry = RetryPolicy(places: 1, plan.peers[0].retry, now: started)
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    if let signal = signals?.first {
      status = signal == .interrupt ? .interrupted : .terminated
      return end()
    }
    if let timeout = plan.timeout, now - started >= timeout { return try late(timeout) }
    switch stage {
    case .looking:
      for place in places where !place.probe.isDone { place.probe.turn(now: now) }
      if places.allSatisfy(\.probe.isDone) { try looked(now: now) }
    case .waiting(let until):
      if now >= until { lookAgain(now: now) }
    case .pausing(let until):
      if now >= until { lookAgain(now: now) }
    case .ended: break
    }
    if case .ended = stage { return true }
    return false
  }

  /// Those that have no verdict, or not the one that is waited for.
  private func lookAgain(now: Int64) {
    for i in places.indices where places[i].verdict?.isGood != true {
      places[i].probe = PeerProbe(places[i].plan, plan.nodes, round: round, known: places[i].known, trace: trace)
      places[i].verdict = nil
      places[i].probe.turn(now: now)
    }
    stage = .looking
  }

  private func looked(now: Int64) throws(Failure) {
    for i in places.indices where places[i].verdict == nil {
      let report = places[i].probe.report
      places[i].json = ProbeJSON.object(report)
      places[i].verdict = ProbeVerdict(report, places[i].json, plan.expectations)
      if report.failure == nil { places[i].known = report.answers }
    }
    let bad = places.compactMap(\.verdict).filter { !$0.isGood }
    if plan.wait > 0, round == 1, !bad.isEmpty, !bad.contains(where: \.isFinal),
      case .dial(let at) = retry.failed(now: now, random: .random(in: 0 ... .max))
    {
      stage = .waiting(until: at)
      return
    }
    try conclude(now: now)
  }

  // MARK: The end of a round

  private func conclude(now: Int64) throws(Failure) {
    var isGood = true
    for place in places {
      guard let verdict = place.verdict else { continue }
      let report = place.probe.report
      if let median = report.session.flatMap({ $0.beats.isEmpty ? nil : Latency($0.beats).median }) {
        roundTrips.append(median)
      }
      if try !write(report, place.json, verdict) {
        stage = .ended
        return
      }
      if !verdict.isGood { isGood = false }
      status = status.combined(with: verdict.status)
      if plan.watch == nil { for failure in verdict.failures { diagnostics.report(told(failure)) } }
    }
    if isGood { goodRounds += 1 }
    guard let watch = plan.watch else {
      stage = .ended
      return
    }
    if let count = plan.count, round >= count {
      if goodRounds < round { note() }
      stage = .ended
      return
    }
    round += 1
    for i in places.indices { places[i].verdict = nil }
    // In step with the first round; one that took too long leaves out what it has missed.
    let missed = (now - started) / watch
    stage = .pausing(until: started + (missed + 1) * watch)
  }

  /// With how long it was tried.
  private func told(_ failure: Failure) -> Failure {
    guard plan.wait > 0, retry.attempts > 1 else { return failure }
    var failure = failure
    if failure.exitCode == .unreachable && plan.peers.count == 1 {
      failure.what = "no broker at \(plan.peers[0].endpoint) in \(durationText(plan.wait))"
    }
    failure.why += (failure.why.isEmpty ? "" : " ") + "(\(retry.attempts) attempts)"
    return failure
  }

  /// - Returns: false when nobody reads it.
  private func write(_ report: ProbeReport, _ json: JSON, _ verdict: ProbeVerdict) throws(Failure) -> Bool {
    var q = ByteQueue()
    switch plan.form {
    case .json:
      q.append(ProbeJSON.object(json, verdict))
      q.append("\n")
    case .text(let isColored):
      if plan.watch != nil {
        ProbeLine.append(report, verdict, names: plan.peers.count > 1, isColored: isColored, to: &q)
      } else {
        if report.peer != "\(plan.peers[0].endpoint)" { q.append("\n") }
        ProbeText(report, isColored: isColored).append(to: &q)
      }
    }
    return try q.withReadable { (b) throws(Failure) in try StandardOutput.writeLines(b) }
  }

  private func late(_ timeout: Int64) throws(Failure) -> Bool {
    if case .looking = stage, plan.watch == nil {
      for place in places where place.probe.report.tcp != nil {
        let report = place.probe.report
        let json = ProbeJSON.object(report)
        _ = try write(report, json, ProbeVerdict(report, json, []))
      }
    }
    let slow = places.filter { !$0.probe.isDone || $0.verdict?.isGood == false }.map { "\($0.plan.endpoint)" }
    let what = plan.watch == nil ? "not done with \(slow.joined(separator: ", "))" : "stopped watching"
    throw Failure("\(what) in \(durationText(timeout))", exitCode: .incomplete)
  }

  private func end() -> Bool {
    if plan.watch != nil { note() }
    return true
  }

  /// "12 rounds, 11 good; round trip 0.15 ms to 0.40 ms, median 0.21 ms"
  private func note() {
    let rounds = places.allSatisfy { $0.verdict == nil } ? round - 1 : round
    var text = rounds == 1 ? "1 round" : "\(rounds) rounds"
    text += ", \(goodRounds) good"
    if !roundTrips.isEmpty {
      let latency = Latency(roundTrips)
      text += "; round trip \(ProbeText.time(latency.least)) to \(ProbeText.time(latency.most)),"
      text += " median \(ProbeText.time(latency.median))"
    }
    diagnostics.note(text)
  }

  var result: ExitCode { status }

  // MARK: Waiting

  func register(_ polls: inout PollSet) {
    if case .looking = stage { for place in places { place.probe.register(&polls) } }
  }

  var deadline: Int64? {
    var at: [Int64] = []
    switch stage {
    case .looking: at = places.compactMap(\.probe.deadline)
    case .waiting(let until), .pausing(let until): at = [until]
    case .ended: break
    }
    if let timeout = plan.timeout { at.append(started + timeout) }
    return at.min()
  }
}
