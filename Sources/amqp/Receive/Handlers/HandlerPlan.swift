// What `--exec`, `-- CMD ARG…` and `--worker` come to: a program that is there and can be run, or a refusal before anything
// is connected.
import Console
import Glibc
import Render
import Transport

struct HandlerPlan {
  enum Kind { case command, worker }

  let kind: Kind
  /// As the user wrote it.
  let name: String
  let program: Executable
  /// Messages that are with it at a time.
  let jobs: Int
  let timeout: Int64?
  let responds: Bool

  /// Messages that the peer may have under way to us.
  var credit: Int { 2 * jobs }

  init?(_ arguments: ParsedArguments) throws(Failure) {
    let given =
      ["exec", "worker"].filter { arguments.flag($0) }.map { "--\($0)" } + (arguments.handler == nil ? [] : ["--"])
    if given.isEmpty {
      for option in ["jobs", "job-timeout", "respond"] where arguments.flag(option) {
        throw .usage(
          "--\(option)", "there is no handler", nextStep: "--exec CMD, --worker CMD, or -- CMD ARG… at the end")
      }
      return nil
    }
    if given.count > 1 { throw .usage("\(given[0]) and \(given[1])", "a message has one handler") }
    for (option, why) in HandlerPlan.excluded where arguments.flag(option) {
      throw .usage("\(arguments.spelling(option)) and \(given[0])", why)
    }
    if arguments.value("mode") == "at-most-once" {
      throw .usage(
        "--mode at-most-once and \(given[0])", "the handler would decide about messages that are settled already",
        nextStep: "leave --mode out, or give at-least-once")
    }
    if arguments.value("mode") == "transaction" {
      throw .usage(
        "--mode transaction and \(given[0])",
        "handlers decide about one message each, and a transaction about all of it",
        nextStep: "leave --mode out, or give at-least-once")
    }
    let words: [[UInt8]]
    if let handler = arguments.handler {
      if handler.isEmpty { throw .usage("--", "no command behind it", nextStep: "-- CMD ARG…") }
      words = handler
    } else {
      words = try HandlerPlan.words(arguments.bytes(arguments.flag("exec") ? "exec" : "worker") ?? [], given[0])
    }
    kind = arguments.flag("worker") ? .worker : .command
    name =
      arguments.handler == nil
      ? arguments.value(kind == .worker ? "worker" : "exec") ?? "" : String(decoding: words[0], as: UTF8.self)
    jobs = arguments.count("jobs") ?? 1
    timeout = arguments.nanoseconds("job-timeout").map { Int64($0) }
    responds = arguments.flag("respond")
    do throws(Errno) {
      let path = try Executable.find(String(decoding: words[0], as: UTF8.self))
      program = try Executable(path: path, arguments: words, hides: [MessageVariables.prefix])
    } catch {
      throw HandlerPlan.cannotRun(name, error)
    }
  }

  private static let excluded: [(option: String, why: String)] = [
    ("settle", "the handler decides about each message"),
    ("browse", "a handler decides about messages, and copies are nobody's to decide about"),
    ("checkpoint", "handlers end in any order, and a stream has one place"),
    ("forward", "the handler decides about messages, and --forward hands them on"),
    ("save", "the handler gets the messages, and no file does"),
    ("expect-count", "the handler's exit status is the test"),
    ("expect-body", "the handler's exit status is the test"),
    ("expect-property", "the handler's exit status is the test"),
    ("format", "the handler's output is printed, and no message"),
    ("json", "the handler's output is printed, and no message"),
    ("raw", "the handler's output is printed, and no message"),
    ("null", "the handler's output is printed, and no message"),
    ("delimiter", "the handler's output is printed, and no message"),
  ]

  /// What the system said when the program was looked for or started.
  static func cannotRun(_ name: String, _ error: Errno) -> Failure {
    switch error.code {
    case ENOENT, ENOTDIR:
      Failure(
        "cannot run '\(name)'", name.utf8.contains(UInt8(ascii: "/")) ? error.text : "no such program in PATH",
        exitCode: .handlerNotFound)
    case EACCES:
      Failure(
        "cannot run '\(name)'", error.text, nextStep: "chmod +x makes a file a program", exitCode: .handlerNotExecutable
      )
    case ENOEXEC:
      Failure(
        "cannot run '\(name)'", error.text, nextStep: "a script needs a first line like #!/bin/sh",
        exitCode: .handlerNotExecutable)
    default: Failure("cannot run '\(name)'", error.text, exitCode: .handlerNotExecutable)
    }
  }

  /// A line without anything that a shell would look at is run without one: it costs a process for each message.
  private static func words(_ line: [UInt8], _ option: String) throws(Failure) -> [[UInt8]] {
    let words = line.split { $0 == 0x20 || $0 == 0x09 }.map { Array($0) }
    guard let first = words.first else { throw .usage(option, "an empty command") }
    let isPlain =
      !line.contains { special.contains($0) }
      && !shellWords.contains(String(decoding: first, as: UTF8.self))
    return isPlain ? words : [Array("/bin/sh".utf8), Array("-c".utf8), line]
  }

  private static let special = Array("|&;<>()$`\\\"'*?[]#~={}!\n".utf8)
  /// What the shell does itself, or takes for its grammar.
  private static let shellWords: Set<String> = [
    ".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "eval", "exec", "exit", "export", "fg",
    "for",
    "getopts", "hash", "if", "jobs", "local", "read", "readonly", "return", "set", "shift", "times", "trap", "type",
    "ulimit",
    "umask", "unalias", "unset", "until", "wait", "while",
  ]
}
