/// Links of the 0-9-1 machine and the channels under them: what an attach comes to, channel.open and channel.close.
import Bytes
import Wire

extension Machine091 {
  // MARK: Places

  /// The place of a link that an identity was given to, while it is still that link's.
  func index(_ id: LinkID) -> Int? {
    id.index < links.count && links[id.index].id.serial == id.serial ? id.index : nil
  }

  func remoteAttach(_ id: LinkID) -> Attach { index(id).map { links[$0].remote } ?? Attach() }
  func localAttach(_ id: LinkID) -> Attach { index(id).map { links[$0].local } ?? Attach() }
  func unsettled(_ id: LinkID) -> Int { index(id).map { links[$0].sender.unsettled } ?? 0 }

  func unsettledIncoming(_ id: LinkID) -> Int {
    guard let l = index(id), links[l].isLive, !links[l].receiver.isSettled else { return 0 }
    let ring = channels[links[l].channel].incoming
    return (ring.first..<ring.next).count { ring[$0].state == .unsettled && ring[$0].link == l }
  }

  /// Puts a link into a free place.
  mutating func add(_ role: Role, channel: Int, _ local: Attach) -> Int {
    let l = freePlaces.popLast() ?? links.count
    nextSerial += 1
    let link = Link091(LinkID(index: l, serial: nextSerial), role: role, channel: channel, local: local)
    if l == links.count { links.append(link) } else { links[l] = link }
    return l
  }

  /// The place may be another link's, from the next event on: positions of the last one's message may still be read.
  mutating func retire(_ l: Int) {
    if links[l].isRetired { return }
    links[l].isRetired = true
    links[l].state = .detached
    let c = links[l].channel
    if c >= 0 && channels[c].link == l { channels[c].link = -1 }
    freePlaces.append(l)
  }

  // MARK: Channels

  /// A place and a number for another channel of ours; nil when the peer allows no more.
  mutating func openChannel() -> Int? {
    if numbers.isEmpty { numbers = [-1] }
    let highest = Int(channelMax)
    var number = numbers.indices.dropFirst().first { numbers[$0] < 0 && $0 <= highest }
    if number == nil, numbers.count <= highest {
      numbers.append(-1)
      number = numbers.count - 1
    }
    guard let number else { return nil }
    return place(Channel091(UInt16(number)))
  }

  /// Keeps a channel under its number.
  mutating func place(_ channel: Channel091) -> Int {
    while numbers.count <= Int(channel.number) { numbers.append(-1) }
    let free = channels.indices.first { channels[$0].isFree && numbers[Int(channels[$0].number)] != $0 }
    let c = free ?? channels.count
    if c == channels.count { channels.append(channel) } else { channels[c] = channel }
    numbers[Int(channel.number)] = c
    if settings.role == .initiator { channels[c].openDue = true }
    workDue = true
    return c
  }

  /// Number and place may be another's.
  mutating func release(_ c: Int) {
    channels[c].state = .closed
    channels[c].openDue = false
    channels[c].confirmDue = false
    channels[c].transaction = .none
    channels[c].closeDue = false
    channels[c].flowOKDue = nil
    if numbers[Int(channels[c].number)] == c { numbers[Int(channels[c].number)] = -1 }
    channels[c].acceptor.batch = nil
    channels[c].incoming = UnsettledRing()
    channels[c].outgoing = UnsettledRing()
    channels[c].settlements = []
    channels[c].content = Content()
  }

  mutating func receivedChannelClose(_ c: Int, _ error: AMQPError?) {
    channels[c].closeOKDue = true
    workDue = true
    // Both closed at once: each answers the other, and ours is still to be answered.
    if channels[c].state == .closing && !channels[c].closeDue { return }
    channels[c].state = .closed
    channels[c].closeDue = false
    channels[c].openDue = false
    if isDeclarer(c) { return declarerClosed(error) }
    loseLinks(c, CloseReason(.link, .peer, error))
  }

