/// Reads the type system of part 1 §1.6: the loop over the values, scalars, and the heads of compounds.
import Bytes

extension Dissector {
  /// Where a value stands: what bounds it and what is known of it before its constructor.
  struct Slot {
    var limit: Int
    var place: Node.Place
    var depth: UInt8
    /// The constructor that the elements of an array share; 0, which none can be, otherwise.
    var shared: UInt8 = 0
    /// The row that says what may stand here, or `unknown`.
    var row = CompositeSpec.unknown
    /// The number among the items above.
    var field: UInt16 = 0
  }

  /// A compound whose items are being read.
  struct Level: Sendable {
    var node: Int
    /// Where the content ends; for a described value the bound of whatever surrounds it.
    var end: Int
    var remaining: UInt32
    var count: UInt32
    var kind: Node.Kind
    /// How deep the items stand.
    var depth: UInt8
    /// The constructor that all elements of an array share.
    var element: UInt8 = 0
    /// The row whose fields the items are, or `unknown`.
    var row = CompositeSpec.unknown
    /// One bit for each field that is not null.
    var seen: UInt32 = 0
    /// How many of the items the row has fields for.
    var named: UInt32 = 0
  }

  mutating func parse(_ b: Span<UInt8>, at start: Int, slot: Slot) -> Int? {
    let base = stack.count
    guard var at = one(b, at: start, slot) else { return abandon(base) }
    // The innermost level is worked on here, and written back only when a compound comes on top of it.
    while stack.count > base {
      let top = stack.count - 1
      var level = stack[top]
      while level.remaining > 0 {
        let number = level.count - level.remaining
        level.remaining -= 1
        var slot = Slot(
          limit: level.end, place: .item, depth: level.depth, field: UInt16(truncatingIfNeeded: number))
        switch level.kind {
        case .list:
          if number < level.named {
            slot.place = .field
            slot.row = level.row
            // The next item's constructor tells null from a value; reading it may fault, which ends the list anyway.
            if at < level.end && b[at] != 0x40 { level.seen |= 1 << number }
          }
        case .described:
          if number == 0 {
            slot.place = .descriptor
          } else {
            slot.place = .described
            guard resolve(b, level.node) else { return abandon(base) }
            slot.row = nodes[level.node].row
          }
        case .map:
          slot.place = number % 2 == 0 ? .key : .entry
          slot.field = UInt16(truncatingIfNeeded: number / 2)
        case .array:
          slot.place = .element
          slot.shared = level.element
        case .frame, .scalar, .opaque, .problem: break
        }
        guard let after = one(b, at: at, slot) else { return abandon(base) }
        at = after
        if stack.count > top + 1 { break }
      }
      if stack.count > top + 1 {
        stack[top] = level
      } else if !close(b, level, at: at) {
        return abandon(base)
      }
    }
    return at
  }

  /// Ends the picture at a fault: what is open ends here.
  mutating func abandon(_ base: Int) -> Int? {
    let end = problems.last?.offset ?? 0
    while stack.count > base {
      let node = stack.removeLast().node
      nodes[node].next = UInt32(nodes.count)
      if nodes[node].kind == .described { nodes[node].length = UInt32(max(end - Int(nodes[node].offset), 1)) }
    }
    return nil
  }

  /// Ends the innermost compound, whose items have all been read.
  private mutating func close(_ b: Span<UInt8>, _ level: Level, at: Int) -> Bool {
    stack.removeLast()
    nodes[level.node].next = UInt32(nodes.count)
    if level.kind == .described {
      nodes[level.node].length = UInt32(at) - nodes[level.node].offset
      return true
    }
    if at != level.end {
      fault(
        at, "items to fill the size, up to \(hex(UInt64(level.end)))", "\(level.end - at) octet(s) left over",
        "part 1 §1.6.22")
      return false
    }
    if level.kind == .list && level.row != CompositeSpec.unknown {
      return checkMandatory(level.row, seen: level.seen, at: Int(nodes[level.node].offset))
    }
    if level.kind == .map && level.count > 0 {
      if level.count > 2 { checkKeys(b, level.node, count: level.count) }
      checkEntries(level.node)
    }
    return true
  }

