// Where the sending run meets what comes back: the order of the first steps, and what of the replies ends the run or fails it.
import Console
import Engine
import Runtime
import Transport
import Wire

extension Sender {
  /// What is to be made on this connection before anything else.
  func declarations(_ dialect: NodeAddress.Dialect?) -> [Declaration] {
    plan.declarations + (dialect.flatMap { replies?.declarations($0) } ?? [])
  }

  /// The peer is known, over 1.0. RabbitMQ 3 has no way to make a queue for replies there.
  func reasonToAskElsewhere(_ server: Served) -> String? {
    guard let replies, replies.plan.source == nil, server.dialect == .rabbitMQ3 else { return nil }
    return "\(server.peer.name) makes no queue for replies over AMQP 1.0"
  }

  /// RabbitMQ 3 accepts over 1.0 what no queue takes from an exchange.
  func reasonToPublishElsewhere(_ server: Served) -> String? {
    guard server.dialect == .rabbitMQ3, plan.mode != .atMostOnce, case .exchange? = plan.target?.node091 else {
      return nil
    }
    return "\(server.peer.name) does not tell over AMQP 1.0 what no queue takes"
  }

  /// All that is to be there before is there.
  func beginReplies(_ server: Served) {
    guard let replies, declaring.isDone, trouble == nil else { return }
    if server.isOpen || server.speaks091 { replies.attach(server, plan.attach.name) }
  }

  /// - Returns: whether the link is that of the replies.
  func repliesAttached(_ link: LinkID, _ server: Served) -> Bool {
    guard let replies, replies.owns(link, server) else { return false }
    lastProgress = now
    do throws(Failure) { try replies.attached(server) } catch { fail(error) }
    return true
  }

  func repliesDetached(_ link: LinkID, _ reason: CloseReason, _ server: Served) -> Bool {
    guard let replies, replies.owns(link, server) else { return false }
    if case .closing = stage, reason.error == nil { return true }
    if let route = routes.first(where: { Explanation.names(reason, $0.address) }) {
      refused(reason, route, server)
      return true
    }
    var explanation = server.explanation
    explanation.action = "receive from '\(replies.name)'"
    var failure = explanation.failure(reason)
    if replies.plan.source == nil { failure.nextStep = "--reply-to NAME: a queue that is there" }
    fail(failure)
    return true
  }

  func took(_ delivery: Delivery, _ server: Served) {
    do throws(Failure) { try replies?.take(delivery, server, now: now) } catch {
      diagnostics.report(error)
      status = status.combined(with: error.exitCode)
    }
  }

  func flushReplies() {
    guard let replies else { return }
    do throws(Failure) { try replies.flush() } catch { fail(error) }
    // Nobody reads what comes back: no reason to ask for more.
    if replies.output.isClosed, trouble == nil, !source.isAtEnd {
      source.stop()
      dropUnsent()
    }
  }

  /// Nothing is missing that was asked for.
  var repliesAreDone: Bool { replies?.isDone ?? true }

  var missingReplies: String? { replies?.missing(of: taken) }
}
