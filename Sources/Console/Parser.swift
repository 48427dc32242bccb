// From argv to what was asked for, against the rows of a `Program`. Pure: it reads no environment but what it is handed, and
// prints nothing. An argument is octets: only an option's kind decides whether it must be UTF-8.
//
// `-abc` is `-a -b -c`; `-cN`, `-c N`, `--count=N` and `--count N` are the same; an optional value only follows `=`; `--` ends
// the options; `-` is a positional; options may stand after positionals. Arguments are taken from left to right and
// `-h`, `--help` and `-V` end the reading, so help can be had for a line that is otherwise wrong after it.

package enum Request: Sendable {
  /// Nothing was typed after the program's name.
  case nothing
  /// `nil`: of the program.
  case help(CommandSpec?, HelpForm)
  case version
  case run(ParsedArguments)
}

package enum HelpForm: Sendable {
  case short, long
}

package struct Parser: Sendable {
  let program: Program
  let environment: @Sendable (String) -> String?
  /// Reads the configuration file; called only when a profile may be wanted.
  let profiles: @Sendable () throws(Failure) -> ProfileFile

  package init(
    _ program: Program, environment: @escaping @Sendable (String) -> String?,
    profiles: @escaping @Sendable () throws(Failure) -> ProfileFile = { () throws(Failure) in
      try ProfileFile(path: "config", content: nil)
    }
  ) {
    self.program = program
    self.environment = environment
    self.profiles = profiles
  }

  package func parse(_ arguments: [String]) throws(Failure) -> Request {
    try parse(arguments.map { Array($0.utf8) })
  }

  /// `arguments` without the program's own name.
  package func parse(_ arguments: [[UInt8]]) throws(Failure) -> Request {
    guard let first = arguments.first else { return .nothing }
    let word = String(decoding: first, as: UTF8.self)
    if let command = program.command(word) { return try parse(arguments.dropFirst(), of: command) }
    switch word {
    case "-h": return .help(nil, .short)
    case "--help": return .help(nil, .long)
    case "-V", "--version": return .version
    default: throw unknownCommand(word)
    }
  }

  /// - Parameter topics: what else could have been meant.
  package func unknownCommand(_ word: String, topics: [String] = []) -> Failure {
    let list = "'\(program.name) help' lists the commands"
    guard word.hasPrefix("-") else {
      if program.commands.contains(where: { $0.urlPositional?.matches(Array(word.utf8)) ?? false }) {
        return .usage("no command given", "a URL comes after it", nextStep: list)
      }
      let near = Suggestion.nearest(to: word, among: program.commandNames + topics)
      let call = topics.isEmpty ? program.name : "\(program.name) help"
      return .usage("unknown command '\(word)'", nextStep: near.map { "did you mean '\(call) \($0)'?" } ?? list)
    }
    let name = String(word.drop { $0 == "-" }.prefix { $0 != "=" })
    let owner = program.commands.first {
      $0.option(long: name) != nil || (name.first.map($0.option(short:)) ?? nil) != nil && !word.hasPrefix("--")
    }
    if let owner {
      return .usage(
        "no command given", "options come after it",
        nextStep: "\(program.name) \(owner.name) \(word.prefix { $0 != "=" }) …")
    }
    let near = Suggestion.nearest(to: name, among: ["help", "version"])
    return .usage(
      "unknown option '\(word.prefix { $0 != "=" })'", nextStep: near.map { "did you mean --\($0)?" } ?? list)
  }

  private func parse(_ arguments: ArraySlice<[UInt8]>, of command: CommandSpec) throws(Failure) -> Request {
    var parsed = ParsedArguments(command: command, variables: environment)
    var rest = arguments
    while let argument = rest.popFirst() {
      if argument == dashes {
        switch command.afterDashes {
        case .positionals: for positional in rest { parsed.add(.positional(positional)) }
        case .handler: parsed.handler = Array(rest)
        case .refused(let why): throw .usage("'--'", why)
        }
        break
      }
      guard argument.first == UInt8(ascii: "-"), argument.count > 1 else {
        try parsePositional(argument, into: &parsed)
        continue
      }
      let help =
        argument[1] == UInt8(ascii: "-")
        ? try parseLong(argument, &rest, into: &parsed) : try parseCluster(argument, &rest, into: &parsed)
      if let help { return help }
    }
    try readEnvironment(into: &parsed)
    try readProfile(into: &parsed)
    parsed.readProfile = { (other) throws(Failure) in try readProfile(into: &other) }
    return .run(parsed)
  }

  private func parsePositional(_ argument: [UInt8], into parsed: inout ParsedArguments) throws(Failure) {
    guard let rule = parsed.command.urlPositional, rule.matches(argument),
      let option = parsed.command.option(long: rule.option)
    else {
      parsed.add(.positional(argument))
      return
    }
    // Two URLs are never two intentions that agree: the second may be meant as a body.
    if parsed.flag(rule.option) {
      throw .usage(
        "two URLs",
        parsed.spelling(rule.option) == "argument"
          ? "both are arguments" : "one is given by \(parsed.spelling(rule.option))",
        nextStep: "several URLs are one argument, with commas between them; a body that starts like a URL goes after --"
      )
    }
    try add(option, "argument", argument, into: &parsed)
  }

  private func parseLong(
    _ argument: [UInt8], _ rest: inout ArraySlice<[UInt8]>, into parsed: inout ParsedArguments
  ) throws(Failure) -> Request? {
    let command = parsed.command
    let equals = argument.firstIndex(of: UInt8(ascii: "="))
    let spelling = String(decoding: argument[..<(equals ?? argument.count)], as: UTF8.self)
    guard let option = command.option(long: String(spelling.dropFirst(2))) else {
      throw unknownOption(spelling, command)
    }
    let attached = equals.map { Array(argument[($0 + 1)...]) }
    switch option.argument {
    case .none:
      if attached != nil { throw .usage(spelling, "takes no value") }
      if let request = standing(option, spelling, command) { return request }
      parsed.add(.flag(option, spelling))
    case .required(let name, _):
      guard let value = attached ?? rest.popFirst() else { throw missing(option, spelling, name) }
      try add(option, spelling, value, into: &parsed)
    case .optional(_, _, let implied):
      try add(option, spelling, attached ?? Array(implied.utf8), into: &parsed)
    }
    return nil
  }

  private func parseCluster(
    _ argument: [UInt8], _ rest: inout ArraySlice<[UInt8]>, into parsed: inout ParsedArguments
  ) throws(Failure) -> Request? {
    let command = parsed.command
    var index = 1
    while index < argument.count {
      let letter = Character(UnicodeScalar(argument[index]))
      let spelling = "-\(letter)"
      guard argument[index] < 0x80, let option = command.option(short: letter) else {
        let all = String(decoding: argument, as: UTF8.self)
        throw unknownOption(index == 1 && argument[index] >= 0x80 ? all : spelling, command, of: all)
      }
      index += 1
      switch option.argument {
      case .none:
        if let request = standing(option, spelling, command) { return request }
        parsed.add(.flag(option, spelling))
      case .required(let name, _):
        let attached = index < argument.count ? Array(argument[index...]) : nil
        guard let value = attached ?? rest.popFirst() else { throw missing(option, spelling, name) }
        try add(option, spelling, value, into: &parsed)
        return nil
      case .optional(_, _, let implied):
        try add(option, spelling, Array(implied.utf8), into: &parsed)
      }
    }
    return nil
  }

  /// `--help` and `--version` answer at once; `-h` is the short help.
  private func standing(_ option: OptionSpec, _ spelling: String, _ command: CommandSpec) -> Request? {
    switch option.long {
    case "help": .help(command, spelling.hasPrefix("--") ? .long : .short)
    case "version": .version
    default: nil
    }
  }

  private func add(
    _ option: OptionSpec, _ spelling: String, _ bytes: [UInt8], into parsed: inout ParsedArguments
  ) throws(Failure) {
    let value = try check(option, spelling, bytes)
    parsed.add(
      .init(subject: .option(option), value: value, bytes: bytes, source: .arguments(spelling: spelling)))
  }

  func check(_ option: OptionSpec, _ spelling: String, _ bytes: [UInt8]) throws(Failure) -> OptionValue? {
    do { return try option.kind?.parse(bytes) } catch {
      let text = String(decoding: bytes, as: UTF8.self)
      var failure = Failure.badValue(of: option, spelling: spelling, value: text, expected: error.what)
      if case .choice(let choices) = option.kind, let near = Suggestion.nearest(to: text, among: choices) {
        failure.nextStep = "did you mean '\(near)'?"
      }
      throw failure
    }
  }

  /// The variables of rows that were not given. An empty variable is one that isn't set.
  private func readEnvironment(into parsed: inout ParsedArguments) throws(Failure) {
    for group in parsed.command.groups {
      for option in group.options {
        guard let name = option.environment, let text = environment(name), !text.isEmpty, !parsed.flag(option.long)
        else { continue }
        let value = try check(option, name, Array(text.utf8))
        parsed.addFromEnvironment(
          .init(subject: .option(option), value: value, bytes: Array(text.utf8), source: .environment(name)))
      }
    }
  }

  private func missing(_ option: OptionSpec, _ spelling: String, _ name: String) -> Failure {
    .usage(spelling, "needs a value, \(name)", nextStep: option.hint)
  }

  private func unknownOption(_ spelling: String, _ command: CommandSpec, of whole: String? = nil) -> Failure {
    let what = "unknown option \(spelling)" + (whole.map { $0 == spelling ? "" : " in '\($0)'" } ?? "")
    if let habit = command.habits.first(where: { $0.spelling == spelling }) {
      return .usage(what, nextStep: habit.instead)
    }
    if spelling.hasPrefix("--") {
      let names = command.options.map(\.long)
      if let near = Suggestion.nearest(to: String(spelling.dropFirst(2)), among: names) {
        return .usage(what, nextStep: "did you mean --\(near)?")
      }
    } else if let whole, whole.utf8.count > 2,
      let near = Suggestion.nearest(to: String(whole.dropFirst()), among: command.options.map(\.long))
    {
      // `-count 5`: one dash too few.
      return .usage("unknown option '\(whole)'", nextStep: "did you mean --\(near)?")
    }
    return .usage(
      what,
      nextStep: "'\(program.name) \(command.name) -h' lists the options; what starts with - and is none goes after --")
  }
}

private let dashes: [UInt8] = [UInt8(ascii: "-"), UInt8(ascii: "-")]

extension CommandSpec.URLPositional {
  func matches(_ argument: [UInt8]) -> Bool { prefixes.contains { argument.starts(with: $0.utf8) } }
}

extension ParsedArguments.Entry {
  static func positional(_ bytes: [UInt8]) -> ParsedArguments.Entry {
    .init(subject: .positional, value: nil, bytes: bytes, source: .arguments(spelling: "argument"))
  }

  static func flag(_ option: OptionSpec, _ spelling: String) -> ParsedArguments.Entry {
    .init(subject: .option(option), value: nil, bytes: [], source: .arguments(spelling: spelling))
  }
}
