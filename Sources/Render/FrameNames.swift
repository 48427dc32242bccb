/// What the three forms of a frame (line, tree, hex) say alike: names out of the rows, values as text, what is secret,
/// and what a problem is called and where it stands.
import Bytes
import Wire

/// The nodes of one frame or message, being shown.
struct FrameNodes {
  let nodes: [Node]
  let problems: [Problem]
  private let rows = RowTable.shared
  /// The node whose octets must not be shown, if any.
  let secret: Int?
  /// The offset that is called 0.
  let origin: Int

  init(_ dissector: Dissector, _ b: Span<UInt8>, origin: Int?, showSecrets: Bool) {
    nodes = dissector.nodes
    problems = dissector.problems
    self.origin = origin ?? (dissector.nodes.first.map { Int($0.offset) } ?? 0)
    secret = showSecrets ? nil : FrameNodes.secret(dissector, b)
  }

  /// The numeric descriptor of the node's row, or 0.
  func code(_ n: Node) -> UInt64 { rows.code(n.row) }
  func isKnown(_ n: Node) -> Bool { n.row != CompositeSpec.unknown }
  /// The field in which the performative `n` names a link that has a name already.
  func handle(_ n: Node) -> UInt16 {
    switch code(n) {
    case Code.transfer, Code.detach: 0
    case Code.flow: 4
    default: .max
    }
  }
  func hasFields(_ n: Node) -> Bool { rows.name(n.row)?.hasFields ?? false }

  /// The field that the node at `index` is, if it is one. A described value's row is its own, so that the row it stands
  /// in is looked up at the list above it.
  func field(_ index: Int) -> RowTable.Entry? {
    let n = nodes[index]
    guard case .field = n.place else { return nil }
    return rows.field(rowAround(index), n.field)
  }

  /// The row in which the field at `index` stands.
  private func rowAround(_ index: Int) -> UInt16 {
    let n = nodes[index]
    guard case .described = n.kind else { return n.row }
    var above = index - 1
    while above > 0 && nodes[above].depth >= n.depth { above -= 1 }
    return above >= 0 ? nodes[above].row : CompositeSpec.unknown
  }

  func field(of row: UInt16, _ field: UInt16) -> RowTable.Entry? { rows.field(row, field) }

  func append(_ entry: RowTable.Entry, to q: inout ByteQueue) { rows.append(entry, to: &q) }

  /// The value under a described one.
  func described(_ index: Int) -> Int? {
    let i = index + 1
    if i >= Int(nodes[index].next) || nodes[i].place != .descriptor { return nil }
    let value = Int(nodes[i].next)
    return value < Int(nodes[index].next) && nodes[value].place == .described ? value : nil
  }

  // MARK: Secrets

  /// SASL responses carry passwords and proofs; a token travels in the body of a put-token request.
  private static func secret(_ d: Dissector, _ b: Span<UInt8>) -> Int? {
    if d.nodes.first?.is091 == true { return secret091(d, b) }
    let rows = RowTable.shared
    var putToken = false
    var i = 0
    while i < d.nodes.count {
      let n = d.nodes[i]
      if n.kind == .frame {
        i += 1
        continue
      }
      let code = rows.code(n.row)
      if code != 0, mayHide(code), case .described = n.kind, let value = d.child(of: i, field: nil) {
        switch code {
        case Code.saslInit:
          let silent = d.child(of: value, field: 0).map { k in
            let mechanism = b.extracting(d.nodes[k].contentRange)
            return mechanism.matches("ANONYMOUS") || mechanism.matches("EXTERNAL")
          }
          return silent == true ? nil : d.child(of: value, field: 1)
        case Code.saslResponse: return d.child(of: value, field: 0)
        case Code.saslChallenge: return d.child(of: value, field: 0).flatMap { isProof(d, b, $0) ? $0 : nil }
        case Code.saslOutcome: return d.child(of: value, field: 1).flatMap { isProof(d, b, $0) ? $0 : nil }
        case Code.applicationProperties: putToken = hasPutToken(d, b, value)
        case Code.amqpValue: if putToken { return value }
        default: break
        }
      }
      i = Int(n.next)
    }
    return nil
  }

