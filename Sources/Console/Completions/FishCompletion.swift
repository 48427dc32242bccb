// fish: one `complete` an option, under the condition that its command was typed.

struct FishCompletion {
  let program: Program

  var text: String {
    let name = program.name
    var out = """
      # fish completion for \(name). Made from the option tables: change those, not this file.
      # Copy it to ~/.config/fish/completions/.
      function __\(name)_command
          set -l words (commandline -opc)
          test (count $words) -ge 2; and contains -- $words[2] $argv
      end
      function __\(name)_no_command
          test (count (commandline -opc)) -eq 1
      end
      function __\(name)_profiles
          set -l folder $XDG_CONFIG_HOME
          test -n "$folder"; or set folder ~/.config
          \(Completions.profiles(program, file: "$folder/\(name)/config"))
      end
      complete -c \(name) -f

      """
    for command in program.commands {
      out += "complete -c \(name) -n __\(name)_no_command -a \(command.name) -d \(quoted(command.summary))\n"
    }
    for option in program.options.flatMap(\.options) { out += line(option, condition: "__\(name)_no_command") }
    for command in program.commands {
      let condition = "'__\(name)_command \(command.name)'"
      for positional in command.positionals {
        switch positional.completion {
        case .nothing, .profiles: continue
        case .queues:
          out += "complete -c \(name) -n \(condition) -a \(quoted("(\(Completions.queues))"))\n"
        case .file, .directory: out += "complete -c \(name) -n \(condition) -F\n"
        case .words(let words):
          out += "complete -c \(name) -n \(condition) -a \(quoted(words.joined(separator: " ")))\n"
        }
      }
      for option in command.options { out += line(option, condition: condition) }
    }
    return out
  }

  private func line(_ option: OptionSpec, condition: String) -> String {
    var out = "complete -c \(program.name) -n \(condition)"
    if let short = option.short { out += " -s \(short)" }
    out += " -l \(option.long)"
    switch option.argument {
    case .none: break
    case .required:
      switch option.proposals {
      case .nothing: out += " -x"
      case .file, .directory: out += " -r -F"
      case .words(let words): out += " -x -a \(proposals(words, option))"
      case .queues: out += " -x -a \(quoted("(\(Completions.queues))"))"
      case .profiles: out += " -x -a \(quoted("(__\(program.name)_profiles)"))"
      }
    case .optional:
      if case .words(let words) = option.proposals { out += " -a \(proposals(words, option))" }
    }
    return out + " -d \(quoted(Completions.summary(option)))\n"
  }

  private func proposals(_ words: [String], _ option: OptionSpec) -> String {
    let all = words.joined(separator: " ")
    return quoted(option.isList ? "(__fish_append , \(all))" : all)
  }

  private func quoted(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
