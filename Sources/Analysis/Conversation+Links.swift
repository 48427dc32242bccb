/// Open, begin, attach, flow, detach, end and close of 1.0.
import Bytes
package import Wire

extension Conversation {
  /// Takes a frame of 1.0 other than a plain transfer or disposition, which `dissector` has read.
  package mutating func take(
    _ dissector: Dissector, _ b: Span<UInt8>, side: Int, time: Int64?, _ facts: inout Facts
  ) {
    guard dissector.nodes.count > 1, dissector.nodes[1].place == .performative else { return }
    let channel = UInt16(truncatingIfNeeded: dissector.nodes[0].value)
    let size = dissector.nodes[0].length
    if isLinted { checkFrame(side, size: size) }
    guard let code = CompositeSpec.row(dissector.nodes[1].row)?.code else { return }
    // Only the two hot ones come by the million; all others may cost an array.
    guard let record = dissector.record(at: 1, b) else { return }
    switch code {
    case Code.open: opened(Open(record), side)
    case Code.begin: begun(Begin(record), side, channel)
    case Code.attach: attached(Attach(record), side, channel, &facts)
    case Code.flow: flow(Flow(record), side, channel, time, &facts)
    case Code.detach: detached(Detach(record), side, channel, &facts)
    case Code.transfer: transfer(Transfer(record), dissector, b, side, channel, time, &facts)
    case Code.disposition: disposition(Disposition(record), side, channel, time, &facts)
    case Code.end:
      facts.isFailure = !record[0].isNull
      ended(side, channel)
    case Code.close:
      facts.isFailure = !record[0].isNull
      if isClosed[side] { find("after-close", "part 2 §2.4.3", "a second close") }
      isClosed[side] = true
    case Code.saslOutcome: facts.isFailure = record[0].u8 ?? 0 != 0
    default: break
    }
  }

  private mutating func checkFrame(_ side: Int, size: UInt32) {
    if isClosed[side] && !isOneWay { find("after-close", "part 2 §2.4.3", "a frame after close") }
    if let most = frameMax[other(side)], size > most, !isOneWay {
      find("frame-size", "part 2 §2.7.1", "\(size) octets, the peer takes \(most)")
    }
  }

  private mutating func opened(_ open: Open, _ side: Int) {
    if isOpened[side] && !isOneWay { find("second-open", "part 2 §2.4.1", "a second open") }
    isOpened[side] = true
    frameMax[side] = open.maxFrameSize
    if open.maxFrameSize < 512 {
      find("max-frame-size", "part 2 §2.7.1", "max-frame-size \(open.maxFrameSize) is below 512")
    }
  }

  // MARK: Sessions

  /// The session that `side` means by the channel; one whose begin was not captured is made up.
  @inline(__always)
  mutating func session(_ side: Int, _ channel: UInt16) -> Int? {
    if lastChannel[side] == Int32(channel) { return lastSession[side] }
    return lookUp(side, channel)
  }

  @inline(never)
  private mutating func lookUp(_ side: Int, _ channel: UInt16) -> Int? {
    guard let session = channels[side][channel] ?? assume(side, channel) else { return nil }
    (lastChannel[side], lastSession[side]) = (Int32(channel), session)
    return session
  }

  private mutating func assume(_ side: Int, _ channel: UInt16) -> Int? {
    if startSeen && isLinted {
      find("no-session", "part 2 §2.5.1", "no session was begun on channel \(channel)")
    }
    // Most peers use the same number on both sides.
    if !isOneWay, let session = channels[other(side)][channel], halves[2 * session + side].channel == nil {
      bind(session, side, channel)
      return session
    }
    return newSession(side, channel)
  }

  private mutating func newSession(_ side: Int, _ channel: UInt16) -> Int? {
    if halves.count >= 2 * Conversation.mostSessions { return nil }
    let session = halves.count / 2
    halves.append(HalfSession())
    halves.append(HalfSession())
    bind(session, side, channel)
    return session
  }

