/// Two connections back to back under a clock that moves when the test says so. Octets travel whole or in pieces.
import Engine
import Wire

package final class Pair {
  package let initiator: End
  package let acceptor: End
  package var now: Instant = 0
  /// The most octets that arrive at once.
  package var chunk = Int.max
  /// Octets that are on their way to the initiator and to the acceptor.
  package private(set) var sent = (initiator: 0, acceptor: 0)
  /// Turns of the conversation in which octets travelled in either direction.
  package private(set) var turns = 0

  package init(
    _ initiator: ConnectionSettings = ConnectionSettings(.initiator),
    _ acceptor: ConnectionSettings = ConnectionSettings(.acceptor)
  ) {
    self.initiator = End(initiator)
    self.acceptor = End(acceptor)
  }

  /// A pair whose acceptor grants every link, and this much credit to senders.
  package static func willing(
    credit: UInt32 = 100, _ initiator: ConnectionSettings = ConnectionSettings(.initiator),
    _ acceptor: ConnectionSettings = ConnectionSettings(.acceptor)
  ) -> Pair {
    let pair = Pair(initiator, acceptor)
    pair.acceptor.react = { end, event in
      guard case .attachRequested(let link) = event else { return }
      end.connection.accept(link)
      if end.connection.localAttach(link).role == .receiver {
        end.connection.grant(link, start: credit, ceiling: credit)
      }
    }
    return pair
  }

  /// Carries octets to and fro until neither end has anything to say.
  package func run() {
    while true {
      let there = initiator.output(now: now)
      carry(there, to: acceptor)
      let back = acceptor.output(now: now)
      carry(back, to: initiator)
      sent = (sent.initiator + back.count, sent.acceptor + there.count)
      if there.isEmpty && back.isEmpty { return }
      turns += 1
      precondition(turns < 100_000, "two ends that never fall silent")
    }
  }

  private func carry(_ bytes: [UInt8], to end: End) {
    var rest = bytes[...]
    while !rest.isEmpty {
      end.receive(rest.prefix(chunk), now: now)
      rest = rest.dropFirst(chunk)
    }
  }

  /// Lets time pass on both ends, without and then with conversation.
  package func advance(milliseconds: Int64) {
    now += milliseconds * 1_000_000
    initiator.tick(now: now)
    acceptor.tick(now: now)
    run()
  }
}
