// How the receiving run ends: count, time, signal, silence or a loss; what is settled and handed back then, and the exit
// status.
import Console
import Engine
import Runtime
import Transport
import Wire

extension Receiver {
  func closed(_ reason: CloseReason, _ server: Served) {
    if listener != nil {
      if reason.error != nil, reason.scope != .transport || server.isLeaving == false {
        diagnostics.note("\(server.peer.name): \(server.explanation.text(reason))")
      }
      return lose(server, nil)
    }
    switch stage {
    case .closing:
      // RabbitMQ 3 has no nack for its streams, where nothing was taken that could be given back.
      let isStream = server.speaks091 && reason.error?.condition == ReplyCode.notImplemented.condition
      if reason.error == nil || reason.scope == .transport || isStream { return lose(server, nil) }
    // We have what we wanted, and the peer has nothing against us.
    case .stopping: if reason.error == nil { return lose(server, nil) }
    case .running:
      if !server.isOpen, let reason = server.reasonToFallBack() { return fallBack(server, reason) }
      if asksForStreams(reason, server) { return }
    }
    if reason.scope == .connection && reason.side == .peer && reason.error == nil && !redialing.reconnects {
      // In good order: whoever it was has nothing more. What came is written and counts.
      diagnostics.detail("\(server.peer.name) closed the connection")
      inlets.removeAll { $0.server === server }
      return stop()
    }
    var explanation = server.explanation
    if reason.scope != .sasl && reason.scope != .transport, let source = plan.sources.first {
      explanation.action = "receive from '\(source.description)'"
    }
    lose(server, explanation.failure(reason), isRefusal: redialing.forgives(reason, now: now))
  }

  func lose(_ server: Served, _ failure: Failure?, isRefusal: Bool = false) {
    inlets.removeAll { $0.server === server }
    var final = failure
    if listener == nil, let failure, case .running = stage {
      final = redialing.again(failure, server, isRefusal: isRefusal, now: now, diagnostics)
      if final == nil {
        if isRefusal { server.sayGoodbye(now: now) }
        return forget(server)
      }
    }
    handlers?.lose(server)
    if let final { fail(final) }
  }

  /// It is dialled again.
  private func forget(_ server: Served) {
    server.isOver = true
    server.peer.drop()
    served = []
    waitsForTarget = false
    intake.connectionLost()
    let staysHere = intake.resumesStreams
    if let handlers { comeAgain(handlers.reconnects(after: server, staysHere: staysHere), "with handlers") }
    if let forwarder, !staysHere { comeAgain(forwarder.sourceLost(), "under way") }
  }

  private func comeAgain(_ count: Int, _ place: String) {
    if count == 0 { return }
    intake.giveUp(count)
    diagnostics.note("\(count) messages that were \(place) come again")
  }

  func fail(_ failure: Failure) {
    if trouble == nil { trouble = failure }
    stop()
  }

  /// Past a deadline nobody wants to wait for a peer that says nothing.
  var isLate: Bool { trouble?.exitCode == .incomplete }

  /// Takes no more: credit back, then the rest is given back.
  func stop(startsWaiting: Bool = false) {
    guard case .running = stage else { return }
    if let handlers {
      handlersHaveEnded = false
      handlers.stop(startsWaiting: startsWaiting)
    }
    stage = .stopping(until: now + patience)
    for inlet in inlets where inlet.isUp { inlet.server.peer.connection.stop(inlet.link) }
  }

  func checkEndings() throws(Failure) {
    guard case .running = stage else { return }
    if let signal = signals?.first {
      status = signal == .interrupt ? .interrupted : .terminated
      stop()
      handlers?.noteWaiting()
      return
    }
    // A peer that isn't there is not silent.
    if redialing.keepsTrying, !inlets.contains(where: \.isUp) { lastMessage = now }
    if let duration = plan.duration, now - started >= duration { return stop() }
    if let idle = plan.idle, now - lastMessage >= idle { return stop() }
    if checkExpectations() { return }
    if let unmatchedFailure { return fail(unmatchedFailure) }
    if let full = inlets.first(where: { $0.heldCount >= mostHeld }) {
      let what = "\(full.heldCount) messages of '\(full.address)' are held until the end"
      diagnostics.note("\(what): there is no credit for more, --credit gives it")
      return stop()
    }
    if let end = drainEnd, now >= end { return stop() }
    if plan.drains, !inlets.isEmpty, inlets.allSatisfy(\.isDrained), intake.output.isEmpty, handlers?.isIdle ?? true {
      return stop()
    }
    if let timeout = plan.timeout, now - started >= timeout {
      if let failure = plan.expectations?.shortfall(taken, sourceName, after: timeout) { return fail(failure) }
      let what = taken == 0 ? "nothing received" : "\(taken) received"
      fail(
        Failure(
          "\(what) from \(sourceName) in \(durationText(timeout))", plan.count.map { "asked for \($0)" } ?? "",
          exitCode: .incomplete))
    }
  }

  /// When a peer that may never answer drain has been waited for long enough.
  var drainEnd: Int64? {
    let isUnsure = { (inlet: Inlet) in inlet.isUp && !inlet.server.peer.connection.answersDrain(inlet.link) }
    return plan.drains && inlets.contains(where: isUnsure) ? lastMessage + drainPatience : nil
  }

