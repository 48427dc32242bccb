/// Sessions and links of the 1.0 machine: begin, attach, flow, detach, end (part 2 §2.5–2.6).
import Bytes
import Wire

extension Machine10 {
  // MARK: Sessions

  /// The session that the application's own links use; nil when the peer has taken every channel.
  private mutating func ownSession() -> Int? {
    let own = sessions.firstIndex { !$0.isBeat && ($0.state == .beginning || $0.state == .mapped) }
    return own ?? beginSession()
  }

  /// Takes a place and a channel that both ends allow; nil when there is none. Channels are taken in turn: RabbitMQ 4 may
  /// take the late exit of a session for the exit of the next one on its channel, which then gets no answer.
  mutating func beginSession() -> Int? {
    let used = Set(sessions.filter { !$0.isFree }.map(\.channel))
    let highest = min(settings.channelMax, peer.open.channelMax)
    let free = (0...highest).lazy.filter { !used.contains($0) }
    guard let channel = free.first(where: { $0 >= nextChannel }) ?? free.first else { return nil }
    nextChannel = channel &+ 1
    workDue = true
    let session = Session(channel: channel, firstID: settings.firstID, window: settings.incomingWindow)
    if let place = sessions.firstIndex(where: \.isFree) {
      sessions[place] = session
      return place
    }
    sessions.append(session)
    return sessions.count - 1
  }

  mutating func received(_ begin: Begin, channel: UInt16) {
    if channel > settings.channelMax {
      return fail(
        .connection, AMQPError(Condition.notAllowed, "channel \(channel) is above channel-max \(settings.channelMax)"))
    }
    if channels[Int(channel)] != nil {
      return fail(.connection, AMQPError(Condition.notAllowed, "a second begin on channel \(channel)"))
    }
    let s: Int
    if let ours = begin.remoteChannel {
      guard
        let i = sessions.firstIndex(where: {
          $0.channel == ours && $0.remoteChannel == nil && $0.state != .ended
        })
      else {
        return fail(
          .connection, AMQPError(Condition.notAllowed, "a begin answers channel \(ours), where nothing was begun"))
      }
      s = i
    } else {
      guard let i = beginSession() else {
        return fail(.connection, AMQPError(Condition.resourceLimitExceeded, "no channel is left for another session"))
      }
      s = i
    }
    sessions[s].remoteChannel = channel
    sessions[s].nextIncomingID = begin.nextOutgoingID
    sessions[s].remoteIncomingWindow = begin.incomingWindow
    sessions[s].handleMax = begin.handleMax
    if sessions[s].state == .beginning { sessions[s].state = .mapped }
    channels[Int(channel)] = s
    workDue = true
    if sessions[s].isBeat { return beatBegan(s) }
    for l in links.indices where links[l].session == s && links[l].attachDue { checkHandle(l) }
  }

  mutating func receivedEnd(_ error: AMQPError?, session s: Int) {
    let ours = sessions[s].state == .ending
    if !ours { sessions[s].endDue = true }
    sessions[s].state = .ended
    if let channel = sessions[s].remoteChannel { channels[Int(channel)] = nil }
    if sessions[s].isBeat && ours { beats.answered += 1 }
    loseLinks(s, CloseReason(.session, ours && error == nil ? .local : .peer, error ?? sessions[s].endError))
  }

  /// The peer broke a rule of the session.
  mutating func failSession(_ s: Int, _ error: AMQPError) {
    guard sessions[s].state != .ended && sessions[s].state != .ending else { return }
    sessions[s].endDue = true
    sessions[s].endError = error
    sessions[s].state = .ending
    loseLinks(s, CloseReason(.session, .local, error))
  }

  private mutating func loseLinks(_ s: Int, _ reason: CloseReason) {
    for l in links.indices where links[l].session == s && links[l].state != .detached {
      links[l].state = .detached
      links[l].attachDue = false
      links[l].detachDue = false
      links[l].sender = Link.Sender()
      links[l].receiver = Link.Receiver()
      tell(l, reason)
      retireIfFree(l)
    }
    sessions[s].outgoing = UnsettledRing()
    sessions[s].incoming = UnsettledRing()
    sessions[s].dispositions = []
    sessions[s].settlements = []
    workDue = true
  }

