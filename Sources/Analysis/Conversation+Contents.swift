/// 0-9-1: the messages behind methods, from content header to the last body frame.
import Bytes
import Wire

extension Conversation {
  mutating func header(
    _ b: Span<UInt8>, _ payload: Range<Int>, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) -> ContentStep {
    guard channels091[place].contents[side].state == .header else { return .stray }
    let start = payload.lowerBound + 12
    let end = payload.upperBound
    let size = end - start >= 2 ? b.u64(payload.lowerBound + 4) : 0
    let (link, isLarge) = withContent(side) { c in
      c.state = .body
      c.size = size
      c.properties.removeAll()
      if end > start { c.properties.append(b.extracting(start..<end)) }
      return (c.link, size > 0)
    }
    dropBody(side)
    facts.link = link
    if isLarge { return .header }
    complete(side, place, time, &facts)
    return .headerAndEnd
  }

  /// The body is no longer needed; the memory of a large one is given back.
  package mutating func dropBody(_ side: Int) {
    kept -= withContent(side) { c in
      defer {
        c.body.removeAll()
        c.body.release(above: 1 << 16)
      }
      return c.body.count
    }
  }

  mutating func body(
    _ payload: Span<UInt8>, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) -> ContentStep {
    guard channels091[place].contents[side].state == .body else { return .stray }
    let room = joinedLimit - kept
    let (ends, link, frames, seen, more) = withContent(side) { c in
      c.seen += payload.count
      c.frames += 1
      let ends = UInt64(c.seen) >= c.size
      var more = 0
      // A message in one frame needs no copy: the caller has its octets at hand.
      if c.isWhole && (c.frames > 1 || !ends) {
        if payload.count > room {
          c.isWhole = false
          more = -c.body.count
          c.body = ByteQueue()
        } else {
          c.body.append(payload)
          more = payload.count
        }
      }
      return (ends, c.link, c.frames, c.seen, more)
    }
    kept += more
    facts.link = link
    (facts.frames, facts.octets) = (frames, seen)
    if link >= 0 { links[link].octets += payload.count }
    if !ends {
      facts.part = frames == 1 ? .first : .middle
      return .part
    }
    facts.part = frames == 1 ? .whole : .last
    complete(side, place, time, &facts)
    return .end
  }

  /// The message is whole: from now on its answer is waited for.
  mutating func complete(_ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts) {
    let (method, tag, number, link, isSilent) = withContent(side) { c in
      c.state = .none
      return (c.method, c.tag, c.number, c.link, c.isSilent)
    }
    facts.isFailure = method == MethodID.basicReturn
    let delivery = OpenDelivery(time: time ?? .min, link: Int32(link), isOpen: true, isAnswered: false)
    switch method {
    case MethodID.basicPublish:
      if numbersPublishes(place) { _ = channels091[place].publishes.add(number, delivery) }
    case MethodID.basicDeliver:
      if !isSilent { addDelivery(tag, delivery, place) }
    case MethodID.basicGetOK: if !isSilent { addDelivery(tag, delivery, place) }
    default: break
    }
  }

  mutating func addDelivery(_ tag: UInt64, _ delivery: OpenDelivery, _ place: Int) {
    if !channels091[place].deliveries.add(tag, delivery) && isLinted {
      find("delivery-tag", "0-9-1 §1.1 delivery-tag", "delivery-tag \(tag) is in use or goes back")
    }
  }

  mutating func interrupt(_ side: Int, _ place: Int) {
    if !isLinted { return }
    let (size, seen) = withContent(side) { ($0.size, $0.seen) }
    find("content-interrupted", "0-9-1 §4.2.6", "a method after \(seen) of \(size) octets of a message")
  }
}
