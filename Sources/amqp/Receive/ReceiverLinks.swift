// Links of the receiving run: asked for when dialling, granted when listening, how much may come over them, and what their
// end means.
import Console
import Engine
import Glibc
import Runtime
import Wire

extension Receiver {
  func dial() {
    let server = redialing.dial(now: now, trace: trace)
    served = [server]
    sources = plan.sources
    var declarations = plan.declarations
    // 0-9-1 makes these as a part of the link.
    if !server.speaks091 { declarations += bindExchanges() }
    declaring = Declaring(declarations)
    if server.speaks091 {
      if declaring.isDone { attachAll(server) } else { declaring.begin(&server.peer.connection) }
    } else if declaring.isDone, !sources.contains(where: \.dependsOnPeer) {
      attachAll(server)
    }
  }

  /// In the place of an exchange, a queue of ours that is bound to it, and goes when we do.
  private func bindExchanges() -> [Declaration] {
    var declarations: [Declaration] = []
    for i in sources.indices {
      guard let (name, key) = Receiver.exchange(sources[i]) else { continue }
      var queue = Declaration.Queue("amqp.gen-" + ConnectPlan.freshName() + "-\(i)")
      (queue.isExclusive, queue.isAutoDelete, queue.isDurable) = (true, true, false)
      var binding = Declaration.Binding(name, to: .queue(queue.name))
      binding.key = key ?? ""
      declarations += [.queue(queue), .bind(binding)]
      sources[i] = .queue(queue.name)
    }
    return declarations
  }

  private static func exchange(_ source: NodeAddress) -> (name: String, key: String?)? {
    switch source {
    case .exchange(let name, let key): return (name, key)
    case .verbatim(let text):
      guard text.hasPrefix("/exchanges/"), case .exchange(let name, let key)? = source.node091 else { return nil }
      return (name, key)
    case .name, .queue, .none: return nil
    }
  }

  /// The peer can't do it over 1.0: once more over 0-9-1, with a connection of its own.
  func fallBack(_ server: Served, _ reason: String) {
    diagnostics.detail("AMQP 0-9-1: \(reason)")
    redialing.fallBack()
    dialAgain(server)
  }

  /// RabbitMQ has no basic.get for streams and no consumers without prefetch, ends connection or channel over it, and does
  /// not tell what is a stream before. It is asked as one then, and begins with what comes next, as over 1.0.
  /// - Returns: whether that is so.
  func asksForStreams(_ reason: CloseReason, _ server: Served) -> Bool {
    guard case .running = stage, server.speaks091, !readsStreams, taken == 0, let error = reason.error,
      let text = error.description,
      error.condition == ReplyCode.notImplemented.condition && text.contains("stream")
        || error.condition == ReplyCode.preconditionFailed.condition && text.contains("prefetch count is not set")
    else { return false }
    readsStreams = true
    diagnostics.detail("a source is a stream: \(text)")
    dialAgain(server)
    return true
  }

  private func dialAgain(_ server: Served) {
    server.isOver = true
    server.peer.drop()
    inlets.removeAll { $0.server === server }
    waitsForTarget = false
    dial()
    // Begins to connect: nobody wakes us for that.
    served[0].peer.read(now: now)
  }

  func opened(_ server: Served) {
    server.peer.isOpen()
    server.isOpen = true
    server.announce(diagnostics)
    guard listener == nil else { return }
    let reason = server.reasonToFallBack(
      needsManagement: !declaring.isDone, needsStreams: plan.needsStreams || intake.resumesStreams,
      needsTransactions: commits != nil, elsewhere: reasonToReplyElsewhere(server))
    if let reason { return fallBack(server, reason) }
    if plan.needsStreams && server.dialect == .rabbitMQ3 && !server.speaks091 {
      diagnostics.note("RabbitMQ 3 knows no stream offsets over AMQP 1.0", nextStep: "--protocol 0-9-1 does")
    }
    redialing.connected(server, now: now, diagnostics)
    if !declaring.isDone && !declaring.hasBegun { declaring.begin(&server.peer.connection) }
    if declaring.isDone && inlets.isEmpty { attachAll(server) }
  }