  // MARK: Links

  /// The place of a link that an identity was given to, while it is still that link's.
  func index(_ id: LinkID) -> Int? { links[id.index].id.serial == id.serial ? id.index : nil }

  /// Says once that a link is gone.
  mutating func tell(_ l: Int, _ reason: CloseReason) {
    // The connection's own end was the last word.
    if links[l].isTold || phase == .over { return }
    links[l].isTold = true
    events.append(.detached(links[l].id, reason))
  }

  /// The peer broke a rule of the link.
  mutating func failLink(_ l: Int, _ error: AMQPError) {
    detach(links[l].id, error, closes: true)
    forget(l)
    tell(l, CloseReason(.link, .local, error))
  }

  private mutating func addLink(_ role: Role, session s: Int, _ local: Attach) -> Int {
    let l = freePlaces.popLast() ?? links.count
    nextSerial += 1
    var link = Link(
      LinkID(index: l, serial: nextSerial), role: role, session: s, handle: sessions[s].takeHandle(), local: local)
    if role == .sender { link.deliveryCount = settings.firstID }
    if l < links.count { links[l] = link } else { links.append(link) }
    return l
  }

  /// Starts a link of our own; its frames are written as soon as the peer can take them.
  mutating func attach(_ attach: Attach) -> LinkID {
    let l: Int
    if let s = ownSession() {
      l = addLink(attach.role, session: s, attach)
      links[l].attachDue = true
      asked.append(l)
      if sessions[s].state == .mapped { checkHandle(l) }
    } else {
      l = addLink(attach.role, session: 0, attach)
      links[l].state = .detached
      retireIfFree(l)
      tell(l, CloseReason(.session, .local, AMQPError(Condition.resourceLimitExceeded, "no channel is left")))
    }
    workDue = true
    return links[l].id
  }

  /// A link that the peer's handle-max leaves no handle for is not asked for.
  private mutating func checkHandle(_ l: Int) {
    let s = links[l].session
    if links[l].handle <= sessions[s].handleMax { return }
    links[l].attachDue = false
    links[l].state = .detached
    releaseHandle(l)
    retireIfFree(l)
    let error = AMQPError(
      Condition.resourceLimitExceeded, "the peer allows \(sessions[s].handleMax + 1) link(s) in a session")
    tell(l, CloseReason(.link, .local, error))
  }

  mutating func received(_ attach: Attach, session s: Int) {
    if attach.handle > Machine10.handleMax {
      return failSession(
        s, AMQPError(Condition.notAllowed, "handle \(attach.handle) is above handle-max \(Machine10.handleMax)"))
    }
    if sessions[s].handles[Int(attach.handle)] != nil {
      return failSession(s, AMQPError(Condition.handleInUse, "handle \(attach.handle) is attached already"))
    }
    let role: Role = attach.role == .sender ? .receiver : .sender
    guard
      let answers = asked.firstIndex(where: { l in
        links[l].session == s && links[l].role == role && links[l].local.name == attach.name
      })
    else { return requested(attach, role, s) }
    let l = asked.remove(at: answers)
    if links[l].state == .attaching { return answered(attach, l, s) }
    // Our detach crossed the peer's answer to our attach.
    links[l].remoteHandle = attach.handle
    sessions[s].handles[Int(attach.handle)] = l
  }

  /// The peer's answer to an attach of ours.
  private mutating func answered(_ attach: Attach, _ l: Int, _ s: Int) {
    links[l].remote = attach
    links[l].remoteHandle = attach.handle
    sessions[s].handles[Int(attach.handle)] = l
    workDue = true
    if links[l].role == .receiver {
      links[l].deliveryCount = attach.initialDeliveryCount ?? 0
      links[l].receiver.allowance = links[l].deliveryCount
    }
    // Refused is: the terminus at the peer's end is missing (part 2 §2.6.3).
    let asked = links[l].role == .sender ? links[l].local.target != nil : links[l].local.source != nil
    let given = links[l].role == .sender ? attach.target != nil : attach.source != nil
    if asked && !given {
      links[l].state = .refused
    } else {
      links[l].state = .attached
      events.append(.attached(links[l].id))
    }
  }

