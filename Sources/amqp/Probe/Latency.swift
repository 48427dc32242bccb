// What several times come to: the least, the middle and the most, and how often they lie where.

struct Latency {
  /// Nanoseconds, in order.
  private let sorted: [Int64]

  /// - Parameter times: at least one.
  init(_ times: [Int64]) { sorted = times.sorted() }

  var least: Int64 { sorted[0] }
  var most: Int64 { sorted[sorted.count - 1] }
  var mean: Int64 { sorted.reduce(0, +) / Int64(sorted.count) }
  /// Of an even number, the lower one of the two.
  var median: Int64 { sorted[(sorted.count - 1) / 2] }

  /// A class of the histogram: those at least `from` and below `to`.
  struct Class: Equatable {
    let from: Int64
    let to: Int64
    var count: Int
  }

  /// Classes in steps of 1, 2, 5, 10, … microseconds and so on up, from the first to the last that has any.
  var classes: [Class] {
    var bounds: [Int64] = [0]
    var decade: Int64 = 1_000
    while bounds[bounds.count - 1] <= most {
      bounds += [decade, decade * 2, decade * 5]
      decade *= 10
    }
    var classes = (1..<bounds.count).map { i in
      let count = sorted.count { $0 >= bounds[i - 1] && $0 < bounds[i] }
      return Class(from: bounds[i - 1], to: bounds[i], count: count)
    }
    while classes.last?.count == 0 { classes.removeLast() }
    while classes.first?.count == 0 { classes.removeFirst() }
    return classes
  }
}
