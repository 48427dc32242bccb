/// Sessions and links of the 1.0 machine: begin, attach, flow, detach, end (part 2 §2.5–2.6).
import Bytes
import Wire

extension Machine10 {
  // MARK: Sessions

  /// The session that the application's own links use.
  mutating func ownSession() -> Int {
    if let i = sessions.firstIndex(where: { $0.state == .beginning || $0.state == .mapped }) { return i }
    return beginSession()
  }

  private mutating func beginSession() -> Int {
    let used = Set(sessions.filter { $0.state != .ended }.map(\.channel))
    let channel = (0...UInt16.max).first { !used.contains($0) } ?? 0
    sessions.append(Session(channel: channel, firstID: 0, window: settings.incomingWindow))
    workDue = true
    return sessions.count - 1
  }

  mutating func received(_ begin: Begin, channel: UInt16) {
    if channel > settings.channelMax {
      return fail(
        .connection, AMQPError(Condition.notAllowed, "channel \(channel) is above channel-max \(settings.channelMax)"))
    }
    if let i = channels[channel], sessions[i].state != .ended {
      return fail(.connection, AMQPError(Condition.notAllowed, "a second begin on channel \(channel)"))
    }
    let s: Int
    if let ours = begin.remoteChannel {
      guard let i = sessions.firstIndex(where: { $0.channel == ours && $0.remoteChannel == nil && $0.state != .ended })
      else {
        return fail(
          .connection, AMQPError(Condition.notAllowed, "a begin answers channel \(ours), where nothing was begun"))
      }
      s = i
    } else {
      s = beginSession()
    }
    sessions[s].remoteChannel = channel
    sessions[s].nextIncomingID = begin.nextOutgoingID
    sessions[s].remoteIncomingWindow = begin.incomingWindow
    sessions[s].handleMax = begin.handleMax
    if sessions[s].state == .beginning { sessions[s].state = .mapped }
    channels[channel] = s
    workDue = true
  }

  mutating func receivedEnd(_ error: AMQPError?, session s: Int) {
    let ours = sessions[s].state == .ending
    if !ours { sessions[s].endDue = true }
    closeSession(s, CloseReason(.session, ours && error == nil ? .local : .peer, error ?? sessions[s].endError))
  }

  /// The peer broke a rule of the session.
  mutating func failSession(_ s: Int, _ error: AMQPError) {
    if sessions[s].state == .ended || sessions[s].state == .ending { return }
    sessions[s].endDue = true
    sessions[s].endError = error
    loseLinks(s, CloseReason(.session, .local, error))
    sessions[s].state = .ending
    workDue = true
  }

  private mutating func closeSession(_ s: Int, _ reason: CloseReason) {
    loseLinks(s, reason)
    if let channel = sessions[s].remoteChannel { channels[channel] = nil }
    workDue = true
    // The state is kept until the end is written, which `produce` does for sessions that have not ended.
    if sessions[s].endDue {
      sessions[s].endDue = false
      if openSent {
        send(Record(Code.end, [sessions[s].endError?.record.value ?? .null]), channel: sessions[s].channel)
      }
    }
    sessions[s].state = .ended
  }

  private mutating func loseLinks(_ s: Int, _ reason: CloseReason) {
    for l in links.indices where links[l].session == s && links[l].state != .detached {
      let told = links[l].state == .detaching && reason.error == nil
      links[l].state = .detached
      links[l].attachDue = false
      links[l].detachDue = false
      if !told { events.append(.detached(LinkID(l), reason)) }
    }
  }

  // MARK: Links

  /// Starts a link of our own; its frames are written as soon as the peer can take them.
  mutating func attach(_ attach: Attach) -> LinkID {
    let s = ownSession()
    let handle = sessions[s].takeHandle()
    var link = Link(role: attach.role, session: s, handle: handle, local: attach)
    link.attachDue = true
    links.append(link)
    workDue = true
    return LinkID(links.count - 1)
  }

  mutating func received(_ attach: Attach, session s: Int) {
    if attach.handle > Machine10.handleMax {
      return failSession(
        s, AMQPError(Condition.notAllowed, "handle \(attach.handle) is above handle-max \(Machine10.handleMax)"))
    }
    if sessions[s].link(handle: attach.handle) != nil {
      return failSession(s, AMQPError(Condition.handleInUse, "handle \(attach.handle) is attached already"))
    }
    let role: Role = attach.role == .sender ? .receiver : .sender
    if let l = links.firstIndex(where: {
      $0.session == s && $0.state == .attaching && $0.remoteHandle == nil && $0.role == role
        && $0.local.name == attach.name
    }) {
      answered(attach, l, s)
    } else if let l = links.firstIndex(where: {
      // Our detach crossed the peer's answer to our attach.
      $0.session == s && $0.state == .detaching && $0.remoteHandle == nil && $0.role == role
        && $0.local.name == attach.name
    }) {
      links[l].remoteHandle = attach.handle
      sessions[s].map(handle: attach.handle, to: l)
    } else {
      requested(attach, role, s)
    }
  }

