// Links of the sending run: asked for when dialling, granted when listening, and what their end means.
import Console
import Engine
import Runtime
import Wire

extension Sender {
  func attach(_ route: Route, on server: Served, _ dialect: NodeAddress.Dialect) {
    route.attachment = .asked
    var attach = plan.attach
    if let i = routes.firstIndex(where: { $0 === route }), i > 0 { attach.name += "-\(i + 1)" }
    attach.target?.address = Value(route.address?.text(for: dialect))
    let link = server.peer.connection.attach(attach)
    add(link, route, server)
  }

  /// Attaches as soon as it may: what does not depend on who the peer is goes out together with open.
  func beginIfReady(_ route: Route, on server: Served) {
    guard route.attachment == .none, declaring.isDone, trouble == nil, mayAttach(server), server.mayUse(route.address)
    else { return }
    if let queue = queueToFind(route, server) {
      route.attachment = .finding(server.peer.connection.declare(queue))
      lastProgress = now
    } else if server.isOpen || server.speaks091 {
      begin(route, on: server)
    } else if !(route.address?.dependsOnPeer ?? false) {
      attach(route, on: server, .other)
    }
  }

  /// What was to be there before any link is there, or is not to be had.
  func declared(_ server: Served) {
    if let failure = server.explanation.failure(declaring) { return fail(failure) }
    beginReplies(server)
    for route in routes { beginIfReady(route, on: server) }
  }

  /// The peer is known: attaches in its dialect, or checks first.
  func begin(_ route: Route, on server: Served) {
    switch (server.dialect, route.address) {
    case (.rabbitMQ3, .name?), (.rabbitMQ3, .queue?): check(route, on: server)
    default: attach(route, on: server, server.dialect)
    }
  }

  /// RabbitMQ 3 accepts messages for a queue that is not there, and drops them. A receiver from that queue it refuses, so
  /// one is attached first, without credit.
  func check(_ route: Route, on server: Served) {
    let attach = Sender.checkAttach(route.address, name: plan.attach.name + "-check")
    route.attachment = .checking(server.peer.connection.attach(attach))
  }

  static func checkAttach(_ address: NodeAddress?, name: String) -> Attach {
    var attach = Attach()
    attach.role = .receiver
    attach.name = name
    attach.source = Source(address: address?.text(for: .rabbitMQ3))
    attach.target = Target(address: name)
    return attach
  }

  /// The check is answered. Returns false when the link was none.
  func checked(_ link: LinkID, _ refusal: AMQPError?, _ server: Served) -> Bool {
    guard let route = routes.first(where: { $0.attachment == .checking(link) }) else { return false }
    if let refusal {
      if refusal.condition == Condition.notFound { return false }
      // Perhaps we may send and not receive.
      diagnostics.detail(
        "can't tell whether '\(route.address?.description ?? "")' exists: \(refusal.description ?? refusal.condition)")
    } else {
      server.peer.connection.detach(link)
    }
    attach(route, on: server, .rabbitMQ3)
    return true
  }

  /// Over 0-9-1 the peer looks for queues only when it commits, and says nothing where nobody asks for an answer: each that
  /// messages are for is looked for before.
  func queueToFind(_ route: Route, _ server: Served) -> Declaration? {
    guard batch != nil || plan.mode == .atMostOnce, listener == nil, server.speaks091,
      case .queue(let name)? = route.address?.node091, !name.isEmpty
    else {
      return nil
    }
    var queue = Declaration.Queue(name)
    queue.isPassive = true
    return .queue(queue)
  }

  /// Whether the queue is there is known.
  func found(_ number: Int, _ error: AMQPError?, _ server: Served) {
    guard let route = routes.first(where: { $0.attachment == .finding(number) }),
      let queue = queueToFind(route, server)
    else { return }
    // One that is locked is there.
    if let error, error.condition == ReplyCode.notFound.condition {
      return fail(server.explanation.failure(queue, error))
    }
    attach(route, on: server, server.dialect)
  }

  func add(_ link: LinkID, _ route: Route, _ server: Served, isUp: Bool = false) {
    outlets.append(Outlet(holder: nextHolder, server: server, link: link, route: route, isUp: isUp))
    nextHolder += 1
    lastProgress = now
  }

  func attached(_ link: LinkID, _ server: Served) {
    if checked(link, nil, server) { return }
    guard let i = outlet(link, server) else { return }
    outlets[i].isUp = true
    let remote = server.peer.connection.remoteAttach(link)
    if plan.mode == .exactlyOnce && remote.rcvSettleMode != .second {
      return fail(
        Failure(
          "\(server.peer.name) can't do exactly-once", "it answered rcv-settle-mode first",
          nextStep: "--mode at-least-once is what it can do", exitCode: .failure))
    }
    if plan.attach.target?.dynamic == true, let address = remote.target?.address.text {
      diagnostics.note("the peer made the node '\(address)'")
    }
    for capability in plan.attach.target?.capabilities ?? []
    where !(remote.target?.capabilities.contains(capability) ?? false) {
      diagnostics.detail("the peer did not confirm the capability '\(capability)'")
    }
  }

