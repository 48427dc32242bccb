// What a program comes to for its message, and which outcome that is.
import Console
import Engine
import Transport
import Wire

/// Whose delivery it is: enough to settle it.
struct Ticket {
  let server: Served
  let link: LinkID
  let delivery: Int
  /// The message's number in this run, from 1.
  let number: Int
  /// It is of a stream, where it stays: it doesn't come again when the connection is lost.
  let isCopy: Bool
  /// It was settled when it came: it is nowhere else any more.
  let isSettled: Bool
  /// With `--respond`: where its answer goes.
  var request: Request?

  /// Nobody is there to be told what became of it: it comes again.
  var isVoid: Bool { server.isOver && !isCopy && !isSettled }
}

enum Verdict: Equatable, Sendable {
  case accept
  case reject(String)
  case release
  /// It did not do its work, and why.
  case fail(String)
  case modify(failed: Bool, undeliverable: Bool, annotations: Value)
  /// Nothing was decided; the run ends with this.
  case stop(ExitCode, String)

  /// Of a command's end. The statuses are sysexits.h's: EX_DATAERR, EX_TEMPFAIL.
  init(_ ending: Child.Ending) {
    switch ending {
    case .exited(0): self = .accept
    case .exited(65): self = .reject("the handler exited with status 65")
    case .exited(75): self = .release
    case .exited(126): self = .stop(.handlerNotExecutable, "it exited with status 126: a command can't be run")
    case .exited(127): self = .stop(.handlerNotFound, "it exited with status 127: a command was not found")
    case .exited(let status): self = .fail("exited with status \(status)")
    case .killed(let signal): self = .fail("was killed by signal \(signal)")
    }
  }

  var outcome: Outcome? {
    switch self {
    case .accept: .accept
    case .reject(let reason): .reject(AMQPError("amqp:precondition-failed", reason))
    case .release: .release
    case .fail: .modify(failed: true, undeliverable: false, annotations: .null)
    case .modify(let failed, let undeliverable, let annotations):
      .modify(failed: failed, undeliverable: undeliverable, annotations: annotations)
    case .stop: nil
    }
  }

  /// The message may come again at once.
  var comesAgain: Bool {
    switch self {
    case .accept, .reject, .stop: false
    case .release, .fail: true
    case .modify(_, let undeliverable, _): !undeliverable
    }
  }
}

/// How many messages had which end.
struct Tally {
  var accepted = 0
  var rejected = 0
  var released = 0
  var modified = 0
  var failed = 0
  /// Decided when the connection was gone.
  var unsettled = 0
  /// The first that was not accepted: its number, and what happened.
  var first: (number: Int, why: String)?

  var total: Int { accepted + rejected + released + modified + failed + unsettled }
  var counts: [(String, Int)] {
    [
      ("accepted", accepted), ("rejected", rejected), ("released", released), ("modified", modified),
      ("failed", failed), ("unsettled", unsettled),
    ]
  }
  var summary: String {
    counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
  }

  mutating func add(_ verdict: Verdict, _ number: Int) {
    let why: String
    switch verdict {
    case .accept:
      accepted += 1
      return
    case .reject(let reason):
      rejected += 1
      why = "was rejected: \(reason)"
    case .release:
      released += 1
      why = "was released"
    case .modify:
      modified += 1
      why = "was modified"
    case .fail(let reason):
      failed += 1
      why = reason
    case .stop: return
    }
    if first == nil { first = (number, why) }
  }
}
