/// Reads AMQP 1.0 octets into nodes: frames, performatives, messages, single values. It is the one reader of the type
/// system: decode, `--trace`, JSON and the state machine's view of every frame but the two or three hottest come from
/// its list. A fault becomes a problem node at its place and what was read before it stays; a fault that leaves no doubt
/// where the next value starts (a wrong type, a missing field, bad UTF-8) does not even end the reading.
///
/// It works without recursion on the input (a descriptor inside an array's constructor, bounded by the depth limit, is
/// the one exception), reuses its memory from call to call and compares every length with what is left before it goes on.
/// This file: frames and messages. Values are in Dissector+Values, what rows demand in Dissector+Rules. The same list is
/// made of 0-9-1 by the extensions under AMQP091.
import Bytes

package struct Dissector: Sendable {
  package internal(set) var nodes: [Node] = []
  package internal(set) var problems: [Problem] = []
  package var limits = Limits()
  /// What is malformed and still has one meaning only is told as malformed, not only as irregular; it is read either way.
  package var isStrict = false

  var stack: [Level] = []
  /// What the described value with the index `expectedAt` has to be.
  var expectation = Expectation.anything
  var expectedAt = 0
  let rules = RowRules.shared
  /// What the letters of 0-9-1's tables mean.
  package var tableDialect = FieldTableDialect.rabbitMQ

  package init() {}

  /// How the octets after a transfer are to be read.
  package enum Payload: Sendable {
    /// A message's sections, when the transfer is a whole message; left opaque when more follows.
    case message
    /// A part of a message: not looked into.
    case opaque
  }

  package enum FrameResult: Sendable, Equatable {
    case incomplete
    /// A whole frame was read, well formed or not, and ends here.
    case frame(end: Int)
    /// The size itself is wrong, so nobody can say where the next frame starts.
    case lost
  }

  enum Expectation: Sendable { case anything, performative, saslPerformative }

  package var isMalformed: Bool { problems.contains { $0.severity == .malformed } }
  package var firstFault: Problem? { problems.first { $0.severity == .malformed } }

  /// Forgets the last picture. Every entry point but `value` does it by itself.
  package mutating func reset() {
    nodes.removeAll(keepingCapacity: true)
    problems.removeAll(keepingCapacity: true)
    stack.removeAll(keepingCapacity: true)
    expectation = .anything
  }

  // MARK: Frames, part 2 §2.3

  /// Reads the frame that starts at `start`.
  package mutating func frame(_ b: Span<UInt8>, at start: Int, payload: Payload) -> FrameResult {
    reset()
    let available = b.count - start
    if available < 4 { return .incomplete }
    let size = Int(b.u32(start))
    add(.frame, Slot(limit: b.count, place: .root, depth: 0), offset: start, length: min(size, available))
    if size < 8 {
      fault(start, "size >= 8", "\(size)", "part 2 §2.3.1")
      return .lost
    }
    if size > Int(limits.frameSize) {
      fault(start, "size <= \(limits.frameSize)", "\(size)", "part 2 §2.4.1")
      return .lost
    }
    if available < size { return .incomplete }
    let end = start + size
    let doff = b[start + 4]
    let type = b[start + 5]
    nodes[0].value = UInt64(b.u16(start + 6)) | UInt64(type) << 16 | UInt64(doff) << 24
    if doff < 2 {
      fault(start + 4, "doff >= 2", "\(doff)", "part 2 §2.3.1")
      rest(start + 8, end)
    } else if Int(doff) * 4 > size {
      fault(start + 4, "doff <= \(size / 4)", "\(doff)", "part 2 §2.3.1")
      rest(start + 8, end)
    } else if type > 1 {
      fault(start + 5, "frame type 0 (AMQP) or 1 (SASL)", hex(UInt64(type)), "part 2 §2.3.1")
      rest(start + Int(doff) * 4, end)
    } else {
      nodes[0].content = UInt32(start + Int(doff) * 4)
      body(b, from: start + Int(doff) * 4, to: end, sasl: type == 1, payload: payload)
    }
    nodes[0].next = UInt32(nodes.count)
    return .frame(end: end)
  }

  /// What is wrong with a frame at `start` of which `frame` says that it is incomplete, when nothing more will come.
  package static func truncation(_ b: Span<UInt8>, at start: Int) -> Problem {
    let left = b.count - start
    if left < 4 {
      return Problem(
        severity: .malformed, offset: start, expected: "4 octets of frame size", got: "\(left) (frame truncated)",
        section: "part 2 §2.3.1")
    }
    return Problem(
      severity: .malformed, offset: start, expected: "size <= \(left) available",
      got: "\(b.u32(start)) (frame truncated)", section: "part 2 §2.3.1")
  }

  private mutating func body(_ b: Span<UInt8>, from start: Int, to end: Int, sasl: Bool, payload: Payload) {
    if start == end {
      if sasl { fault(start, "SASL performative", "empty frame", "part 5 §5.3.1") }
      return
    }
    guard b[start] == 0 else {
      fault(start, "a described performative (0x00)", hex(UInt64(b[start])), "part 2 §2.3.2")
      return rest(start, end)
    }
    let index = nodes.count
    expectation = sasl ? .saslPerformative : .performative
    expectedAt = index
    guard let after = parse(b, at: start, slot: Slot(limit: end, place: .performative, depth: 1)) else {
      return rest(problems.last?.offset ?? start, end)
    }
    if !sasl && code(of: index) == Code.transfer {
      let partial = readTransfer(index)
      if after == end { return }
      if payload == .message && !partial {
        sections(b, from: after, to: end, depth: 1)
      } else {
        add(.opaque, Slot(limit: end, place: .payload, depth: 1), offset: after, length: end - after)
      }
    } else if after < end {
      fault(after, "end of frame at \(hex(UInt64(end)))", "\(end - after) trailing octet(s)", "part 2 §2.3.2")
      rest(after, end)
    }
  }

  /// Looks at the transfer at `index`: whether it says that its message goes on in another frame (or is given up).
  private mutating func readTransfer(_ index: Int) -> Bool {
    guard let list = child(of: index, field: nil) else { return false }
    var partial = false
    var i = list + 1
    let end = Int(nodes[list].next)
    var longTag: Node?
    while i < end {
      let n = nodes[i]
      switch n.field {
      case 2: if n.kind == .scalar && n.value > 32 { longTag = n }
      case 5, 9: if n.kind == .scalar && n.value == 1 && !n.isNull { partial = true }
      default: break
      }
      i = Int(n.next)
    }
    if let tag = longTag {
      warn(
        Int(tag.offset), "at most 32 octets", "delivery-tag longer than 32 (\(tag.value))", "part 2 §2.8.7", depth: 2)
    }
    return partial
  }

  // MARK: Messages, part 3 §3.2

  /// Reads the sections of a bare message, or of what a transfer carried, in `range`.
  package mutating func message(_ b: Span<UInt8>, in range: Range<Int>) {
    reset()
    sections(b, from: range.lowerBound, to: range.upperBound, depth: 0)
  }

  private mutating func sections(_ b: Span<UInt8>, from start: Int, to end: Int, depth: UInt8) {
    var at = start
    var last: UInt64 = 0
    var count = 0
    while at < end {
      count += 1
      if count > limits.sections {
        fault(at, "at most \(limits.sections) sections", "more", "part 3 §3.2")
        return rest(at, end)
      }
      if b[at] != 0 {
        fault(at, "a described section (0x00)", hex(UInt64(b[at])), "part 3 §3.2")
        return rest(at, end)
      }
      let index = nodes.count
      guard let after = parse(b, at: at, slot: Slot(limit: end, place: .section, depth: depth)) else {
        return rest(problems.last?.offset ?? at, end)
      }
      let code = code(of: index)
      if code >= Code.header && code <= Code.footer {
        // Data and sequence may repeat; everything else stands once, in the order of the codes.
        let repeats = code == last && (code == Code.data || code == Code.amqpSequence)
        let secondBody = last >= Code.data && last <= Code.amqpValue && code >= Code.data && code <= Code.amqpValue
        if (code < last || secondBody) && !repeats {
          warn(at, "sections in order, one body", "section \(hex(code)) out of order", "part 3 §3.2", depth: depth)
        } else if code == last && !repeats {
          warn(at, "one section \(hex(code))", "a second", "part 3 §3.2", depth: depth)
        }
        last = max(last, code)
      } else {
        let name = descriptorText(b, index)
        warn(at, "a message section", "unknown section \(name)", "part 3 §3.2", depth: depth)
      }
      at = after
    }
  }

  // MARK: Values, part 1 §1.6

  /// Adds the picture of the one value at `start`. Returns where it ends, or nil after a fault that hides the end.
  @discardableResult
  package mutating func value(_ b: Span<UInt8>, at start: Int, limit: Int) -> Int? {
    parse(b, at: start, slot: Slot(limit: limit, place: .root, depth: 0))
  }
}

/// "0x0d", "0x468c00000004"
func hex(_ v: UInt64) -> String {
  let digits = String(v, radix: 16)
  return "0x" + (digits.count % 2 == 0 ? "" : "0") + digits
}
