// The way of a delivery from the connection into the output: the one loop of `receive` that runs once a message. A struct
// with all it touches inside, so that nothing is looked up on the way.
import Bytes
import Console
import Engine
import Transport
import Wire

/// A link over which messages come in.
struct Inlet {
  let server: Served
  let link: LinkID
  let address: String
  var isUp: Bool
  var isDrained = false
  var isStopped = false
  /// The peer said that it leaves what it sends in the node.
  var isCopy = false
  /// Numbers whose decision waits for the end.
  var held: [ClosedRange<Int>] = []
  var heldCount = 0
  /// From the first to the last delivery that came.
  var seen: ClosedRange<Int>?
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
  private var faults: [Failure] = []

  init(_ output: consuming OutputQueue, _ plan: ReceivePlan, _ handlers: Handlers?) {
    self.handlers = handlers
    writer = MessageWriter(plan.output, escapes: output.isTerminal)
    self.output = output
    limit = plan.count ?? .max
    findsOffsets = plan.checkpoint != nil
  }

  /// Takes deliveries until something else has happened, which is returned.
  mutating func take(
    from connection: inout Connection, _ server: Served, _ inlets: inout [Inlet], isRunning: Bool
  ) -> Event? {
    while let event = connection.nextEvent() {
      guard case .delivery(let delivery) = event else { return event }
      guard let i = index(of: delivery.link, server, inlets) else { continue }
      inlets[i].seen = (inlets[i].seen?.lowerBound ?? delivery.number)...delivery.number
      // Too many, or too late: given back with what else is left at the end.
      if !isRunning || taken >= limit { continue }
      if let handlers {
        taken += 1
        octets += delivery.message.count
        handlers.take(delivery, connection, inlets[i], number: taken)
        continue
      }
      do throws(Failure) {
        try writer.write(delivery, connection, address: inlets[i].address, number: taken + 1, to: &output.octets)
      } catch {
        // A message that can't be read is not lost by it: it is given back.
        faults.append(error)
        continue
      }
      taken += 1
      octets += delivery.message.count
      let offset = findsOffsets ? connection.withBytes(delivery.message) { Checkpoint.offset(of: $0) } : nil
      output.mark(server, delivery, offset: offset)
    }
    return nil
  }

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
