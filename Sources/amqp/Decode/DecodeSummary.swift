// What is said on standard error of a source: what it was, whose connections are in it, and what was left out.
import Analysis
import Capture
import Console

struct DecodeSummary {
  struct Connection {
    var number: Int
    var ends: String?
    var dialects: Set<Dialect>
    var foreign: Foreign?
    var frames: Int
  }

  var connections: [Connection] = []
  /// Connections in which there was no AMQP, and those that are too many to name.
  var others = 0
  var unnamed = 0
  var frames = 0
  var notes: [String] = []
  var unsaid = 0
  var hasFailed = false

  private static let most = 16

  mutating func add(_ stream: DecodedStream) {
    frames += stream.frames
    if stream.frames == 0 && stream.dialects.isEmpty && stream.foreign == nil {
      others += 1
    } else if connections.count >= DecodeSummary.most {
      unnamed += 1
    } else {
      let (from, to) =
        stream.client == 0
        ? (stream.description.source, stream.description.target)
        : (stream.description.target, stream.description.source)
      connections.append(
        Connection(
          number: stream.number, ends: from.map { "\($0) -> \(to ?? "?")" }, dialects: stream.dialects,
          foreign: stream.foreign, frames: stream.frames))
    }
  }

  mutating func note(_ text: String) {
    if notes.last == text { return }
    if notes.count < 32 { notes.append(text) } else { unsaid += 1 }
  }

  static func names(_ dialects: Set<Dialect>, _ foreign: Foreign?) -> String {
    let names = Dialect.allCases.filter(dialects.contains).map { "\($0.name)" } + (foreign.map { ["\($0.name)"] } ?? [])
    return names.isEmpty ? "no AMQP" : names.joined(separator: " and ")
  }

  static func counted(_ n: Int, _ what: String) -> String { "\(n) \(what)\(n == 1 ? "" : "s")" }
}

extension Decoding {
  /// Says what the source was. Hex among the arguments needs no words unless there was something wrong.
  func summarize() {
    for note in summary.notes { diagnostics.note("\(source.name): \(note)") }
    if summary.unsaid > 0 { diagnostics.note("\(source.name): and \(summary.unsaid) more of the kind") }
    if madeOctets { return }
    if summary.frames == 0 && summary.connections.allSatisfy({ $0.dialects.isEmpty }) { return nothingFound() }
    if case .octets = source { return }
    if plan.tap != nil { return diagnostics.note(counts(of: summary)) }
    let form = reader.form.rawValue
    let captured = reader.form == .pcap || reader.form == .pcapng
    var text = "\(source.name): \(form)"
    if captured {
      let all = summary.connections.count + summary.unnamed
      text += ", \(DecodeSummary.counted(all, "connection"))"
      if all == 1, let ends = summary.connections[0].ends { text += " \(ends)" }
    }
    var dialects: Set<Dialect> = []
    for connection in summary.connections { dialects.formUnion(connection.dialects) }
    text += ", \(DecodeSummary.names(dialects, nil)), \(DecodeSummary.counted(summary.frames, "frame"))"
    if summary.others > 0 { text += ", \(summary.others) without AMQP" }
    diagnostics.note(text)
    if captured && summary.connections.count + summary.unnamed > 1 {
      for connection in summary.connections {
        diagnostics.note(
          "#\(connection.number) \(connection.ends ?? ""), "
            + "\(DecodeSummary.names(connection.dialects, connection.foreign)), "
            + DecodeSummary.counted(connection.frames, "frame"))
      }
      if summary.unnamed > 0 { diagnostics.note("and \(DecodeSummary.counted(summary.unnamed, "more connection"))") }
    }
  }

  private func counts(of summary: DecodeSummary) -> String {
    let connections = summary.connections.count + summary.unnamed + summary.others
    return
      "\(DecodeSummary.counted(connections, "connection")), \(DecodeSummary.counted(summary.frames, "frame"))"
  }

  private func nothingFound() {
    if summary.hasFailed || plan.tap != nil { return }
    let captured = reader.form == .pcap || reader.form == .pcapng
    if let foreign = summary.connections.compactMap(\.foreign).first {
      let next =
        foreign == .tls ? "it is encrypted: capture what --tap sees, or without TLS" : nil
      return report(
        Failure("no AMQP 1.0 or 0-9-1 in \(source.name)", "it is \(foreign.name)", nextStep: next, exitCode: .badInput))
    }
    let why =
      captured
      ? "\(reader.form.rawValue) with \(DecodeSummary.counted(summary.others, "other connection"))"
      : "\(DecodeSummary.counted(inputOctets, "octet")) read as \(reader.form.rawValue)"
    report(
      Failure(
        "no AMQP in \(source.name)", why,
        nextStep: captured ? nil : "--input FORM says what it is, 'amqp help decode' which forms there are",
        exitCode: .badInput))
  }
}
