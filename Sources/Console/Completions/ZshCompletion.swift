// zsh, by `_arguments`: `-c+` takes its value attached or as the next word, `--count=` as well, `--trace=-` only attached.

struct ZshCompletion {
  let program: Program

  var text: String {
    let name = program.name
    var out = """
      #compdef \(name)
      # zsh completion for \(name). Made from the option tables: change those, not this file.
      # Copy it to a directory of $fpath.
      _\(name)() {
        if ((CURRENT == 2)); then
          local -a commands=(

      """
    for command in program.commands {
      out += "      \(Completions.quoted("\(command.name):\(colons(command.summary))"))\n"
    }
    out += "    )\n    _describe -t commands command commands\n    _arguments -s -S : \\\n"
    out += specs(program.options.flatMap(\.options), indent: 6)
    out += "    return\n  fi\n  shift words\n  ((CURRENT--))\n  case $words[1] in\n"
    for command in program.commands {
      out += "    \(command.name))\n      _arguments -s -S : \\\n"
      out += specs(command.options, indent: 8, positionals: command.positionals)
      out += "      ;;\n"
    }
    out += "  esac\n}\n_\(name) \"$@\"\n"
    return out
  }

  private func specs(_ options: [OptionSpec], indent: Int, positionals: [CommandSpec.Positional] = []) -> String {
    var lines = options.flatMap(specs)
    let words = positionals.first { $0.completion != .nothing }
    if let words {
      lines.append(Completions.quoted("*:\(colons(words.name)):\(action(words.completion))"))
    } else if !positionals.isEmpty {
      lines.append(Completions.quoted("*: :_default"))
    }
    let margin = Page.spaces(indent)
    return margin + lines.joined(separator: " \\\n\(margin)") + "\n"
  }

  /// One spec a spelling; given once, the other spelling is not proposed any more.
  private func specs(_ option: OptionSpec) -> [String] {
    let exclusion = option.isRepeatable ? "*" : "(\(option.spellings.joined(separator: " ")))"
    let summary = "[\(brackets(Completions.summary(option)))]"
    return option.spellings.map { spelling in
      let isLong = spelling.hasPrefix("--")
      switch option.argument {
      case .none: return Completions.quoted("\(exclusion)\(spelling)\(summary)")
      case .required(let name, _):
        let form = isLong ? "=" : "+"
        return Completions.quoted(
          "\(exclusion)\(spelling)\(form)\(summary):\(colons(name)):\(action(option.proposals, isList: option.isList))")
      case .optional(let name, _, _):
        return isLong
          ? Completions.quoted("\(exclusion)\(spelling)=-\(summary)::\(colons(name)):\(action(option.proposals))")
          : Completions.quoted("\(exclusion)\(spelling)\(summary)")
      }
    }
  }

  private func action(_ completion: OptionSpec.Completion, isList: Bool = false) -> String {
    switch completion {
    case .nothing: return " "
    case .file: return "_files"
    case .directory: return "_files -/"
    case .profiles: return "{compadd -- ${(f)\"$(\(Completions.profiles(program)))\"}}"
    case .queues: return "{compadd -- ${(f)\"$(\(Completions.queues))\"}}"
    case .words(let words):
      let all = words.map(colons).joined(separator: " ")
      if isList { return "_sequence compadd - \(all)" }
      return words.contains { $0.hasSuffix("=") } ? "{compadd -S \"\" -- \(all)}" : "(\(all))"
    }
  }

  private func colons(_ text: String) -> String { text.replacing(":", with: "\\:") }

  private func brackets(_ text: String) -> String { text.replacing("[", with: "\\[").replacing("]", with: "\\]") }
}
