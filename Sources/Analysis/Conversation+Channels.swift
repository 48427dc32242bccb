/// 0-9-1: methods, the messages behind them, and what answers what.
package import Bytes
package import Wire

private let methodIDs = MethodSpec.all.map(\.id)

/// What a frame of 0-9-1 is to the messages on its channel.
package enum ContentStep: Sendable, Equatable {
  /// A frame by itself.
  case alone
  /// A method with a message behind it.
  case begins
  case header
  /// The content header of an empty message.
  case headerAndEnd
  case part
  /// The message is whole.
  case end
  /// A content header or body that nothing announced.
  case stray
}

/// A frame of 0-9-1 that was read ahead of the dissector.
package enum Ahead091: Sendable {
  case nothing
  case publish(HotPublish)
  case deliver(HotDeliver)
  case settlement(HotSettlement)
  case header(HotContentHeader)
  case body
}

extension Conversation {
  /// Takes the frame that `dissector` has read.
  package mutating func take091(
    _ dissector: Dissector, _ b: Span<UInt8>, side: Int, time: Int64?, _ facts: inout Facts
  ) -> ContentStep {
    effort += 8
    let head = dissector.nodes[0]
    let number = UInt16(truncatingIfNeeded: head.value)
    if isLinted, let most = frameMax[0] ?? frameMax[1], most > 0, head.length > most {
      find("frame-size", "0-9-1 §4.2.3", "\(head.length) octets, frame-max is \(most)")
    }
    switch FrameType091(rawValue: UInt8(truncatingIfNeeded: head.value >> 16)) {
    case .heartbeat, nil: return .alone
    case .method:
      guard dissector.nodes.count > 1, let row = dissector.nodes[1].methodIndex else { return .alone }
      guard let place = channel(number) else { return .alone }
      return method(methodIDs[row], dissector, b, side, place, time, &facts)
    case .header:
      guard let place = channel(number) else { return .stray }
      let payload = Int(head.content)..<max(Int(head.content), head.range.upperBound - 1)
      return header(b, payload, side, place, time, &facts)
    case .body:
      guard let place = channel(number) else { return .stray }
      let payload = b.extracting(Int(head.content)..<max(Int(head.content), head.range.upperBound - 1))
      return body(payload, side, place, time, &facts)
    }
  }

  /// Looks into the frame of 0-9-1 in `range`, which is whole.
  @inline(__always)
  package static func lookAhead091(_ b: Span<UInt8>, _ range: Range<Int>) -> Ahead091 {
    let payload = range.lowerBound + Frame091.headSize..<range.upperBound - 1
    if b[payload.upperBound] != Frame091.endOctet || b.u16(range.lowerBound + 1) == 0 { return .nothing }
    switch b[range.lowerBound] {
    case FrameType091.body.rawValue: return .body
    case FrameType091.header.rawValue:
      guard let hot = HotContentHeader(b, payload) else { return .nothing }
      return .header(hot)
    case FrameType091.method.rawValue:
      if let hot = HotSettlement(b, payload) { return .settlement(hot) }
      if let hot = HotPublish(b, payload) { return .publish(hot) }
      if let hot = HotDeliver(b, payload) { return .deliver(hot) }
      return .nothing
    default: return .nothing
    }
  }

  /// Takes one of the frames that come by the million. Nil, and nothing was done: it is none of them, it is out of place,
  /// or `write`, which puts what it says into the text of the message it belongs to, doesn't take it.
  package mutating func takePlain091(
    _ ahead: Ahead091, _ b: Span<UInt8>, _ range: Range<Int>, side: Int, time: Int64?, _ facts: inout Facts,
    write: (inout ByteQueue) -> Bool
  ) -> ContentStep? {
    guard let place = channel(b.u16(range.lowerBound + 1)) else { return nil }
    let state = channels091[place].contents[side].state
    let payload = range.lowerBound + Frame091.headSize..<range.upperBound - 1
    switch ahead {
    case .nothing: return nil
    case .publish(let p):
      if state != .none || !startText(side, write) { return nil }
      effort += 8
      return begin(
        MethodID.basicPublish, b, p.exchange, p.routingKey, tag: 0, consumer: 0..<0, side, place, &facts)
    case .deliver(let d):
      if state != .none || !startText(side, write) { return nil }
      effort += 8
      return begin(
        MethodID.basicDeliver, b, d.exchange, d.routingKey, tag: d.deliveryTag, consumer: d.consumerTag, side, place,
        &facts)
    case .settlement(let s):
      if state != .none { return nil }
      effort += 8
      settled(s.id, s.deliveryTag, multiple: s.multiple, side, place, time, &facts)
      return .alone
    case .header:
      if state != .header || !write(&channels091[place].contents[side].text) { return nil }
      return header(b, payload, side, place, time, &facts)
    case .body:
      if state != .body { return nil }
      return body(b.extracting(payload), side, place, time, &facts)
    }
  }

