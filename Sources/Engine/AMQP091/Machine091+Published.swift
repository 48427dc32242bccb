/// Messages that a peer publishes to an acceptor. Each place that it publishes to, an exchange and a routing key, is a
/// link of its own to the application, which is asked about it before the first message is told.
import Bytes
import Wire

extension Machine091 {
  /// Links of one channel at once: who publishes to more places has the one that rested longest taken for a new one.
  private static var placeBound: Int { 256 }

  /// basic.publish with all that belongs to it in the input, to a place that is known. Returns false, and nothing is done,
  /// where there is anything to be said about it.
  mutating func takePublish(_ event: inout Event?) -> Bool {
    var size = 0
    var taken: (link: Int, number: Int)?
    input.withReadable { b in
      guard case .frame(let frame) = Frame091.read(b, at: 0, largest: frameMax),
        let method = HotPublish(b, frame.payload), let c = channel(frame.channel), !method.immediate,
        case .frame(let second) = Frame091.read(b, at: frame.end, largest: frameMax),
        second.type == .header, second.channel == frame.channel, let header = HotContentHeader(b, second.payload)
      else { return }
      var body = 0..<0
      size = second.end
      if header.bodySize > 0 {
        guard case .frame(let third) = Frame091.read(b, at: second.end, largest: frameMax), third.type == .body,
          third.channel == frame.channel, UInt64(third.payload.count) == header.bodySize
        else { return }
        body = third.payload
        size = third.end
      }
      let l = channels[c].acceptor.lastPlace
      guard l >= 0, channels[c].isLive, channels[c].content.kind == .none else { return }
      let number = Machine091.whole(method, header, body, b, l, &links[l], &channels[c], settings.limits)
      taken = number.map { (l, $0) }
    }
    guard let (l, number) = taken else { return false }
    input.skip(size)
    event = delivery(l, number, redelivered: false)
    return true
  }

  /// Static, so that link and channel are each looked up once.
  private static func whole(
    _ method: HotPublish, _ header: HotContentHeader, _ body: Range<Int>, _ b: Span<UInt8>, _ l: Int,
    _ link: inout Link091, _ channel: inout Channel091, _ limits: Limits
  ) -> Int? {
    guard link.state == .attached, body.count <= limits.messageSize,
      link.place.exchange.span.matches(b.extracting(method.exchange)),
      link.place.routingKey.span.matches(b.extracting(method.routingKey))
    else { return nil }
    link.receiver.assembly.removeAll()
    do throws(Problem) {
      try link.receiver.cache.append(
        exchange: b.extracting(method.exchange), routingKey: b.extracting(method.routingKey),
        properties: b.extracting(header.properties), bodySize: body.count, limits: limits, to: &link.receiver.assembly)
    } catch {
      return nil
    }
    link.receiver.assembly.append(b.extracting(body))
    return take(l, &link, &channel)
  }

  /// Counts a message, and gives it its number.
  private static func take(_ l: Int, _ link: inout Link091, _ channel: inout Channel091) -> Int {
    channel.acceptor.publishes += 1
    link.place.lastUsed = channel.acceptor.publishes
    link.receiver.received += 1
    if !channel.confirms {
      channel.incoming.passOver()
      return channel.incoming.next - 1
    }
    channel.acceptor.confirmed += 1
    return channel.incoming.append(
      Channel091.Incoming(link: l, tag: channel.acceptor.confirmed, state: .unsettled))
  }

  /// basic.publish whose content is not all there, or to a place that is new.
  mutating func published(_ m: MethodRecord, _ c: Int) {
    if m["immediate"].bool ?? false {
      return fail(.connection, AMQPError(.notImplemented, "immediate=true is not implemented"))
    }
    let (exchange, routingKey) = (m.octets("exchange"), m.octets("routing-key"))
    let l = place(of: exchange, routingKey, c)
    channels[c].acceptor.lastPlace = l
    begin(.publish, m, link: l, channel: c)
  }

  private mutating func place(of exchange: [UInt8], _ routingKey: [UInt8], _ c: Int) -> Int {
    var oldest: Int?
    var count = 0
    for l in links.indices where links[l].channel == c && links[l].role == .receiver && links[l].isLive {
      if links[l].place.exchange == exchange && links[l].place.routingKey == routingKey { return l }
      count += 1
      if links[l].place.lastUsed < oldest.map({ links[$0].place.lastUsed }) ?? .max { oldest = l }
    }
    if count >= Machine091.placeBound, let oldest, unsettledIncoming(links[oldest].id) == 0 { left(oldest) }
    var remote = Attach()
    let address = Machine091.address(exchange, routingKey)
    remote.name = address
    remote.role = .sender
    remote.target = Target(address: address)
    var local = remote
    local.role = .receiver
    let l = add(.receiver, channel: c, local)
    links[l].state = .requested
    links[l].remote = remote
    links[l].place.exchange = exchange
    links[l].place.routingKey = routingKey
    links[l].receiver.isSettled = !channels[c].confirms
    events.append(.attachRequested(links[l].id))
    return l
  }

  /// What the default exchange is given is a queue's, by its name; all else is written as RabbitMQ 4 writes it.
  private static func address(_ exchange: [UInt8], _ routingKey: [UInt8]) -> String {
    let key = String(decoding: routingKey, as: UTF8.self)
    if exchange.isEmpty { return key }
    return Node091.exchange(String(decoding: exchange, as: UTF8.self), key: key.isEmpty ? nil : key).address
  }

  /// A published message is whole.
  mutating func acceptorPublish(_ content: Content, _ c: Int) -> Event? {
    let l = content.link
    // Nobody has said yet whether it may come: then nobody wants it.
    guard links[l].state == .attached else { return nil }
    let number = Machine091.take(l, &links[l], &channels[c])
    return delivery(l, number, redelivered: false)
  }
}
