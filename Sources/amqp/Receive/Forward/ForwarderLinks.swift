// The forwarder's connection and its one link: how they are made, what their end means, and when they are made again.
import Console
import Engine
import Runtime
import Wire

extension Forwarder {
  func attach(on server: Served) {
    if server.isOpen, server.dialect == .rabbitMQ3, plan.target.dependsOnPeer {
      if case .exchange = plan.target {
      } else {
        let check = Sender.checkAttach(plan.target, name: plan.attach.name + "-check")
        state = .checking(server.peer.connection.attach(check))
        return
      }
    }
    var attach = plan.attach
    attach.target?.address = Value(plan.target.text(for: server.isOpen || server.speaks091 ? server.dialect : .other))
    let link = server.peer.connection.attach(attach)
    outlet = Outlet(holder: 0, server: server, link: link, route: route, isUp: false)
    state = .attaching
  }

  func attached(_ link: LinkID, _ server: Served) {
    if case .checking(link) = state {
      server.peer.connection.detach(link)
      return attach(checkedOn: server)
    }
    guard outlet?.link == link else { return }
    let dialect: MessageBridge.Dialect = server.speaks091 ? .amqp091 : .amqp10
    targetDialect = targetDialect ?? dialect
    if targetDialect != dialect {
      return fail(
        Failure(
          "cannot forward to '\(plan.target.description)' any more",
          "\(server.peer.name) speaks another protocol than the peer before it, and messages are under way",
          nextStep: "--forward-protocol says which it is to be", exitCode: .failure))
    }
    outlet?.isUp = true
    state = .up
    lastProgress = now
  }

  private func attach(checkedOn server: Served) {
    var attach = plan.attach
    attach.target?.address = Value(plan.target.text(for: server.dialect))
    outlet = Outlet(
      holder: 0, server: server, link: server.peer.connection.attach(attach), route: route, isUp: false)
    state = .attaching
  }

  func detached(_ link: LinkID, _ reason: CloseReason, _ server: Served) {
    if case .checking(link) = state, let error = reason.error, error.condition != Condition.notFound {
      // Perhaps we may send and not receive.
      return attach(checkedOn: server)
    }
    guard outlet?.link == link || state == .checking(link) else { return }
    let failure = explained(reason, server)
    lose(failure, isRefusal: redialing.forgives(reason, now: now))
  }

  private func explained(_ reason: CloseReason, _ server: Served) -> Failure {
    var explanation = server.explanation
    explanation.action = "forward to '\(plan.target.description)'"
    return explanation.failure(reason)
  }

  func closed(_ reason: CloseReason, _ server: Served) {
    if state == .over { return }
    if !server.isOpen, let reason = server.reasonToFallBack() { return fallBack(reason) }
    let failure = explained(reason, server)
    let isDone = route.outbox.isEmpty && targetDialect != nil && !redialing.reconnects
    guard reason.error == nil, reason.scope == .connection, isDone else {
      return lose(failure, isRefusal: redialing.forgives(reason, now: now))
    }
    // In good order: a failure only if there is more to send.
    outlet = nil
    state = .over
    lastWords = failure
  }

  func fallBack(_ reason: String) {
    diagnostics.detail("forwarding over AMQP 0-9-1: \(reason)")
    server?.isOver = true
    server?.peer.drop()
    outlet = nil
    redialing.fallBack()
    dial()
  }

  /// The target is gone. If it is not dialled again, what it has not answered is given back at the source, and may come
  /// twice.
  func lose(_ failure: Failure?, isRefusal: Bool = false) {
    outlet = nil
    var failure = failure
    if !isClosing, trouble == nil, let server, let lost = failure {
      guard let final = redialing.again(lost, server, isRefusal: isRefusal, now: now, diagnostics) else {
        return redialLater(server, isRefusal: isRefusal)
      }
      failure = final
    }
    state = .over
    let waiting = route.outbox.unanswered
    dropUnsent()
    if waiting > 0 {
      firstLeft = min(firstLeft, route.outbox.oldest)
      route.outbox.finish(1...Int.max)
      diagnostics.note("\(waiting) messages were on their way and not answered: they stay, and may come twice")
    }
    if let failure { fail(failure) }
  }

  private func redialLater(_ server: Served, isRefusal: Bool) {
    if isRefusal { server.sayGoodbye(now: now) }
    server.isOver = true
    server.peer.drop()
    self.server = nil
    state = .lost
    let count = route.outbox.giveBack(holder: 0)
    if count > 0 { diagnostics.note("\(count) messages were on their way and not answered: they are sent again") }
  }
}