  var drainPatience: Int64 {
    served.first?.dialect == .rabbitMQ3 ? 1_000_000_000 : 5_000_000_000
  }

  var sourceName: String {
    plan.sources.isEmpty ? "any peer" : plan.sources.map { "'\($0.description)'" }.joined(separator: ", ")
  }

  /// Returns true when all is over.
  func finish() -> Bool {
    let impatient = (signals?.count ?? 0) > 1
    switch stage {
    case .running: return false
    case .stopping(let until):
      // A link without credit says that it has stopped as soon as it is asked: nobody will wake us for that.
      for server in served where !server.isOver { takeEvents(server) }
      if let handlers, !ended(handlers, impatient) { return false }
      let quiet = inlets.allSatisfy { $0.isStopped || !$0.isUp || $0.server.isOver }
      let isGood = trouble == nil && status == .success
      if !isGood { forwarder?.dropUnsent() }
      if isGood, let last = forwarder?.lastPatience, last > until {
        stage = .stopping(until: last)
        return false
      }
      let isWritten = intake.output.isEmpty || intake.output.isClosed
      guard (quiet && isWritten && forwarder?.isEmpty ?? true) || now >= until || impatient else { return false }
      if let forwarder, !forwarder.isEmpty, isGood {
        trouble = Failure(
          "not all was forwarded to '\(forwarder.plan.target.description)'",
          "no answer in \(durationText(forwarder.plan.patience)): what it did not accept stays at the source",
          exitCode: .notAccepted)
      }
      giveBack()
      stage = .closing(until: now + (isLate ? 300_000_000 : 2_000_000_000))
      return finish()
    case .closing(let until):
      // In the second mode the sender settles before we may forget.
      advanceCommits()
      let waits = !allIsCommitted || served.contains { !$0.isOver && $0.peer.connection.awaitsSettlement }
      if !waits || now >= until {
        for server in served where !server.isOver { server.peer.connection.close() }
      }
      for server in served { server.peer.flush(now: now) }
      let isGone = forwarder?.close(until: until) ?? true
      let left = !isGone || served.contains { !$0.isOver && $0.peer.isConnected }
      if left && now < until && !impatient { return false }
      reportUncommitted()
      for server in served { server.peer.drop() }
      return true
    }
  }

  /// What is with handlers is let finish; the first signal forgets what waits for one, the second ends all.
  private func ended(_ handlers: Handlers, _ impatient: Bool) -> Bool {
    if status == .success, let signal = signals?.first {
      status = signal == .interrupt ? .interrupted : .terminated
      handlers.stop(startsWaiting: false)
      handlers.noteWaiting()
    }
    if impatient { handlers.kill() }
    if !handlersHaveEnded { handlersHaveEnded = handlers.finish(now: now) }
    return handlersHaveEnded
  }

  /// What waited for the end is decided, and everything else that came is released.
  func giveBack() {
    for inlet in inlets where !inlet.server.isOver {
      if case .atEnd(let outcome) = plan.settlement {
        for run in inlet.held {
          inlet.server.peer.connection.settle(inlet.link, run, outcome)
          commits?.decided += run.count
        }
      }
      if let seen = inlet.seen {
        givenBack += inlet.server.peer.connection.unsettledIncoming(inlet.link) - waiting(inlet)
        for run in undecided(seen, inlet) { inlet.server.peer.connection.settle(inlet.link, run, .release) }
      }
    }
  }

  /// The exit status of the run, after it has ended.
  func result() throws(Failure) -> ExitCode {
    if status == .interrupted || status == .terminated {
      let received = handlers?.tally.total ?? taken
      diagnostics.note("\(received == 0 ? "nothing" : "\(received)") received from \(sourceName)\(ends)")
      return status
    }
    if let trouble { throw trouble }
    if let failure = plan.expectations?.shortfall(taken, sourceName, after: nil) { throw failure }
    if intake.output.isClosed { return .success }
    if let failure = handlers?.notAccepted { throw failure }
    if let count = plan.count, taken < count {
      throw Failure(
        "\(taken == 0 ? "nothing" : "\(taken)") received from \(sourceName)", "asked for \(count)",
        exitCode: .incomplete)
    }
    return status
  }

  /// What became of the messages: ", 3 accepted, 36 handed back".
  var ends: String {
    if let handlers {
      let parts = [handlers.tally.summary, givenBack > 0 ? "\(givenBack) handed back" : ""]
      return parts.filter { !$0.isEmpty }.map { ", " + $0 }.joined()
    }
    var word: String?
    switch plan.settlement {
    case .outcome(let outcome), .atEnd(let outcome):
      switch outcome {
      case .accept: word = "accepted"
      case .reject: word = "rejected"
      case .release: word = "released"
      case .modify: word = "modified"
      }
    case .none: break
    }
    if plan.forward != nil { word = "forwarded" }
    // Settled by the sender, nothing is decided by us.
    if plan.mode == .atMostOnce || plan.browses { word = nil }
    var text = ""
    if let word, settled > 0 { text += ", \(settled) \(word)" }
    if givenBack > 0 { text += ", \(givenBack) handed back" }
    return text
  }
}
