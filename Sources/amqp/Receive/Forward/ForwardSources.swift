// Which delivery of the source each message in the outbox is: runs, since nearly always the next message is the next
// delivery. And the places in a stream, to be written down in order.
import Engine

struct ForwardSources {
  struct Run {
    /// In the outbox.
    var numbers: ClosedRange<Int>
    let server: Served
    let link: LinkID
    /// The delivery of the first.
    let delivery: Int
  }

  private var runs: [Run] = []
  private var offsets: [(number: Int, offset: UInt64)] = []
  private var firstOffset = 0

  mutating func append(_ number: Int, _ server: Served, _ link: LinkID, delivery: Int) {
    if let last = runs.indices.last, runs[last].server === server, runs[last].link == link,
      runs[last].numbers.upperBound + 1 == number, runs[last].delivery + runs[last].numbers.count == delivery
    {
      runs[last].numbers = runs[last].numbers.lowerBound...number
    } else {
      runs.append(Run(numbers: number...number, server: server, link: link, delivery: delivery))
    }
  }

  mutating func append(_ number: Int, offset: UInt64) { offsets.append((number, offset)) }

  /// The deliveries that these messages are.
  func deliveries(_ numbers: ClosedRange<Int>, _ each: (Served, LinkID, ClosedRange<Int>) -> Void) {
    // The last that begins at or before the first number.
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].numbers.upperBound < numbers.lowerBound { low = middle + 1 } else { high = middle }
    }
    for run in runs[low...] {
      if run.numbers.lowerBound > numbers.upperBound { return }
      let from = max(run.numbers.lowerBound, numbers.lowerBound)
      let to = min(run.numbers.upperBound, numbers.upperBound)
      let shift = run.delivery - run.numbers.lowerBound
      each(run.server, run.link, from + shift...to + shift)
    }
  }

  /// Forgets messages before `number`.
  /// - Returns: the place of the last of them, if any has one.
  mutating func trim(before number: Int) -> UInt64? {
    if let keep = runs.firstIndex(where: { $0.numbers.upperBound >= number }), keep > 256 {
      runs.removeFirst(keep)
    } else if let last = runs.last, last.numbers.upperBound < number {
      runs.removeAll(keepingCapacity: true)
    }
    var place: UInt64?
    while firstOffset < offsets.count, offsets[firstOffset].number < number {
      place = offsets[firstOffset].offset
      firstOffset += 1
    }
    if firstOffset == offsets.count || firstOffset > 4_096 {
      offsets.removeFirst(firstOffset)
      firstOffset = 0
    }
    return place
  }
}
