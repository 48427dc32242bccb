/// How the dissector writes its list, and how readers step through it.
import Bytes

extension Dissector {
  @discardableResult @inline(__always)
  mutating func add(
    _ kind: Node.Kind, _ slot: Slot, offset: Int, length: Int, content: Int? = nil, code: UInt8 = 0, value: UInt64 = 0
  ) -> Int {
    let index = nodes.count
    nodes.append(
      Node(
        kind: kind, place: slot.place, constructor: code, depth: slot.depth, row: slot.row, field: slot.field,
        offset: UInt32(truncatingIfNeeded: offset), length: UInt32(truncatingIfNeeded: length),
        content: UInt32(truncatingIfNeeded: content ?? offset), next: UInt32(truncatingIfNeeded: index + 1),
        value: value))
    return index
  }

  mutating func rest(_ from: Int, _ end: Int) {
    if from < end { add(.opaque, Slot(limit: end, place: .rest, depth: 1), offset: from, length: end - from) }
  }

  /// A fault after which nobody can say where the next value starts.
  @discardableResult @inline(never)
  mutating func fault(_ offset: Int, _ expected: String, _ got: String, _ section: String) -> Int? {
    record(.malformed, offset, expected, got, section, depth: openDepth)
    return nil
  }

  /// A fault that leaves the structure readable. Returns whether to read on: hostile input must not turn into a list of
  /// complaints longer than itself.
  @inline(never)
  mutating func defect(_ offset: Int, _ expected: String, _ got: String, _ section: String) -> Bool {
    record(.malformed, offset, expected, got, section, depth: openDepth)
    return problems.count < Dissector.maximumProblems
  }

  mutating func warn(
    _ offset: Int, _ expected: @autoclosure () -> String, _ got: @autoclosure () -> String, _ section: String,
    depth: UInt8
  ) {
    // One place is kept for the fault that may still come.
    if problems.count >= Dissector.maximumProblems - 1 { return }
    record(.warning, offset, expected(), got(), section, depth: depth)
  }

  static var maximumProblems: Int { 64 }

  /// The depth of an item of the innermost open compound.
  private var openDepth: UInt8 { stack.last?.depth ?? 0 }

  private mutating func record(
    _ severity: Problem.Severity, _ offset: Int, _ expected: String, _ got: String, _ section: String, depth: UInt8
  ) {
    problems.append(Problem(severity: severity, offset: offset, expected: expected, got: got, section: section))
    add(
      .problem, Slot(limit: offset, place: .rest, depth: depth), offset: offset, length: 0,
      value: UInt64(problems.count - 1))
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

  /// The numeric descriptor that the row of the described node at `index` has, or 0.
  func code(of index: Int) -> UInt64 {
    let row = nodes[index].row
    return row == CompositeSpec.unknown ? 0 : rules.rows[Int(row)].code
  }

  func descriptorText(_ b: Span<UInt8>, _ index: Int) -> String {
    let d = nodes[index + 1]
    switch d.kind == .scalar ? Primitive.of(d.constructor) : nil {
    case .ulong: return hex(d.value)
    case .symbol: return printable(b.extracting(d.contentRange))
    case nil, .null, .boolean, .ubyte, .ushort, .uint, .byte, .short, .int, .long, .float, .double, .decimal32,
      .decimal64, .decimal128, .char, .timestamp, .uuid, .binary, .string, .list, .map, .array, .any:
      return "a descriptor that is no ulong or symbol"
    }
  }
}

/// Text that a peer chose, in words of ours: no control character of it may steer a terminal.
private func printable(_ text: Span<UInt8>) -> String {
  var out = ""
  for i in 0..<text.count {
    let c = text[i]
    if c >= 0x20 && c < 0x7f {
      out.unicodeScalars.append(Unicode.Scalar(c))
    } else {
      out += "\\x" + (c < 16 ? "0" : "") + String(c, radix: 16)
    }
  }
  return out
}
