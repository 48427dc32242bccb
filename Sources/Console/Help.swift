// The help on a terminal, from the rows: an overview of the program, and a short and a long form for each command. 80 columns
// wide at most, so it reads the same everywhere. Plain text; whoever asked for it prints it.

package struct Help {
  let program: Program

  package init(_ program: Program) { self.program = program }

  package func text(_ command: CommandSpec?, _ form: HelpForm) -> String {
    guard let command else { return overview(form) }
    switch form {
    case .short: return short(command)
    case .long: return long(command)
    }
  }

  package func text(_ topic: TopicSpec) -> String {
    var page = Page()
    page.line("\(program.name) \(topic.name): \(topic.summary)")
    for part in topic.parts {
      page.heading(part.title)
      for (index, block) in part.blocks.enumerated() {
        if index > 0 { page.blank() }
        switch block {
        case .text(let text): page.wrapped(Markup.plain(text), indent: 2)
        case .rows(let rows): page.rows(rows.map { ($0.name, Markup.plain($0.meaning)) })
        case .lines(let lines): for line in lines { page.line("    " + line) }
        }
      }
    }
    if !topic.seeAlso.isEmpty {
      page.heading("See also")
      page.line("  " + topic.seeAlso.joined(separator: ", "))
    }
    return page.text
  }

  package var version: String { "\(program.name) \(program.version)\n" }

  private func overview(_ form: HelpForm) -> String {
    var page = Page()
    page.line("\(program.name): \(program.summary)")
    page.blank()
    for command in program.commands {
      for synopsis in command.synopsis.prefix(1) { page.line("  \(program.name) \(command.name) \(synopsis)") }
    }
    if form == .long {
      for paragraph in program.description {
        page.blank()
        page.wrapped(Markup.plain(paragraph))
      }
    }
    page.heading("Commands")
    page.rows(program.commands.map { ($0.name, $0.summary) })
    if form == .long, !program.topicNames.isEmpty {
      page.heading("Topics of '\(program.name) help'")
      page.rows(program.topics.map { ($0.name, $0.summary) })
    }
    for group in program.options { options(group, &page) }
    if form == .long {
      page.heading("Environment")
      page.rows(program.environment.map { ($0.name, Markup.plain($0.summary)) })
      statuses(CommandSpec.Exit.all, &page)
    }
    examples(program.examples, &page)
    page.blank()
    page.line("'\(program.name) help COMMAND' explains one command, '\(program.name) COMMAND -h' is its short help.")
    return page.text
  }

  private func short(_ command: CommandSpec) -> String {
    var page = Page()
    title(command, &page)
    for group in command.groups { options(group, &page) }
    examples(command.examples, &page)
    page.blank()
    page.line("'\(program.name) help \(command.name)' says more.")
    return page.text
  }

  private func long(_ command: CommandSpec) -> String {
    var page = Page()
    title(command, &page)
    for paragraph in command.description {
      page.blank()
      page.wrapped(Markup.plain(paragraph))
    }
    if !command.positionals.isEmpty {
      page.heading("Arguments")
      page.rows(command.positionals.map { ($0.name, Markup.plain($0.summary)) })
    }
    for group in command.groups {
      page.heading(group.title)
      for (index, option) in group.options.enumerated() {
        if index > 0 { page.blank() }
        page.line("  " + option.signature)
        for sentence in option.sentences { page.wrapped(Markup.plain(sentence), indent: 6) }
      }
    }
    if !command.environment.isEmpty {
      page.heading("Environment")
      page.rows(command.environment.map { ($0.name, Markup.plain($0.summary)) })
    }
    statuses(command.exits, &page)
    examples(command.examples, &page)
    if !command.seeAlso.isEmpty {
      page.heading("See also")
      page.line("  " + command.seeAlso.joined(separator: ", "))
    }
    return page.text
  }

  private func title(_ command: CommandSpec, _ page: inout Page) {
    page.line("\(program.name) \(command.name): \(command.summary)")
    page.blank()
    for synopsis in command.synopsis { page.line("  \(program.name) \(command.name) \(synopsis)") }
  }

  private func options(_ group: OptionGroup, _ page: inout Page) {
    page.heading(group.title)
    page.rows(group.options.map { ($0.signature, Markup.plain($0.summaryWithDefault)) }, column: Page.optionColumn)
  }

  private func statuses(_ rows: [CommandSpec.Exit], _ page: inout Page) {
    page.heading("Exit status")
    page.rows(rows.map { (String($0.code.rawValue), Markup.plain($0.meaning)) })
  }

  private func examples(_ examples: [CommandSpec.Example], _ page: inout Page) {
    if examples.isEmpty { return }
    page.heading("Examples")
    for (index, example) in examples.enumerated() {
      if index > 0 { page.blank() }
      page.wrapped(example.purpose, indent: 2)
      page.line("    \(example.command)")
    }
  }
}

