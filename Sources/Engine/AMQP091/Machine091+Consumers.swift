/// A peer's consumers at an acceptor, and its basic.gets: each is a link of the application's messages, with a window of
/// what the peer may leave unacknowledged.
import Bytes
import Wire

extension Machine091 {
  // MARK: What the peer asks for

  /// Without `global` it is said of consumers to come, with it of the channel: RabbitMQ's reading of §1.8.3.2.
  mutating func received(qos m: MethodRecord, _ c: Int) {
    if m["prefetch-size"].unsigned ?? 0 != 0 {
      return fail(.connection, AMQPError(.notImplemented, "prefetch-size is not implemented"))
    }
    let count = Int(m["prefetch-count"].unsigned ?? 0)
    if m["global"].bool ?? false {
      channels[c].acceptor.channelPrefetch = count
    } else {
      channels[c].acceptor.prefetch = count
    }
    reply(c, MethodRecord(MethodID.basicQosOK))
  }

  private func queue(_ m: MethodRecord, _ c: Int) -> String {
    let name = m.text("queue")
    return name.isEmpty ? channels[c].acceptor.lastQueue : name
  }

  mutating func received(consume m: MethodRecord, _ c: Int) {
    var tag = m.octets("consumer-tag")
    if tag.isEmpty {
      nextSerial += 1
      tag = [UInt8](utf8: "amq.ctag-\(nextSerial)")
    }
    if consumer(tag, c) != nil {
      let name = String(decoding: tag, as: UTF8.self)
      return fail(.connection, AMQPError(.notAllowed, "the consumer tag '\(name)' is in use"))
    }
    let l = request(queue(m, c), settled: m["no-ack"].bool ?? false, c)
    links[l].subscription.tag = tag
    links[l].subscription.prefetch = channels[c].acceptor.prefetch
    links[l].subscription.wantsOK = !(m["no-wait"].bool ?? false)
    events.append(.attachRequested(links[l].id))
  }

  /// basic.get: each has one message, or the word that there is none.
  mutating func received(get m: MethodRecord, _ c: Int) {
    let (name, noAck) = (queue(m, c), m["no-ack"].bool ?? false)
    if let l = links.indices.first(where: {
      links[$0].channel == c && links[$0].isLive && links[$0].subscription.isGet
        && links[$0].remote.source?.address.text == name && links[$0].subscription.noAck == noAck
    }) {
      links[l].subscription.gets += 1
      return
    }
    let l = request(name, settled: noAck, c)
    links[l].subscription.isGet = true
    links[l].subscription.gets = 1
    events.append(.attachRequested(links[l].id))
  }

  private mutating func request(_ queue: String, settled: Bool, _ c: Int) -> Int {
    var remote = Attach()
    remote.name = queue
    remote.role = .receiver
    remote.source = Source(address: queue)
    remote.sndSettleMode = settled ? .settled : .unsettled
    var local = remote
    local.role = .sender
    let l = add(.sender, channel: c, local)
    links[l].state = .requested
    links[l].remote = remote
    links[l].subscription.noAck = settled
    links[l].sender.exchange = []
    links[l].sender.routingKey = [UInt8](utf8: queue.short)
    return l
  }

  private func consumer(_ tag: [UInt8], _ c: Int) -> Int? {
    links.indices.first {
      links[$0].channel == c && links[$0].role == .sender && links[$0].isLive && !links[$0].subscription.isGet
        && !links[$0].subscription.isCancelled && links[$0].subscription.tag == tag
    }
  }

  /// What it has and did not acknowledge stays its own: the link ends when that is settled too.
  mutating func received(cancel m: MethodRecord, _ c: Int) {
    if !(m["no-wait"].bool ?? false) {
      reply(c, MethodRecord(MethodID.basicCancelOK, ["consumer-tag": m["consumer-tag"]]))
    }
    guard let l = consumer(m.octets("consumer-tag"), c) else { return }
    links[l].subscription.isCancelled = true
    workDue = true
  }

  /// basic.recover: all that is not acknowledged goes back, and comes again to whoever is next.
  mutating func giveBackAll(_ c: Int) {
    let ring = channels[c].outgoing
    if ring.isEmpty { return }
    if let event = answered(ring.first...ring.next - 1, .released, c) { events.append(event) }
  }

  // MARK: What the application says

  mutating func accepted(consumer l: Int) {
    if links[l].subscription.noAck { links[l].local.sndSettleMode = .settled }
    if links[l].subscription.wantsOK {
      reply(
        links[l].channel,
        MethodRecord(MethodID.basicConsumeOK, ["consumer-tag": .string(links[l].subscription.tagText)]))
    }
  }

  /// How many messages the peer may have now.
  func acceptorRoom(_ l: Int) -> Int {
    let subscription = links[l].subscription
    let channel = channels[links[l].channel]
    // One message at a time on a channel, and answers in front of it.
    if channel.isCutting || subscription.isCancelled { return 0 }
    if subscription.isGet { return subscription.gets }
    var room = Outbox.unlimited
    if subscription.noAck { return room }
    if subscription.prefetch > 0 { room = min(room, subscription.prefetch - links[l].sender.unsettled) }
    if channel.acceptor.channelPrefetch > 0 {
      room = min(room, channel.acceptor.channelPrefetch - channel.outgoing.count)
    }
    return max(0, room)
  }

  /// There is nothing for those who asked.
  mutating func acceptorIdle(_ l: Int) {
    guard links[l].state == .attached, links[l].subscription.isGet, links[l].sender.partial == nil else { return }
    let c = links[l].channel
    while links[l].subscription.gets > 0, phase == .running {
      links[l].subscription.gets -= 1
      reply(c, MethodRecord(MethodID.basicGetEmpty))
    }
  }

  /// Sees to it that the frames in front of the body are in the cache.
  mutating func acceptorTranslate(
    _ l: Int, _ head: Span<UInt8>, _ body: Span<UInt8>, settled: Bool
  ) throws(FieldFault) {
    let c = links[l].channel
    if !channels[c].acceptor.replies.isEmpty { produce() }
    if links[l].subscription.isGet { links[l].subscription.gets -= 1 }
    try Machine091.translate(&links[l], channels[c].number, head, body, frameMax)
  }

  private static func translate(
    _ link: inout Link091, _ channel: UInt16, _ head: Span<UInt8>, _ body: Span<UInt8>, _ frameMax: UInt32
  ) throws(FieldFault) {
    let own = body.extracting(try MessageMapping.body(body).head)
    if link.sender.cache.matches(head, own, mandatory: false) { return }
    let translated = try MessageMapping.head(head, own)
    try Machine091.checkFits(translated.properties, frameMax)
    link.sender.cache.set(
      head, own, channel: channel, exchange: translated.exchange ?? [],
      routingKey: translated.routingKey ?? link.sender.routingKey ?? [], properties: translated.properties,
      delivery: link.subscription.isGet ? .got : .consumed(tag: link.subscription.tag))
  }
}

extension Link091.Subscription {
  var tagText: String { String(decoding: tag, as: UTF8.self) }
}
