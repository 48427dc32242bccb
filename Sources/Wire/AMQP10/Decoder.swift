/// Values out of the dissector's nodes, for whoever has to own them.
import Bytes

extension Dissector {
  /// The value whose node is at `index`. The nodes must be of these octets; what a fault has cut short
  /// is null.
  package func value(at index: Int, _ b: Span<UInt8>) -> Value {
    let n = nodes[index]
    if n.is091 { return value091(at: index, b) }
    switch n.kind {
    case .described:
      // Where a fault has cut it short there is no value, or not even a descriptor.
      guard index + 1 < Int(n.next) else { return .null }
      let inner = child(of: index, field: nil).map { value(at: $0, b) } ?? .null
      return .described(descriptor: value(at: index + 1, b), value: inner)
    case .list:
      return .list(items(of: index, b))
    case .map:
      let flat = items(of: index, b)
      return .map(stride(from: 0, to: flat.count - 1, by: 2).map { MapEntry(flat[$0], flat[$0 + 1]) })
    case .array:
      return .array(array(at: index, b))
    case .scalar:
      return scalar(n, b)
    case .frame, .opaque, .problem:
      return .null
    }
  }

  private func items(of index: Int, _ b: Span<UInt8>) -> [Value] {
    var out: [Value] = []
    var i = index + 1
    let end = Int(nodes[index].next)
    while i < end {
      if nodes[i].kind != .problem { out.append(value(at: i, b)) }
      i = Int(nodes[i].next)
    }
    return out
  }

  private func array(at index: Int, _ b: Span<UInt8>) -> ArrayValue {
    let n = nodes[index]
    // The element constructor is the octet in front of the content.
    let element = b[Int(n.content) - 1]
    let type = Primitive.of(element) ?? .null
    var descriptors: [Value] = []
    var elements: [Value] = []
    var i = index + 1
    let end = Int(n.next)
    while i < end {
      if nodes[i].place == .descriptor {
        descriptors.append(value(at: i, b))
      } else if nodes[i].kind != .problem {
        elements.append(value(at: i, b))
      }
      i = Int(nodes[i].next)
    }
    let zeroWidth = element >> 4 == 4
    return ArrayValue(
      type, elements, descriptors: descriptors,
      repeated: zeroWidth ? .init(constructor: element, count: UInt32(n.value)) : nil)
  }

  private func scalar(_ n: Node, _ b: Span<UInt8>) -> Value {
    let at = Int(n.content)
    switch Primitive.of(n.constructor) {
    case .boolean: return .boolean(n.value == 1)
    case .ubyte: return .ubyte(UInt8(truncatingIfNeeded: n.value))
    case .ushort: return .ushort(UInt16(truncatingIfNeeded: n.value))
    case .uint: return .uint(UInt32(truncatingIfNeeded: n.value))
    case .ulong: return .ulong(n.value)
    case .byte: return .byte(Int8(truncatingIfNeeded: n.value))
    case .short: return .short(Int16(truncatingIfNeeded: n.value))
    case .int: return .int(Int32(truncatingIfNeeded: n.value))
    case .long: return .long(Int64(bitPattern: n.value))
    case .float: return .float(UInt32(truncatingIfNeeded: n.value))
    case .double: return .double(n.value)
    case .decimal32: return .decimal32(UInt32(truncatingIfNeeded: n.value))
    case .decimal64: return .decimal64(n.value)
    case .decimal128: return .decimal128(b.integer(at: at))
    case .char: return .char(Unicode.Scalar(UInt32(truncatingIfNeeded: n.value)) ?? "\u{fffd}")
    case .timestamp: return .timestamp(Int64(bitPattern: n.value))
    case .uuid: return .uuid(b.integer(at: at))
    case .binary: return .binary(b.extracting(n.contentRange).array)
    case .string: return .string(b.extracting(n.contentRange).text)
    case .symbol: return .symbol(b.extracting(n.contentRange).text)
    case .null, .list, .map, .array, .any, nil: return .null
    }
  }
}

extension Value {
  /// The one value that `bytes` hold from start to end, or what is wrong with them.
  package static func decode(_ bytes: Span<UInt8>, limits: Limits = Limits()) throws(Problem) -> Value {
    var dissector = Dissector()
    dissector.limits = limits
    let end = dissector.value(bytes, at: 0, limit: bytes.count)
    if let fault = dissector.firstFault { throw fault }
    guard let end else { return .null }
    if end != bytes.count {
      throw Problem(
        severity: .malformed, offset: end, expected: "the end", got: "\(bytes.count - end) trailing octet(s)",
        section: "part 1 §1.2")
    }
    return dissector.value(at: 0, bytes)
  }
}

extension Problem: Error {}
