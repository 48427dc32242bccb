// `--stats`: what a run came to, on standard error at its end: counts, rate, and the times that messages took.
import Bytes
import Console

struct Statistics {
  enum Form: String { case text, json }

  /// Times and what they are times of.
  struct Latency {
    /// "from sending to the answer"
    let what: String
    let times: Histogram
  }

  let form: Form
  private let started: Int64

  init(_ form: Form, started: Int64) { (self.form, self.started) = (form, started) }

  /// Nil when nobody asked.
  init?(_ arguments: ParsedArguments, now: Int64) {
    guard arguments.flag("stats"), let form = Form(rawValue: arguments.value("stats") ?? "text") else { return nil }
    self.init(form, started: now)
  }

  /// `counts`: what became of the messages, "accepted" and its like.
  func write(
    _ messages: Int, octets: Int, _ counts: [(String, Int)], _ latency: Latency? = nil, now: Int64,
    _ diagnostics: Diagnostics
  ) {
    var q = ByteQueue()
    append(messages, octets: octets, counts, latency, now: now, to: &q)
    q.withReadable { diagnostics.writeLines($0) }
  }

  func append(
    _ messages: Int, octets: Int, _ counts: [(String, Int)], _ latency: Latency?, now: Int64, to q: inout ByteQueue
  ) {
    let nanoseconds = max(1, now - started)
    let rate = Int(Double(messages) * 1e9 / Double(nanoseconds))
    let seconds = "\(nanoseconds / 1_000_000_000).\(Statistics.padded(nanoseconds / 1_000_000 % 1_000))"
    switch form {
    case .text:
      let parts = counts.filter { $0.1 > 0 }.map { ", \($0.1) \($0.0)" }.joined()
      q.append(utf8: "\(messages) messages, \(octets) octets in \(seconds) s, \(rate) messages/s\(parts)\n")
      if let latency, latency.times.count > 0 { Statistics.append(latency, to: &q) }
    case .json:
      let parts = counts.map { ",\"\($0.0)\":\($0.1)" }.joined()
      q.append(utf8: "{\"messages\":\(messages),\"octets\":\(octets),\"seconds\":\(seconds),\"rate\":\(rate)\(parts)")
      if let latency, latency.times.count > 0 { Statistics.append(json: latency.times, to: &q) }
      q.append("}\n")
    }
  }

  // MARK: Times

  private static let percentiles: [(name: String, thousandths: UInt64)] = [("p50", 500), ("p90", 900), ("p99", 990)]

  private static func append(_ latency: Latency, to q: inout ByteQueue) {
    let times = latency.times
    q.append(utf8: "\(latency.what):")
    for (name, thousandths) in percentiles {
      q.append(utf8: " \(name) ")
      q.append(latency: times.percentile(thousandths))
      q.append(",")
    }
    q.append(" max ")
    q.append(latency: times.greatest)
    q.append("\n")
    let rows = rows(of: times)
    let most = rows.map(\.count).max() ?? 1
    let widest = rows.map { label($0.bound).utf8.count }.max() ?? 0
    for row in rows {
      let label = label(row.bound)
      let bar = Int((row.count * 40 + most - 1) / most)
      q.append(repeating: 0x20, count: 2 + widest - label.utf8.count)
      q.append(utf8: label)
      q.append("  ")
      q.append(repeating: UInt8(ascii: "#"), count: bar)
      q.append(repeating: 0x20, count: 41 - bar)
      q.append(decimal: row.count)
      q.append("\n")
    }
  }

  private static func append(json times: Histogram, to q: inout ByteQueue) {
    q.append(",\"latency\":{\"unit\":\"ms\",\"count\":")
    q.append(decimal: times.count)
    for (name, thousandths) in percentiles {
      q.append(utf8: ",\"\(name)\":")
      q.append(shortMilliseconds: times.percentile(thousandths))
    }
    q.append(",\"max\":")
    q.append(shortMilliseconds: times.greatest)
    q.append(",\"histogram\":[")
    for (i, row) in rows(of: times).enumerated() {
      q.append(i == 0 ? "[" : ",[")
      if let bound = row.bound { q.append(shortMilliseconds: bound) } else { q.append("null") }
      q.append(",")
      q.append(decimal: row.count)
      q.append("]")
    }
    q.append("]}")
  }

  /// 10 µs, 20 µs, 50 µs … 100 s.
  private static let bounds: [Int64] = (0..<22).map { i in
    var power: Int64 = 10_000
    for _ in 0..<i / 3 { power *= 10 }
    return [1, 2, 5][i % 3] * power
  }

  /// How many took at most so long (and longer than the row above says; nil: longer than all of them), without the empty rows
  /// at both ends.
  private static func rows(of times: Histogram) -> [(bound: Int64?, count: UInt64)] {
    let counts = times.counts(bounds)
    guard let first = counts.firstIndex(where: { $0 > 0 }), let last = counts.lastIndex(where: { $0 > 0 }) else {
      return []
    }
    return (first...last).map { ($0 < bounds.count ? bounds[$0] : nil, counts[$0]) }
  }

  private static func label(_ bound: Int64?) -> String {
    guard let bound else { return "> 100 s" }
    if bound >= 1_000_000_000 { return "<= \(bound / 1_000_000_000) s" }
    return bound >= 1_000_000 ? "<= \(bound / 1_000_000) ms" : "<= \(bound / 1_000) us"
  }

  private static func padded(_ v: Int64) -> String { v < 10 ? "00\(v)" : v < 100 ? "0\(v)" : "\(v)" }
}

extension ByteQueue {
  /// Nanoseconds as milliseconds with three digits behind the point.
  mutating func append(shortMilliseconds nanoseconds: Int64) {
    let micros = nanoseconds / 1_000
    append(decimal: micros / 1_000)
    append(UInt8(ascii: "."))
    for unit: Int64 in [100, 10, 1] { append(UInt8(ascii: "0") + UInt8(micros / unit % 10)) }
  }
}
