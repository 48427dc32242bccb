// What a client announces, for people.
import Bytes
import Console
import Render
import Wire

enum ClientText {
  static func append(_ report: ClientReport, isColored: Bool, to q: inout ByteQueue) {
    let who = [report.product, report.version].compactMap { $0 }.joined(separator: " ")
    let platform = report.properties["platform"]?.text.map { " (\($0))" } ?? ""
    q.append(utf8: ProbeText.paint(Diagnostics.printable(report.peer), .bold, if: isColored))
    q.append(utf8: who.isEmpty ? "\n" : "  \(Diagnostics.printable(who + platform))\n")
    line("header", report.header, to: &q)
    line("TLS", report.tls.map { "\($0.version), \($0.cipher)" }, to: &q)
    line("certificate", report.certificate, to: &q)
    line(
      "login",
      report.mechanism.map { $0 + (report.user.map { " as '\($0)'" } ?? "") + (report.isLetIn ? "" : ": refused") },
      to: &q)
    line(report.is091 == true ? "name" : "container-id", report.containerID, to: &q)
    line(report.is091 == true ? "virtual-host" : "hostname", report.hostname, to: &q)
    let limits = [
      report.frameSize.map { "frames of \($0) octets" }, report.channels.map { "\($0) channels" },
      report.idleTimeOut.map { "\(report.is091 == true ? "heartbeat" : "idle time-out") \($0) ms" },
    ].compactMap { $0 }
    line("limits", limits.isEmpty ? nil : ProbeText.list(limits), to: &q)
    line("offers", report.offeredCapabilities, to: &q)
    line("desires", report.desiredCapabilities, to: &q)
    for entry in report.properties.entries ?? [] {
      guard let name = entry.key.text, !["product", "version", "platform", "connection_name"].contains(name) else {
        continue
      }
      line(name, text(entry.value), to: &q)
    }
  }

  static func append(_ deed: ClientReport.Deed, of peer: String, to q: inout ByteQueue) {
    let fields = deed.fields.map { "\($0.name)=\(text($0.value))" }
    q.append(utf8: Diagnostics.printable("\(peer)  \(([deed.what] + fields).joined(separator: " "))") + "\n")
  }

  static func appendEnd(_ report: ClientReport, to q: inout ByteQueue) {
    var words = report.end ?? "left in good order"
    if report.messages > 0 {
      words += ", \(report.messages) message\(report.messages == 1 ? "" : "s") of \(report.octets) octets rejected"
    }
    q.append(utf8: Diagnostics.printable("\(report.peer)  \(words)") + "\n")
  }

  private static func line(_ label: String, _ text: String?, to q: inout ByteQueue) {
    guard let text else { return }
    q.append("  ")
    q.append(utf8: Diagnostics.printable(label))
    q.append(repeating: 0x20, count: max(1, 14 - label.utf8.count))
    q.append(utf8: Diagnostics.printable(text) + "\n")
  }

  private static func line(_ label: String, _ items: [String], to q: inout ByteQueue) {
    line(label, items.isEmpty ? nil : ProbeText.list(items), to: &q)
  }

  /// Text as it is, anything else as JSON without types.
  private static func text(_ value: Value) -> String {
    if let text = value.text { return text.isEmpty ? "''" : text }
    var q = ByteQueue()
    q.append(JSON(plain: value))
    return String(decoding: q.bytes, as: UTF8.self)
  }
}
