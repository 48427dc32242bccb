/// What a receiver took last, so that it knows again what a broker sends once more after a connection was lost: by the
/// whole of what no broker changes. It never takes a new message for an old one on a mere likeness: what occurred more than
/// once is not recognised, and the first message that is new ends it all, because what comes again comes first and in order.
import Bytes
import Wire

package struct RecentMessages: Sendable {
  /// The marks of the last messages, in order, and the number of the next one.
  private var ring: [UInt64] = []
  private var next = 0
  private let capacity: Int
  /// Where a mark stands; the number of one that stands in several places is `ambiguous`.
  private var places: [UInt64: Place] = [:]
  /// The last place that was recognised on this connection; nil: nothing is expected again.
  private var reached: Int?

  private struct Place: BitwiseCopyable {
    var number: Int
    var isAmbiguous: Bool
  }

  package init(capacity: Int = 65_536) { self.capacity = capacity }

  /// Stands for the bare message (part 3 §3.2). Without application-properties: over 0-9-1 a broker counts in them.
  package static func mark(of b: Span<UInt8>, headersCount: Bool) -> UInt64 {
    var hash = BodyHash()
    var sections = Sections(0..<b.count)
    while let section = try? sections.next(b) {
      switch section.code {
      case Code.properties, Code.data, Code.amqpSequence, Code.amqpValue: hash.add(b.extracting(section.range))
      case Code.applicationProperties: if headersCount { hash.add(b.extracting(section.range)) }
      default: break
      }
    }
    return hash.value
  }

  package mutating func took(_ mark: UInt64) {
    if ring.count < capacity {
      ring.append(mark)
    } else {
      let slot = next % capacity
      if let old = places[ring[slot]], old.number == next - capacity { places[ring[slot]] = nil }
      ring[slot] = mark
    }
    places[mark] = Place(number: next, isAmbiguous: places[mark] != nil)
    next += 1
  }

  /// What comes next may have come before.
  package mutating func connectionLost() { reached = -1 }

  /// Whether anything may come again.
  package var expectsRepeats: Bool { reached != nil }

  /// Whether it was taken before the connection was lost. Ask once for each message, in order.
  /// - Parameter isFresh: the broker says that it never sent it to anybody.
  package mutating func recognises(_ mark: UInt64, isFresh: Bool) -> Bool {
    guard let reached else { return false }
    guard !isFresh, let place = places[mark] else {
      self.reached = nil
      return false
    }
    if place.isAmbiguous || place.number <= reached { return false }
    self.reached = place.number
    return true
  }
}
