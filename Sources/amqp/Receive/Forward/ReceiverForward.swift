// What the receiver does with its forwarder: nothing is taken before the target is there, the source settles what the
// target has accepted, and the target's trouble ends the run.
import Console
import Engine
import Runtime
import Wire

extension Receiver {
  /// Whether links may be asked for; if not, they are as soon as the target is there.
  func targetIsReady(_ server: Served) -> Bool {
    guard let forwarder, !forwarder.isReady else { return true }
    waitsForTarget = true
    // Which protocol its connection speaks is known when the source's is open.
    if server.isOpen || !forwarder.plan.isSamePeer {
      forwarder.begin(source: server.speaks091 ? .amqp091 : .amqp10, now: now)
    }
    return false
  }

  func serveTarget(_ forwarder: Forwarder) {
    let wasReady = forwarder.isReady
    forwarder.turn(now: now)
    let place = forwarder.takeAccepted { server, link, run in settle(server, link, run) }
    if let place, let checkpoint = plan.checkpoint {
      checkpoint.wrote(place)
      do throws(Failure) { try checkpoint.save() } catch { fail(error) }
    }
    if let failure = forwarder.takeTrouble() { fail(failure) }
    if forwarder.isReady && !wasReady, case .running = stage {
      if waitsForTarget, let server = served.first, listener == nil {
        waitsForTarget = false
        attachAll(server)
      }
      for i in inlets.indices where listener != nil { grant(i) }
    }
    // What is on its way isn't silence.
    if !forwarder.isEmpty { lastMessage = now }
  }

  /// Whether the source may be read from: also while the outbox is full when its heartbeats are due.
  func mayRead(_ server: Served) -> Bool {
    if server.isOver { return true }
    if isFull { return false }
    guard let forwarder, !forwarder.hasRoom else { return true }
    return server.peer.deadline.map { $0 <= now } ?? false
  }

  /// How long what is under way may take when the run stops.
  var patience: Int64 {
    if isLate { return 300_000_000 }
    guard let forwarder, !forwarder.isEmpty else { return 1_000_000_000 }
    return status == .success && trouble == nil ? forwarder.plan.patience : 5_000_000_000
  }
}
