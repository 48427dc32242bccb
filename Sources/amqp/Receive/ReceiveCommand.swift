// `amqp receive`: from the parsed arguments to the exit status.
import Console
import Runtime
import Transport

enum ReceiveCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try ReceivePlan(arguments)
    let signals = try? Signals()
    let statistics = Statistics(arguments, now: Clock.now)
    let receiver = try Receiver(plan, diagnostics, signals: signals, trace: Trace(arguments, diagnostics))
    try Loop.run(receiver, signals: signals)
    statistics?.write(receiver.taken, octets: receiver.octets, receiver.counts, now: Clock.now, diagnostics)
    if let failure = plan.connect.capture?.failure {
      diagnostics.report(failure)
      return try receiver.result().combined(with: failure.exitCode)
    }
    return try receiver.result()
  }
}
