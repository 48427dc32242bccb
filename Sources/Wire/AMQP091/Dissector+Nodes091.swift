/// How the nodes of 0-9-1 are told from those of 1.0, and what they stand for: bits 14 and 15 of `row` are 01.
///
/// A frame has the row `frame091` and its channel and type << 16 as the value. Under it stands one of: a method (`list`,
/// `performative`, row `method091` | index in `MethodSpec.all`), a content header (`list`, `section`, `header091`), the
/// octets of a body (`opaque`, `payload`). The children of both lists are `field`s whose constructor is the raw value of
/// their `MethodFieldType`; those of a content header are numbered as in `PropertySpec.basic`, then come what stands
/// in front of the properties (`HeaderField`). Bits share an octet, and with it their range. A table is a `map`; its keys are
/// short strings, its values have their letter for a constructor and the row `table091`; the array of a table is a
/// `list`.
import Bytes

extension Node {
  package static let method091: UInt16 = 0x4000
  package static let header091: UInt16 = 0x5000
  /// Values of tables; the last bit is set when the letters are those of the specification.
  package static let table091: UInt16 = 0x6000
  package static let frame091: UInt16 = 0x7fff

  package var is091: Bool { row & 0xc000 == 0x4000 }

  /// The row of `MethodSpec.all` of a method, or of a field in it.
  package var methodIndex: Int? { row & 0xf000 == Node.method091 ? Int(row & 0x0fff) : nil }

  /// Of a field of a method or a content header, or of a table's key.
  package var fieldType: MethodFieldType? {
    is091 && (place == .field || place == .key) ? MethodFieldType(rawValue: constructor) : nil
  }

  /// Of a value in a table; nil for a key.
  var letter: FieldLetter? {
    row & 0xf000 == Node.table091 && constructor >= 0x20
      ? FieldLetter(constructor, row & 1 == 0 ? .rabbitMQ : .specification) : nil
  }

  /// What a value of a table is called; nil for everything else.
  package var letterName: String? { letter?.name }
}

/// What stands in a content header in front of the properties, numbered behind them.
package enum HeaderField: UInt16, Sendable, CaseIterable {
  case classID = 14, weight, bodySize, flags

  package var name: StaticString {
    switch self {
    case .classID: "class-id"
    case .weight: "weight"
    case .bodySize: "body-size"
    case .flags: "property-flags"
    }
  }
}

/// The rows of `MethodSpec.all` flattened to numbers, for the dissector.
struct MethodRules: Sendable {
  struct Row: Sendable {
    var id: UInt32
    /// Where the types of its fields start in `types`.
    var first: Int32
    var count: Int32
  }

  var rows: [Row] = []
  var types: [MethodFieldType] = []
  var properties: [MethodFieldType] = PropertySpec.basic.map(\.type)

  static let shared = MethodRules()

  private init() {
    for spec in MethodSpec.all {
      rows.append(Row(id: spec.id, first: Int32(types.count), count: Int32(spec.fields.count)))
      types += spec.fields.map(\.type)
    }
  }
}

