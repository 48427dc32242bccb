/// One side of a session of 1.0: its channel and handles, the deliveries it has sent, and the window it may use.

struct HalfSession: Sendable {
  var channel: UInt16?
  /// Begin was captured.
  var isBegun = false
  var isEnded = false
  var ring = DeliveryRing()
  /// The last delivery-id, without its wrapping, and the first that was seen.
  var last: UInt64 = 1 << 33
  private var earliest: UInt64 = 0
  var hasSent = false
  /// next-outgoing-id as this side's transfers count it; nil until it was told.
  var nextOutgoing: UInt32?
  /// The first transfer-id that the other side's window has no room for.
  var windowEnd: UInt32?
  /// The incoming-window of the other side's begin.
  var windowGiven: UInt32?
  /// Links by the name that this side attached.
  var names: [[UInt8]: Int] = [:]
  private var low: [Int32] = []
  private var high: [UInt32: Int] = [:]

  func link(_ handle: UInt32) -> Int? {
    if handle < 256 { return handle < low.count && low[Int(handle)] >= 0 ? Int(low[Int(handle)]) : nil }
    return high[handle]
  }

  mutating func set(_ handle: UInt32, _ link: Int?) {
    if handle >= 256 {
      high[handle] = link
      return
    }
    while low.count <= handle { low.append(-1) }
    low[Int(handle)] = Int32(link ?? -1)
  }

  /// The delivery-id without its wrapping, as near to the last one as can be.
  func number(_ id: UInt32) -> UInt64 {
    if !hasSent { return 1 << 33 | UInt64(id) }
    return UInt64(Int64(last) + Int64(Int32(truncatingIfNeeded: Int64(id) - Int64(UInt32(truncatingIfNeeded: last)))))
  }

  /// How many of these are of deliveries that were not captured.
  func missing(_ numbers: ClosedRange<UInt64>) -> Int {
    guard hasSent, numbers.upperBound >= earliest, numbers.lowerBound <= last else { return numbers.count }
    return numbers.count - numbers.clamped(to: earliest...last).count
  }

  mutating func numbered(_ id: UInt32) -> UInt64 {
    let number = self.number(id)
    last = hasSent ? max(last, number) : number
    if !hasSent { earliest = number }
    hasSent = true
    return number
  }
}
