// What stands around a frame on its line: when and which way it went in front, what it answers and after what time behind.
import Analysis
import Bytes

/// The time of day (UTC), whose hours, minutes and seconds are worked out once a second.
struct TimeText {
  private var second = Int64.min
  private var octets: [UInt8] = []

  /// Appends "12:00:01.204".
  mutating func append(_ time: Int64, to q: inout ByteQueue) {
    let (seconds, rest) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    if seconds != second {
      second = seconds
      let inDay = UInt64(((seconds % 86_400) + 86_400) % 86_400)
      var text = ByteQueue()
      text.append(padded: inDay / 3600, 2)
      text.append(UInt8(ascii: ":"))
      text.append(padded: inDay / 60 % 60, 2)
      text.append(UInt8(ascii: ":"))
      text.append(padded: inDay % 60, 2)
      text.append(UInt8(ascii: "."))
      octets = text.bytes
    }
    q.append(octets.span)
    let thousandths = UInt64(max(rest, 0)) / 1_000_000
    q.append(0x30 + UInt8(thousandths / 100))
    q.append(0x30 + UInt8(thousandths / 10 % 10))
    q.append(0x30 + UInt8(thousandths % 10))
  }
}

extension ByteQueue {
  /// A span of time in the unit and with the digits that say enough: "0.05 ms", "0.9 ms", "12 ms", "3.4 s".
  mutating func append(latency nanoseconds: Int64) {
    appendNumber(latency: nanoseconds)
    append(nanoseconds >= 10_000_000_000 ? " s" : " ms")
  }

  /// The number alone, in the unit that `append(latency:)` would name.
  mutating func appendNumber(latency nanoseconds: Int64) {
    let v = UInt64(max(nanoseconds, 0))
    if v >= 10_000_000_000 { return append(tenths: (v + 50_000_000) / 100_000_000) }
    if v >= 10_000_000 { return append(decimal: (v + 500_000) / 1_000_000) }
    if v >= 95_000 { return append(tenths: (v + 50_000) / 100_000) }
    let hundredths = (v + 5_000) / 10_000
    append("0.0")
    append(decimal: min(hundredths, 9))
  }

  private mutating func append(tenths: UInt64) {
    append(decimal: tenths / 10)
    append(UInt8(ascii: "."))
    append(decimal: tenths % 10)
  }
}

/// Where a frame is: its connection, its direction, when it passed, and the offset of the octets it is cut from.
struct Place {
  let stream: DecodedStream
  let side: Int
  let time: Int64?
  /// Where the first of the octets at hand stands in its direction.
  let offset: Int

  var isFromClient: Bool { side == stream.client }
}

extension Decoding {
  /// "12:00:01.204 #2 C>S ", or without a time "0000  ".
  @inline(__always)
  func appendPrefix(_ place: Place, _ at: Int, to q: inout ByteQueue) {
    if plan.isColored { q.append("\u{1B}[2m") }
    if let time = place.time {
      clock.append(time, to: &q)
      q.append(UInt8(ascii: " "))
    } else {
      let offset = UInt64(place.offset + at)
      q.append(hex: offset, digits: offset > 0xffff ? 8 : 4)
      q.append("  ")
    }
    if opened > 1 && place.stream.isCaptured {
      q.append(UInt8(ascii: "#"))
      q.append(decimal: place.stream.number)
      q.append(UInt8(ascii: " "))
    }
    if !place.stream.isOneWay {
      if place.stream.isCaptured {
        q.append(place.isFromClient ? "C>S " : "S>C ")
      } else {
        q.append(place.side == 0 ? "-> " : "<- ")
      }
    }
    if plan.isColored { q.append("\u{1B}[0m") }
  }

  /// " (orders, 0.9 ms after transfer)", or nothing.
  /// - Parameter label: the link's, empty when it has none; nil: what is answered is not of a link.
  func appendAnswer(_ facts: Facts, _ isCaptured: Bool, _ label: [UInt8]?, to q: inout ByteQueue) {
    let startMissing = facts.startMissing && isCaptured
    if facts.answered == 0 && !startMissing && facts.part == .whole && facts.unknown == 0 { return }
    let start = q.count
    q.append(" (")
    let opening = q.count
    func comma(_ q: inout ByteQueue) { if q.count > opening { q.append(", ") } }
    if facts.answered > 0 {
      if facts.answered > 1 {
        q.append(decimal: facts.answered)
        q.append(facts.since == .transfer ? " deliveries of " : " messages")
      }
      if facts.since == .transfer, facts.link >= 0 {
        if let label, !label.isEmpty { q.append(label.span) } else { q.append("a link whose attach was not captured") }
      }
      if let latency = facts.latency {
        comma(&q)
        if facts.answered > 1 && latency.lowerBound != latency.upperBound {
          q.appendNumber(latency: latency.lowerBound)
          q.append(" to ")
        }
        q.append(latency: latency.upperBound)
        q.append(" after ")
        q.append(facts.since.name)
      }
    } else if startMissing && facts.link >= 0 {
      q.append("attach not captured")
    }
    if facts.answered > 0 || isCaptured, facts.unknown > 0 {
      comma(&q)
      q.append(decimal: facts.unknown)
      q.append(facts.unknown == 1 ? " transfer not captured" : " transfers not captured")
    }
    if facts.part != .whole {
      comma(&q)
      q.append("part ")
      q.append(decimal: facts.frames)
      if facts.part == .last {
        q.append(", ")
        q.append(decimal: facts.octets)
        q.append(" octets in all")
      }
    }
    if q.count == opening { q.truncate(to: start) } else { q.append(UInt8(ascii: ")")) }
  }
}
