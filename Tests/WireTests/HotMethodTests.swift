/// The short way through the hot methods and frames of 0-9-1 writes and reads what the rows say.
import Bytes
import Support
import Testing
import Wire

private let strings: [String] = ["", "a", "logs.eu", String(repeating: "k", count: 255)]

private func text(_ b: [UInt8], _ range: Range<Int>) -> Value { .string(String(decoding: b[range], as: UTF8.self)) }

private struct NotTaken: Error {}

/// What a hot reader answered. `#require` can't look at a span.
private func taken<T>(_ value: T?) throws -> T {
  guard let value else { throw NotTaken() }
  return value
}

@Suite struct HotMethodTests {
  /// Checks that the rows write what the hot writer did, and returns it with its payload.
  private func same(
    _ id: UInt32, _ fields: [Value], _ write: (inout ByteQueue) -> Void
  ) throws -> (bytes: [UInt8], payload: Range<Int>) {
    var hot = ByteQueue()
    write(&hot)
    var rows = ByteQueue()
    try rows.appendMethod(channel: 300, MethodRecord(id, fields))
    #expect(hexText(hot.bytes) == hexText(rows.bytes))
    let bytes = hot.bytes
    guard case .frame(let frame) = Frame091.read(bytes.span, at: 0, largest: 65_536) else {
      Issue.record("no frame")
      return (bytes, 0..<0)
    }
    #expect(frame.type == .method && frame.channel == 300 && frame.end == bytes.count)
    return (bytes, frame.payload)
  }

  @Test func publish() throws {
    for exchange in strings {
      for key in strings {
        for bits in 0..<4 {
          let (mandatory, immediate) = (bits & 1 == 1, bits & 2 == 2)
          let fields: [Value] = [
            .ushort(0), .string(exchange), .string(key), .boolean(mandatory), .boolean(immediate),
          ]
          let (b, payload) = try same(MethodID.basicPublish, fields) {
            $0.appendPublish(
              channel: 300, exchange: [UInt8](utf8: exchange).span, routingKey: [UInt8](utf8: key).span,
              mandatory: mandatory, immediate: immediate)
          }
          let read = try taken(HotPublish(b.span, payload))
          #expect(text(b, read.exchange) == .string(exchange) && text(b, read.routingKey) == .string(key))
          #expect(read.mandatory == mandatory && read.immediate == immediate)
        }
      }
    }
  }

  @Test func deliverAndGet() throws {
    for (i, exchange) in strings.enumerated() {
      let (consumer, key) = (strings[(i + 1) % 4], strings[(i + 2) % 4])
      for redelivered in [true, false] {
        let (b, payload) = try same(
          MethodID.basicDeliver,
          [.string(consumer), .ulong(.max - 1), .boolean(redelivered), .string(exchange), .string(key)]
        ) {
          $0.appendDeliver(
            channel: 300, consumerTag: [UInt8](utf8: consumer).span, deliveryTag: .max - 1, redelivered: redelivered,
            exchange: [UInt8](utf8: exchange).span, routingKey: [UInt8](utf8: key).span)
        }
        let read = try taken(HotDeliver(b.span, payload))
        #expect(text(b, read.consumerTag) == .string(consumer) && text(b, read.exchange) == .string(exchange))
        #expect(text(b, read.routingKey) == .string(key))
        #expect(read.deliveryTag == .max - 1 && read.redelivered == redelivered)

        let (c, got) = try same(
          MethodID.basicGetOK, [.ulong(7), .boolean(redelivered), .string(exchange), .string(key), .uint(9)]
        ) {
          $0.appendGetOK(
            channel: 300, deliveryTag: 7, redelivered: redelivered, exchange: [UInt8](utf8: exchange).span,
            routingKey: [UInt8](utf8: key).span, messageCount: 9)
        }
        let ok = try taken(HotGetOK(c.span, got))
        #expect(text(c, ok.exchange) == .string(exchange) && text(c, ok.routingKey) == .string(key))
        #expect(ok.deliveryTag == 7 && ok.redelivered == redelivered && ok.messageCount == 9)
      }
    }
  }

