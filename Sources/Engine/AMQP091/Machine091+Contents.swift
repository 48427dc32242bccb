/// Messages that come in over 0-9-1: method, content header and bodies put together as sections, and what the
/// application decides about them.
import Bytes
import Wire

extension Machine091 {
  // MARK: Whole messages

  /// basic.deliver with all that belongs to it in the input: nearly every one. Returns false, and nothing is done, where
  /// there is anything to be said about it.
  mutating func takeDelivery(_ event: inout Event?) -> Bool {
    var size = 0
    var taken: (link: Int, number: Int, redelivered: Bool)?
    input.withReadable { b in
      guard case .frame(let frame) = Frame091.read(b, at: 0, largest: frameMax),
        let method = HotDeliver(b, frame.payload), let c = channel(frame.channel), channels[c].link >= 0,
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
      let l = channels[c].link
      let number = Machine091.whole(
        method, header, body, b, l, &links[l], &channels[c], settings.limits, workDue: &workDue)
      taken = number.map { (l, $0, method.redelivered) }
    }
    guard let (l, number, redelivered) = taken else { return false }
    input.skip(size)
    event = delivery(l, number, redelivered: redelivered)
    return true
  }

  /// Static, so that link and channel are each looked up once.
  private static func whole(
    _ method: HotDeliver, _ header: HotContentHeader, _ body: Range<Int>, _ b: Span<UInt8>, _ l: Int,
    _ link: inout Link091, _ channel: inout Channel091, _ limits: Limits, workDue: inout Bool
  ) -> Int? {
    guard link.state == .attached, channel.isLive, channel.content.kind == .none, link.receiver.isConsuming,
      body.count <= limits.messageSize
    else { return nil }
    do throws(Problem) {
      try link.receiver.startAssembly(
        b.extracting(method.exchange), b.extracting(method.routingKey), b.extracting(header.properties),
        bodySize: body.count, limits)
    } catch {
      return nil
    }
    link.receiver.assembly.append(b.extracting(body))
    return take(method.deliveryTag, l, &link, &channel, &workDue)
  }

  /// Counts a message, and gives it its number.
  private static func take(
    _ tag: UInt64, _ l: Int, _ link: inout Link091, _ channel: inout Channel091, _ workDue: inout Bool
  ) -> Int {
    link.receiver.received += 1
    if let budget = link.receiver.budget, link.receiver.received >= budget, link.receiver.consumer == .running {
      link.receiver.consumer = .cancelDue
      workDue = true
    }
    if link.receiver.noAck {
      channel.incoming.passOver()
      return channel.incoming.next - 1
    }
    return channel.incoming.append(Channel091.Incoming(link: l, tag: tag, state: .unsettled))
  }

  func delivery(_ l: Int, _ number: Int, redelivered: Bool) -> Event {
    let message = links[l].receiver.assembly.readable
    return .delivery(
      Delivery(
        link: links[l].id, number: number, settled: links[l].receiver.isSettled, redelivered: redelivered,
        messageFormat: 0, tag: Slice(place: .assembly(l), range: message.lowerBound..<message.lowerBound),
        message: Slice(place: .assembly(l), range: message)))
  }

  // MARK: In pieces

  /// A method came in front of a content.
  mutating func begin(_ kind: Content.Kind, _ m: MethodRecord, link l: Int, channel c: Int) {
    var content = Content()
    content.kind = kind
    content.link = l
    // What is returned is the channel's, whoever published it.
    content.isDropped =
      kind != .returned && (l < 0 || !links[l].isLive || (kind == .deliver && !links[l].receiver.isConsuming))
    content.tag = m["delivery-tag"].unsigned ?? 0
    content.redelivered = m["redelivered"].bool ?? false
    content.exchange = m.octets("exchange")
    content.routingKey = m.octets("routing-key")
    if kind == .returned {
      content.error = AMQPError(m)
      content.hash = BodyHash(seed: BodyHash.route(content.exchange.span, content.routingKey.span))
    }
    channels[c].content = content
  }

