/// The loop that everything which waits runs in: a turn moves what can move, then everybody says what it waits for.
/// No registrations and no callbacks, so interest can't get out of step with state.
package import Transport

/// Something to be run by the loop until it has ended.
package protocol Looped: AnyObject {
  associatedtype Failure: Error
  /// Moves what can move without waiting. Returns true at the end.
  func turn(now: Int64) throws(Failure) -> Bool
  /// Adds everything that is waited for.
  func register(_ polls: inout PollSet)
  /// When the next turn is due though nothing is ready.
  var deadline: Int64? { get }
}

package enum Loop {
  package static func run<P: Looped>(_ program: P, signals: Signals?) throws(P.Failure) {
    var polls = PollSet()
    var signalled: PollSet.Token?
    while true {
      if let signalled, polls.readable(signalled) { try? signals?.take() }
      let now = Clock.now
      if try program.turn(now: now) { return }
      polls.removeAll()
      program.register(&polls)
      signalled = signals.map { polls.add($0.number, read: true) }
      // poll fails for lack of memory or by a mistake of ours; the next turn finds out soon enough.
      try? polls.wait(now: Clock.now, until: program.deadline)
    }
  }
}
