/// Deliveries in the order of their numbers, from the oldest that somebody still has to settle to the newest. Numbers
/// start at 0 and never wrap; wire ids are the user's business. Memory follows the distance between oldest and newest.
struct UnsettledRing<Entry: BitwiseCopyable & Sendable>: Sendable {
  private var slots: [Entry] = []
  /// The number of the oldest entry, and of the next one.
  private(set) var first = 0
  private(set) var next = 0

  var count: Int { next - first }
  var isEmpty: Bool { next == first }

  subscript(number: Int) -> Entry {
    get { slots[number & (slots.count - 1)] }
    set { slots[number & (slots.count - 1)] = newValue }
  }

  func contains(_ number: Int) -> Bool { number >= first && number < next }

  /// Returns the entry's number.
  @discardableResult
  mutating func append(_ entry: Entry) -> Int {
    if next - first == slots.count { grow(entry) }
    let number = next
    slots[number & (slots.count - 1)] = entry
    next += 1
    return number
  }

  /// Passes a number over that nobody has to settle; only while the ring is empty.
  mutating func passOver() {
    first += 1
    next += 1
  }

  /// Forgets the oldest entries for as long as `done` says so.
  mutating func trim(while done: (Entry) -> Bool) {
    while first < next && done(self[first]) { first += 1 }
  }

  private mutating func grow(_ filler: Entry) {
    let old = slots
    slots = [Entry](repeating: filler, count: max(64, old.count * 2))
    for number in first..<next { slots[number & (slots.count - 1)] = old[number & (old.count - 1)] }
  }
}
