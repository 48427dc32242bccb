// The rows check themselves: what a reader of the help, the parser or a completion relies on holds for every row.
import Console
import Testing

@testable import amqp

@Suite struct TableTests {
  static let commands = Commands.program.commands
  static let rows = commands.flatMap { command in command.options.map { Row(command: command, option: $0) } }

  struct Row: CustomTestStringConvertible {
    let command: CommandSpec
    let option: OptionSpec
    var testDescription: String { "\(command.name) \(option.spelling)" }
  }

  @Test(arguments: commands) func namesAreUnique(_ command: CommandSpec) {
    var seen: Set<String> = []
    for option in command.options {
      for name in [option.long] + option.aliases { #expect(seen.insert(name).inserted, "--\(name)") }
      if let short = option.short { #expect(seen.insert(String(short)).inserted, "-\(short)") }
    }
    for habit in command.habits where habit.spelling.hasPrefix("--") {
      #expect(!seen.contains(String(habit.spelling.dropFirst(2))), "\(habit.spelling) exists, the hint never shows")
    }
    for habit in command.habits where !habit.spelling.hasPrefix("--") {
      #expect(!seen.contains(String(habit.spelling.dropFirst())), "\(habit.spelling) exists, the hint never shows")
    }
  }

  @Test(arguments: rows) func nameIsTypeable(_ row: Row) {
    for name in [row.option.long] + row.option.aliases {
      #expect(name.utf8.count > 1)
      #expect(
        name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }, "\(name)")
      #expect(!name.hasPrefix("-") && !name.hasSuffix("-"))
    }
    if let short = row.option.short { #expect(short.isASCII && (short.isLetter || short.isNumber)) }
  }

  @Test(arguments: rows) func isDescribed(_ row: Row) {
    let summary = row.option.summary
    #expect(!summary.isEmpty && summary.utf8.count <= 90)
    #expect(!summary.hasSuffix("."))
    #expect(summary.split(separator: "`", omittingEmptySubsequences: false).count % 2 == 1, "unpaired `")
    let details = row.option.details
    #expect(details.isEmpty || details.hasSuffix("."))
    #expect(details.split(separator: "`", omittingEmptySubsequences: false).count % 2 == 1, "unpaired `")
    #expect(!details.contains("\n"))
    switch row.option.argument {
    case .none: break
    case .required(let name, _), .optional(let name, _, _):
      #expect(!name.isEmpty && name.first!.isUppercase || name.hasPrefix("["))
    }
  }

  @Test(arguments: rows) func defaultAndImpliedValueAreValues(_ row: Row) throws {
    if case .value(let text) = row.option.standard {
      _ = try #require(row.option.kind, "a flag has no default value").parse(Array(text.utf8))
    }
    if case .optional(_, let kind, let implied) = row.option.argument { _ = try kind.parse(Array(implied.utf8)) }
  }

  /// A name that looks like a file's completes files, a closed set of values completes as that set.
  @Test(arguments: rows) func isCompleted(_ row: Row) {
    switch row.option.kind {
    case .choice(let choices), .list(let choices):
      #expect(row.option.proposals == .words(choices))
      #expect(Set(choices).count == choices.count)
    case .text, .bytes, .duration, .count, .size, .integer, nil: break
    }
    if case .required("FILE", _) = row.option.argument { #expect(row.option.completion == .file) }
    if case .required("DIR", _) = row.option.argument { #expect(row.option.completion == .directory) }
    if case .words(let words) = row.option.proposals {
      #expect(words.allSatisfy { !$0.contains(where: \.isWhitespace) && !$0.isEmpty })
    }
  }

  /// Every `--option` that a text mentions is one that can be typed.
  @Test(arguments: commands) func textsMentionOnlyOptionsThatExist(_ command: CommandSpec) {
    var texts = command.description + command.habits.map(\.instead) + command.positionals.map(\.summary)
    texts += command.options.flatMap { [$0.summary, $0.details, $0.hint ?? ""] }
    texts += command.environment.map(\.summary) + command.exits.map(\.meaning)
    if command.name == "help" { texts = [] }
    let everywhere = Self.commands.flatMap { $0.options.map(\.long) }
    for text in texts {
      for name in mentioned(text) {
        // A text may speak of another command's option when it names that command.
        let exists =
          command.option(long: name) != nil
          || (Self.commands.contains { text.contains("amqp \($0.name)") } && everywhere.contains(name))
        #expect(exists, "--\(name) in: \(text)")
      }
    }
  }

  private func mentioned(_ text: String) -> [String] {
    var names: [String] = []
    for part in text.split(whereSeparator: { " `,;.:='()".contains($0) }) where part.hasPrefix("--") && part.count > 2 {
      names.append(String(part.dropFirst(2)))
    }
    return names
  }

  @Test(arguments: commands) func groupsAreTitledAndNotEmpty(_ command: CommandSpec) {
    #expect(Set(command.groups.map(\.title)).count == command.groups.count)
    #expect(command.groups.allSatisfy { !$0.title.isEmpty && !$0.options.isEmpty })
    #expect(command.option(long: "help")?.short == "h")
  }

  @Test(arguments: commands.flatMap(\.examples) + Commands.program.examples)
  func examplesParse(_ example: CommandSpec.Example) throws {
    #expect(example.command.utf8.count <= 74, "wider than the help")
    var words: [String] = []
    var current: String?
    var isQuoted = false
    for character in example.command.prefix(while: { $0 != "<" && $0 != "|" }) {
      switch character {
      case "'":
        isQuoted.toggle()
        current = current ?? ""
      case " " where !isQuoted:
        if let word = current { words.append(word) }
        current = nil
      default: current = (current ?? "") + String(character)
      }
    }
    if let word = current { words.append(word) }
    #expect(words.first == "amqp")
    let request = try Parser(Commands.program, environment: { _ in nil }).parse(Array(words.dropFirst()))
    guard case .run = request else { return #expect(Bool(false), "an example runs a command") }
  }

  @Test(arguments: Commands.program.topics) func topicFitsATerminal(_ topic: TopicSpec) {
    for line in Help(Commands.program).text(topic).split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
      #expect(!line.hasSuffix(" "))
    }
    #expect(Commands.program.command(topic.name) == nil)
  }

  @Test func commandsAreFoundByTheirNames() {
    #expect(Self.commands.map(\.name) == Commands.program.commandNames)
  }

  @Test func helpCompletesEveryCommandAndTopic() {
    let others = Self.commands.map(\.name).filter { $0 != "help" } + Commands.program.topicNames
    #expect(Commands.program.command("help")?.positionals.first?.completion == .words(others))
  }

  @Test(arguments: commands) func helpFitsATerminal(_ command: CommandSpec) {
    let help = Help(Commands.program)
    for form in [HelpForm.short, .long] {
      for line in help.text(command, form).split(separator: "\n") {
        #expect(line.count <= 80, "\(line)")
        #expect(!line.hasSuffix(" "))
      }
    }
  }
}

extension TopicSpec: CustomTestStringConvertible {
  package var testDescription: String { name }
}

extension CommandSpec: CustomTestStringConvertible {
  package var testDescription: String { name }
}
