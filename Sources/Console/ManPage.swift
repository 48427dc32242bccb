// The man pages, from the rows, in man(7): one for the program, one for each command and each topic. The files under man/ are this text.

package struct ManPage {
  let program: Program

  package init(_ program: Program) { self.program = program }

  /// File name and content of every page. A command without options of its own (`help`) has none.
  package var pages: [(name: String, content: String)] {
    [("\(program.name).1", overview())]
      + program.commands.filter { $0.options.count > 1 }.map { ("\(program.name)-\($0.name).1", page($0)) }
      + program.topics.map { ("\(program.name)-\($0.name).\($0.section)", page($0)) }
  }

  private func overview() -> String {
    var roff = Roff()
    title(program.name, program.summary, &roff)
    roff.section("SYNOPSIS")
    for (index, command) in program.commands.enumerated() {
      if index > 0 { roff.request(".br") }
      synopsis(command, command.synopsis[0], &roff)
    }
    roff.section("DESCRIPTION")
    roff.paragraphs(program.description)
    roff.section("COMMANDS")
    for command in program.commands {
      roff.item("\\fB\(Roff.literal("\(program.name) \(command.name)"))\\fR")
      roff.text(command.summary)
    }
    roff.section("OPTIONS")
    for group in program.options { options(group, &roff) }
    environment(program.environment, &roff)
    if !program.files.isEmpty {
      roff.section("FILES")
      for file in program.files {
        roff.item("\\fI\(Roff.literal(file.path))\\fR")
        for (index, paragraph) in file.text.enumerated() {
          if index > 0 { roff.request(".IP") }
          roff.text(paragraph)
        }
      }
    }
    statuses(CommandSpec.Exit.all, &roff)
    examples(program.examples, &roff)
    seeAlso(program.seeAlso, &roff)
    return roff.output
  }

  private func page(_ command: CommandSpec) -> String {
    var roff = Roff()
    title("\(program.name)-\(command.name)", command.summary, &roff)
    roff.section("SYNOPSIS")
    for (index, line) in command.synopsis.enumerated() {
      if index > 0 { roff.request(".br") }
      synopsis(command, line, &roff)
    }
    roff.section("DESCRIPTION")
    roff.paragraphs(command.description)
    for positional in command.positionals {
      roff.item("\\fI\(Roff.escaped(positional.name))\\fR")
      roff.text(positional.summary)
    }
    roff.section("OPTIONS")
    for group in command.groups {
      roff.request(".SS \(Roff.escaped(group.title))")
      options(group, &roff)
    }
    environment(variables(command), &roff)
    statuses(command.exits, &roff)
    examples(command.examples, &roff)
    seeAlso(command.seeAlso, &roff)
    return roff.output
  }

  private func page(_ topic: TopicSpec) -> String {
    var roff = Roff()
    title("\(program.name)-\(topic.name)", topic.summary, section: topic.section, &roff)
    for (index, part) in topic.parts.enumerated() {
      if index == 0 { roff.section("DESCRIPTION") }
      roff.request(".SS \(Roff.escaped(part.title))")
      for (index, block) in part.blocks.enumerated() {
        switch block {
        case .text(let text):
          if index > 0 { roff.request(".PP") }
          roff.text(text)
        case .rows(let rows):
          for row in rows {
            roff.item("\\fB\(Roff.literal(row.name))\\fR")
            roff.text(row.meaning)
          }
        case .lines(let lines): roff.lines(lines)
        }
      }
    }
    seeAlso(topic.seeAlso, &roff)
    return roff.output
  }

  /// The options' variables and the command's own.
  private func variables(_ command: CommandSpec) -> [EnvironmentSpec] {
    command.options.compactMap { option in
      option.environment.map { EnvironmentSpec($0, "as `\(option.spelling)`, when that isn't given") }
    } + command.environment
  }

  private func title(_ name: String, _ summary: String, section: Int = 1, _ roff: inout Roff) {
    roff.request(".\\\" Made from the option tables: change those, not this file.")
    roff.request(".TH \(name.uppercased()) \(section) \(program.date) \"\(program.name) \(program.version)\"")
    roff.section("NAME")
    roff.request("\(Roff.literal(name)) \\- \(Roff.escaped(summary))")
  }

  private func synopsis(_ command: CommandSpec, _ line: String, _ roff: inout Roff) {
    roff.request("\\fB\(Roff.literal("\(program.name) \(command.name)"))\\fR \(Roff.placeholders(line))")
  }

  private func options(_ group: OptionGroup, _ roff: inout Roff) {
    for option in group.options {
      var names = option.short.map { "\\fB\\-\($0)\\fR, " } ?? ""
      names += "\\fB\(Roff.literal(option.spelling))\\fR"
      switch option.argument {
      case .none: break
      case .required(let name, _): names += " " + Roff.placeholders(name)
      case .optional(let name, _, _): names += "[=\(Roff.placeholders(name))]"
      }
      roff.item(names)
      for sentence in option.sentences { roff.text(sentence) }
    }
  }

  private func environment(_ rows: [EnvironmentSpec], _ roff: inout Roff) {
    roff.section("ENVIRONMENT")
    for row in rows {
      roff.item("\\fB\(Roff.literal(row.name))\\fR")
      roff.text(row.summary)
    }
  }

  private func statuses(_ rows: [CommandSpec.Exit], _ roff: inout Roff) {
    roff.section("EXIT STATUS")
    for row in rows {
      roff.item("\\fB\(row.code.rawValue)\\fR")
      roff.text(row.meaning)
    }
  }

  private func examples(_ examples: [CommandSpec.Example], _ roff: inout Roff) {
    roff.section("EXAMPLES")
    for (index, example) in examples.enumerated() {
      if index > 0 { roff.request(".PP") }
      roff.text(example.purpose)
      roff.lines([example.command])
    }
  }

  private func seeAlso(_ pages: [String], _ roff: inout Roff) {
    roff.section("SEE ALSO")
    for (index, page) in pages.enumerated() {
      let open = page.firstIndex(of: "(") ?? page.endIndex
      roff.request(
        ".BR \(Roff.literal(String(page[..<open]))) \(page[open...])" + (index < pages.count - 1 ? " ," : ""))
    }
  }
}

