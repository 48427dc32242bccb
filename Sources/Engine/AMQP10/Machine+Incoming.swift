/// Deliveries that come in: transfers to whole messages, credit counted down, dispositions of both roles, and what the
/// application decides (part 2 §2.6.12–14, §2.7.5–6).
import Bytes
import Wire

extension Machine10 {
  /// A plain transfer whose frame is at `frame` in the input. Positions in `t` count from the start of the frame.
  mutating func received(_ t: HotTransfer, session s: Int, frame at: Int, end: Int) -> Event? {
    if let l = sessions[s].link(handle: t.handle), let id = t.deliveryID, !t.more, !t.aborted,
      let number = Machine10.whole(l, id, settled: t.settled ?? false, &links[l], &sessions[s], &workDue)
    {
      return .delivery(
        Delivery(
          link: LinkID(l), number: number, settled: t.settled ?? false, messageFormat: t.messageFormat,
          tag: Slice(place: .input, range: at + t.tag.lowerBound..<at + t.tag.upperBound),
          message: Slice(place: .input, range: at + t.payload..<end)))
    }
    guard let l = transferLink(t.handle, s) else { return nil }
    let tag = at + t.tag.lowerBound..<at + t.tag.upperBound
    let payload = at + t.payload..<end
    if !t.more && !t.aborted && links[l].receiver.partial == nil {
      guard let id = t.deliveryID else { return missingID(l, s) }
      guard let number = begin(l, s, id, settled: t.settled ?? false) else { return nil }
      return .delivery(
        Delivery(
          link: LinkID(l), number: number, settled: t.settled ?? false, messageFormat: t.messageFormat,
          tag: Slice(place: .input, range: tag), message: Slice(place: .input, range: payload)))
    }
    return part(
      l, s, id: t.deliveryID, tag: tag, format: t.messageFormat, settled: t.settled, more: t.more, aborted: t.aborted,
      payload: payload)
  }

  /// Takes up a delivery that came whole, within credit and window: nearly every one. Nil, and nothing is done, where
  /// there is anything to be said about it. Static, so that link and session are each looked up once.
  private static func whole(
    _ l: Int, _ id: UInt32, settled: Bool, _ link: inout Link, _ session: inout Session, _ workDue: inout Bool
  ) -> Int? {
    guard link.state == .attached, link.role == .receiver, link.credit > 0, session.incomingWindow > 0,
      link.receiver.partial == nil
    else { return nil }
    session.nextIncomingID &+= 1
    session.incomingWindow &-= 1
    link.deliveryCount &+= 1
    link.credit &-= 1
    link.receiver.received += 1
    link.receiver.held += 1
    if link.credit <= link.receiver.target / 2 || session.incomingWindow <= session.windowSize / 2 { workDue = true }
    return session.incoming.append(
      Session.Incoming(link: l, deliveryID: id, state: settled ? .presettled : .unsettled))
  }

  /// A transfer that was not plain: with a state, say.
  mutating func received(_ t: Transfer, session s: Int, payload: Range<Int>) {
    guard let l = transferLink(t.handle, s) else { return }
    // The tag of a rare frame is not worth a slice of its own: its octets are in the frame, found again by length.
    let tag = payload.lowerBound..<payload.lowerBound
    if let event = part(
      l, s, id: t.deliveryID, tag: tag, format: t.messageFormat ?? 0, settled: t.settled, more: t.more,
      aborted: t.aborted, payload: payload)
    {
      events.append(event)
    }
  }

  /// Counts the transfer and finds its link; nil when it is to be ignored or was a fault.
  private mutating func transferLink(_ handle: UInt32, _ s: Int) -> Int? {
    sessions[s].nextIncomingID &+= 1
    if sessions[s].incomingWindow == 0 {
      failSession(s, AMQPError(Condition.windowViolation, "a transfer beyond the incoming window"))
      return nil
    }
    sessions[s].incomingWindow &-= 1
    if sessions[s].incomingWindow <= sessions[s].windowSize / 2 { workDue = true }
    guard let l = sessions[s].link(handle: handle) else {
      failSession(s, AMQPError(Condition.unattachedHandle, "a transfer for handle \(handle), which is not attached"))
      return nil
    }
    guard links[l].role == .receiver else {
      failSession(s, AMQPError(Condition.notAllowed, "a transfer from the receiver of link '\(links[l].local.name)'"))
      return nil
    }
    // What was under way when we detached is dropped; the sender has it back with the detach.
    return links[l].state == .attached ? l : nil
  }

