// A command script: one behaviour of the built program as a transcript, checked octet for octet.
//
//     # what it shows
//     $ amqp receive --listen 0 -c 1 &r       in the background; $r is the port that it listens on
//     $ amqp send amqp://localhost:$r q hi    any program may be run; < lines are its standard input
//     ! a line of standard error
//     = 3                                     the exit status, when it is not 0; = SIGKILL a signal
//     $ wait r                                what r has written, and how it ended
//     > a line of standard output
//     -- name --                              up to the next such line: a file in the script's directory
//
// A line's end is part of it; `\c` at its end says that there is none. `\r`, `\0`, `\xHH` and `\\` are octets. Words are cut
// as a shell does it, with quotes and `$name`; `>FILE`, `2>FILE`, `<FILE`, `>TTY` and `2>TTY` redirect; NAME=VALUE in front is environment.
//
//     $ peer p STEP…           a scripted peer on port $p, see ProcessPeerSteps
//     $ capture FILE STEP…     a file as tcpdump would have written it, see ScriptCapture
//     $ await r LINES|TEXT     until r has written so many lines on standard output, or this text on either
//     $ feed r TEXT | end r    more standard input for r, or its end
//     $ kill INT r             a signal
//     $ close r                nobody reads r's standard output any more
//
// `$DIR` is the script's directory, `$TLS` that of `Tests/Certificates/make`, `$CAPTURES` that of captures of real traffic.
// What differs from run to run is written as `*`: see `normalized`.
import Foundation

package struct CommandScript {
  package struct Command: Equatable {
    package var line: String
    package var input: [String] = []
    /// Lines beginning with `> `, `! ` and `= `.
    package var answer: [String] = []
  }

  /// Everything in front of the first command.
  package var comment: [String] = []
  package var commands: [Command] = []
  package var files: [(name: String, lines: [String])] = []

  package init(_ text: String) throws {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    for line in lines {
      if line.hasPrefix("-- "), line.hasSuffix(" --"), line.count > 6 {
        files.append((String(line.dropFirst(3).dropLast(3)), []))
      } else if !files.isEmpty {
        files[files.count - 1].lines.append(line)
      } else if line.hasPrefix("$ ") {
        commands.append(Command(line: String(line.dropFirst(2))))
      } else if commands.isEmpty {
        comment.append(line)
      } else if line == "<" || line.hasPrefix("< ") {
        commands[commands.count - 1].input.append(String(line.dropFirst(2)))
      } else if [">", "!"].contains(line) || ["> ", "! ", "= "].contains(where: line.hasPrefix) {
        commands[commands.count - 1].answer.append(line)
      } else if line.isEmpty || line.hasPrefix("#") {
        // A blank line and a remark belong to what follows; rewriting keeps them with the command before.
        commands[commands.count - 1].answer.append(line)
      } else {
        throw ProcessFault("not a line of a script: '\(line)'")
      }
    }
    if commands.isEmpty { throw ProcessFault("a script without a command") }
  }

  package var text: String {
    var lines = comment
    for command in commands {
      lines.append("$ " + command.line)
      lines += command.input.map { CommandScript.marked("<", $0) } + command.answer
    }
    for file in files { lines += ["-- \(file.name) --"] + file.lines }
    return lines.joined(separator: "\n") + "\n"
  }

  /// An empty line has no blank behind its mark.
  package static func marked(_ mark: String, _ line: String) -> String { line.isEmpty ? mark : "\(mark) \(line)" }

  // MARK: Text with octets in it

  /// The lines of `octets` as a script shows them.
  package static func lines(_ octets: [UInt8]) -> [String] {
    if octets.isEmpty { return [] }
    var lines = octets.split(separator: 0x0a, omittingEmptySubsequences: false).map { escaped($0) }
    if lines.last == "" { lines.removeLast() } else { lines[lines.count - 1] += "\\c" }
    return lines
  }

  private static func escaped(_ octets: ArraySlice<UInt8>) -> String {
    var out = ""
    var rest = octets
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
      if let text = String(validating: rest.prefix(length), as: UTF8.self), text.utf8.count == length, first >= 0x20,
        first != 0x7f, first != 0x5c
      {
        out += text
        rest = rest.dropFirst(length)
        continue
      }
      switch first {
      case 0x5c: out += "\\\\"
      case 0x0d: out += "\\r"
      case 0x09: out += "\\t"
      case 0: out += "\\0"
      default: out += "\\x" + (first < 16 ? "0" : "") + String(first, radix: 16)
      }
      rest = rest.dropFirst()
    }
    return out
  }

  /// The octets of lines as a script shows them.
  package static func octets(_ lines: [String]) -> [UInt8] {
    lines.flatMap { line in
      line.hasSuffix("\\c") ? unescaped(String(line.dropLast(2))) : unescaped(line) + [0x0a]
    }
  }

  package static func unescaped(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let first = rest.popFirst() {
      guard first == 0x5c, let next = rest.popFirst() else {
        out.append(first)
        continue
      }
      switch next {
      case 0x6e: out.append(0x0a)
      case 0x72: out.append(0x0d)
      case 0x74: out.append(0x09)
      case 0x30: out.append(0)
      case 0x78:
        out.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0x3f)
        rest = rest.dropFirst(2)
      default: out.append(next)
      }
    }
    return out
  }

  // MARK: Words

  /// A command line cut into words, as a shell does it.
  package static func words(_ line: String, _ names: [String: String]) throws -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = Substring(line)
    while let c = rest.popFirst() {
      if c == quote {
        quote = nil
      } else if quote == nil && (c == "'" || c == "\"") {
        quote = c
        word = word ?? ""
      } else if quote == nil && c == " " {
        if let done = word { words.append(done) }
        word = nil
      } else if c == "$" && quote != "'" {
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        guard let value = names[String(name)] else { throw ProcessFault("nothing is called $\(name)") }
        rest = rest.dropFirst(name.count)
        word = (word ?? "") + value
      } else {
        word = (word ?? "") + String(c)
      }
    }
    if quote != nil { throw ProcessFault("a quote is open in '\(line)'") }
    if let word { words.append(word) }
    return words
  }
}
