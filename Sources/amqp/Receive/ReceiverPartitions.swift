// `--group`: which partitions the event hub has is asked first; then each is a source.
import Console
import Engine
import Runtime
import Wire

extension Receiver {
  /// Whether the sources are what is received from; if not, it is asked for, and links follow the answer.
  func partitionsAreKnown(_ server: Served) -> Bool {
    guard plan.group != nil, let hub = plan.sources.first else { return true }
    if let partitions { return partitions.names != nil }
    guard server.isOpen else { return false }
    var asking = Partitions(of: hub.description)
    asking.begin(&server.peer.connection)
    partitions = asking
    return false
  }

  /// Takes events until the answer is there.
  func askPartitions(_ server: Served) {
    guard var asking = partitions, !asking.isDone else { return }
    asking.advance(&server.peer.connection)
    while !server.isOver, !asking.isDone, let event = server.peer.connection.nextEvent() {
      let isOurs = asking.take(event, &server.peer.connection)
      asking.advance(&server.peer.connection)
      partitions = asking
      if !isOurs { handle(event, server) }
    }
    partitions = asking
    guard asking.isDone, let hub = plan.sources.first?.description, case .running = stage else { return }
    asking.advance(&server.peer.connection)
    partitions = asking
    var explanation = server.explanation
    explanation.action = "ask for the partitions of '\(hub)'"
    if let names = asking.names, let group = plan.group {
      sources = names.map { EventHub.partition($0, of: hub, group: group) }
      diagnostics.detail("'\(hub)' has \(names.count) partitions: \(names.joined(separator: ", "))")
      attachAll(server)
    } else if let refusal = asking.refusal {
      fail(explanation.failure(CloseReason(.link, .peer, refusal)))
    } else if let loss = asking.loss {
      fail(explanation.failure(loss))
    }
  }
}
