/// What both JSON forms of a frame say alike: where and when it passed, what is wrong with it, what it is called.
package import Bytes
import Wire

extension FrameNodes {
  /// The name of a described value's row, or what stands for it, as a JSON string: "0x19".
  func appendJSONName(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if !isKnown(nodes[i]) && i + 1 < nodes.count && nodes[i + 1].kind == .scalar {
      let descriptor = nodes[i + 1]
      switch Primitive.of(descriptor.constructor) {
      case .ulong: break
      case .symbol, .string: return q.append(jsonString: b.extracting(descriptor.contentRange))
      default: return q.append("\"described\"")
      }
    }
    q.append(UInt8(ascii: "\""))
    appendName(i, b, to: &q)
    q.append(UInt8(ascii: "\""))
  }

  /// Whether what could not be read of the frame stands where a secret would.
  var restIsSecret: Bool {
    guard let head = nodes.first, head.kind == .frame else { return false }
    if head.is091 { return secret.map { nodes[$0].place == .rest } ?? false }
    return head.value >> 16 & 0xff == UInt64(FrameType.sasl.rawValue)
  }

  /// The member that tells of all problems, with a comma in front; nothing when there are none.
  func appendProblems(_ b: Span<UInt8>, to q: inout ByteQueue) {
    if problems.isEmpty { return }
    q.append(",\"problems\":[")
    var first = true
    for i in nodes.indices where nodes[i].kind == .problem {
      if !first { q.append(UInt8(ascii: ",")) }
      first = false
      var path = path(to: i, b)
      // A line names the performative anyway.
      if path.isEmpty && nodes.count > 1 && nodes[1].place == .performative && nodes[1].kind == .described {
        path = name(1, b)
      }
      q.append(problems[Int(nodes[i].value)], origin: origin, path: path)
    }
    q.append(UInt8(ascii: "]"))
  }
}

extension TailWriter {
  /// The members that open a frame's object, with a comma after the last.
  mutating func append(_ context: FrameContext) {
    if let time = context.time {
      append("\"time\":")
      append(milliseconds: time)
      append(UInt8(ascii: ","))
    }
    if let connection = context.connection {
      append("\"connection\":")
      append(decimal: UInt64(connection))
      append(UInt8(ascii: ","))
    }
    if let direction = context.direction {
      append("\"direction\":")
      append(UInt8(ascii: "\""))
      append(direction.name)
      append(UInt8(ascii: "\""))
      append(UInt8(ascii: ","))
    }
    if let offset = context.offset {
      append("\"offset\":")
      append(decimal: offset)
      append(UInt8(ascii: ","))
    }
    if !context.link.isEmpty {
      append("\"link\":")
      append(jsonOctets: context.link.span)
      append(UInt8(ascii: ","))
    }
    if !context.address.isEmpty {
      append("\"address\":")
      append(jsonOctets: context.address.span)
      append(UInt8(ascii: ","))
    }
    if let latency = context.latency {
      if latency.lowerBound != latency.upperBound {
        append("\"least-latency\":")
        append(milliseconds: latency.lowerBound)
        append(UInt8(ascii: ","))
      }
      append("\"latency\":")
      append(milliseconds: latency.upperBound)
      append(",\"since\":")
      append(UInt8(ascii: "\""))
      append(context.since)
      append(UInt8(ascii: "\""))
      append(UInt8(ascii: ","))
    }
    if context.answered > 0 {
      append("\"answered\":")
      append(decimal: UInt64(context.answered))
      append(UInt8(ascii: ","))
    }
    if context.unknown > 0 {
      append("\"unknown\":")
      append(decimal: UInt64(context.unknown))
      append(UInt8(ascii: ","))
    }
    if context.part != .whole {
      append("\"part\":")
      append(UInt8(ascii: "\""))
      append(context.part.name)
      append(UInt8(ascii: "\""))
      append(UInt8(ascii: ","))
    }
  }

  /// Nanoseconds as milliseconds, with as many decimals as it takes.
  mutating func append(milliseconds nanoseconds: Int64) {
    if nanoseconds < 0 { append(UInt8(ascii: "-")) }
    let (whole, part) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    append(decimal: whole)
    if part == 0 { return }
    append(UInt8(ascii: "."))
    var rest = UInt32(part)
    var unit: UInt32 = 100_000
    while rest > 0 {
      append(0x30 &+ UInt8(truncatingIfNeeded: rest / unit))
      rest %= unit
      unit /= 10
    }
  }
}

extension FrameContext {
  /// Enough for `TailWriter.append`.
  var room: Int { 512 + TailWriter.escaped * (link.count + address.count) }
}

extension ByteQueue {
  package mutating func append(milliseconds nanoseconds: Int64) {
    _ = write(room: 32) { w in
      w.append(milliseconds: nanoseconds)
      return true
    }
  }

  mutating func append(_ context: FrameContext) {
    _ = write(room: context.room) { w in
      w.append(context)
      return true
    }
  }

  mutating func append(_ problem: Problem, origin: Int, path: String) {
    append(problem.severity == .malformed ? "{\"severity\":\"malformed\"" : "{\"severity\":\"warning\"")
    append(",\"offset\":")
    append(decimal: max(problem.offset - origin, 0))
    if !path.isEmpty {
      append(",\"path\":")
      append(jsonString: path)
    }
    append(",\"expected\":")
    append(jsonString: problem.expected)
    append(",\"got\":")
    append(jsonString: problem.got)
    append(",\"section\":")
    append(jsonString: problem.section)
    append(UInt8(ascii: "}"))
  }

  /// Octets as text when they are, else as base64 in a tag.
  mutating func append(jsonOctets octets: Span<UInt8>) {
    if octets.firstInvalidUTF8() == nil { return append(jsonString: octets) }
    append("{\"binary\":")
    append(jsonBase64: octets)
    append(UInt8(ascii: "}"))
  }
}
