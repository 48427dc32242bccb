// The completions in the real shells: what each proposes for a line that ends at the cursor. A shell that isn't installed is
// skipped, visibly.
import Foundation
import Testing

@Suite struct CompletionTests {
  struct Case: CustomTestStringConvertible {
    let line: String
    /// Whole words; a shell may answer only with what is missing of them.
    let words: [String]
    var testDescription: String { line }
  }

  static let cases = [
    Case(line: "amqp s", words: ["send"]),
    Case(line: "amqp help ", words: ["decode", "format", "probe", "receive", "send"]),
    Case(line: "amqp send --mo", words: ["--mode"]),
    Case(line: "amqp send --mode ", words: ["at-least-once", "at-most-once", "exactly-once", "transaction"]),
    Case(line: "amqp send --mode=at-l", words: ["--mode=at-least-once"]),
    Case(line: "amqp receive -c 5 --mode at-m", words: ["at-most-once"]),
    Case(line: "amqp receive -q send --dra", words: ["--drain"]),
    Case(line: "amqp send --dra", words: []),
    Case(line: "amqp send --trace=", words: ["--trace=hex", "--trace=line", "--trace=tree"]),
    Case(line: "amqp send --sasl ANONYMOUS,P", words: ["ANONYMOUS,PLAIN"]),
    Case(line: "amqp receive --settle modify:f", words: ["modify:failed", "modify:failed,undeliverable"]),
    Case(line: "amqp send -P subj", words: ["subject="]),
    Case(line: "amqp send -c ", words: []),
    Case(line: "amqp send --file complet", words: ["completions"]),
    Case(line: "amqp send --password-file=complet", words: ["--password-file=completions"]),
    Case(line: "amqp receive ", words: ["events/today", "orders"]),
    Case(line: "amqp probe -J ord", words: ["orders"]),
    Case(line: "amqp receive orders --forward ev", words: ["events/today"]),
    Case(line: "amqp send --queue=ord", words: ["--queue=orders"]),
  ]

  @Test(.enabled(if: Shell.path("bash") != nil, "bash is not installed"), arguments: cases)
  func bash(_ test: Case) throws {
    let script = #"""
      source "$1" || exit
      export AMQP_COMPLETE_QUEUES='echo orders; echo events/today; echo "with blank"'
      COMP_WORDBREAKS=$' \t\n"\'><=;|&(:' COMP_LINE=$2 COMP_POINT=${#2}
      _amqp
      ((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
      exit 0
      """#
    check(test, try run("bash", ["--norc", "-c", script, "bash", "completions/amqp.bash", test.line]))
  }

  @Test(.enabled(if: Shell.path("fish") != nil, "fish is not installed"), arguments: cases)
  func fish(_ test: Case) throws {
    let script =
      "set -gx AMQP_COMPLETE_QUEUES 'echo orders; echo events/today'; source completions/amqp.fish; and complete -C $argv[1]"
    let output = try run("fish", ["--no-config", "-c", script, test.line])
    check(test, output.map { String($0.prefix { $0 != "\t" }) })
  }

  /// zsh completes only in an interactive shell: one runs in a pseudo-terminal, with a `compadd` that tells what it adds.
  @Test(.enabled(if: Shell.path("zsh") != nil, "zsh is not installed"), arguments: cases)
  func zsh(_ test: Case) throws {
    let script = #"""
      zmodload zsh/zpty
      setup=$(mktemp)
      cat >$setup <<'END'
      PS1=
      export AMQP_COMPLETE_QUEUES='echo orders; echo events/today'
      unsetopt beep listbeep
      fpath=($PWD/completions $fpath)
      autoload -Uz compinit
      compinit -D -u
      compadd() {
        if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
        local -a hits
        builtin compadd -O hits "$@"
        (( $#hits )) && print -rl -- '' "HIT "${^hits}
        builtin compadd "$@"
      }
      propose() { print; _main_complete; print -r -- ''; print -r -- END }
      zle -C propose complete-word propose
      bindkey '^I' propose
      print BEGIN
      END
      zpty z zsh -f -i
      zpty -w z "source $setup"
      while zpty -r z line; do [[ $line == BEGIN* ]] && break; done
      zpty -w -n z "$1"$'\t'
      while zpty -r z line; do
        line=${line%%[$'\r\n']*}
        [[ $line == END* ]] && break
        [[ $line == *HIT\ * ]] && print -r -- ${line#*HIT }
      done
      zpty -d z
      rm -f $setup
      """#
    check(test, try run("zsh", ["-f", "-c", script, "zsh", test.line]))
  }

  private func run(_ shell: String, _ arguments: [String]) throws -> [String] {
    let result = try Shell.run(shell, arguments, directory: GeneratedFilesTests.root)
    #expect(result.status == 0, "\(result.text)")
    return result.text.split(separator: "\n").map(String.init)
  }

  private func check(_ test: Case, _ proposals: [String]) {
    var left = proposals.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    for word in test.words {
      // Exactly one: `modify:failed` must not be satisfied by the answer for `modify:failed,undeliverable`.
      guard let index = left.firstIndex(where: { !$0.isEmpty && word.hasSuffix($0) }) else {
        Issue.record("\(word) is not among \(proposals)")
        continue
      }
      left.remove(at: index)
    }
    #expect(left.isEmpty, "proposed too")
  }
}
