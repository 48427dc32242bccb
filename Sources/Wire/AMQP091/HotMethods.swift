/// The methods and frames that go by the million, written and read straight as octets. Whatever is not well formed is
/// answered with nil and goes through `MethodRecord` or the dissector, which find the words for it; a test holds all of
/// them against the rows.
package import Bytes

// MARK: Writing

extension ByteQueue {
  @inline(__always)
  private mutating func beginMethod(_ channel: UInt16, _ id: UInt32, size: Int) {
    reserve(size + Frame091.overhead)
    append(FrameType091.method.rawValue)
    append16(channel)
    append32(UInt32(size))
    append32(id)
  }

  /// A short string that was found to fit.
  @inline(__always)
  private mutating func short(_ octets: Span<UInt8>) {
    append(UInt8(octets.count))
    append(octets)
  }

  /// The strings must not be longer than 255 octets.
  package mutating func appendPublish(
    channel: UInt16, exchange: Span<UInt8>, routingKey: Span<UInt8>, mandatory: Bool, immediate: Bool = false
  ) {
    beginMethod(channel, MethodID.basicPublish, size: 9 + exchange.count + routingKey.count)
    append16(0)
    short(exchange)
    short(routingKey)
    append((mandatory ? 1 : 0) | (immediate ? 2 : 0))
    append(Frame091.endOctet)
  }

  /// The strings must not be longer than 255 octets.
  package mutating func appendDeliver(
    channel: UInt16, consumerTag: Span<UInt8>, deliveryTag: UInt64, redelivered: Bool, exchange: Span<UInt8>,
    routingKey: Span<UInt8>
  ) {
    beginMethod(
      channel, MethodID.basicDeliver, size: 16 + consumerTag.count + exchange.count + routingKey.count)
    short(consumerTag)
    append64(deliveryTag)
    append(redelivered ? 1 : 0)
    short(exchange)
    short(routingKey)
    append(Frame091.endOctet)
  }

  /// The strings must not be longer than 255 octets.
  package mutating func appendGetOK(
    channel: UInt16, deliveryTag: UInt64, redelivered: Bool, exchange: Span<UInt8>, routingKey: Span<UInt8>,
    messageCount: UInt32
  ) {
    beginMethod(channel, MethodID.basicGetOK, size: 19 + exchange.count + routingKey.count)
    append64(deliveryTag)
    append(redelivered ? 1 : 0)
    short(exchange)
    short(routingKey)
    append32(messageCount)
    append(Frame091.endOctet)
  }

  package mutating func appendAck(channel: UInt16, deliveryTag: UInt64, multiple: Bool) {
    appendSettlement(channel, MethodID.basicAck, deliveryTag, multiple ? 1 : 0)
  }

  package mutating func appendNack(channel: UInt16, deliveryTag: UInt64, multiple: Bool, requeue: Bool) {
    appendSettlement(channel, MethodID.basicNack, deliveryTag, (multiple ? 1 : 0) | (requeue ? 2 : 0))
  }

  package mutating func appendReject(channel: UInt16, deliveryTag: UInt64, requeue: Bool) {
    appendSettlement(channel, MethodID.basicReject, deliveryTag, requeue ? 1 : 0)
  }

  private mutating func appendSettlement(_ channel: UInt16, _ id: UInt32, _ tag: UInt64, _ bits: UInt8) {
    beginMethod(channel, id, size: 13)
    append64(tag)
    append(bits)
    append(Frame091.endOctet)
  }

  /// `properties` are flags and values as `append(BasicProperties)` writes them.
  package mutating func appendContentHeader(channel: UInt16, bodySize: UInt64, properties: Span<UInt8>) {
    reserve(12 + properties.count + Frame091.overhead)
    append(FrameType091.header.rawValue)
    append16(channel)
    append32(UInt32(12 + properties.count))
    // The class, and a weight that is always 0.
    append32(MethodID.basicClass << 16)
    append64(bodySize)
    append(properties)
    append(Frame091.endOctet)
  }

  /// One body frame: at most the peer's frame-max less 8 octets.
  package mutating func appendBody(channel: UInt16, _ octets: Span<UInt8>) {
    reserve(octets.count + Frame091.overhead)
    append(FrameType091.body.rawValue)
    append16(channel)
    append32(UInt32(octets.count))
    append(octets)
    append(Frame091.endOctet)
  }
}

// MARK: Reading

