/// How messages are asked for over 0-9-1: a consumer with a window, or basic.get after basic.get; and what the peer says
/// to an initiator about it.
import Bytes
import Wire

extension Machine091 {
  // MARK: What the application wants

  /// Lets the peer have `ceiling` messages under way, and `budget` in all. A window can't be changed while a consumer
  /// runs, so it doesn't grow.
  mutating func grant(_ id: LinkID, start: UInt32, ceiling: UInt32, budget: Int?) {
    guard let l = index(id), links[l].isLive else { return }
    links[l].receiver.window = Int(min(max(start, ceiling), UInt32(UInt16.max)))
    links[l].receiver.budget = links[l].receiver.isDirectReply ? nil : budget
    links[l].receiver.stop = .no
    if links[l].receiver.consumer == .cancelled { links[l].receiver.consumer = .none }
    workDue = true
  }

  /// Takes what was granted back; `.stopped` follows when the peer knows.
  mutating func stop(_ id: LinkID) {
    guard phase != .over, let l = index(id), links[l].state == .attached, links[l].role == .receiver,
      links[l].receiver.stop == .no
    else { return }
    links[l].receiver.draining = false
    links[l].receiver.askAgain = nil
    links[l].receiver.stop = .asked
    if settings.role == .acceptor { return stopped(l) }
    if links[l].receiver.consumer == .running { links[l].receiver.consumer = .cancelDue }
    workDue = true
    switch links[l].receiver.consumer {
    case .none, .cancelled: if links[l].receiver.gets == 0 { stopped(l) }
    case .running, .cancelDue, .cancelling: break
    }
  }

  private mutating func stopped(_ l: Int) {
    // A link whose end was told has nothing left to stop.
    guard links[l].receiver.stop == .asked, !links[l].isTold else { return }
    links[l].receiver.stop = .told
    events.append(.stopped(links[l].id))
  }

  /// Asks for what there is now, message by message; `.drained` follows at the first that is not there. Streams and
  /// replies can't be asked so, and never are empty.
  mutating func drain(_ id: LinkID) {
    guard let l = index(id), links[l].state == .attached, links[l].role == .receiver, settings.role == .initiator else {
      return
    }
    links[l].receiver.draining = true
    links[l].receiver.sawEmpty = false
    let stays = links[l].receiver.isStream || links[l].receiver.isDirectReply
    if links[l].receiver.consumer == .running && !stays {
      links[l].receiver.consumer = .cancelDue
    }
    workDue = true
  }

  func answersDrain(_ id: LinkID) -> Bool {
    guard let l = index(id) else { return false }
    return links[l].receiver.draining && links[l].receiver.asksOneByOne
  }

  // MARK: What is owed to the peer

  mutating func produceLink(_ l: Int) {
    let c = links[l].channel
    guard links[l].state == .attached || links[l].state == .attaching, channels[c].isLive else { return }
    let number = channels[c].number
    if links[l].ownsQueue && !links[l].isPrepared {
      links[l].isPrepared = true
      send(
        number, MethodRecord(MethodID.queueDeclare, ["exclusive": .boolean(true), "auto-delete": .boolean(true)]))
      if let exchange = links[l].receiver.exchange {
        send(
          number,
          MethodRecord(
            MethodID.queueBind,
            ["exchange": .string(exchange), "routing-key": .string(links[l].receiver.bindingKey)]))
      }
    }
    guard links[l].state == .attached, links[l].role == .receiver else { return }
    switch links[l].receiver.consumer {
    case .none:
      if links[l].receiver.stop != .no || (links[l].receiver.window == 0 && !links[l].receiver.isDirectReply) {
        return
      }
      if links[l].receiver.asksOneByOne { sendGets(l, c) } else { consume(l, c) }
    case .cancelDue:
      links[l].receiver.consumer = .cancelling
      send(number, MethodRecord(MethodID.basicCancel, ["consumer-tag": .string(consumerTag(l))]))
    case .running, .cancelling, .cancelled: break
    }
  }

  private func consumerTag(_ l: Int) -> String { links[l].local.name.short }

  private mutating func consume(_ l: Int, _ c: Int) {
    let r = links[l].receiver
    let left = r.budget.map { $0 - r.received } ?? .max
    if left <= 0 { return }
    links[l].receiver.consumer = .running
    links[l].receiver.prefetch = min(r.window, left)
    if !r.noAck {
      send(
        channels[c].number,
        MethodRecord(MethodID.basicQos, ["prefetch-count": .ushort(UInt16(links[l].receiver.prefetch))]))
    }
    let consume = MethodRecord(
      MethodID.basicConsume,
      [
        "queue": .string(r.queue), "consumer-tag": .string(consumerTag(l)), "no-ack": .boolean(r.noAck),
        "exclusive": .boolean(r.isExclusive), "arguments": .map(r.arguments),
      ])
    do throws(FieldFault) { try output.appendMethod(channel: channels[c].number, consume) } catch {
      let fault = AMQPError(Condition.invalidField, error.reason)
      tell(l, CloseReason(.link, .local, fault))
      closeChannel(c, nil)
    }
  }

