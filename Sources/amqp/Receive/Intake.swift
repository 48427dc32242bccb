// The way of a delivery from the connection into the output: the one loop of `receive` that runs once a message. A struct
// with all it touches inside, so that nothing is looked up on the way.
import Bytes
import Console
import Engine
import Runtime
import Transport
import Wire

/// A link over which messages come in.
struct Inlet {
  let server: Served
  let link: LinkID
  let address: String
  var isUp: Bool
  /// How many messages `--count` wanted when the link came.
  var budget: Int?
  var isDrained = false
  var isStopped = false
  /// The peer said that it leaves what it sends in the node.
  var isCopy = false
  /// It took an offset, as only streams do: what it sends stays in it, whatever is said of it.
  var isStream = false
  /// Numbers whose decision waits for the end.
  var held: [ClosedRange<Int>] = []
  var heldCount = 0
  /// Those that don't match and are given back at the end.
  var unmatched = 0
  /// From the first to the last delivery that came.
  var seen: ClosedRange<Int>?
  /// Dialling: which of the run's sources it is.
  var source = 0
  /// Messages that had come before, over a connection that was lost.
  var repeats = 0
  /// What `repeats` was when credit was granted for them.
  var repeatsGranted = 0
}

struct Intake: ~Copyable {
  var output: OutputQueue
  private var writer: MessageWriter
  private let limit: Int
  /// Whether somebody wants to know the messages' places in their stream.
  private let findsOffsets: Bool
  /// They have what comes, where there are any; nothing is written then.
  private let handlers: Handlers?
  /// Messages put into the output, and their octets.
  private(set) var taken = 0
  private(set) var octets = 0
  /// With `--stats`: how long messages took to get here.
  var latency: EndToEnd?
  private var faults: [Failure] = []
  private var gate: IntakeGate?
  private let forwarder: Forwarder?
  /// Why nothing more is taken.
  private(set) var ending: Failure?
  /// Messages that don't match, came settled, and so can't be given back.
  private(set) var dropped = 0
  /// Of each source, where connections that are lost come back.
  private var resumptions: [Resumption]
  private let resumes: Bool
  /// Messages that had come before.
  private(set) var repeats = 0

  init(_ output: consuming OutputQueue, _ plan: ReceivePlan, _ forwarder: Forwarder?, _ handlers: Handlers?) {
    (self.forwarder, self.handlers) = (forwarder, handlers)
    writer = MessageWriter(plan.output, escapes: output.isTerminal)
    self.output = output
    limit = plan.count ?? .max
    findsOffsets = plan.checkpoint != nil
    gate = IntakeGate(plan)
    resumes = plan.connect.retry.reconnects != 0
    resumptions = resumes ? plan.sources.map { _ in Resumption() } : []
  }

  /// Takes deliveries until something else has happened, which is returned.
  mutating func take(
    from connection: inout Connection, _ server: Served, _ inlets: inout [Inlet], isRunning: Bool
  ) -> Event? {
    while let event = connection.nextEvent() {
      guard case .delivery(let delivery) = event else { return event }
      if server.isGuarded, server.claims!.owns(delivery.link) { return event }
      guard let i = index(of: delivery.link, server, inlets) else { continue }
      inlets[i].seen = (inlets[i].seen?.lowerBound ?? delivery.number)...delivery.number
      var mark = Resumption.Mark.nothing
      if resumes {
        let source = inlets[i].source
        mark = resumptions[source].mark(delivery, connection)
        if resumptions[source].recognises(mark, delivery, connection) {
          // Settled when all is written that is in front of it, and itself with it.
          inlets[i].repeats += 1
          repeats += 1
          output.mark(server, delivery)
          continue
        }
      }
      // Too many, or too late: given back with what else is left at the end.
      if !isRunning || taken >= limit || ending != nil { continue }
      if gate != nil {
        switch gate!.verdict(
          delivery, connection, address: inlets[i].address, isCopy: inlets[i].isCopy || inlets[i].isStream,
          number: taken + 1)
        {
        case .take: break
        case .leave(.some(let outcome)):
          connection.settle(delivery.link, delivery.number...delivery.number, outcome)
          continue
        case .leave(.none):
          if delivery.settled { dropped += 1 } else { inlets[i].unmatched += 1 }
          continue
        case .end(let failure):
          ending = failure
          continue
        }
      }
      if let handlers {
        taken += 1
        octets += delivery.message.count
        let isCopy = mark.isOffset
        if isCopy { resumptions[inlets[i].source].took(mark) }
        handlers.take(delivery, connection, inlets[i], number: taken, isCopy: isCopy)
        continue
      }
      do throws(Failure) {
        if let forwarder {
          try forwarder.take(delivery, connection, server)
          if mark.isOffset { resumptions[inlets[i].source].took(mark) }
          taken += 1
          octets += delivery.message.count
          continue
        }
        try writer.write(delivery, connection, address: inlets[i].address, number: taken + 1, to: &output.octets)
      } catch {
        // A message that can't be read is not lost by it: it is given back.
        faults.append(error)
        continue
      }
      taken += 1
      if latency != nil {
        connection.withBytes(delivery.message) { latency?.add($0, is091: connection.dialect == .amqp091) }
      }
      octets += delivery.message.count
      if resumes { resumptions[inlets[i].source].took(mark) }
      let offset = findsOffsets ? connection.withBytes(delivery.message) { Checkpoint.offset(of: $0) } : nil
      output.mark(server, delivery, offset: offset)
    }
    return nil
  }

  /// The connection is lost: what was not settled comes again.
  mutating func connectionLost() { for i in resumptions.indices { resumptions[i].connectionLost() } }

  /// So many that were taken come again.
  mutating func giveUp(_ count: Int) { taken = max(0, taken - count) }

  /// Of the last message of a source that is a stream.
  func offset(ofSource i: Int) -> UInt64? { i < resumptions.count ? resumptions[i].offset : nil }
  /// Whether streams are gone on with.
  var resumesStreams: Bool { resumptions.contains { $0.offset != nil } }

  /// Nearly always there is one link, and no need to look.
  @inline(__always)
  private func index(of link: LinkID, _ server: Served, _ inlets: borrowing [Inlet]) -> Int? {
    if inlets.count == 1 { return 0 }
    return inlets.firstIndex { $0.link == link && $0.server === server }
  }

  /// What was wrong with messages since the last time.
  mutating func takeFaults() -> [Failure] {
    if faults.isEmpty { return [] }
    defer { faults = [] }
    return faults
  }
}