// Values and octets out of nodes.
extension Dissector {
  /// The value of a node of 0-9-1, as `MethodRecord` and `BasicProperties` have it.
  func value091(at index: Int, _ b: Span<UInt8>) -> Value {
    let n = nodes[index]
    let content = b.extracting(n.contentRange)
    if let letter = n.letter {
      switch letter {
      case .table, .array: break
      case .shortstr: return .shortstr(content)
      case .longstr: return .longstr(content)
      case .binary: return .binary(content.array)
      case .boolean, .byte, .ubyte, .short, .ushort, .int, .uint, .long, .ulong, .float, .double, .decimal, .timestamp,
        .null:
        return letter.value(b, at: Int(n.content))
      }
    } else {
      switch n.fieldType {
      case .bit: return .boolean(n.value == 1)
      case .octet: return .ubyte(UInt8(truncatingIfNeeded: n.value))
      case .short: return .ushort(UInt16(truncatingIfNeeded: n.value))
      case .long: return .uint(UInt32(truncatingIfNeeded: n.value))
      case .longlong: return .ulong(n.value)
      case .timestamp: return .timestamp(seconds: n.value)
      case .shortstr: return .shortstr(content)
      case .longstr: return content.firstInvalidUTF8() == nil ? .string(content.text) : .binary(content.array)
      case .table, nil: break
      }
    }
    var entries: [MapEntry] = []
    var items: [Value] = []
    var key = Value.null
    var i = index + 1
    while i < Int(n.next) {
      if nodes[i].place == .key {
        key = value091(at: i, b)
      } else if nodes[i].kind != .problem && nodes[i].place != .rest {
        if n.kind == .map {
          entries.append(MapEntry(key, value091(at: i, b)))
        } else {
          items.append(value091(at: i, b))
        }
      }
      i = Int(nodes[i].next)
    }
    return n.kind == .map ? .map(entries) : .list(items)
  }

  /// The method whose node is at `index`; nil when it is none.
  package func methodRecord(at index: Int, _ b: Span<UInt8>) -> MethodRecord? {
    guard let row = nodes[index].methodIndex, nodes[index].place == .performative,
      case .list(let fields) = value091(at: index, b)
    else { return nil }
    return MethodRecord(MethodRules.shared.rows[row].id, fields)
  }

  func reencode091(at index: Int, _ b: Span<UInt8>, into q: inout ByteQueue) {
    let n = nodes[index]
    if n.place == .performative, let row = n.methodIndex { q.append32(MethodRules.shared.rows[row].id) }
    if n.kind == .opaque { return q.append(b.extracting(n.range)) }
    if n.constructor >= 0x20 { q.append(n.constructor) }
    if n.kind == .scalar { return reencodeScalar(n, b, into: &q) }
    let at = q.count
    let table = n.constructor != 0
    if table { q.append32(0) }
    var i = index + 1
    while i < Int(n.next) {
      if nodes[i].fieldType == .bit {
        i = reencodeBits(from: i, to: Int(n.next), b, into: &q)
      } else {
        if nodes[i].kind != .problem { reencode091(at: i, b, into: &q) }
        i = Int(nodes[i].next)
      }
    }
    if table { q.patch32(at: q.readable.lowerBound + at, UInt32(q.count - at - 4)) }
  }

  /// All bits that share the octet of the one at `first`; the octet's other bits stay as they are.
  private func reencodeBits(from first: Int, to end: Int, _ b: Span<UInt8>, into q: inout ByteQueue) -> Int {
    var octet = b[Int(nodes[first].offset)]
    var (i, bit) = (first, 0)
    while i < end && nodes[i].fieldType == .bit && nodes[i].offset == nodes[first].offset {
      let mask: UInt8 = 1 << UInt8(bit)
      octet = nodes[i].value == 1 ? octet | mask : octet & ~mask
      bit += 1
      i += 1
    }
    q.append(octet)
    return i
  }

  private func reencodeScalar(_ n: Node, _ b: Span<UInt8>, into q: inout ByteQueue) {
    let octets = b.extracting(n.contentRange)
    let head = Int(n.content) - Int(n.offset) - (n.constructor >= 0x20 ? 1 : 0)
    switch head {
    case 1: q.append(UInt8(truncatingIfNeeded: n.value))
    case 4: q.append32(UInt32(truncatingIfNeeded: n.value))
    default:
      switch octets.count {
      case 0: break
      case 1: q.append(UInt8(truncatingIfNeeded: n.value))
      case 2: q.append16(UInt16(truncatingIfNeeded: n.value))
      case 4: q.append32(UInt32(truncatingIfNeeded: n.value))
      case 5:
        q.append(UInt8(truncatingIfNeeded: n.value >> 32))
        q.append32(UInt32(truncatingIfNeeded: n.value))
      default: q.append64(n.value)
      }
      return
    }
    q.append(octets)
  }
}
