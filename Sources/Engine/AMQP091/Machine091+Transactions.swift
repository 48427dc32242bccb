/// Transactions over 0-9-1 (class tx, §1.9): a channel in this mode keeps what is published and settled on it until it is
/// told to commit or to forget that. All senders share one channel, so that they commit as one; a receiver's settlements
/// are its own channel's.
///
/// RabbitMQ looks for queues when a transaction is committed: what no queue takes is returned in front of the answer to
/// the commit, and all else is committed.
import Wire

extension Machine091 {
  mutating func select(_ c: Int) {
    if case .none = channels[c].transaction { channels[c].transaction = .selectDue }
  }

  /// Ends what was published and settled since the last time.
  mutating func discharge(fail: Bool) {
    for c in channels.indices where channels[c].isLive {
      switch channels[c].transaction {
      case .none, .selectDue, .dischargeDue, .discharging: break
      case .selected: channels[c].transaction = .dischargeDue(fail: fail)
      }
    }
    isDischarging = true
    workDue = true
    tellDischarged()
  }

  mutating func produceSelect(_ c: Int) {
    guard case .selectDue = channels[c].transaction, channels[c].isLive else { return }
    channels[c].transaction = .selected
    send(channels[c].number, MethodRecord(MethodID.txSelect))
  }

  mutating func produceDischarge(_ c: Int) {
    guard case .dischargeDue(let fail) = channels[c].transaction, channels[c].isLive else { return }
    if !fail && waitsForConsumers(c) { return }
    channels[c].transaction = .discharging(fail: fail)
    send(channels[c].number, MethodRecord(fail ? MethodID.txRollback : MethodID.txCommit))
    for l in links.indices where links[l].channel == c && links[l].receiver.isPaused {
      links[l].receiver.isPaused = false
      if links[l].receiver.stop == .no { links[l].receiver.consumer = .none }
    }
  }

  /// Settlements that are kept back for a budget's sake belong to what is committed. They can be written when nobody
  /// consumes: who does is cancelled first, and consumes the rest of the budget behind the commit. A stream has nothing
  /// to commit, and would begin anew.
  private mutating func waitsForConsumers(_ c: Int) -> Bool {
    var waits = false
    for run in channels[c].settlements {
      let l = run.link
      guard links[l].receiver.isConsuming, !links[l].receiver.isStream else { continue }
      waits = true
      if links[l].receiver.consumer == .running {
        links[l].receiver.consumer = .cancelDue
        links[l].receiver.isPaused = true
      }
    }
    return waits
  }

  /// The peer has done what was asked for.
  mutating func discharged(_ m: MethodRecord, _ c: Int) {
    let isRollback = m.id == MethodID.txRollbackOK
    guard case .discharging(let fail) = channels[c].transaction, fail == isRollback else {
      return outOfPlace(m, "on channel \(channels[c].number)")
    }
    channels[c].transaction = .selected
    let ring = channels[c].outgoing
    if !ring.isEmpty {
      // Nobody has what was rolled back.
      let answer: Answer = fail ? .released : .accepted
      if let event = answered(ring.first...ring.next - 1, answer, c) { events.append(event) }
    }
    tellDischarged()
  }

  /// A channel is gone, and its transaction with it, which nobody answers for any more: its links are told.
  mutating func lostTransaction(_ c: Int) {
    if channels[c].isDischarging { isDischarging = false }
    channels[c].transaction = .none
  }

  /// Says that it is done when it is on every channel.
  private mutating func tellDischarged() {
    let waits = channels.contains { $0.isLive && $0.isDischarging }
    if !waits && isDischarging {
      isDischarging = false
      events.append(.discharged)
    }
  }
}

extension Channel091 {
  var isDischarging: Bool {
    switch transaction {
    case .none, .selectDue, .selected: false
    case .dischargeDue, .discharging: true
    }
  }

  /// Something is to be said in front of the first publish.
  var isModeDue: Bool {
    if confirmDue { return true }
    if case .selectDue = transaction { return true }
    return false
  }
}
