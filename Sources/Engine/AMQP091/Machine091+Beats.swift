/// Round trips of the 0-9-1 machine, for whoever measures them: basic.qos without a limit, on a channel that has no
/// consumers, changes nothing, and has to be answered (§1.8.3.1).
import Wire

extension Machine091 {
  /// Asks for one; false when no channel is left for it.
  mutating func beat() -> Bool {
    guard phase == .running || phase == .opening else { return false }
    if beatChannel.map({ !channels[$0].isLive }) ?? true { beatChannel = openChannel() }
    guard beatChannel != nil else { return false }
    beatsDue += 1
    workDue = true
    return true
  }

  /// The opening of the channel is no part of what is measured.
  mutating func produceBeats() {
    guard let c = beatChannel, channels[c].state == .open else { return }
    while beatsDue > 0 {
      beatsDue -= 1
      beats.asked += 1
      send(channels[c].number, MethodRecord(MethodID.basicQos))
    }
  }

  /// On the channel of beats.
  mutating func receivedBeat(_ m: MethodRecord) {
    if m.id == MethodID.channelOpenOK { workDue = true }
    if m.id == MethodID.basicQosOK { beats.answered += 1 }
  }
}