  /// Reads one constructor and what follows up to the first item: a scalar whole, of a compound its head.
  /// Returns where to go on, or nil after a fault.
  private mutating func one(_ b: Span<UInt8>, at start: Int, _ slot: Slot) -> Int? {
    var at = start
    var code = slot.shared
    if code == 0 {
      if at >= slot.limit { return fault(at, "a constructor", "the end", "part 1 §1.2") }
      code = b[at]
      at += 1
    }
    if nodes.count >= limits.values { return fault(start, "at most \(limits.values) values", "more", "our limit") }
    if slot.depth > limits.depth { return deeper(b, start, slot) }
    if code == 0 { return described(start, slot) }
    guard let type = Primitive.of(code) else {
      return fault(start, "a format code", hex(UInt64(code)) + undefined(code), "part 1 §1.6")
    }
    if slot.row != CompositeSpec.unknown && !admit(TypeSet(type), slot, start, code) { return nil }
    let left = slot.limit - at
    let width: Int
    let value: UInt64
    switch code >> 4 {
    case 4:
      if code == 0x45 { return emptyList(start, at, slot) }
      (width, value) = (0, code == 0x41 ? 1 : 0)
    case 5:
      if left < 1 { return short(at, 1, left, type) }
      let octet = b[at]
      let negative = (code == 0x51 || code == 0x54 || code == 0x55) && octet >= 0x80
      (width, value) = (1, negative ? UInt64(octet) | ~0xff : UInt64(octet))
    case 6:
      if left < 2 { return short(at, 2, left, type) }
      let number = b.u16(at)
      (width, value) = (2, code == 0x61 ? signed(Int64(Int16(bitPattern: number))) : UInt64(number))
    case 7:
      if left < 4 { return short(at, 4, left, type) }
      let number = b.u32(at)
      (width, value) = (4, code == 0x71 ? signed(Int64(Int32(bitPattern: number))) : UInt64(number))
    case 8:
      if left < 8 { return short(at, 8, left, type) }
      (width, value) = (8, b.u64(at))
    case 9:
      if left < 16 { return short(at, 16, left, type) }
      (width, value) = (16, 16)
    case 10:
      if left < 1 { return short(at, 1, left, type) }
      return variable(b, start, at + 1, Int(b[at]), left - 1, code, slot)
    case 11:
      if left < 4 { return short(at, 4, left, type) }
      return variable(b, start, at + 4, Int(b.u32(at)), left - 4, code, slot)
    default:
      return compound(b, start, at, left, code, type, slot)
    }
    add(.scalar, slot, offset: start, length: at - start + width, content: at, code: code, value: value)
    if code == 0x56 && value > 1 {
      guard defect(at, "boolean octet 0 or 1", "\(value)", "part 1 §1.6.2") else { return nil }
    } else if code == 0x73 && Unicode.Scalar(UInt32(truncatingIfNeeded: value)) == nil {
      guard defect(at, "Unicode scalar value", hex(value), "part 1 §1.6.16") else { return nil }
    } else if slot.place == .field && code >> 4 != 4 {
      checkChoice(slot, start, value)
    }
    return at + width
  }

  /// What nests deeper than is followed: for a machine a fault, for whoever looks on a value that is not looked into.
  @inline(never)
  private mutating func deeper(_ b: Span<UInt8>, _ start: Int, _ slot: Slot) -> Int? {
    guard limits.passesOverDeeper, let end = endOfValue(b, start, slot) else {
      return fault(start, "nesting <= \(limits.depth)", "deeper", "our limit")
    }
    var slot = slot
    slot.row = CompositeSpec.unknown
    add(.opaque, slot, offset: start, length: end - start, code: slot.shared == 0 ? b[start] : slot.shared)
    let most = limits.depth
    warn(start, "nesting <= \(most)", "deeper: not looked into", "our limit", depth: slot.depth)
    return end
  }

