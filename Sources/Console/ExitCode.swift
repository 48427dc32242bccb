// What the process tells the shell: every exit status of `amqp`, its meaning, and which one wins when there are several.
// The help and the man pages list these rows; nothing else in the program writes a status as a number.

package enum ExitCode: Int32, CaseIterable, Sendable {
  case success = 0
  case failure = 1
  case incomplete = 2
  case notAccepted = 3
  case usage = 64
  case badInput = 65
  case noInput = 66
  case noSuchAddress = 67
  case unreachable = 69
  case cannotWrite = 74
  case protocolViolation = 76
  case refused = 77
  case handlerNotExecutable = 126
  case handlerNotFound = 127
  case interrupted = 130
  case terminated = 143

  package var meaning: String {
    switch self {
    case .success: "done"
    case .failure: "another failure: a locked queue, a precondition failed, a link stolen, a queue deleted in mid-run"
    case .incomplete: "the deadline passed, or fewer messages came than were asked for"
    case .notAccepted: "a message was not accepted, or not answered, or what was expected did not hold"
    case .usage: "wrong usage"
    case .badInput: "bad input data"
    case .noInput: "no such input file"
    case .noSuchAddress: "no such queue, exchange, address or virtual host"
    case .unreachable: "the peer was not reached, or was lost for good"
    case .cannotWrite: "output can't be written"
    case .protocolViolation: "the peer broke the protocol"
    case .refused: "refused: credentials, a certificate or permission"
    case .handlerNotExecutable: "the handler can't be run"
    case .handlerNotFound: "the handler was not found"
    case .interrupted: "ended by SIGINT (Ctrl-C)"
    case .terminated: "ended by SIGTERM"
    }
  }

  /// The status of a run in which both happened, `self` first: a signal, then the first fatal cause (64 to 127), then 1, 3, 2.
  package func combined(with later: ExitCode) -> ExitCode {
    later.rank > rank ? later : self
  }

  private var rank: Int {
    switch self {
    case .interrupted, .terminated: 5
    case .usage, .badInput, .noInput, .noSuchAddress, .unreachable, .cannotWrite, .protocolViolation, .refused,
      .handlerNotExecutable, .handlerNotFound:
      4
    case .failure: 3
    case .notAccepted: 2
    case .incomplete: 1
    case .success: 0
    }
  }
}
