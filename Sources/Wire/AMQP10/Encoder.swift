/// Values to octets, each in its smallest form, and nodes back to the octets they came from.
package import Bytes

extension ByteQueue {
  /// Appends `value` in the smallest encoding of its type.
  package mutating func append(_ value: Value) {
    switch value {
    case .described(let descriptor, let inner):
      append(0x00)
      append(descriptor)
      append(inner)
    case .array(let array): append(array)
    default:
      let code = value.smallestConstructor
      append(code)
      appendContent(value, code)
    }
  }

  /// Appends the octets after the constructor, which must be one of the value's type and wide enough for it.
  package mutating func appendContent(_ value: Value, _ code: UInt8) {
    switch value {
    case .null: break
    case .boolean(let v): if code == 0x56 { append(v ? 1 : 0) }
    case .ubyte(let v): append(v)
    case .ushort(let v): append16(v)
    case .uint(let v): appendNumber(UInt64(v), code)
    case .ulong(let v): appendNumber(v, code)
    case .byte(let v): append(UInt8(bitPattern: v))
    case .short(let v): append16(UInt16(bitPattern: v))
    case .int(let v): appendNumber(UInt64(bitPattern: Int64(v)), code)
    case .long(let v): appendNumber(UInt64(bitPattern: v), code)
    case .float(let v): append32(v)
    case .double(let v): append64(v)
    case .decimal32(let v): append32(v)
    case .decimal64(let v): append64(v)
    case .decimal128(let v): appendInteger(v)
    case .char(let v): append32(v.value)
    case .timestamp(let v): append64(UInt64(bitPattern: v))
    case .uuid(let v): appendInteger(v)
    case .binary(let v):
      appendLength(v.count, code)
      append(v)
    case .string(let v), .symbol(let v):
      appendLength(v.utf8.count, code)
      append(utf8: v)
    case .list(let items):
      if code == 0x45 { return }
      appendCompound(code, count: items.count) { q in
        for item in items { q.append(item) }
      }
    case .map(let entries):
      appendCompound(code, count: entries.count * 2) { q in
        for entry in entries {
          q.append(entry.key)
          q.append(entry.value)
        }
      }
    case .array(let array): appendArrayContent(array, code)
    case .described: break
    }
  }

  private mutating func append(_ array: ArrayValue) {
    let code: UInt8 = array.contentSize + 1 <= 255 && array.count <= 255 ? 0xe0 : 0xf0
    append(code)
    appendArrayContent(array, code)
  }

  private mutating func appendArrayContent(_ array: ArrayValue, _ code: UInt8) {
    let element = array.elementConstructor
    appendCompound(code, count: array.count) { q in
      for descriptor in array.descriptors {
        q.append(0x00)
        q.append(descriptor)
      }
      q.append(element)
      for value in array.elements { q.appendContent(value, element) }
    }
  }

  /// Size (patched afterwards), count, items.
  private mutating func appendCompound(_ code: UInt8, count n: Int, _ items: (inout ByteQueue) -> Void) {
    let wide = code >> 4 == 0xd || code >> 4 == 0xf
    // Relative to the head: growing may move everything.
    let at = count
    if wide {
      append32(0)
      append32(UInt32(n))
    } else {
      append(0)
      append(UInt8(n))
    }
    items(&self)
    let size = count - at - (wide ? 4 : 1)
    if wide {
      patch32(at: readable.lowerBound + at, UInt32(size))
    } else {
      patch8(at: readable.lowerBound + at, UInt8(size))
    }
  }

  private mutating func appendNumber(_ value: UInt64, _ code: UInt8) {
    switch code >> 4 {
    case 4: break
    case 5: append(UInt8(truncatingIfNeeded: value))
    case 7: append32(UInt32(truncatingIfNeeded: value))
    default: append64(value)
    }
  }

  private mutating func appendLength(_ n: Int, _ code: UInt8) {
    if code >> 4 == 0xa { append(UInt8(n)) } else { append32(UInt32(n)) }
  }
}

extension Value {
  /// The format code that needs the fewest octets for this value.
  package var smallestConstructor: UInt8 { smallestConstructor(contentSize) }

  /// The same when the size is known: asked for at every level it would take twice as long with each.
  fileprivate func smallestConstructor(_ contentSize: @autoclosure () -> Int) -> UInt8 {
    switch self {
    case .null: 0x40
    case .boolean(let v): v ? 0x41 : 0x42
    case .ubyte: 0x50
    case .ushort: 0x60
    case .uint(let v): v == 0 ? 0x43 : v < 256 ? 0x52 : 0x70
    case .ulong(let v): v == 0 ? 0x44 : v < 256 ? 0x53 : 0x80
    case .byte: 0x51
    case .short: 0x61
    case .int(let v): v >= -128 && v < 128 ? 0x54 : 0x71
    case .long(let v): v >= -128 && v < 128 ? 0x55 : 0x81
    case .float: 0x72
    case .double: 0x82
    case .decimal32: 0x74
    case .decimal64: 0x84
    case .decimal128: 0x94
    case .char: 0x73
    case .timestamp: 0x83
    case .uuid: 0x98
    case .binary(let v): v.count < 256 ? 0xa0 : 0xb0
    case .string(let v): v.utf8.count < 256 ? 0xa1 : 0xb1
    case .symbol(let v): v.utf8.count < 256 ? 0xa3 : 0xb3
    case .list(let v): v.isEmpty ? 0x45 : v.count < 256 && contentSize() < 255 ? 0xc0 : 0xd0
    case .map(let v): v.count < 128 && contentSize() < 255 ? 0xc1 : 0xd1
    case .array(let v): contentSize() + 1 <= 255 && v.count <= 255 ? 0xe0 : 0xf0
    case .described: 0x00
    }
  }

