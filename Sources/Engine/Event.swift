/// What a connection tells its application. Positions in a delivery are good until more is received.
package import Wire

/// Nanoseconds of a monotonic clock; only differences mean anything.
package typealias Instant = Int64

/// A link of one connection, of either direction. Places are used again when a link is gone; the serial tells whom an
/// identity was given to, so that wishes for a link of the past do nothing.
package struct LinkID: Sendable, Hashable {
  let index: Int
  let serial: Int
}

/// Octets inside the connection: of what was received last, good until more is received; or of a message put together
/// from several frames, good until the next event is asked for.
package struct Slice: Sendable, Equatable {
  enum Place: Sendable, Equatable {
    case input
    case assembly(Int)
  }
  let place: Place
  let range: Range<Int>
  package var count: Int { range.count }
}

/// A whole message that came in.
package struct Delivery: Sendable {
  package let link: LinkID
  /// Its number among all deliveries of its session, from 0 in the order they began; what `settle` takes.
  package let number: Int
  /// Sent settled: nothing is owed, but `settle` still says when we are done with it.
  package let settled: Bool
  /// It was delivered before, perhaps to somebody else.
  package var redelivered = false
  package let messageFormat: UInt32
  package let tag: Slice
  /// The message's sections.
  package let message: Slice
}

package enum Event: Sendable {
  /// Both sides are open; `Connection.peer` tells what the peer announced.
  case opened
  /// The peer's attach came and is no refusal; `Connection.remoteAttach` tells what it agreed to.
  case attached(LinkID)
  /// A peer wants a link of us: `accept` or `refuse` it.
  case attachRequested(LinkID)
  /// The link is gone: refused, detached, or with its session. It is not told when the whole connection ends.
  case detached(LinkID, CloseReason)
  case delivery(Delivery)
  /// The sender gave up a delivery in mid-transfer; nothing of it is left.
  case aborted(LinkID)
  /// An answer for messages that we sent; settled on both sides from here on.
  case answered(LinkID, ClosedRange<Int>, Answer)
  /// The sender has settled deliveries that we have not settled (second mode), or took them back.
  case settledBySender(LinkID, ClosedRange<Int>)
  /// The sender has nothing more for the credit it had.
  case drained(LinkID)
  /// The sender knows that it has no credit: nothing more is under way.
  case stopped(LinkID)
  /// The peer takes no messages for now, and says why.
  case blocked(String)
  case unblocked
  /// A declaration is made, or refused. Told in the order in which they were asked for.
  case declared(Int, AMQPError?)
  /// Over 0-9-1: what was sent and settled before `discharge` is committed or rolled back, as that said.
  case discharged
  /// The connection is over, and nothing follows. Bytes may still wait to be written.
  case closed(CloseReason)
}

/// Round trips: how many were written, and how many of those the peer has answered.
package struct Beats: Sendable, Equatable {
  package var asked = 0
  package var answered = 0
}

/// What the peer said of itself.
package struct PeerDescription: Sendable, Equatable {
  /// Over 0-9-1: what start and tune say, put in the same words.
  package var open = Open()
  /// The protocol header it answered with, where that is not the one of our dialect.
  package var header: ProtocolHeader?
  /// The mechanisms it offered, empty without SASL.
  package var mechanisms: [String] = []
  /// The mechanism that was used.
  package var mechanism: String?
  /// Who it says it is, as a listener sees it.
  package var user: String?
  /// What a server of 0-9-1 proposed, of which `open` has what came of it. 0: no limit.
  package var tune: Tune?
  package struct Tune: Sendable, Equatable {
    package let frameMax: UInt32
    package let channelMax: UInt16
    /// Seconds.
    package let heartbeat: UInt16
  }

  package init() {}

  package var product: String? { open.properties["product"]?.text }
  package var version: String? { open.properties["version"]?.text }
}