  private mutating func bind(_ session: Int, _ side: Int, _ channel: UInt16) {
    channels[side][channel] = session
    lastChannel[side] = -1
    halves[2 * session + side].channel = channel
  }

  private mutating func begun(_ begin: Begin, _ side: Int, _ channel: UInt16) {
    if let old = channels[side][channel], halves[2 * old + side].isBegun, !halves[2 * old + side].isEnded {
      if !isOneWay { find("channel-in-use", "part 2 §2.5.1", "channel \(channel) has a session already") }
    }
    lastChannel[side] = -1
    let session: Int?
    if let remote = begin.remoteChannel, let theirs = channels[other(side)][remote] {
      session = theirs
      bind(theirs, side, channel)
    } else {
      if begin.remoteChannel != nil && startSeen {
        find("no-session", "part 2 §2.7.2", "remote-channel \(begin.remoteChannel ?? 0) was not begun")
      }
      session = newSession(side, channel)
    }
    guard let session else { return }
    let half = 2 * session + side
    halves[half].isBegun = true
    halves[half].nextOutgoing = begin.nextOutgoingID
    if isOneWay { return }
    let theirs = 2 * session + other(side)
    halves[theirs].windowGiven = begin.incomingWindow
    for i in [half, theirs] {
      if let next = halves[i].nextOutgoing, let window = halves[i].windowGiven { halves[i].windowEnd = next &+ window }
    }
  }

  private mutating func ended(_ side: Int, _ channel: UInt16) {
    guard let session = channels[side][channel] else { return }
    halves[2 * session + side].isEnded = true
    channels[side][channel] = nil
    lastChannel[side] = -1
    if isOneWay || halves[2 * session + other(side)].isEnded {
      reportUnsettled(session)
      for i in links.indices where links[i].session == session && links[i].isOpen {
        links[i].isOpen = false
        dropParts(i)
      }
      // The place is used again: a long capture may have any number of sessions.
      halves[2 * session] = HalfSession()
      halves[2 * session + 1] = HalfSession()
    }
  }

  mutating func reportUnsettled(_ session: Int) {
    if !isLinted { return }
    for side in 0...1 {
      var counts: [Int32: Int] = [:]
      halves[2 * session + side].ring.eachOpen { _, delivery in counts[delivery.link, default: 0] += 1 }
      for (link, count) in counts.sorted(by: { $0.key < $1.key }) {
        let name = links[Int(link)].name
        let of = name.isEmpty ? "a link that was not attached" : "link '\(String(decoding: name, as: UTF8.self))'"
        find("never-settled", "part 2 §2.6.12", "\(count) of \(of), never settled")
      }
    }
  }

  // MARK: Links

  private mutating func attached(_ attach: Attach, _ side: Int, _ channel: UInt16, _ facts: inout Facts) {
    guard let session = session(side, channel) else { return }
    let half = 2 * session + side
    let name = Array(attach.name.utf8)
    if halves[half].link(attach.handle) != nil && !isOneWay {
      find("handle-in-use", "part 2 §2.6.2", "handle \(attach.handle) is attached already")
    }
    let sender = attach.role == .sender ? side : other(side)
    // The other side's attach of the same name is the same link, when the roles fit.
    let theirs = isOneWay ? nil : halves[2 * session + other(side)].names[name]
    let link: Int
    if let theirs, links[theirs].sender == sender {
      link = theirs
    } else if links.count < Conversation.mostLinks {
      link = links.count
      links.append(Link())
      links[link].session = session
      links[link].sender = sender
    } else {
      return
    }
    links[link].name(name.span)
    describe(attach, link)
    facts.link = link
    halves[half].names[name] = link
    halves[half].set(attach.handle, link)
    if attach.role == .sender {
      links[link].deliveryCount = attach.initialDeliveryCount
      links[link].credit = Credit()
      if followsCredit { links[link].credit.series = CreditSeries() }
    }
    lint(attach)
  }

