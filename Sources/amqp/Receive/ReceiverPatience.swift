// How long the end of a receiving run waits for whoever reads its output.
import Console
import Engine
import Transport

extension Receiver {
  /// What was taken is written, however long its reader takes, and only then settled: the time for the peer to stop runs
  /// from there. Whoever wants us to end now is not made to wait.
  func waitForReader() {
    guard case .stopping(let until) = stage, !intake.output.isEmpty, !intake.output.isClosed, !isLate,
      signals?.first == nil
    else { return }
    if let timeout = plan.timeout, now - started >= timeout {
      trouble =
        trouble
        ?? Failure("not all was written in \(durationText(timeout))", "nobody reads it", exitCode: .incomplete)
      return
    }
    stage = .stopping(until: max(until, now + 1_000_000_000))
  }
}