  private mutating func startText(_ side: Int, _ write: (inout ByteQueue) -> Bool) -> Bool {
    channels091[lastPlace091].contents[side].text.removeAll()
    return write(&channels091[lastPlace091].contents[side].text)
  }

  @inline(__always)
  private mutating func channel(_ number: UInt16) -> Int? {
    if lastChannel091 == Int32(number) { return lastPlace091 }
    return findChannel(number)
  }

  @inline(never)
  private mutating func findChannel(_ number: UInt16) -> Int? {
    if channelPlaces[number] == nil {
      if channels091.count >= Conversation.mostChannels { return nil }
      channelPlaces[number] = channels091.count
      channels091.append(Channel())
    }
    (lastChannel091, lastPlace091) = (Int32(number), channelPlaces[number] ?? 0)
    return lastPlace091
  }

  /// The message under way on the channel of the frame, which the caller may say something about.
  package mutating func withContent<R>(_ side: Int, _ body: (inout Content) -> R) -> R {
    body(&channels091[lastPlace091].contents[side])
  }

  /// The message that the method which `dissector` has read interrupts.
  package mutating func openContent(_ dissector: Dissector, _ side: Int) -> Content? {
    guard dissector.nodes[0].value >> 16 == UInt64(FrameType091.method.rawValue),
      let place = channel(UInt16(truncatingIfNeeded: dissector.nodes[0].value)),
      channels091[place].contents[side].isOpen
    else { return nil }
    return channels091[place].contents[side]
  }

  /// The messages that never became whole.
  package mutating func eachOpenContent(_ body: (Int, inout Content) -> Void) {
    for place in channels091.indices {
      for side in 0...1 where channels091[place].contents[side].isOpen {
        body(side, &channels091[place].contents[side])
        channels091[place].contents[side].state = .none
      }
    }
  }

  // MARK: Methods

  /// The field with this number of the method or content header at node 1.
  @inline(__always)
  private func field(_ d: Dissector, _ i: Int) -> Node? {
    if d.problems.isEmpty && 2 + i < d.nodes.count { return d.nodes[2 + i] }
    return d.child(of: 1, field: UInt16(i)).map { d.nodes[$0] }
  }

  private mutating func method(
    _ id: UInt32, _ d: Dissector, _ b: Span<UInt8>, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) -> ContentStep {
    if channels091[place].contents[side].isOpen { interrupt(side, place) }
    switch id {
    case MethodID.basicPublish:
      guard let exchange = field(d, 1), let key = field(d, 2) else { return .alone }
      return begin(id, b, exchange.contentRange, key.contentRange, tag: 0, consumer: 0..<0, side, place, &facts)
    case MethodID.basicDeliver:
      guard let exchange = field(d, 3), let key = field(d, 4), let consumer = field(d, 0), let tag = field(d, 1) else {
        return .alone
      }
      return begin(
        id, b, exchange.contentRange, key.contentRange, tag: tag.value, consumer: consumer.contentRange, side, place,
        &facts)
    case MethodID.basicGetOK, MethodID.basicReturn:
      guard let exchange = field(d, 2), let key = field(d, 3), let tag = field(d, 0) else { return .alone }
      if id == MethodID.basicReturn { facts.isFailure = true } else { answer(id, place, time, &facts) }
      return begin(
        id, b, exchange.contentRange, key.contentRange, tag: tag.value, consumer: 0..<0, side, place, &facts)
    case MethodID.basicAck, MethodID.basicNack, MethodID.basicReject:
      guard let tag = field(d, 0), let bit = field(d, 1) else { return .alone }
      let multiple = id != MethodID.basicReject && bit.value == 1
      settled(id, tag.value, multiple: multiple, side, place, time, &facts)
    default: rare(id, d, b, side, place, time, &facts)
    }
    return .alone
  }

