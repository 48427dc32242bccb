/// One link of the 1.0 machine: what both ends said when they attached, and where it stands. Credit and counts are in
/// here, deliveries that are not settled in the session.
import Bytes
import Wire

struct Link: Sendable {
  enum State: Sendable {
    /// The peer asks, the application has not answered.
    case requested
    /// Our attach is due or out, the peer's has not come.
    case attaching
    case attached
    /// The peer answered without a terminus: its detach, with the reason, follows.
    case refused
    /// Our detach is due or out.
    case detaching
    case detached
  }

  var state = State.attaching
  let id: LinkID
  /// What we are on this link.
  let role: Role
  let session: Int
  var handle: UInt32
  var remoteHandle: UInt32?
  var local: Attach
  var remote = Attach()

  // What is owed to the peer, written by `produce`.
  var attachDue = false
  var flowDue = false
  var detachDue = false
  var detachError: AMQPError?
  /// A detach keeps the terminus where it is only suspended.
  var closes = true
  /// Its place is on the list of the free ones.
  var isRetired = false
  /// The application knows that the link is gone.
  var isTold = false

  var credit: UInt32 = 0
  var deliveryCount: UInt32 = 0
  var drain = false

  var sender = Sender()
  var receiver = Receiver()

  struct Sender: Sendable {
    /// The delivery whose frames are being cut.
    var partial: Partial?
    var unsettled = 0
    /// A delivery was answered before it was whole: what is out of it has to be taken back.
    var abortDue: UInt32?
    /// The receiver drains and has not been answered.
    var drainDue = false
    struct Partial: Sendable {
      var deliveryID: UInt32
      var number: Int
      var offset: Int
    }
  }

  struct Receiver: Sendable {
    /// The delivery whose frames are coming in.
    var partial: Partial?
    /// Put together from several frames. Kept until the next delivery of the link begins.
    var assembly = ByteQueue()
    /// Credit we want the sender to have, 0: none.
    var target: UInt32 = 0
    /// `target` doubles up to here while we keep up.
    var ceiling: UInt32 = 0
    /// How many deliveries may be taken in all.
    var budget: Int?
    var received = 0
    /// Delivered and not yet done with.
    var held = 0
    /// The highest delivery-count that any credit of ours allowed: what is on its way when credit is taken back.
    var allowance: UInt32 = 0
    /// Where a `stop` stands: asked for, known to the sender, and told when nothing is left in mid-transfer.
    var stop = Stop.no
    enum Stop: Sendable { case no, asked, known, told }
    /// The sender has nothing more, and `drained` is due.
    var isDrained = false
    struct Partial: Sendable {
      var number: Int
      var deliveryID: UInt32
      var settled: Bool
      var messageFormat: UInt32
      /// Octets at the front of the assembly.
      var tagLength: Int
    }
  }

  init(_ id: LinkID, role: Role, session: Int, handle: UInt32, local: Attach) {
    (self.id, self.role, self.session, self.handle, self.local) = (id, role, session, handle, local)
  }

  /// Nothing about it is left to be said, so its place may be another link's.
  var isFree: Bool { state == .detached && !attachDue && !detachDue }

  /// Whether frames about this link still make sense.
  var isLive: Bool {
    switch state {
    case .attached, .attaching, .requested: true
    case .refused, .detaching, .detached: false
    }
  }

  /// A delivery that begins here. A transfer may say that it needs no second step.
  func incoming(_ deliveryID: UInt32, settled: Bool, _ mode: ReceiverSettleMode?) -> Session.Incoming {
    Session.Incoming(
      link: id.index, deliveryID: deliveryID, state: settled ? .presettled : .unsettled,
      isSecond: mode != .first && local.rcvSettleMode == .second)
  }

  /// The credit to grant now, or nil when the sender has enough: topped up when half of it is used, so that one flow
  /// serves many messages, and never more than what we hold leaves room for.
  func creditToGrant() -> UInt32? {
    // While draining there is new credit only when the last was used up by messages: then there may be more.
    if receiver.stop != .no || (drain && credit > 0) || state != .attached { return nil }
    var want = Int(receiver.target) - receiver.held
    if let budget = receiver.budget { want = min(want, budget - receiver.received) }
    if want <= Int(credit) { return nil }
    if credit > 0 && want - Int(credit) < (Int(receiver.target) + 1) / 2 { return nil }
    return UInt32(want)
  }
}
