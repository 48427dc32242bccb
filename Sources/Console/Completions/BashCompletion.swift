// bash. Needs no bash-completion. The line is read as a whole because bash splits words at `=` and `:`; what bash regards as the
// word begun already is cut off the answers again.

struct BashCompletion {
  let program: Program

  var text: String {
    let name = program.name
    var out = """
      # bash completion for \(name). Made from the option tables: change those, not this file.
      # Source it, or copy it to /usr/share/bash-completion/completions/\(name).
      _\(name)() {
        local line=${COMP_LINE:0:COMP_POINT} word option value lead= files= list= words candidates=
        local breaks=${COMP_WORDBREAKS//[^=:]/}
        word=${line##*[[:space:]]}
        read -ra words <<<"${line%"$word"}"
        COMPREPLY=()
        option=${words[${#words[@]} - 1]} value=$word
        if [[ $word == --*=* ]]; then
          option=${word%%=*}= value=${word#*=}
          [[ $breaks == *=* ]] || lead=$option
        fi
        if [[ ${#words[@]} -le 1 ]]; then
          candidates=\(Completions.quoted(firstWords.joined(separator: " ")))
        elif [[ " ${words[*]} " == *' -- '* ]]; then
          files=f
        else
          case ${words[1]} in

      """
    for command in program.commands { out += block(command) }
    out += """
          esac
        fi
        local cut=
        if [[ -n $files ]]; then
          compopt -o filenames 2>/dev/null
          mapfile -t COMPREPLY < <(compgen -"$files" -- "$value")
        else
          [[ -z $list ]] || cut=${value%"${value##*,}"}
          local candidate
          for candidate in $candidates; do
            [[ $cut$candidate == "$value"* ]] && COMPREPLY+=("$cut$candidate")
          done
        fi
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
        if [[ -n $breaks ]]; then
          cut=${value%"${value##*[$breaks]}"}
        else
          cut=
        fi
        local i
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=$lead${COMPREPLY[i]#"$cut"}; done
      }
      complete -F _\(name) \(name)

      """
    return out
  }

  private var firstWords: [String] {
    program.commands.map(\.name) + program.options.flatMap(\.options).flatMap(\.spellings)
  }

  private func block(_ command: CommandSpec) -> String {
    var out = "      \(command.name))\n        case $option in\n"
    for option in command.options {
      let keys: [String]
      switch option.argument {
      case .none: continue
      case .required: keys = option.spellings + [option.spelling + "="]
      case .optional: keys = [option.spelling + "="]
      }
      let action =
        switch option.proposals {
        case .nothing: "return"
        case .file: "files=f"
        case .directory: "files=d"
        case .words(let words):
          "candidates=\(Completions.quoted(words.joined(separator: " ")))" + (option.isList ? " list=1" : "")
        case .profiles: "candidates=$(\(Completions.profiles(program)))"
        case .queues: "candidates=$(\(queues))"
        }
      out += "          \(keys.joined(separator: " | "))) \(action) ;;\n"
    }
    out += "          *)\n            if [[ $word == -* ]]; then\n"
    out +=
      "              candidates=\(Completions.quoted(command.options.flatMap(\.spellings).joined(separator: " ")))\n"
    out += positional(command)
    out += "            fi\n            ;;\n        esac\n        ;;\n"
    return out
  }

  /// Names with a blank in them are left out: here a candidate is a word.
  private var queues: String { "\(Completions.queues) | grep -v '[[:blank:]]'" }

  private func positional(_ command: CommandSpec) -> String {
    for positional in command.positionals {
      switch positional.completion {
      case .nothing, .profiles: continue
      case .queues: return "            else\n              candidates=$(\(queues))\n"
      case .file: return "            else\n              files=f\n"
      case .directory: return "            else\n              files=d\n"
      case .words(let words):
        return "            else\n              candidates=\(Completions.quoted(words.joined(separator: " ")))\n"
      }
    }
    return ""
  }
}