  @inline(__always)
  private static func mayHide(_ code: UInt64) -> Bool {
    code == Code.saslInit || code == Code.saslResponse || code == Code.saslChallenge || code == Code.saslOutcome
      || code == Code.applicationProperties || code == Code.amqpValue
  }

  /// A server's last message of SCRAM (RFC 5802 §7): with what was said before, passwords can be tried on it.
  static func isProof(_ d: Dissector, _ b: Span<UInt8>, _ i: Int) -> Bool {
    let content = d.nodes[i].contentRange
    return content.count > 2 && b[content.lowerBound] == UInt8(ascii: "v")
      && b[content.lowerBound + 1] == UInt8(ascii: "=")
  }

  private static func hasPutToken(_ d: Dissector, _ b: Span<UInt8>, _ map: Int) -> Bool {
    var found = false
    ValueJSON(d).eachEntry(map) { key, value in
      if d.nodes[key].kind == .scalar && d.nodes[value].kind == .scalar
        && b.extracting(d.nodes[key].contentRange).matches("operation")
        && b.extracting(d.nodes[value].contentRange).matches("put-token")
      {
        found = true
      }
    }
    return found
  }

  /// The user that a PLAIN response names: NUL, user, NUL, password, with an identity to act as in front or not.
  func plainUser(_ index: Int, _ b: Span<UInt8>) -> Range<Int>? {
    guard index > 0, nodes[index].place == .field, nodes[index].field == (nodes[index].is091 ? 2 : 1),
      nodes[index - 1].kind == .scalar,
      b.extracting(nodes[index - 1].contentRange).matches("PLAIN")
    else { return nil }
    let range = nodes[index].contentRange
    guard let first = b.firstIndex(of: 0, from: range.lowerBound), first < range.upperBound,
      let second = b.firstIndex(of: 0, from: first + 1), second < range.upperBound
    else { return nil }
    return first + 1..<second
  }

  // MARK: Names

  /// "transfer", or of a descriptor nobody knows its number or text.
  func appendName(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if let row = rows.name(nodes[index].row) { return rows.append(row, to: &q) }
    guard index + 1 < nodes.count, nodes[index + 1].place == .descriptor, nodes[index + 1].kind == .scalar else {
      return q.append("described")
    }
    let d = nodes[index + 1]
    if Primitive.of(d.constructor) == .ulong { return q.append(address: d.value) }
    appendScalar(d, b, bare: true, to: &q)
  }

  /// Whether the message's own content type says that its body is no text.
  func bodyIsBinary(_ b: Span<UInt8>) -> Bool {
    var i = 0
    while i < nodes.count {
      let n = nodes[i]
      if n.place == .section, code(n) == Code.properties, let list = described(i) {
        var k = list + 1
        while k < Int(nodes[list].next) {
          if nodes[k].place == .field && nodes[k].field == 6 && nodes[k].kind == .scalar && !nodes[k].isNull {
            return ContentType.isBinary(b.extracting(nodes[k].contentRange))
          }
          k = Int(nodes[k].next)
        }
        return false
      }
      i = n.kind == .frame ? i + 1 : Int(n.next)
    }
    return false
  }

  // MARK: Scalars

  /// A scalar as text that tells types apart where they could be mixed up: "7" is a string, 7 a number, :x a symbol.
  /// - Parameter bare: the type is fixed by the place, so text stands without quotes where it can.
  func appendScalar(_ n: Node, _ b: Span<UInt8>, bare: Bool, to q: inout ByteQueue) {
    if n.is091 { return appendScalar091(n, b, bare: bare, to: &q) }
    switch Primitive.of(n.constructor) {
    case .boolean: q.append(n.value == 1 ? "true" : "false")
    case .ubyte, .ushort, .uint, .ulong: q.append(decimal: n.value)
    case .byte, .short, .int, .long: q.append(decimal: Int64(bitPattern: n.value))
    case .float: q.append(utf8: Float(bitPattern: UInt32(truncatingIfNeeded: n.value)).description)
    case .double: q.append(utf8: Double(bitPattern: n.value).description)
    case .decimal32: q.append(utf8: Decimal(decimal32: UInt32(truncatingIfNeeded: n.value)).text)
    case .decimal64: q.append(utf8: Decimal(decimal64: n.value).text)
    case .decimal128: q.append(utf8: Decimal(decimal128: b.integer(at: Int(n.content))).text)
    case .char: q.append(jsonString: String(Character(Unicode.Scalar(UInt32(n.value)) ?? "\u{fffd}")))
    case .timestamp: q.append(rfc3339: Int64(bitPattern: n.value))
    case .uuid: q.append(uuid: b.integer(at: Int(n.content)))
    case .binary: appendOctets(b.extracting(n.contentRange), to: &q)
    case .string: appendText(b.extracting(n.contentRange), bare: bare, to: &q)
    case .symbol:
      if !bare { q.append(UInt8(ascii: ":")) }
      appendText(b.extracting(n.contentRange), bare: true, to: &q)
    case .null, .list, .map, .array, .any, nil: q.append("null")
    }
  }

