// What is legal on the wire and wrong all the same: a line for each finding.
import Analysis
import Bytes
import Console
import Wire

extension Decoding {
  func lint(_ dissector: Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ facts: Facts) {
    for problem in dissector.problems {
      finding(place, range.lowerBound, problem.severity == .malformed ? "malformed" : "irregular") { q in
        q.append(utf8: "at \(address(place.offset + problem.offset)): \(problem.text) (\(problem.section))")
      }
    }
    if !dissector.isMalformed, facts.part == .whole, dissector.nodes.count > 1,
      dissector.nodes[1].row == Decoding.transfer, !hasBody(dissector, from: Int(dissector.nodes[1].next))
    {
      lackOfBody(place, range.lowerBound)
    }
    showJoined(place, facts) { joined, _ in
      for problem in joined.problems {
        finding(place, range.lowerBound, problem.severity == .malformed ? "malformed" : "irregular") {
          $0.append(utf8: "in the joined message, at \(address(problem.offset)): \(problem.text) (\(problem.section))")
        }
      }
      if !joined.isMalformed && !hasBody(joined, from: 0) { lackOfBody(place, range.lowerBound) }
    }
    lintFindings(place, range.lowerBound)
  }

  private func hasBody(_ dissector: Dissector, from first: Int) -> Bool {
    var i = first
    while i < dissector.nodes.count {
      if let code = CompositeSpec.row(dissector.nodes[i].row)?.code, code >= Code.data, code <= Code.amqpValue {
        return true
      }
      i = Int(dissector.nodes[i].next)
    }
    return false
  }

  private func lackOfBody(_ place: Place, _ at: Int) {
    finding(place, at, "no-body") { $0.append("a message without a body section (part 3 §3.2)") }
  }

  func lintFindings(_ place: Place, _ at: Int) {
    let found = place.stream.conversation.findings
    place.stream.conversation.clearFindings()
    for one in found { finding(place, at, one.rule) { $0.append(utf8: "\(one.text) (\(one.section))") } }
  }

  func finding(_ place: Place, _ at: Int, _ rule: String, _ body: (inout ByteQueue) -> Void) {
    findings += 1
    status = status.combined(with: .notAccepted)
    appendPrefix(place, at, to: &out)
    out.append(utf8: rule)
    out.append(": ")
    body(&out)
    out.append(0x0a)
  }
}
