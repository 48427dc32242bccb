import Bytes
import Testing
import Wire

@testable import Render

/// The JSON of the message that `draft` encodes to.
func messageJSON(
  _ draft: MessageDraft, _ style: MessageJSON.Style = .lossless, _ context: MessageContext = MessageContext()
) -> String {
  var q = ByteQueue()
  draft.encode(into: &q)
  return messageJSON(q.bytes, style, context)
}

func messageJSON(
  _ octets: [UInt8], _ style: MessageJSON.Style = .lossless, _ context: MessageContext = MessageContext()
) -> String {
  var dissector = Dissector()
  dissector.message(octets.span, in: 0..<octets.count)
  var out = ByteQueue()
  MessageJSON.append(dissector, octets.span, context, style: style, to: &out)
  return out.text
}

func encoded(_ value: Value) -> [UInt8] {
  var q = ByteQueue()
  q.append(value)
  return q.bytes
}

/// The tagged JSON of a value.
func valueJSON(_ value: Value, plain: Bool = false) -> String {
  let octets = encoded(value)
  var dissector = Dissector()
  _ = dissector.value(octets.span, at: 0, limit: octets.count)
  #expect(dissector.problems == [], "\(value)")
  var out = ByteQueue()
  if plain {
    ValueJSON(dissector).plain(0, octets.span, to: &out)
  } else {
    ValueJSON(dissector).append(0, octets.span, to: &out)
  }
  return out.text
}

func json(_ text: String) throws -> JSON { try JSONReader.read(Array(text.utf8).span) }

extension ByteQueue {
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// SplitMix64: the same values in every run.
struct Random: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension Random {
  mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }

  mutating func text() -> String {
    let pieces = ["a", "\"", "\\", "\n", "\u{0}", "é", "😀", "map", " ", "\u{7f}", "/", "\u{2028}"]
    return (0..<below(6)).map { _ in pieces[below(pieces.count)] }.joined()
  }

  mutating func ascii() -> String { String((0..<below(5)).map { _ in Character(Unicode.Scalar(UInt8(below(128)))) }) }

  mutating func value(depth: Int = 0) -> Value {
    switch below(depth < 4 ? 25 : 20) {
    case 0: .null
    case 1: .boolean(below(2) == 0)
    case 2: .ubyte(UInt8(truncatingIfNeeded: next()))
    case 3: .ushort(UInt16(truncatingIfNeeded: next()))
    case 4: .uint(UInt32(truncatingIfNeeded: next() >> UInt64(below(32))))
    case 5: .ulong(next() >> UInt64(below(64)))
    case 6: .byte(Int8(truncatingIfNeeded: next()))
    case 7: .short(Int16(truncatingIfNeeded: next()))
    case 8: .int(Int32(truncatingIfNeeded: Int64(bitPattern: next()) >> Int64(32 + below(31))))
    case 9: .long(Int64(bitPattern: next()) >> Int64(below(63)))
    case 10: .float(UInt32(truncatingIfNeeded: next()))
    case 11: .double(next())
    case 12: .decimal32(UInt32(truncatingIfNeeded: next()))
    case 13: .decimal64(next())
    case 14: .decimal128(UInt128(next()) << 64 | UInt128(next()))
    case 15: .char(Unicode.Scalar(UInt32(below(0xd800)))!)
    case 16: .timestamp(Int64(bitPattern: next()) >> Int64(below(63)))
    case 17: .uuid(UInt128(next()) << 64 | UInt128(next()))
    case 18: below(2) == 0 ? .binary((0..<below(9)).map { UInt8($0 * 31) }) : .symbol(ascii())
    case 19: .string(text())
    case 20: .list((0..<below(4)).map { _ in value(depth: depth + 1) })
    case 21: .map((0..<below(4)).map { .init(.int(Int32($0)), value(depth: depth + 1)) })
    case 22: .described(descriptor: .symbol("d:" + ascii()), value: value(depth: depth + 1))
    case 23: .array(array(depth: depth + 1))
    default: .map([.init(.string(text()), value(depth: depth + 1))])
    }
  }

  mutating func array(depth: Int) -> ArrayValue {
    let descriptors: [Value] = below(3) == 0 ? [.ulong(7), .symbol("x")] : []
    switch below(6) {
    case 0: return ArrayValue(.int, (0..<below(5)).map { .int(Int32($0) - 2) }, descriptors: descriptors)
    case 1: return ArrayValue(.string, [.string(text()), .string("")], descriptors: descriptors)
    case 2:
      let all: [(Primitive, UInt8)] = [
        (.null, 0x40), (.boolean, 0x41), (.boolean, 0x42), (.uint, 0x43), (.ulong, 0x44), (.list, 0x45),
      ]
      let (type, code) = all[below(all.count)]
      let repeated = ArrayValue.Repeated(constructor: code, count: UInt32(below(5)))
      return ArrayValue(type, [], descriptors: descriptors, repeated: repeated)
    case 3: return ArrayValue(.list, [.list([value(depth: depth + 1)]), .list([.null])], descriptors: descriptors)
    case 4: return ArrayValue(.map, [.map([.init(.symbol("k"), value(depth: depth + 1))])], descriptors: descriptors)
    default:
      return ArrayValue(.array, [.array(ArrayValue(.ubyte, [.ubyte(1)])), .array(ArrayValue(.ubyte, []))])
    }
  }

  mutating func map(_ keys: Primitive) -> [MapEntry]? {
    if below(2) == 0 { return nil }
    return (0..<below(4)).map { i in
      let key: Value =
        below(8) == 0 ? .ulong(UInt64(i)) : keys == .symbol ? .symbol("map\(i)") : .string("\(i)" + text())
      return MapEntry(key, value())
    }
  }

  mutating func draft() -> MessageDraft {
    var d = MessageDraft()
    if below(2) == 0 { d.header = below(3) == 0 ? [] : [.boolean(true), .null, .null, .null, .uint(3)] }
    d.deliveryAnnotations = map(.symbol)
    d.messageAnnotations = map(.symbol)
    if below(2) == 0 {
      let id: [Value] = [.string(text()), .ulong(next()), .uuid(5), .binary([0, 255]), .null]
      d.properties = [
        id[below(5)], .binary(below(2) == 0 ? [0xff] : [0x61]), .string("to"), .null, .null, id[below(4)],
      ]
      d.properties! += [
        .symbol("text/plain"), .null, .timestamp(-1), .timestamp(Int64.max), .string("g"), .uint(1 << 31),
      ]
    }
    d.applicationProperties = map(.string)
    switch below(5) {
    case 0: d.body = [.data((0..<below(300)).map { UInt8(truncatingIfNeeded: $0) })]
    case 1: d.body = [.data(Array(text().utf8)), .data([0xff])]
    case 2: d.body = [.value(value())]
    case 3: d.body = (0..<below(2) + 1).map { _ in .sequence([value(), value()]) }
    default: d.body = [.data([1]), .value(value()), .sequence([]), .value(.null)]
    }
    d.footer = map(.symbol)
    if below(4) == 0 { d.others = [.described(descriptor: .ulong(0x79), value: value())] }
    return d
  }
}
