/// Reads the octets of 0-9-1 into nodes: frames, methods, content headers. Tables are in Dissector+Tables091, what the
/// nodes look like in Dissector+Nodes091. The size of a frame and of a table is believed before its end is checked, so that a
/// fault in one leaves what follows it readable.
import Bytes

extension Dissector {
  /// Reads the frame that starts at `start`.
  package mutating func frame091(_ b: Span<UInt8>, at start: Int) -> FrameResult {
    reset()
    let available = b.count - start
    if available < Frame091.headSize { return .incomplete }
    let size = Int(b.u32(start + 3))
    let type = FrameType091(rawValue: b[start])
    add(
      .frame, Slot(limit: b.count, place: .root, depth: 0, row: Node.frame091), offset: start,
      length: min(size + Frame091.overhead, available), content: start + Frame091.headSize,
      value: UInt64(b.u16(start + 1)) | UInt64(b[start]) << 16)
    // 4 to 7 were frame types once, and may be stepped over.
    if b[start] == 0 || b[start] > 8 || size + Frame091.overhead > Int(limits.frameSize) {
      let head = Frame091.headFault(b, at: start, largest: limits.frameSize)
      fault(head.offset, head.expected, head.got, head.section)
      return .lost
    }
    if available < size + Frame091.overhead { return .incomplete }
    let payload = start + Frame091.headSize..<start + Frame091.headSize + size
    checkChannel(b, start, type)
    switch type {
    case .method: method(b, payload, depth: 1)
    case .header: contentHeader(b, payload, depth: 1)
    case .body:
      if size > 0 {
        add(
          .opaque, Slot(limit: payload.upperBound, place: .payload, depth: 1, row: Node.frame091),
          offset: payload.lowerBound, length: size)
      }
    case .heartbeat:
      if size > 0 {
        warn(payload.lowerBound, "an empty heartbeat", "a payload of \(size) octet(s)", "0-9-1 §4.2.7", depth: 1)
        rest(payload.lowerBound, payload.upperBound)
      }
    case nil:
      let head = Frame091.headFault(b, at: start, largest: limits.frameSize)
      fault(head.offset, head.expected, head.got, head.section)
      rest(payload.lowerBound, payload.upperBound)
    }
    if b[payload.upperBound] != Frame091.endOctet {
      let end = Frame091.endFault(b, at: payload.upperBound)
      fault(end.offset, end.expected, end.got, end.section)
    }
    nodes[0].next = UInt32(nodes.count)
    return .frame(end: payload.upperBound + 1)
  }

  /// What is wrong with a frame at `start` of which `frame091` says that it is incomplete, when nothing more will come.
  package static func truncation091(_ b: Span<UInt8>, at start: Int) -> Problem {
    let left = b.count - start
    if left < Frame091.headSize {
      return Problem(
        severity: .malformed, offset: start, expected: "7 octets of frame head", got: "\(left) (frame truncated)",
        section: "0-9-1 §4.2.3")
    }
    let room = max(left - Frame091.overhead, 0)
    let ended = left > Frame091.overhead && b[b.count - 1] == Frame091.endOctet
    return Problem(
      severity: .malformed, offset: start + 3, expected: "size <= \(room) available",
      got: "\(b.u32(start + 3)) (\(ended ? "frame-end where size \(room) has it" : "frame truncated"))",
      section: "0-9-1 §4.2.3")
  }

  /// Reads a method without the frame around it: class, method and fields.
  package mutating func method091(_ b: Span<UInt8>, in range: Range<Int>) {
    reset()
    method(b, range, depth: 0)
  }

  /// Reads a content header without the frame around it.
  package mutating func contentHeader091(_ b: Span<UInt8>, in range: Range<Int>) {
    reset()
    contentHeader(b, range, depth: 0)
  }

  /// Connections are spoken of on channel 0, and nothing else is.
  private mutating func checkChannel(_ b: Span<UInt8>, _ start: Int, _ type: FrameType091?) {
    let channel = b.u16(start + 1)
    switch type {
    case .method:
      guard b.u32(start + 3) >= 2 else { return }
      let connection = b.u16(start + Frame091.headSize) == UInt16(MethodID.connectionStart >> 16)
      if connection == (channel == 0) { return }
    case .header, .body: if channel != 0 { return }
    case .heartbeat: if channel == 0 { return }
    case nil: return
    }
    warn(
      start + 1, channel == 0 ? "a channel above 0" : "channel 0", "channel \(channel)",
      type == .heartbeat ? "0-9-1 §4.2.7" : "0-9-1 §4.2.3", depth: 1)
  }

  // MARK: Methods, §4.2.4

  private mutating func method(_ b: Span<UInt8>, _ range: Range<Int>, depth: UInt8) {
    let (start, end) = (range.lowerBound, range.upperBound)
    if range.count < 4 {
      let short = MethodRecord.noID(range)
      fault(short.offset, short.expected, short.got, short.section)
      return rest091(start, end, depth)
    }
    let index = MethodSpec.index(b.u32(start))
    if index == MethodSpec.unknown {
      let unknown = MethodRecord.unknown(b.u32(start), at: start)
      fault(unknown.offset, unknown.expected, unknown.got, unknown.section)
      return rest091(start, end, depth)
    }
    let row = MethodRules.shared.rows[Int(index)]
    let node = open(.performative, Node.method091 | index, range, head: 4, count: UInt64(row.count), depth)
    var at = start + 4
    var bit: UInt8 = 8
    var failed = false
    var i = 0
    while i < Int(row.count) {
      let type = MethodRules.shared.types[Int(row.first) + i]
      let slot = Slot(
        limit: end, place: .field, depth: depth + 1, row: Node.method091 | index, field: UInt16(truncatingIfNeeded: i))
      if type == .bit {
        if bit == 8 {
          if at >= end {
            _ = short091(at, 1, type, slot)
            failed = true
            break
          }
          at += 1
          bit = 0
        }
        add(
          .scalar, slot, offset: at - 1, length: 1, code: type.rawValue, value: UInt64(b[at - 1] >> bit & 1))
        bit += 1
      } else {
        spareBits(b, at, bit, depth)
        bit = 8
        guard let after = field(b, at, type, slot) else {
          failed = true
          break
        }
        at = after
      }
      i += 1
    }
    if !failed { spareBits(b, at, bit, depth) }
    if failed { at = reached(node, at) }
    close(node, at: at)
    if failed { return rest091(at, end, depth) }
    if at < end {
      fault(at, "end of \(MethodSpec.all[Int(index)].name)", "\(end - at) trailing octet(s)", "0-9-1 §4.2.4")
      rest091(at, end, depth)
    }
  }

