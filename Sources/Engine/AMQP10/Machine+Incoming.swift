/// Deliveries that come in: transfers to whole messages, credit counted down, dispositions of both roles, and what the
/// application decides (part 2 §2.6.12–14, §2.7.5–6).
import Bytes
import Wire

extension Machine10 {
  /// A plain transfer whose frame is at `frame` in the input. Positions in `t` count from the start of the frame.
  mutating func received(_ t: HotTransfer, session s: Int, frame at: Int, end: Int) -> Event? {
    // One frame may hold more than a message may have; `part` says so.
    let isWhole = !t.more && !t.aborted && end - at - t.payload <= settings.limits.messageSize
    if isWhole, let l = sessions[s].handles[Int(t.handle)], let id = t.deliveryID,
      let number = Machine10.whole(t, id, &links[l], &sessions[s], &workDue)
    {
      return .delivery(
        Delivery(
          link: links[l].id, number: number, settled: t.settled ?? false, messageFormat: t.messageFormat,
          tag: Slice(place: .input, range: at + t.tag.lowerBound..<at + t.tag.upperBound),
          message: Slice(place: .input, range: at + t.payload..<end)))
    }
    guard let l = transferLink(t.handle, s) else { return nil }
    let tag = at + t.tag.lowerBound..<at + t.tag.upperBound
    let payload = at + t.payload..<end
    if isWhole && links[l].receiver.partial == nil {
      guard let id = t.deliveryID else { return missingID(l, s) }
      guard let number = begin(l, s, id, settled: t.settled ?? false, t.rcvSettleMode) else { return nil }
      if links[l].credit == 0 { creditEnded(l) }
      return .delivery(
        Delivery(
          link: links[l].id, number: number, settled: t.settled ?? false, messageFormat: t.messageFormat,
          tag: Slice(place: .input, range: tag), message: Slice(place: .input, range: payload)))
    }
    return part(
      l, s, id: t.deliveryID, tag: tag, format: t.messageFormat, settled: t.settled, t.rcvSettleMode, more: t.more,
      aborted: t.aborted, payload: payload)
  }

  /// Takes up a delivery that came whole, within credit and window: nearly every one. Nil, and nothing is done, where
  /// there is anything to be said about it. Static, so that link and session are each looked up once.
  private static func whole(
    _ t: HotTransfer, _ id: UInt32, _ link: inout Link, _ session: inout Session, _ workDue: inout Bool
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
    return session.incoming.append(link.incoming(id, settled: t.settled ?? false, t.rcvSettleMode))
  }

