/// One link of the 0-9-1 machine, which has no such thing on the wire: a sender is publishes to one place, a receiver
/// one consumer or a row of basic.get. An initiator gives each a channel of its own.
import Bytes
import Wire

struct Link091: Sendable {
  enum State: Sendable {
    /// The peer asks, the application has not answered.
    case requested
    /// Told to be up when the peer's answer has come: a queue of its making has no name before.
    case attaching
    case attached
    case detaching
    case detached
  }

  var state = State.attached
  let id: LinkID
  /// What we are on it.
  let role: Role
  var channel: Int
  var local: Attach
  var remote: Attach
  /// A queue of the link's own, which is declared first.
  var ownsQueue = false
  /// It is.
  var isPrepared = false
  var sender = Sender()
  var receiver = Receiver()
  /// Acceptor: where a peer publishes to; or what it consumes.
  var place = Place()
  var subscription = Subscription()
  /// Why it ends, when we end it.
  var detachError: AMQPError?
  /// The application knows that the link is gone.
  var isTold = false
  /// Its place is on the list of the free ones.
  var isRetired = false

  struct Sender: Sendable {
    /// Where everything goes; nil: each message says.
    var exchange: [UInt8]?
    /// Nil: the message's own, or none.
    var routingKey: [UInt8]?
    /// Nobody answers.
    var isSettled = false
    /// The commit is the answer.
    var isTransactional = false
    /// Somebody had the message before.
    var isAgain = false
    var unsettled = 0
    var partial: Partial?
    var cache = HeadCache()
    struct Partial: Sendable {
      var number: Int
      /// Octets of head and body that are on their way, as the application counts.
      var offset: Int
      /// Octets of content that are.
      var sent: Int
    }
  }

  struct Receiver: Sendable {
    /// The message that was handed out last, or is being put together.
    var assembly = ByteQueue()
    var cache = SectionsCache()
    /// The queue; empty: the one declared last on the channel.
    var queue = ""
    /// What the link's own queue is bound to.
    var exchange: String?
    var bindingKey = ""
    /// A stream: it can't be asked message by message.
    var isStream = false
    /// Direct reply-to: consumed before anything is published on its channel, see `Machine091+DirectReply`.
    var isDirectReply = false
    var arguments: [MapEntry] = []
    var isExclusive = false
    /// What comes is not acknowledged.
    var isSettled = false
    /// Taken is given back.
    var window = 0
    var budget: Int?
    var received = 0
    /// Acknowledgements that are written.
    var told = 0
    /// As basic.qos said it.
    var prefetch = 0
    var consumer = Consumer.none
    /// Cancelled for a commit, and consumes again behind it.
    var isPaused = false
    /// `draining` and `stop`: asked for and not told yet.
    var draining = false
    var stop = Stop.no
    /// basic.gets that are not answered, and whether the queue was empty since the last message.
    var gets = 0
    var sawEmpty = false
    /// When to ask an empty queue again.
    var askAgain: Instant?
    enum Consumer: Sendable { case none, running, cancelDue, cancelling, cancelled }
    enum Stop: Sendable { case no, asked, told }
  }

  struct Place: Sendable {
    var exchange: [UInt8] = []
    var routingKey: [UInt8] = []
    /// Among the publishes of the channel.
    var lastUsed = 0
  }

  struct Subscription: Sendable {
    /// The consumer tag.
    var tag: [UInt8] = []
    var noAck = false
    /// What may be unacknowledged; 0: any number.
    var prefetch = 0
    var wantsOK = false
    /// The peer wants no more, and has not settled all that it has.
    var isCancelled = false
    /// No consumer: messages are asked for one by one, and so many were.
    var isGet = false
    var gets = 0
  }

  init(_ id: LinkID, role: Role, channel: Int, local: Attach) {
    (self.id, self.role, self.channel, self.local, remote) = (id, role, channel, local, local)
  }

  var isLive: Bool {
    switch state {
    case .requested, .attaching, .attached: true
    case .detaching, .detached: false
    }
  }
}

/// What stands in front of the bodies of a run of messages, translated once.
struct HeadCache: Sendable {
  /// The sections it was made of: those in front of all, and a message's own.
  private var head: [UInt8] = []
  private var own: [UInt8] = []
  private(set) var isValid = false
  /// basic.publish and the content header of an empty body.
  private(set) var frames = ByteQueue()
  /// Where the body's size stands in `frames`.
  private(set) var sizeAt = 0
  /// Of exchange and routing key.
  private(set) var route: UInt64 = 0
  private(set) var isMandatory = false
  /// Where the delivery tag stands in `frames`, which is another for each.
  private(set) var tagAt: Int?

  func matches(_ head: Span<UInt8>, _ own: Span<UInt8>, mandatory: Bool) -> Bool {
    isValid && isMandatory == mandatory && self.head.span.matches(head) && self.own.span.matches(own)
  }

  mutating func invalidate() { isValid = false }

  mutating func set(
    _ head: Span<UInt8>, _ own: Span<UInt8>, channel: UInt16, exchange: [UInt8], routingKey: [UInt8],
    properties: [UInt8], mandatory: Bool
  ) {
    (self.head, self.own, isMandatory) = (head.array, own.array, mandatory)
    frames.removeAll()
    frames.appendPublish(
      channel: channel, exchange: exchange.span, routingKey: routingKey.span, mandatory: mandatory)
    // Type, channel and size, then class and weight.
    sizeAt = frames.count + 11
    frames.appendContentHeader(channel: channel, bodySize: 0, properties: properties.span)
    route = BodyHash.route(exchange.span, routingKey.span)
    isValid = true
  }

  /// What goes in front of a message that a peer consumes or asked for.
  enum Delivery { case consumed(tag: [UInt8]), got }

  mutating func set(
    _ head: Span<UInt8>, _ own: Span<UInt8>, channel: UInt16, exchange: [UInt8], routingKey: [UInt8],
    properties: [UInt8], delivery: Delivery
  ) {
    (self.head, self.own, isMandatory) = (head.array, own.array, false)
    frames.removeAll()
    // Frame header and method, and the consumer's tag in front.
    let prefix = Frame091.headSize + 4
    switch delivery {
    case .consumed(let tag):
      tagAt = prefix + 1 + tag.count
      frames.appendDeliver(
        channel: channel, consumerTag: tag.span, deliveryTag: 0, redelivered: false, exchange: exchange.span,
        routingKey: routingKey.span)
    case .got:
      tagAt = prefix
      frames.appendGetOK(
        channel: channel, deliveryTag: 0, redelivered: false, exchange: exchange.span, routingKey: routingKey.span,
        messageCount: 0)
    }
    sizeAt = frames.count + 11
    frames.appendContentHeader(channel: channel, bodySize: 0, properties: properties.span)
    isValid = true
  }
}
