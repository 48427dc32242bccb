// `--stats`: what a run came to, on standard error at its end.
import Bytes
import Console

struct Statistics {
  enum Form: String { case text, json }

  let form: Form
  private let started: Int64

  /// Nil when nobody asked.
  init?(_ arguments: ParsedArguments, now: Int64) {
    guard arguments.flag("stats"), let form = Form(rawValue: arguments.value("stats") ?? "text") else { return nil }
    self.form = form
    started = now
  }

  /// `counts`: what became of the messages, "accepted" and its like.
  func write(_ messages: Int, octets: Int, _ counts: [(String, Int)], now: Int64, _ diagnostics: Diagnostics) {
    let nanoseconds = max(1, now - started)
    let rate = Int(Double(messages) * 1e9 / Double(nanoseconds))
    let seconds = "\(nanoseconds / 1_000_000_000).\(padded(nanoseconds / 1_000_000 % 1_000))"
    var q = ByteQueue()
    switch form {
    case .text:
      let parts = counts.filter { $0.1 > 0 }.map { ", \($0.1) \($0.0)" }.joined()
      q.append(utf8: "\(messages) messages, \(octets) octets in \(seconds) s, \(rate) messages/s\(parts)\n")
    case .json:
      let parts = counts.map { ",\"\($0.0)\":\($0.1)" }.joined()
      q.append(
        utf8: "{\"messages\":\(messages),\"octets\":\(octets),\"seconds\":\(seconds),\"rate\":\(rate)\(parts)}\n")
    }
    q.withReadable { diagnostics.writeLines($0) }
  }

  private func padded(_ v: Int64) -> String { v < 10 ? "00\(v)" : v < 100 ? "0\(v)" : "\(v)" }
}
