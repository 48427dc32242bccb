/// One channel of the 0-9-1 machine: what is owed to the peer on it, the content that is coming in, and both directions'
/// messages that are not settled. It is to the links on it what a session is in 1.0.
import Bytes
import Wire

struct Channel091: Sendable {
  enum State: Sendable {
    /// channel.open is due or out. All the rest may be said without waiting for the answer.
    case opening
    case open
    /// Our close is due or out: all but the peer's answer is ignored.
    case closing
    /// Both ends know; our close-ok may still be due.
    case closed
  }

  var state = State.opening
  /// Initiator: the link that its deliveries and answers are for, -1 for none.
  var link = -1
  let number: UInt16
  var openDue = false
  var closeDue = false
  var closeOKDue = false
  var closeError: AMQPError?
  /// channel.flow is to be answered so.
  var flowOKDue: Bool?
  /// The peer wants no content for now.
  var isPaused = false
  /// Between the frames of a message of ours nothing else may stand on its channel.
  var isCutting = false
  /// Publishes are numbered, and confirmed by whoever gets them.
  var confirms = false
  /// Initiator: confirm.select is due.
  var confirmDue = false
  var transaction = Transaction.none
  enum Transaction: Sendable {
    case none
    /// tx.select is due.
    case selectDue
    case selected
    /// tx.commit, or tx.rollback, is due, or is out.
    case dischargeDue(fail: Bool)
    case discharging(fail: Bool)
  }

  var content = Content()
  /// Messages that came: deliveries, or (acceptor) publishes that are to be confirmed.
  var incoming = UnsettledRing<Incoming>()
  /// Messages that went: publishes that are not confirmed, or (acceptor) deliveries. The tag is the number + 1.
  var outgoing = UnsettledRing<Outgoing>()
  /// Decided by the application and not written yet.
  var settlements: [Settlement] = []

  var acceptor = Acceptor()

  /// What only an acceptor knows of a channel.
  struct Acceptor: Sendable {
    /// Answers that wait for the end of a message, or for the peer to read.
    var replies: [MethodRecord] = []
    /// The window of consumers to come, and that of all together; 0: any.
    var prefetch = 0
    var channelPrefetch = 0
    /// What "" stands for.
    var lastQueue = ""
    /// The link of the last publish, -1 for none.
    var lastPlace = -1
    var publishes = 0
    /// The tag of the last publish that is to be confirmed.
    var confirmed: UInt64 = 0
    /// The peer's transaction.
    var batch: Batch?
  }

  struct Batch: Sendable {
    /// Not handled before it commits.
    var frames = ByteQueue()
    /// The answer is owed.
    var isCommitting = false
    /// Not all was accepted.
    var isPartial = false
  }

  struct Incoming: BitwiseCopyable, Sendable {
    /// `decided`: the answer is due.
    enum State: BitwiseCopyable, Sendable { case unsettled, decided, done }
    var link: Int
    var tag: UInt64
    var state: State
  }

  struct Outgoing: BitwiseCopyable, Sendable {
    var link: Int
    /// The application's number.
    var number: Int
    /// Of a mandatory publish: where it went and its body.
    var hash: UInt64
    var done: Bool
  }

  /// A run of the ring `incoming` with one answer.
  struct Settlement: Sendable {
    enum Kind: Sendable { case ack, reject, requeue, requeueFailed }
    var link: Int
    var first: Int
    var last: Int
    var kind: Kind
  }

  /// Nothing about it is left to be said, so number and place may be another channel's.
  var isFree: Bool { state == .closed && !closeOKDue }

  /// Whether methods about it still make sense.
  var isLive: Bool {
    switch state {
    case .opening, .open: true
    case .closing, .closed: false
    }
  }

  init(_ number: UInt16) { self.number = number }
}

/// A message that is coming in as method, header and bodies, §4.2.6.
struct Content: Sendable {
  enum Kind: Sendable { case none, deliver, getOK, returned, publish }
  enum Awaited: Sendable { case header, body }
  var kind = Kind.none
  var awaited = Awaited.header
  /// The link whose message it is.
  var link = 0
  var tag: UInt64 = 0
  var redelivered = false
  /// It is nobody's: its octets are passed over.
  var isDropped = false
  var exchange: [UInt8] = []
  var routingKey: [UInt8] = []
  /// Octets of the body that are still to come.
  var remaining = 0
  /// Of a returned one.
  var hash = BodyHash()
  var error: AMQPError?
}

extension [Channel091.Settlement] {
  /// Adds a run, to the last one where it continues that.
  mutating func add(_ run: Channel091.Settlement) {
    if let end = indices.last, self[end].last + 1 == run.first, self[end].kind == run.kind, self[end].link == run.link {
      self[end].last = run.last
    } else {
      append(run)
    }
  }
}