  /// Where a value ends, whatever is in it; nil when that is not to be told.
  private func endOfValue(_ b: Span<UInt8>, _ start: Int, _ slot: Slot) -> Int? {
    var at = start
    var code = slot.shared
    var left = 1
    while left > 0 {
      if code == 0 {
        if at >= slot.limit { return nil }
        code = b[at]
        at += 1
      }
      left -= 1
      if code == 0 {
        left += 2
        continue
      }
      guard let layout = Constructor.of(code)?.layout else { return nil }
      switch layout {
      case .fixed(let width): at += width
      case .variable(let width), .compound(let width), .array(let width):
        if slot.limit - at < width { return nil }
        at += width + (width == 1 ? Int(b[at]) : Int(b.u32(at)))
      }
      if at > slot.limit { return nil }
      code = 0
    }
    return at
  }

  private mutating func described(_ start: Int, _ slot: Slot) -> Int? {
    if slot.row != CompositeSpec.unknown && !admit(.described, slot, start, 0) { return nil }
    var outside = slot
    outside.row = CompositeSpec.unknown
    let node = add(.described, outside, offset: start, length: 0, content: start + 1)
    stack.append(Level(node: node, end: slot.limit, remaining: 2, count: 2, kind: .described, depth: slot.depth + 1))
    return start + 1
  }

  /// Binary, string, symbol: `left` is what there is after the length.
  private mutating func variable(
    _ b: Span<UInt8>, _ start: Int, _ at: Int, _ length: Int, _ left: Int, _ code: UInt8, _ slot: Slot
  ) -> Int? {
    if length > left {
      return fault(at - (code >> 4 == 10 ? 1 : 4), "length <= \(left)", "\(length)", "part 1 §1.6")
    }
    let end = at + length
    let node = add(
      .scalar, slot, offset: start, length: end - start, content: at, code: code, value: UInt64(length))
    // What is no text must not be shown as text by anyone.
    if code & 15 == 1 {
      if let bad = b.extracting(at..<end).firstInvalidUTF8() {
        nodes[node].kind = .opaque
        guard defect(at + bad, "UTF-8", hex(UInt64(b[at + bad])), "part 1 §1.6.20") else { return nil }
      }
    } else if code & 15 == 3 {
      if let bad = b.extracting(at..<end).firstNonASCII() {
        nodes[node].kind = .opaque
        guard defect(at + bad, "ASCII", hex(UInt64(b[at + bad])), "part 1 §1.6.21") else { return nil }
      }
    }
    return end
  }

  private mutating func emptyList(_ start: Int, _ at: Int, _ slot: Slot) -> Int? {
    add(.list, slot, offset: start, length: at - start, content: at, code: 0x45)
    if slot.place == .described && slot.row != CompositeSpec.unknown && rules.rows[Int(slot.row)].fieldCount >= 0 {
      if !checkMandatory(slot.row, seen: 0, at: start) { return nil }
    }
    return at
  }

  /// The head of a list, map or array, part 1 §1.6.22–24. `left` is what there is after the constructor.
  private mutating func compound(
    _ b: Span<UInt8>, _ start: Int, _ begin: Int, _ left: Int, _ code: UInt8, _ type: Primitive, _ slot: Slot
  ) -> Int? {
    let width = code & 0x10 == 0 ? 1 : 4
    if left < width { return fault(begin, "\(width) octet(s) of size", "\(max(left, 0)) left", "part 1 §1.6.22") }
    let size = width == 1 ? Int(b[begin]) : Int(b.u32(begin))
    if size > left - width { return fault(begin, "size <= \(left - width)", "\(size)", "part 1 §1.6.22") }
    if size < width {
      if code == 0xc1 { return emptyMap(start, begin, slot) }
      return fault(begin, "size >= \(width) (covers count)", "\(size)", "part 1 §1.6.22")
    }
    let countAt = begin + width
    let end = countAt + size
    let count = width == 1 ? UInt32(b[countAt]) : b.u32(countAt)
    let at = countAt + width
    if type == .array { return array(b, start, at, end, countAt, count, code, slot) }
    if Int(count) > end - at {
      return fault(countAt, "count <= \(end - at) remaining octets", "\(count)", "part 1 §1.6.22")
    }
    if type == .map && count % 2 != 0 { return fault(countAt, "even map count", "\(count)", "part 1 §1.6.23") }
    let kind = type == .list ? Node.Kind.list : .map
    let node = add(kind, slot, offset: start, length: end - start, content: at, code: code, value: UInt64(count))
    var level = Level(node: node, end: end, remaining: count, count: count, kind: kind, depth: slot.depth + 1)
    if type == .list && slot.place == .described && slot.row != CompositeSpec.unknown {
      let fields = rules.rows[Int(slot.row)].fieldCount
      if fields >= 0 {
        level.row = slot.row
        level.named = min(count, UInt32(fields))
        if count > fields {
          let name = CompositeSpec.all[Int(slot.row)].name
          guard defect(start, "\(name) with <= \(fields) fields", "\(count)", "part 1 §1.4") else { return nil }
        }
      }
    }
    stack.append(level)
    return at
  }

