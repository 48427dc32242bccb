// `amqp probe`: from the parsed arguments to the exit status.
import Console
import Runtime
import Transport

enum ProbeCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try ProbePlan(arguments)
    let signals = try? Signals()
    let trace = Trace(arguments, diagnostics)
    let result: ExitCode
    if plan.peers[0].listen != nil {
      let listener = try ProbeListener(plan, diagnostics, signals: signals, trace: trace)
      try Loop.run(listener, signals: signals)
      result = listener.result
    } else {
      let probe = Probe(plan, diagnostics, signals: signals, trace: trace)
      try Loop.run(probe, signals: signals)
      result = probe.result
    }
    guard let failure = plan.peers[0].capture?.failure else { return result }
    diagnostics.report(failure)
    return result.combined(with: failure.exitCode)
  }
}
