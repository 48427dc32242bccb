/// The object of a publish, deliver, settlement, content header or body of 0-9-1 straight from the octets, as `FrameJSON`
/// writes it, for those that come by the million. Whether a frame is plain is asked first, because what is known about it is
/// known only when it was taken; whatever is not goes through the dissector. A test holds both to the same text.
package import Bytes
package import Wire

package enum PlainMethodJSON {
  /// Names and numbers around three short strings or the properties.
  private static let room = 2048
  /// Numbers beyond this stand in quotes.
  private static let exact: UInt64 = 1 << 53

  // MARK: What is plain

  package static func isPlain(_ publish: HotPublish, _ b: Span<UInt8>, _ range: Range<Int>) -> Bool {
    // Bits that no field has, and a ticket, which nobody fills in.
    b[range.upperBound &- 2] <= 3 && b.u16(range.lowerBound &+ Frame091.headSize &+ 4) == 0
      && isText(b, publish.exchange) && isText(b, publish.routingKey)
  }

  package static func isPlain(_ deliver: HotDeliver, _ b: Span<UInt8>) -> Bool {
    b[deliver.exchange.lowerBound &- 2] <= 1 && deliver.deliveryTag <= exact && isText(b, deliver.consumerTag)
      && isText(b, deliver.exchange) && isText(b, deliver.routingKey)
  }

  package static func isPlain(_ settlement: HotSettlement, _ b: Span<UInt8>, _ range: Range<Int>) -> Bool {
    PlainMethodLine.isPlain(settlement, b, range) && settlement.deliveryTag <= exact
  }

  /// Only short strings and octets, and nothing behind them.
  package static func isPlain(_ header: HotContentHeader, _ b: Span<UInt8>) -> Bool {
    var at = header.properties.lowerBound
    let end = header.properties.upperBound
    if end &- at < 2 || b.u16(at &- 10) != 0 || header.bodySize > exact { return false }
    let flags = b.u16(at)
    if flags & 3 != 0 { return false }
    at &+= 2
    let table = MethodTable.shared
    for i in 0..<14 where flags & 0x8000 >> UInt16(truncatingIfNeeded: i) != 0 {
      guard at < end else { return false }
      switch table.properties[i].type {
      case .shortstr:
        let stop = at &+ 1 &+ Int(b[at])
        if stop > end || !isText(b, at &+ 1..<stop) { return false }
        at = stop
      case .octet: at &+= 1
      case .bit, .short, .long, .longlong, .longstr, .timestamp, .table: return false
      }
    }
    return at == end
  }

  private static func isText(_ b: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let octets = b.extracting(range)
    return octets.firstInvalidUTF8() == nil && octets.firstIndex(of: 0, from: 0) == nil
  }

  // MARK: Writing

  package static func append(
    _ publish: HotPublish, _ b: Span<UInt8>, _ range: Range<Int>, _ context: FrameContext, to q: inout ByteQueue
  ) {
    write(b, range, context, room: TailWriter.escaped * range.count, to: &q) { w in
      w.append("\"basic.publish\",\"fields\":{\"exchange\":")
      w.append(jsonString: b.extracting(publish.exchange))
      w.append(",\"routing-key\":")
      w.append(jsonString: b.extracting(publish.routingKey))
      w.append(",\"mandatory\":", publish.mandatory)
      w.append(",\"immediate\":", publish.immediate)
      w.append(UInt8(ascii: "}"))
    }
  }

  package static func append(
    _ deliver: HotDeliver, _ b: Span<UInt8>, _ range: Range<Int>, _ context: FrameContext, to q: inout ByteQueue
  ) {
    write(b, range, context, room: TailWriter.escaped * range.count, to: &q) { w in
      w.append("\"basic.deliver\",\"fields\":{\"consumer-tag\":")
      w.append(jsonString: b.extracting(deliver.consumerTag))
      w.append(",\"delivery-tag\":")
      w.append(decimal: deliver.deliveryTag)
      w.append(",\"redelivered\":", deliver.redelivered)
      w.append(",\"exchange\":")
      w.append(jsonString: b.extracting(deliver.exchange))
      w.append(",\"routing-key\":")
      w.append(jsonString: b.extracting(deliver.routingKey))
      w.append(UInt8(ascii: "}"))
    }
  }

  package static func append(
    _ settlement: HotSettlement, _ b: Span<UInt8>, _ range: Range<Int>, _ context: FrameContext, to q: inout ByteQueue
  ) {
    write(b, range, context, room: 0, to: &q) { w in
      switch settlement.id {
      case MethodID.basicAck: w.append("\"basic.ack\",\"fields\":{\"delivery-tag\":")
      case MethodID.basicNack: w.append("\"basic.nack\",\"fields\":{\"delivery-tag\":")
      default: w.append("\"basic.reject\",\"fields\":{\"delivery-tag\":")
      }
      w.append(decimal: settlement.deliveryTag)
      if settlement.id != MethodID.basicReject { w.append(",\"multiple\":", settlement.multiple) }
      if settlement.id != MethodID.basicAck { w.append(",\"requeue\":", settlement.requeue) }
      w.append(UInt8(ascii: "}"))
    }
  }

  package static func append(
    _ header: HotContentHeader, _ b: Span<UInt8>, _ range: Range<Int>, _ context: FrameContext, to q: inout ByteQueue
  ) {
    let table = MethodTable.shared
    let names = table.names
    write(b, range, context, room: TailWriter.escaped * range.count, to: &q) { w in
      var at = header.properties.lowerBound
      let flags = b.u16(at)
      at &+= 2
      w.append("\"content-header\",\"fields\":{\"class-id\":60,\"weight\":0,\"body-size\":")
      w.append(decimal: header.bodySize)
      w.append(",\"property-flags\":")
      w.append(decimal: UInt64(flags))
      w.append("},\"properties\":{")
      var isFirst = true
      for i in 0..<14 where flags & 0x8000 >> UInt16(truncatingIfNeeded: i) != 0 {
        if isFirst { w.append(UInt8(ascii: "\"")) } else { w.append(",\"") }
        isFirst = false
        w.append(names.span.extracting(table.properties[i].name))
        w.append("\":")
        if table.properties[i].type == .octet {
          w.append(decimal: UInt64(b[at]))
          at &+= 1
        } else {
          let stop = at &+ 1 &+ Int(b[at])
          w.append(jsonString: b.extracting(at &+ 1..<stop))
          at = stop
        }
      }
      w.append(UInt8(ascii: "}"))
    }
  }

  /// A body frame.
  package static func append(
    body octets: Span<UInt8>, _ b: Span<UInt8>, _ range: Range<Int>, _ context: FrameContext, to q: inout ByteQueue
  ) {
    write(b, range, context, room: TailWriter.escaped * octets.count, to: &q) { w in
      if octets.firstInvalidUTF8() == nil {
        w.append("\"body\",\"body\":{\"text\":")
        w.append(jsonString: octets)
      } else {
        w.append("\"body\",\"body\":{\"data\":\"")
        w.append(base64: octets)
        w.append(UInt8(ascii: "\""))
      }
      w.append(UInt8(ascii: "}"))
    }
  }

  @inline(__always)
  private static func write(
    _ b: Span<UInt8>, _ range: Range<Int>, _ context: FrameContext, room: Int, to q: inout ByteQueue,
    _ body: (inout TailWriter) -> Void
  ) {
    _ = q.write(room: PlainMethodJSON.room &+ context.room &+ room) { w in
      w.append(UInt8(ascii: "{"))
      w.append(context)
      w.append("\"channel\":")
      w.append(decimal: UInt64(b.u16(range.lowerBound &+ 1)))
      w.append(",\"frame\":")
      body(&w)
      w.append(UInt8(ascii: "}"))
      return true
    }
  }
}

extension TailWriter {
  @inline(__always)
  fileprivate mutating func append(_ name: StaticString, _ value: Bool) {
    append(name)
    if value { append("true") } else { append("false") }
  }
}