  /// The peer wants a link.
  private mutating func requested(_ attach: Attach, _ role: Role, _ s: Int) {
    // The same name in the same direction: the newer attach takes the link over (part 2 §2.6.1).
    let old = links.firstIndex {
      $0.isLive && $0.remoteHandle != nil && $0.role == role && $0.remote.name == attach.name
    }
    if let old {
      let error = AMQPError(Condition.stolen, "attached again under the same name")
      detach(links[old].id, error, closes: false)
      forget(old)
      tell(old, CloseReason(.link, .local, error))
    }
    if links.count >= Machine10.linkBound && freePlaces.isEmpty {
      return failSession(s, AMQPError(Condition.resourceLimitExceeded, "\(links.count) links are enough"))
    }
    var answer = Attach()
    answer.name = attach.name
    answer.role = role
    answer.sndSettleMode = attach.sndSettleMode
    answer.rcvSettleMode = attach.rcvSettleMode
    answer.source = attach.source
    answer.target = attach.target
    let l = addLink(role, session: s, answer)
    if links[l].handle > sessions[s].handleMax {
      // The application never heard of it.
      links[l].isTold = true
      return failSession(
        s, AMQPError(Condition.resourceLimitExceeded, "handle-max leaves no handle for link '\(attach.name)'"))
    }
    links[l].state = .requested
    links[l].remote = attach
    links[l].remoteHandle = attach.handle
    if role == .receiver {
      links[l].deliveryCount = attach.initialDeliveryCount ?? 0
      links[l].receiver.allowance = links[l].deliveryCount
    }
    sessions[s].handles[Int(attach.handle)] = l
    events.append(.attachRequested(links[l].id))
  }

  /// Grants a link that the peer asked for; `adjust` says what differs from what it asked.
  mutating func accept(_ id: LinkID, _ adjust: (inout Attach) -> Void) {
    guard let l = index(id), links[l].state == .requested else { return }
    adjust(&links[l].local)
    links[l].state = .attached
    links[l].attachDue = true
    workDue = true
  }

  /// Refuses it: an attach without the terminus, then the reason.
  mutating func refuse(_ id: LinkID, _ error: AMQPError?) {
    guard let l = index(id), links[l].state == .requested else { return }
    withoutTerminus(l)
    links[l].detachDue = true
    links[l].detachError = error
    links[l].state = .detaching
  }

  /// Our attach is due, and says that there is nothing at our end.
  private mutating func withoutTerminus(_ l: Int) {
    if links[l].role == .sender { links[l].local.source = nil } else { links[l].local.target = nil }
    links[l].attachDue = true
    workDue = true
  }

  mutating func detach(_ id: LinkID, _ error: AMQPError?, closes: Bool) {
    guard let l = index(id), links[l].isLive else { return }
    workDue = true
    if links[l].state == .requested { return refuse(id, error) }
    if links[l].state == .attaching && links[l].attachDue {
      // The peer never hears of it.
      links[l].attachDue = false
      links[l].state = .detached
      releaseHandle(l)
      retireIfFree(l)
      return tell(l, CloseReason(.link, .local, error))
    }
    links[l].state = .detaching
    links[l].detachDue = true
    links[l].detachError = error
    links[l].closes = closes
  }

  mutating func received(_ detach: Detach, session s: Int) {
    guard let l = sessions[s].handles[Int(detach.handle)] else {
      return failSession(
        s, AMQPError(Condition.unattachedHandle, "a detach for handle \(detach.handle), which is not attached"))
    }
    sessions[s].handles[Int(detach.handle)] = nil
    let ours = links[l].state == .detaching
    // Neither granted nor refused: our attach comes before our detach even so.
    if links[l].state == .requested { withoutTerminus(l) }
    links[l].state = .detached
    if !ours {
      // Answered with what came: closed for closed.
      links[l].closes = detach.closed
      links[l].detachDue = true
      links[l].detachError = nil
      workDue = true
    } else if !links[l].detachDue {
      releaseHandle(l)
    }
    forget(l)
    retireIfFree(l)
    tell(l, CloseReason(.link, ours && detach.error == nil ? .local : .peer, detach.error))
  }

