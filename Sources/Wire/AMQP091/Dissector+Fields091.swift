/// Reads the elementary types of 0-9-1, §4.2.5, into nodes.
import Bytes

extension Dissector {
  /// Reads a field other than a bit. Returns where it ends, or nil after a fault that hides the end.
  @inline(__always)
  mutating func field(_ b: Span<UInt8>, _ at: Int, _ type: MethodFieldType, _ slot: Slot) -> Int? {
    let left = slot.limit - at
    let width: Int
    let value: UInt64
    switch type {
    case .bit, .octet:
      if left < 1 { return short091(at, 1, type, slot) }
      (width, value) = (1, UInt64(b[at]))
    case .short:
      if left < 2 { return short091(at, 2, type, slot) }
      (width, value) = (2, UInt64(b.u16(at)))
    case .long:
      if left < 4 { return short091(at, 4, type, slot) }
      (width, value) = (4, UInt64(b.u32(at)))
    case .longlong, .timestamp:
      if left < 8 { return short091(at, 8, type, slot) }
      (width, value) = (8, b.u64(at))
    case .shortstr:
      if left < 1 { return short091(at, 1, type, slot) }
      return shortString(b, at, slot)
    case .longstr:
      if left < 4 { return short091(at, 4, type, slot) }
      let n = Int(b.u32(at))
      if n > left - 4 { return overrun091(at, n, left - 4, type, slot) }
      add(.scalar, slot, offset: at, length: 4 + n, content: at + 4, code: type.rawValue, value: UInt64(n))
      return at + 4 + n
    case .table:
      if left < 4 { return short091(at, 4, type, slot) }
      let n = Int(b.u32(at))
      if n > left - 4 { return overrun091(at, n, left - 4, type, slot) }
      return table(b, at, n, slot)
    }
    add(.scalar, slot, offset: at, length: width, content: at, code: type.rawValue, value: value)
    return at + width
  }

  /// Text of up to 255 octets; what is not text is shown as octets, since peers let it pass.
  mutating func shortString(_ b: Span<UInt8>, _ at: Int, _ slot: Slot) -> Int? {
    let n = Int(b[at])
    if n > slot.limit - at - 1 { return overrun091(at, n, slot.limit - at - 1, .shortstr, slot) }
    let content = at + 1
    let node = add(
      .scalar, slot, offset: at, length: 1 + n, content: content, code: MethodFieldType.shortstr.rawValue,
      value: UInt64(n))
    if n > 0 {
      let text = b.extracting(content..<content + n)
      if let bad = text.firstInvalidUTF8() {
        nodes[node].kind = .opaque
        warn(content + bad, "UTF-8", hex(UInt64(text[bad])), "0-9-1 §4.2.5.3", depth: slot.depth)
      } else if let zero = text.firstIndex(of: 0, from: 0) {
        warn(content + zero, "text without zero octets", "0x00", "0-9-1 §4.2.5.3", depth: slot.depth)
      }
    }
    return content + n
  }

  @inline(never)
  mutating func short091(_ at: Int, _ n: Int, _ type: MethodFieldType, _ slot: Slot) -> Int? {
    fault(at, "\(n) octet(s) of \(type.name) \(name091(slot))", "\(max(slot.limit - at, 0)) left", "0-9-1 §4.2.5")
  }

  @inline(never)
  mutating func overrun091(
    _ at: Int, _ n: Int, _ room: Int, _ type: MethodFieldType, _ slot: Slot
  ) -> Int? {
    fault(
      at, "\(type.name) \(name091(slot)): length <= \(room)", "\(n)",
      type == .table ? "0-9-1 §4.2.5.5" : "0-9-1 §4.2.5.3")
  }

  /// "basic.publish.exchange", "content-type"
  private func name091(_ slot: Slot) -> String {
    if slot.place == .key { return "key" }
    if slot.row & 0xf000 == Node.method091 {
      let row = MethodSpec.all[Int(slot.row & 0x0fff)]
      return "\(row.name).\(row.fields[Int(slot.field)].name)"
    }
    if let head = HeaderField(rawValue: slot.field) { return "\(head.name)" }
    return PropertySpec.basic[Int(slot.field)].name
  }
}
