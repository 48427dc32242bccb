// `amqp send`: from the parsed arguments to the exit status.
import Console
import Runtime
import Transport

enum SendCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try SendPlan(arguments, diagnostics)
    let signals = try? Signals()
    let sender = try Sender(plan, diagnostics, signals: signals, trace: nil)
    try Loop.run(sender, signals: signals)
    return try sender.result()
  }
}