extension OptionSpec {
  /// `-c, --count N`, with the long names of all options in one column.
  package var signature: String {
    let short = short.map { "-\($0), " } ?? "    "
    return switch argument {
    case .none: short + spelling
    case .required(let name, _): "\(short)\(spelling) \(name)"
    case .optional(let name, _, _): "\(short)\(spelling)[=\(name)]"
    }
  }

  var standardText: String? {
    switch standard {
    case .none: nil
    case .value(let text), .described(let text): text
    }
  }

  private var choices: [String]? {
    switch kind {
    case .choice(let choices), .list(let choices): choices
    case .text, .bytes, .duration, .count, .size, .integer, nil: nil
    }
  }

  var summaryWithDefault: String {
    guard let standardText else { return summary }
    return "\(summary) [\(standardText)]"
  }

  /// What the long help and the man page say of an option, in whole sentences.
  package var sentences: [String] {
    var result = [summary.capitalizedStart + "."]
    if let choices { result[0] += " One of \(choices.map { "`\($0)`" }.joined(separator: ", "))." }
    if case .list = kind { result[0] = result[0].replacingFirst(" One of ", by: " From ") }
    if !details.isEmpty { result.append(details) }
    var facts = ""
    if isRepeatable { facts += "May be given several times. " }
    switch standard {
    case .none: break
    case .value(let text): facts += "Default: `\(text)`. "
    case .described(let text): facts += "Default: \(text). "
    }
    if let environment { facts += "Environment: `\(environment)`. " }
    if !facts.isEmpty { result.append(String(facts.dropLast())) }
    return result
  }
}

extension String {
  fileprivate var capitalizedStart: String { prefix(1).uppercased() + dropFirst() }

  fileprivate func replacingFirst(_ old: String, by new: String) -> String {
    let parts = split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 ? parts[0] + new + parts[1] : self
  }
}

/// The texts' only markup is `` `literal` ``.
package enum Markup {
  package static func plain(_ text: String) -> String { text.filter { $0 != "`" } }
}

/// Lines of help, wrapped. Also the man pages' wrapping.
struct Page {
  private(set) var text = ""
  private static let width = 80
  /// Where the texts of options begin, the same in all groups.
  static let optionColumn = 28

  mutating func line(_ line: String) { text += line + "\n" }

  mutating func blank() { text += "\n" }

  mutating func heading(_ title: String) {
    blank()
    line(title)
  }

  mutating func wrapped(_ paragraph: String, indent: Int = 0) {
    for row in Page.wrap(paragraph, width: Page.width - indent) { line(Page.spaces(indent) + row) }
  }

  /// Names on the left, what they mean on the right; a long name has a line of its own.
  mutating func rows(_ rows: [(String, String)], column: Int? = nil) {
    let column = column ?? (rows.map(\.0.count).max() ?? 0) + 4
    for (name, meaning) in rows {
      var lead = "  " + name
      if lead.count + 2 > column {
        line(lead)
        lead = ""
      }
      for row in Page.wrap(meaning, width: Page.width - column) {
        line(lead + Page.spaces(column - lead.count) + row)
        lead = ""
      }
    }
  }

  static func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

  static func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var current = ""
    for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      if current.isEmpty {
        current = String(word)
      } else if current.count + 1 + word.count <= width {
        current += " " + word
      } else {
        lines.append(current)
        current = String(word)
      }
    }
    if !current.isEmpty { lines.append(current) }
    return lines
  }
}
