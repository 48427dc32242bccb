/// Reads field tables of 0-9-1, §4.2.5.5, without recursion. Every table and array says how long it is, so that after a
/// fault in one reading goes on behind it.
import Bytes

extension Dissector {
  /// Reads the table of `length` octets behind its length at `start`, which fits. Returns where it ends, or nil when
  /// there are more problems than anybody wants to know.
  mutating func table(_ b: Span<UInt8>, _ start: Int, _ length: Int, _ slot: Slot) -> Int? {
    let base = stack.count
    let row = Node.table091 | (tableDialect == .rabbitMQ ? 0 : 1)
    openTable(.map, slot, start, start + 4, length, code: MethodFieldType.table.rawValue)
    var at = start + 4
    while stack.count > base {
      let top = stack.count - 1
      let level = stack[top]
      if at == level.end {
        closeTable(b)
        continue
      }
      var slot = Slot(
        limit: level.end, place: .item, depth: level.depth, row: row, field: UInt16(truncatingIfNeeded: level.count))
      stack[top].count += 1
      nodes[level.node].value += 1
      var valueAt = at
      var after: Int?
      if level.kind == .map {
        slot.place = .key
        if let letter = shortString(b, at, slot) {
          valueAt = letter
          slot.place = .entry
          after = self.value(b, letter, slot, base)
        }
      } else {
        after = self.value(b, at, slot, base)
      }
      if let after {
        at = after
      } else {
        if problems.count >= Dissector.maximumProblems || nodes.count >= limits.values { return abandon(base) }
        add(
          .opaque, Slot(limit: level.end, place: .rest, depth: level.depth), offset: valueAt,
          length: level.end - valueAt)
        at = level.end
      }
    }
    return at
  }

  private mutating func openTable(
    _ kind: Node.Kind, _ slot: Slot, _ start: Int, _ content: Int, _ length: Int, code: UInt8
  ) {
    let node = add(
      kind, slot, offset: start, length: content - start + length, content: content, code: code)
    stack.append(
      Level(node: node, end: content + length, remaining: 0, count: 0, kind: kind, depth: slot.depth + 1))
  }

  private mutating func closeTable(_ b: Span<UInt8>) {
    let level = stack.removeLast()
    nodes[level.node].next = UInt32(nodes.count)
    if level.kind == .map && level.count > 1 {
      checkKeys(b, level.node, count: level.count * 2, section: "0-9-1 §4.2.5.5")
    }
  }

  /// Reads a letter and its value; of a table or an array only the head. Returns where to go on, or nil after a fault.
  private mutating func value(_ b: Span<UInt8>, _ start: Int, _ slot: Slot, _ base: Int) -> Int? {
    if start >= slot.limit { return fault(start, "a field's letter", "the end of the table", "0-9-1 §4.2.5.5") }
    if nodes.count >= limits.values { return fault(start, "at most \(limits.values) values", "more", "our limit") }
    let code = b[start]
    guard let letter = FieldLetter(code, tableDialect) else {
      return fault(start, "a field table letter", FieldReader.shown(code), "0-9-1 §4.2.5.5")
    }
    let at = start + 1
    let left = slot.limit - at
    switch letter.layout {
    case .fixed(let width):
      if left < width { return fault(at, "\(width) octet(s) of \(letter.name)", "\(left) left", "0-9-1 §4.2.5.5") }
      add(
        .scalar, slot, offset: start, length: 1 + width, content: at, code: code,
        value: number(b, at, width, letter))
      if letter == .boolean && b[at] > 1 {
        warn(at, "boolean octet 0 or 1", "\(b[at])", "0-9-1 §4.2.5.5", depth: slot.depth)
      }
      return at + width
    case .length1, .length4, .nested:
      let head = letter.layout == .length1 ? 1 : 4
      if left < head { return fault(at, "\(head) octet(s) of length", "\(left) left", "0-9-1 §4.2.5.5") }
      let length = head == 1 ? Int(b[at]) : Int(b.u32(at))
      if length > left - head {
        return fault(at, "\(letter.name): length <= \(left - head)", "\(length)", "0-9-1 §4.2.5.5")
      }
      let content = at + head
      if letter.layout == .nested {
        if stack.count - base >= Int(limits.depth) {
          if !limits.passesOverDeeper {
            return fault(start, "at most \(limits.depth) levels of tables", "more", "our limit")
          }
          add(.opaque, slot, offset: start, length: content - start + length, content: content, code: code)
          let most = limits.depth
          warn(start, "at most \(most) levels of tables", "more: not looked into", "our limit", depth: slot.depth)
          return content + length
        }
        openTable(letter == .table ? .map : .list, slot, start, content, length, code: code)
        return content
      }
      add(
        .scalar, slot, offset: start, length: content - start + length, content: content, code: code,
        value: UInt64(length))
      return content + length
    }
  }

  private func number(_ b: Span<UInt8>, _ at: Int, _ width: Int, _ letter: FieldLetter) -> UInt64 {
    switch (width, letter) {
    case (1, .byte): signed(Int8(bitPattern: b[at]))
    case (1, _): UInt64(b[at])
    case (2, .short): signed(b.integer(Int16.self, at: at))
    case (2, _): UInt64(b.u16(at))
    case (4, .int): signed(b.integer(Int32.self, at: at))
    case (4, _): UInt64(b.u32(at))
    case (5, _): UInt64(b[at]) << 32 | UInt64(b.u32(at + 1))
    case (8, _): b.u64(at)
    default: 0
    }
  }

  private func signed(_ v: some SignedInteger) -> UInt64 { UInt64(bitPattern: Int64(v)) }
}