  /// A transfer that was not plain: with a state, say.
  mutating func received(_ t: Transfer, session s: Int, tag: Range<Int>, payload: Range<Int>) {
    guard let l = transferLink(t.handle, s) else { return }
    let waiting = events.count
    if let event = part(
      l, s, id: t.deliveryID, tag: tag, format: t.messageFormat ?? 0, settled: t.settled, t.rcvSettleMode,
      more: t.more, aborted: t.aborted, payload: payload)
    {
      // In front of what the end of credit brought.
      events.insert(event, at: waiting)
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
    guard let l = sessions[s].handles[Int(handle)] else {
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
  private mutating func begin(
    _ l: Int, _ s: Int, _ id: UInt32, settled: Bool, _ mode: ReceiverSettleMode?
  ) -> Int? {
    let overrun = -links[l].receiver.allowance.ahead(of: links[l].deliveryCount)
    if overrun >= Int(max(links[l].receiver.ceiling, links[l].receiver.target)) {
      failLink(l, AMQPError(Condition.transferLimitExceeded, "a delivery without credit"))
      return nil
    }
    links[l].deliveryCount &+= 1
    if links[l].credit > 0 { links[l].credit &-= 1 }
    links[l].receiver.received += 1
    links[l].receiver.held += 1
    if links[l].credit <= links[l].receiver.target / 2 { workDue = true }
    return sessions[s].incoming.append(links[l].incoming(id, settled: settled, mode))
  }

  /// One of several transfers of a delivery.
  private mutating func part(
    _ l: Int, _ s: Int, id: UInt32?, tag: Range<Int>, format: UInt32, settled: Bool?,
    _ mode: ReceiverSettleMode?, more: Bool, aborted: Bool, payload: Range<Int>
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
      guard let number = begin(l, s, id, settled: settled ?? false, mode) else { return nil }
      links[l].receiver.assembly.removeAll()
      input.withBytes(tag) { links[l].receiver.assembly.append($0) }
      links[l].receiver.partial = Link.Receiver.Partial(
        number: number, deliveryID: id, settled: settled ?? false, messageFormat: format, tagLength: tag.count)
    }
    guard let partial = links[l].receiver.partial else { return nil }
    if aborted {
      links[l].receiver.partial = nil
      links[l].receiver.assembly.removeAll()
      finish(s, partial.number)
      // It took credit, but it is none of those that were asked for.
      links[l].receiver.received -= 1
      creditEnded(l)
      return .aborted(links[l].id)
    }
    if links[l].receiver.assembly.count + payload.count > settings.limits.messageSize {
      links[l].receiver.partial = nil
      links[l].receiver.assembly = ByteQueue()
      finish(s, partial.number)
      failLink(
        l,
        AMQPError(Condition.messageSizeExceeded, "a message of more than \(settings.limits.messageSize) octets"))
      return nil
    }
    input.withBytes(payload) { links[l].receiver.assembly.append($0) }
    if more { return nil }
    links[l].receiver.partial = nil
    if partial.settled && sessions[s].incoming.contains(partial.number) {
      sessions[s].incoming[partial.number].state = .presettled
    }
    creditEnded(l)
    let whole = links[l].receiver.assembly.readable
    return .delivery(
      Delivery(
        link: links[l].id, number: partial.number, settled: partial.settled, messageFormat: partial.messageFormat,
        tag: Slice(place: .assembly(l), range: whole.lowerBound..<whole.lowerBound + partial.tagLength),
        message: Slice(place: .assembly(l), range: whole.lowerBound + partial.tagLength..<whole.upperBound)))
  }

  // MARK: What the application decides

  /// Settles the link's deliveries with these numbers, as far as they are whole and not settled yet. For those
  /// that came settled it says that they are done with, which is what makes room for more.
  mutating func settle(_ id: LinkID, _ run: ClosedRange<Int>, _ outcome: Outcome) {
    guard let l = index(id) else { return }
    let s = links[l].session
    let isAttached = links[l].state == .attached
    let partial = links[l].receiver.partial?.number
    let from = max(run.lowerBound, sessions[s].incoming.first)
    let to = min(run.upperBound, sessions[s].incoming.next - 1)
    if from > to { return }
    var run = Session.PendingDisposition(first: 0, last: 0, settled: true, state: enlisted(outcome.deliveryState))
    var isOpen = false
    for number in from...to {
      let entry = sessions[s].incoming[number]
      if entry.link != l || number == partial { continue }
      switch entry.state {
      case .unsettled:
        let second = entry.isSecond
        sessions[s].incoming[number].state = second ? .answered : .done
        // In the second mode it is ours until the sender has settled.
        if !second { links[l].receiver.held -= 1 }
        guard isAttached else { continue }
        if isOpen && run.last &+ 1 == entry.deliveryID && run.settled != second {
          run.last = entry.deliveryID
        } else {
          if isOpen { sessions[s].dispositions.add(run) }
          (run.first, run.last, run.settled) = (entry.deliveryID, entry.deliveryID, !second)
          isOpen = true
        }
      case .presettled:
        links[l].receiver.held -= 1
        sessions[s].incoming[number].state = .done
      case .done, .answered: break
      }
    }
    if isOpen { sessions[s].dispositions.add(run) }
    sessions[s].incoming.trim { $0.state == .done }
    workDue = true
  }

  /// Forgets a delivery that nobody can settle any more.
  private mutating func finish(_ s: Int, _ number: Int) {
    if sessions[s].incoming.contains(number) {
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
    guard let l = index(id) else { return 0 }
    let ring = sessions[links[l].session].incoming
    return (ring.first..<ring.next).count { ring[$0].state == .unsettled && ring[$0].link == l }
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
      if links[entry.link].receiver.partial?.number == number {
        // The application has not seen it yet.
        links[entry.link].receiver.partial?.settled = true
        continue
      }
      if entry.state == .unsettled {
        sessions[s].incoming[number].state = .presettled
      } else {
        sessions[s].incoming[number].state = .done
        links[entry.link].receiver.held -= 1
      }
      if let r = run, r.link == entry.link, r.to == number - 1 {
        run = (r.link, r.from, number)
      } else {
        if let r = run { events.append(.settledBySender(links[r.link].id, r.from...r.to)) }
        run = (entry.link, number, number)
      }
    }
    if let r = run { events.append(.settledBySender(links[r.link].id, r.from...r.to)) }
    sessions[s].incoming.trim { $0.state == .done }
    workDue = true
  }

  /// About deliveries that we sent.
  private mutating func receiverSettles(
    _ first: UInt32, _ last: UInt32, settled: Bool, _ state: DeliveryState?, _ s: Int
  ) {
    // `received` comes before an outcome.
    if !settled && !(state?.isTerminal ?? false) { return }
    let answer = answer(state)
    var run: (link: Int, from: Int, to: Int)?
    for place in sessions[s].outgoingPlaces(first, last) {
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
          if let r = run { events.append(.answered(links[r.link].id, r.from...r.to, answer)) }
          run = (entry.link, entry.number, entry.number)
        }
      }
    }
    if let r = run { events.append(.answered(links[r.link].id, r.from...r.to, answer)) }
    sessions[s].outgoing.trim(while: \.done)
  }

  private func answer(_ state: DeliveryState?) -> Answer {
    switch state {
    case .accepted: .accepted
    case .rejected(let error): .rejected(error)
    case .released: .released
    case .modified(let failed, let undeliverable, _): .modified(failed: failed, undeliverable: undeliverable)
    case .other(let value):
      switch Record(value) {
      case let r? where r.code == Code.transactionalState: answer(DeliveryState(r[1]))
      case let r? where r.code == Code.declared: declared(r[0])
      default: .unspecified
      }
    case .received, nil: .unspecified
    }
  }

  private func declared(_ transaction: Value) -> Answer {
    if case .binary(let id) = transaction { .declared(id) } else { .unspecified }
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
