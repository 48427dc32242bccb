import Bytes
import Support
import Testing
import Wire

@testable import Render

/// The short way to the object of a 0-9-1 frame and the long one, on the same octets.
@Suite struct PlainMethodJSONTests {
  private func long(_ frame: [UInt8], _ context: FrameContext) -> String {
    var dissector = Dissector()
    _ = dissector.frame091(frame.span, at: 0)
    #expect(dissector.problems.isEmpty)
    var q = ByteQueue()
    FrameJSON.append(dissector, frame.span, context, to: &q)
    return q.text
  }

  /// Nil: not plain.
  private func short(_ frame: [UInt8], _ context: FrameContext) -> String? {
    let b = frame.span
    let (range, payload) = (0..<frame.count, Frame091.headSize..<frame.count - 1)
    var q = ByteQueue()
    if frame[0] == 3 {
      PlainMethodJSON.append(body: b.extracting(payload), b, range, context, to: &q)
    } else if frame[0] == 2 {
      guard let header = HotContentHeader(b, payload), PlainMethodJSON.isPlain(header, b) else { return nil }
      PlainMethodJSON.append(header, b, range, context, to: &q)
    } else if let publish = HotPublish(b, payload) {
      if !PlainMethodJSON.isPlain(publish, b, range) { return nil }
      PlainMethodJSON.append(publish, b, range, context, to: &q)
    } else if let deliver = HotDeliver(b, payload) {
      if !PlainMethodJSON.isPlain(deliver, b) { return nil }
      PlainMethodJSON.append(deliver, b, range, context, to: &q)
    } else if let settlement = HotSettlement(b, payload) {
      if !PlainMethodJSON.isPlain(settlement, b, range) { return nil }
      PlainMethodJSON.append(settlement, b, range, context, to: &q)
    } else {
      return nil
    }
    return q.text
  }

  private static let names: [[UInt8]] = [
    [], Array("a.b".utf8), Array("a \"b\" \\ é\n".utf8), Array(repeating: 0x61, count: 255), [1, 2, 0x7f],
  ]

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
        channel: 7, consumerTag: name.span, deliveryTag: 1 << 53, redelivered: bits & 1 != 0, exchange: other.span,
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
    q.appendBody(channel: 3, name.span)
    take()
    q.appendBody(channel: 3, ([0xff] + name).span)
    take()
    return all
  }

  @Test func sameText() {
    for name in Self.names {
      for other in Self.names {
        for frame in frames(name, other) {
          for context in PlainFrameJSONTests.contexts { #expect(short(frame, context) == long(frame, context)) }
        }
      }
    }
  }

  @Test func largeNumbersAreNotPlain() {
    var q = ByteQueue()
    q.appendAck(channel: 1, deliveryTag: 1 << 53 + 1, multiple: false)
    #expect(short(q.bytes, FrameContext()) == nil)
  }

  /// Any octet changed: what is still plain has the same object both ways, and nothing wrong about it.
  @Test func spoilt() {
    for frame in frames(Array("key".utf8), Array("x".utf8)) {
      for i in Frame091.headSize..<frame.count - 1 {
        for value: UInt8 in [0, 1, 2, 3, 4, 0x22, 0x7f, 0x80, 0xff] {
          var spoilt = frame
          spoilt[i] = value
          guard let text = short(spoilt, FrameContext()) else { continue }
          #expect(text == long(spoilt, FrameContext()), "\(i) = \(value)")
        }
      }
    }
  }
}
