/// Transfer, disposition and flow read straight from their octets: the three frames that come by the million. Whatever
/// is not plain and well formed is answered with nil and goes through the dissector, which also finds the words for a
/// fault; a test runs both on the same octets.
import Bytes

/// Walks the fields of a list without looking at more than it is asked for.
private struct FieldCursor {
  var at: Int
  let end: Int
  var left: Int
  var failed = false

  /// At the descriptor of a performative: `00 53 code` and a list of at most so many fields.
  init?(_ b: Span<UInt8>, _ start: Int, _ limit: Int, _ code: UInt8, fields: Int) {
    guard limit - start >= 4, b[start] == 0, b[start &+ 1] == 0x53, b[start &+ 2] == code else { return nil }
    switch b[start &+ 3] {
    case 0xc0:
      guard limit - start >= 6 else { return nil }
      let size = Int(b[start &+ 4])
      at = start &+ 6
      left = Int(b[start &+ 5])
      end = start &+ 5 &+ size
    case 0xd0:
      guard limit - start >= 12 else { return nil }
      let size = Int(b.u32(start &+ 4))
      at = start &+ 12
      left = Int(b.u32(start &+ 8))
      end = start &+ 8 &+ size
    default: return nil
    }
    if end > limit || at > end || left > fields { return nil }
  }

  /// Whether there is another field that is not null; steps over a null.
  @inline(__always) private mutating func present(_ b: Span<UInt8>) -> Bool {
    if left == 0 || failed { return false }
    if at >= end {
      failed = true
      return false
    }
    left &-= 1
    if b[at] == 0x40 {
      at &+= 1
      return false
    }
    return true
  }

  @inline(__always) mutating func uint(_ b: Span<UInt8>) -> UInt32? {
    guard present(b) else { return nil }
    switch b[at] {
    case 0x43:
      at &+= 1
      return 0
    case 0x52 where end - at >= 2:
      at &+= 2
      return UInt32(b[at &- 1])
    case 0x70 where end - at >= 5:
      at &+= 5
      return b.u32(at &- 4)
    default:
      failed = true
      return nil
    }
  }

  @inline(__always) mutating func bool(_ b: Span<UInt8>) -> Bool? {
    guard present(b) else { return nil }
    switch b[at] {
    case 0x41:
      at &+= 1
      return true
    case 0x42:
      at &+= 1
      return false
    case 0x56 where end - at >= 2 && b[at &+ 1] < 2:
      at &+= 2
      return b[at &- 1] == 1
    default:
      failed = true
      return nil
    }
  }

  @inline(__always) mutating func ubyte(_ b: Span<UInt8>) -> UInt8? {
    guard present(b) else { return nil }
    guard b[at] == 0x50 && end - at >= 2 else {
      failed = true
      return nil
    }
    at &+= 2
    return b[at &- 1]
  }

  /// The positions of a binary's octets.
  @inline(__always) mutating func binary(_ b: Span<UInt8>) -> Range<Int>? {
    guard present(b) else { return nil }
    guard b[at] == 0xa0, end - at >= 2, end - at - 2 >= Int(b[at &+ 1]) else {
      failed = true
      return nil
    }
    let start = at &+ 2
    at = start &+ Int(b[start &- 1])
    return start..<at
  }

  /// An outcome without fields, as its code: `00 53 24 45` and its like.
  @inline(__always) mutating func plainOutcome(_ b: Span<UInt8>) -> UInt8? {
    guard present(b) else { return nil }
    guard end - at >= 4, b[at] == 0, b[at &+ 1] == 0x53 else {
      failed = true
      return nil
    }
    let code = b[at &+ 2]
    if b[at &+ 3] == 0x45 {
      at &+= 4
    } else if b[at &+ 3] == 0xc0, end - at >= 6, b[at &+ 4] == 1, b[at &+ 5] == 0 {
      at &+= 6
    } else {
      failed = true
    }
    return code
  }

  /// Nothing but nulls may be left.
  @inline(__always) mutating func finish(_ b: Span<UInt8>) -> Bool {
    while left > 0 && !failed {
      if present(b) { failed = true }
    }
    return !failed && at == end
  }
}

package struct HotTransfer: Sendable {
  package var handle: UInt32
  package var deliveryID: UInt32?
  package var tag: Range<Int>
  package var messageFormat: UInt32
  package var settled: Bool?
  package var more: Bool
  package var rcvSettleMode: ReceiverSettleMode?
  package var aborted: Bool
  /// Where the part of the message starts.
  package var payload: Int

  /// Nil: not plain, or not well formed.
  package init?(_ b: Span<UInt8>, from start: Int, to limit: Int) {
    guard var c = FieldCursor(b, start, limit, 0x14, fields: 11), let handle = c.uint(b) else { return nil }
    self.handle = handle
    deliveryID = c.uint(b)
    tag = c.binary(b) ?? 0..<0
    messageFormat = c.uint(b) ?? 0
    settled = c.bool(b)
    more = c.bool(b) ?? false
    let mode = c.ubyte(b)
    rcvSettleMode = mode.flatMap(ReceiverSettleMode.init(rawValue:))
    if mode != nil && rcvSettleMode == nil { return nil }
    let state = c.plainOutcome(b)
    let resume = c.bool(b) ?? false
    aborted = c.bool(b) ?? false
    _ = c.bool(b)
    if state != nil || resume || !c.finish(b) { return nil }
    payload = c.end
  }
}

package struct HotDisposition: Sendable {
  package var role: Role
  package var first: UInt32
  package var last: UInt32
  package var settled: Bool
  /// The code of an outcome without fields; nil for no state.
  package var state: UInt8?

  package init?(_ b: Span<UInt8>, from start: Int, to limit: Int) {
    guard var c = FieldCursor(b, start, limit, 0x15, fields: 6), let role = c.bool(b), let first = c.uint(b) else {
      return nil
    }
    self.role = Role(role)
    self.first = first
    last = c.uint(b) ?? first
    settled = c.bool(b) ?? false
    state = c.plainOutcome(b)
    _ = c.bool(b)
    if !c.finish(b) || c.end != limit { return nil }
    switch state {
    case nil, 0x24, 0x25, 0x26, 0x27: break
    default: return nil
    }
  }
}

extension Flow {
  package init?(hot b: Span<UInt8>, from start: Int, to limit: Int) {
    guard var c = FieldCursor(b, start, limit, 0x13, fields: 11) else { return nil }
    self.init()
    nextIncomingID = c.uint(b)
    guard let incoming = c.uint(b), let next = c.uint(b), let outgoing = c.uint(b) else { return nil }
    (incomingWindow, nextOutgoingID, outgoingWindow) = (incoming, next, outgoing)
    handle = c.uint(b)
    deliveryCount = c.uint(b)
    linkCredit = c.uint(b)
    available = c.uint(b)
    drain = c.bool(b) ?? false
    echo = c.bool(b) ?? false
    if !c.finish(b) || c.end != limit { return nil }
  }
}
