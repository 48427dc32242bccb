// The counts of `--stats` as one line of JSON, for `-J`: what the text says, with times in milliseconds.
import Analysis
import Bytes
import Render
import Wire

extension FrameStatistics {
  func appendJSON(to q: inout ByteQueue) {
    q.append("{\"connections\":")
    q.append(decimal: connections)
    if let first, let last, last > first {
      q.append(",\"duration\":")
      q.append(milliseconds: last - first)
    }
    q.append(",\"frames\":{")
    var comma = false
    for (row, count) in zip(CompositeSpec.all, performatives) { member(row.name, count, &comma, to: &q) }
    for (row, count) in zip(MethodSpec.all, methods) { member(row.name, count, &comma, to: &q) }
    for (name, count) in others { member(name, count, &comma, to: &q) }
    q.append("},\"malformed\":")
    q.append(decimal: malformed)
    q.append(",\"links\":[")
    for (i, row) in links.enumerated() {
      if i > 0 { q.append(UInt8(ascii: ",")) }
      append(json: row, to: &q)
    }
    q.append("],\"links-left-out\":")
    q.append(decimal: linksLeftOut)
    q.append("}\n")
  }

  private func member(_ name: String, _ count: Count, _ comma: inout Bool, to q: inout ByteQueue) {
    if count.frames == 0 { return }
    if comma { q.append(UInt8(ascii: ",")) }
    comma = true
    q.append(jsonString: name)
    q.append(":{\"frames\":")
    q.append(decimal: count.frames)
    q.append(",\"octets\":")
    q.append(decimal: count.octets)
    q.append(UInt8(ascii: "}"))
  }

  private func append(json row: LinkRow, to q: inout ByteQueue) {
    let link = row.link
    q.append("{\"link\":")
    q.append(jsonString: String(decoding: link.name, as: UTF8.self))
    q.append(",\"address\":")
    q.append(jsonString: String(decoding: link.address, as: UTF8.self))
    if let isFromClient = row.isFromClient {
      q.append(isFromClient ? ",\"direction\":\"C>S\"" : ",\"direction\":\"S>C\"")
    }
    q.append(",\"deliveries\":")
    q.append(decimal: link.deliveries)
    q.append(",\"octets\":")
    q.append(decimal: link.octets)
    q.append(",\"outcomes\":{")
    var comma = false
    for (name, count) in link.outcomes.all where count > 0 {
      if comma { q.append(UInt8(ascii: ",")) }
      comma = true
      q.append(jsonString: name)
      q.append(UInt8(ascii: ":"))
      q.append(decimal: count)
    }
    q.append(UInt8(ascii: "}"))
    if link.latency.count > 0 { append(link.latency, to: &q) }
    if link.credit.grants > 0 { append(link.credit, to: &q) }
    q.append(UInt8(ascii: "}"))
  }

  private func append(_ latency: Histogram, to q: inout ByteQueue) {
    q.append(",\"latency\":{\"count\":")
    q.append(decimal: latency.count)
    for (name, value) in [
      (",\"least\":", latency.least), (",\"median\":", latency.percentile(500)), (",\"p90\":", latency.percentile(900)),
      (",\"p99\":", latency.percentile(990)), (",\"most\":", latency.greatest),
    ] as [(StaticString, Int64)] {
      q.append(name)
      q.append(milliseconds: value)
    }
    q.append(UInt8(ascii: "}"))
  }

  private func append(_ credit: Credit, to q: inout ByteQueue) {
    q.append(",\"credit\":{\"grants\":")
    q.append(decimal: credit.grants)
    q.append(",\"most\":")
    q.append(decimal: credit.most)
    q.append(",\"none-for\":")
    q.append(milliseconds: credit.dry)
    if let series = credit.series, !series.least.isEmpty {
      q.append(",\"each\":")
      q.append(milliseconds: series.width)
      q.append(",\"least\":[")
      for (i, least) in series.least.enumerated() {
        if i > 0 { q.append(UInt8(ascii: ",")) }
        q.append(decimal: least)
      }
      q.append(UInt8(ascii: "]"))
    }
    q.append(UInt8(ascii: "}"))
  }
}
