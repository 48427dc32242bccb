// `--watch` for people: a line a round.
import Bytes
import Console

enum ProbeLine {
  static func append(
    _ report: ProbeReport, _ verdict: ProbeVerdict, names: Bool, isColored: Bool, to q: inout ByteQueue
  ) {
    var time = ByteQueue()
    time.append(rfc3339: report.time / 1_000_000)
    // Hours, minutes and seconds; UTC.
    q.append(utf8: String(decoding: time.bytes.drop { $0 != UInt8(ascii: "T") }.dropFirst().prefix(8), as: UTF8.self))
    if names { q.append(utf8: "  \(report.peer)") }
    if let failure = report.failure {
      part(failure.why.isEmpty ? failure.what : "\(failure.what): \(failure.why)", .bad, isColored, to: &q)
    } else if let session = report.session {
      let beats = session.beats
      part(beats.isEmpty ? "no round trip" : ProbeText.time(Latency(beats).median), nil, isColored, to: &q)
    }
    for node in report.nodes where report.failure == nil {
      part("\(node.name): \(words(node))", node.exists == true ? nil : .bad, isColored, to: &q)
    }
    for fault in verdict.faults { part("not \(fault.condition): \(fault.why)", .bad, isColored, to: &q) }
    q.append("\n")
  }

  private static func part(_ text: String, _ colour: ProbeText.Colour?, _ isColored: Bool, to q: inout ByteQueue) {
    q.append("  ")
    q.append(utf8: ProbeText.paint(Diagnostics.printable(text), colour, if: isColored))
  }

  private static func words(_ node: NodeReport) -> String {
    if node.exists != true { return node.failure?.why ?? "not known" }
    let counts = [
      node.messages.map { $0 == 1 ? "1 message" : "\($0) messages" },
      node.consumers.map { $0 == 1 ? "1 consumer" : "\($0) consumers" },
    ].compactMap { $0 }
    return counts.isEmpty ? node.type ?? "there" : ProbeText.list(counts)
  }
}
