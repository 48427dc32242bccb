// Runs a command script and says what came out, in the script's own form.
import Foundation

package final class CommandScriptRun {
  private let world = ProcessWorld()
  private let binaries: String
  private let directory: String
  private var script: CommandScript
  private var names: [String: String] = [:]
  private var runs: [String: ProcessRun] = [:]

  /// `binaries` is the directory of the program under test.
  package static func transcript(of script: CommandScript, binaries: String) throws -> CommandScript {
    let run = try CommandScriptRun(script, binaries)
    defer { try? FileManager.default.removeItem(atPath: run.directory) }
    for i in script.commands.indices {
      // Blank lines and remarks behind the answer.
      let trail = script.commands[i].answer.reversed().prefix { $0.isEmpty || $0.hasPrefix("#") }.reversed()
      do {
        run.script.commands[i].answer = try run.perform(script.commands[i]) + trail
      } catch let fault as ProcessFault {
        let before = run.script.commands[..<i].flatMap { ["$ " + $0.line] + $0.answer }
        throw ProcessFault((before + ["$ " + script.commands[i].line, fault.description]).joined(separator: "\n"))
      }
    }
    return run.script
  }

  private init(_ script: CommandScript, _ binaries: String) throws {
    (self.script, self.binaries) = (script, binaries)
    var template = Array("/tmp/amqp-script-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw ProcessFault("no temporary directory") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    names["DIR"] = directory
    names["CAPTURES"] = "\(#filePath)".replacing("Support/CommandScriptRun.swift", with: "Captures")
    if script.commands.contains(where: { $0.line.contains("$TLS/") }) { names["TLS"] = try Certificates.directory }
    for file in script.files {
      let path = directory + "/" + file.name
      let folder = String(path[..<path.lastIndex(of: "/")!])
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      guard FileManager.default.createFile(atPath: path, contents: Data(CommandScript.octets(file.lines))) else {
        throw ProcessFault("cannot write \(path)")
      }
    }
  }

  // MARK: Commands

  private func perform(_ command: CommandScript.Command) throws -> [String] {
    var words = try CommandScript.words(command.line, names)
    guard let verb = words.first else { throw ProcessFault("an empty command") }
    switch (verb, words.count) {
    case ("peer", 2...):
      let peer = try ProcessPeer(ProcessPeer.parts(Array(words[2...])))
      world.add(peer)
      names[words[1]] = "\(peer.port)"
      return []
    case ("capture", 2...):
      let octets = try ScriptCapture.octets(words[1], Array(words[2...]))
      guard FileManager.default.createFile(atPath: directory + "/" + words[1], contents: Data(octets)) else {
        throw ProcessFault("cannot write \(words[1])")
      }
      return []
    case ("await", 3):
      let run = try run(words[1])
      let lines = Int(words[2])
      let text = Array(words[2].utf8)
      try wait("'\(command.line)'", run) {
        if let lines { return run.output.count { $0 == 0x0a } >= lines }
        return run.output.firstRange(of: text) != nil || run.errors.firstRange(of: text) != nil
      }
      return []
    case ("feed", 3):
      try run(words[1]).feed(CommandScript.unescaped(words[2]))
      return []
    case ("end", 2):
      try run(words[1]).endInput()
      return []
    case ("close", 2):
      try run(words[1]).closeOutput()
      return []
    case ("kill", 3):
      let signals = ["INT": SIGINT, "TERM": SIGTERM, "KILL": SIGKILL]
      guard let number = signals[words[1]] else { throw ProcessFault("no signal '\(words[1])'") }
      try run(words[2]).signal(number)
      return []
    case ("wait", 2):
      let run = try run(words[1])
      try wait("the end of '\(words[1])'", run) { run.status != nil }
      return answer(run)
    default:
      guard words.last!.hasPrefix("&") else { return answer(try start(words, command, name: nil)) }
      let name = String(words.removeLast().dropFirst())
      runs[name] = try start(words, command, name: name)
      return []
    }
  }

  private func run(_ name: String) throws -> ProcessRun {
    guard let run = runs[name] else { throw ProcessFault("nothing runs as '\(name)'") }
    return run
  }

  private func wait(_ what: String, _ run: ProcessRun, until condition: () -> Bool) throws {
    if world.wait(until: condition) { return }
    let output = String(decoding: run.output.suffix(500), as: UTF8.self)
    let errors = String(decoding: run.errors.suffix(500), as: UTF8.self)
    throw ProcessFault("waited too long for \(what); it has written '\(output)' and '\(errors)'")
  }

  private func start(_ line: [String], _ command: CommandScript.Command, name: String?) throws -> ProcessRun {
    var words = line
    var environment = ["PATH=\(binaries):/usr/local/bin:/usr/bin:/bin", "HOME=\(directory)", "LC_ALL=C.UTF-8"]
    while let first = words.first, let equals = first.firstIndex(of: "="), first[..<equals].allSatisfy(isNameLetter) {
      environment.append(words.removeFirst())
    }
    var output = ProcessRun.Output.kept
    var errorFile: String?
    var errors = ProcessRun.Output.kept
    let isFed = script.commands.contains {
      [("feed " + (name ?? "?")), "end " + (name ?? "?")].contains(where: $0.line.hasPrefix)
    }
    var input = ProcessRun.Input.octets(CommandScript.octets(command.input), keepsOpen: isFed)
    if command.input.isEmpty && !isFed { input = .none }
    words.removeAll { word in
      if word == "2>TTY" {
        errors = .terminal
      } else if word.hasPrefix("2>"), word.count > 2 {
        errorFile = directory + "/" + word.dropFirst(2)
      } else if word == ">TTY" {
        output = .terminal
      } else if word.hasPrefix(">"), word.count > 1 {
        output = .file(String(word.dropFirst()))
      } else if word.hasPrefix("<"), word.count > 1 {
        input = .file(String(word.dropFirst()))
      } else {
        return false
      }
      return true
    }
    guard !words.isEmpty else { throw ProcessFault("no program in '\(command.line)'") }
    let run = try ProcessRun(
      path(of: words[0]), Array(words.dropFirst()), environment: environment, directory: directory, input: input,
      output: output, errors: errors)
    run.errorFile = errorFile
    world.add(run)
    guard let name else {
      try wait("the end of '\(command.line)'", run) { run.status != nil }
      return run
    }
    if words.contains("--listen") || words.contains("--tap") {
      try wait("'listening on' of '\(command.line)'", run) { listeningPort(run) != nil || run.status != nil }
      if let port = listeningPort(run) { names[name] = port }
    }
    return run
  }

  private func isNameLetter(_ c: Character) -> Bool { c.isUppercase || c == "_" }

  private func path(of program: String) throws -> String {
    if program == "amqp" { return binaries + "/amqp" }
    for folder in ["/usr/local/bin", "/usr/bin", "/bin"] where access("\(folder)/\(program)", X_OK) == 0 {
      return "\(folder)/\(program)"
    }
    throw ProcessFault("no program '\(program)'")
  }

  private static let listening = "amqp: listening on "

  private func listeningPort(_ run: ProcessRun) -> String? {
    let lines = String(decoding: run.errors, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard let line = lines.dropLast().first(where: { $0.hasPrefix(CommandScriptRun.listening) }) else { return nil }
    return line.lastIndex(of: ":").map { String(line[line.index(after: $0)...]) }
  }

  // MARK: Answers

  private func answer(_ run: ProcessRun) -> [String] {
    var lines = CommandScript.lines(run.output).map { CommandScript.marked(">", normalized($0)) }
    if let file = run.errorFile {
      try? Data(run.errors).write(to: URL(fileURLWithPath: file))
    }
    lines += CommandScript.lines(run.errorFile == nil ? run.errors : []).filter {
      !$0.hasPrefix(CommandScriptRun.listening)
    }
    .map { CommandScript.marked("!", normalized($0)) }
    let signals = [-SIGINT: "SIGINT", -SIGTERM: "SIGTERM", -SIGKILL: "SIGKILL"]
    if let status = run.status, status != 0 {
      lines.append("= \(signals[status] ?? (status < 0 ? "signal \(-status)" : "\(status)"))")
    }
    return lines
  }

  /// Ports by the name of who listens there; everybody else's ports, generated names, times of arrival and waiting as `*`.
  private func normalized(_ line: String) -> String {
    var line = line
    line = line.replacing(/-ms":\d+\.\d{3}/, with: "-ms\":*")
    line = line.replacing(#/^\d\d:\d\d:\d\d  /#, with: "*  ")
    // What a probe has measured.
    if line.firstMatch(of: #/^(  (TCP|TLS|name|open|round trip) |\*  |amqp: \d+ rounds?, )/#) != nil {
      line = line.replacing(/\d+\.\d\d ms/, with: "* ms")
    }
    if let certificates = names["TLS"] { line = line.replacing(certificates, with: "$TLS") }
    if let captures = names["CAPTURES"] { line = line.replacing(captures, with: "$CAPTURES") }
    for (name, value) in names where !["DIR", "TLS", "CAPTURES"].contains(name) {
      line = line.replacing(":\(value)", with: ":$\(name)")
    }
    line = line.replacing(directory, with: "$DIR")
    line = line.replacing(/127\.0\.0\.1:\d+/, with: "127.0.0.1:*")
    line = line.replacing(/amqp-\d+-[0-9a-f]+/, with: "amqp-*")
    line = line.replacing(/(in|after) \d+\.\ds/) { "\($0.output.1) *s" }
    line = line.replacing(/"time":\d+/, with: "\"time\":*")
    line = line.replacing(/"latency":\{.*?\]\]\}/, with: "\"latency\":*")
    line = line.replacing(/"seconds":[\d.]+,"rate":\d+/, with: "\"seconds\":*,\"rate\":*")
    line = line.replacing(/"ms":\d+\.\d{3}/, with: "\"ms\":*")
    return line
  }
}