  /// Gives the place of a link to the next one, when all about it is said.
  mutating func retireIfFree(_ l: Int) {
    guard links[l].isFree, !links[l].isRetired else { return }
    links[l].isRetired = true
    if links[l].remoteHandle == nil { asked.removeAll { $0 == l } }
    freePlaces.append(l)
  }

  /// Both detaches are said: the handle may name another link.
  mutating func releaseHandle(_ l: Int) {
    let s = links[l].session
    if Int(links[l].handle) < sessions[s].taken.count { sessions[s].taken[Int(links[l].handle)] = false }
  }

  /// Deliveries of a link that is gone can't be settled any more; what was not answered is the application's to know.
  mutating func forget(_ l: Int) {
    let s = links[l].session
    links[l].sender = Link.Sender()
    links[l].receiver = Link.Receiver()
    for place in sessions[s].outgoing.first..<sessions[s].outgoing.next where sessions[s].outgoing[place].link == l {
      sessions[s].outgoing[place].done = true
    }
    sessions[s].outgoing.trim(while: \.done)
    for number in sessions[s].incoming.first..<sessions[s].incoming.next where sessions[s].incoming[number].link == l {
      sessions[s].incoming[number].state = .done
    }
    sessions[s].incoming.trim { $0.state == .done }
  }

  // MARK: Flow, part 2 §2.5.6 and §2.6.7

  mutating func received(_ flow: Flow, session s: Int) {
    // Without next-incoming-id the peer has not seen our begin, so there is nothing of ours under way; some never say it.
    let seen = flow.nextIncomingID ?? sessions[s].nextOutgoingID
    let window = Int(flow.incomingWindow) + seen.ahead(of: sessions[s].nextOutgoingID)
    sessions[s].remoteIncomingWindow = UInt32(clamping: window)
    guard let handle = flow.handle else {
      if flow.echo {
        sessions[s].flowDue = true
        workDue = true
      }
      return
    }
    guard let l = sessions[s].handles[Int(handle)] else {
      return failSession(s, AMQPError(Condition.unattachedHandle, "a flow for handle \(handle), which is not attached"))
    }
    if links[l].role == .sender { senderFlow(flow, l) } else { receiverFlow(flow, l) }
    if flow.echo {
      links[l].flowDue = true
      workDue = true
    }
  }

  /// Credit of ours.
  private mutating func senderFlow(_ flow: Flow, _ l: Int) {
    if let credit = flow.linkCredit {
      // Without delivery-count the receiver has not seen our attach, or never says it: it counts from now.
      let count = flow.deliveryCount ?? links[l].deliveryCount
      links[l].credit = UInt32(clamping: Int(credit) + count.ahead(of: links[l].deliveryCount))
    }
    links[l].drain = flow.drain
    links[l].sender.drainDue = flow.drain
    if links[l].sender.abortDue != nil { workDue = true }
  }

  /// What the sender makes of the credit that we gave.
  private mutating func receiverFlow(_ flow: Flow, _ l: Int) {
    if let count = flow.deliveryCount, count.ahead(of: links[l].deliveryCount) > 0 {
      // The sender used credit up without sending.
      let skipped = UInt32(count.ahead(of: links[l].deliveryCount))
      links[l].deliveryCount = count
      links[l].credit -= min(links[l].credit, skipped)
      links[l].receiver.isDrained = links[l].drain
    } else if links[l].drain && flow.drain && flow.linkCredit == 0 && flow.deliveryCount == nil {
      // Some leave their delivery-count out. One that is where ours is says only that the credit before was used up
      // by messages: RabbitMQ 4 sends it when the next may be on its way already.
      links[l].credit = 0
      links[l].receiver.isDrained = true
    }
    if links[l].receiver.stop == .asked && flow.linkCredit ?? 0 == 0 { links[l].receiver.stop = .known }
    creditEnded(l)
  }
}
