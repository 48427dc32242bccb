// The completions of all shells, and what they share: each is text made from the rows, and stands by itself.

package enum Completions {
  /// File name, as each shell wants it, and content.
  package static func files(_ program: Program) -> [(name: String, content: String)] {
    [
      ("\(program.name).bash", BashCompletion(program: program).text),
      ("_\(program.name)", ZshCompletion(program: program).text),
      ("\(program.name).fish", FishCompletion(program: program).text),
    ]
  }

  /// A word between single quotes, for a shell that ends them at the next one.
  static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

  /// A command of the shell that lists the profiles; one in which `file` is the configuration file for fish, which spells
  /// variables in its own way.
  static func profiles(_ program: Program, file: String? = nil) -> String {
    let file = file ?? "\"${XDG_CONFIG_HOME-$HOME/.config}/\(program.name)/config\""
    return "sed -n \"s/^ *\\[ *\\([^]]*[^] ]\\) *\\].*/\\1/p\" \(file) 2>/dev/null"
  }

  /// The environment variable that holds the user's command for the names of queues, and what runs it: for a second, so that
  /// a broker that is slow or not there doesn't hold the shell up.
  package static let queuesVariable = "AMQP_COMPLETE_QUEUES"
  static let queues = "timeout 1 sh -c \"$\(queuesVariable)\" 2>/dev/null"

  static func summary(_ option: OptionSpec) -> String { Markup.plain(option.summary) }
}

extension OptionSpec {
  /// `-c` and `--count`.
  var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + [spelling] }

  var isList: Bool { if case .list = kind { true } else { false } }
}

extension String {
  func replacing(_ old: Character, with new: String) -> String {
    var out = ""
    for character in self { if character == old { out += new } else { out.append(character) } }
    return out
  }
}