  @Test func settlements() throws {
    for bits in 0..<4 {
      let (multiple, requeue) = (bits & 1 == 1, bits & 2 == 2)
      var (b, payload) = try same(MethodID.basicAck, [.ulong(3), .boolean(multiple)]) {
        $0.appendAck(channel: 300, deliveryTag: 3, multiple: multiple)
      }
      var read = try taken(HotSettlement(b.span, payload))
      #expect(read.id == MethodID.basicAck && read.deliveryTag == 3 && read.multiple == multiple && !read.requeue)
      (b, payload) = try same(MethodID.basicNack, [.ulong(3), .boolean(multiple), .boolean(requeue)]) {
        $0.appendNack(channel: 300, deliveryTag: 3, multiple: multiple, requeue: requeue)
      }
      read = try taken(HotSettlement(b.span, payload))
      #expect(read.id == MethodID.basicNack && read.multiple == multiple && read.requeue == requeue)
      (b, payload) = try same(MethodID.basicReject, [.ulong(3), .boolean(requeue)]) {
        $0.appendReject(channel: 300, deliveryTag: 3, requeue: requeue)
      }
      read = try taken(HotSettlement(b.span, payload))
      #expect(read.id == MethodID.basicReject && !read.multiple && read.requeue == requeue)
    }
  }

  @Test func contentAndHeartbeat() throws {
    var q = ByteQueue()
    q.appendContentHeader(channel: 1, bodySize: 5, properties: octets("8000 0161").span)
    q.appendBody(channel: 1, [UInt8](utf8: "hello").span)
    q.appendHeartbeat()
    #expect(
      hexText(q.bytes)
        == "02000100000010003c00000000000000000005800001" + "61ce" + "0300010000000568656c6c6fce" + "0800000000"
        + "0000ce")
    let b = q.bytes
    guard case .frame(let head) = Frame091.read(b.span, at: 0, largest: 24) else {
      Issue.record("no header")
      return
    }
    let read = try taken(HotContentHeader(b.span, head.payload))
    #expect(read.bodySize == 5)
    #expect(try BasicProperties(b.span, read.properties)[.contentType] == .string("a"))
  }

  /// Whatever the hot readers take, the rows take and say the same; every hot frame cut anywhere is none.
  @Test func nothingElse() throws {
    var random = FixedRandom(seed: 4)
    let methods = [MethodID.basicPublish, MethodID.basicDeliver, MethodID.basicGetOK, MethodID.basicAck]
    for _ in 0..<40_000 {
      var q = ByteQueue()
      q.append32(methods.randomElement(using: &random)!)
      for _ in 0..<Int.random(in: 0...40, using: &random) { q.append(UInt8(random.next() % 5)) }
      let (b, payload) = (q.bytes, 0..<q.count)
      let record = try? MethodRecord(b.span, payload)
      if let hot = HotPublish(b.span, payload) {
        let record = try #require(record)
        #expect(text(b, hot.exchange) == record["exchange"] && text(b, hot.routingKey) == record["routing-key"])
        #expect(.boolean(hot.mandatory) == record["mandatory"] && .boolean(hot.immediate) == record["immediate"])
      }
      if let hot = HotDeliver(b.span, payload) {
        let record = try #require(record)
        #expect(text(b, hot.consumerTag) == record["consumer-tag"] && .ulong(hot.deliveryTag) == record["delivery-tag"])
        #expect(text(b, hot.exchange) == record["exchange"] && text(b, hot.routingKey) == record["routing-key"])
      }
      if let hot = HotGetOK(b.span, payload) {
        let record = try #require(record)
        #expect(.ulong(hot.deliveryTag) == record["delivery-tag"] && .uint(hot.messageCount) == record["message-count"])
        #expect(text(b, hot.exchange) == record["exchange"] && text(b, hot.routingKey) == record["routing-key"])
      }
      if let hot = HotSettlement(b.span, payload) {
        let record = try #require(record)
        #expect(hot.id == record.id && .ulong(hot.deliveryTag) == record["delivery-tag"])
      }
    }
  }

  @Test func badFrames() {
    func problem(_ hex: String, largest: UInt32 = 4096) -> Problem? {
      if case .malformed(let p) = Frame091.read(octets(hex).span, at: 0, largest: largest) { p } else { nil }
    }
    #expect(problem("04000000000000ce")?.offset == 0)
    #expect(problem("01000000000ff9")?.text == "expected size <= 4088, got 4089")
    #expect(problem("010000ffffffff")?.offset == 3)
    #expect(problem("0800000000000000")?.text == "expected frame-end 0xce, got 0x00")
    for n in 0..<8 {
      let start = Array(octets("08000000000000ce")[..<n])
      #expect(Frame091.read(start.span, at: 0, largest: 4096) == .incomplete)
    }
  }
}
