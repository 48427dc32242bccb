// The only thing that writes to standard error. A message is one write(2), so lines of several processes don't mix, and what
// comes from the other side can't steer the terminal: control characters are shown, not sent.
//
//     amqp: what failed: why
//       the next step

package struct Diagnostics: Sendable {
  package let program: String
  /// Notes are left out; failures never are.
  package let isQuiet: Bool
  /// Details are written too.
  package let isVerbose: Bool
  package let isColored: Bool
  private let descriptor: Int32
  /// What has to go before anything is written.
  private let statusLine: StatusLine?

  package init(
    program: String, isQuiet: Bool = false, isVerbose: Bool = false, isColored: Bool = false, descriptor: Int32 = 2,
    statusLine: StatusLine? = nil
  ) {
    self.statusLine = statusLine
    self.program = program
    self.isQuiet = isQuiet
    self.isVerbose = isVerbose
    self.isColored = isColored
    self.descriptor = descriptor
  }

  /// As the general options of `arguments` say: `--quiet`, `--verbose` and `--color`, for those that the command has.
  package init(_ arguments: ParsedArguments, program: String = "amqp") {
    self.init(
      program: program, isQuiet: arguments.flag("quiet"), isVerbose: arguments.flag("verbose"),
      isColored: Environment.isColored(arguments.value("color") ?? "auto", descriptor: 2))
    if isVerbose {
      for line in arguments.settings(showSecrets: arguments.flag("show-secrets")) { detail(line) }
    }
  }

  /// The same, with this line below everything that is written.
  package func above(_ statusLine: StatusLine?) -> Diagnostics {
    Diagnostics(
      program: program, isQuiet: isQuiet, isVerbose: isVerbose, isColored: isColored, descriptor: descriptor,
      statusLine: statusLine)
  }

  package func report(_ failure: Failure) {
    write(text(failure))
  }

  /// Something that is not asked for but good to know; `--quiet` leaves it out.
  package func note(_ text: String, nextStep: String? = nil) {
    if isQuiet { return }
    write(message(text, nextStep, mark: nil))
  }

  /// Only with `-v`.
  package func detail(_ text: @autoclosure () -> String) {
    if isVerbose { write(message(text(), nil, mark: nil)) }
  }

  /// Whole lines as they are, such as a trace or statistics that were asked for: the caller has made them safe to show.
  package func writeLines(_ bytes: Span<UInt8>) {
    statusLine?.hide()
    _ = unsafe bytes.withUnsafeBufferPointer { unsafe writeAll(descriptor, UnsafeRawBufferPointer($0)) }
  }

  package func text(_ failure: Failure) -> String {
    let text = failure.why.isEmpty ? failure.what : "\(failure.what): \(failure.why)"
    let details = failure.details.map { "  \(Diagnostics.printable($0))\n" }.joined()
    return message(text, nil, mark: "31") + details
      + (failure.nextStep.map { "  \(Diagnostics.printable($0))\n" } ?? "")
  }

  private func message(_ text: String, _ nextStep: String?, mark: String?) -> String {
    let name = isColored ? "\u{1B}[1\(mark.map { ";\($0)" } ?? "")m\(program):\u{1B}[0m" : "\(program):"
    var out = "\(name) \(Diagnostics.printable(text))\n"
    if let nextStep { out += "  \(Diagnostics.printable(nextStep))\n" }
    return out
  }

  /// `text` with control characters as `\n`, `\x1b`, `\u{85}`; also what reorders or hides text on a terminal.
  package static func printable(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A: out += "\\n"
      case 0x0D: out += "\\r"
      case 0x09: out += "\\t"
      case 0..<0x20, 0x7F: out += "\\x" + hex(scalar.value, digits: 2)
      case 0x80..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF:
        out += "\\u{" + hex(scalar.value, digits: 0) + "}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private static func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }

  /// Text as it is, such as a usage overview. Nothing can be said when standard error itself fails, so that ends silently.
  package func write(_ text: String) {
    statusLine?.hide()
    var text = text
    _ = text.withUTF8 { unsafe writeAll(descriptor, UnsafeRawBufferPointer($0)) }
  }
}
