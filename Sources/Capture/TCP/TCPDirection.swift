/// One direction of a TCP connection: which octet comes next, and the segments that came before their turn. It owns
/// sequence numbers, which wrap, and knows neither packets nor the other direction.

struct TCPDirection {
  struct Held {
    var sequence: UInt32
    var octets: [UInt8]
    /// Octets behind them that were not captured.
    var cut: Int
    var isLast: Bool
    var time: Int64?
    /// Counts the segments of the capture.
    var arrival: Int

    var length: Int { octets.count + cut }
  }

  /// The sequence number of the next octet; nothing before `isStarted`.
  var next: UInt32 = 0
  var isStarted = false
  /// What `next` was at the start.
  var first: UInt32 = 0
  /// FIN has come, in its turn.
  var isFinished = false
  /// In the order of their sequence numbers.
  var held: [Held] = []
  var heldOctets = 0
  /// How much of this direction the other side has said it got; meaningful once `isAcknowledged`.
  var acknowledged: UInt32 = 0
  var isAcknowledged = false
  /// Packets of the connection until what is missing is given up.
  var patience = 0

  static let mostHeld = 256
  static let mostHeldOctets = 1 << 20
  /// A missing segment that the other side acknowledged was sent; it may still stand further on in the file.
  static let patienceForMissing = 32
  /// Without a SYN nobody knows where to start: a few packets show whether the first one was the first.
  static let patienceForStart = 4

  /// How far `a` is after `b`.
  static func distance(_ a: UInt32, from b: UInt32) -> Int { Int(Int32(bitPattern: a &- b)) }

  mutating func start(at sequence: UInt32) {
    next = sequence
    first = sequence
    isStarted = true
  }

  mutating func receivedAcknowledgment(_ number: UInt32) {
    if !isAcknowledged || Self.distance(number, from: acknowledged) > 0 {
      acknowledged = number
      isAcknowledged = true
    }
  }

  /// Whether the other side has what is missing here.
  var isMissingAcknowledged: Bool { isAcknowledged && Self.distance(acknowledged, from: next) > 0 }

  mutating func hold(_ segment: Held) {
    if held.isEmpty { patience = isStarted ? Self.patienceForMissing : Self.patienceForStart }
    let origin = isStarted ? next : (held.first?.sequence ?? segment.sequence)
    let place = Self.distance(segment.sequence, from: origin)
    // Most come in order, so the place is looked for from the end.
    var at = held.count
    while at > 0 && Self.distance(held[at - 1].sequence, from: origin) > place { at -= 1 }
    if at > 0 && held[at - 1].sequence == segment.sequence && held[at - 1].length >= segment.length
      && (held[at - 1].isLast || !segment.isLast)
    {
      return
    }
    held.insert(segment, at: at)
    heldOctets += segment.octets.count
  }

  /// When the first held segment came, if it is its turn or if it was handed out already.
  var nextArrival: Int? {
    guard isStarted, let first = held.first, Self.distance(first.sequence, from: next) <= 0 else { return nil }
    return first.arrival
  }

  mutating func takeFirst() -> Held {
    let first = held.removeFirst()
    heldOctets -= first.octets.count
    return first
  }

  mutating func forgetHeld() {
    held = []
    heldOctets = 0
  }

  var isFull: Bool { held.count >= Self.mostHeld || heldOctets >= Self.mostHeldOctets }
}
