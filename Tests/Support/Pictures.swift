/// What holds for every picture the dissector makes, of whatever octets: used by tests and by the fuzz targets.
import Bytes
import Wire

extension Dissector {
  /// The frame or message that the nodes show, written anew from them.
  package func reencoded(_ b: Span<UInt8>) -> [UInt8] {
    var q = ByteQueue()
    var i = 0
    if let frame = nodes.first, frame.kind == .frame, frame.is091 {
      q.append(UInt8(truncatingIfNeeded: frame.value >> 16))
      q.append16(UInt16(truncatingIfNeeded: frame.value))
      q.append32(0)
      i = 1
    } else if let frame = nodes.first, frame.kind == .frame {
      q.append32(0)
      q.append(UInt8(truncatingIfNeeded: frame.value >> 24))
      q.append(UInt8(truncatingIfNeeded: frame.value >> 16))
      q.append16(UInt16(truncatingIfNeeded: frame.value))
      q.append(b.extracting(Int(frame.offset) + 8..<Int(frame.content)))
      i = 1
    }
    while i < nodes.count {
      if nodes[i].kind != .problem { reencode(at: i, b, into: &q) }
      i = Int(nodes[i].next)
    }
    if nodes.first?.kind == .frame {
      if nodes[0].is091 {
        q.patch32(at: q.readable.lowerBound + 3, UInt32(q.count - Frame091.headSize))
        q.append(Frame091.endOctet)
      } else {
        q.patch32(at: q.readable.lowerBound, UInt32(q.count))
      }
    }
    return q.bytes
  }

  /// What is wrong with the list itself, or nil: ranges within the octets and within the node above, in order, and
  /// depths that fit.
  package func firstFlaw(octets count: Int) -> String? {
    var open: [(end: Int, node: Node)] = []
    for (i, n) in nodes.enumerated() {
      func flaw(_ what: String) -> String { "node \(i) (\(n.kind), \(n.place), at \(n.offset)): \(what)" }
      while let last = open.last, last.end <= i { open.removeLast() }
      let next = Int(n.next)
      if next <= i || next > (open.last?.end ?? nodes.count) { return flaw("ends at node \(next)") }
      if n.range.upperBound > count { return flaw("ends beyond the octets") }
      if n.kind == .problem {
        if n.value >= UInt64(problems.count) { return flaw("no such problem") }
      } else {
        if n.content < n.offset || Int(n.content) > n.range.upperBound { return flaw("content outside") }
        if let above = open.last?.node, above.kind != .described || !isMalformed {
          if n.offset < above.offset || n.range.upperBound > above.range.upperBound {
            return flaw("outside the parent")
          }
          if n.depth != above.depth + 1 { return flaw("depth \(n.depth) under \(above.depth)") }
        }
        if i > 0, n.offset < nodes[i - 1].offset && nodes[i - 1].kind != .problem && n.kind != .opaque {
          return flaw("in front of the one before")
        }
      }
      if next > i + 1 { open.append((next, n)) }
    }
    if problems.count != nodes.count(where: { $0.kind == .problem }) { return "a problem without a node" }
    if problems.count > 65 { return "\(problems.count) problems" }
    return nil
  }
}

/// The one value that the octets are.
package func decode(_ bytes: [UInt8], limits: Limits = Limits()) throws -> Value {
  try Value.decode(bytes.span, limits: limits)
}