  private mutating func missingID(_ l: Int, _ s: Int) -> Event? {
    failSession(s, AMQPError(Condition.invalidField, "a delivery begins without delivery-id"))
    return nil
  }

  /// Takes up a new delivery. Returns its number, or nil when the sender had no credit for it.
  ///
  /// RabbitMQ 3 reads a top-up against what it has sent and not against the delivery-count in it, so what was under way
  /// comes on top of the credit. So much is taken; a sender that goes on and on is not.
  private mutating func begin(_ l: Int, _ s: Int, _ id: UInt32, settled: Bool) -> Int? {
    let overrun = -links[l].receiver.allowance.ahead(of: links[l].deliveryCount)
    if overrun >= Int(max(links[l].receiver.ceiling, links[l].receiver.target)) {
      detach(LinkID(l), AMQPError(Condition.transferLimitExceeded, "a delivery without credit"), closes: true)
      events.append(
        .detached(
          LinkID(l), CloseReason(.link, .local, AMQPError(Condition.transferLimitExceeded, "a delivery without credit"))
        ))
      return nil
    }
    links[l].deliveryCount &+= 1
    if links[l].credit > 0 { links[l].credit &-= 1 }
    links[l].receiver.received += 1
    links[l].receiver.held += 1
    if links[l].credit <= links[l].receiver.target / 2 { workDue = true }
    return sessions[s].incoming.append(
      Session.Incoming(link: l, deliveryID: id, state: settled ? .presettled : .unsettled))
  }

  /// One of several transfers of a delivery.
  private mutating func part(
    _ l: Int, _ s: Int, id: UInt32?, tag: Range<Int>, format: UInt32, settled: Bool?, more: Bool, aborted: Bool,
    payload: Range<Int>
  ) -> Event? {
    if var partial = links[l].receiver.partial {
      if let id, id != partial.deliveryID {
        failSession(
          s, AMQPError(Condition.invalidField, "delivery \(id) begins before delivery \(partial.deliveryID) has ended"))
        return nil
      }
      if settled == true { partial.settled = true }
      links[l].receiver.partial = partial
    } else {
      guard let id else { return missingID(l, s) }
      guard let number = begin(l, s, id, settled: settled ?? false) else { return nil }
      links[l].receiver.assembly.removeAll()
      input.withBytes(tag) { links[l].receiver.assembly.append($0) }
      links[l].receiver.partial = Link.Receiver.Partial(
        number: number, deliveryID: id, settled: settled ?? false, messageFormat: format, tagLength: tag.count)
    }
    guard let partial = links[l].receiver.partial else { return nil }
    if aborted {
      links[l].receiver.partial = nil
      links[l].receiver.assembly.removeAll()
      finish(s, partial.number..<partial.number + 1)
      return .aborted(LinkID(l))
    }
    if links[l].receiver.assembly.count + payload.count > settings.limits.messageSize {
      links[l].receiver.partial = nil
      links[l].receiver.assembly = ByteQueue()
      let error = AMQPError(
        Condition.messageSizeExceeded, "a message of more than \(settings.limits.messageSize) octets")
      detach(LinkID(l), error, closes: true)
      finish(s, partial.number..<partial.number + 1)
      return .detached(LinkID(l), CloseReason(.link, .local, error))
    }
    input.withBytes(payload) { links[l].receiver.assembly.append($0) }
    if more { return nil }
    links[l].receiver.partial = nil
    if partial.settled && sessions[s].incoming.contains(partial.number) {
      sessions[s].incoming[partial.number].state = .presettled
    }
    let whole = links[l].receiver.assembly.readable
    return .delivery(
      Delivery(
        link: LinkID(l), number: partial.number, settled: partial.settled, messageFormat: partial.messageFormat,
        tag: Slice(place: .assembly(l), range: whole.lowerBound..<whole.lowerBound + partial.tagLength),
        message: Slice(place: .assembly(l), range: whole.lowerBound + partial.tagLength..<whole.upperBound)))
  }

