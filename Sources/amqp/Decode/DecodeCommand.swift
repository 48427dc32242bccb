// `amqp decode`: from the parsed arguments to the exit status.
import Console
import Runtime
import Transport

enum DecodeCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try DecodePlan(arguments)
    let signals = try? Signals()
    let decoding = try Decoding(plan, diagnostics, signals: signals)
    try Loop.run(decoding, signals: signals)
    return decoding.status
  }
}
