// How long to wait when things go wrong again and again: twice as long each time. Pure; time is an argument.

struct Backoff {
  static let first: Int64 = 100_000_000
  static let most: Int64 = 30_000_000_000

  /// Failures in a row.
  private(set) var level = 0
  private var raised = Int64.min

  /// Something that began then has failed. Several that ran side by side fail once.
  /// - Returns: how long to wait, in nanoseconds.
  mutating func failed(began: Int64, now: Int64) -> Int64 {
    if level == 0 || began > raised {
      level += 1
      raised = now
    }
    return delay
  }

  mutating func succeeded() { level = 0 }

  var delay: Int64 { level == 0 ? 0 : min(Backoff.first << Int64(min(level - 1, 20)), Backoff.most) }
}
