/// Logs of client libraries in which a line is a frame: rhea's octets in hexadecimal, and Proton's print of frames that it
/// has decoded, of which only the payload is still octets.
import Bytes

struct TraceReader {
  private let form: InputForm
  private var framesWithoutOctets = 0

  init(_ form: InputForm) { self.form = form }

  mutating func read(_ b: Span<UInt8>, _ sink: inout TextSink) {
    if form == .rhea { rhea(b, &sink) } else { proton(b, &sink) }
  }

  func finish(_ notes: inout [String]) {
    if framesWithoutOctets == 0 { return }
    let frames = framesWithoutOctets == 1 ? "1 frame" : "\(framesWithoutOctets) frames"
    notes.append(
      "\(frames) left out: PN_TRACE_FRM prints them decoded, and only payloads are octets; PN_TRACE_RAW has all")
  }

  /// Whether the line is one of rhea's: SENT or READ, the number of octets, the octets.
  static func rhea(_ b: Span<UInt8>) -> (direction: Direction, count: Int, digits: Range<Int>)? {
    let marks: [(StaticString, Direction)] = [("SENT: ", .forward), ("READ: ", .backward), ("RECV: ", .backward)]
    for (mark, direction) in marks {
      guard let at = b.find(mark) else { continue }
      let start = at + 6
      let end = b.end(of: isDigit, from: start)
      guard let count = b.number(start..<end, radix: 10), end < b.count, isSpace(b[end]) else { continue }
      let digits = b.end(of: isSpace, from: end)
      let last = b.end(of: isHex, from: digits)
      if last > digits { return (direction, count, digits..<last) }
    }
    return nil
  }

  private func rhea(_ b: Span<UInt8>, _ sink: inout TextSink) {
    guard let found = Self.rhea(b) else { return sink.skip(b.count) }
    sink.turn(to: found.direction)
    var at = found.digits.lowerBound
    while at + 1 < found.digits.upperBound {
      if let high = hexValue(b[at]), let low = hexValue(b[at + 1]) { sink.append(high << 4 | low) }
      at += 2
    }
    if at < found.digits.upperBound { sink.fail("an odd number of hexadecimal digits: \(found.digits.count)") }
    let missing = found.count - found.digits.count / 2
    if missing > 0 { sink.gap(missing) }
  }

  /// Whether the line is one of Proton's: an arrow, a performative, its fields.
  static func isProtonFrame(_ b: Span<UInt8>) -> Bool {
    if b.find("FRAME:") != nil && (b.find("-> ") != nil || b.find("<- ") != nil) { return true }
    for arrow in ["-> @", "<- @"] as [StaticString] {
      guard let at = b.find(arrow) else { continue }
      let name = b.end(of: { isWord($0) || $0 == 0x2d }, from: at + 4)
      if b.has("(", at: name) && b.find(") [", from: name) != nil { return true }
    }
    return false
  }

  private mutating func proton(_ b: Span<UInt8>, _ sink: inout TextSink) {
    if !Self.isProtonFrame(b) { return sink.skip(b.count) }
    // "] (33) " is in front of the payload; texts among the fields may hold it, too, the last one doesn't lie.
    var found: (count: Int, start: Int)?
    var at = 0
    while let end = b.find("] (", from: at) {
      let digits = b.end(of: isDigit, from: end + 3)
      if let count = b.number(end + 3..<digits, radix: 10), b.has(") ", at: digits) {
        found = (count, digits + 2)
        break
      }
      at = end + 1
    }
    guard let found else {
      framesWithoutOctets += 1
      return
    }
    // Every payload is (a part of) a message of its own.
    sink.close()
    if let direction = b.direction(upTo: found.start) { sink.turn(to: direction) }
    at = found.start
    let isQuoted = b.has("\"", at: at)
    if isQuoted { at += 1 }
    var got = 0
    while at < b.count && got < found.count {
      if b.has("... (truncated)", at: at) || b.has("\"... (truncated)", at: at) { break }
      b.unescapeHexOnly(&at, &sink)
      got += 1
    }
    sink.gap(found.count - got)
  }
}
