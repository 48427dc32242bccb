// `amqp receive`: from the parsed arguments to the exit status.
import Console
import Runtime
import Transport

enum ReceiveCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try ReceivePlan(arguments)
    let progress = Progress(arguments, printsMessages: true, now: Clock.now)
    let diagnostics = diagnostics.above(progress?.line)
    let signals = try? Signals()
    let statistics = Statistics(arguments, now: Clock.now)
    let receiver = try Receiver(plan, diagnostics, signals: signals, trace: Trace(arguments, diagnostics))
    receiver.progress = progress
    if statistics != nil { receiver.intake.latency = EndToEnd() }
    try Loop.run(receiver, signals: signals)
    progress?.line.hide()
    let latency = receiver.intake.latency.map { Statistics.Latency(what: "from sending to here", times: $0.times) }
    statistics?.write(receiver.taken, octets: receiver.octets, receiver.counts, latency, now: Clock.now, diagnostics)
    if let failure = plan.connect.capture?.failure {
      diagnostics.report(failure)
      return try receiver.result().combined(with: failure.exitCode)
    }
    return try receiver.result()
  }
}
