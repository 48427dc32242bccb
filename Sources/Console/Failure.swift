// The one error the command line throws: what failed, why, what to do next, and the exit status.
// It is data: `Diagnostics` prints it, `main` exits with it.

package struct Failure: Error, Equatable, Sendable {
  /// What was attempted, without capital and full stop: `cannot connect to localhost:5672`.
  package var what: String
  /// Why it failed, or empty when `what` says it all.
  package var why: String
  /// The next step, paste-able where it can be.
  package var nextStep: String?
  /// Lines that follow the first: a difference, say.
  package var details: [String] = []
  package var exitCode: ExitCode
  /// It may be gone at another attempt.
  package var isTemporary = false

  package init(_ what: String, _ why: String = "", nextStep: String? = nil, exitCode: ExitCode) {
    self.what = what
    self.why = why
    self.nextStep = nextStep
    self.exitCode = exitCode
  }

  package static func usage(_ what: String, _ why: String = "", nextStep: String? = nil) -> Failure {
    Failure(what, why, nextStep: nextStep, exitCode: .usage)
  }

  /// A value an option can't take; `value` is not shown when the option's values may hold a secret.
  package static func badValue(
    of option: OptionSpec, spelling: String? = nil, value: String, expected: String
  ) -> Failure {
    let name = spelling ?? option.spelling
    let shown = option.secrecy.conceals ? "" : " '\(value)'"
    return .usage("\(name)\(shown)", "expected \(expected)", nextStep: option.hint)
  }
}
