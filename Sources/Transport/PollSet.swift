// What the loop waits for, built anew each turn: no registrations to keep in step with the state of the participants.
// Its storage is kept, so a turn allocates nothing.
internal import Glibc

package struct PollSet: ~Copyable {
  /// Names one `add` of this turn.
  package struct Token: Sendable {
    fileprivate let index: Int
  }

  private var entries: [pollfd] = []

  package init() {
    entries.reserveCapacity(16)
  }

  /// Starts a turn.
  package mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
  }

  /// `hangUp` alone watches an idle output for its reader going away. Asking for nothing is fine: then nothing is told,
  /// not even a hang-up, which poll would otherwise report again and again.
  package mutating func add(_ number: Int32, read: Bool = false, write: Bool = false, hangUp: Bool = false) -> Token {
    let events = (read ? POLLIN : 0) | (write ? POLLOUT : 0)
    entries.append(pollfd(fd: read || write || hangUp ? number : -1, events: Int16(events), revents: 0))
    return Token(index: entries.count - 1)
  }

  /// Waits until something is ready, `deadline` has come (nil: no limit) or a signal was caught. Nothing need be ready
  /// on return: early and empty returns are another turn of the loop, no more.
  package mutating func wait(now: Int64, until deadline: Int64?) throws(Errno) {
    let timeout: Int32
    if let deadline {
      // Rounded up: one turn late by less than a millisecond, rather than spinning through the last one.
      let milliseconds = deadline <= now ? 0 : (deadline - now - 1) / 1_000_000 + 1
      timeout = Int32(clamping: milliseconds)
    } else {
      timeout = -1
    }
    let result = unsafe entries.withUnsafeMutableBufferPointer {
      unsafe poll($0.baseAddress, nfds_t($0.count), timeout)
    }
    guard result < 0 else { return }
    let code = errno
    for index in entries.indices { entries[index].revents = 0 }
    if code != EINTR { throw Errno("poll", code: code) }
  }

  // An error or a hang-up makes ready whatever was asked for: the read or write that follows tells which it is.

  package func readable(_ token: Token) -> Bool { was(token, POLLIN) }
  package func writable(_ token: Token) -> Bool { was(token, POLLOUT) }
  package func hungUp(_ token: Token) -> Bool { entries[token.index].revents & Self.gone != 0 }

  private static let gone = Int16(POLLERR | POLLHUP | POLLNVAL)

  private func was(_ token: Token, _ event: Int32) -> Bool {
    let entry = entries[token.index]
    return entry.events & Int16(event) != 0 && entry.revents & (Int16(event) | Self.gone) != 0
  }
}