  private mutating func begin(
    _ id: UInt32, _ b: Span<UInt8>, _ exchange: Range<Int>, _ key: Range<Int>, tag: UInt64, consumer: Range<Int>,
    _ side: Int, _ place: Int, _ facts: inout Facts
  ) -> ContentStep {
    let link: Int
    switch id {
    case MethodID.basicPublish:
      channels091[place].publisher = side
      link = place091("publish to ", b.extracting(exchange), place, side)
      if numbersPublishes(place) {
        channels091[place].published += 1
        if channels091[place].mayBeConfirmed && channels091[place].published > Channel.mostUnsure {
          channels091[place].forgetUnsure()
        }
      }
    case MethodID.basicDeliver:
      channels091[place].deliverer = side
      link = self.consumer(b.extracting(consumer), place, side)
    case MethodID.basicGetOK:
      channels091[place].deliverer = side
      let queue = channels091[place].getting
      link = place091("get from ", queue.span, place, side)
    default: link = -1
    }
    let published = channels091[place].published
    let isSilent =
      id == MethodID.basicGetOK
      ? channels091[place].gettingSilently
      : id == MethodID.basicDeliver && !channels091[place].silent.isEmpty
        && channels091[place].silent.contains(lastConsumer)
    withContent(side) { c in
      (c.state, c.method, c.tag, c.link, c.number) = (.header, id, tag, link, published)
      (c.size, c.seen, c.frames, c.isWhole) = (0, 0, 0, true)
      c.isSilent = isSilent
      c.exchange.removeAll()
      c.exchange.append(b.extracting(exchange))
      c.routingKey.removeAll()
      c.routingKey.append(b.extracting(key))
      c.tail.removeAll()
      c.isWanted = true
    }
    if link >= 0 { links[link].deliveries += 1 }
    facts.link = link
    return .begins
  }

  /// The exchange, or queue, as a row of the statistics.
  private mutating func place091(_ what: StaticString, _ name: Span<UInt8>, _ place: Int, _ side: Int) -> Int {
    // "p", "d", "g": what it is.
    let prefix = what.withUTF8Buffer { unsafe $0[0] &+ UInt8($0.count & 15) }
    if lastLink >= 0 && links[lastLink].sender == side && lastPrefix == prefix {
      let address = links[lastLink].address
      if address.span.matches(name) { return lastLink }
    }
    var key = ByteQueue()
    key.append(what)
    if name.isEmpty { key.append("the default exchange") } else { key.append(bare: name) }
    key.append(UInt8(side))
    let octets = key.bytes
    var link = places[octets] ?? -1
    if link < 0 {
      if links.count >= Conversation.mostLinks { return -1 }
      link = links.count
      places[octets] = link
      var row = Link()
      row.label = octets.dropLast()
      row.name = name.extracting(first: Link.longest).array
      row.address = name.array
      row.isNamed = true
      row.sender = side
      links.append(row)
    }
    (lastLink, lastPrefix) = (link, prefix)
    return link
  }

  private mutating func consumer(_ tag: Span<UInt8>, _ place: Int, _ side: Int) -> Int {
    let last = lastConsumer
    if lastConsumerPlace == place, last.span.matches(tag) { return lastConsumerLink }
    lastConsumer = tag.array
    lastConsumerPlace = place
    if let queue = channels091[place].queues[lastConsumer] {
      lastConsumerLink = place091("deliver from ", queue.span, place, side)
    } else {
      lastConsumerLink = place091("deliver to consumer ", tag, place, side)
    }
    return lastConsumerLink
  }

  // MARK: Contents

  private mutating func header(
    _ b: Span<UInt8>, _ payload: Range<Int>, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) -> ContentStep {
    guard channels091[place].contents[side].state == .header else { return .stray }
    let start = payload.lowerBound + 12
    let end = payload.upperBound
    let size = end - start >= 2 ? b.u64(payload.lowerBound + 4) : 0
    let (link, isLarge) = withContent(side) { c in
      c.state = .body
      c.size = size
      c.properties.removeAll()
      if end > start { c.properties.append(b.extracting(start..<end)) }
      return (c.link, size > 0)
    }
    dropBody(side)
    facts.link = link
    if isLarge { return .header }
    complete(side, place, time, &facts)
    return .headerAndEnd
  }

