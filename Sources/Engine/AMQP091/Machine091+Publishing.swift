/// Messages that go out over 0-9-1: how much may be sent, contents cut into frames, and what becomes of them: confirms,
/// and messages that are returned.
import Bytes
import Wire

extension Machine091 {
  /// How many more messages may be begun on the link now. The dialect has no bound of its own: who sends has one.
  func room(_ id: LinkID) -> Int {
    guard let l = index(id), isWritable(l), links[l].sender.partial == nil, !isBlocked,
      !channels[links[l].channel].isPaused
    else { return 0 }
    if settings.role == .acceptor { return acceptorRoom(l) }
    // Half a message of another link's.
    if channels[links[l].channel].isCutting { return 0 }
    // Nothing is answered before it is discharged; and behind that it waits for the answer to it.
    if settings.isTransactional && channels[links[l].channel].isDischarging { return 0 }
    return Outbox.unlimited
  }

  /// Whether a message that was begun can go on now: also while the peer takes no new ones.
  func canContinue(_ id: LinkID) -> Bool {
    guard let l = index(id), isWritable(l) else { return false }
    return links[l].sender.partial != nil
  }

  private func isWritable(_ l: Int) -> Bool {
    guard phase == .running || phase == .opening, !closeDue, output.count < Machine091.outputBound,
      links[l].state == .attached, links[l].role == .sender
    else { return false }
    return channels[links[l].channel].isLive
  }

  /// Writes frames of the message that is `head` followed by `body`, from `offset` octets on, for as long as the output
  /// has room. `number` is the application's and comes back with the answer.
  /// - Returns: how many octets of the message are written now; all of them: the message is sent.
  mutating func deliver(
    _ id: LinkID, _ number: Int, head: Span<UInt8>, body: Span<UInt8>, from offset: Int, settled: Bool, again: Bool
  ) -> Int {
    guard let l = index(id) else { return offset }
    let c = links[l].channel
    if let partial = links[l].sender.partial {
      if partial.number != number || partial.offset != offset || !canContinue(id) { return offset }
    } else {
      // Answered before it was whole: there is nothing left to send of it.
      if offset > 0 { return head.count + body.count }
      if room(id) <= 0 { return 0 }
      // Its channel is opened first, and what waits to be said in front of it.
      if channels[c].openDue || channels[c].isModeDue { produce() }
    }
    do throws(FieldFault) {
      if links[l].sender.partial == nil {
        switch settings.role {
        case .initiator:
          try Machine091.translate(&links[l].sender, channels[c].number, head, body, settled: settled, frameMax)
        case .acceptor: try acceptorTranslate(l, head, body, settled: settled)
        }
        links[l].sender.isAgain = again
      }
      let at = try Machine091.cut(
        l, &links[l].sender, &channels[c], &output, frameMax, number, head, body, settled: settled)
      if channels[c].isCutting == (at == head.count + body.count) {
        channels[c].isCutting.toggle()
        workDue = true
      }
      return at
    } catch {
      // Nothing of it is out. Whoever composed it hears why.
      links[l].sender.cache.invalidate()
      events.append(
        .answered(id, number...number, .rejected(AMQPError(Condition.notImplemented, error.reason))))
      return head.count + body.count
    }
  }

  /// Sees to it that the frames in front of the body are in the cache.
  private static func translate(
    _ sender: inout Link091.Sender, _ channel: UInt16, _ head: Span<UInt8>, _ body: Span<UInt8>, settled: Bool,
    _ frameMax: UInt32
  ) throws(FieldFault) {
    let own = body.extracting(try MessageMapping.body(body).head)
    let mandatory = !settled && !sender.isSettled
    if sender.cache.matches(head, own, mandatory: mandatory) { return }
    let translated = try MessageMapping.head(head, own)
    try checkFits(translated.properties, frameMax)
    let (exchange, routingKey) = try route(sender, translated)
    sender.cache.set(
      head, own, channel: channel, exchange: exchange, routingKey: routingKey, properties: translated.properties,
      mandatory: mandatory && !(exchange.isEmpty && isWayBack(routingKey)))
  }