  mutating func receivedChannelCloseOK(_ c: Int) {
    guard channels[c].state == .closing else {
      return fail(
        .connection,
        AMQPError(.commandInvalid, "channel.close-ok on channel \(channels[c].number), which we never closed"))
    }
    loseLinks(c, CloseReason(.link, .local))
    // The number is taken until the peer's own close, which crossed ours, is answered.
    if channels[c].closeOKDue { channels[c].state = .closed } else { release(c) }
  }

  /// Ends a channel with all that is on it.
  mutating func closeChannel(_ c: Int, _ error: AMQPError?) {
    guard channels[c].isLive else { return }
    channels[c].state = .closing
    channels[c].closeDue = true
    channels[c].closeError = error
    workDue = true
  }

  /// The peer broke a rule on the channel.
  mutating func failChannel(_ c: Int, _ error: AMQPError) {
    closeChannel(c, error)
    channels[c].content.isDropped = true
    for l in links.indices where links[l].channel == c && links[l].state != .detached {
      tell(l, CloseReason(.link, .local, error))
    }
  }

  /// Nothing more can be said on a channel, not even its close.
  mutating func abandon(_ c: Int, _ reason: CloseReason) {
    let isCutting = channels[c].isCutting
    channels[c].state = .closing
    loseLinks(c, reason)
    channels[c].isCutting = isCutting
  }

  private mutating func loseLinks(_ c: Int, _ reason: CloseReason) {
    for l in links.indices where links[l].channel == c && links[l].state != .detached {
      var reason = reason
      if let error = links[l].detachError { reason.error = error }
      links[l].sender.partial = nil
      links[l].sender.unsettled = 0
      links[l].receiver.askAgain = nil
      tell(l, reason)
      retire(l)
    }
    channels[c].isCutting = false
    lostTransaction(c)
  }

  /// Says once that a link is gone.
  mutating func tell(_ l: Int, _ reason: CloseReason) {
    // The connection's own end was the last word.
    if links[l].isTold || phase == .over { return }
    links[l].isTold = true
    forget(l)
    events.append(.detached(links[l].id, reason))
  }

  /// What was not answered is the application's to know: an answer that comes later is nobody's.
  private mutating func forget(_ l: Int) {
    links[l].sender.unsettled = 0
    let c = links[l].channel
    guard c >= 0 else { return }
    for place in channels[c].outgoing.first..<channels[c].outgoing.next where channels[c].outgoing[place].link == l {
      channels[c].outgoing[place].done = true
    }
    channels[c].outgoing.trim(while: \.done)
  }

  // MARK: What the application wants

  mutating func attach(_ attach: Attach) -> LinkID {
    let shared = attach.role == .sender ? sharedChannel : nil
    let c = shared ?? openChannel()
    let l = add(attach.role, channel: c ?? -1, attach)
    if let c, shared == nil { channels[c].link = l }
    links[l].receiver.isDirectReply = Machine091.isDirectReply(attach)
    if c == nil {
      refuse(l, AMQPError(Condition.resourceLimitExceeded, "no channel is left: the peer allows \(channelMax)"))
    } else if phase == .opening || phase == .running {
      begin(l)
    } else {
      links[l].state = .attaching
    }
    return links[l].id
  }

  /// Gives a link up that nothing was said of.
  private mutating func refuse(_ l: Int, _ error: AMQPError) {
    let c = links[l].channel
    if c >= 0 && !isGuest(l) {
      if channels[c].openDue { release(c) } else { closeChannel(c, nil) }
    }
    tell(l, CloseReason(.link, .local, error))
    retire(l)
  }

  /// The peer's capabilities are known: what the link needs in front of its messages.
  mutating func begin(_ l: Int) {
    let c = links[l].channel
    if channels[c].number > channelMax {
      return refuse(l, AMQPError(Condition.resourceLimitExceeded, "no channel is left: the peer allows \(channelMax)"))
    }
    if links[l].local.rcvSettleMode == .second {
      return refuse(l, AMQPError(Condition.notImplemented, "0-9-1 has no exactly-once"))
    }
    if let fault = links[l].role == .sender ? beginSender(l, c) : beginReceiver(l) {
      return refuse(l, AMQPError(Condition.invalidField, fault))
    }
    if links[l].role == .sender && !links[l].sender.isSettled && !canConfirm && !settings.isTransactional {
      return refuse(
        l,
        AMQPError(
          Condition.notImplemented, "the peer confirms no messages (publisher_confirms): only at-most-once is possible")
      )
    }
    if settings.isTransactional { select(c) }
    // A queue that the peer names is no place before it has a name.
    let isDynamic =
      (links[l].role == .sender ? links[l].local.target?.dynamic : links[l].local.source?.dynamic) ?? false
    if isDynamic {
      links[l].state = .attaching
    } else {
      links[l].state = .attached
      events.append(.attached(links[l].id))
    }
    workDue = true
  }

