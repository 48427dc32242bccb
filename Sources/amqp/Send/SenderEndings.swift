// How the sending run ends: all answered, time, a signal or a loss; what is counted then, and the exit status.
import Bytes
import Console
import Engine
import Runtime
import Transport
import Wire

extension Sender {
  /// For a status line.
  var state: ProgressMeter.State {
    let waiting = routes.reduce(0) { $0 + $1.outbox.pending }
    let goal: ProgressMeter.Goal
    if let duration = plan.duration {
      goal = .duration(duration)
    } else if let total = source.total {
      goal = .count(total)
    } else {
      goal = source.inputSize.map { .input(source.octetsRead, of: $0) } ?? .unknown
    }
    return ProgressMeter.State(
      done: taken - waiting, inFlight: routes.reduce(0) { $0 + $1.outbox.unanswered }, goal: goal)
  }

  var pending: Bool { routes.contains { !$0.outbox.isEmpty } }

  func checkEndings() {
    if let signal = signals?.first, status == .success {
      status = signal == .interrupt ? .interrupted : .terminated
      source.stop()
      dropUnsent()
      batch?.isFailed = true
      replies?.stop()
      if case .running = stage { deadlineAfterSignal = now + 2_000_000_000 }
      let waiting = routes.reduce(0) { $0 + $1.outbox.unanswered }
      if waiting > 0 { diagnostics.note("waiting for answers to \(waiting); once more ends at once") }
    }
    if let duration = plan.duration, !timeIsUp, now - started >= duration {
      timeIsUp = true
      source.stop()
      dropUnsent()
      replies?.stop()
    }
    if let timeout = plan.timeout, now - started >= timeout, trouble == nil, let missing = missingReplies, !pending,
      source.isAtEnd
    {
      fail(Failure(missing, "waited \(durationText(timeout))", exitCode: .incomplete))
    }
    if let timeout = plan.timeout, now - started >= timeout, trouble == nil, pending || !source.isAtEnd {
      fail(
        Failure(
          "not all was accepted\(targetName.map { " by '\($0)'" } ?? "") in \(durationText(timeout))", soFar,
          exitCode: .incomplete))
    }
    // While the peer says that it takes nothing, or there is none, nobody has to answer.
    if served.contains(where: \.isBlocked) || redialing.isReconnecting { lastProgress = now }
    if listener == nil, trouble == nil, pending, waitsForPeer, now - lastProgress >= plan.answerTimeout {
      fail(
        Failure(
          "no \(unanswered ? "answer" : "credit") from \(served.first?.peer.name ?? "the peer") in "
            + durationText(plan.answerTimeout), soFar,
          nextStep: "--answer-timeout is how long to wait", exitCode: .notAccepted))
    }
  }

  var unanswered: Bool { routes.contains { $0.outbox.hasUnanswered } }

  /// Messages wait for the peer and not for `--rate`.
  var waitsForPeer: Bool {
    if let batch { return waitsForPeer(batch) }
    return unanswered || allowance > released
  }

  var soFar: String {
    var totals = receipts
    account(&totals)
    return totals.summary
  }

  /// Nil where there are several, or whoever comes.
  var targetName: String? {
    guard let name = plan.target?.description, !name.isEmpty else { return nil }
    return name
  }

  /// Forgets what was read and never begun.
  func dropUnsent() {
    releaseHeld(.max)
    for route in routes {
      witness?.dropped(route.outbox, all: listener != nil, now: now)
      route.outbox.dropWaiting(all: listener != nil) {
        if $0.began == nil { receipts.addUnsent(1) } else { receipts.addUnanswered(1) }
      }
    }
  }

  /// Returns true when all is over.
  func finish() -> Bool {
    switch stage {
    case .running:
      let impatient = (signals?.count ?? 0) > 1 || deadlineAfterSignal.map { now >= $0 } ?? false
      guard trouble != nil || impatient || (source.isAtEnd && !pending && replay?.held == nil && repliesAreDone) else {
        return false
      }
      // Past a deadline nobody wants to wait for a peer that says nothing.
      let isLate = trouble?.exitCode == .incomplete || trouble?.exitCode == .notAccepted
      stage = .closing(until: now + (isLate ? 300_000_000 : 2_000_000_000))
      replies?.giveBack()
      for server in served where !server.isOver { server.peer.connection.close() }
      return finish()
    case .closing(let until):
      var left = false
      for server in served where !server.isOver && server.peer.isConnected {
        if !server.peer.flush(now: now) || !allIsKnown { left = true }
      }
      if left && now < until && (signals?.count ?? 0) < 2 { return false }
      for server in served { server.peer.drop() }
      return true
    }
  }

  /// Every message has its receipt, so the peer's answer to our close could say nothing new; a trace shows it. But a broker
  /// that sees the connection go may forget settlements of ours that it has read: for those it is waited.
  var allIsKnown: Bool {
    listener == nil && trouble == nil && trace == nil && plan.mode != .atMostOnce && replies == nil
  }

  /// Counts what has no receipt yet: it will get none.
  func account() {
    releaseHeld(.max)
    readRest()
    account(&receipts)
    guard let witness else { return }
    for route in routes {
      if isRolledBack {
        witness.rolledBack(route.outbox, error: refusal, unable: unable, now: now)
      } else {
        witness.left(route.outbox, unable: unable, why: refusal, now: now)
      }
    }
    if let rejects = witness.rejects {
      source.giveRest { rejects.rest($0) }
      rejects.endRest()
      if let summary = rejects.summary { diagnostics.note(summary) }
    }
    witness.end(signals)
  }

  /// What nobody came to read: standard input goes on in `--rejects` as it is, arguments and files become messages that
  /// are not sent.
  private func readRest() {
    guard witness != nil, !fansOut, source.reopenItems() else { return }
    for route in routes { route.outbox.lift() }
    try? pump()
  }

  /// A batch that was not told to be committed never will be; nor is one in which a message could not be published at all,
  /// over which 0-9-1 ends the channel in front of the commit.
  private var isRolledBack: Bool {
    guard let batch else { return false }
    let isPublish = [ReplyCode.notFound.condition, ReplyCode.accessRefused.condition].contains(refusal?.condition)
    return isPublish || !batch.mayCount
  }

  func account(_ receipts: inout Receipts) {
    for route in routes {
      let unanswered = route.outbox.unanswered
      if isRolledBack {
        receipts.addRolledBack(unanswered, nil)
      } else {
        receipts.addUnanswered(unanswered)
      }
      receipts.addUnsent(route.outbox.pending - unanswered)
    }
  }

  /// The exit status of the run, after it has ended.
  func result() throws(Failure) -> ExitCode {
    var code = status
    if status != .success {
      diagnostics.note("\(status == .interrupted ? "interrupted" : "terminated"): \(receipts.summary)")
    }
    if status == .success, trouble == nil, receipts.repeats > 0, receipts.failure(target: nil) == nil {
      diagnostics.note(receipts.summary)
    }
    // What could not be written after the run is known only now.
    let last = trouble ?? witness?.failure ?? receipts.failure(target: targetName)
    for var failure in [inputFailure, last].compactMap({ $0 }) {
      if status != .success && failure.exitCode == .notAccepted { continue }
      if receipts.total > 0 && failure.exitCode != .incomplete && failure.exitCode != .notAccepted
        && failure.nextStep == nil
      {
        failure.nextStep = receipts.summary
      }
      diagnostics.report(failure)
      code = code.combined(with: failure.exitCode)
    }
    return code
  }
}
