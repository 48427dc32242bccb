/// Deliveries that go out: how much may be sent, and messages cut into transfer frames (part 2 §2.6.14, §2.7.5).
import Bytes
import Wire

extension Machine10 {
  /// How many more messages may be begun on the link now.
  func room(_ id: LinkID) -> Int {
    let l = id.index
    guard phase == .running, openSent, !closeSent, links[l].state == .attached, links[l].sender.partial == nil else {
      return 0
    }
    if output.count >= Machine10.outputBound { return 0 }
    return min(Int(links[l].credit), Int(sessions[links[l].session].remoteIncomingWindow))
  }

  /// Whether a message that was begun can go on now.
  func canContinue(_ id: LinkID) -> Bool {
    let l = id.index
    return links[l].state == .attached && links[l].sender.partial != nil && output.count < Machine10.outputBound
      && sessions[links[l].session].remoteIncomingWindow > 0
  }

  /// Writes frames of the message that is `head` followed by `body`, from `offset` octets on, for as long as window
  /// and output have room. `number` is the application's and comes back with the answer.
  /// - Returns: how many octets of the message are written now; all of them: the message is sent.
  mutating func deliver(
    _ id: LinkID, _ number: Int, head: Span<UInt8>, body: Span<UInt8>, from offset: Int, settled: Bool
  ) -> Int {
    let l = id.index
    let s = links[l].session
    let total = head.count + body.count
    var at = offset
    var deliveryID: UInt32
    if let partial = links[l].sender.partial {
      deliveryID = partial.deliveryID
    } else {
      guard room(id) > 0 else { return 0 }
      deliveryID = sessions[s].deliveryID(sessions[s].outgoing.next)
      links[l].credit &-= 1
      links[l].deliveryCount &+= 1
      if settled && sessions[s].outgoing.isEmpty {
        sessions[s].outgoing.passOver()
      } else {
        sessions[s].outgoing.append(Session.Outgoing(link: l, number: number, done: settled))
        if !settled { links[l].sender.unsettled += 1 }
      }
      links[l].sender.partial = Link.Sender.Partial(deliveryID: deliveryID, number: number, offset: 0)
    }
    repeat {
      let first = at == 0
      let start = output.count
      beginTransfer(l, s, deliveryID, number: number, first: first, settled: settled)
      // One octet may still be needed to say that more follows.
      let room = remoteFrameSize - (output.count - start) - 1
      let n = min(total - at, room)
      let more = at + n < total
      endTransfer(start, more: more)
      let fromHead = max(0, min(head.count - at, n))
      if fromHead > 0 { output.append(head.extracting(at..<at + fromHead)) }
      if n > fromHead { output.append(body.extracting(at + fromHead - head.count..<at + n - head.count)) }
      output.patch32(at: output.readable.lowerBound + start, UInt32(output.count - start))
      sessions[s].nextOutgoingID &+= 1
      sessions[s].remoteIncomingWindow &-= 1
      at += n
    } while at < total && output.count < Machine10.outputBound && sessions[s].remoteIncomingWindow > 0
    if at == total {
      links[l].sender.partial = nil
    } else {
      links[l].sender.partial?.offset = at
    }
    return at
  }

  /// Frame header, descriptor and the fields up to settled. What follows is `more` alone or nothing.
  private mutating func beginTransfer(_ l: Int, _ s: Int, _ deliveryID: UInt32, number: Int, first: Bool, settled: Bool)
  {
    output.reserve(48)
    output.append32(0)
    output.append32(0x0200_0000 | UInt32(sessions[s].channel))
    output.append32(0x0053_14c0)
    output.append16(0)  // size and count of the list, patched in `endTransfer`
    let handle = links[l].handle
    if handle == 0 {
      output.append(0x43)
    } else if handle < 256 {
      output.append16(0x5200 | UInt16(handle))
    } else {
      output.append(0x70)
      output.append32(handle)
    }
    output.append(0x70)
    output.append32(deliveryID)
    if first {
      // The delivery-tag is the message's number.
      if number <= Int(UInt32.max) {
        output.append16(0xa004)
        output.append32(UInt32(truncatingIfNeeded: number))
      } else {
        output.append16(0xa008)
        output.append64(UInt64(number))
      }
      output.append16(settled ? 0x4341 : 0x4342)
    } else {
      output.append(0x40)
      output.append16(0x4040)
    }
  }

  private mutating func endTransfer(_ start: Int, more: Bool) {
    if more { output.append(0x41) }
    let list = output.readable.lowerBound + start + 12
    output.patch8(at: list, UInt8(output.count - start - 13))
    output.patch8(at: list + 1, more ? 6 : 5)
  }

  /// Gives up the delivery that is being cut.
  mutating func abort(_ l: Int, _ s: Int) {
    guard let partial = links[l].sender.partial else { return }
    links[l].sender.partial = nil
    guard links[l].state == .attached, sessions[s].remoteIncomingWindow > 0 else { return }
    var transfer = Transfer()
    transfer.handle = links[l].handle
    transfer.deliveryID = partial.deliveryID
    transfer.aborted = true
    send(transfer.record, channel: sessions[s].channel)
    sessions[s].nextOutgoingID &+= 1
    sessions[s].remoteIncomingWindow &-= 1
  }

  /// The application has nothing more for this link now: a receiver that drains is told so (part 2 §2.6.7).
  mutating func idle(_ id: LinkID) {
    let l = id.index
    guard links[l].state == .attached, links[l].role == .sender, links[l].drain, links[l].sender.partial == nil else {
      return
    }
    links[l].deliveryCount &+= links[l].credit
    links[l].credit = 0
    links[l].flowDue = true
    workDue = true
    links[l].drain = false
  }
}