  /// The bits of the octet in front of `at` that no field has, from `bit` on.
  @inline(__always)
  private mutating func spareBits(_ b: Span<UInt8>, _ at: Int, _ bit: UInt8, _ depth: UInt8) {
    if bit < 8 && b[at - 1] >> bit != 0 { oddBits(b, at, bit, depth) }
  }

  @inline(never)
  private mutating func oddBits(_ b: Span<UInt8>, _ at: Int, _ bit: UInt8, _ depth: UInt8) {
    warn(
      at - 1, "\(bit) bit\(bit == 1 ? "" : "s"), the others 0", hex(UInt64(b[at - 1])), "0-9-1 §4.2.5.2",
      depth: depth + 1)
  }

  // MARK: Content headers, §4.2.6.1

  private mutating func contentHeader(_ b: Span<UInt8>, _ range: Range<Int>, depth: UInt8) {
    let end = range.upperBound
    let node = open(.section, Node.header091, range, head: 0, count: 0, depth)
    var at = range.lowerBound
    func slot(_ field: UInt16) -> Slot {
      Slot(limit: end, place: .field, depth: depth + 1, row: Node.header091, field: field)
    }
    var flags: UInt16 = 0
    var read = false
    header: do {
      for (field, type) in [(HeaderField.classID, MethodFieldType.short), (.weight, .short), (.bodySize, .longlong)] {
        guard let after = self.field(b, at, type, slot(field.rawValue)) else { break header }
        if field == .classID && b.u16(at) != UInt16(MethodID.basicClass) {
          fault(at, "class 60 (basic)", "\(b.u16(at))", "0-9-1 §4.2.6.1")
          at = after
          break header
        }
        if field == .weight && b.u16(at) != 0 {
          warn(at, "weight 0", "\(b.u16(at))", "0-9-1 §4.2.6.1", depth: depth + 1)
        }
        at = after
      }
      guard let first = self.flags(b, &at, slot(HeaderField.flags.rawValue)) else { break header }
      flags = first
      for i in 0..<MethodRules.shared.properties.count where flags & 0x8000 >> UInt16(i) != 0 {
        guard let after = self.field(b, at, MethodRules.shared.properties[i], slot(UInt16(i))) else { break header }
        at = after
        nodes[node].value += 1
      }
      read = true
    }
    if !read { at = reached(node, at) }
    close(node, at: at)
    if !read { return rest091(at, end, depth) }
    if at < end {
      // RabbitMQ takes them, and so do we.
      warn(at, "end of the properties", "\(end - at) trailing octet(s)", "0-9-1 §4.2.6.1", depth: depth)
      rest091(at, end, depth)
    }
  }

  /// Reads the flags, sixteen at a time as long as their last bit says so; those of the first sixteen have names.
  private mutating func flags(_ b: Span<UInt8>, _ at: inout Int, _ slot: Slot) -> UInt16? {
    var first: UInt16?
    while true {
      guard let after = field(b, at, .short, slot) else { return nil }
      let word = b.u16(at)
      if first == nil {
        if word & 2 != 0 {
          warn(at, "property flags 0x8000 to 0x0004", "reserved flag 0x0002", "0-9-1 §4.2.6.1", depth: slot.depth)
        }
        first = word
      } else if word & ~1 != 0 {
        guard defect(at, "no property flags after the first 16", hex(UInt64(word)), "0-9-1 §4.2.6.1") else {
          return nil
        }
      }
      at = after
      if word & 1 == 0 { return first }
    }
  }

  /// Begins a method or a content header.
  private mutating func open(
    _ place: Node.Place, _ row: UInt16, _ range: Range<Int>, head: Int, count: UInt64, _ depth: UInt8
  ) -> Int {
    let node = add(
      .list, Slot(limit: range.upperBound, place: place, depth: depth, row: row), offset: range.lowerBound,
      length: range.count, content: range.lowerBound + head, value: count)
    // So that a fault among the fields stands below it.
    stack.append(Level(node: node, end: range.upperBound, remaining: 0, count: 0, kind: .list, depth: depth + 1))
    return node
  }

  private mutating func close(_ node: Int, at: Int) {
    stack.removeLast()
    nodes[node].next = UInt32(nodes.count)
    nodes[node].length = UInt32(at) - nodes[node].offset
  }

  /// How far the fields of a method or header got before a fault; `at` is where the one with the fault starts.
  private func reached(_ node: Int, _ at: Int) -> Int {
    var at = at
    var i = node + 1
    while i < nodes.count {
      if nodes[i].kind != .problem { at = max(at, nodes[i].range.upperBound) }
      i = max(Int(nodes[i].next), i + 1)
    }
    return at
  }

  private mutating func rest091(_ from: Int, _ end: Int, _ depth: UInt8) {
    if from < end { add(.opaque, Slot(limit: end, place: .rest, depth: depth), offset: from, length: end - from) }
  }
}
