// `--progress`: whether there is a status line, and drawing it when it is due. It asks the run for its state and knows
// nothing of messages.
import Console
import Transport

final class Progress {
  let line: StatusLine
  private var meter: ProgressMeter

  /// Nil: none is shown. With `auto` also where what is printed goes to a terminal, which is nearly always the same one.
  /// - Parameter printsMessages: the run writes to standard output as it goes.
  init?(_ arguments: ParsedArguments, printsMessages: Bool, now: Int64) {
    let isTerminal = Terminal.isTerminal(2)
    switch arguments.value("progress") {
    case "never": return nil
    case "always": break
    default:
      // What draws in place between the lines of a trace is of no use to anybody.
      let isTraced = arguments.flag("trace") || arguments.flag("quiet")
      if !isTerminal || isTraced || (printsMessages && Terminal.isTerminal(1)) { return nil }
    }
    line = StatusLine(isTerminal: isTerminal) { Terminal.width(2) ?? 80 }
    meter = ProgressMeter(started: now, interval: isTerminal ? 250_000_000 : 1_000_000_000)
  }

  func turn(now: Int64, _ state: () -> ProgressMeter.State) {
    if let text = meter.line(now: now, state) { line.show(text) }
  }

  var deadline: Int64 { meter.due }
}
