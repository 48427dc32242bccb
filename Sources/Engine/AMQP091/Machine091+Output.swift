/// What the 0-9-1 machine writes: everything that is due, in an order the peer can follow.
import Bytes
import Wire

extension Machine091 {
  /// Lends the octets to be written until there are none or `write` takes none.
  /// - Returns: whether all was written.
  mutating func withOutput<E: Error>(now: Instant, _ write: (Span<UInt8>) throws(E) -> Int) throws(E) -> Bool {
    self.now = now
    while true {
      if workDue && output.count < Machine091.outputBound { produce() }
      if output.isEmpty { return true }
      let n = try output.withReadable(write)
      if n == 0 { return false }
      output.consume(n)
      lastSent = now
    }
  }

  /// Appends a method that is of our own making, so that it fits its row: names come from the application as they are,
  /// and were measured when they came.
  mutating func send(_ channel: UInt16, _ m: MethodRecord) {
    if answersNothing && channel != 0 { return }
    do throws(FieldFault) { try output.appendMethod(channel: channel, m) } catch {
      fail(.connection, AMQPError(.internalError, error.reason))
    }
  }

  /// Turns state into frames.
  mutating func produce() {
    workDue = false
    if closeOKDue {
      closeOKDue = false
      // The peer wants to hear nothing else.
      closeSent = true
      return send(0, MethodRecord(MethodID.connectionCloseOK))
    }
    guard !closeSent else { return }
    if phase == .running || phase == .opening { produceChannels() }
    if closeDue && !closeSent && closeNotBefore == nil {
      closeSent = true
      // Nobody has said yet that this is understood.
      if phase == .header { return end(CloseReason(.connection, .local, closeError)) }
      let code = closeError.map { ReplyCode($0) } ?? .success
      let text = closeError?.description ?? closeError?.condition ?? ""
      send(
        0,
        MethodRecord(
          MethodID.connectionClose, ["reply-code": .ushort(code.rawValue), "reply-text": .string(text.short)]))
    }
  }

  private mutating func produceChannels() {
    let isEnding = closeDue
    for c in channels.indices where !channels[c].isCutting {
      if channels[c].openDue {
        channels[c].openDue = false
        send(channels[c].number, MethodRecord(MethodID.channelOpen))
      }
      if channels[c].confirmDue && channels[c].isLive {
        channels[c].confirmDue = false
        send(channels[c].number, MethodRecord(MethodID.confirmSelect))
      }
      produceSelect(c)
      if channels[c].isLive { sendSettlements(c, isEnding: isEnding) }
      produceDischarge(c)
      produceCommit(c)
      if let active = channels[c].flowOKDue {
        channels[c].flowOKDue = nil
        send(channels[c].number, MethodRecord(MethodID.channelFlowOK, ["active": .boolean(active)]))
      }
    }
    if !isEnding { produceDeclarations() }
    if !isEnding { produceBeats() }
    if !isEnding && settings.role == .initiator {
      for l in links.indices { produceLink(l) }
    }
    if settings.role == .acceptor { produceAcceptor() }
    for c in channels.indices {
      if channels[c].closeOKDue {
        channels[c].closeOKDue = false
        send(channels[c].number, MethodRecord(MethodID.channelCloseOK))
        if channels[c].state == .closed { release(c) }
      } else if channels[c].closeDue && !channels[c].isCutting {
        channels[c].closeDue = false
        sendChannelClose(c)
      }
    }
  }

  private mutating func sendChannelClose(_ c: Int) {
    // What was decided before still counts.
    sendSettlements(c, isEnding: true)
    let error = channels[c].closeError
    let code = error.map { ReplyCode($0) } ?? .success
    let text = error?.description ?? error?.condition ?? ""
    send(
      channels[c].number,
      MethodRecord(MethodID.channelClose, ["reply-code": .ushort(code.rawValue), "reply-text": .string(text.short)]))
  }
}

extension String {
  /// As much of it as a short string holds.
  var short: String {
    if utf8.count <= 255 { return self }
    var text = self
    while text.utf8.count > 252 { text.removeLast() }
    return text + "…"
  }
}
