/// What line, tree and hex of a 0-9-1 frame say alike: its values as text, where a problem stands, and what is secret.
import Bytes
import Wire

extension FrameNodes {
  // MARK: Values

  /// A scalar of a method, a content header or a table.
  /// - Parameter bare: the type is fixed by the place, so text stands without quotes where it can.
  func appendScalar091(_ n: Node, _ b: Span<UInt8>, bare: Bool, to q: inout ByteQueue) {
    if let type = n.fieldType {
      switch type {
      case .bit: q.append(n.value == 1 ? "true" : "false")
      case .octet, .short, .long, .longlong: q.append(decimal: n.value)
      case .shortstr, .longstr: appendString091(b.extracting(n.contentRange), bare: bare, to: &q)
      case .timestamp: appendSeconds(n.value, to: &q)
      case .table: break
      }
      return
    }
    switch n.constructor {
    case UInt8(ascii: "t"): q.append(n.value != 0 ? "true" : "false")
    case UInt8(ascii: "V"): q.append("null")
    case UInt8(ascii: "f"): q.append(utf8: Float(bitPattern: UInt32(truncatingIfNeeded: n.value)).description)
    case UInt8(ascii: "d"): q.append(utf8: Double(bitPattern: n.value).description)
    case UInt8(ascii: "T"): appendSeconds(n.value, to: &q)
    case UInt8(ascii: "D"):
      let value = Int32(truncatingIfNeeded: n.value)
      let decimal = Decimal.finite(
        negative: value < 0, coefficient: UInt128(value.magnitude), exponent: -Int(n.value >> 32 & 0xff))
      q.append(utf8: decimal.text)
    case UInt8(ascii: "x"): appendOctets(b.extracting(n.contentRange), to: &q)
    case UInt8(ascii: "S"): appendString091(b.extracting(n.contentRange), bare: bare, to: &q)
    // A short string in the specification's dialect, where its letter means that.
    case UInt8(ascii: "s") where n.row & 1 == 1:
      appendString091(b.extracting(n.contentRange), bare: bare, to: &q)
    case UInt8(ascii: "b"), UInt8(ascii: "s"), UInt8(ascii: "U"), UInt8(ascii: "I"), UInt8(ascii: "L"):
      q.append(decimal: Int64(bitPattern: n.value))
    case UInt8(ascii: "l") where n.row & 1 == 0: q.append(decimal: Int64(bitPattern: n.value))
    default: q.append(decimal: n.value)
    }
  }

  private func appendString091(_ octets: Span<UInt8>, bare: Bool, to q: inout ByteQueue) {
    if octets.firstInvalidUTF8() == nil {
      appendText(octets, bare: bare, to: &q)
    } else {
      appendOctets(octets, to: &q)
    }
  }

  /// A time as people read it; one that no calendar has, as its number of seconds.
  private func appendSeconds(_ value: UInt64, to q: inout ByteQueue) {
    let (milliseconds, overflow) = Int64(bitPattern: value).multipliedReportingOverflow(by: 1000)
    if overflow { q.append(decimal: value) } else { q.append(rfc3339: milliseconds) }
  }

  // MARK: Secrets

  /// The response of start-ok and secure-ok, a new secret, and what a server of SCRAM proves itself with; what was not read of such a method when it is broken.
  static func secret091(_ d: Dissector, _ b: Span<UInt8>) -> Int? {
    guard let method = d.nodes.firstIndex(where: { $0.place == .performative }),
      let row = d.nodes[method].methodIndex
    else { return nil }
    let field: UInt16
    switch MethodTable.shared.ids[row] {
    case MethodID.connectionStartOK:
      field = 2
      if let mechanism = d.child(of: method, field: 1) {
        let name = b.extracting(d.nodes[mechanism].contentRange)
        if name.matches("ANONYMOUS") || name.matches("EXTERNAL") { return nil }
      }
    case MethodID.connectionSecureOK, MethodID.connectionUpdateSecret: field = 0
    case MethodID.connectionSecure: return d.child(of: method, field: 0).flatMap { isProof(d, b, $0) ? $0 : nil }
    default: return nil
    }
    return d.child(of: method, field: field) ?? d.nodes.firstIndex { $0.place == .rest && $0.kind == .opaque }
  }

  // MARK: Problems

  /// Where the problem at `index` stands: "queue.declare.arguments[x-max-length]", "content header.headers[a][2]". Its own
  /// words name a field outside of tables.
  func path091(to index: Int, _ b: Span<UInt8>) -> String {
    var path = ""
    var open = 0
    var i = 0
    while i < index {
      let n = nodes[i]
      if Int(n.next) <= index && n.kind != .frame {
        i = Int(n.next)
        continue
      }
      path += step(i, b)
      open = i
      i += 1
    }
    // The entry or item that was being read.
    let offset = problems[Int(nodes[index].value)].offset
    var last = index - 1
    while last > 0 && nodes[last].kind == .problem { last -= 1 }
    if nodes[last].depth == nodes[index].depth, nodes[last].place == .key || nodes[last].range.contains(offset) {
      path += step(last, b)
    } else if nodes[open].kind == .list && nodes[open].letterName != nil && nodes[open].value > 0 {
      path += "[\(nodes[open].value - 1)]"
    }
    return path
  }

  private func step(_ i: Int, _ b: Span<UInt8>) -> String {
    let n = nodes[i]
    var q = ByteQueue()
    switch n.place {
    case .performative: if let name = MethodTable.shared.method(n) { MethodTable.shared.append(name, to: &q) }
    case .section: q.append("content header")
    case .field:
      if n.kind != .map { return "" }
      q.append(UInt8(ascii: "."))
      if let name = MethodTable.shared.field(n) { MethodTable.shared.append(name, to: &q) }
    case .key, .entry:
      var key = i
      while key > 0 && nodes[key].place != .key { key -= 1 }
      q.append(UInt8(ascii: "["))
      if nodes[key].kind == .scalar { appendScalar091(nodes[key], b, bare: true, to: &q) }
      q.append(UInt8(ascii: "]"))
    case .item:
      q.append(UInt8(ascii: "["))
      q.append(decimal: UInt64(n.field))
      q.append(UInt8(ascii: "]"))
    case .root, .descriptor, .described, .element, .payload, .rest: break
    }
    return q.withReadable { $0.text }
  }
}
