// From argv to the exit status: the only place that exits.
import Console
import Glibc

func start() -> ExitCode {
  // A closed standard output is an answer to a write, not a signal.
  _ = signal(SIGPIPE, SIG_IGN)
  var diagnostics = Diagnostics(program: "amqp")
  do throws(Failure) {
    switch try Parser(Commands.program, environment: Environment.variable).parse(Environment.arguments) {
    case .nothing:
      diagnostics.write(Help(Commands.program).text(nil, .short))
      return .usage
    case .version:
      return try StandardOutput.write(Help(Commands.program).version)
    case .help(let command, let form):
      return try HelpCommand.show(command, form)
    case .run(let arguments):
      let isHelp = arguments.command.name == "help"
      if !isHelp { diagnostics = Diagnostics(arguments) }
      guard let run = Runners.runner(of: arguments.command.name) else {
        throw .usage(arguments.command.name, "not in this version yet")
      }
      return try run(arguments, diagnostics)
    }
  } catch {
    diagnostics.report(error)
    return error.exitCode
  }
}

exit(start().rawValue)
