// One row a subcommand, and the program that owns them. Like the option rows they are read by the parser, the help, the man
// pages and the completions; nothing else knows which commands exist.

package struct CommandSpec: Sendable {
  package let name: String
  /// One line, lower case, no full stop.
  package let summary: String
  /// What follows `amqp NAME`, one line for each way to call it.
  package let synopsis: [String]
  /// What the command does, in paragraphs.
  package let description: [String]
  package let positionals: [Positional]
  package let afterDashes: AfterDashes
  package let groups: [OptionGroup]
  package let examples: [Example]
  /// Variables that are no option's: secrets, and what other tools share.
  package let environment: [EnvironmentSpec]
  package let exits: [Exit]
  package let seeAlso: [String]
  package let habits: [Habit]
  /// A positional that starts with one of these is a value of `option`.
  package let urlPositional: URLPositional?

  package init(
    name: String, summary: String, synopsis: [String], description: [String] = [], positionals: [Positional] = [],
    afterDashes: AfterDashes = .positionals, groups: [OptionGroup], examples: [Example] = [],
    environment: [EnvironmentSpec] = [], exitStatuses: [ExitCode] = [.success, .usage],
    exitMeanings: [ExitCode: String] = [:], seeAlso: [String] = [], habits: [Habit] = [],
    urlPositional: URLPositional? = nil
  ) {
    self.name = name
    self.summary = summary
    self.synopsis = synopsis
    self.description = description
    self.positionals = positionals
    self.afterDashes = afterDashes
    self.groups = groups
    self.examples = examples
    self.environment = environment
    exits = exitStatuses.map { Exit(code: $0, meaning: exitMeanings[$0] ?? $0.meaning) }
    self.seeAlso = seeAlso
    self.habits = habits
    self.urlPositional = urlPositional
  }

  /// An exit status, and what it means with this command.
  package struct Exit: Sendable {
    package let code: ExitCode
    package let meaning: String

    static let all = ExitCode.allCases.map { Exit(code: $0, meaning: $0.meaning) }
  }

  /// By the real name, or by an alias when no row has that name.
  package func option(long: String) -> OptionSpec? {
    // Nearly all differ in length, and that is seen sooner.
    let length = long.utf8.count
    for group in groups {
      if let i = group.options.firstIndex(where: { $0.long.utf8.count == length && $0.long == long }) {
        return group.options[i]
      }
    }
    for group in groups {
      if let i = group.options.firstIndex(where: { $0.aliases.contains(long) }) { return group.options[i] }
    }
    return nil
  }

  package func option(short: Character) -> OptionSpec? {
    for group in groups {
      if let option = group.options.first(where: { $0.short == short }) { return option }
    }
    return nil
  }

  package var options: [OptionSpec] { groups.flatMap(\.options) }

  /// A positional as the help and the completions show it; how many there may be is the command's own business.
  package struct Positional: Sendable {
    package let name: String
    package let summary: String
    package let completion: OptionSpec.Completion

    package init(_ name: String, _ summary: String, completion: OptionSpec.Completion = .nothing) {
      self.name = name
      self.summary = summary
      self.completion = completion
    }
  }

  package enum AfterDashes: Sendable, Equatable {
    /// What follows `--` are positionals, whatever they start with.
    case positionals
    /// What follows `--` is a program and its arguments.
    case handler
    /// Reserved for a handler that this version doesn't have; the text says so.
    case refused(String)
  }

  /// What somebody types who comes from another tool: an option we don't have (`-p`, `--topic`), and what to type instead.
  package struct Habit: Sendable {
    package let spelling: String
    package let instead: String

    package init(_ spelling: String, _ instead: String) {
      self.spelling = spelling
      self.instead = instead
    }
  }

  package struct Example: Sendable {
    package let purpose: String
    /// A shell command, exactly as it is typed.
    package let command: String

    package init(_ purpose: String, _ command: String) {
      self.purpose = purpose
      self.command = command
    }
  }

  package struct URLPositional: Sendable {
    package let prefixes: [String]
    package let option: String

    package init(prefixes: [String], option: String) {
      self.prefixes = prefixes
      self.option = option
    }
  }
}

/// A file that is read without being named, with what stands in it, in paragraphs.
package struct FileSpec: Sendable {
  package let path: String
  package let text: [String]

  package init(_ path: String, _ text: [String]) {
    self.path = path
    self.text = text
  }
}

package struct EnvironmentSpec: Sendable {
  package let name: String
  package let summary: String
  /// Of a secret: what a profile may have in the place of the variable.
  package let key: String?

  package init(_ name: String, _ summary: String, key: String? = nil) {
    self.name = name
    self.summary = summary
    self.key = key
  }
}

package struct Program: Sendable {
  package let name: String
  package let version: String
  /// Of this version, `2026-11-21`: in the man pages.
  package let date: String
  package let summary: String
  package let description: [String]
  package let commandNames: [String]
  /// The row of a command. Asked for by name, so that a run builds the table of its own command only: it shows at start-up.
  package let command: @Sendable (_ name: String) -> CommandSpec?
  package let topicNames: [String]
  package let topic: @Sendable (_ name: String) -> TopicSpec?
  /// What may stand before a command.
  package let options: [OptionGroup]
  package let examples: [CommandSpec.Example]
  package let environment: [EnvironmentSpec]
  package let files: [FileSpec]
  package let seeAlso: [String]

  package init(
    name: String, version: String, date: String, summary: String, description: [String], commandNames: [String],
    command: @escaping @Sendable (String) -> CommandSpec?,
    topicNames: [String] = [],
    topic: @escaping @Sendable (String) -> TopicSpec? = { _ in nil }, options: [OptionGroup],
    examples: [CommandSpec.Example], environment: [EnvironmentSpec], files: [FileSpec] = [],
    seeAlso: [String]
  ) {
    self.name = name
    self.version = version
    self.date = date
    self.summary = summary
    self.description = description
    self.commandNames = commandNames
    self.command = command
    self.topicNames = topicNames
    self.topic = topic
    self.options = options
    self.examples = examples
    self.environment = environment
    self.files = files
    self.seeAlso = seeAlso
  }

  package var commands: [CommandSpec] { commandNames.compactMap(command) }
  package var topics: [TopicSpec] { topicNames.compactMap(topic) }
}
