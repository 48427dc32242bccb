/// 0-9-1: frames and methods on their channels, and what each begins.
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
  func field(_ d: Dissector, _ i: Int) -> Node? {
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
}