  /// `c1 00`: the count is missing, but nothing else it could be. Seen of EventterMQ.
  private mutating func emptyMap(_ start: Int, _ sizeAt: Int, _ slot: Slot) -> Int? {
    add(.map, slot, offset: start, length: sizeAt + 1 - start, content: sizeAt + 1, code: 0xc1)
    let (expected, got) = ("size >= 1 (covers count)", "0 (taken as an empty map)")
    if isStrict {
      guard defect(sizeAt, expected, got, "part 1 §1.6.23") else { return nil }
    } else {
      warn(sizeAt, expected, got, "part 1 §1.6.23", depth: slot.depth)
    }
    return sizeAt + 1
  }

  private mutating func array(
    _ b: Span<UInt8>, _ start: Int, _ begin: Int, _ end: Int, _ countAt: Int, _ count: UInt32, _ code: UInt8,
    _ slot: Slot
  ) -> Int? {
    var at = begin
    let node = add(.array, slot, offset: start, length: end - start, content: at, code: code, value: UInt64(count))
    // On the stack at once, so that a fault in the constructor finds the array open.
    stack.append(Level(node: node, end: end, remaining: 0, count: count, kind: .array, depth: slot.depth + 1))
    // Descriptors in front of the elements' constructor stand once for all of them.
    while at < end && b[at] == 0 {
      let inner = Slot(limit: end, place: .descriptor, depth: slot.depth + 1)
      guard let after = parse(b, at: at + 1, slot: inner) else { return nil }
      at = after
    }
    if at >= end { return fault(at, "an element constructor", "the end of the array", "part 1 §1.6.24") }
    let element = b[at]
    guard let type = Primitive.of(element) else {
      return fault(at, "a format code", hex(UInt64(element)) + undefined(element), "part 1 §1.6")
    }
    if !admitElements(type, slot, at, element) { return nil }
    at += 1
    nodes[node].content = UInt32(at)
    if element >> 4 == 4 {
      if count > limits.zeroWidthElements {
        return fault(
          countAt, "sane count for zero-width elements (<=\(limits.zeroWidthElements))", "\(count)", "part 1 §1.6.24")
      }
      // Nothing remains to be read; `close` sees to it that nothing is left over either.
      return at
    }
    if Int(count) > end - at {
      return fault(countAt, "count <= \(end - at) remaining octets", "\(count)", "part 1 §1.6.24")
    }
    stack[stack.count - 1].remaining = count
    stack[stack.count - 1].element = element
    return at
  }

  @inline(never)
  private mutating func short(_ at: Int, _ width: Int, _ left: Int, _ type: Primitive) -> Int? {
    fault(at, "\(width) octet(s) of \(type.name)", "\(max(left, 0)) left", "part 1 §1.6")
  }

  private func undefined(_ code: UInt8) -> String {
    code < 0x40 ? " (undefined, subcategory width invalid)" : " (undefined)"
  }
}

private func signed(_ v: Int64) -> UInt64 { UInt64(bitPattern: v) }
