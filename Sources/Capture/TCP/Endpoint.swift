/// An internet address with a port, and its text.
import Bytes

struct Endpoint: Hashable {
  /// The address as 128 bits; IPv4 stands in the lowest 32.
  var high: UInt64
  var low: UInt64
  var port: UInt16
  var isIPv6: Bool

  /// "10.0.0.5:5672" or "[fe80::1]:5672", as RFC 5952 has it.
  var text: String {
    var q = ByteQueue()
    if isIPv6 {
      q.append(0x5b)
      appendIPv6(&q)
      q.append(0x5d)
    } else {
      for shift in [24, 16, 8, 0] as [UInt64] {
        q.append(decimal: low >> shift & 0xff)
        if shift > 0 { q.append(0x2e) }
      }
    }
    q.append(0x3a)
    q.append(decimal: UInt64(port))
    return q.withReadable { $0.text }
  }

  private func appendIPv6(_ q: inout ByteQueue) {
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - $0 % 4 * 16)) }
    // The longest run of zero groups, the first of equals, and never a run of one.
    var run = 0..<0
    var at = 0
    while at < 8 {
      var end = at
      while end < 8 && groups[end] == 0 { end += 1 }
      if end - at > max(run.count, 1) { run = at..<end }
      at = max(end, at + 1)
    }
    at = 0
    while at < 8 {
      if !run.isEmpty && at == run.lowerBound {
        q.append("::")
        at = run.upperBound
        continue
      }
      if at > 0 && at != run.upperBound { q.append(0x3a) }
      let digits = groups[at] > 0xfff ? 4 : groups[at] > 0xff ? 3 : groups[at] > 0xf ? 2 : 1
      q.append(hex: UInt64(groups[at]), digits: digits)
      at += 1
    }
  }
}
