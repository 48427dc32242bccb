/// Transfers and what answers them, 1.0.
import Bytes
package import Wire

/// A transfer or disposition that was read ahead of the dissector, because what it says decides how the rest is read.
package enum Ahead: Sendable {
  case nothing
  case transfer(HotTransfer)
  case disposition(HotDisposition)
  case flow(Flow)
}

extension Conversation {
  /// Looks ahead into the frame of 1.0 in `range`.
  /// - Returns: what was read, and whether the payload is a part of a message.
  @inline(__always)
  package mutating func lookAhead(_ b: Span<UInt8>, _ range: Range<Int>, side: Int) -> (Ahead, isPart: Bool) {
    let start = range.lowerBound + 8
    if range.count < 12 || b[range.lowerBound + 4] != 2 || b[range.lowerBound + 5] != 0 { return (.nothing, false) }
    switch b.u32(start) >> 8 {
    case 0x0053_14:
      guard let hot = HotTransfer(b, from: start, to: range.upperBound) else { return (.nothing, false) }
      if hot.more || hot.aborted { return (.transfer(hot), true) }
      guard let session = session(side, b.u16(range.lowerBound + 6)),
        let link = halves[2 * session + side].link(hot.handle)
      else { return (.transfer(hot), false) }
      return (.transfer(hot), links[link].isOpen)
    case 0x0053_15:
      guard let hot = HotDisposition(b, from: start, to: range.upperBound) else { return (.nothing, false) }
      return (.disposition(hot), false)
    case 0x0053_13:
      guard let hot = Flow(hot: b, from: start, to: range.upperBound) else { return (.nothing, false) }
      return (.flow(hot), false)
    default: return (.nothing, false)
    }
  }

  /// Takes a frame that `lookAhead` has read.
  package mutating func take(
    _ ahead: Ahead, _ b: Span<UInt8>, _ range: Range<Int>, side: Int, time: Int64?, _ facts: inout Facts
  ) {
    let channel = b.u16(range.lowerBound + 6)
    switch ahead {
    case .nothing: break
    case .transfer(let t):
      received(
        handle: t.handle, id: t.deliveryID, settled: t.settled, more: t.more, aborted: t.aborted,
        payload: b.extracting(t.payload..<range.upperBound), side, channel, time, &facts)
      if isLinted { lintTransfer(tag: t.tag.count, hasID: t.deliveryID != nil, facts, side) }
    case .disposition(let d):
      answered(
        receiver: d.role == .receiver, d.first, d.last, settled: d.settled, state: d.state.map(UInt64.init), side,
        channel, time, &facts)
    case .flow(let flow): self.flow(flow, side, channel, time, &facts)
    }
    effort += 8
  }

  mutating func transfer(
    _ t: Transfer, _ dissector: Dissector, _ b: Span<UInt8>, _ side: Int, _ channel: UInt16, _ time: Int64?,
    _ facts: inout Facts
  ) {
    let end = dissector.nodes[0].range.upperBound
    let payload = min(dissector.nodes[1].range.upperBound, end)
    received(
      handle: t.handle, id: t.deliveryID, settled: t.settled, more: t.more, aborted: t.aborted,
      payload: b.extracting(payload..<end), side, channel, time, &facts)
    effort += 8
  }

  mutating func disposition(
    _ d: Disposition, _ side: Int, _ channel: UInt16, _ time: Int64?, _ facts: inout Facts
  ) {
    var state = Record(d.state)
    // An outcome inside a transaction counts as that outcome.
    if let record = state, record.code == Code.transactionalState { state = Record(record[1]) ?? state }
    answered(
      receiver: d.role == .receiver, d.first, d.last ?? d.first, settled: d.settled, state: state?.code, side, channel,
      time, &facts)
    effort += 8
  }

  // MARK: Transfers

  private mutating func received(
    handle: UInt32, id: UInt32?, settled: Bool?, more: Bool, aborted: Bool, payload: Span<UInt8>, _ side: Int,
    _ channel: UInt16, _ time: Int64?, _ facts: inout Facts
  ) {
    guard let session = session(side, channel), let link = link(session, side, handle, sends: true) else { return }
    let half = 2 * session + side
    facts.link = link
    facts.startMissing = !links[link].isNamed
    if let next = halves[half].nextOutgoing {
      if isLinted && !isOneWay, let end = halves[half].windowEnd, next.ahead(of: end) >= 0 {
        find("window-overrun", "part 2 §2.5.6", "transfer \(next) is beyond the session's incoming window")
      }
      halves[half].nextOutgoing = next &+ 1
    }
    let goesOn = links[link].isOpen
    if !goesOn { startDelivery(link, half, id, settled, time) }
    links[link].openFrames += 1
    links[link].openOctets += payload.count
    links[link].octets += payload.count
    if goesOn, settled == true, let number = links[link].openNumber { settle(half, number) }
    if more || goesOn { keep(payload, link) }
    facts.frames = links[link].openFrames
    facts.octets = links[link].openOctets
    facts.part = more ? (goesOn ? .middle : .first) : goesOn ? .last : .whole
    links[link].isOpen = more && !aborted
    if aborted {
      facts.part = .last
      if let number = links[link].openNumber { settle(half, number) }
      dropParts(link)
    } else if goesOn && !more {
      facts.isJoined = links[link].partsAreWhole
    }
  }