  // MARK: What the application decides

  /// Settles the deliveries of the link's session with these numbers, as far as they are not settled yet. For those
  /// that came settled it says that they are done with, which is what makes room for more.
  mutating func settle(_ id: LinkID, _ run: ClosedRange<Int>, _ outcome: Outcome) {
    let s = links[id.index].session
    let from = max(run.lowerBound, sessions[s].incoming.first)
    let to = min(run.upperBound, sessions[s].incoming.next - 1)
    if from > to { return }
    var run = Session.PendingDisposition(first: 0, last: 0, settled: true, state: outcome.deliveryState)
    var isOpen = false
    for number in from...to {
      let entry = sessions[s].incoming[number]
      switch entry.state {
      case .unsettled:
        let second = links[entry.link].local.rcvSettleMode == .second
        sessions[s].incoming[number].state = second ? .answered : .done
        // In the second mode it is ours until the sender has settled.
        if !second { links[entry.link].receiver.held -= 1 }
        guard links[entry.link].state == .attached else { continue }
        if isOpen && run.last &+ 1 == entry.deliveryID && run.settled != second {
          run.last = entry.deliveryID
        } else {
          if isOpen { sessions[s].dispositions.add(run) }
          (run.first, run.last, run.settled) = (entry.deliveryID, entry.deliveryID, !second)
          isOpen = true
        }
      case .presettled:
        links[entry.link].receiver.held -= 1
        sessions[s].incoming[number].state = .done
      case .done, .answered: break
      }
    }
    if isOpen { sessions[s].dispositions.add(run) }
    sessions[s].incoming.trim { $0.state == .done }
    workDue = true
  }

  /// Forgets deliveries that nobody can settle any more.
  private mutating func finish(_ s: Int, _ numbers: Range<Int>) {
    for number in numbers where sessions[s].incoming.contains(number) {
      let entry = sessions[s].incoming[number]
      if entry.state != .done { links[entry.link].receiver.held -= 1 }
      sessions[s].incoming[number].state = .done
    }
    sessions[s].incoming.trim { $0.state == .done }
    workDue = true
  }

  var awaitsSettlement: Bool {
    sessions.contains { session in
      session.state == .mapped
        && (session.incoming.first..<session.incoming.next).contains { session.incoming[$0].state == .answered }
    }
  }

  func unsettledIncoming(_ id: LinkID) -> Int {
    let ring = sessions[links[id.index].session].incoming
    return (ring.first..<ring.next).count { ring[$0].state == .unsettled && ring[$0].link == id.index }
  }

  // MARK: Credit

  /// Lets the sender have `start` deliveries under way, growing to `ceiling`, and `budget` in all.
  mutating func grant(_ id: LinkID, start: UInt32, ceiling: UInt32, budget: Int?) {
    links[id.index].receiver.target = start
    links[id.index].receiver.ceiling = ceiling
    links[id.index].receiver.budget = budget
    links[id.index].receiver.stopping = false
    workDue = true
  }

  /// Takes the credit back; `.stopped` follows when the sender knows.
  mutating func stop(_ id: LinkID) {
    let l = id.index
    guard links[l].state == .attached, links[l].role == .receiver, !links[l].receiver.stopping else { return }
    links[l].receiver.stopping = true
    links[l].drain = false
    if links[l].credit == 0 {
      events.append(.stopped(id))
    } else {
      links[l].credit = 0
      links[l].flowDue = true
      workDue = true
    }
  }

  /// Asks the sender to send what it has for the credit it was given, and to say when there is nothing more.
  mutating func drain(_ id: LinkID) {
    let l = id.index
    guard links[l].state == .attached, links[l].role == .receiver, !links[l].drain else { return }
    links[l].drain = true
    links[l].flowDue = links[l].credit > 0
    workDue = true
  }

  // MARK: Dispositions

