// `amqp receive`: from the parsed arguments to the exit status.
import Console
import Runtime
import Transport

enum ReceiveCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try ReceivePlan(arguments)
    let signals = try? Signals()
    let receiver = try Receiver(plan, diagnostics, signals: signals, trace: nil)
    try Loop.run(receiver, signals: signals)
    return try receiver.result()
  }
}
