/// Dumps: lines with offsets. Repeated lines that the dump left out ("*") are put back, lines that are missing are gaps,
/// and what tcpdump and tshark print are packets, with all their headers.
import Bytes

struct DumpReader {
  /// Packets are collected here, when the dump is one of packets.
  private(set) var packets: PacketStreams?

  private let form: InputForm
  private let style: DumpLine.Style
  /// The base of the offsets; nil until it is known.
  private var radix: Int?
  /// The last line: its octets wait for the next one, which may say that there was one less.
  private var last: DumpLine?
  private var lastOffset = 0
  private var isRepeated = false
  private var packet: [UInt8] = []
  private var isSkipping = false

  /// A line that stands for more repetitions than this, in octets, is a gap.
  private static let mostRepeated = 1 << 18
  /// Where a line of a log may have the dump begin.
  private static let longestPrefix = 128

  init(_ form: InputForm, _ style: DumpLine.Style) {
    (self.form, self.style) = (form, style)
  }

  private var holdsPackets: Bool { form == .tcpdump || form == .tshark }

  mutating func read(_ b: Span<UInt8>, _ sink: inout TextSink) {
    let start = b.end(of: isSpace, from: 0)
    if start == b.count {
      if holdsPackets { end(&sink) }
      isSkipping = false
      return
    }
    if b.count - start == 1 && b[start] == 0x2a {
      isRepeated = true
      return
    }
    guard let line = Self.find(b, style) else {
      // "Frame (97 bytes):" begins what is a packet, "Reassembled TCP (8029 bytes):" what was seen before.
      if form == .tshark && (b.has("Frame (", at: start) || b.has("Reassembled ", at: start)) {
        end(&sink)
        isSkipping = b.has("Reassembled ", at: start)
        return
      }
      if form == .trace {
        if let direction = b.direction(upTo: min(b.count, start + 3)) {
          end(&sink)
          sink.turn(to: direction)
          return
        }
      }
      if form != .tcpdump { sink.skip(b.count) }
      return
    }
    if isSkipping { return }
    take(line, &sink)
  }

  /// The dump in a line, behind whatever a log put in front of it.
  static func find(_ b: Span<UInt8>, _ style: DumpLine.Style) -> DumpLine? {
    if let line = DumpLine(b, style) { return line }
    var at = 0
    while at < min(b.count, longestPrefix) {
      let c = b[at]
      at += 1
      if isSpace(c) || c == 0x3a || c == 0x7c || c == 0x3e,
        let line = DumpLine(b.extracting(at..<b.count), style), !line.octets.isEmpty
      {
        return line
      }
    }
    return nil
  }

  /// No more lines, for now or for ever.
  mutating func end(_ sink: inout TextSink) {
    commit(&sink)
    last = nil
    isRepeated = false
    if !packet.isEmpty { takePacket(&sink) }
  }

  mutating func finish(_ sink: inout TextSink) {
    end(&sink)
    packets?.finish()
  }

  mutating func nextOutput() -> StreamOutput? { packets?.nextOutput() }

  // MARK: Lines

  private mutating func take(_ line: DumpLine, _ sink: inout TextSink) {
    guard let last else {
      if line.octets.isEmpty { return }
      begin(line)
      return
    }
    learnRadix(last, line)
    let offset = line.offset(radix: radix ?? 16) ?? line.offset
    let expected = lastOffset + last.octets.count
    if line.octets.isEmpty {
      // Only the offset: the length. The last word may have had some octets too many.
      if isRepeated {
        commit(&sink)
        fill(offset - expected, &sink)
        self.last = nil
      } else if (1..<max(last.wordSize, 1)).contains(expected - offset) {
        self.last?.octets.removeLast(expected - offset)
      }
      end(&sink)
      return
    }
    if offset < expected || (offset == 0 && !isRepeated) {
      end(&sink)
      begin(line)
      return
    }
    commit(&sink)
    if isRepeated { fill(offset - expected, &sink) } else if offset > expected { missing(offset - expected, &sink) }
    isRepeated = false
    self.last = line
    lastOffset = offset
  }

  private mutating func begin(_ line: DumpLine) {
    last = line
    lastOffset = line.offset(radix: radix ?? 16) ?? line.offset
    isRepeated = false
  }

  private mutating func learnRadix(_ last: DumpLine, _ line: DumpLine) {
    if radix != nil { return }
    if form != .od && form != .hexdump {
      radix = 16
      return
    }
    for base in [16, 8, 10] {
      guard let a = last.offset(radix: base), let b = line.offset(radix: base) else { continue }
      let shortest = last.octets.count - (line.octets.isEmpty ? last.wordSize - 1 : 0)
      if (shortest...last.octets.count).contains(b - a) {
        radix = base
        lastOffset = a
        return
      }
    }
    radix = last.offsetDigits == 7 && form == .od ? 8 : 16
    lastOffset = last.offset(radix: radix ?? 16) ?? last.offset
  }

  private mutating func commit(_ sink: inout TextSink) {
    guard let last else { return }
    append(last.octets, &sink)
  }

  private mutating func append(_ octets: [UInt8], _ sink: inout TextSink) {
    if holdsPackets {
      if packet.count + octets.count <= longestPacket { packet += octets }
    } else {
      sink.append(octets)
    }
  }

  /// The last line again, so often that it makes so many octets.
  private mutating func fill(_ count: Int, _ sink: inout TextSink) {
    guard let last, count > 0 else { return }
    if count > (holdsPackets ? longestPacket : Self.mostRepeated) { return missing(count, &sink) }
    var left = count
    while left > 0 {
      let n = min(left, last.octets.count)
      append(Array(last.octets[..<n]), &sink)
      left -= n
    }
  }

  private mutating func missing(_ count: Int, _ sink: inout TextSink) {
    if holdsPackets { end(&sink) } else { sink.gap(count) }
  }

  // MARK: Packets

  private mutating func takePacket(_ sink: inout TextSink) {
    let octets = packet
    packet = []
    guard sink.isEmpty, let link = linkType(of: octets.span) ?? (packets == nil ? nil : 1) else {
      // Not a packet after all, but somebody's octets in that form.
      sink.append(octets)
      return
    }
    if packets == nil { packets = PacketStreams() }
    let packet = Packet(time: nil, linkType: link, octets: 0..<octets.count, cut: 0)
    if case .octets(let stream, let direction, _, let range)? = packets!.receive(packet, octets.span) {
      packets!.append(.held(stream: stream, direction, time: nil, Array(octets[range])))
    }
  }

  /// What stands in front of IP, as far as the octets tell; nil: nothing that looks like a packet.
  private func linkType(of b: Span<UInt8>) -> UInt32? {
    func isIP(_ at: Int) -> Bool {
      if b.count < at + 20 { return false }
      switch b[at] >> 4 {
      case 4: return b[at] & 15 >= 5 && (b.u16(at + 2) >= 20 || b.u16(at + 2) == 0)
      case 6: return b.count >= at + 40 && Int(b.u16(at + 4)) <= b.count - at - 40
      default: return false
      }
    }
    func isProtocol(_ at: Int) -> Bool {
      b.count >= at + 2 && [0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806].contains(b.u16(at))
    }
    if isIP(0) { return 101 }
    if isProtocol(12) { return 1 }
    if isProtocol(14) && isIP(16) { return 113 }
    if isProtocol(0) && isIP(20) { return 276 }
    return isIP(4) ? 0 : nil
  }
}