  /// Octets of the whole encoding in its smallest form.
  package var encodedSize: Int {
    switch self {
    case .described(let d, let v): return 1 + d.encodedSize + v.encodedSize
    case .list, .map, .array, .binary, .string, .symbol:
      let size = contentSize
      switch smallestConstructor(size) >> 4 {
      case 4: return 1
      case 0xa: return 2 + size
      case 0xb: return 5 + size
      case 0xc, 0xe: return 3 + size
      default: return 9 + size
      }
    default: return 1 + Value.width(smallestConstructor)
    }
  }

  /// Octets after constructor, size and count (and before none of them).
  fileprivate var contentSize: Int {
    switch self {
    case .binary(let v): v.count
    case .string(let v), .symbol(let v): v.utf8.count
    case .list(let items): items.reduce(0) { $0 + $1.encodedSize }
    case .map(let entries): entries.reduce(0) { $0 + $1.key.encodedSize + $1.value.encodedSize }
    case .array(let a): a.contentSize
    default: Value.width(smallestConstructor)
    }
  }

  /// Octets of a fixed-width encoding.
  fileprivate static func width(_ code: UInt8) -> Int { code >> 4 == 4 ? 0 : 1 << (Int(code >> 4) - 5) }
}

extension ArrayValue {
  package var count: Int { repeated.map { Int($0.count) } ?? elements.count }

  /// The smallest constructor that all the elements share. Never one without octets for the elements, unless that is
  /// how the array came: such arrays are legal, and refused by several peers.
  package var elementConstructor: UInt8 { elementLayout.constructor }

  /// That constructor, and the octets of all elements behind their own sizes and counts.
  private var elementLayout: (constructor: UInt8, size: Int) {
    if let repeated { return (repeated.constructor, 0) }
    var wide: UInt8 = 0
    var size = 0
    for element in elements {
      let content = element.contentSize
      size += content
      switch element.smallestConstructor(content) {
      case 0x40: wide = 0x40
      case 0x41, 0x42: wide = 0x56
      case 0x43: wide = max(wide, 0x52)
      case 0x44: wide = max(wide, 0x53)
      case 0x45: wide = max(wide, 0xc0)
      case let code: wide = max(wide, code)
      }
    }
    return (wide == 0 ? ArrayValue.emptyConstructor(type) : wide, size)
  }

  private static func emptyConstructor(_ type: Primitive) -> UInt8 {
    Constructor.rows.first { $0.primitive == type && $0.code >> 4 != 4 }?.code ?? 0x40
  }

  /// Octets of descriptors, element constructor and elements.
  fileprivate var contentSize: Int {
    let (code, content) = elementLayout
    let front = descriptors.reduce(1) { $0 + 1 + $1.encodedSize }
    switch code >> 4 {
    case 0xa: return front + elements.count + content
    case 0xb: return front + 4 * elements.count + content
    case 0xc, 0xe: return front + 2 * elements.count + content
    case 0xd, 0xf: return front + 8 * elements.count + content
    default: return front + elements.count * Value.width(code)
    }
  }
}

extension Dissector {
  /// Writes the value at `index` anew from its nodes: constructors and numbers, not a copy of the octets. For every
  /// well-formed value the result is the octets it came from, which is what tests hold decoder and encoder to.
  package func reencode(at index: Int, _ b: Span<UInt8>, into q: inout ByteQueue) {
    let n = nodes[index]
    if n.is091 { return reencode091(at: index, b, into: &q) }
    switch n.kind {
    case .described:
      q.append(0x00)
      reencode(at: index + 1, b, into: &q)
      if let inner = child(of: index, field: nil) { reencode(at: inner, b, into: &q) }
    case .scalar, .list, .map, .array:
      q.append(n.constructor)
      reencodeContent(at: index, b, into: &q)
    case .frame, .opaque, .problem:
      q.append(b.extracting(n.range))
    }
  }

  private func reencodeContent(at index: Int, _ b: Span<UInt8>, into q: inout ByteQueue) {
    let n = nodes[index]
    switch n.constructor >> 4 {
    case 0xc where n.length == (n.place == .element ? 1 : 2):
      // The tolerated map without a count.
      q.append(0)
    case 0xc, 0xd, 0xe, 0xf:
      let wide = n.constructor >> 4 == 0xd || n.constructor >> 4 == 0xf
      let at = q.count
      if wide {
        q.append32(0)
        q.append32(UInt32(n.value))
      } else {
        q.append(0)
        q.append(UInt8(n.value))
      }
      var i = index + 1
      var descriptors = n.constructor >> 4 >= 0xe
      while i < Int(n.next) {
        if nodes[i].place == .element {
          if descriptors {
            q.append(nodes[i].constructor)
            descriptors = false
          }
          switch nodes[i].kind {
          case .described, .opaque: reencode(at: i, b, into: &q)
          case .scalar, .list, .map, .array, .frame, .problem: reencodeContent(at: i, b, into: &q)
          }
        } else {
          if nodes[i].place == .descriptor { q.append(0x00) }
          reencode(at: i, b, into: &q)
        }
        i = Int(nodes[i].next)
      }
      // No elements, or none with octets: the constructor still stands in front of nothing.
      if descriptors { q.append(b[Int(n.content) - 1]) }
      let size = q.count - at - (wide ? 4 : 1)
      if wide {
        q.patch32(at: q.readable.lowerBound + at, UInt32(size))
      } else {
        q.patch8(at: q.readable.lowerBound + at, UInt8(size))
      }
    default:
      q.appendContent(value(at: index, b), n.constructor)
    }
  }
}