  /// A range may claim four billion deliveries; what is looked at is bounded by what is unsettled.
  mutating func received(
    _ role: Role, _ first: UInt32, _ last: UInt32, settled: Bool, _ state: DeliveryState?, session s: Int
  ) {
    if last.ahead(of: first) < 0 {
      return failSession(s, AMQPError(Condition.invalidField, "a disposition from \(first) down to \(last)"))
    }
    if role == .receiver {
      receiverSettles(first, last, settled: settled, state, s)
    } else {
      senderSettles(first, last, settled: settled, s)
    }
  }

  /// About deliveries that came in: the sender settles what we answered (second mode), or takes back what we have.
  private mutating func senderSettles(_ first: UInt32, _ last: UInt32, settled: Bool, _ s: Int) {
    guard settled else { return }
    let numbers = sessions[s].incomingNumbers(first, last)
    if numbers.isEmpty { return }
    var run: (link: Int, from: Int, to: Int)?
    for number in numbers {
      let entry = sessions[s].incoming[number]
      if entry.state == .done || entry.state == .presettled { continue }
      if entry.state == .unsettled {
        sessions[s].incoming[number].state = .presettled
      } else {
        sessions[s].incoming[number].state = .done
        links[entry.link].receiver.held -= 1
      }
      if let r = run, r.link == entry.link, r.to == number - 1 {
        run = (r.link, r.from, number)
      } else {
        if let r = run { events.append(.settledBySender(LinkID(r.link), r.from...r.to)) }
        run = (entry.link, number, number)
      }
    }
    if let r = run { events.append(.settledBySender(LinkID(r.link), r.from...r.to)) }
    sessions[s].incoming.trim { $0.state == .done }
    workDue = true
  }

  /// About deliveries that we sent.
  private mutating func receiverSettles(
    _ first: UInt32, _ last: UInt32, settled: Bool, _ state: DeliveryState?, _ s: Int
  ) {
    // `received` and transactional states come before an outcome.
    if !settled && !(state?.isTerminal ?? false) { return }
    let base = sessions[s].deliveryID(sessions[s].outgoing.first)
    let from = max(0, first.ahead(of: base)) + sessions[s].outgoing.first
    let to = min(last.ahead(of: base) + sessions[s].outgoing.first, sessions[s].outgoing.next - 1)
    if from > to { return }
    let answer = answer(state)
    var run: (link: Int, from: Int, to: Int)?
    var place = from
    while place <= to {
      let entry = sessions[s].outgoing[place]
      if !entry.done {
        sessions[s].outgoing[place].done = true
        links[entry.link].sender.unsettled -= 1
        if let partial = links[entry.link].sender.partial, partial.number == entry.number {
          // Answered before it was whole: what is left of it need not be sent.
          abort(entry.link, s)
        }
        if !settled {
          let id = sessions[s].deliveryID(place)
          sessions[s].settlements.add(Session.PendingDisposition(first: id, last: id, settled: true, state: state))
          workDue = true
        }
        if let r = run, r.link == entry.link, entry.number == r.to + 1 {
          run = (r.link, r.from, entry.number)
        } else {
          if let r = run { events.append(.answered(LinkID(r.link), r.from...r.to, answer)) }
          run = (entry.link, entry.number, entry.number)
        }
      }
      place += 1
    }
    if let r = run { events.append(.answered(LinkID(r.link), r.from...r.to, answer)) }
    sessions[s].outgoing.trim(while: \.done)
  }

  private func answer(_ state: DeliveryState?) -> Answer {
    switch state {
    case .accepted: .accepted
    case .rejected(let error): .rejected(error)
    case .released: .released
    case .modified(let failed, let undeliverable, _): .modified(failed: failed, undeliverable: undeliverable)
    case .received, .other, nil: .unspecified
    }
  }
}

extension Outcome {
  /// The one place where an outcome becomes a delivery state.
  var deliveryState: DeliveryState {
    switch self {
    case .accept: .accepted
    case .reject(let error): .rejected(error)
    case .release: .released
    case .modify(let failed, let undeliverable, let annotations):
      .modified(deliveryFailed: failed, undeliverableHere: undeliverable, annotations: annotations)
    }
  }
}
