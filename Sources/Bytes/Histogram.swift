/// Times in classes that grow with them (sixteen for each doubling, so that a percentile is right to 5 %): bounded memory
/// for any number of them.

package struct Histogram: Sendable {
  private var classes: [UInt64] = []
  package private(set) var count: UInt64 = 0
  package private(set) var least = Int64.max
  package private(set) var greatest = Int64.min
  private var sum: Double = 0

  package init() {}

  package mutating func add(_ nanoseconds: Int64) {
    let v = max(nanoseconds, 0)
    count += 1
    least = min(least, v)
    greatest = max(greatest, v)
    sum += Double(v)
    let i = Histogram.place(UInt64(v))
    if i >= classes.count { classes += Array(repeating: 0, count: i + 1 - classes.count) }
    classes[i] += 1
  }

  package var mean: Int64 { count == 0 ? 0 : Int64(sum / Double(count)) }

  /// The time that so many of a thousand don't exceed.
  package func percentile(_ thousandths: UInt64) -> Int64 {
    if count == 0 { return 0 }
    let wanted = max(1, (count * thousandths + 999) / 1000)
    var seen: UInt64 = 0
    for (i, n) in classes.enumerated() {
      seen += n
      if seen >= wanted { return min(max(Histogram.top(i), least), greatest) }
    }
    return greatest
  }

  /// How many times lie between each pair of `bounds` (ascending; the first class has what is at most the first of them, and
  /// one more what exceeds the last), as right as the classes are.
  package func counts(_ bounds: [Int64]) -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    for (i, n) in classes.enumerated() where n > 0 {
      // The classes of the least and the greatest reach beyond them.
      let time = min(max(Histogram.top(i), least), greatest)
      counts[bounds.firstIndex { time <= $0 } ?? bounds.count] += n
    }
    return counts
  }

  private static func place(_ v: UInt64) -> Int {
    if v < 16 { return Int(v) }
    let power = 63 - v.leadingZeroBitCount
    return (power - 3) * 16 + Int(v >> UInt64(power - 4) & 15)
  }

  /// The greatest time of a class.
  private static func top(_ i: Int) -> Int64 {
    if i < 16 { return Int64(i) }
    let power = i / 16 + 3
    return Int64((UInt64(16 + i % 16) + 1) << UInt64(power - 4) - 1)
  }
}
