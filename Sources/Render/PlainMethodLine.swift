/// The line of a publish, deliver or settlement of 0-9-1 and the properties of its message straight from the octets, for
/// those that come by the million: plain names, plain properties. Whatever is not plain is answered with false and goes
/// through the dissector and `FrameLine`; a test holds both to the same text.
package import Bytes
package import Wire

package enum PlainMethodLine {
  /// The longest line: three short strings and what stands around them.
  private static let room = 2048

  /// Appends "ch=1 basic.publish exchange=logs routing-key=a.b". `range` is the whole frame's.
  package static func append(
    _ publish: HotPublish, _ b: Span<UInt8>, _ range: Range<Int>, to q: inout ByteQueue
  ) -> Bool {
    // Bits that no field has.
    if b[range.upperBound &- 2] > 3 { return false }
    return q.write(room: room) { w in
      w.append("ch=")
      w.append(decimal: UInt64(b.u16(range.lowerBound &+ 1)))
      w.append(" basic.publish exchange=")
      guard w.append(name: b.extracting(publish.exchange)) else { return false }
      w.append(" routing-key=")
      guard w.append(name: b.extracting(publish.routingKey)) else { return false }
      if publish.mandatory { w.append(" mandatory") }
      if publish.immediate { w.append(" immediate") }
      return true
    }
  }

  package static func append(
    _ deliver: HotDeliver, _ b: Span<UInt8>, _ range: Range<Int>, to q: inout ByteQueue
  ) -> Bool {
    if b[deliver.exchange.lowerBound &- 2] > 1 { return false }
    return q.write(room: room) { w in
      w.append("ch=")
      w.append(decimal: UInt64(b.u16(range.lowerBound &+ 1)))
      w.append(" basic.deliver consumer-tag=")
      guard w.append(name: b.extracting(deliver.consumerTag)) else { return false }
      w.append(" delivery-tag=")
      w.append(decimal: deliver.deliveryTag)
      if deliver.redelivered { w.append(" redelivered") }
      w.append(" exchange=")
      guard w.append(name: b.extracting(deliver.exchange)) else { return false }
      w.append(" routing-key=")
      return w.append(name: b.extracting(deliver.routingKey))
    }
  }

  /// Whether `append` takes it: bits that no field has are the dissector's business.
  package static func isPlain(_ settlement: HotSettlement, _ b: Span<UInt8>, _ range: Range<Int>) -> Bool {
    b[range.upperBound &- 2] <= (settlement.id == MethodID.basicNack ? 3 : 1)
  }

  package static func append(
    _ settlement: HotSettlement, _ b: Span<UInt8>, _ range: Range<Int>, to w: inout TailWriter
  ) {
    w.append("ch=")
    w.append(decimal: UInt64(b.u16(range.lowerBound &+ 1)))
    switch settlement.id {
    case MethodID.basicAck: w.append(" basic.ack delivery-tag=")
    case MethodID.basicNack: w.append(" basic.nack delivery-tag=")
    default: w.append(" basic.reject delivery-tag=")
    }
    w.append(decimal: settlement.deliveryTag)
    if settlement.multiple { w.append(" multiple") }
    if settlement.requeue { w.append(" requeue") }
  }

  package static func append(
    _ settlement: HotSettlement, _ b: Span<UInt8>, _ range: Range<Int>, to q: inout ByteQueue
  ) -> Bool {
    if !isPlain(settlement, b, range) { return false }
    return q.write(room: room) { w in
      append(settlement, b, range, to: &w)
      return true
    }
  }

  /// The room that the start of a body takes.
  package static let bodyRoom = 8 * FrameLine.preview

  /// Appends "\"hello\" 5 octets". Returns false when it takes more than this.
  package static func append(body octets: Span<UInt8>, to w: inout TailWriter) -> Bool {
    let shown = min(octets.count, FrameLine.preview)
    // A cut must not go through a character, and what is no text is shown otherwise.
    if shown < octets.count && (octets[shown] >= 0x80 || octets.firstInvalidUTF8() != nil) { return false }
    if !w.append(quoted: octets.extracting(0..<shown)) { return false }
    if shown < octets.count { w.append("…") }
    w.append(UInt8(ascii: " "))
    w.append(decimal: UInt64(octets.count))
    if octets.count == 1 { w.append(" octet") } else { w.append(" octets") }
    return true
  }

  /// Appends " content-type=text/plain delivery-mode=2".
  package static func append(
    _ header: HotContentHeader, _ b: Span<UInt8>, _ range: Range<Int>, to q: inout ByteQueue
  ) -> Bool {
    var at = header.properties.lowerBound
    let end = header.properties.upperBound
    if end &- at < 2 || b.u16(at &- 10) != 0 { return false }
    let flags = b.u16(at)
    if flags & 3 != 0 { return false }
    at &+= 2
    let table = MethodTable.shared
    let names = table.names
    return q.write(room: 14 * 280) { w in
      for i in 0..<14 where flags & 0x8000 >> UInt16(truncatingIfNeeded: i) != 0 {
        w.append(" ")
        w.append(names.span.extracting(table.properties[i].name))
        w.append("=")
        switch table.properties[i].type {
        case .shortstr:
          guard at < end, end &- at &- 1 >= Int(b[at]) else { return false }
          let stop = at &+ 1 &+ Int(b[at])
          guard w.append(name: b.extracting(at &+ 1..<stop)) else { return false }
          at = stop
        case .octet:
          guard at < end else { return false }
          w.append(decimal: UInt64(b[at]))
          at &+= 1
        case .bit, .short, .long, .longlong, .longstr, .timestamp, .table: return false
        }
      }
      return at == end
    }
  }
}

extension TailWriter {
  /// Text that stands without quotes, or nothing, which stands as two.
  @inline(__always)
  fileprivate mutating func append(name: Span<UInt8>) -> Bool {
    if name.isEmpty {
      append("\"\"")
      return true
    }
    if !PlainText.isSafe(name) { return false }
    append(name)
    return true
  }
}
