// The children and scripted peers of one test, moved by one `poll` loop: no threads, no sleeps. A test names what it waits
// for; the only time limit is the one that a failing test runs into.
import Glibc

/// Something with descriptors, moved when one of them is ready.
protocol Polled: AnyObject {
  func interests() -> [pollfd]
  func ready(_ poll: pollfd)
}

package final class ProcessWorld {
  package private(set) var runs: [ProcessRun] = []
  private var others: [any Polled] = []
  /// Milliseconds that one wait may take.
  package static let limit: Int64 = 10_000

  package init() {
    // A child that went away is an answer to a write, not a signal.
    signal(SIGPIPE, SIG_IGN)
  }

  package func add(_ run: ProcessRun) { runs.append(run) }
  package func add(_ peer: ProcessPeer) { others.append(peer) }
  package func add(_ broker: EventterMQSocket) { others.append(broker) }

  /// - Returns: whether `condition` came true, checked whenever something happened.
  package func wait(until condition: () -> Bool) -> Bool {
    let end = ProcessWorld.now + ProcessWorld.limit
    while !condition() {
      let left = end - ProcessWorld.now
      guard left > 0 else { return false }
      var polls: [pollfd] = []
      var owners: [any Polled] = []
      for one in runs as [any Polled] + others {
        for interest in one.interests() {
          polls.append(interest)
          owners.append(one)
        }
      }
      guard !polls.isEmpty else { return condition() }
      guard poll(&polls, nfds_t(polls.count), Int32(left)) > 0 else { continue }
      for (interest, owner) in zip(polls, owners) where interest.revents != 0 {
        owner.ready(interest)
      }
    }
    return true
  }

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
