// The configuration file as text: sections, each a profile, of `key = value`. What a key may be the option rows say, and
// `Parser` asks them; reading the file is somebody else's business.

package struct ProfileFile: Sendable {
  package struct Setting: Sendable {
    package let key: String
    package let value: [UInt8]
    package let line: Int
  }
  package struct Section: Sendable {
    package let name: String
    package internal(set) var settings: [Setting] = []
  }

  package let path: String
  /// Nil: there is no such file.
  package let sections: [Section]?
  /// Everybody on this machine may read it.
  package let isExposed: Bool

  /// - Parameter content: nil when there is no such file.
  package init(path: String, content: [UInt8]?, isExposed: Bool = false) throws(Failure) {
    self.path = path
    self.isExposed = isExposed
    guard let content else {
      sections = nil
      return
    }
    var sections: [Section] = []
    for (index, octets) in content.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let line = ProfileFile.trimmed(octets)
      let place = "\(path):\(index + 1)"
      switch line.first {
      case nil, UInt8(ascii: "#"), UInt8(ascii: ";"): continue
      case UInt8(ascii: "["):
        let name = String(decoding: ProfileFile.trimmed(line.dropFirst().dropLast()), as: UTF8.self)
        guard line.last == UInt8(ascii: "]"), !name.isEmpty else {
          throw .usage(place, "expected [NAME]")
        }
        if sections.contains(where: { $0.name == name }) { throw .usage(place, "[\(name)] is there already") }
        sections.append(Section(name: name))
      default:
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
          // The line itself may be a secret on the wrong line.
          throw .usage(place, "expected KEY = VALUE or [NAME]")
        }
        let key = String(decoding: ProfileFile.trimmed(line[..<equals]), as: UTF8.self)
        guard !sections.isEmpty else { throw .usage("\(place): \(key)", "expected a [NAME] before it") }
        sections[sections.count - 1].settings.append(
          Setting(key: key, value: Array(ProfileFile.trimmed(line[(equals + 1)...])), line: index + 1))
      }
    }
    self.sections = sections
  }

  private static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ c: UInt8) -> Bool { c == 0x20 || c == 0x09 || c == 0x0d }
    let start = octets.drop(while: isBlank)
    guard let end = start.lastIndex(where: { !isBlank($0) }) else { return [] }
    return start[...end]
  }

  package func section(_ name: String) -> Section? { sections?.first { $0.name == name } }
}

extension Parser {
  /// The profile that is asked for, or `[default]` where nothing says whom to speak with: a password in it is for that peer
  /// and no other.
  func readProfile(into parsed: inout ParsedArguments) throws(Failure) {
    guard let row = parsed.command.option(long: "profile") else { return }
    let asked = parsed.value(row.long)
    if asked == nil, parsed.flag("url") || parsed.flag("listen") { return }
    let file = try profiles()
    let name = asked ?? "default"
    guard let section = file.section(name) else {
      if asked != nil { throw missing(name, file) }
      return
    }
    for setting in section.settings { try take(setting, of: section, file, into: &parsed) }
    let secrets = parsed.command.environment.compactMap(\.key)
    let holdsSecret = section.settings.contains { setting in
      let text = String(decoding: setting.value, as: UTF8.self)
      return secrets.contains(setting.key) || setting.key == "url" && Secrets.masked(url: text) != text
    }
    if file.isExposed && holdsSecret {
      parsed.warnings.append(("\(file.path) holds a secret, and everybody may read it", "chmod 600 \(file.path)"))
    }
  }

  private func missing(_ name: String, _ file: ProfileFile) -> Failure {
    guard let sections = file.sections else {
      return .usage(
        "no profile '\(name)'", "there is no \(file.path)", nextStep: "it is a file with a section [\(name)]")
    }
    let names = sections.map(\.name)
    let near = Suggestion.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
    return .usage(
      "no profile '\(name)' in \(file.path)",
      nextStep: near ?? (names.isEmpty ? "it has no [NAME] at all" : "there are: \(names.joined(separator: ", "))"))
  }

  private func take(
    _ setting: ProfileFile.Setting, of section: ProfileFile.Section, _ file: ProfileFile,
    into parsed: inout ParsedArguments
  ) throws(Failure) {
    let command = parsed.command
    let place = "\(file.path):\(setting.line): \(setting.key)"
    if let first = section.settings.first(where: { $0.key == setting.key }), first.line != setting.line,
      command.option(long: setting.key)?.isRepeatable != true
    {
      throw .usage(place, "it is given in line \(first.line) already")
    }
    let source = ParsedArguments.Source.profile(section.name, key: setting.key)
    if let variable = command.environment.first(where: { $0.key == setting.key }) {
      parsed.profileSecrets[variable.name] = (String(decoding: setting.value, as: UTF8.self), source)
      return
    }
    guard !Parser.unfit.contains(setting.key), let option = command.option(long: setting.key),
      option.long == setting.key
    else {
      // What other commands know is theirs.
      if !Parser.unfit.contains(setting.key),
        program.commands.contains(where: { $0.options.contains { $0.long == setting.key } })
      {
        return
      }
      let names = command.options.map(\.long).filter { !Parser.unfit.contains($0) }
      throw .usage(
        place, "no such setting; keys are long options without --",
        nextStep: Suggestion.nearest(to: setting.key, among: names).map { "did you mean \($0)?" })
    }
    switch option.argument {
    case .none:
      switch String(decoding: setting.value, as: UTF8.self) {
      case "true": parsed.addFromProfile(.init(subject: .option(option), value: nil, bytes: [], source: source))
      case "false": break
      default: throw .usage(place, "expected true or false")
      }
    case .required:
      let value = try check(option, place, setting.value)
      parsed.addFromProfile(.init(subject: .option(option), value: value, bytes: setting.value, source: source))
    case .optional(_, _, let implied):
      let bytes = setting.value.isEmpty ? Array(implied.utf8) : setting.value
      let value = try check(option, place, bytes)
      parsed.addFromProfile(.init(subject: .option(option), value: value, bytes: bytes, source: source))
    }
  }

  /// Options that are no settings.
  private static let unfit: Set<String> = ["help", "version", "profile"]
}