  private mutating func beginSender(_ l: Int, _ c: Int) -> String? {
    links[l].sender.isSettled = links[l].local.sndSettleMode == .settled
    if settings.isTransactional {
      links[l].sender.isTransactional = true
    } else if !links[l].sender.isSettled && !channels[c].confirms && canConfirm {
      channels[c].confirms = true
      channels[c].confirmDue = true
    }
    links[l].ownsQueue = links[l].local.target?.dynamic ?? false
    guard let target = links[l].local.target, !target.dynamic, let address = target.address.text else { return nil }
    switch Node091(address) {
    case .queue(let name):
      links[l].sender.exchange = []
      links[l].sender.routingKey = [UInt8](utf8: name)
    case .exchange(let name, let key):
      links[l].sender.exchange = [UInt8](utf8: name)
      links[l].sender.routingKey = key.map { [UInt8](utf8: $0) }
    case nil: return "'\(address)' names no queue and no exchange"
    }
    if max(links[l].sender.exchange?.count ?? 0, links[l].sender.routingKey?.count ?? 0) > 255 {
      return "names of 0-9-1 have at most 255 octets"
    }
    return nil
  }

  private mutating func beginReceiver(_ l: Int) -> String? {
    let local = links[l].local
    links[l].receiver.isSettled = local.sndSettleMode == .settled
    guard let source = local.source else { return "there is no source" }
    links[l].receiver.isExclusive = source.capabilities.contains("exclusive")
    links[l].receiver.arguments = ConsumeArguments.of(local)
    links[l].receiver.isStream = links[l].receiver.arguments.contains { $0.key.text == "x-stream-offset" }
    // Queues give what they have away; only streams keep it.
    if source.distributionMode != nil {
      let mode = links[l].receiver.isStream ? "copy" : "move"
      links[l].remote.source?.distributionMode = mode
    }
    // What is not among them was not understood, and the answer says so.
    links[l].remote.source?.filter = ConsumeArguments.understood(source.filter)
    if source.dynamic {
      links[l].ownsQueue = true
      return nil
    }
    let address = source.address.text ?? ""
    switch Node091(address) {
    case .queue(let name):
      links[l].receiver.queue = name
      if links[l].receiver.isDirectReply { beginDirectReply(l) }
    case .exchange(let name, let key):
      links[l].ownsQueue = true
      links[l].receiver.exchange = name
      // What a topic exchange calls everything; others with no key don't look at it.
      links[l].receiver.bindingKey = key ?? "#"
    case nil: return "'\(address)' names no queue and no exchange"
    }
    let names = [links[l].receiver.queue, links[l].receiver.exchange ?? "", links[l].receiver.bindingKey]
    if names.contains(where: { $0.utf8.count > 255 }) { return "names of 0-9-1 have at most 255 octets" }
    return nil
  }

  mutating func detach(_ id: LinkID, _ error: AMQPError?) {
    guard phase != .over, let l = index(id), links[l].isLive else { return }
    if settings.role == .acceptor { return acceptorDetach(l, error) }
    if isGuest(l) { return leave(l, error) }
    links[l].detachError = error
    let c = links[l].channel
    if channels[c].openDue || channels[c].isCutting {
      // Nothing of it is out; or half a message is, behind which no channel can be closed.
      let isOut = !channels[c].openDue
      abandon(c, CloseReason(.link, .local, error))
      if !isOut { release(c) }
      return
    }
    links[l].state = .detaching
    closeChannel(c, error)
  }
}