/// man(7) source, line by line.
private struct Roff {
  private(set) var output = ""

  mutating func request(_ line: String) { output += line + "\n" }

  mutating func section(_ name: String) { request(".SH \(name)") }

  mutating func item(_ tag: String) {
    request(".TP")
    request(tag)
  }

  /// As they are, set off from the text.
  mutating func lines(_ lines: [String]) {
    request(".RS 4")
    request(".nf")
    for line in lines { request(Roff.guarded(Roff.literal(line))) }
    request(".fi")
    request(".RE")
  }

  mutating func paragraphs(_ paragraphs: [String]) {
    for (index, paragraph) in paragraphs.enumerated() {
      if index > 0 { request(".PP") }
      text(paragraph)
    }
  }

  /// Prose, wrapped; `` `x` `` becomes bold.
  mutating func text(_ prose: String) {
    // A literal's words stay in one font when a line breaks between them: bold lasts until \fR.
    for line in Page.wrap(Roff.marked(prose), width: 76) { request(Roff.guarded(line)) }
  }

  private static func marked(_ prose: String) -> String {
    var out = ""
    for (index, part) in prose.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
      out += index % 2 == 1 ? "\\fB\(literal(String(part)))\\fR" : escaped(String(part))
    }
    return out
  }

  /// Names in capitals in italics, everything else as it is: `[\fITARGET\fR]`.
  static func placeholders(_ text: String) -> String {
    var out = ""
    var word = ""
    func flush() {
      let isName = word.utf8.contains { $0 >= 0x41 && $0 <= 0x5A } && word == word.uppercased()
      out += word.isEmpty ? "" : isName ? "\\fI\(literal(word))\\fR" : literal(word)
      word = ""
    }
    for character in text {
      if character.isASCII && (character.isLetter || character == "-") {
        word.append(character)
      } else {
        flush()
        out += escaped(String(character))
      }
    }
    flush()
    return out
  }

  /// A line of text must not begin like a request.
  static func guarded(_ line: String) -> String {
    line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
  }

  /// What is typed: hyphens are minus signs and quotes are straight, so that it can be copied.
  static func literal(_ text: String) -> String {
    var out = ""
    for character in escaped(text) {
      switch character {
      case "-": out += "\\-"
      case "'": out += "\\(aq"
      default: out.append(character)
      }
    }
    return out
  }

  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out += "\\e"
      case "~": out += "\\(ti"
      case "^": out += "\\(ha"
      case _ where scalar.isASCII: out.unicodeScalars.append(scalar)
      default:
        let hex = String(scalar.value, radix: 16, uppercase: true)
        out += "\\[u" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex + "]"
      }
    }
    return out
  }
}
