/// A link of 1.0 as both directions of a capture show it.
package import Bytes

package struct Link: Sendable {
  package internal(set) var name: [UInt8] = []
  package internal(set) var address: [UInt8] = []
  /// "orders", or "link-1 address=orders" where they differ.
  package internal(set) var label: [UInt8] = []
  /// The side that sends: 0 or 1; -1 while nobody knows.
  package internal(set) var sender = -1
  /// Attach was captured.
  package internal(set) var isNamed = false
  package internal(set) var deliveries = 0
  package internal(set) var octets = 0
  package internal(set) var outcomes = Outcomes()
  package internal(set) var latency = Histogram()
  package internal(set) var credit = Credit()

  var session = 0
  /// The sender's delivery-count; nil while nobody knows.
  var deliveryCount: UInt32?
  var coordinates = false
  // The delivery whose last frame has not come.
  var isOpen = false
  var openNumber: UInt64?
  var openFrames = 0
  var openOctets = 0
  var parts = ByteQueue()
  var partsAreWhole = true

  static let longest = 256

  mutating func name(_ name: Span<UInt8>) {
    self.name = name.extracting(first: Link.longest).array
    isNamed = true
    relabel()
  }

  mutating func address(_ address: Span<UInt8>) {
    if address.isEmpty { return }
    self.address = address.extracting(first: Link.longest).array
    relabel()
  }

  private mutating func relabel() {
    var q = ByteQueue()
    q.append(bare: name.span)
    if !address.isEmpty && address != name {
      q.append(" address=")
      q.append(bare: address.span)
    }
    label = q.bytes
  }
}

/// What became of deliveries.
package struct Outcomes: Sendable, Equatable {
  package var accepted = 0
  package var rejected = 0
  package var released = 0
  package var modified = 0
  package var settled = 0
  package var other = 0

  package var all: [(StaticString, Int)] {
    [
      ("accepted", accepted), ("rejected", rejected), ("released", released), ("modified", modified),
      ("settled", settled), ("other", other),
    ]
  }

  package static func == (a: Outcomes, b: Outcomes) -> Bool {
    a.accepted == b.accepted && a.rejected == b.rejected && a.released == b.released && a.modified == b.modified
      && a.settled == b.settled && a.other == b.other
  }
}

/// The least credit in each of a few equal spans of time, which are made longer when there would be too many of them.
package struct CreditSeries: Sendable {
  package private(set) var least: [Int] = []
  /// Nanoseconds.
  package private(set) var width: Int64 = 1_000_000
  private var start: Int64?
  private var previous = 0

  private static let most = 32

  mutating func add(_ credit: Int, at time: Int64) {
    let first = start ?? time
    start = first
    let elapsed = max(time - first, 0)
    while elapsed / width >= Int64(CreditSeries.most) {
      least = stride(from: 0, to: least.count, by: 2).map {
        min(least[$0], $0 + 1 < least.count ? least[$0 + 1] : .max)
      }
      width *= 2
    }
    let place = Int(elapsed / width)
    // Where nothing happened it stayed as it was.
    while least.count <= place { least.append(least.isEmpty ? credit : previous) }
    least[place] = min(least[place], credit)
    previous = credit
  }
}

/// Credit over time: how much there was, and for how long there was none.
package struct Credit: Sendable {
  /// Gathered when it is there from the beginning.
  package internal(set) var series: CreditSeries?
  /// What the sender may still send; nil before the first flow.
  package internal(set) var left: Int?
  package internal(set) var most = 0
  package internal(set) var grants = 0
  /// Nanoseconds without any.
  package internal(set) var dry: Int64 = 0
  private var drySince: Int64?

  mutating func grant(_ credit: Int, at time: Int64?) {
    grants += 1
    set(credit, at: time)
  }

  mutating func set(_ credit: Int, at time: Int64?) {
    left = credit
    most = max(most, credit)
    note(time)
    if series != nil, let time { series?.add(credit, at: time) }
  }

  mutating func use(at time: Int64?) {
    guard let now = left else { return }
    left = now - 1
    if now <= 1 { note(time) }
    if series != nil, let time { series?.add(now - 1, at: time) }
  }

  private mutating func note(_ time: Int64?) {
    guard let left, let time else { return }
    if left > 0 {
      if let since = drySince { dry += max(time - since, 0) }
      drySince = nil
    } else if drySince == nil {
      drySince = time
    }
  }
}

extension ByteQueue {
  /// Text as a line shows a name: in quotes only where it could be mistaken for what is around it.
  mutating func append(bare text: Span<UInt8>) {
    var safe = !text.isEmpty && text.firstInvalidUTF8() == nil
    for i in 0..<text.count where safe {
      let c = text[i]
      if c <= 0x20 || c == 0x22 || c == 0x7f || c == 0x5c || c >= 0x80 || c == 0x3d || c == 0x28 || c == 0x29 {
        safe = false
      }
    }
    if safe { return append(text) }
    append(UInt8(ascii: "\""))
    for i in 0..<text.count {
      let c = text[i]
      switch c {
      case 0x22, 0x5c:
        append(UInt8(ascii: "\\"))
        append(c)
      case 0x20...0x7e: append(c)
      default:
        append("\\x")
        append(hex: c)
      }
    }
    append(UInt8(ascii: "\""))
  }
}
