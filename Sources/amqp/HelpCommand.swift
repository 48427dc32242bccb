// `amqp help [COMMAND | TOPIC]`, and the writing of all help to standard output.
import Console

enum HelpCommand {
  static func run(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) -> ExitCode {
    let topics = arguments.positionals.map { String(decoding: $0, as: UTF8.self) }
    guard topics.count <= 1 else { throw .usage("help", "explains one command at a time") }
    guard let topic = topics.first else { return try show(nil, .long) }
    if let page = Commands.program.topic(topic) {
      return try StandardOutput.write(Help(Commands.program).text(page))
    }
    guard let command = Commands.program.command(topic) else {
      throw Parser(Commands.program, environment: { _ in nil }).unknownCommand(
        topic, topics: Commands.program.topicNames)
    }
    return try show(command, .long)
  }

  static func show(_ command: CommandSpec?, _ form: HelpForm) throws(Failure) -> ExitCode {
    try StandardOutput.write(Help(Commands.program).text(command, form))
  }
}