  /// Text without quotes when nothing in it could be mistaken for what is around it.
  func appendText(_ text: Span<UInt8>, bare: Bool, to q: inout ByteQueue) {
    var safe = bare && text.count > 0
    if safe {
      for i in 0..<text.count {
        switch text[i] {
        case 0x61...0x7a, 0x41...0x5a, 0x30...0x39, 0x2d, 0x2e, 0x2f, 0x3a, 0x5f, 0x24, 0x40, 0x2a, 0x23, 0x25, 0x2b:
          continue
        default: safe = false
        }
        break
      }
    }
    if safe { q.append(text) } else { q.append(quoted: text) }
  }

  /// Octets in hexadecimal, the first of many.
  func appendOctets(_ octets: Span<UInt8>, limit: Int = 64, to q: inout ByteQueue) {
    q.append("0x")
    q.append(hex: octets.extracting(0..<min(octets.count, limit)))
    if octets.count > limit {
      q.append("… (")
      q.append(decimal: octets.count)
      q.append(" octets)")
    }
  }

  /// The name the specification gives to a value of this field.
  func choice(_ index: Int) -> String? {
    let n = nodes[index]
    guard n.kind == .scalar, !n.isNull, let entry = field(index), entry.hasChoices else { return nil }
    let choices = CompositeSpec.row(n.row)?.fields?[Int(n.field)].type.choices ?? []
    return n.value < choices.count ? choices[Int(n.value)] : nil
  }

  // MARK: Problems

  /// "malformed at 0x15 in transfer.payload/properties.subject: expected UTF-8, got 0xff (part 1 §1.6.20)"
  func appendProblem(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let problem = problems[Int(nodes[index].value)]
    q.append(problem.severity == .malformed ? "malformed at " : "warning at ")
    q.append(address: UInt64(max(problem.offset - origin, 0)))
    let path = self.path(to: index, b)
    if !path.isEmpty {
      q.append(" in ")
      q.append(utf8: path)
    }
    q.append(": ")
    if let left = countLeft(problem) {
      q.append(utf8: "\(compound(before: problem.offset, b)) count \(problem.got), \(left) octets left")
    } else {
      q.append(utf8: "expected \(problem.expected), got \(problem.got)")
    }
    q.append(utf8: " (\(problem.section))")
  }

  /// How many octets are left for a count that is too large, which is told in its own words.
  private func countLeft(_ problem: Problem) -> Substring? {
    let (before, after) = ("count <= ", " remaining octets")
    guard problem.expected.hasPrefix(before), problem.expected.hasSuffix(after) else { return nil }
    return problem.expected.dropFirst(before.count).dropLast(after.count)
  }

  private func compound(before offset: Int, _ b: Span<UInt8>) -> String {
    for (distance, wide) in [(2, false), (5, true)] where offset >= distance {
      let code = b[offset - distance]
      if code >> 4 >= 0xc && (code >> 4 & 1 == 1) == wide, let row = Constructor.of(code) { return row.name }
    }
    return "compound"
  }