  private mutating func startDelivery(_ link: Int, _ half: Int, _ id: UInt32?, _ settled: Bool?, _ time: Int64?) {
    links[link].deliveries += 1
    links[link].openFrames = 0
    links[link].openOctets = 0
    links[link].openNumber = nil
    if links[link].partsAreWhole == false { links[link].partsAreWhole = true }
    if let count = links[link].deliveryCount { links[link].deliveryCount = count &+ 1 }
    if let left = links[link].credit.left {
      if left <= 0 && isLinted {
        find("credit-overrun", "part 2 §2.6.7", "a transfer without link-credit")
      }
      links[link].credit.use(at: time)
    }
    guard let id else { return }
    let number = halves[half].numbered(id)
    links[link].openNumber = number
    if settled == true {
      links[link].outcomes.settled += 1
      return
    }
    let delivery = OpenDelivery(time: time ?? .min, link: Int32(link), isOpen: true, isAnswered: false)
    if !halves[half].ring.add(number, delivery) && isLinted {
      find("delivery-id", "part 2 §2.7.5", "delivery-id \(id) is in use or goes back")
    }
  }

  private mutating func keep(_ payload: Span<UInt8>, _ link: Int) {
    if !links[link].partsAreWhole { return }
    if kept + payload.count > joinedLimit {
      dropParts(link)
      links[link].partsAreWhole = false
      return
    }
    links[link].parts.append(payload)
    kept += payload.count
  }

  private mutating func lintTransfer(tag: Int, hasID: Bool, _ facts: Facts, _ side: Int) {
    if facts.part == .middle || facts.part == .last { return }
    if !hasID { find("delivery-id", "part 2 §2.7.5", "the first frame of a delivery without delivery-id") }
    if tag == 0 { find("delivery-tag", "part 2 §2.7.5", "the first frame of a delivery without delivery-tag") }
  }

  // MARK: Dispositions

  private mutating func settle(_ half: Int, _ number: UInt64) {
    let met = halves[half].ring.meeting(number...number)
    if !met.isEmpty && halves[half].ring[number].isOpen { halves[half].ring.settle(number) }
  }

  private mutating func answered(
    receiver: Bool, _ first: UInt32, _ last: UInt32, settled: Bool, state: UInt64?, _ side: Int, _ channel: UInt16,
    _ time: Int64?, _ facts: inout Facts
  ) {
    facts.isFailure = state == Code.rejected || state == Code.released || state == Code.modified
    guard let session = session(side, channel) else { return }
    // What a receiver answers the other side has sent.
    let half = 2 * session + (receiver ? other(side) : side)
    let span = last.ahead(of: first)
    if span < 0 {
      find("reversed-range", "part 2 §2.7.6", "first \(first) is behind last \(last)")
      return
    }
    let low = halves[half].number(first)
    let high = low + UInt64(span)
    let met = halves[half].ring.meeting(low...high)
    facts.since = .transfer
    var number = met.lowerBound
    while number < met.upperBound && effort > 0 {
      effort -= 1
      let delivery = halves[half].ring[number]
      if delivery.isOpen {
        facts.answered += 1
        let link = Int(delivery.link)
        if facts.link < 0 { facts.link = link }
        if !delivery.isAnswered {
          if let state { count(state, link) } else if settled { links[link].outcomes.settled += 1 }
          if let time, delivery.time != .min {
            let latency = time - delivery.time
            facts.add(latency: latency)
            links[link].latency.add(latency)
          }
        }
        if settled {
          halves[half].ring.settle(number)
        } else if !delivery.isAnswered {
          halves[half].ring[number].isAnswered = true
        }
      }
      number = halves[half].ring.next(number)
    }
    facts.unknown = halves[half].missing(low...high)
    if facts.answered == 0 && startSeen && isLinted && receiver {
      find("unknown-delivery", "part 2 §2.6.12", "no unsettled delivery \(first)\(span == 0 ? "" : "..\(last)")")
    }
    if facts.link >= 0 { facts.startMissing = !links[facts.link].isNamed }
  }

  private mutating func count(_ state: UInt64, _ link: Int) {
    switch state {
    case Code.accepted: links[link].outcomes.accepted += 1
    case Code.rejected: links[link].outcomes.rejected += 1
    case Code.released: links[link].outcomes.released += 1
    case Code.modified: links[link].outcomes.modified += 1
    default: links[link].outcomes.other += 1
    }
  }
}

extension UInt32 {
  /// How far `self` is ahead of `other` on the circle of RFC 1982, negative when behind.
  @inline(__always) func ahead(of other: UInt32) -> Int { Int(Int32(bitPattern: self &- other)) }
}