  /// RabbitMQ 3 has no relay over 1.0, and ends the session of a link for replies that it refuses: all of them would be lost.
  private func reasonToReplyElsewhere(_ server: Served) -> String? {
    guard let handlers, handlers.responds, server.dialect == .rabbitMQ3 else { return nil }
    return "\(server.peer.name) takes replies over AMQP 1.0 only for queues that are there"
  }

  /// What was to be there before any link is there, or is not to be had.
  func declared(_ server: Served) {
    if let failure = server.explanation.failure(declaring) { return fail(failure) }
    if case .running = stage, inlets.isEmpty { attachAll(server) }
  }

  func attachAll(_ server: Served) {
    if !mayAttach(server) { return }
    // All of them are wanted at once.
    if !sources.filter({ !server.mayUse($0) }).isEmpty { return }
    guard targetIsReady(server), partitionsAreKnown(server) else { return }
    for (i, source) in sources.enumerated() {
      var attach = plan.attach
      if i > 0 { attach.name += "-\(i + 1)" }
      attach.source?.address = Value(source.text(for: server.dialect))
      attach.target?.address = .string(attach.name)
      if let offset = intake.offset(ofSource: i), let filter = attach.source?.filter {
        attach.source?.filter = FilterOptions.filter(filter, behind: offset)
      } else if readsStreams, let filter = attach.source?.filter {
        attach.source?.filter = FilterOptions.filterOfStream(filter)
      }
      let link = server.peer.connection.attach(attach)
      // A queue of ours stands for an exchange, but partitions are what they are.
      let shown = plan.group == nil ? plan.sources[i].description : source.description
      inlets.append(Inlet(server: server, link: link, address: shown, isUp: false, source: i))
    }
  }

  func attached(_ link: LinkID, _ server: Served) {
    guard let i = inlet(link, server) else { return }
    inlets[i].isUp = true
    lastMessage = now
    let remote = server.peer.connection.remoteAttach(link)
    if plan.mode == .exactlyOnce && remote.rcvSettleMode != .second {
      return fail(
        Failure(
          "\(server.peer.name) can't do exactly-once", "it answered rcv-settle-mode first",
          nextStep: "--mode at-least-once is what it can do", exitCode: .failure))
    }
    if plan.attach.source?.dynamic == true, let address = remote.source?.address.text {
      diagnostics.note("the peer made the node '\(address)'")
    }
    // RabbitMQ repeats the mode and takes messages out of its queues all the same; only its streams are copied, and only
    // they know of offsets.
    inlets[i].isCopy =
      remote.source?.distributionMode == "copy"
      && (server.dialect == .other || remote.source?.filter["rabbitmq:stream-offset-spec"] != nil)
    inlets[i].isStream =
      remote.source?.filter["rabbitmq:stream-offset-spec"] != nil
      || EventHub.isPartition(remote.source?.address.text ?? "")
    if plan.browses && !inlets[i].isCopy {
      diagnostics.note("'\(inlets[i].address)' can't be browsed: what it sends is held, and given back at the end")
    }
    inlets[i].budget = plan.count.map { max(0, $0 - taken) }
    for entry in plan.attach.source?.filter.entries ?? [] where remote.source?.filter[entry.key.text ?? ""] == nil {
      diagnostics.note("the peer ignores the filter '\(entry.key.text ?? "")'")
    }
    grant(i)
    if plan.drains {
      if server.dialect == .rabbitMQ3 {
        diagnostics.note("RabbitMQ 3 can't drain: this ends when nothing has come for \(durationText(drainPatience))")
      } else {
        server.peer.connection.drain(link)
      }
    }
  }

