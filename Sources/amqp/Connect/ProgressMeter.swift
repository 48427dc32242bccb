// What a status line says: how many messages, how fast, how many are under way, for how long, how long still. Pure: counts
// and times come in, a line goes out a few times a second.

struct ProgressMeter {
  /// What is known of the end.
  enum Goal: Equatable {
    case unknown
    /// Messages in all.
    case count(Int)
    /// Octets of the input read, and how many it has.
    case input(Int, of: Int)
    /// Nanoseconds from the start.
    case duration(Int64)
  }
  struct State {
    var done: Int
    var inFlight: Int
    var goal: Goal
  }

  /// Nothing is shown before: most runs are over by then.
  static let patience: Int64 = 1_000_000_000

  private let started: Int64
  /// Between two lines.
  private let interval: Int64
  private(set) var due: Int64
  /// What there was lately, oldest first: the rate is of these.
  private var samples: [(time: Int64, done: Int)] = []
  private static let mostSamples = 9

  init(started: Int64, interval: Int64) {
    (self.started, self.interval) = (started, interval)
    due = started + ProgressMeter.patience
    samples = [(started, 0)]
  }

  /// The line that is due, if one is. `state` is asked only then.
  mutating func line(now: Int64, _ state: () -> State) -> String? {
    if now < due { return nil }
    due = now + interval
    let state = state()
    samples.append((now, state.done))
    if samples.count > ProgressMeter.mostSamples { samples.removeFirst() }
    let span = Double(max(1, now - samples[0].time))
    let rate = Double(state.done - samples[0].done) * 1e9 / span
    var parts = [ProgressMeter.grouped(state.done)]
    if case .count(let all) = state.goal { parts[0] += " of " + ProgressMeter.grouped(all) }
    parts[0] += state.done == 1 && !parts[0].contains("of") ? " message" : " messages"
    parts.append(ProgressMeter.rateText(rate))
    parts.append("\(ProgressMeter.grouped(state.inFlight)) in flight")
    parts.append(ProgressMeter.clock(now - started))
    if let left = left(state, rate, now) { parts.append(ProgressMeter.clock(left) + " left") }
    return parts.joined(separator: ", ")
  }

  private func left(_ state: State, _ rate: Double, _ now: Int64) -> Int64? {
    let elapsed = now - started
    switch state.goal {
    case .unknown: return nil
    case .duration(let all): return max(0, all - elapsed)
    case .count(let all):
      guard rate > 0 else { return nil }
      return Int64(min(Double(max(0, all - state.done)) / rate * 1e9, 3.6e17))
    case .input(let read, let all):
      guard read > 0, all >= read else { return nil }
      return Int64(Double(elapsed) * Double(all - read) / Double(read))
    }
  }

  /// "1,234,567"
  static func grouped(_ n: Int) -> String {
    let digits = Array(String(n))
    var out = ""
    for (i, digit) in digits.enumerated() {
      if i > 0 && (digits.count - i) % 3 == 0 { out += "," }
      out.append(digit)
    }
    return out
  }

  /// "0.4/s", "12/s", "1,234/s"
  static func rateText(_ rate: Double) -> String {
    if rate >= 10 || rate == 0 { return grouped(Int(rate.rounded())) + "/s" }
    let tenths = Int((rate * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)/s"
  }

  /// "0:07", "12:34", "1:02:03"
  static func clock(_ nanoseconds: Int64) -> String {
    let seconds = (nanoseconds + 500_000_000) / 1_000_000_000
    func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    return h > 0 ? "\(h):\(two(m)):\(two(s))" : "\(m):\(two(s))"
  }
}
