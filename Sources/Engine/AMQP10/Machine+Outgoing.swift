/// Deliveries that go out: how much may be sent, and messages cut into transfer frames (part 2 §2.6.14, §2.7.5).
import Bytes
import Wire

extension Machine10 {
  /// How many more messages may be begun on the link now.
  func room(_ id: LinkID) -> Int {
    guard let l = index(id), isWritable(l), links[l].sender.partial == nil, links[l].sender.abortDue == nil else {
      return 0
    }
    return min(Int(links[l].credit), Int(sessions[links[l].session].remoteIncomingWindow))
  }

  /// Whether a message that was begun can go on now.
  func canContinue(_ id: LinkID) -> Bool {
    guard let l = index(id), isWritable(l), links[l].sender.partial != nil else { return false }
    return sessions[links[l].session].remoteIncomingWindow > 0
  }

  private func isWritable(_ l: Int) -> Bool {
    phase == .running && !closeDue && links[l].state == .attached && output.count < Machine10.outputBound
  }

  /// Writes frames of the message that is `head` followed by `body`, from `offset` octets on, for as long as window
  /// and output have room. `number` is the application's and comes back with the answer.
  /// - Returns: how many octets of the message are written now; all of them: the message is sent.
  mutating func deliver(
    _ id: LinkID, _ number: Int, head: Span<UInt8>, body: Span<UInt8>, from offset: Int, settled: Bool
  ) -> Int {
    guard let l = index(id) else { return offset }
    if let partial = links[l].sender.partial {
      if partial.number != number || partial.offset != offset || !canContinue(id) { return offset }
    } else {
      // Answered before it was whole: there is nothing left to send of it.
      if offset > 0 { return head.count + body.count }
      if room(id) <= 0 { return 0 }
      // The peer was so quick that our attach, or even our open, is not out yet: they come first.
      if links[l].attachDue { produce() }
    }
    return Machine10.cut(
      id.index, &links[id.index], &sessions[links[id.index].session], &output, remoteFrameSize, number, head, body,
      offset,
      settled)
  }

  /// Static, so that link, session and output are each looked up once for a message and not once for a field.
  private static func cut(
    _ index: Int, _ link: inout Link, _ session: inout Session, _ output: inout ByteQueue, _ frameSize: Int,
    _ number: Int,
    _ head: Span<UInt8>, _ body: Span<UInt8>, _ offset: Int, _ settled: Bool
  ) -> Int {
    let total = head.count + body.count
    var at = offset
    let deliveryID: UInt32
    if let partial = link.sender.partial {
      deliveryID = partial.deliveryID
    } else {
      deliveryID = session.deliveryID(session.outgoing.next)
      link.credit &-= 1
      link.deliveryCount &+= 1
      if settled && session.outgoing.isEmpty {
        session.outgoing.passOver()
      } else {
        session.outgoing.append(Session.Outgoing(link: index, number: number, done: settled))
        if !settled { link.sender.unsettled += 1 }
      }
    }
    let isEnlisted = !session.transactionalState.isEmpty && link.local.target?.coordinator != true
    repeat {
      let fields = TransferFields(
        channel: session.channel, handle: link.handle, deliveryID: deliveryID, number: at == 0 ? number : nil,
        settled: settled, stateSize: isEnlisted ? session.transactionalState.count : 0)
      let more = total - at > frameSize - fields.size
      let n = more ? frameSize - fields.size - fields.moreSize : total - at
      fields.append(to: &output, state: session.transactionalState, payload: n, more: more)
      let fromHead = max(0, min(head.count - at, n))
      if fromHead > 0 { output.append(head.extracting(at..<at + fromHead)) }
      if n > fromHead { output.append(body.extracting(at + fromHead - head.count..<at + n - head.count)) }
      session.nextOutgoingID &+= 1
      session.remoteIncomingWindow &-= 1
      at += n
    } while at < total && output.count < Machine10.outputBound && session.remoteIncomingWindow > 0
    link.sender.partial = at == total ? nil : Link.Sender.Partial(deliveryID: deliveryID, number: number, offset: at)
    return at
  }

