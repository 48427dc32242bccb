// `amqp send`: from the parsed arguments to the exit status.
import Console
import Glibc
import Runtime
import Transport

enum SendCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let plan = try SendPlan(arguments, diagnostics)
    let progress =
      plan.isDryRun
      ? nil : Progress(arguments, printsMessages: plan.receipts == "-" || plan.replies != nil, now: Clock.now)
    let diagnostics = diagnostics.above(progress?.line)
    let statistics = Statistics(arguments, now: Clock.now)
    let signals = try? Signals()
    var trace = Trace(arguments, diagnostics)
    let octets = Octets()
    if plan.isDryRun { trace = trace ?? Trace(.plainHex, showSecrets: true) { octets.write($0) } }
    let sender = try Sender(plan, diagnostics, signals: signals, trace: trace)
    octets.sender = sender
    sender.progress = progress
    try Loop.run(sender, signals: signals)
    progress?.line.hide()
    sender.account()
    if let failure = octets.failure { throw failure }
    let latency =
      sender.replies?.latency.map { Statistics.Latency(what: "from a request to its reply", times: $0) }
      ?? sender.witness?.latency.map { Statistics.Latency(what: "from sending to the answer", times: $0) }
    statistics?.write(
      sender.receipts.total - sender.receipts.unsent, octets: sender.octets, sender.receipts.counts, latency,
      now: Clock.now, diagnostics)
    if let failure = plan.connect.capture?.failure {
      diagnostics.report(failure)
      return try sender.result().combined(with: failure.exitCode)
    }
    return try sender.result()
  }

  /// With `--dry-run`: what would be sent, on standard output. When nobody reads that any more nothing more is sent.
  private final class Octets {
    weak var sender: Sender?
    private(set) var failure: Failure?
    private var isOver = false

    func write(_ lines: Span<UInt8>) {
      if isOver { return }
      do throws(Failure) { isOver = try !StandardOutput.writeLines(lines) } catch {
        failure = error
        isOver = true
      }
      if isOver { sender?.source.stop() }
    }
  }
}
