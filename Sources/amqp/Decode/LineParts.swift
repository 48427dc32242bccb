// What stands around a frame on its line: when and which way it went in front, what it answers and after what time behind.
import Analysis
import Bytes

/// The time of day (UTC), whose hours, minutes and seconds are worked out once a second.
struct TimeText {
  private var second = Int64.min
  private var octets: [UInt8] = []

  /// Appends "12:00:01.204".
  mutating func append(_ time: Int64, to w: inout TailWriter) {
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
    w.append(octets.span)
    let thousandths = UInt32(truncatingIfNeeded: max(rest, 0) / 1_000_000)
    w.append(0x30 &+ UInt8(truncatingIfNeeded: thousandths / 100))
    w.append(0x30 &+ UInt8(truncatingIfNeeded: thousandths / 10 % 10))
    w.append(0x30 &+ UInt8(truncatingIfNeeded: thousandths % 10))
  }

  mutating func append(_ time: Int64, to q: inout ByteQueue) {
    _ = q.write(room: 32) { w in
      append(time, to: &w)
      return true
    }
  }
}

extension TailWriter {
  /// A span of time in the unit and with the digits that say enough: "0.05 ms", "0.9 ms", "12 ms", "3.4 s".
  mutating func append(latency nanoseconds: Int64) {
    appendNumber(latency: nanoseconds)
    if nanoseconds >= 10_000_000_000 { append(" s") } else { append(" ms") }
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

extension ByteQueue {
  mutating func append(latency nanoseconds: Int64) {
    _ = write(room: 32) { w in
      w.append(latency: nanoseconds)
      return true
    }
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
  /// Room enough for what stands in front of a frame, and behind it but for the link's label.
  static let prefixRoom = 128
  static let answerRoom = 512

  /// "12:00:01.204 #2 C>S ", or without a time "0000  ".
  @inline(__always)
  func appendPrefix(_ place: Place, _ at: Int, to w: inout TailWriter) {
    if plan.isColored { w.append("\u{1B}[2m") }
    if let time = place.time {
      clock.append(time, to: &w)
      w.append(UInt8(ascii: " "))
    } else {
      let offset = UInt64(place.offset + at)
      w.append(hex: offset, digits: offset > 0xffff ? 8 : 4)
      w.append("  ")
    }
    if opened > 1 && place.stream.isCaptured {
      w.append(UInt8(ascii: "#"))
      w.append(decimal: UInt64(place.stream.number))
      w.append(UInt8(ascii: " "))
    }
    if !place.stream.isOneWay {
      if place.stream.isCaptured {
        if place.isFromClient { w.append("C>S ") } else { w.append("S>C ") }
      } else {
        if place.side == 0 { w.append("-> ") } else { w.append("<- ") }
      }
    }
    if plan.isColored { w.append("\u{1B}[0m") }
  }

  func appendPrefix(_ place: Place, _ at: Int, to q: inout ByteQueue) {
    _ = q.write(room: Decoding.prefixRoom) { w in
      appendPrefix(place, at, to: &w)
      return true
    }
  }

  /// " (orders, 0.9 ms after transfer)", or nothing.
  /// - Parameter label: the link's, empty when it has none; nil: what is answered is not of a link.
  func appendAnswer(_ facts: Facts, _ isCaptured: Bool, _ label: [UInt8]?, to w: inout TailWriter) {
    let startMissing = facts.startMissing && isCaptured
    if facts.answered == 0 && !startMissing && facts.part == .whole && facts.unknown == 0 { return }
    let start = w.count
    w.append(" (")
    let opening = w.count
    func comma(_ w: inout TailWriter) { if w.count > opening { w.append(", ") } }
    if facts.answered > 0 {
      if facts.answered > 1 {
        w.append(decimal: UInt64(facts.answered))
        w.append(facts.since == .transfer ? " deliveries of " : " messages")
      }
      if facts.since == .transfer, facts.link >= 0 {
        if let label, !label.isEmpty { w.append(label.span) } else { w.append("a link whose attach was not captured") }
      }
      if let latency = facts.latency {
        comma(&w)
        if facts.answered > 1 && latency.lowerBound != latency.upperBound {
          w.appendNumber(latency: latency.lowerBound)
          w.append(" to ")
        }
        w.append(latency: latency.upperBound)
        w.append(" after ")
        w.append(facts.since.name)
      }
    } else if startMissing && facts.link >= 0 {
      w.append("attach not captured")
    }
    if facts.answered > 0 || isCaptured, facts.unknown > 0 {
      comma(&w)
      w.append(decimal: UInt64(facts.unknown))
      w.append(facts.unknown == 1 ? " transfer not captured" : " transfers not captured")
    }
    if facts.part != .whole {
      comma(&w)
      w.append("part ")
      w.append(decimal: UInt64(facts.frames))
      if facts.part == .last {
        w.append(", ")
        w.append(decimal: UInt64(facts.octets))
        w.append(" octets in all")
      }
    }
    if w.count == opening { w.truncate(to: start) } else { w.append(UInt8(ascii: ")")) }
  }

  func appendAnswer(_ facts: Facts, _ isCaptured: Bool, _ label: [UInt8]?, to q: inout ByteQueue) {
    _ = q.write(room: Decoding.answerRoom + (label?.count ?? 0)) { w in
      appendAnswer(facts, isCaptured, label, to: &w)
      return true
    }
  }
}
