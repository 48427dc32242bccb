// Which code runs which command: the one place where a subcommand is registered.
import Console

/// Runs a command whose arguments are already checked against its rows; `main` prints what is thrown and exits.
typealias Runner = (ParsedArguments, Diagnostics) throws(Failure) -> ExitCode

enum Runners {
  static func runner(of command: String) -> Runner? {
    switch command {
    case "help": HelpCommand.run
    case "send": SendCommand.run
    case "receive": ReceiveCommand.run
    case "probe": ProbeCommand.run
    case "decode": DecodeCommand.run
    default: nil
    }
  }
}