  /// The peer's answer to an attach of ours.
  private mutating func answered(_ attach: Attach, _ l: Int, _ s: Int) {
    links[l].remote = attach
    links[l].remoteHandle = attach.handle
    sessions[s].map(handle: attach.handle, to: l)
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
      events.append(.attached(LinkID(l)))
    }
  }

  /// The peer wants a link.
  private mutating func requested(_ attach: Attach, _ role: Role, _ s: Int) {
    // The same name in the same direction: the newer attach takes the link over (part 2 §2.6.1).
    if let old = links.firstIndex(where: {
      $0.isLive && $0.role == role && $0.remote.name == attach.name && $0.remoteHandle != nil
    }) {
      detach(LinkID(old), AMQPError(Condition.stolen, "attached again under the same name"), closes: false)
      events.append(
        .detached(
          LinkID(old), CloseReason(.link, .local, AMQPError(Condition.stolen, "attached again under the same name"))))
    }
    var answer = Attach()
    answer.name = attach.name
    answer.role = role
    answer.sndSettleMode = attach.sndSettleMode
    answer.rcvSettleMode = attach.rcvSettleMode
    answer.source = attach.source
    answer.target = attach.target
    var link = Link(role: role, session: s, handle: sessions[s].takeHandle(), local: answer)
    link.state = .requested
    link.remote = attach
    link.remoteHandle = attach.handle
    if role == .receiver {
      link.deliveryCount = attach.initialDeliveryCount ?? 0
      link.receiver.allowance = link.deliveryCount
    }
    links.append(link)
    sessions[s].map(handle: attach.handle, to: links.count - 1)
    events.append(.attachRequested(LinkID(links.count - 1)))
  }

  /// Grants a link that the peer asked for; `adjust` says what differs from what it asked.
  mutating func accept(_ id: LinkID, _ adjust: (inout Attach) -> Void) {
    let l = id.index
    guard links[l].state == .requested else { return }
    adjust(&links[l].local)
    links[l].state = .attached
    links[l].attachDue = true
    workDue = true
  }

  /// Refuses it: an attach without the terminus, then the reason.
  mutating func refuse(_ id: LinkID, _ error: AMQPError) {
    let l = id.index
    guard links[l].state == .requested else { return }
    if links[l].role == .sender { links[l].local.source = nil } else { links[l].local.target = nil }
    links[l].attachDue = true
    links[l].detachDue = true
    links[l].detachError = error
    links[l].state = .detaching
    workDue = true
  }

  mutating func detach(_ id: LinkID, _ error: AMQPError?, closes: Bool) {
    let l = id.index
    guard links[l].isLive else { return }
    if links[l].attachDue && links[l].state == .attaching {
      links[l].attachDue = false
      links[l].state = .detached
      return
    }
    links[l].state = .detaching
    links[l].detachDue = true
    links[l].detachError = error
    links[l].closes = closes
    workDue = true
  }

  mutating func received(_ detach: Detach, session s: Int) {
    guard let l = sessions[s].link(handle: detach.handle) else {
      return failSession(
        s, AMQPError(Condition.unattachedHandle, "a detach for handle \(detach.handle), which is not attached"))
    }
    sessions[s].handles[Int(detach.handle)] = -1
    let ours = links[l].state == .detaching
    links[l].state = .detached
    links[l].receiver.partial = nil
    links[l].receiver.assembly = ByteQueue()
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
    events.append(.detached(LinkID(l), CloseReason(.link, ours && detach.error == nil ? .local : .peer, detach.error)))
  }

  /// Both detaches are said: the handle may name another link.
  mutating func releaseHandle(_ l: Int) {
    let s = links[l].session
    if Int(links[l].handle) < sessions[s].taken.count { sessions[s].taken[Int(links[l].handle)] = false }
  }

  /// Deliveries of a link that is gone can't be settled any more; what was not answered is the application's to know.
  mutating func forget(_ l: Int) {
    let s = links[l].session
    links[l].sender.partial = nil
    links[l].sender.unsettled = 0
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
    // Without next-incoming-id the peer has not seen our begin: it means the id that we began with.
    let seen = flow.nextIncomingID ?? sessions[s].firstDeliveryID
    let window = Int(flow.incomingWindow) + seen.ahead(of: sessions[s].nextOutgoingID)
    sessions[s].remoteIncomingWindow = UInt32(clamping: window)
    guard let handle = flow.handle else {
      if flow.echo {
        sessions[s].flowDue = true
        workDue = true
      }
      return
    }
    guard let l = sessions[s].link(handle: handle) else {
      return failSession(s, AMQPError(Condition.unattachedHandle, "a flow for handle \(handle), which is not attached"))
    }
    if links[l].role == .sender {
      if let credit = flow.linkCredit {
        // A receiver that has not seen any transfer may leave its delivery-count out.
        let start = flow.deliveryCount ?? links[l].local.initialDeliveryCount ?? 0
        links[l].credit = UInt32(clamping: Int(credit) + start.ahead(of: links[l].deliveryCount))
      }
      links[l].drain = flow.drain
    } else {
      var skips = false
      if let count = flow.deliveryCount, count.ahead(of: links[l].deliveryCount) > 0 {
        // The sender used credit up without sending.
        let skipped = UInt32(count.ahead(of: links[l].deliveryCount))
        links[l].deliveryCount = count
        links[l].credit -= min(links[l].credit, skipped)
        skips = true
      } else if links[l].drain && flow.drain && flow.linkCredit == 0 && flow.deliveryCount == nil {
        // Some leave their delivery-count out. One that is where ours is says only that the credit before was used up
        // by messages: RabbitMQ 4 sends it when the next may be on its way already.
        links[l].credit = 0
        skips = true
      }
      if links[l].drain && links[l].credit == 0 && skips {
        links[l].drain = false
        events.append(.drained(LinkID(l)))
      } else if links[l].receiver.stopping && links[l].credit == 0 {
        events.append(.stopped(LinkID(l)))
      }
    }
    if flow.echo {
      links[l].flowDue = true
      workDue = true
    }
  }
}