  /// A content header goes into one frame.
  static func checkFits(_ properties: [UInt8], _ frameMax: UInt32) throws(FieldFault) {
    if properties.count + 12 + Frame091.overhead > Int(frameMax) {
      throw FieldFault("\(properties.count) octets of properties, and a frame has room for \(frameMax) (frame_max)")
    }
  }

  /// RabbitMQ's way back to a requester is no queue: what is mandatory comes back from there, though it arrives.
  private static func isWayBack(_ routingKey: [UInt8]) -> Bool {
    routingKey.starts(with: (directReply + ".").utf8)
  }

  /// Where a message goes: where its link does, or where it says itself.
  private static func route(
    _ sender: Link091.Sender, _ head: ContentHead
  ) throws(FieldFault) -> (exchange: [UInt8], routingKey: [UInt8]) {
    if let exchange = sender.exchange { return (exchange, sender.routingKey ?? head.routingKey ?? []) }
    if let to = head.to {
      switch Node091(to) {
      case .queue(let name): return ([], [UInt8](utf8: name))
      case .exchange(let name, let key):
        return ([UInt8](utf8: name), key.map { [UInt8](utf8: $0) } ?? head.routingKey ?? [])
      case nil: throw FieldFault("'\(to)' names no queue and no exchange")
      }
    }
    if head.exchange == nil && head.routingKey == nil { throw FieldFault("the message says not where it goes") }
    return (head.exchange ?? [], head.routingKey ?? [])
  }

  /// Static, so that sender, channel and output are each looked up once for a message and not once for a field.
  private static func cut(
    _ l: Int, _ sender: inout Link091.Sender, _ channel: inout Channel091, _ output: inout ByteQueue,
    _ frameMax: UInt32, _ number: Int, _ head: Span<UInt8>, _ body: Span<UInt8>, settled: Bool
  ) throws(FieldFault) -> Int {
    let content = try MessageMapping.body(body)
    let size = content.size
    var sent = 0
    if let partial = sender.partial {
      sent = partial.sent
    } else {
      let start = output.count
      sender.cache.frames.withReadable { output.append($0) }
      let at = output.readable.lowerBound + start + sender.cache.sizeAt
      output.patch32(at: at, UInt32(truncatingIfNeeded: size >> 32))
      output.patch32(at: at + 4, UInt32(truncatingIfNeeded: size))
      let tagAt = sender.cache.tagAt
      if let tagAt {
        let tag = UInt64(channel.outgoing.next + 1)
        output.patch32(at: output.readable.lowerBound + start + tagAt, UInt32(truncatingIfNeeded: tag >> 32))
        output.patch32(at: output.readable.lowerBound + start + tagAt + 4, UInt32(truncatingIfNeeded: tag))
        if sender.isAgain { output.patch8(at: output.readable.lowerBound + start + tagAt + 8, 1) }
      }
      if channel.confirms || tagAt != nil || sender.isTransactional {
        var hash = BodyHash(seed: sender.cache.route)
        if sender.cache.isMandatory {
          hash.add(body.extracting(content.first))
          for run in content.more { hash.add(body.extracting(run.range)) }
        }
        if settled && channel.outgoing.isEmpty {
          channel.outgoing.passOver()
        } else {
          channel.outgoing.append(
            Channel091.Outgoing(link: l, number: number, hash: hash.value, done: settled))
          if !settled { sender.unsettled += 1 }
        }
      }
    }
    let chunk = Int(frameMax) - Frame091.overhead
    while sent < size {
      if output.count >= outputBound {
        let offset = head.count + position(sent, content)
        sender.partial = Link091.Sender.Partial(number: number, offset: offset, sent: sent)
        return offset
      }
      let n = min(chunk, size - sent)
      if content.more.isEmpty {
        let from = content.first.lowerBound + sent
        output.appendBody(channel: channel.number, body.extracting(from..<from + n))
      } else {
        output.appendFrame091(.body, channel: channel.number) { q in append(sent..<sent + n, of: content, body, to: &q)
        }
      }
      sent += n
    }
    sender.partial = nil
    return head.count + body.count
  }

