// From argv to the exit status: the only place that exits.
import Console
import Glibc
import Transport

func start() -> ExitCode {
  Descriptor.fillStandardNumbers()
  // A closed standard output is an answer to a write, not a signal.
  _ = signal(SIGPIPE, SIG_IGN)
  var diagnostics = Diagnostics(program: "amqp")
  do throws(Failure) {
    let parser = Parser(Commands.program, environment: Environment.variable, profiles: Profiles.read)
    let words = Environment.arguments
    Secrets.wipeCommandLine()
    switch try parser.parse(words) {
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
      for warning in arguments.warnings { diagnostics.note(warning.text, nextStep: warning.next) }
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