  private mutating func describe(_ attach: Attach, _ link: Int) {
    // The sender's target and the receiver's source are where messages go to and come from.
    let far = attach.role == .sender ? attach.target?.address : attach.source?.address
    let near = attach.role == .sender ? attach.source?.address : attach.target?.address
    links[link].coordinates = links[link].coordinates || attach.target?.coordinator == true
    for address in [far, near] {
      guard links[link].address.isEmpty, let text = address?.text, !text.isEmpty else { continue }
      links[link].address(Array(text.utf8).span)
      return
    }
    if links[link].coordinates { links[link].address(Array("(transactions)".utf8).span) }
  }

  private mutating func lint(_ attach: Attach) {
    if !isLinted { return }
    if attach.role == .sender && attach.initialDeliveryCount == nil {
      find("initial-delivery-count", "part 2 §2.7.3", "a sender's attach without initial-delivery-count")
    }
    if case .map(let filters) = attach.source?.filter ?? .null {
      for entry in filters {
        if case .described = entry.value { continue }
        if entry.value.isNull { continue }
        find("filter-not-described", "part 3 §3.5.8", "filter '\(entry.key.text ?? "?")' is not a described value")
      }
    }
  }

  private mutating func detached(_ detach: Detach, _ side: Int, _ channel: UInt16, _ facts: inout Facts) {
    facts.isFailure = detach.error != nil
    guard let session = session(side, channel) else { return }
    guard let link = halves[2 * session + side].link(detach.handle) else {
      if startSeen { find("no-link", "part 2 §2.6.4", "handle \(detach.handle) is not attached") }
      return
    }
    facts.link = link
    halves[2 * session + side].set(detach.handle, nil)
    halves[2 * session + side].names[links[link].name] = nil
    if links[link].isOpen && links[link].sender == side {
      links[link].isOpen = false
      dropParts(link)
    }
  }

  // MARK: Flow

  package mutating func flow(_ flow: Flow, _ side: Int, _ channel: UInt16, _ time: Int64?, _ facts: inout Facts) {
    guard let session = session(side, channel) else { return }
    let theirs = 2 * session + other(side)
    if !isOneWay {
      if let next = flow.nextIncomingID { halves[theirs].windowEnd = next &+ flow.incomingWindow }
      if halves[2 * session + side].nextOutgoing == nil {
        halves[2 * session + side].nextOutgoing = flow.nextOutgoingID
      }
    }
    guard let handle = flow.handle else { return }
    guard let link = link(session, side, handle, sends: nil) else { return }
    facts.link = link
    facts.startMissing = !links[link].isNamed
    if links[link].sender == side {
      links[link].deliveryCount = flow.deliveryCount ?? links[link].deliveryCount
      if let credit = flow.linkCredit, flow.drain { links[link].credit.set(Int(credit), at: time) }
    } else if let credit = flow.linkCredit {
      // What was sent before the receiver counted it is taken off.
      let ahead = flow.deliveryCount.flatMap { seen in links[link].deliveryCount.map { $0.ahead(of: seen) } } ?? 0
      links[link].credit.grant(Int(credit) - max(ahead, 0), at: time)
    }
  }

  /// The link that `side` means by a handle; one whose attach was not captured is made up.
  /// - Parameter sends: whether what the frame says shows which side sends.
  mutating func link(_ session: Int, _ side: Int, _ handle: UInt32, sends: Bool?) -> Int? {
    if let link = halves[2 * session + side].link(handle) { return link }
    if links.count >= Conversation.mostLinks { return nil }
    if startSeen { find("no-link", "part 2 §2.6.1", "handle \(handle) is not attached") }
    let link = links.count
    links.append(Link())
    links[link].session = session
    if sends == true { links[link].sender = side }
    halves[2 * session + side].set(handle, link)
    return link
  }
}
