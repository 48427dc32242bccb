// A report for people: aligned, and coloured on a terminal. This file has the lines, and the peer itself; sessions and nodes
// are beside it.
import Bytes
import Console
import Transport
import Wire

struct ProbeText {
  let report: ProbeReport
  private let isColored: Bool
  private var q = ByteQueue()

  init(_ report: ProbeReport, isColored: Bool) { (self.report, self.isColored) = (report, isColored) }

  func append(to out: inout ByteQueue) {
    var copy = self
    copy.peer()
    copy.security()
    copy.protocols()
    for session in report.sessions { copy.session(session) }
    for node in report.nodes where !report.sessions.isEmpty { copy.node(node) }
    copy.q.withReadable { out.append($0) }
  }

  // MARK: Lines

  enum Colour: String { case bold = "1", good = "32", bad = "31", dim = "2" }

  static func paint(_ text: String, _ colour: Colour?, if isColored: Bool) -> String {
    guard isColored, let colour else { return text }
    return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
  }

  /// A title and what is said beside it. What comes from the peer can't steer the terminal.
  mutating func head(_ title: String, _ more: String, _ colour: Colour? = nil) {
    if !q.isEmpty { q.append("\n") }
    q.append(utf8: ProbeText.paint(Diagnostics.printable(title), .bold, if: isColored))
    if !more.isEmpty {
      q.append(utf8: "  " + ProbeText.paint(Diagnostics.printable(more), colour, if: isColored))
    }
    q.append("\n")
  }

  private static let labelWidth = 14

  mutating func line(_ label: String, _ text: String, _ colour: Colour? = nil) {
    q.append("  ")
    q.append(utf8: label)
    q.append(repeating: 0x20, count: max(1, ProbeText.labelWidth - label.utf8.count))
    q.append(utf8: ProbeText.paint(Diagnostics.printable(text), colour, if: isColored))
    q.append("\n")
  }

  /// `0.12 ms`
  static func time(_ nanoseconds: Int64) -> String {
    let hundredths = (nanoseconds + 5_000) / 10_000
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) ms"
  }

  static func list(_ items: [String]) -> String { items.joined(separator: ", ") }

  // MARK: The peer

  private mutating func peer() {
    let who = [report.product, report.version].compactMap { $0 }.joined(separator: " ")
    head(report.peer, who + (report.platform.map { who.isEmpty ? $0 : " (\($0))" } ?? ""))
    if let name = report.name {
      line("name", ProbeText.list(name.addresses) + (name.duration > 0 ? ", \(ProbeText.time(name.duration))" : ""))
    }
    if let tcp = report.tcp { line("TCP", "\(tcp.address), \(ProbeText.time(tcp.duration))") }
  }

  private mutating func security() {
    guard let tls = report.tls else { return }
    let agreed = [tls.version, tls.cipher].filter { !$0.isEmpty }
    line("TLS", ProbeText.list(agreed + (tls.duration.map { [ProbeText.time($0)] } ?? [])))
    for (i, certificate) in tls.chain.enumerated() {
      let names = certificate.names.isEmpty ? "" : ", for \(certificate.names)"
      line(i == 0 ? "certificate" : "issued by", certificate.subject + names)
      let days = tls.daysLeft(certificate)
      let left = days.map { $0 < 0 ? "expired \(-$0) days ago, on" : "\($0) days left, until" }
      line("", "\(left ?? "valid until") \(ProbeText.day(certificate.notAfter))", days ?? 0 < 14 ? .bad : nil)
    }
    if let last = tls.chain.last, last.issuer != last.subject { line("issued by", last.issuer) }
    if let fault = tls.fault {
      line("trusted", "no: \(fault)", .bad)
    } else {
      line("trusted", tls.isVerified ? "yes" : "not checked", tls.isVerified ? .good : .bad)
    }
  }

  private static func day(_ seconds: Int64?) -> String {
    guard let seconds else { return "an unreadable date" }
    var text = ByteQueue()
    text.append(rfc3339: seconds * 1_000)
    return String(decoding: text.bytes.prefix { $0 != UInt8(ascii: "T") }, as: UTF8.self)
  }

  private mutating func protocols() {
    if report.answers.isEmpty { return }
    let spoken = report.answers.filter(\.isSpoken).map(\.row.name)
    line("speaks", spoken.isEmpty ? "no AMQP" : ProbeText.list(spoken), spoken.isEmpty ? .bad : .good)
    // Those with the same answer are said together.
    let others = report.answers.filter { !$0.isSpoken }
    for (i, answers) in others.map(\.refusal).uniqued.enumerated() {
      let names = others.filter { $0.refusal == answers }.map(\.row.name)
      line(i == 0 ? "doesn't speak" : "", "\(ProbeText.list(names)): \(answers)")
    }
    if !report.mechanisms.isEmpty { line("mechanisms", ProbeText.list(report.mechanisms)) }
  }
}

extension HeaderAnswer {
  /// What a peer does about a header that it doesn't speak.
  fileprivate var refusal: String {
    switch outcome {
    case .spoken: ""
    case .other, .foreign: "answers \(word)"
    case .closed: "closes the connection"
    case .silent: "doesn't answer"
    case .failed: word
    }
  }
}
