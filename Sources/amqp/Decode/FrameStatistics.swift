// Counts by frame and by link, for `--stats`: gathered as frames pass and streams end, shown at the end.
import Analysis
import Bytes
import Render
import Wire

struct FrameStatistics {
  struct Count {
    var frames = 0
    var octets = 0
  }
  struct LinkRow {
    var name: String
    var isFromClient: Bool?
    var link: Link
  }

  var performatives = [Count](repeating: Count(), count: CompositeSpec.all.count)
  var methods = [Count](repeating: Count(), count: MethodSpec.all.count)
  var headers = 0
  var empty = Count()
  var contentHeaders = Count()
  var bodies = Count()
  var malformed = 0
  var links: [LinkRow] = []
  var linksLeftOut = 0
  var connections = 0
  var first: Int64?
  var last: Int64?

  private static let mostLinks = 1000

  mutating func count(_ dissector: Dissector, octets: Int, part: Facts.Part) {
    if dissector.isMalformed { malformed += 1 }
    guard dissector.nodes.count > 1 else {
      empty.frames += 1
      empty.octets += octets
      return
    }
    if dissector.nodes[0].is091 { return count091(dissector, octets) }
    let row = Int(dissector.nodes[1].row)
    if row < performatives.count {
      performatives[row].frames += 1
      performatives[row].octets += octets
    }
  }

  private mutating func count091(_ dissector: Dissector, _ octets: Int) {
    let n = dissector.nodes[1]
    if let row = n.methodIndex {
      methods[row].frames += 1
      methods[row].octets += octets
    } else if n.place == .section {
      contentHeaders.frames += 1
      contentHeaders.octets += octets
    } else {
      bodies.frames += 1
      bodies.octets += octets
    }
  }

  mutating func countHeader() { headers += 1 }

  mutating func time(_ time: Int64?) {
    guard let time else { return }
    first = first ?? time
    last = time
  }

  mutating func add(_ stream: DecodedStream) {
    connections += 1
    for link in stream.conversation.links where link.deliveries > 0 || link.isNamed {
      if links.count >= FrameStatistics.mostLinks {
        linksLeftOut += 1
        continue
      }
      links.append(
        LinkRow(
          name: link.label.isEmpty ? "(attach not captured)" : String(decoding: link.label, as: UTF8.self),
          isFromClient: stream.isOneWay || link.sender < 0 ? nil : link.sender == stream.client, link: link))
    }
  }

  /// The counts that are no frames of one kind, by what they are called.
  var others: [(name: String, count: Count)] {
    [
      ("content header", contentHeaders), ("body", bodies), ("empty, heartbeat", empty),
      ("protocol header", Count(frames: headers, octets: headers * 8)),
    ].filter { $0.1.frames > 0 }
  }

  // MARK: As text

  func appendText(to q: inout ByteQueue) {
    q.append("connections  ")
    q.append(decimal: connections)
    if let first, let last, last > first {
      q.append(" in ")
      q.append(latency: last - first)
    }
    q.append("\n\nframes\n")
    for (row, count) in zip(CompositeSpec.all, performatives) where count.frames > 0 { line(row.name, count, to: &q) }
    for (row, count) in zip(MethodSpec.all, methods) where count.frames > 0 { line(row.name, count, to: &q) }
    for (name, count) in others { line("(\(name))", count, to: &q) }
    if malformed > 0 {
      q.append("  malformed ")
      q.append(decimal: malformed)
      q.append("\n")
    }
    if links.isEmpty { return }
    q.append("\nlinks\n")
    for row in links { append(row, to: &q) }
    if linksLeftOut > 0 {
      q.append("  and ")
      q.append(decimal: linksLeftOut)
      q.append(" more\n")
    }
  }

  private func line(_ name: String, _ count: Count, to q: inout ByteQueue) {
    q.append("  ")
    q.append(utf8: name)
    q.append(repeating: 0x20, count: max(1, 22 - name.utf8.count))
    let digits = String(count.frames)
    q.append(repeating: 0x20, count: max(0, 9 - digits.utf8.count))
    q.append(utf8: digits)
    q.append("  ")
    q.append(decimal: count.octets)
    q.append(" octets\n")
  }

  private func append(_ row: LinkRow, to q: inout ByteQueue) {
    q.append("  ")
    q.append(utf8: row.name)
    if let isFromClient = row.isFromClient { q.append(isFromClient ? " C>S" : " S>C") }
    q.append(": ")
    q.append(decimal: row.link.deliveries)
    q.append(row.link.deliveries == 1 ? " delivery, " : " deliveries, ")
    q.append(decimal: row.link.octets)
    q.append(row.link.octets == 1 ? " octet" : " octets")
    for (name, count) in row.link.outcomes.all where count > 0 {
      q.append(", ")
      q.append(decimal: count)
      q.append(" ")
      q.append(name)
    }
    q.append("\n")
    let latency = row.link.latency
    if latency.count > 0 {
      q.append("    until settled ")
      for (name, value) in [
        ("least ", latency.least), (", median ", latency.percentile(500)), (", 90 % ", latency.percentile(900)),
        (", 99 % ", latency.percentile(990)), (", most ", latency.greatest),
      ] as [(StaticString, Int64)] {
        q.append(name)
        q.append(latency: value)
      }
      q.append("\n")
    }
    let credit = row.link.credit
    if credit.grants > 0 {
      q.append("    credit granted ")
      q.append(decimal: credit.grants)
      q.append(credit.grants == 1 ? " time, at most " : " times, at most ")
      q.append(decimal: credit.most)
      if credit.dry > 0 {
        q.append(", none for ")
        q.append(latency: credit.dry)
        q.append(" in all")
      }
      q.append("\n")
      if let series = credit.series, series.least.count > 1 {
        q.append("    the least in each ")
        q.append(latency: series.width)
        q.append(":")
        for least in series.least {
          q.append(" ")
          q.append(decimal: least)
        }
        q.append("\n")
      }
    }
  }
}
