/// 0-9-1: what answers what: publish and confirm, deliver and ack, request and reply.
import Bytes
import Wire

extension Conversation {
  func numbersPublishes(_ place: Int) -> Bool {
    channels091[place].isConfirmed || channels091[place].mayBeConfirmed && !isOneWay
  }

  /// A server acknowledges nothing but publishes; the first confirm tells whether all of them were captured.
  mutating func confirmed(_ tag: UInt64, _ place: Int) {
    channels091[place].isConfirmed = tag == 1 && channels091[place].published > 0
    if channels091[place].isConfirmed {
      channels091[place].mayBeConfirmed = false
    } else {
      channels091[place].forgetUnsure()
    }
  }

  mutating func settled(
    _ id: UInt32, _ tag: UInt64, multiple: Bool, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) {
    facts.isFailure = id != MethodID.basicAck
    if channels091[place].mayBeConfirmed && !isOneWay && channels091[place].publisher == other(side) {
      confirmed(tag, place)
    }
    let isConfirm =
      isOneWay
      ? channels091[place].publishes.open > 0
      : channels091[place].publisher == other(side)
        && channels091[place].isConfirmed
    facts.since = isConfirm ? .publish : .deliver
    var ring = DeliveryRing()
    func exchange(_ ring: inout DeliveryRing, _ channel: inout Channel) {
      if isConfirm { swap(&ring, &channel.publishes) } else { swap(&ring, &channel.deliveries) }
    }
    exchange(&ring, &channels091[place])
    let last = tag == 0 && multiple ? .max - 1 : tag
    let met = ring.meeting(multiple ? 0...last : last...last)
    var number = met.lowerBound
    while number < met.upperBound && effort > 0 {
      effort -= 1
      let delivery = ring[number]
      if delivery.isOpen {
        facts.answered += 1
        if delivery.link >= 0 {
          let link = Int(delivery.link)
          if facts.link < 0 { facts.link = link }
          if id == MethodID.basicAck { links[link].outcomes.accepted += 1 } else { links[link].outcomes.rejected += 1 }
          if let time, delivery.time != .min {
            facts.add(latency: time - delivery.time)
            links[link].latency.add(time - delivery.time)
          }
        }
        ring.settle(number)
      }
      number = ring.next(number)
    }
    exchange(&ring, &channels091[place])
    if facts.answered == 0 && startSeen && isLinted && !(tag == 0 && multiple) {
      find("unknown-delivery", "0-9-1 §1.8.3.13", "no open \(isConfirm ? "publish" : "delivery") \(tag)")
    }
  }

  /// Notes how long the request in front of this method waited, if it is an answer to it.
  mutating func answer(_ id: UInt32, _ place: Int, _ time: Int64?, _ facts: inout Facts) {
    let request = channels091[place].request
    guard request != 0, let row = MethodSpec.row(request), row.responses.contains(id) else { return }
    channels091[place].request = 0
    guard let time, let since = channels091[place].requested else { return }
    facts.answered = 1
    facts.add(latency: time - since)
    facts.since = request == MethodID.basicGet ? .get : .request
  }

  /// Everything that doesn't come by the million.
  mutating func rare(
    _ id: UInt32, _ d: Dissector, _ b: Span<UInt8>, _ side: Int, _ place: Int, _ time: Int64?, _ facts: inout Facts
  ) {
    answer(id, place, time, &facts)
    if MethodSpec.row(id)?.synchronous == true {
      channels091[place].request = id
      channels091[place].requested = time
    }
    func octets(_ i: Int) -> [UInt8] { field(d, i).map { b.extracting($0.contentRange).array } ?? [] }
    switch id {
    case MethodID.connectionTuneOK: frameMax = [field(d, 1).map { UInt32(truncatingIfNeeded: $0.value) }, nil]
    case MethodID.connectionClose, MethodID.channelClose: facts.isFailure = field(d, 0).map { $0.value != 200 } ?? false
    case MethodID.channelOpen:
      reportUnacked(place)
      channels091[place] = Channel()
      channels091[place].isOpen = true
      channels091[place].mayBeConfirmed = false
      lastConsumerPlace = -1
      if time != nil { (channels091[place].request, channels091[place].requested) = (id, time) }
    case MethodID.confirmSelect:
      channels091[place].isConfirmed = true
      channels091[place].published = 0
      channels091[place].forgetUnsure()
    case MethodID.basicConsume:
      channels091[place].consuming = octets(1)
      // ticket, queue, consumer-tag, no-local, no-ack, exclusive, no-wait
      channels091[place].consumingSilently = field(d, 4)?.value == 1
      if field(d, 2)?.value ?? 0 > 0 { consume(octets(2), place) }
    case MethodID.basicConsumeOK: consume(octets(0), place)
    case MethodID.basicGet:
      channels091[place].getting = octets(1)
      channels091[place].gettingSilently = field(d, 2)?.value == 1
    case MethodID.basicGetEmpty, MethodID.basicCancel: break
    default: break
    }
  }

  mutating func consume(_ tag: [UInt8], _ place: Int) {
    if channels091[place].queues.count >= Channel.mostConsumers { return }
    channels091[place].queues[tag] = channels091[place].consuming
    if channels091[place].consumingSilently { channels091[place].silent.insert(tag) }
    lastConsumerPlace = -1
  }

  mutating func reportUnacked(_ place: Int) {
    if !isLinted { return }
    let (publishes, deliveries) = (channels091[place].publishes.open, channels091[place].deliveries.open)
    if publishes > 0 && channels091[place].isConfirmed {
      find("never-confirmed", "RabbitMQ confirms", "\(publishes) publishes were never confirmed")
    }
    if deliveries > 0 { find("never-settled", "0-9-1 §1.8.3.13", "\(deliveries) deliveries were never acknowledged") }
  }
}
