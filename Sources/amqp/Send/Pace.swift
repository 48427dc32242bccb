// `--rate`: how many messages may have been begun by now. Pure, like everything that is told the time.
//
// A message each 1/rate seconds from the first one on. Where the program itself was late (the machine was busy) it catches up,
// with at most a fifth of a second's messages; where there was nothing to send or the peer took nothing, the time is gone, and
// no burst follows.

struct Pace {
  /// Messages a second.
  let rate: Int
  /// `base + 1` messages were allowed at `epoch`; within a second of now.
  private var epoch: Int64 = 0
  private var base = 0
  private var hasBegun = false
  private var last: Int64 = 0
  /// Until the first message has gone out, one.
  private(set) var allowance = 1

  init(rate: Int) { self.rate = rate }

  private static let second: Int64 = 1_000_000_000

  /// - Parameter begun: messages begun so far.
  mutating func turn(now: Int64, begun: Int) {
    defer { last = now }
    if !hasBegun {
      if begun == 0 { return }
      // It went out in the turn before.
      (hasBegun, epoch) = (true, last)
    }
    let seconds = (now - epoch) / Pace.second
    epoch += seconds * Pace.second
    base += Int(seconds) * rate
    allowance = base + 1 + Int(now - epoch) * rate / Int(Pace.second)
    let most = begun + max(1, rate / 5)
    if allowance > most { limit(to: most, now: now) }
  }

  /// All that may be sent was not there to be sent, or could not be.
  mutating func starved(now: Int64, begun: Int) {
    if hasBegun, allowance > begun + 1 { limit(to: begun + 1, now: now) }
  }

  /// When one more than `begun` is allowed.
  func due(begun: Int) -> Int64 {
    let missing = begun - base
    let (seconds, rest) = (missing / rate, missing % rate)
    return epoch + Int64(seconds) * Pace.second + (Int64(rest) * Pace.second + Int64(rate) - 1) / Int64(rate)
  }

  private mutating func limit(to count: Int, now: Int64) {
    (allowance, base, epoch) = (count, count - 1, now)
  }
}
