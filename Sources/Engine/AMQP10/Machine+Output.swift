/// What the 1.0 machine writes: everything that is due, in an order the peer can follow.
import Bytes
import Wire

extension Machine10 {
  /// Lends the octets to be written until there are none or `write` takes none.
  /// - Returns: whether all was written.
  mutating func withOutput<E: Error>(now: Instant, _ write: (Span<UInt8>) throws(E) -> Int) throws(E) -> Bool {
    while true {
      if workDue && output.count < Machine10.outputBound { produce() }
      if output.isEmpty { return true }
      let n = try output.withReadable(write)
      if n == 0 { return false }
      output.consume(n)
      lastSent = now
    }
  }

  /// Turns state into frames.
  mutating func produce() {
    workDue = false
    // Whoever lets us open sets `workDue` again.
    guard mayOpen else { return }
    if openDue && !openSent { sendOpen() }
    guard openSent, !closeSent else { return }
    if !peerClosed { produceSessions() }
    if closeDue {
      closeSent = true
      output.appendFrame(.amqp, channel: 0) { q in q.append(Record(Code.close, [closeError?.record.value ?? .null])) }
    }
  }

  private mutating func sendOpen() {
    var open = Open()
    open.containerID = settings.containerID
    open.hostname = settings.hostname
    open.maxFrameSize = settings.limits.frameSize
    open.channelMax = settings.channelMax
    open.idleTimeOut = settings.idleTimeOut == 0 ? nil : settings.idleTimeOut
    open.properties = settings.properties
    open.offeredCapabilities = settings.offeredCapabilities
    open.desiredCapabilities = settings.desiredCapabilities
    send(open.record, channel: 0)
    openSent = true
  }

  func send(_ record: Record, channel: UInt16, into output: inout ByteQueue) {
    output.appendFrame(.amqp, channel: channel) { q in q.append(record) }
  }

  mutating func send(_ record: Record, channel: UInt16) {
    output.appendFrame(.amqp, channel: channel) { q in q.append(record) }
  }

  /// Begins, then what links need, then what ends: an order in which the peer can follow.
  private mutating func produceSessions() {
    for s in sessions.indices where sessions[s].beginDue { sendBegin(s) }
    for l in links.indices {
      if links[l].attachDue { sendAttach(l) }
      guard links[l].state == .attached, sessions[links[l].session].state == .mapped else { continue }
      if links[l].sender.abortDue != nil { sendAbort(l) }
      sendFlowIfDue(l)
    }
    for s in sessions.indices where sessions[s].state == .mapped {
      if sessions[s].incomingWindow <= sessions[s].windowSize / 2 { sessions[s].flowDue = true }
      if sessions[s].flowDue { sendFlow(session: s, link: nil) }
      sendDispositions(s)
    }
    for l in links.indices where links[l].detachDue && !links[l].attachDue { sendDetach(l) }
    for s in sessions.indices where sessions[s].endDue {
      sessions[s].endDue = false
      if sessions[s].isBeat { beats.asked += 1 }
      send(Record(Code.end, [sessions[s].endError?.record.value ?? .null]), channel: sessions[s].channel)
    }
  }

  private mutating func sendBegin(_ s: Int) {
    sessions[s].beginDue = false
    var begin = Begin()
    begin.remoteChannel = sessions[s].remoteChannel
    begin.nextOutgoingID = sessions[s].nextOutgoingID
    begin.incomingWindow = sessions[s].windowSize
    begin.outgoingWindow = settings.outgoingWindow
    begin.handleMax = Machine10.handleMax
    send(begin.record, channel: sessions[s].channel)
  }

  private mutating func sendAttach(_ l: Int) {
    // Higher handles wait until the peer has said how many it allows.
    if sessions[links[l].session].state == .beginning && links[l].handle >= Machine10.boldHandles { return }
    links[l].attachDue = false
    var attach = links[l].local
    attach.handle = links[l].handle
    if links[l].role == .sender { attach.initialDeliveryCount = links[l].deliveryCount }
    send(attach.record, channel: sessions[links[l].session].channel)
    // The application refused: the reason follows at once.
    if links[l].detachDue { sendDetach(l) }
  }

  private mutating func sendDetach(_ l: Int) {
    links[l].detachDue = false
    var detach = Detach()
    detach.handle = links[l].handle
    detach.closed = links[l].closes
    detach.error = links[l].detachError
    send(detach.record, channel: sessions[links[l].session].channel)
    if links[l].state == .detached {
      releaseHandle(l)
      retireIfFree(l)
    }
  }

  private mutating func sendFlowIfDue(_ l: Int) {
    if links[l].role == .receiver, let credit = links[l].creditToGrant() {
      links[l].credit = credit
      let limit = links[l].deliveryCount &+ credit
      if limit.ahead(of: links[l].receiver.allowance) > 0 { links[l].receiver.allowance = limit }
      // A peer that keeps up with what it was granted is granted more the next time.
      let doubled = UInt32(clamping: Int(links[l].receiver.target) * 2)
      links[l].receiver.target = min(doubled, max(links[l].receiver.ceiling, links[l].receiver.target))
      links[l].flowDue = true
    }
    if links[l].flowDue { sendFlow(session: links[l].session, link: l) }
  }

  private mutating func sendFlow(session s: Int, link: Int?) {
    sessions[s].incomingWindow = sessions[s].windowSize
    sessions[s].flowDue = false
    var flow = Flow()
    flow.nextIncomingID = sessions[s].nextIncomingID
    flow.incomingWindow = sessions[s].incomingWindow
    flow.nextOutgoingID = sessions[s].nextOutgoingID
    flow.outgoingWindow = settings.outgoingWindow
    if let l = link {
      links[l].flowDue = false
      flow.handle = links[l].handle
      flow.deliveryCount = links[l].deliveryCount
      flow.linkCredit = links[l].credit
      flow.drain = links[l].drain
      if links[l].role == .receiver {
        // The answer says that the sender knows of the credit's end.
        flow.echo = links[l].receiver.stop == .asked
      } else {
        flow.available = 0
      }
    }
    send(flow.record, channel: sessions[s].channel)
  }

  private mutating func sendDispositions(_ s: Int) {
    if sessions[s].dispositions.isEmpty && sessions[s].settlements.isEmpty { return }
    let channel = sessions[s].channel
    for run in sessions[s].dispositions { send(disposition(run, .receiver), channel: channel) }
    for run in sessions[s].settlements { send(disposition(run, .sender), channel: channel) }
    sessions[s].dispositions.removeAll(keepingCapacity: true)
    sessions[s].settlements.removeAll(keepingCapacity: true)
  }

  private func disposition(_ run: Session.PendingDisposition, _ role: Role) -> Record {
    var d = Disposition()
    d.role = role
    d.first = run.first
    // Always named: one broker takes its absence for "all that follow".
    d.last = run.last
    d.settled = run.settled
    d.state = run.state?.value ?? .null
    return d.record
  }
}
