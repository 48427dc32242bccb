/// When to dial, and which peer of a list: in turn, with pauses between the rounds that grow and differ from client to
/// client, so that those who lost the same broker don't come back all at once. It knows neither clock nor dice: time and
/// randomness are arguments. What of a failure is worth another attempt is the caller's to know.
package struct RetryPolicy: Sendable {
  package struct Limits: Sendable {
    /// For so long a first connection is tried for; 0: every peer is called once.
    package var wait: Instant = 0
    /// Attempts in a row to get a lost connection back; nil: without end.
    package var reconnects: Int? = 0

    package init() {}
  }

  package enum Step: Sendable, Equatable {
    case dial(at: Instant)
    case giveUp
  }

  private let places: Int
  private let limits: Limits
  /// When the wait is over.
  private let end: Instant
  /// Who is dialled next, or spoken with.
  package private(set) var place = 0
  /// Those in vain since the start, or since a connection that was of use.
  package private(set) var attempts = 0
  /// A connection was there, and lost.
  package private(set) var hasLost = false
  private var rounds = 0
  private var inRound = 0
  private var wasOfUse = false

  /// The first pause, and the longest ones: until there was a connection, and afterwards.
  static let shortest: Instant = 200_000_000
  static let longestWait: Instant = 2_000_000_000
  static let longest: Instant = 10_000_000_000
  /// A last attempt has at least this long.
  private static let least: Instant = 1_000_000_000

  /// - Parameter places: how many peers there are.
  package init(places: Int, _ limits: Limits, now: Instant) {
    self.places = places
    self.limits = limits
    end = now + limits.wait
  }

  /// Until when an attempt that begins now may last, of a limit of its own.
  package func deadline(now: Instant, limit: Instant) -> Instant {
    guard !hasLost, limits.wait > 0 else { return now + limit }
    return min(now + limit, max(end, now + RetryPolicy.least))
  }

  /// The attempt came to nothing.
  package mutating func failed(now: Instant, random: UInt64) -> Step {
    attempts += 1
    place = (place + 1) % places
    inRound += 1
    let isRoundOver = inRound >= places
    if hasLost {
      if let limit = limits.reconnects, attempts >= limit { return .giveUp }
      return isRoundOver ? pause(now, RetryPolicy.longest, random) : .dial(at: now)
    }
    if !isRoundOver && (rounds == 0 || now < end) { return .dial(at: now) }
    guard now < end else { return .giveUp }
    // The last attempt is at the very end.
    if case .dial(let at) = pause(now, RetryPolicy.longestWait, random) { return .dial(at: min(at, end)) }
    return .giveUp
  }

  /// The connection is there.
  package mutating func connected() {
    inRound = 0
    wasOfUse = false
  }

  /// Something came of it: the peer is no such one that takes connections and drops them.
  package mutating func progressed() { wasOfUse = true }

  /// The connection is lost: the same peer is called first.
  package mutating func lost(now: Instant, random: UInt64) -> Step {
    if !hasLost || wasOfUse { (attempts, rounds) = (0, 0) } else { attempts += 1 }
    hasLost = true
    inRound = 0
    if let limit = limits.reconnects, attempts >= limit { return .giveUp }
    return pause(now, RetryPolicy.longest, random)
  }

  /// Twice as long each time, and a fifth more or less.
  private mutating func pause(_ now: Instant, _ longest: Instant, _ random: UInt64) -> Step {
    let whole = min(longest, RetryPolicy.shortest << min(rounds, 16))
    rounds += 1
    inRound = 0
    let fifth = whole / 5
    return .dial(at: now + whole - fifth + Instant(random % UInt64(2 * fifth + 1)))
  }
}