  /// As many questions as there is room for answers; none behind one that was answered with nothing.
  private mutating func sendGets(_ l: Int, _ c: Int) {
    let r = links[l].receiver
    if r.sawEmpty || r.gets > Machine091.getBound / 2 { return }
    // What is acknowledged already takes no room, also behind a message that is not.
    let here = r.noAck ? channels[c].incoming.count : r.received - r.told
    var want = min(Machine091.getBound, r.window - here) - r.gets
    if let budget = r.budget { want = min(want, budget - r.received - r.gets) }
    if want <= 0 { return }
    let get = MethodRecord(MethodID.basicGet, ["queue": .string(r.queue), "no-ack": .boolean(r.noAck)])
    for _ in 0..<want { send(channels[c].number, get) }
    links[l].receiver.gets += want
  }

  /// No answer is outstanding: the queue was empty, or all that was wanted is here.
  mutating func getsEnded(_ l: Int) {
    workDue = true
    if links[l].receiver.stop == .asked { return stopped(l) }
    let isFull = links[l].receiver.budget.map { links[l].receiver.received >= $0 } ?? false
    if links[l].receiver.draining && (links[l].receiver.sawEmpty || isFull) {
      links[l].receiver.draining = false
      // Nothing more until it is granted again.
      links[l].receiver.window = 0
      events.append(.drained(links[l].id))
    } else if links[l].receiver.sawEmpty {
      links[l].receiver.askAgain = now + Machine091.askAgainAfter
    }
  }

  // MARK: What the peer says

  /// A method on a channel of ours.
  mutating func initiator(_ m: MethodRecord, _ c: Int) {
    let l = channels[c].link
    if c == beatChannel { receivedBeat(m) }
    switch m.id {
    case MethodID.channelOpenOK: if channels[c].state == .opening { channels[c].state = .open }
    case MethodID.confirmSelectOK, MethodID.basicQosOK, MethodID.basicConsumeOK: break
    case MethodID.txSelectOK where settings.isTransactional: break
    case MethodID.txCommitOK, MethodID.txRollbackOK: discharged(m, c)
    case MethodID.basicDeliver: begin(.deliver, m, link: l, channel: c)
    case MethodID.basicReturn: begin(.returned, m, link: l, channel: c)
    case MethodID.basicGetOK where l >= 0 && links[l].receiver.gets > 0: begin(.getOK, m, link: l, channel: c)
    case MethodID.basicGetEmpty where l >= 0 && links[l].receiver.gets > 0:
      links[l].receiver.sawEmpty = true
      links[l].receiver.gets -= 1
      if links[l].receiver.gets == 0 { getsEnded(l) }
    case MethodID.basicCancelOK where l >= 0 && links[l].receiver.consumer == .cancelling:
      links[l].receiver.consumer = links[l].receiver.draining ? .none : .cancelled
      workDue = true
      stopped(l)
    case MethodID.basicCancel: if l >= 0 { cancelled(l, c) }
    case MethodID.queueDeclareOK, MethodID.queueBindOK, MethodID.exchangeDeclareOK, MethodID.exchangeBindOK:
      if m.id == MethodID.queueDeclareOK { declaredQueue = DeclaredQueue(m) }
      if isDeclarer(c) { declared(nil) } else if m.id == MethodID.queueDeclareOK, l >= 0 { named(m.text("queue"), l) }
    default: outOfPlace(m, "on channel \(channels[c].number)")
    }
  }

  /// The peer took the consumer away: its queue is gone, or its node.
  private mutating func cancelled(_ l: Int, _ c: Int) {
    guard links[l].isLive else { return }
    tell(l, CloseReason(.link, .peer, AMQPError("amqp:resource-deleted", "the peer cancelled the consumer")))
    links[l].state = .detaching
    closeChannel(c, nil)
  }

  /// A queue of the peer's naming.
  private mutating func named(_ queue: String, _ l: Int) {
    guard links[l].state == .attaching else { return }
    let address = Value.string(Node091.queue(queue).address)
    if links[l].role == .sender {
      links[l].remote.target?.address = address
      links[l].sender.exchange = []
      links[l].sender.routingKey = [UInt8](utf8: queue)
    } else {
      links[l].remote.source?.address = address
      links[l].receiver.queue = queue
    }
    links[l].state = .attached
    workDue = true
    events.append(.attached(links[l].id))
  }
}

extension Link091.Receiver {
  /// Deliveries are expected; others are nobody's.
  var isConsuming: Bool {
    switch consumer {
    case .running, .cancelDue, .cancelling: true
    case .none, .cancelled: false
    }
  }

  /// Nothing is acknowledged on the wire. Streams want it always.
  var noAck: Bool { isSettled && !isStream }

  /// basic.get instead of a consumer: to see the end of the queue, or because without acknowledgements nothing else
  /// keeps the peer from sending too much.
  var asksOneByOne: Bool { !isStream && !isDirectReply && (draining || (noAck && budget != nil)) }

  /// How many acknowledgements may be written.
  var mayTell: Int {
    guard let budget else { return .max }
    return isConsuming ? max(0, budget - prefetch - told) : .max
  }
}
