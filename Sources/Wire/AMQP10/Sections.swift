/// The sections of a message one after the other, without nodes: for whoever wants the body of a million messages and
/// nothing else. It steps over values by their sizes and looks into none; the dissector says what is wrong inside them.
import Bytes

/// A section in the octets of a message.
package struct Section: Sendable, Equatable {
  /// The numeric descriptor, `Code.data` say; 0 when the descriptor is nobody's we know.
  package var code: UInt64
  /// The whole section, from its 0x00.
  package var range: Range<Int>
  /// Where the value's constructor is.
  package var value: Int
  /// The value's format code; 0 when it is itself described.
  package var constructor: UInt8
  /// The octets of the value after constructor, length or size (a compound's count is the first of them).
  package var content: Range<Int>
}

package struct Sections: Sendable {
  package private(set) var at: Int
  private let end: Int

  package init(_ range: Range<Int>) {
    at = range.lowerBound
    end = range.upperBound
  }

  /// The next section, or nil at the end of the message.
  package mutating func next(_ b: Span<UInt8>) throws(Problem) -> Section? {
    let start = at
    if start >= end { return nil }
    // Nearly always: 00 53 code.
    var code: UInt64 = 0
    var value = start + 3
    if end - start > 3 && b[start] == 0 && b[start + 1] == 0x53 {
      code = UInt64(b[start + 2])
      if code < Code.header || code > Code.footer { code = 0 }
    } else {
      if b[start] != 0 { throw problem(start, "a described section (0x00)", hex(UInt64(b[start]))) }
      value = try Sections.skip(b, at: start + 1, end: end)
      code = descriptor(b, start + 1, value)
    }
    if value >= end { throw problem(value, "a constructor", "the end") }
    let after = try Sections.skip(b, at: value, end: end)
    let constructor = b[value]
    let prefix: Int
    switch constructor >> 4 {
    case 0xa, 0xc, 0xe: prefix = 2
    case 0xb, 0xd, 0xf: prefix = 5
    default: prefix = 1
    }
    at = after
    return Section(
      code: code, range: start..<after, value: value, constructor: constructor, content: value + prefix..<after)
  }

  /// Where the value at `start` ends.
  package static func skip(_ b: Span<UInt8>, at start: Int, end: Int) throws(Problem) -> Int {
    var at = start
    var pending = 1
    while pending > 0 {
      if at >= end { throw problem(at, "a constructor", "the end") }
      let code = b[at]
      at += 1
      if code == 0 {
        // Descriptor and value instead of this one. Each level costs an octet, so this ends.
        pending += 1
        continue
      }
      if Primitive.of(code) == nil { throw problem(at - 1, "a format code", hex(UInt64(code))) }
      pending -= 1
      let size: Int
      switch code >> 4 {
      case 4: size = 0
      case 5...9: size = 1 << (Int(code >> 4) - 5)
      case 0xa, 0xc, 0xe:
        if at >= end { throw problem(at, "1 octet of length", "the end") }
        size = 1 + Int(b[at])
      default:
        if end - at < 4 { throw problem(at, "4 octets of length", "\(end - at) left") }
        size = 4 + Int(b.u32(at))
      }
      if size > end - at {
        let prefix = code >> 4 < 0xa ? 0 : code >> 4 & 1 == 0 ? 1 : 4
        throw problem(at, "length <= \(max(end - at - prefix, 0))", "\(size - prefix)")
      }
      at += size
    }
    return at
  }

  private func descriptor(_ b: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    let code: UInt64
    switch b[start] {
    case 0x53: code = UInt64(b[start + 1])
    case 0x80: code = b.u64(start + 1)
    case 0xa3, 0xb3:
      let name = b.extracting(start + (b[start] == 0xa3 ? 2 : 5)..<end).text
      code = CompositeSpec.row(CompositeSpec.index(symbol: name))?.code ?? 0
    default: return 0
    }
    return code >= Code.header && code <= Code.footer ? code : 0
  }
}

private func problem(_ offset: Int, _ expected: String, _ got: String) -> Problem {
  Problem(severity: .malformed, offset: offset, expected: expected, got: got, section: "part 3 §3.2")
}