  /// The channel of a content frame that may stand where it does; nil when it is passed over or was a fault.
  private mutating func contentChannel(_ number: UInt16, _ awaited: Content.Awaited, isEmpty: Bool) -> Int? {
    guard phase == .running || phase == .opening, let c = channel(number) else {
      fail(.connection, AMQPError(.channelError, "a content on channel \(number), which is not open"))
      return nil
    }
    if channels[c].content.kind != .none && channels[c].content.awaited == awaited { return c }
    // What was under way when we closed; and one broker sends an empty body for no body.
    if !channels[c].isLive || (awaited == .body && isEmpty && channels[c].content.kind == .none) { return nil }
    let found = awaited == .header ? "content header" : "content body"
    fail(.connection, AMQPError(.unexpectedFrame, "a \(found) on channel \(number), where none was due"))
    return nil
  }

  mutating func contentHeader(_ number: UInt16, _ payload: Range<Int>) -> Event? {
    guard let c = contentChannel(number, .header, isEmpty: false) else { return nil }
    guard let header = input.withBytes(payload, { HotContentHeader($0, 0..<$0.count) }) else {
      fail(.connection, AMQPError(.syntaxError, "a malformed content header on channel \(number)"))
      return nil
    }
    let content = channels[c].content
    if header.bodySize > UInt64(settings.limits.messageSize) {
      failChannel(
        c,
        AMQPError(Condition.messageSizeExceeded, "a message of more than \(settings.limits.messageSize) octets"))
    }
    channels[c].content.awaited = .body
    channels[c].content.remaining = Int(clamping: header.bodySize)
    if !channels[c].content.isDropped && content.kind != .returned {
      let l = content.link
      do throws(Problem) {
        try input.withBytes(payload) { (b) throws(Problem) in
          try links[l].receiver.startAssembly(
            content.exchange.span, content.routingKey.span, b.extracting(header.properties),
            bodySize: Int(header.bodySize), settings.limits)
        }
      } catch {
        fail(.connection, AMQPError(.syntaxError, "malformed properties: at octet \(error.offset) \(error.text)"))
        return nil
      }
    }
    return header.bodySize == 0 ? finishContent(c) : nil
  }

  mutating func contentBody(_ number: UInt16, _ payload: Range<Int>) -> Event? {
    guard let c = contentChannel(number, .body, isEmpty: payload.isEmpty) else { return nil }
    if payload.count > channels[c].content.remaining {
      fail(
        .connection,
        AMQPError(.unexpectedFrame, "\(payload.count) octets of body, and \(channels[c].content.remaining) are left"))
      return nil
    }
    channels[c].content.remaining -= payload.count
    if channels[c].content.kind == .returned {
      input.withBytes(payload) { channels[c].content.hash.add($0) }
    } else if !channels[c].content.isDropped {
      let l = channels[c].content.link
      input.withBytes(payload) { links[l].receiver.assembly.append($0) }
    }
    return channels[c].content.remaining == 0 ? finishContent(c) : nil
  }

  private mutating func finishContent(_ c: Int) -> Event? {
    let content = channels[c].content
    channels[c].content = Content()
    if content.isDropped || !channels[c].isLive { return nil }
    switch content.kind {
    case .none: return nil
    case .returned: return returned(content, c)
    case .publish: return acceptorPublish(content, c)
    case .deliver, .getOK:
      let l = content.link
      let number = Machine091.take(content.tag, l, &links[l], &channels[c], &workDue)
      let event = delivery(l, number, redelivered: content.redelivered)
      if content.kind == .getOK {
        links[l].receiver.gets -= 1
        // The message itself is told first.
        if links[l].receiver.gets == 0 {
          events.append(event)
          getsEnded(l)
          return nil
        }
        workDue = true
      }
      return event
    }
  }

  // MARK: What the application decides