  /// Whether what came from there stays unsettled until the end.
  func holds(_ inlet: Inlet) -> Bool {
    switch plan.settlement {
    case .outcome: plan.browses && !inlet.isCopy
    case .atEnd, .none: true
    }
  }

  var mostHeld: Int { plan.credit ?? 8_192 }

  /// Credit grows from 500 to 8,192 while the output keeps up, and is never more than what `--count` still needs.
  func grant(_ i: Int) {
    inlets[i].repeatsGranted = inlets[i].repeats
    // How many have to be seen for so many that match is not known.
    let budget = plan.matching == nil ? inlets[i].budget.map { $0 + inlets[i].repeats } : nil
    // What is decided and not committed takes room too.
    let least = commits.map { 2 * $0.size } ?? 0
    let holdsSome = holds(inlets[i]) || plan.matching?.unmatched == .hold
    let usual = (plan.credit ?? plan.handler?.credit).map { $0 + (handlers?.heldToTheEnd ?? 0) }
    let start = UInt32(clamping: holdsSome ? mostHeld : usual ?? max(500, least))
    inlets[i].server.peer.connection.grant(
      inlets[i].link, start: start, ceiling: UInt32(clamping: usual ?? max(8_192, least)), budget: budget)
  }

  /// Listening: a peer wants a link.
  func requested(_ link: LinkID, _ server: Served) {
    let asked = server.peer.connection.remoteAttach(link)
    let connection = { (error: AMQPError) in server.peer.connection.refuse(link, error) }
    guard asked.role == .sender else {
      if let handlers, handlers.serve(link, server, now: now) { return }
      return connection(AMQPError(Condition.notAllowed, "this end receives, it has no messages"))
    }
    guard let target = asked.target else {
      return connection(AMQPError(Condition.invalidField, "an attach without target"))
    }
    if target.coordinator { return connection(AMQPError(Condition.notImplemented, "no transactions here")) }
    var address = target.address.text ?? ""
    // The name that it has over 1.0.
    if server.speaks091, case .queue(let name)? = Node091(address) { address = name }
    if !address.isEmpty && !plan.patterns.isEmpty && !plan.patterns.contains(where: { matches(address, $0) }) {
      return connection(AMQPError(Condition.notFound, "no node '\(address)' here"))
    }
    server.peer.connection.accept(link) { attach in
      if attach.target?.dynamic == true { attach.target?.address = .string("dynamic-\(inlets.count)") }
    }
    inlets.append(
      Inlet(server: server, link: link, address: address, isUp: true, budget: plan.count.map { max(0, $0 - taken) }))
    if forwarder?.isReady ?? true { grant(inlets.count - 1) }
    if case .running = stage {} else { server.peer.connection.stop(link) }
  }

  func matches(_ address: String, _ pattern: String) -> Bool {
    unsafe fnmatch(pattern, address, 0) == 0
  }

  func detached(_ link: LinkID, _ reason: CloseReason, _ server: Served) {
    guard let i = inlet(link, server) else { return }
    let inlet = inlets.remove(at: i)
    if listener != nil {
      if reason.error != nil {
        diagnostics.note("\(server.peer.name): \(server.explanation.text(reason))")
      }
      return
    }
    if case .running = stage {} else if reason.error == nil { return }
    if asksForStreams(reason, server) { return }
    var explanation = server.explanation
    let named = plan.sources.first { Explanation.names(reason, $0) }?.description
    explanation.action = "receive from '\(named ?? inlet.address)'"
    let failure = explanation.failure(reason)
    if redialing.forgives(reason, now: now) { return lose(server, failure, isRefusal: true) }
    fail(failure)
  }

  func inlet(_ link: LinkID, _ server: Served) -> Int? {
    if inlets.count == 1, inlets[0].link == link, inlets[0].server === server { return 0 }
    return inlets.firstIndex { $0.link == link && $0.server === server }
  }
}
