// `amqp receive`: from the parsed arguments to the exit status.
import Console
import Runtime
import Transport

enum ReceiveCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try ReceivePlan(arguments)
    let progress = Progress(arguments, printsMessages: true, now: Clock.now)
    let diagnostics = diagnostics.above(progress?.line)
    let signals = try ReceiveCommand.signals(plan)
    let statistics = Statistics(arguments, now: Clock.now)
    let receiver = try Receiver(plan, diagnostics, signals: signals, trace: Trace(arguments, diagnostics))
    receiver.progress = progress
    if statistics != nil { receiver.intake.latency = EndToEnd() }
    try Loop.run(receiver, signals: signals)
    progress?.line.hide()
    receiver.handlers?.kill()
    let latency = receiver.intake.latency.map { Statistics.Latency(what: "from sending to here", times: $0.times) }
    statistics?.write(receiver.taken, octets: receiver.octets, receiver.counts, latency, now: Clock.now, diagnostics)
    if let failure = plan.connect.capture?.failure {
      diagnostics.report(failure)
      return try receiver.result().combined(with: failure.exitCode)
    }
    return try receiver.result()
  }

  /// Without them a run can't be stopped in good order; with handlers nobody would know that they have ended.
  private static func signals(_ plan: ReceivePlan) throws(Failure) -> Signals? {
    do throws(Errno) { return try Signals(children: plan.handler != nil) } catch {
      if plan.handler == nil { return nil }
      throw Failure("cannot run handlers", error.text, exitCode: .failure)
    }
  }
}
