/// Steps through the octets of a plain frame for the writers that need no picture of it: heads of compounds, numbers,
/// short texts. Whatever is not plain, or does not fit, is answered with nil, and the position is then worth nothing.
import Bytes
import Wire

struct PlainCursor {
  /// What a list or a map may take: it bounds the room for what is written of it.
  static let longest = 512

  var at: Int
  let end: Int

  /// The head of a compound: how many items there are and where they end. `short` is its code with one octet of size.
  mutating func head(_ b: Span<UInt8>, _ short: UInt8) -> (items: Int, stop: Int)? {
    if at >= end { return nil }
    let items: Int
    let stop: Int
    if b[at] == short, end &- at >= 3 {
      (items, stop) = (Int(b[at &+ 2]), at &+ 2 &+ Int(b[at &+ 1]))
      at &+= 3
    } else if b[at] == short | 0x10, end &- at >= 9 {
      (items, stop) = (Int(b.u32(at &+ 5)), at &+ 5 &+ Int(b.u32(at &+ 1)))
      at &+= 9
    } else if b[at] == 0x45 && short == 0xc0 {
      at &+= 1
      (items, stop) = (0, at)
    } else {
      return nil
    }
    if stop > end || stop < at || stop &- at > PlainCursor.longest || items > stop &- at { return nil }
    return (items, stop)
  }

  mutating func uint(_ b: Span<UInt8>, _ stop: Int) -> UInt64? {
    switch b[at] {
    case 0x43:
      at &+= 1
      return 0
    case 0x52 where stop &- at >= 2:
      at &+= 2
      return UInt64(b[at &- 1])
    case 0x70 where stop &- at >= 5:
      at &+= 5
      return UInt64(b.u32(at &- 4))
    default: return nil
    }
  }

  mutating func ulong(_ b: Span<UInt8>, _ stop: Int) -> UInt64? {
    switch b[at] {
    case 0x44:
      at &+= 1
      return 0
    case 0x53 where stop &- at >= 2:
      at &+= 2
      return UInt64(b[at &- 1])
    case 0x80 where stop &- at >= 9:
      at &+= 9
      return b.u64(at &- 8)
    default: return nil
    }
  }

  mutating func boolean(_ b: Span<UInt8>, _ stop: Int) -> Bool? {
    switch b[at] {
    case 0x41, 0x42:
      at &+= 1
      return b[at &- 1] == 0x41
    case 0x56 where stop &- at >= 2 && b[at &+ 1] <= 1:
      at &+= 2
      return b[at &- 1] == 1
    default: return nil
    }
  }

  /// The octets of a binary, string or symbol of up to 255.
  mutating func short(_ b: Span<UInt8>, _ stop: Int) -> Range<Int>? {
    guard stop &- at >= 2, stop &- at &- 2 >= Int(b[at &+ 1]) else { return nil }
    let start = at &+ 2
    at = start &+ Int(b[at &+ 1])
    return start..<at
  }

  /// The code of an outcome without fields: `00 53 24 45` and its like.
  mutating func outcome(_ b: Span<UInt8>, _ stop: Int) -> UInt8? {
    guard stop &- at >= 4, b.u16(at) == 0x0053 else { return nil }
    let code = b[at &+ 2]
    if code < UInt8(Code.accepted) || code > UInt8(Code.modified) { return nil }
    at &+= 3
    guard let (items, after) = head(b, 0xc0), items == 0, at == after, at <= stop else { return nil }
    return code
  }

  /// Where the octets of a data section stand.
  mutating func data(_ b: Span<UInt8>) -> Range<Int>? {
    let length: Int
    if at >= end { return nil }
    if b[at] == 0xa0, end &- at >= 2 {
      length = Int(b[at &+ 1])
      at &+= 2
    } else if b[at] == 0xb0, end &- at >= 5 {
      length = Int(b.u32(at &+ 1))
      at &+= 5
    } else {
      return nil
    }
    if length > end &- at { return nil }
    defer { at &+= length }
    return at..<at &+ length
  }

  /// The section's code, when it is the next in order: `last` is the code of the one before.
  mutating func section(_ b: Span<UInt8>, after last: UInt8) -> UInt8? {
    guard end &- at >= 4, b.u16(at) == 0x0053, b[at &+ 2] > last else { return nil }
    at &+= 3
    return b[at &- 1]
  }
}
