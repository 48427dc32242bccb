/// Reads AMQP 1.0 octets into nodes: frames, performatives, messages, single values. It is the one reader of the type
/// system: decode, `--trace`, JSON and the state machine's view of every frame but the two or three hottest come from
/// its list. A fault becomes a problem node at its place and what was read before it stays.
///
/// It works without recursion on the input (a descriptor inside an array's constructor, bounded by the depth limit, is
/// the one exception), reuses its memory from call to call and compares every length with what is left before it goes on.
import Bytes

package struct Dissector: Sendable {
  package private(set) var nodes: [Node] = []
  package private(set) var problems: [Problem] = []
  package var limits = Limits()

  private var stack: [Level] = []
  private var expectation = Expectation.anything

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

  package var isMalformed: Bool { problems.contains { $0.severity == .malformed } }
  package var firstFault: Problem? { problems.first { $0.severity == .malformed } }

  /// Forgets the last picture. Every entry point but `value` and `section` does it by itself.
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
    add(.frame, .root, offset: start, length: min(size, available), content: start)
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
    } else if Int(doff) * 4 > size {
      fault(start + 4, "doff <= \(size / 4)", "\(doff)", "part 2 §2.3.1")
    } else if type > 1 {
      fault(start + 5, "frame type 0 (AMQP) or 1 (SASL)", hex(UInt64(type)), "part 2 §2.3.1")
    } else {
      nodes[0].content = UInt32(start + Int(doff) * 4)
      body(b, from: start + Int(doff) * 4, to: end, sasl: type == 1, payload: payload)
    }
    nodes[0].next = UInt32(nodes.count)
    return .frame(end: end)
  }

  private mutating func body(_ b: Span<UInt8>, from start: Int, to end: Int, sasl: Bool, payload: Payload) {
    if start == end {
      if sasl { fault(start, "SASL performative", "empty frame", "part 5 §5.3.1") }
      return
    }
    expectation = sasl ? .saslPerformative : .performative
    guard b[start] == 0 else {
      fault(start, "a described performative (0x00)", hex(UInt64(b[start])), "part 2 §2.3.2")
      return rest(start, end)
    }
    let index = nodes.count
    guard let after = parse(b, at: start, limit: end, place: .performative, depth: 1) else {
      return rest(problems.last?.offset ?? start, end)
    }
    if nodes[index].row != CompositeSpec.unknown, CompositeSpec.all[Int(nodes[index].row)].code == Code.transfer {
      if after == end { return }
      if payload == .message && !carriesMore(index) {
        sections(b, from: after, to: end, depth: 1)
      } else {
        add(.opaque, .payload, offset: after, length: end - after, content: after, depth: 1)
      }
    } else if after < end {
      fault(after, "end of frame at \(hex(UInt64(after)))", "\(end - after) trailing octet(s)", "part 2 §2.3.2")
      rest(after, end)
    }
  }

  /// Whether the transfer at `index` says that its message goes on in another frame (or is given up).
  private func carriesMore(_ index: Int) -> Bool {
    guard let list = child(of: index, field: nil) else { return false }
    func flag(_ n: UInt16) -> Bool {
      child(of: list, field: n).map { nodes[$0].value == 1 && !nodes[$0].isNull } ?? false
    }
    return flag(5) || flag(9)
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
      expectation = .anything
      guard let after = parse(b, at: at, limit: end, place: .section, depth: depth) else {
        return rest(problems.last?.offset ?? at, end)
      }
      if let row = CompositeSpec.row(nodes[index].row), row.provides == "section", let code = row.code {
        // Data and sequence may repeat; everything else stands once, in the order of the codes.
        let repeats = code == last && (code == Code.data || code == Code.amqpSequence)
        let secondBody = last >= Code.data && last <= Code.amqpValue && code >= Code.data && code <= Code.amqpValue
        if code < last || (secondBody && !repeats) {
          warn(
            at, "sections in order, one body", "\(row.name) (\(hex(code))) out of order", "part 3 §3.2", depth: depth)
        } else if code == last && !repeats {
          warn(at, "one \(row.name) section", "a second", "part 3 §3.2", depth: depth)
        }
        last = max(last, code)
      } else {
        warn(at, "a message section", "unknown section \(descriptorText(b, index))", "part 3 §3.2", depth: depth)
      }
      at = after
    }
  }

  // MARK: Values, part 1 §1.6

  /// Adds the picture of the one value at `start`. Returns where it ends, or nil after a fault.
  @discardableResult
  package mutating func value(_ b: Span<UInt8>, at start: Int, limit: Int) -> Int? {
    expectation = .anything
    return parse(b, at: start, limit: limit, place: .root, depth: 0)
  }

  private enum Expectation: Sendable { case anything, performative, saslPerformative }

  private struct Level {
    var node: Int
    /// Where the content ends; for a described value the bound of whatever surrounds it.
    var end: Int
    var remaining: UInt32
    var count: UInt32
    var kind: Node.Kind
    /// The constructor that all elements of an array share.
    var element: UInt8
    /// The row whose fields the items are, or `unknown`.
    var row: UInt16
    var seen: UInt32
  }

  private mutating func parse(
    _ b: Span<UInt8>, at start: Int, limit: Int, place: Node.Place, depth: UInt8
  ) -> Int? {
    let base = stack.count
    var at = start
    guard
      let first = one(
        b, at: at, limit: limit, shared: nil, place: place, row: CompositeSpec.unknown, field: 0, depth: depth)
    else { return abandon(base) }
    at = first
    while stack.count > base {
      let top = stack.count - 1
      if stack[top].remaining == 0 {
        guard close(b, at: at) else { return abandon(base) }
        continue
      }
      let level = stack[top]
      stack[top].remaining -= 1
      let number = level.count - level.remaining
      var childPlace = Node.Place.item
      var row = CompositeSpec.unknown
      var shared: UInt8?
      switch level.kind {
      case .described:
        childPlace = number == 0 ? .descriptor : .described
        if number == 1 {
          guard resolve(b, level.node) else { return abandon(base) }
          row = nodes[level.node].row
        }
      case .list:
        if level.row != CompositeSpec.unknown {
          childPlace = .field
          row = level.row
        }
      case .map: childPlace = number % 2 == 0 ? .key : .entry
      case .array:
        childPlace = .element
        shared = level.element
      case .frame, .scalar, .opaque, .problem: break
      }
      let index = nodes.count
      guard
        let after = one(
          b, at: at, limit: level.end, shared: shared, place: childPlace, row: row,
          field: UInt16(truncatingIfNeeded: level.kind == .map ? number / 2 : number),
          depth: nodes[level.node].depth + 1)
      else { return abandon(base) }
      if childPlace == .field && !nodes[index].isNull { stack[top].seen |= 1 << UInt32(number & 31) }
      at = after
    }
    return at
  }

  /// Ends the picture at a fault: what is open ends here.
  private mutating func abandon(_ base: Int) -> Int? {
    while stack.count > base {
      let level = stack.removeLast()
      nodes[level.node].next = UInt32(nodes.count)
    }
    return nil
  }

  /// Ends the innermost compound, whose items have all been read.
  private mutating func close(_ b: Span<UInt8>, at: Int) -> Bool {
    let level = stack.removeLast()
    if level.kind == .described {
      nodes[level.node].length = UInt32(at) - nodes[level.node].offset
    } else if at != level.end {
      nodes[level.node].next = UInt32(nodes.count)
      fault(
        at, "items to fill the size, up to \(hex(UInt64(level.end)))", "\(level.end - at) octet(s) left over",
        "part 1 §1.6.22")
      return false
    }
    nodes[level.node].next = UInt32(nodes.count)
    if level.kind == .list && level.row != CompositeSpec.unknown {
      return checkMandatory(level.row, seen: level.seen, at: Int(nodes[level.node].offset))
    }
    if level.kind == .map && level.count > 2 { checkKeys(b, level.node) }
    return true
  }

  private mutating func checkMandatory(_ index: UInt16, seen: UInt32, at offset: Int) -> Bool {
    let row = CompositeSpec.all[Int(index)]
    let missing = row.mandatory & ~seen
    if missing == 0 { return true }
    let field = row.fields![missing.trailingZeroBitCount]
    fault(offset, "mandatory \(row.name).\(field.name)", "null", "part 1 §1.4")
    return false
  }

  /// Reads one constructor and what follows up to the first item: a scalar whole, of a compound its head.
  /// Returns where to go on, or nil after a fault.
  private mutating func one(
    _ b: Span<UInt8>, at start: Int, limit: Int, shared: UInt8?, place: Node.Place, row: UInt16, field: UInt16,
    depth: UInt8
  ) -> Int? {
    var at = start
    let code: UInt8
    if let shared {
      code = shared
    } else {
      if at >= limit { return fault(at, "a constructor", "the end", "part 1 §1.2") }
      code = b[at]
      at += 1
    }
    if nodes.count >= limits.values { return fault(start, "at most \(limits.values) values", "more", "our limit") }
    if depth > limits.depth { return fault(start, "nesting <= \(limits.depth)", "deeper", "our limit") }
    if code == 0 {
      if row != CompositeSpec.unknown && !admitsDescribed(row, place, field) {
        return fault(start, expectedText(row, place, field), "a described value", "part 1 §1.3")
      }
      // The length as far as it is known: the end comes with the value.
      let node = add(
        .described, place, offset: start, length: at - start, content: at, depth: depth, row: CompositeSpec.unknown,
        field: field
      )
      stack.append(
        Level(
          node: node, end: limit, remaining: 2, count: 2, kind: .described, element: 0, row: CompositeSpec.unknown,
          seen: 0))
      return at
    }
    let type = Primitive.of(code)
    guard let type else { return fault(start, "a format code", hex(UInt64(code)) + undefined(code), "part 1 §1.6") }
    if row != CompositeSpec.unknown && !admits(row, place, field, code, type) {
      return fault(start, expectedText(row, place, field), "format \(hex(UInt64(code)))", "part 1 §1.3")
    }
    let left = limit - at
    switch code >> 4 {
    case 4, 5, 6, 7, 8, 9:
      let width = code >> 4 == 4 ? 0 : 1 << (Int(code >> 4) - 5)
      if left < width { return fault(at, "\(width) octet(s) of \(type.name)", "\(max(left, 0)) left", "part 1 §1.6") }
      if type == .list { return emptyList(start, at, place, row, field, depth) }
      var value: UInt64 = 0
      switch width {
      case 0: value = code == 0x41 ? 1 : 0
      case 1:
        value = code == 0x51 || code == 0x54 || code == 0x55 ? signed(Int64(Int8(bitPattern: b[at]))) : UInt64(b[at])
      case 2: value = code == 0x61 ? signed(Int64(Int16(bitPattern: b.u16(at)))) : UInt64(b.u16(at))
      case 4: value = code == 0x71 ? signed(Int64(Int32(bitPattern: b.u32(at)))) : UInt64(b.u32(at))
      case 8: value = b.u64(at)
      default: value = 16
      }
      if code == 0x56 && value > 1 { return fault(at, "boolean octet 0 or 1", "\(value)", "part 1 §1.6.2") }
      if code == 0x73 && Unicode.Scalar(UInt32(value)) == nil {
        return fault(at, "Unicode scalar value", hex(value), "part 1 §1.6.16")
      }
      add(
        .scalar, place, offset: start, length: at - start + width, content: at, depth: depth, row: row, field: field,
        code: code, value: value)
      return at + width
    case 10, 11:
      let prefix = code >> 4 == 10 ? 1 : 4
      if left < prefix { return fault(at, "\(prefix) octet(s) of length", "\(max(left, 0)) left", "part 1 §1.6") }
      let length = prefix == 1 ? Int(b[at]) : Int(b.u32(at))
      if length > left - prefix { return fault(at, "length <= \(left - prefix)", "\(length)", "part 1 §1.6") }
      at += prefix
      if type == .string {
        if let bad = b.extracting(at..<at + length).firstInvalidUTF8() {
          return fault(at + bad, "UTF-8", hex(UInt64(b[at + bad])), "part 1 §1.6.20")
        }
      } else if type == .symbol {
        for i in at..<at + length where b[i] >= 0x80 {
          return fault(i, "ASCII", hex(UInt64(b[i])), "part 1 §1.6.21")
        }
      }
      add(
        .scalar, place, offset: start, length: at - start + length, content: at, depth: depth, row: row, field: field,
        code: code, value: UInt64(length))
      return at + length
    default:
      return compound(b, start, at, limit, code, type, place, row, field, depth)
    }
  }

  private mutating func emptyList(
    _ start: Int, _ at: Int, _ place: Node.Place, _ row: UInt16, _ field: UInt16, _ depth: UInt8
  ) -> Int? {
    add(.list, place, offset: start, length: at - start, content: at, depth: depth, row: row, field: field, code: 0x45)
    if place == .described && row != CompositeSpec.unknown && CompositeSpec.all[Int(row)].fields != nil {
      if !checkMandatory(row, seen: 0, at: start) { return nil }
    }
    return at
  }

  /// The head of a list, map or array, part 1 §1.6.22–24.
  private mutating func compound(
    _ b: Span<UInt8>, _ start: Int, _ begin: Int, _ limit: Int, _ code: UInt8, _ type: Primitive, _ place: Node.Place,
    _ row: UInt16, _ field: UInt16, _ depth: UInt8
  ) -> Int? {
    var at = begin
    let width = code >> 4 == 12 || code >> 4 == 14 ? 1 : 4
    let left = limit - at
    if left < width { return fault(at, "\(width) octet(s) of size", "\(max(left, 0)) left", "part 1 §1.6.22") }
    let size = width == 1 ? Int(b[at]) : Int(b.u32(at))
    if size > left - width { return fault(at, "size <= \(left - width)", "\(size)", "part 1 §1.6.22") }
    if size < width { return fault(at, "size >= \(width) (covers count)", "\(size)", "part 1 §1.6.22") }
    at += width
    let end = at + size
    let countAt = at
    let count = width == 1 ? UInt32(b[at]) : b.u32(at)
    at += width
    if type == .array { return array(b, start, at, end, countAt, count, code, place, row, field, depth) }
    if Int(count) > end - at {
      return fault(countAt, "count <= \(end - at) remaining octets", "\(count)", "part 1 §1.6.22")
    }
    if type == .map && count % 2 != 0 { return fault(countAt, "even map count", "\(count)", "part 1 §1.6.23") }
    var items = CompositeSpec.unknown
    if type == .list, place == .described, row != CompositeSpec.unknown, let fields = CompositeSpec.all[Int(row)].fields
    {
      if Int(count) > fields.count {
        let name = CompositeSpec.all[Int(row)].name
        return fault(start, "\(name) with <= \(fields.count) fields", "\(count)", "part 1 §1.4")
      }
      items = row
    }
    let node = add(
      type == .list ? .list : .map, place, offset: start, length: end - start, content: at, depth: depth, row: row,
      field: field,
      code: code, value: UInt64(count))
    stack.append(
      Level(
        node: node, end: end, remaining: count, count: count, kind: type == .list ? .list : .map, element: 0,
        row: items, seen: 0))
    return at
  }

  private mutating func array(
    _ b: Span<UInt8>, _ start: Int, _ begin: Int, _ end: Int, _ countAt: Int, _ count: UInt32, _ code: UInt8,
    _ place: Node.Place, _ row: UInt16, _ field: UInt16, _ depth: UInt8
  ) -> Int? {
    var at = begin
    let node = add(
      .array, place, offset: start, length: end - start, content: at, depth: depth, row: row, field: field, code: code,
      value: UInt64(count))
    // Descriptors in front of the elements' constructor stand once for all of them.
    while at < end && b[at] == 0 {
      if depth >= limits.depth { return fault(at, "nesting <= \(limits.depth)", "deeper", "our limit") }
      guard let after = parse(b, at: at + 1, limit: end, place: .descriptor, depth: depth + 1) else { return nil }
      at = after
    }
    if at >= end { return fault(at, "an element constructor", "the end of the array", "part 1 §1.6.24") }
    let element = b[at]
    guard let type = Primitive.of(element) else {
      return fault(at, "a format code", hex(UInt64(element)) + undefined(element), "part 1 §1.6")
    }
    if row != CompositeSpec.unknown, place == .field, let spec = CompositeSpec.all[Int(row)].fields?[Int(field)],
      spec.primitive != .any && spec.primitive != type
    {
      return fault(
        at, "\(CompositeSpec.all[Int(row)].name).\(spec.name): array of \(spec.type.rawValue)",
        "format \(hex(UInt64(element)))", "part 1 §1.4")
    }
    at += 1
    nodes[node].content = UInt32(at)
    if element >> 4 == 4 {
      if count > limits.zeroWidthElements {
        return fault(
          countAt, "sane count for zero-width elements (<= \(limits.zeroWidthElements))", "\(count)", "part 1 §1.6.24")
      }
      if at != end { return fault(at, "the end of the array", "\(end - at) octet(s) left over", "part 1 §1.6.24") }
      nodes[node].next = UInt32(nodes.count)
      return at
    }
    if Int(count) > end - at {
      return fault(countAt, "count <= \(end - at) remaining octets", "\(count)", "part 1 §1.6.24")
    }
    stack.append(
      Level(
        node: node, end: end, remaining: count, count: count, kind: .array, element: element,
        row: CompositeSpec.unknown, seen: 0))
    return at
  }

  // MARK: What a row demands

  /// Called between descriptor and value: finds the row of the descriptor and holds it against what may stand here.
  private mutating func resolve(_ b: Span<UInt8>, _ index: Int) -> Bool {
    let descriptor = nodes[index + 1]
    var row = CompositeSpec.unknown
    if descriptor.kind == .scalar {
      switch Primitive.of(descriptor.constructor) {
      case .ulong: row = CompositeSpec.index(code: descriptor.value)
      case .symbol: row = CompositeSpec.index(symbol: b.extracting(descriptor.contentRange).text)
      default: break
      }
    }
    nodes[index].row = row
    let wanted = expectation
    expectation = .anything
    let code = row == CompositeSpec.unknown ? nil : CompositeSpec.all[Int(row)].code
    switch wanted {
    case .anything: return true
    case .performative:
      if let code, code >= 0x10 && code <= 0x18 { return true }
      let sasl = code.map { $0 >= 0x40 && $0 <= 0x44 } ?? false
      fault(
        Int(descriptor.offset), "AMQP performative 0x10..0x18",
        descriptorText(b, index) + (sasl ? " (SASL performative in type-0 frame)" : ""), "part 2 §2.7")
    case .saslPerformative:
      if let code, code >= 0x40 && code <= 0x44 { return true }
      let amqp = code.map { $0 >= 0x10 && $0 <= 0x18 } ?? false
      fault(
        Int(descriptor.offset), "SASL performative 0x40..0x44",
        descriptorText(b, index) + (amqp ? " (AMQP performative in type-1 frame)" : ""), "part 5 §5.3.3")
    }
    return false
  }

  /// Whether a value of this type may stand at this place of this row.
  private func admits(_ row: UInt16, _ place: Node.Place, _ field: UInt16, _ code: UInt8, _ type: Primitive) -> Bool {
    let spec = CompositeSpec.all[Int(row)]
    if place == .described { return spec.source == .any || spec.source == type }
    guard place == .field, let fields = spec.fields else { return true }
    let wanted = fields[Int(field)]
    if type == .null || wanted.primitive == .any || wanted.primitive == type { return true }
    // A list where an array of symbols is due has been seen on the wire.
    return wanted.multiple && (type == .array || type == .list)
  }

  /// Whether the row lets a described value stand here; which ones, it doesn't say.
  private func admitsDescribed(_ row: UInt16, _ place: Node.Place, _ field: UInt16) -> Bool {
    let spec = CompositeSpec.all[Int(row)]
    if place == .described { return spec.source == .any }
    guard place == .field, let fields = spec.fields else { return true }
    return fields[Int(field)].primitive == .any
  }

  private func expectedText(_ row: UInt16, _ place: Node.Place, _ field: UInt16) -> String {
    let spec = CompositeSpec.all[Int(row)]
    if place == .field, let wanted = spec.fields?[Int(field)] {
      return "\(spec.name).\(wanted.name): \(wanted.type.rawValue)"
    }
    return "\(spec.name): \(spec.source.name)"
  }

  /// Keys must differ, part 1 §1.6.23.
  private mutating func checkKeys(_ b: Span<UInt8>, _ map: Int) {
    var seen: Set<[UInt8]> = []
    var i = map + 1
    let end = Int(nodes[map].next)
    while i < end {
      let key = nodes[i]
      // Same type and same content are the same key, whatever the width of the encoding.
      var content = b.extracting(key.contentRange).array
      content.append(Primitive.of(key.constructor)?.rawValue ?? 255)
      if key.kind == .scalar && !seen.insert(content).inserted {
        warn(Int(key.offset), "different map keys", "duplicate map key", "part 1 §1.6.23", depth: key.depth, at: i)
        return
      }
      i = Int(key.next)
      if i < end { i = Int(nodes[i].next) }
    }
  }

  // MARK: Nodes

  @discardableResult
  private mutating func add(
    _ kind: Node.Kind, _ place: Node.Place, offset: Int, length: Int, content: Int, depth: UInt8 = 0,
    row: UInt16 = CompositeSpec.unknown, field: UInt16 = 0, code: UInt8 = 0, value: UInt64 = 0
  ) -> Int {
    let index = nodes.count
    nodes.append(
      Node(
        kind: kind, place: place, constructor: code, depth: depth, row: row, field: field, offset: UInt32(offset),
        length: UInt32(length), content: UInt32(content), next: UInt32(index + 1), value: value))
    return index
  }

  private mutating func rest(_ from: Int, _ end: Int) {
    if from < end { add(.opaque, .rest, offset: from, length: end - from, content: from, depth: 1) }
  }

  @discardableResult
  private mutating func fault(_ offset: Int, _ expected: String, _ got: String, _ section: String) -> Int? {
    problem(
      Problem(severity: .malformed, offset: offset, expected: expected, got: got, section: section),
      depth: stack.last.map { nodes[$0.node].depth + 1 } ?? 0)
    return nil
  }

  /// A warning stands after the node it is about; in a map the check comes after the entries, so it is only listed.
  private mutating func warn(
    _ offset: Int, _ expected: String, _ got: String, _ section: String, depth: UInt8, at: Int? = nil
  ) {
    problem(Problem(severity: .warning, offset: offset, expected: expected, got: got, section: section), depth: depth)
  }

  private mutating func problem(_ p: Problem, depth: UInt8) {
    // Hostile input must not turn into a list of complaints longer than itself.
    if problems.count >= 64 { return }
    problems.append(p)
    add(
      .problem, .rest, offset: p.offset, length: 0, content: p.offset, depth: depth, value: UInt64(problems.count - 1))
  }

  /// The child of the compound or described node at `index` with this number, or of a described one its value.
  package func child(of index: Int, field: UInt16?) -> Int? {
    var i = index + 1
    let end = Int(nodes[index].next)
    while i < end {
      if let field {
        if nodes[i].field == field && nodes[i].kind != .problem { return i }
      } else if nodes[i].place == .described {
        return i
      }
      i = Int(nodes[i].next)
    }
    return nil
  }

  private func descriptorText(_ b: Span<UInt8>, _ index: Int) -> String {
    let d = nodes[index + 1]
    if d.kind != .scalar { return "a descriptor that is no number or symbol" }
    if Primitive.of(d.constructor) == .ulong { return hex(d.value) }
    return b.extracting(d.contentRange).text
  }

  private func undefined(_ code: UInt8) -> String {
    code < 0x40 ? " (undefined, subcategory width invalid)" : " (undefined)"
  }
}

private func signed(_ v: Int64) -> UInt64 { UInt64(bitPattern: v) }

/// "0x0d", "0x468c00000004"
func hex(_ v: UInt64) -> String {
  let digits = String(v, radix: 16)
  return "0x" + (digits.count % 2 == 0 ? "" : "0") + digits
}
