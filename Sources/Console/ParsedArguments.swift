// The arguments of one command as they were typed, checked against its option rows. Values come from the option, else from
// its environment variable, else from the profile, else from the row's default; each can say where it came from.
//
// Asking for a name that is no row of the command is a mistake in the program and traps.

package struct ParsedArguments: Sendable {
  package let command: CommandSpec
  /// Options and positionals in the order they were typed.
  package private(set) var entries: [Entry] = []
  /// What followed `--`, for a command that runs a handler; nil without `--`.
  package internal(set) var handler: [[UInt8]]?

  /// What is not asked for but good to know: the text and a next step.
  package internal(set) var warnings: [(text: String, next: String)] = []

  private var fromEnvironment: [Entry] = []
  private var fromProfile: [Entry] = []
  /// Takes what the profile says that `profile` names.
  var readProfile: (@Sendable (inout ParsedArguments) throws(Failure) -> Void)?
  /// What the profile has in the place of a variable.
  var profileSecrets: [String: (value: String, source: Source)] = [:]
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
    /// The section's name, and the key in it.
    case profile(String, key: String)
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
  /// - Parameter keepsProfile: what the profile says of them holds for the other one too.
  /// - Throws: `usage` when a profile is asked for, by a name of `names`, that isn't there.
  package func renamed(
    _ names: [String: String], keeping: [String], keepsProfile: Bool, replacing: [String: String] = [:]
  ) throws(Failure) -> ParsedArguments {
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
    if keepsProfile {
      other.fromProfile = fromProfile.compactMap(moved)
      other.profileSecrets = profileSecrets
    } else if let readProfile, other.flag("profile") {
      try readProfile(&other)
    }
    return other
  }

  mutating func addFromProfile(_ entry: Entry) { fromProfile.append(entry) }

  // MARK: Positionals

  /// Octet for octet: a body or a file name need not be UTF-8.
  package var positionals: [[UInt8]] {
    entries.compactMap { if case .positional = $0.subject { $0.bytes } else { nil } }
  }

  // MARK: Options

  /// Whether the option was given: on the command line, by its variable, in the profile.
  package func flag(_ name: String) -> Bool { given(name) != nil }

  /// As `flag`, of an option that the command need not have.
  package func isGiven(_ name: String) -> Bool { found(name) != nil }

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
    for entry in (fromProfile + entries).reversed() {
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
    case .profile(let section, let key): "\(key) in [\(section)]"
    case .standard: row(name).spelling
    }
  }

  /// The failure for a value that only its user can check: a URL, `K=V`, `IN:OUT`.
  package func badValue(of name: String, _ value: String, expected: String) -> Failure {
    .badValue(of: row(name), spelling: spelling(name), value: value, expected: expected)
  }

  /// A variable that is no option's, of the command's `environment` rows, or what the profile has in its place. An empty
  /// one is one that isn't set, where a profile could say otherwise.
  package func environment(_ variable: String) -> String? {
    guard let row = command.environment.first(where: { $0.name == variable }) else {
      preconditionFailure("no environment row \(variable)")
    }
    let value = variables(variable)
    return row.key == nil || value?.isEmpty == false ? value : profileSecrets[variable]?.value ?? value
  }

  /// Whether `environment` has it from the profile.
  package func isFromProfile(_ variable: String) -> Bool {
    (variables(variable) ?? "").isEmpty && profileSecrets[variable] != nil
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
    for row in command.environment {
      guard let key = row.key, let value = environment(row.name), !value.isEmpty else { continue }
      let source = isFromProfile(row.name) ? profileSecrets[row.name]?.source : nil
      lines.append("\(key) \(showSecrets ? value : "***")\(origin(source ?? .environment(row.name), spelling: ""))")
    }
    return lines
  }

  private func line(_ option: OptionSpec, _ value: [UInt8]?, _ source: Source, _ showSecrets: Bool) -> String {
    let origin = origin(source, spelling: option.spelling)
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

  private func origin(_ source: Source, spelling expected: String) -> String {
    switch source {
    case .arguments(let spelling): spelling == expected ? "" : " (\(spelling))"
    case .environment(let name): " (\(name))"
    case .profile(let section, _): " (profile \(section))"
    case .standard: " (default)"
    }
  }

  private func current(_ name: String) -> OptionValue? {
    if let entry = given(name) { return entry.value }
    let option = row(name)
    guard case .value(let text) = option.standard, let kind = option.kind else { return nil }
    return try? kind.parse(Array(text.utf8))
  }

  private func given(_ name: String) -> Entry? {
    let entry = found(name)
    assert(entry != nil || exists(name))
    return entry
  }

  private func found(_ name: String) -> Entry? {
    entries.last { $0.isOption(name) } ?? fromEnvironment.last { $0.isOption(name) }
      ?? fromProfile.last { $0.isOption(name) }
  }

  private func all(_ name: String) -> [Entry] {
    let typed = entries.filter { $0.isOption(name) }
    if !typed.isEmpty { return typed }
    assert(exists(name))
    let set = fromEnvironment.filter { $0.isOption(name) }
    return set.isEmpty ? fromProfile.filter { $0.isOption(name) } : set
  }

  /// Looking it up each time was a fiftieth of sending one message; the tests ask for every name.
  private func exists(_ name: String) -> Bool { command.option(long: name) != nil }

  private func row(_ name: String) -> OptionSpec {
    guard let row = command.option(long: name) else {
      preconditionFailure("amqp \(command.name) has no --\(name)")
    }
    return row
  }
}
