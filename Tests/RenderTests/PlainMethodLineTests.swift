import Bytes
import Support
import Testing
import Wire

@testable import Render

/// The short way to a line and the long one, on the same octets.
@Suite struct PlainMethodLineTests {
  private func long(_ frame: [UInt8], properties: Bool) -> String {
    var dissector = Dissector()
    _ = dissector.frame091(frame.span, at: 0)
    var q = ByteQueue()
    if properties {
      FrameLine.appendProperties(dissector, frame.span, to: &q)
    } else {
      FrameLine.append(dissector, frame.span, to: &q)
    }
    return String(decoding: q.bytes, as: UTF8.self)
  }

  /// Nil: not plain.
  private func short(_ frame: [UInt8]) -> String? {
    let b = frame.span
    let (range, payload) = (0..<frame.count, Frame091.headSize..<frame.count - 1)
    var q = ByteQueue()
    let isPlain =
      if let publish = HotPublish(b, payload) {
        PlainMethodLine.append(publish, b, range, to: &q)
      } else if let deliver = HotDeliver(b, payload) {
        PlainMethodLine.append(deliver, b, range, to: &q)
      } else if let settlement = HotSettlement(b, payload) {
        PlainMethodLine.append(settlement, b, range, to: &q)
      } else if b[0] == 2, let header = HotContentHeader(b, payload) {
        PlainMethodLine.append(header, b, range, to: &q)
      } else {
        false
      }
    #expect(isPlain || q.isEmpty)
    return isPlain ? String(decoding: q.bytes, as: UTF8.self) : nil
  }

  private static let names: [[UInt8]] = [
    [], Array("a.b".utf8), Array("$x/@*#%+:_-09AZ".utf8), Array(repeating: 0x61, count: 255),
  ]
  private static let odd: [[UInt8]] = [Array("a b".utf8), Array("a=b".utf8), [0], [0xff], Array("é".utf8), [0x7f]]

  private func frames(_ name: [UInt8], _ other: [UInt8]) -> [[UInt8]] {
    var q = ByteQueue()
    var all: [[UInt8]] = []
    func take() {
      all.append(q.bytes)
      q.removeAll()
    }
    for bits: UInt8 in 0...3 {
      q.appendPublish(
        channel: 7, exchange: name.span, routingKey: other.span, mandatory: bits & 1 != 0, immediate: bits & 2 != 0)
      take()
      q.appendDeliver(
        channel: 7, consumerTag: name.span, deliveryTag: .max, redelivered: bits & 1 != 0, exchange: other.span,
        routingKey: name.span)
      take()
      q.appendAck(channel: 65_535, deliveryTag: UInt64(bits), multiple: bits & 1 != 0)
      take()
      q.appendNack(channel: 1, deliveryTag: 10, multiple: bits & 1 != 0, requeue: bits & 2 != 0)
      take()
      q.appendReject(channel: 1, deliveryTag: 99, requeue: bits & 1 != 0)
      take()
    }
    for flags: UInt16 in [0, 0x8000, 0x9800, 0x1800, 0xcf38, 0x0400] {
      var properties = ByteQueue()
      properties.append16(flags)
      for i in 0..<14 where flags & 0x8000 >> UInt16(i) != 0 {
        if i == 3 || i == 4 {
          properties.append(UInt8(i))
        } else {
          properties.append(UInt8(name.count))
          properties.append(name)
        }
      }
      properties.withReadable { q.appendContentHeader(channel: 1, bodySize: 5, properties: $0) }
      take()
    }
    return all
  }

  @Test func sameText() {
    var plain = 0
    for name in Self.names + Self.odd {
      for other in Self.names + Self.odd {
        for frame in frames(name, other) {
          guard let text = short(frame) else { continue }
          plain += 1
          #expect(text == long(frame, properties: frame[0] == 2))
        }
      }
    }
    #expect(plain > 1000)
  }

  @Test func plainIsPlain() {
    for name in Self.names {
      for frame in frames(name, name) { #expect(short(frame) != nil) }
    }
  }

  /// Any octet changed: what is still plain reads the same both ways.
  @Test func spoilt() {
    for frame in frames(Array("key".utf8), Array("x".utf8)) {
      for i in Frame091.headSize..<frame.count - 1 {
        for value: UInt8 in [0, 1, 2, 3, 4, 0x22, 0x7f, 0x80, 0xff] {
          var spoilt = frame
          spoilt[i] = value
          guard let text = short(spoilt) else { continue }
          #expect(text == long(spoilt, properties: spoilt[0] == 2), "\(i) = \(value)")
        }
      }
    }
  }
}