  /// The body is no longer needed; the memory of a large one is given back.
  package mutating func dropBody(_ side: Int) {
    kept -= withContent(side) { c in
      defer {
        c.body.removeAll()
        c.body.release(above: 1 << 16)
      }
      return c.body.count
    }
  }

  private mutating func body(
    _ payload: Span<UInt8>, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) -> ContentStep {
    guard channels091[place].contents[side].state == .body else { return .stray }
    let room = joinedLimit - kept
    let (ends, link, frames, seen, more) = withContent(side) { c in
      c.seen += payload.count
      c.frames += 1
      let ends = UInt64(c.seen) >= c.size
      var more = 0
      // A message in one frame needs no copy: the caller has its octets at hand.
      if c.isWhole && (c.frames > 1 || !ends) {
        if payload.count > room {
          c.isWhole = false
          more = -c.body.count
          c.body = ByteQueue()
        } else {
          c.body.append(payload)
          more = payload.count
        }
      }
      return (ends, c.link, c.frames, c.seen, more)
    }
    kept += more
    facts.link = link
    (facts.frames, facts.octets) = (frames, seen)
    if link >= 0 { links[link].octets += payload.count }
    if !ends {
      facts.part = frames == 1 ? .first : .middle
      return .part
    }
    facts.part = frames == 1 ? .whole : .last
    complete(side, place, time, &facts)
    return .end
  }

  /// The message is whole: from now on its answer is waited for.
  private mutating func complete(_ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts) {
    let (method, tag, number, link, isSilent) = withContent(side) { c in
      c.state = .none
      return (c.method, c.tag, c.number, c.link, c.isSilent)
    }
    facts.isFailure = method == MethodID.basicReturn
    let delivery = OpenDelivery(time: time ?? .min, link: Int32(link), isOpen: true, isAnswered: false)
    switch method {
    case MethodID.basicPublish:
      if numbersPublishes(place) { _ = channels091[place].publishes.add(number, delivery) }
    case MethodID.basicDeliver:
      if !isSilent { addDelivery(tag, delivery, place) }
    case MethodID.basicGetOK: if !isSilent { addDelivery(tag, delivery, place) }
    default: break
    }
  }

  private mutating func addDelivery(_ tag: UInt64, _ delivery: OpenDelivery, _ place: Int) {
    if !channels091[place].deliveries.add(tag, delivery) && isLinted {
      find("delivery-tag", "0-9-1 §1.1 delivery-tag", "delivery-tag \(tag) is in use or goes back")
    }
  }

  private mutating func interrupt(_ side: Int, _ place: Int) {
    if !isLinted { return }
    let (size, seen) = withContent(side) { ($0.size, $0.seen) }
    find("content-interrupted", "0-9-1 §4.2.6", "a method after \(seen) of \(size) octets of a message")
  }

  // MARK: Answers

  private func numbersPublishes(_ place: Int) -> Bool {
    channels091[place].isConfirmed || channels091[place].mayBeConfirmed && !isOneWay
  }

  /// A server acknowledges nothing but publishes; the first confirm tells whether all of them were captured.
  private mutating func confirmed(_ tag: UInt64, _ place: Int) {
    channels091[place].isConfirmed = tag == 1 && channels091[place].published > 0
    if channels091[place].isConfirmed {
      channels091[place].mayBeConfirmed = false
    } else {
      channels091[place].forgetUnsure()
    }
  }

