// Where messages of one address wait, and the links they go over.
import Engine
import Wire

/// Messages for one address, and what is known of them.
final class Route {
  let address: NodeAddress?
  var outbox = Outbox()
  /// Dialling: how far its link is.
  var attachment = Attachment.none
  enum Attachment: Equatable {
    case none
    /// A receiver finds out whether the queue is there, see `check`.
    case checking(LinkID)
    /// The same over 0-9-1, with the number of the declaration that asks.
    case finding(Int)
    case asked
  }
  init(_ address: NodeAddress?) { self.address = address }
}

/// A link over which messages of a route go.
struct Outlet {
  let holder: Int
  let server: Served
  let link: LinkID
  let route: Route
  /// Settled messages handed to the connection and not yet written.
  var handed: ClosedRange<Int>?
  /// The message whose frames are being cut, and how far.
  var partial: (number: Int, offset: Int)?
  var isUp: Bool
}
