// `--wait`: when a peer that is not yet as it should be is looked at again. Pure: time and randomness are arguments.

struct LookAgain {
  private let end: Int64
  private(set) var attempts = 0

  /// - Parameter wait: nanoseconds; 0: one look is all.
  init(_ wait: Int64, now: Int64) { end = now + wait }

  /// Pauses that grow up to a second, and a last look at the very end.
  /// - Returns: when; nil: it was long enough.
  mutating func failed(now: Int64, random: UInt64) -> Int64? {
    attempts += 1
    guard now < end else { return nil }
    let pause: Int64 = min(1_000_000_000, 100_000_000 << min(Int64(attempts - 1), 4))
    return min(end, now + pause - pause / 10 + Int64(random % UInt64(pause / 5)))
  }
}