  /// Settles the link's deliveries with these numbers, as far as they are not settled yet.
  mutating func settle(_ id: LinkID, _ run: ClosedRange<Int>, _ outcome: Outcome) {
    guard let l = index(id), links[l].state == .attached else { return }
    let c = links[l].channel
    let from = max(run.lowerBound, channels[c].incoming.first)
    let to = min(run.upperBound, channels[c].incoming.next - 1)
    if from > to { return }
    let kind = links[l].receiver.isSettled && settings.role == .initiator ? .ack : outcome.kind
    var open: Channel091.Settlement?
    for number in from...to {
      if channels[c].incoming[number].link != l || channels[c].incoming[number].state != .unsettled {
        if let run = open { channels[c].settlements.add(run) }
        open = nil
        continue
      }
      channels[c].incoming[number].state = .decided
      if open == nil { open = Channel091.Settlement(link: l, first: number, last: number, kind: kind) }
      open?.last = number
    }
    if let run = open { channels[c].settlements.add(run) }
    workDue = true
  }

  /// Writes what was decided. With a budget so much is kept back that the peer never sends more than that.
  mutating func sendSettlements(_ c: Int, isEnding: Bool) {
    if channels[c].settlements.isEmpty { return }
    var kept: [Channel091.Settlement] = []
    for var run in channels[c].settlements {
      let count = run.last - run.first + 1
      let allowed = isEnding ? count : min(count, links[run.link].receiver.mayTell)
      if allowed < count {
        kept.append(
          Channel091.Settlement(link: run.link, first: run.first + allowed, last: run.last, kind: run.kind))
        run.last = run.first + allowed - 1
      }
      if allowed <= 0 { continue }
      links[run.link].receiver.told += allowed
      if channels[c].acceptor.batch != nil {
        settled(batch: run, c)
        continue
      }
      Machine091.send(run, &channels[c], &output, canNack: canNack, confirms: settings.role == .acceptor)
    }
    channels[c].settlements = kept
  }

  /// One frame for a run that begins with the oldest delivery: `multiple` says all up to this one.
  private static func send(
    _ run: Channel091.Settlement, _ channel: inout Channel091, _ output: inout ByteQueue, canNack: Bool, confirms: Bool
  ) {
    let isOldest = run.first == channel.incoming.first
    func frame(_ number: Int, multiple: Bool) {
      let tag = channel.incoming[number].tag
      switch run.kind {
      case .ack: output.appendAck(channel: channel.number, deliveryTag: tag, multiple: multiple)
      case .reject, .requeue, .requeueFailed:
        if confirms {
          output.appendNack(channel: channel.number, deliveryTag: tag, multiple: multiple, requeue: false)
        } else if canNack && (run.kind == .requeue || multiple) {
          output.appendNack(
            channel: channel.number, deliveryTag: tag, multiple: multiple, requeue: run.kind != .reject)
        } else {
          output.appendReject(channel: channel.number, deliveryTag: tag, requeue: run.kind != .reject)
        }
      }
    }
    // A delivery that failed is counted one by one.
    let isOne = run.kind == .ack || (run.kind != .requeueFailed && canNack) || confirms
    if isOldest && isOne && run.first < run.last {
      frame(run.last, multiple: true)
    } else {
      for number in run.first...run.last { frame(number, multiple: false) }
    }
    for number in run.first...run.last { channel.incoming[number].state = .done }
    channel.incoming.trim { $0.state == .done }
  }
}

extension Link091.Receiver {
  /// Puts everything in front of the body's octets into the assembly.
  @inline(__always)
  fileprivate mutating func startAssembly(
    _ exchange: Span<UInt8>, _ routingKey: Span<UInt8>, _ properties: Span<UInt8>, bodySize: Int, _ limits: Limits
  ) throws(Problem) {
    assembly.removeAll()
    // One large message must not be paid for ever.
    if bodySize < 1 << 16 { assembly.release(above: 1 << 20) }
    try cache.append(
      exchange: exchange, routingKey: routingKey, properties: properties, bodySize: bodySize, limits: limits,
      to: &assembly)
  }
}

extension Outcome {
  /// The one place where an outcome becomes a method of 0-9-1.
  fileprivate var kind: Channel091.Settlement.Kind {
    switch self {
    case .accept: .ack
    case .reject: .reject
    case .release: .requeue
    case .modify(let failed, let undeliverable, _): undeliverable ? .reject : failed ? .requeueFailed : .requeue
    }
  }
}
