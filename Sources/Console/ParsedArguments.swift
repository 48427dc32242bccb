// The arguments of one command as they were typed, checked against its option rows. Values come from the option, else from
// its environment variable, else from the row's default; each can say where it came from.
//
// Asking for a name that is no row of the command is a mistake in the program and traps.

package struct ParsedArguments: Sendable {
  package let command: CommandSpec
  /// Options and positionals in the order they were typed.
  package private(set) var entries: [Entry] = []
  /// What followed `--`, for a command that runs a handler; nil without `--`.
  package internal(set) var handler: [[UInt8]]?

  private var fromEnvironment: [Entry] = []
  private let variables: @Sendable (String) -> String?

  package struct Entry: Sendable {
    package enum Subject: Sendable {
      case positional
      case option(OptionSpec)
    }
    package let subject: Subject
    /// nil for a flag.
    package let value: OptionValue?
    /// The argument octet for octet, empty for a flag.
    package let bytes: [UInt8]
    package let source: Source

    func isOption(_ long: String) -> Bool {
      if case .option(let option) = subject { option.long == long } else { false }
    }
  }

  package enum Source: Sendable, Equatable {
    /// As typed: `-c`, `--count`, or `argument` for a URL among the positionals.
    case arguments(spelling: String)
    case environment(String)
    case standard
  }

  init(command: CommandSpec, variables: @escaping @Sendable (String) -> String?) {
    self.command = command
    self.variables = variables
  }

  mutating func add(_ entry: Entry) { entries.append(entry) }

  mutating func addFromEnvironment(_ entry: Entry) { fromEnvironment.append(entry) }

  /// The arguments that another connection, say, is made by: the options `keeping` as they are, and those of `names`, when
  /// they were given, under the other name. Variables of `replacing` are read in the place of others.
  package func renamed(
    _ names: [String: String], keeping: [String], replacing: [String: String] = [:]
  ) -> ParsedArguments {
    let read = variables
    var other = ParsedArguments(command: command) { read(replacing[$0] ?? $0) }
    func moved(_ entry: Entry) -> Entry? {
      guard case .option(let option) = entry.subject else { return nil }
      if let name = names[option.long] {
        return Entry(subject: .option(row(name)), value: entry.value, bytes: entry.bytes, source: entry.source)
      }
      return keeping.contains(option.long) ? entry : nil
    }
    other.entries = entries.compactMap(moved)
    other.fromEnvironment = fromEnvironment.compactMap(moved)
    return other
  }

  // MARK: Positionals

  /// Octet for octet: a body or a file name need not be UTF-8.
  package var positionals: [[UInt8]] {
    entries.compactMap { if case .positional = $0.subject { $0.bytes } else { nil } }
  }

  // MARK: Options

  /// Whether the option was given, on the command line or by its variable.
  package func flag(_ name: String) -> Bool { given(name) != nil }

  package func value(_ name: String) -> String? {
    switch current(name) {
    case .text(let text): text
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    case .list(let items): items.joined(separator: ",")
    case .number, nil: nil
    }
  }

  package func bytes(_ name: String) -> [UInt8]? {
    switch current(name) {
    case .bytes(let bytes): bytes
    case .text(let text): Array(text.utf8)
    case .list, .number, nil: nil
    }
  }

  /// A count, a size or a number, as the row's kind says.
  package func number(_ name: String) -> Int? {
    if case .number(let n) = current(name) { n } else { nil }
  }

  package func count(_ name: String) -> Int? { number(name) }

  package func nanoseconds(_ name: String) -> Int? { number(name) }

  package func list(_ name: String) -> [String]? {
    if case .list(let items) = current(name) { items } else { nil }
  }

  /// Every value of a repeatable option, in the order given.
  package func values(_ name: String) -> [String] {
    all(name).map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// As `values`, octet for octet.
  package func byteValues(_ name: String) -> [[UInt8]] { all(name).map(\.bytes) }

  /// Of options that override each other (`--durable`, `--transient`), the one given last.
  package func last(of names: [String]) -> String? {
    for name in names { _ = row(name) }
    for entry in entries.reversed() {
      if let name = names.first(where: entry.isOption) { return name }
    }
    return nil
  }

  /// Positionals and the named options together, in the order typed: bodies come from arguments, `-b` and `--file` alike.
  package func inOrder(_ names: [String]) -> [Entry] {
    for name in names { _ = row(name) }
    return entries.filter { entry in
      if case .positional = entry.subject { true } else { names.contains(where: entry.isOption) }
    }
  }

  package func source(_ name: String) -> Source { given(name)?.source ?? .standard }

  /// How the user spelled the option, for messages about its value.
  package func spelling(_ name: String) -> String {
    switch source(name) {
    case .arguments(let spelling): spelling
    case .environment(let variable): variable
    case .standard: row(name).spelling
    }
  }

  /// The failure for a value that only its user can check: a URL, `K=V`, `IN:OUT`.
  package func badValue(of name: String, _ value: String, expected: String) -> Failure {
    .badValue(of: row(name), spelling: spelling(name), value: value, expected: expected)
  }

  /// A variable that is no option's, of the command's `environment` rows.
  package func environment(_ variable: String) -> String? {
    precondition(command.environment.contains { $0.name == variable }, "no environment row \(variable)")
    return variables(variable)
  }

  /// The settings in force, one line each: `--count 5 (-c)`. Secrets are masked unless `showSecrets`.
  package func settings(showSecrets: Bool) -> [String] {
    var lines: [String] = []
    for option in command.options {
      let entries = all(option.long)
      for entry in option.isRepeatable ? entries[...] : entries.suffix(1) {
        lines.append(line(option, entry.value == nil ? nil : entry.bytes, entry.source, showSecrets))
      }
      if entries.isEmpty, case .value(let text) = option.standard {
        lines.append(line(option, Array(text.utf8), .standard, showSecrets))
      }
    }
    return lines
  }

  private func line(_ option: OptionSpec, _ value: [UInt8]?, _ source: Source, _ showSecrets: Bool) -> String {
    let origin =
      switch source {
      case .arguments(let spelling): spelling == option.spelling ? "" : " (\(spelling))"
      case .environment(let name): " (\(name))"
      case .standard: " (default)"
      }
    guard let value else { return option.spelling + origin }
    let text = String(decoding: value, as: UTF8.self)
    let shown =
      switch option.secrecy {
      case .open: text
      case .url: showSecrets ? text : Secrets.masked(url: text)
      case .secret: showSecrets ? text : "***"
      }
    return "\(option.spelling) \(shown)\(origin)"
  }

  private func current(_ name: String) -> OptionValue? {
    if let entry = given(name) { return entry.value }
    let option = row(name)
    guard case .value(let text) = option.standard, let kind = option.kind else { return nil }
    return try? kind.parse(Array(text.utf8))
  }

  private func given(_ name: String) -> Entry? {
    let found = entries.last { $0.isOption(name) } ?? fromEnvironment.last { $0.isOption(name) }
    if found == nil { _ = row(name) }
    return found
  }

  private func all(_ name: String) -> [Entry] {
    let typed = entries.filter { $0.isOption(name) }
    if !typed.isEmpty { return typed }
    _ = row(name)
    return fromEnvironment.filter { $0.isOption(name) }
  }

  private func row(_ name: String) -> OptionSpec {
    guard let row = command.option(long: name) else {
      preconditionFailure("amqp \(command.name) has no --\(name)")
    }
    return row
  }
}

package enum Secrets {
  /// `amqp://user:***@host`: the password of each URL in `text` is masked.
  package static func masked(url text: String) -> String {
    let mark = Array("://".utf8)
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var i = 0
    while i < bytes.count {
      guard bytes[i...].starts(with: mark) else {
        out.append(bytes[i])
        i += 1
        continue
      }
      out += mark
      i += 3
      // The authority ends at `/`, `?`, `#`, or a comma before another URL. A bare `@` or `/` inside a password (not legal)
      // would end it early and show the rest, so what counts is the last `@` before the next URL of the list.
      var end = i
      while end < bytes.count, !bytes[end...].starts(with: Array(",amqp".utf8)) { end += 1 }
      guard let at = bytes[i..<end].lastIndex(of: UInt8(ascii: "@")) else { continue }
      if let colon = bytes[i..<at].firstIndex(of: UInt8(ascii: ":")) {
        out += bytes[i...colon]
        out += Array("***".utf8)
      } else {
        out += bytes[i..<at]
      }
      i = at
    }
    return String(decoding: out, as: UTF8.self)
  }
}