  /// Where in the message's body the octet of the content is.
  private static func position(_ sent: Int, _ content: ContentBody) -> Int {
    var before = 0
    for run in content.runs {
      if sent < before + run.range.count { return run.range.lowerBound + sent - before }
      before += run.range.count
    }
    return content.more.last?.range.upperBound ?? content.first.upperBound
  }

  /// Appends octets of a content that stands in several places.
  private static func append(
    _ part: Range<Int>, of content: ContentBody, _ body: Span<UInt8>, to q: inout ByteQueue
  ) {
    var before = 0
    for run in content.runs {
      let from = max(part.lowerBound - before, 0)
      let to = min(part.upperBound - before, run.range.count)
      let start = run.range.lowerBound
      if from < to { q.append(body.extracting(start + from..<start + to)) }
      before += run.range.count
    }
  }

  /// The application has nothing more for this link now.
  mutating func idle(_ id: LinkID) {
    guard let l = index(id), settings.role == .acceptor else { return }
    acceptorIdle(l)
  }

  // MARK: Answers

  /// basic.ack, nack or reject: the peer has decided about what we sent. Returns what it comes to, when that is one
  /// event and nothing waits in front of it.
  mutating func received(_ m: HotSettlement, channel c: Int) -> Event? {
    let next = channels[c].outgoing.next
    // Tag 0 with `multiple`: everything so far.
    let tag = m.deliveryTag == 0 && m.multiple ? UInt64(next) : m.deliveryTag
    guard tag >= 1, tag <= UInt64(next) else {
      if m.multiple && next == 0 { return nil }
      failChannel(c, AMQPError(.preconditionFailed, "an answer to delivery tag \(m.deliveryTag), which was not sent"))
      return nil
    }
    let last = Int(tag) - 1
    let first = max(m.multiple ? channels[c].outgoing.first : last, channels[c].outgoing.first)
    if first > last { return nil }
    let answer: Answer
    switch (m.id, settings.role) {
    case (MethodID.basicAck, _): answer = .accepted
    case (_, .initiator): answer = .rejected(nil)
    case (_, .acceptor): answer = m.requeue ? .released : .rejected(nil)
    }
    return answered(first...last, answer, c)
  }

  /// Tells of answered messages run by run.
  mutating func answered(_ places: ClosedRange<Int>, _ answer: Answer, _ c: Int) -> Event? {
    var run: (link: Int, from: Int, to: Int)?
    for place in places {
      let entry = channels[c].outgoing[place]
      if entry.done { continue }
      channels[c].outgoing[place].done = true
      if let r = run, r.link == entry.link, entry.number == r.to + 1 {
        run = (r.link, r.from, entry.number)
      } else {
        if let r = run { tell(r, answer) }
        run = (entry.link, entry.number, entry.number)
      }
      links[entry.link].sender.unsettled -= 1
    }
    channels[c].outgoing.trim(while: \.done)
    workDue = workDue || settings.role == .acceptor
    guard let r = run else { return nil }
    if nextEventIndex == events.count { return .answered(links[r.link].id, r.from...r.to, answer) }
    tell(r, answer)
    return nil
  }

  private mutating func tell(_ run: (link: Int, from: Int, to: Int), _ answer: Answer) {
    events.append(.answered(links[run.link].id, run.from...run.to, answer))
  }

  /// A message came back whole: it is the oldest one with this hash that is not answered. Its confirm follows and says
  /// nothing new. One that nobody misses was sent settled.
  mutating func returned(_ content: Content, _ c: Int) -> Event? {
    let hash = content.hash.value
    let places = channels[c].outgoing.first..<channels[c].outgoing.next
    guard
      let place = places.first(where: { !channels[c].outgoing[$0].done && channels[c].outgoing[$0].hash == hash })
    else { return nil }
    return answered(place...place, .returned(content.error ?? AMQPError(.noRoute, "")), c)
  }
}