  /// Gives up the delivery that is being cut.
  mutating func abort(_ l: Int, _ s: Int) {
    guard let partial = links[l].sender.partial else { return }
    links[l].sender.partial = nil
    links[l].sender.abortDue = partial.deliveryID
    workDue = true
  }

  mutating func sendAbort(_ l: Int) {
    let s = links[l].session
    guard let id = links[l].sender.abortDue, sessions[s].remoteIncomingWindow > 0 else { return }
    links[l].sender.abortDue = nil
    var transfer = Transfer()
    transfer.handle = links[l].handle
    transfer.deliveryID = id
    transfer.aborted = true
    send(transfer.record, channel: sessions[s].channel)
    sessions[s].nextOutgoingID &+= 1
    sessions[s].remoteIncomingWindow &-= 1
  }

  /// The application has nothing more for this link now: a receiver that drains is told so (part 2 §2.6.7).
  mutating func idle(_ id: LinkID) {
    guard let l = index(id), links[l].state == .attached, links[l].sender.drainDue, links[l].sender.partial == nil,
      links[l].sender.abortDue == nil
    else { return }
    links[l].sender.drainDue = false
    links[l].deliveryCount &+= links[l].credit
    links[l].credit = 0
    links[l].flowDue = true
    workDue = true
  }
}

/// A transfer's frame up to its payload, for the few shapes that we send: written a word at a time, because this is done
/// once a message.
private struct TransferFields {
  let channel: UInt16
  let handle: UInt32
  let deliveryID: UInt32
  /// Nil: not the first frame of its delivery.
  let number: Int?
  let settled: Bool
  /// Octets of the delivery's state, 0: it has none.
  let stateSize: Int

  /// Octets of frame header and performative, without `more` and, in a later frame, the nulls before it. Behind them a
  /// state stands, which needs all of that in any case, and a null more.
  var size: Int {
    let handleSize = handle == 0 ? 1 : handle < 256 ? 2 : 5
    let stateSize = stateSize == 0 ? 0 : stateSize + (number == nil ? 5 : 2)
    guard let number else { return 14 + handleSize + 5 + stateSize }
    return 14 + handleSize + 5 + (number <= Int(UInt32.max) ? 6 : 10) + 2 + stateSize
  }

  /// Octets that say that more follows.
  var moreSize: Int { stateSize > 0 ? 0 : number == nil ? 4 : 1 }

  func append(to q: inout ByteQueue, state: borrowing [UInt8], payload: Int, more: Bool) {
    let later = number == nil
    let size = size + (more ? moreSize : 0)
    let count: UInt64 = stateSize > 0 ? 8 : more ? 6 : later ? 2 : 5
    q.reserve(size + payload)
    q.append64(UInt64(size + payload) << 32 | 0x0200_0000 | UInt64(channel))
    // Descriptor, then the list: its size counts from the octet after itself.
    let list: UInt64 = 0x0053_14c0_0000 | UInt64(size - 13) << 8 | count
    if handle == 0 {
      q.append64(list << 16 | 0x4370)
    } else if handle < 256 {
      q.append32(UInt32(list >> 16))
      q.append32(UInt32(list & 0xffff) << 16 | 0x5200 | handle)
      q.append(0x70)
    } else {
      q.append32(UInt32(list >> 16))
      q.append16(UInt16(list & 0xffff))
      q.append(0x70)
      q.append32(handle)
      q.append(0x70)
    }
    q.append32(deliveryID)
    if let number {
      // The delivery-tag is the message's number; message-format 0.
      let end: UInt64 = settled ? 0x4341 : 0x4342
      if number <= Int(UInt32.max) {
        q.append64(0xa004 << 48 | UInt64(number) << 16 | end)
      } else {
        q.append16(0xa008)
        q.append64(UInt64(number))
        q.append16(UInt16(end))
      }
    }
    // In a later frame only the delivery-id is said again; no null may stand at the end of a list.
    if stateSize > 0 {
      if later {
        q.append16(0x4040)
        q.append(0x40)
      }
      q.append16(more ? 0x4140 : 0x4240)
      q.append(state.span)
    } else if more {
      if later { q.append32(0x4040_4041) } else { q.append(0x41) }
    }
  }
}
