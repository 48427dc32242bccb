/// Credit of receiving links: granted, taken back, drained (part 2 §2.6.7).
import Bytes
import Wire

extension Machine10 {
  /// Lets the sender have `start` deliveries under way, growing to `ceiling`, and `budget` in all.
  mutating func grant(_ id: LinkID, start: UInt32, ceiling: UInt32, budget: Int?) {
    guard let l = index(id) else { return }
    links[l].receiver.target = start
    links[l].receiver.ceiling = ceiling
    links[l].receiver.budget = budget
    links[l].receiver.stop = .no
    workDue = true
  }

  /// Takes the credit back; `.stopped` follows when the sender knows.
  mutating func stop(_ id: LinkID) {
    guard phase != .over, let l = index(id), links[l].state == .attached, links[l].role == .receiver,
      links[l].receiver.stop == .no
    else { return }
    links[l].drain = false
    links[l].receiver.isDrained = false
    if links[l].credit == 0 {
      links[l].receiver.stop = .known
      creditEnded(l)
    } else {
      links[l].receiver.stop = .asked
      links[l].credit = 0
      links[l].flowDue = true
      workDue = true
    }
  }

  /// The sender has no credit (any more): whoever waits for that is told, once nothing is in mid-transfer.
  mutating func creditEnded(_ l: Int) {
    guard links[l].state == .attached, links[l].credit == 0, links[l].receiver.partial == nil else { return }
    if links[l].receiver.isDrained {
      links[l].receiver.isDrained = false
      links[l].drain = false
      workDue = true
      events.append(.drained(links[l].id))
    }
    if links[l].receiver.stop == .known {
      links[l].receiver.stop = .told
      events.append(.stopped(links[l].id))
    }
  }

  /// Asks the sender to send what it has for the credit it was given, and to say when there is nothing more.
  mutating func drain(_ id: LinkID) {
    guard let l = index(id), links[l].state == .attached, links[l].role == .receiver, !links[l].drain else { return }
    links[l].drain = true
    links[l].flowDue = links[l].credit > 0
    workDue = true
  }
}