  private mutating func settled(
    _ id: UInt32, _ tag: UInt64, multiple: Bool, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) {
    facts.isFailure = id != MethodID.basicAck
    if channels091[place].mayBeConfirmed && !isOneWay && channels091[place].publisher == other(side) {
      confirmed(tag, place)
    }
    let isConfirm =
      isOneWay
      ? channels091[place].publishes.open > 0
      : channels091[place].publisher == other(side)
        && channels091[place].isConfirmed
    facts.since = isConfirm ? .publish : .deliver
    var ring = DeliveryRing()
    func exchange(_ ring: inout DeliveryRing, _ channel: inout Channel) {
      if isConfirm { swap(&ring, &channel.publishes) } else { swap(&ring, &channel.deliveries) }
    }
    exchange(&ring, &channels091[place])
    let last = tag == 0 && multiple ? .max - 1 : tag
    let met = ring.meeting(multiple ? 0...last : last...last)
    var number = met.lowerBound
    while number < met.upperBound && effort > 0 {
      effort -= 1
      let delivery = ring[number]
      if delivery.isOpen {
        facts.answered += 1
        if delivery.link >= 0 {
          let link = Int(delivery.link)
          if facts.link < 0 { facts.link = link }
          if id == MethodID.basicAck { links[link].outcomes.accepted += 1 } else { links[link].outcomes.rejected += 1 }
          if let time, delivery.time != .min {
            facts.add(latency: time - delivery.time)
            links[link].latency.add(time - delivery.time)
          }
        }
        ring.settle(number)
      }
      number = ring.next(number)
    }
    exchange(&ring, &channels091[place])
    if facts.answered == 0 && startSeen && isLinted && !(tag == 0 && multiple) {
      find("unknown-delivery", "0-9-1 §1.8.3.13", "no open \(isConfirm ? "publish" : "delivery") \(tag)")
    }
  }

  /// Notes how long the request in front of this method waited, if it is an answer to it.
  private mutating func answer(_ id: UInt32, _ place: Int, _ time: Int64?, _ facts: inout Facts) {
    let request = channels091[place].request
    guard request != 0, let row = MethodSpec.row(request), row.responses.contains(id) else { return }
    channels091[place].request = 0
    guard let time, let since = channels091[place].requested else { return }
    facts.answered = 1
    facts.add(latency: time - since)
    facts.since = request == MethodID.basicGet ? .get : .request
  }

  /// Everything that doesn't come by the million.
  private mutating func rare(
    _ id: UInt32, _ d: Dissector, _ b: Span<UInt8>, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) {
    answer(id, place, time, &facts)
    if MethodSpec.row(id)?.synchronous == true {
      channels091[place].request = id
      channels091[place].requested = time
    }
    func octets(_ i: Int) -> [UInt8] { field(d, i).map { b.extracting($0.contentRange).array } ?? [] }
    switch id {
    case MethodID.connectionTuneOK: frameMax = [field(d, 1).map { UInt32(truncatingIfNeeded: $0.value) }, nil]
    case MethodID.connectionClose, MethodID.channelClose: facts.isFailure = field(d, 0).map { $0.value != 200 } ?? false
    case MethodID.channelOpen:
      reportUnacked(place)
      channels091[place] = Channel()
      channels091[place].isOpen = true
      channels091[place].mayBeConfirmed = false
      lastConsumerPlace = -1
      if time != nil { (channels091[place].request, channels091[place].requested) = (id, time) }
    case MethodID.confirmSelect:
      channels091[place].isConfirmed = true
      channels091[place].published = 0
      channels091[place].forgetUnsure()
    case MethodID.basicConsume:
      channels091[place].consuming = octets(1)
      // ticket, queue, consumer-tag, no-local, no-ack, exclusive, no-wait
      channels091[place].consumingSilently = field(d, 4)?.value == 1
      if field(d, 2)?.value ?? 0 > 0 { consume(octets(2), place) }
    case MethodID.basicConsumeOK: consume(octets(0), place)
    case MethodID.basicGet:
      channels091[place].getting = octets(1)
      channels091[place].gettingSilently = field(d, 2)?.value == 1
    case MethodID.basicGetEmpty, MethodID.basicCancel: break
    default: break
    }
  }

  private mutating func consume(_ tag: [UInt8], _ place: Int) {
    if channels091[place].queues.count >= Channel.mostConsumers { return }
    channels091[place].queues[tag] = channels091[place].consuming
    if channels091[place].consumingSilently { channels091[place].silent.insert(tag) }
    lastConsumerPlace = -1
  }

  mutating func reportUnacked(_ place: Int) {
    if !isLinted { return }
    let (publishes, deliveries) = (channels091[place].publishes.open, channels091[place].deliveries.open)
    if publishes > 0 && channels091[place].isConfirmed {
      find("never-confirmed", "RabbitMQ confirms", "\(publishes) publishes were never confirmed")
    }
    if deliveries > 0 { find("never-settled", "0-9-1 §1.8.3.13", "\(deliveries) deliveries were never acknowledged") }
  }
}