  /// Where the problem at `index` stands: "attach.source.address", "transfer.payload/application-properties[key]". Empty
  /// when it is the performative as a whole, which is named anyway.
  func path(to index: Int, _ b: Span<UInt8>) -> String {
    if nodes[0].is091 { return path091(to: index, b) }
    var chain: [Int] = []
    var i = 0
    while i < index {
      switch nodes[i].kind {
      case .described, .list, .map, .array: if Int(nodes[i].next) > index { chain.append(i) }
      case .frame, .scalar, .opaque, .problem: break
      }
      i = Int(nodes[i].next) > index || nodes[i].kind == .frame ? i + 1 : Int(nodes[i].next)
    }
    guard let first = chain.first else { return isInPayload(index) ? "transfer.payload" : "" }
    let payload = nodes[first].place == .section && nodes[0].kind == .frame
    var path = payload ? "transfer.payload/" : ""
    path += name(first, b)
    var deeper = payload
    for (k, node) in chain.enumerated() {
      switch nodes[node].kind {
      case .list, .map, .array:
        let next = k + 1 < chain.count ? chain[k + 1] : nil
        let component = self.component(node, next, before: index, b)
        if !component.isEmpty { deeper = true }
        path += component
      case .described, .frame, .scalar, .opaque, .problem: break
      }
    }
    if !deeper && nodes[first].place != .section { return "" }
    // Where it starts and where it ends is enough of a path through a hundred lists.
    return path.utf8.count > 240 ? "\(path.prefix(100))…\(path.suffix(100))" : path
  }

  /// Whether the problem stands among the sections that a transfer carries, and in none of them.
  private func isInPayload(_ index: Int) -> Bool {
    guard nodes.count > 1, nodes[0].kind == .frame, code(nodes[1]) == Code.transfer else { return false }
    return problems[Int(nodes[index].value)].offset >= nodes[1].range.upperBound
  }

  func name(_ index: Int, _ b: Span<UInt8>) -> String {
    if nodes[index].kind != .described { return "" }
    var q = ByteQueue()
    appendName(index, b, to: &q)
    return q.withReadable { $0.text }
  }

  /// The step from a compound to the child `next`, or to the one that was being read when the problem came.
  private func component(_ node: Int, _ next: Int?, before index: Int, _ b: Span<UInt8>) -> String {
    // A problem in front of the first item is one of the compound: its count, or what it lacks.
    if next == nil && problems[Int(nodes[index].value)].offset < Int(nodes[node].content) { return "" }
    var number = 0
    var key: Int?
    var last: Int?
    var i = node + 1
    while i < (next ?? index) {
      if nodes[i].kind != .problem && nodes[i].place != .descriptor {
        number += 1
        (key, last) = (last, i)
      }
      i = Int(nodes[i].next)
    }
    // A problem inside a value that was read on past it stands after that value.
    if next == nil, let child = last, nodes[child].range.contains(problems[Int(nodes[index].value)].offset) {
      number -= 1
    } else {
      key = last
    }
    if next == nil && UInt64(number) >= nodes[node].value { return "" }
    switch nodes[node].kind {
    case .list:
      if nodes[node].place == .described, let fields = CompositeSpec.row(nodes[node].row)?.fields, number < fields.count
      {
        return "." + fields[number].name
      }
      return "[\(number)]"
    case .map:
      if number % 2 == 1, let key, nodes[key].kind == .scalar {
        var q = ByteQueue()
        appendScalar(nodes[key], b, bare: true, to: &q)
        return "[" + q.withReadable { $0.text } + "]"
      }
      return "[key \(number / 2)]"
    case .array: return "[\(number)]"
    case .described, .frame, .scalar, .opaque, .problem: return ""
    }
  }
}

extension ByteQueue {
  /// A number as people write addresses: 0x and an even number of digits.
  mutating func append(address v: UInt64) {
    let digits = max(2, (64 - v.leadingZeroBitCount + 7) / 8 * 2)
    append("0x")
    append(hex: v, digits: digits)
  }

  /// Text in quotes, escaped as JSON has it and safe for a terminal.
  mutating func append(quoted text: Span<UInt8>) {
    append(UInt8(ascii: "\""))
    var start = 0
    for i in text.firstUnplain()..<text.count {
      let c = text[i]
      // DEL, and C1 controls (C2 80 to C2 9F), which JSON would let through.
      let c1 = c >= 0x80 && c < 0xa0 && i > 0 && text[i - 1] == 0xc2
      if c != 0x7f && !c1 { continue }
      append(jsonEscaped: text.extracting(start..<(c1 ? i - 1 : i)))
      append("\\u00")
      append(hex: c)
      start = i + 1
    }
    append(jsonEscaped: text.extracting(start..<text.count))
    append(UInt8(ascii: "\""))
  }
}
