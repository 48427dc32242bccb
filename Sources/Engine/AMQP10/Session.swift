/// One session of the 1.0 machine (part 2 §2.5): both windows, both directions' unsettled deliveries, the handles.
import Wire

struct Session: Sendable {
  enum State: Sendable {
    /// Our begin is due or out, the peer's has not come.
    case beginning
    case mapped
    /// Our end is due or out: all but the peer's end is ignored.
    case ending
    /// The peer's end has come; ours may still be due.
    case ended
  }

  var state = State.beginning
  let channel: UInt16
  var remoteChannel: UInt16?
  var beginDue = true
  var endDue = false
  var endError: AMQPError?
  var flowDue = false
  /// It only measures a round trip, and carries no links.
  var isBeat = false

  // Outgoing
  var nextOutgoingID: UInt32
  var remoteIncomingWindow: UInt32 = 0
  /// The delivery-id of number 0.
  let firstDeliveryID: UInt32
  var outgoing = UnsettledRing<Outgoing>()
  /// In front of an outcome, encoded: the state of transfers in a transaction; empty: there is none.
  var transactionalState: [UInt8] = []
  /// Runs that the receiver gave an outcome without settling: the sender settles next (part 2 §2.6.12).
  var settlements: [PendingDisposition] = []

  // Incoming
  var nextIncomingID: UInt32 = 0
  var incomingWindow: UInt32
  let windowSize: UInt32
  var incoming = UnsettledRing<Incoming>()
  var dispositions: [PendingDisposition] = []

  /// The link behind each of the peer's handles.
  var handles = PlaceTable()
  var handleMax: UInt32 = .max
  /// Which of our handles are taken.
  var taken: [Bool] = []

  struct Outgoing: BitwiseCopyable, Sendable {
    var link: Int
    /// The application's number.
    var number: Int
    var done: Bool
  }

  struct Incoming: BitwiseCopyable, Sendable {
    enum State: BitwiseCopyable, Sendable { case done, presettled, unsettled, answered }
    var link: Int
    var deliveryID: UInt32
    var state: State
    /// The sender settles first (rcv-settle-mode second).
    var isSecond: Bool
  }

  struct PendingDisposition: Sendable {
    var first: UInt32
    var last: UInt32
    var settled: Bool
    var state: DeliveryState?
  }

  /// Nothing about it is left to be said, so place and channel may be another session's.
  var isFree: Bool { state == .ended && !beginDue && !endDue }

  init(channel: UInt16, firstID: UInt32, window: UInt32) {
    self.channel = channel
    nextOutgoingID = firstID
    firstDeliveryID = firstID
    incomingWindow = window
    windowSize = window
  }

  func deliveryID(_ number: Int) -> UInt32 { firstDeliveryID &+ UInt32(truncatingIfNeeded: number) }

  /// The lowest handle that is free.
  mutating func takeHandle() -> UInt32 {
    if let free = taken.firstIndex(of: false) {
      taken[free] = true
      return UInt32(free)
    }
    taken.append(true)
    return UInt32(taken.count - 1)
  }

  /// The numbers of the incoming deliveries whose ids lie in first...last, which may be half of the circle. Peers number
  /// without gaps; should one not, the search by halves still finds them, because ids only grow.
  func incomingNumbers(_ firstID: UInt32, _ lastID: UInt32) -> Range<Int> {
    if incoming.isEmpty { return 0..<0 }
    let base = incoming[incoming.first].deliveryID
    /// The first number whose id is at least so far from the oldest's.
    func position(_ distance: Int) -> Int {
      var low = incoming.first
      var high = incoming.next
      while low < high {
        let middle = (low + high) / 2
        if incoming[middle].deliveryID.ahead(of: base) < distance { low = middle + 1 } else { high = middle }
      }
      return low
    }
    let distance = firstID.ahead(of: base)
    let from = position(distance)
    return from..<max(from, position(distance + Int(lastID &- firstID) + 1))
  }

  /// The places of the outgoing deliveries whose ids lie in first...last.
  func outgoingPlaces(_ firstID: UInt32, _ lastID: UInt32) -> Range<Int> {
    let from = outgoing.first + firstID.ahead(of: deliveryID(outgoing.first))
    let to = min(from + Int(lastID &- firstID) + 1, outgoing.next)
    return max(from, outgoing.first)..<max(from, to, outgoing.first)
  }
}

extension [Session.PendingDisposition] {
  /// Adds a run, to the last one where it continues that.
  mutating func add(_ run: Session.PendingDisposition) {
    if let end = indices.last, self[end].last &+ 1 == run.first, self[end].settled == run.settled,
      self[end].state == run.state
    {
      self[end].last = run.last
    } else {
      append(run)
    }
  }
}
