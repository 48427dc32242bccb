/// The deliveries that one end has sent and nobody has settled, by their number: a ring, because numbers are given out in
/// order. It is bounded; the oldest is forgotten first. A range is looked at only where it meets the ring.

package struct OpenDelivery: Sendable {
  /// Nanoseconds since 1970; `Int64.min`: nobody knows.
  var time: Int64
  /// The link of 1.0, or what the delivery belongs to in 0-9-1.
  var link: Int32
  var isOpen: Bool
  /// The other end has said what becomes of it, but it is not settled.
  var isAnswered: Bool
}

struct DeliveryRing: Sendable {
  private var slots: [OpenDelivery] = []
  /// The number of the first slot.
  private(set) var base: UInt64 = 0
  private var first = 0
  private(set) var span = 0
  /// How many of them are open.
  private(set) var open = 0
  /// Left the ring without being settled because it was full.
  private(set) var forgotten = 0

  static let bound = 1 << 16

  /// - Returns: false when the number is behind the ring, or in it already.
  mutating func add(_ number: UInt64, _ delivery: OpenDelivery) -> Bool {
    if span == 0 { base = number }
    if number < base { return false }
    if number - base >= UInt64(DeliveryRing.bound) {
      if number - base >= UInt64(2 * DeliveryRing.bound) {
        forgotten += open
        (span, open, base) = (0, 0, number)
      } else {
        drop(Int(number - base) - DeliveryRing.bound + 1)
        if span == 0 { base = number }
      }
    }
    let place = Int(number - base)
    if place < span {
      if slots[at(place)].isOpen { return false }
    } else {
      while span <= place {
        if span == slots.count { grow() }
        slots[at(span)] = OpenDelivery(time: 0, link: 0, isOpen: false, isAnswered: false)
        span += 1
      }
    }
    slots[at(place)] = delivery
    open += 1
    return true
  }

  @inline(__always) private func at(_ place: Int) -> Int { (first &+ place) & (slots.count &- 1) }

  private mutating func grow() {
    var larger: [OpenDelivery] = []
    let capacity = max(64, slots.count * 2)
    larger.reserveCapacity(capacity)
    for i in 0..<span { larger.append(slots[at(i)]) }
    let empty = OpenDelivery(time: 0, link: 0, isOpen: false, isAnswered: false)
    larger += Array(repeating: empty, count: capacity - span)
    (slots, first) = (larger, 0)
  }

  private mutating func drop(_ n: Int) {
    for _ in 0..<min(n, span) {
      if slots[first].isOpen {
        open -= 1
        forgotten += 1
      }
      first = at(1)
      span -= 1
      base += 1
    }
  }

  /// The numbers of `range` that are in the ring.
  func meeting(_ range: ClosedRange<UInt64>) -> Range<UInt64> {
    let low = max(range.lowerBound, base)
    let high = min(range.upperBound, base + UInt64(span) &- 1)
    return span == 0 || low > high ? base..<base : low..<high + 1
  }

  @inline(__always)
  subscript(_ number: UInt64) -> OpenDelivery {
    get { slots[at(Int(number - base))] }
    set { slots[at(Int(number - base))] = newValue }
  }

  /// Where to look after `number`: settling it may have moved the front past others.
  @inline(__always) func next(_ number: UInt64) -> UInt64 { max(number + 1, base) }

  /// Takes it out; the front moves on to the next one that is open.
  mutating func settle(_ number: UInt64) {
    slots[at(Int(number - base))].isOpen = false
    open -= 1
    while span > 0 && !slots[first].isOpen {
      first = at(1)
      span -= 1
      base += 1
    }
  }

  /// The open ones' links with how many each has, at the end of everything.
  func eachOpen(_ body: (UInt64, OpenDelivery) -> Void) {
    for i in 0..<span where slots[at(i)].isOpen { body(base + UInt64(i), slots[at(i)]) }
  }
}