/// The octets of a short string at `at`, which is moved behind it; nil when it does not fit.
@inline(__always)
private func short(_ b: Span<UInt8>, _ at: inout Int, _ end: Int) -> Range<Int>? {
  if at >= end { return nil }
  let start = at &+ 1
  let stop = start &+ Int(b[at])
  if stop > end { return nil }
  at = stop
  return start..<stop
}

/// basic.publish. The ranges are those of the strings' octets.
package struct HotPublish: Sendable, Equatable {
  package var exchange: Range<Int>
  package var routingKey: Range<Int>
  package var mandatory: Bool
  package var immediate: Bool

  /// `payload` is that of a method frame. Nil: another method, or not well formed.
  @inline(__always)
  package init?(_ b: Span<UInt8>, _ payload: Range<Int>) {
    guard payload.count >= 9, b.u32(payload.lowerBound) == MethodID.basicPublish else { return nil }
    var at = payload.lowerBound &+ 6
    let end = payload.upperBound &- 1
    guard let exchange = short(b, &at, end), let key = short(b, &at, end), at == end else { return nil }
    (self.exchange, routingKey) = (exchange, key)
    (mandatory, immediate) = (b[at] & 1 != 0, b[at] & 2 != 0)
  }
}

/// basic.deliver.
package struct HotDeliver: Sendable, Equatable {
  package var consumerTag: Range<Int>
  package var deliveryTag: UInt64
  package var redelivered: Bool
  package var exchange: Range<Int>
  package var routingKey: Range<Int>

  @inline(__always)
  package init?(_ b: Span<UInt8>, _ payload: Range<Int>) {
    guard payload.count >= 16, b.u32(payload.lowerBound) == MethodID.basicDeliver else { return nil }
    var at = payload.lowerBound &+ 4
    let end = payload.upperBound
    guard let consumer = short(b, &at, end), end &- at >= 11 else { return nil }
    consumerTag = consumer
    deliveryTag = b.u64(at)
    redelivered = b[at &+ 8] & 1 != 0
    at &+= 9
    guard let exchange = short(b, &at, end), let key = short(b, &at, end), at == end else { return nil }
    (self.exchange, routingKey) = (exchange, key)
  }
}

/// basic.get-ok.
package struct HotGetOK: Sendable, Equatable {
  package var deliveryTag: UInt64
  package var redelivered: Bool
  package var exchange: Range<Int>
  package var routingKey: Range<Int>
  package var messageCount: UInt32

  @inline(__always)
  package init?(_ b: Span<UInt8>, _ payload: Range<Int>) {
    guard payload.count >= 19, b.u32(payload.lowerBound) == MethodID.basicGetOK else { return nil }
    var at = payload.lowerBound &+ 13
    let end = payload.upperBound &- 4
    deliveryTag = b.u64(at &- 9)
    redelivered = b[at &- 1] & 1 != 0
    guard let exchange = short(b, &at, end), let key = short(b, &at, end), at == end else { return nil }
    (self.exchange, routingKey) = (exchange, key)
    messageCount = b.u32(end)
  }
}

/// basic.ack, basic.nack and basic.reject.
package struct HotSettlement: Sendable, Equatable {
  /// Which of the three.
  package var id: UInt32
  package var deliveryTag: UInt64
  package var multiple: Bool
  package var requeue: Bool

  @inline(__always)
  package init?(_ b: Span<UInt8>, _ payload: Range<Int>) {
    guard payload.count == 13 else { return nil }
    id = b.u32(payload.lowerBound)
    deliveryTag = b.u64(payload.lowerBound &+ 4)
    let bits = b[payload.lowerBound &+ 12]
    switch id {
    case MethodID.basicAck: (multiple, requeue) = (bits & 1 != 0, false)
    case MethodID.basicNack: (multiple, requeue) = (bits & 1 != 0, bits & 2 != 0)
    case MethodID.basicReject: (multiple, requeue) = (false, bits & 1 != 0)
    default: return nil
    }
  }
}

/// The content header of a message: the size of its body, and where its properties stand.
package struct HotContentHeader: Sendable, Equatable {
  package var bodySize: UInt64
  /// Flags and values, for `BasicProperties`.
  package var properties: Range<Int>

  /// `payload` is that of a header frame. Nil: another class, or too short.
  @inline(__always)
  package init?(_ b: Span<UInt8>, _ payload: Range<Int>) {
    guard payload.count >= 14, b.u16(payload.lowerBound) == UInt16(MethodID.basicClass) else { return nil }
    bodySize = b.u64(payload.lowerBound &+ 4)
    properties = payload.lowerBound &+ 12..<payload.upperBound
  }
}