  /// Listening: a peer wants to receive.
  func requested(_ link: LinkID, _ server: Served) {
    let asked = server.peer.connection.remoteAttach(link)
    guard asked.role == .receiver else {
      return server.peer.connection.refuse(
        link, AMQPError(Condition.notAllowed, "this end sends, it takes no messages"))
    }
    server.peer.connection.accept(link) { attach in
      if plan.mode == .atMostOnce { attach.sndSettleMode = .settled }
      // What the answer repeats is in force, part 2 §2.6.3: nobody gets copies here, and no filter is applied.
      if attach.source?.distributionMode != nil { attach.source?.distributionMode = "move" }
      attach.source?.filter = .null
      if attach.source?.dynamic == true { attach.source?.address = .string("dynamic-\(nextHolder)") }
    }
    add(link, fansOut ? ownRoute() : routes.first ?? route(NodeAddress.none), server, isUp: true)
  }

  func detached(_ link: LinkID, _ reason: CloseReason, _ server: Served) {
    if let refusal = reason.error, checked(link, refusal, server) { return }
    if let route = routes.first(where: { $0.attachment == .checking(link) }) {
      return refused(reason, route, server)
    }
    guard let i = outlet(link, server) else { return }
    let outlet = outlets[i]
    if listener != nil {
      outlets.remove(at: i)
      giveBack(outlet)
    } else if case .closing = stage, reason.error == nil {
      outlets.remove(at: i)
    } else {
      refused(reason, outlet.route, server)
    }
  }

  func refused(_ reason: CloseReason, _ route: Route, _ server: Served) {
    var explanation = server.explanation
    explanation.action = "send to '\(route.address?.description ?? "")'"
    if let error = reason.error, error.condition == Condition.notImplemented { unable = error }
    if reason.side == .peer { refusal = reason.error }
    let failure = explanation.failure(reason)
    if redialing.forgives(reason, now: now) { return loseDialled(server, failure, isRefusal: true) }
    outlets.removeAll { $0.route === route }
    fail(failure)
  }

  func giveBack(_ outlet: Outlet) {
    if fansOut { return left(outlet) }
    let count = outlet.route.outbox.giveBack(holder: outlet.holder)
    if count > 0 {
      diagnostics.detail("\(outlet.server.peer.name) left \(count) messages unanswered: they are sent again")
    }
  }

  func outlet(_ link: LinkID, _ server: Served) -> Int? {
    outlets.firstIndex { $0.link == link && $0.server === server }
  }

  // MARK: The end of a connection

  func closed(_ reason: CloseReason, _ server: Served) {
    if listener != nil {
      if reason.error != nil {
        diagnostics.note("\(server.peer.name): \(server.explanation.text(reason))")
      }
      return lose(server, nil)
    }
    switch stage {
    case .closing: if reason.error == nil || reason.scope == .transport { return }
    case .running:
      if !server.isOpen, let reason = server.reasonToFallBack() { return fallBack(server, reason) }
    }
    if reason.scope == .connection && reason.side == .peer { refusal = reason.error }
    var explanation = server.explanation
    if let declaration = declaring.declarations.first, !declaring.isDone, reason.scope == .connection {
      explanation.action = "declare \(declaration.description)"
    } else if reason.scope != .sasl && reason.scope != .transport, let target = plan.target {
      explanation.action = "send to '\(target.description)'"
    }
    let failure = explanation.failure(reason)
    if reason.error == nil && reason.scope == .connection {
      // In good order: a failure only if there is more to send, which this turn finds out.
      for i in outlets.indices where outlets[i].server === server { outlets[i].isUp = false }
      lastWords = failure
    } else {
      lose(server, failure, isRefusal: redialing.forgives(reason, now: now))
    }
  }

  func lose(_ server: Served, _ failure: Failure?, isRefusal: Bool = false) {
    if listener != nil {
      forget(server)
      server.isLeaving = true
    } else if let failure {
      loseDialled(server, failure, isRefusal: isRefusal)
    }
  }

  /// Connects again, and what nobody answered is sent once more; or the run is over.
  private func loseDialled(_ server: Served, _ failure: Failure, isRefusal: Bool = false) {
    var final: Failure? = failure
    if case .running = stage, trouble == nil {
      final = redialing.again(failure, server, isRefusal: isRefusal, now: now, diagnostics)
    }
    if let final {
      outlets.removeAll { $0.server === server }
      return fail(final)
    }
    if isRefusal { server.sayGoodbye(now: now) }
    forget(server)
    served = []
  }

  /// Nothing is left of the connection but what was not answered, which goes back to where it came from.
  func forget(_ server: Served) {
    server.isOver = true
    if listener == nil { server.peer.drop() }
    for outlet in outlets where outlet.server === server {
      if let run = outlet.handed { unknown(run, outlet.route) }
      giveBack(outlet)
    }
    outlets.removeAll { $0.server === server }
    if listener == nil { for route in routes { route.attachment = .none } }
  }

  /// Messages that nobody answers and that must not go out twice, perhaps written and perhaps not.
  private func unknown(_ run: ClosedRange<Int>, _ route: Route) {
    witness?.left(route.outbox, run, now: now)
    route.outbox.finish(run) { receipts.addUnanswered($0.count) }
  }

  func fail(_ failure: Failure) {
    if trouble == nil { trouble = failure }
    source.stop()
  }
}
