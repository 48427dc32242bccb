// One row an option. The parser, the help, the man pages and the completions read these rows and nothing else, so an option
// is added, changed or removed in one place. Rows know nothing of AMQP.
//
// Texts are plain, lower case, without a final full stop in `summary`; in `details`, `` `x` `` marks literal input.

package struct OptionSpec: Sendable {
  /// The name everywhere: `count` for `--count`.
  package let long: String
  package let short: Character?
  package let argument: Argument
  /// Given more than once, all values count; otherwise the last one wins, as in `alias s='amqp send -c1'; s -c5`.
  package let isRepeatable: Bool
  /// Spellings that also work but are listed nowhere.
  package let aliases: [String]
  package let completion: Completion
  package let standard: Default
  /// The environment variable that is read when the option is not given.
  package let environment: String?
  package let secrecy: Secrecy
  /// One line for `-h`, the completions and the man page.
  package let summary: String
  /// What `--help` and the man page add.
  package let details: String
  /// The next step to print when the value is missing or wrong: what a user of another tool probably meant.
  package let hint: String?

  package enum Argument: Sendable {
    case none
    case required(name: String, ValueKind)
    /// Only as `--name=VALUE`; `--name` alone means `implied`.
    case optional(name: String, ValueKind, implied: String)
  }

  package enum Default: Sendable, Equatable {
    case none
    /// The value used when neither the option nor its variable is given.
    case value(String)
    /// Words for people where the standard behaviour is no value.
    case described(String)
  }

  package enum Completion: Sendable, Equatable {
    case nothing
    case file
    case directory
    /// Proposals among other possible values.
    case words([String])
    /// The sections of the configuration file.
    case profiles
    /// What the user's own command lists: AMQP has no way to ask for all queues.
    case queues
  }

  package enum Secrecy: Sendable {
    case open
    /// A URL: the password between `://user:` and `@` is masked.
    case url
    case secret

    package var conceals: Bool {
      switch self {
      case .open: false
      case .url, .secret: true
      }
    }
  }

  package static func flag(
    _ long: String, short: Character? = nil, aliases: [String] = [], _ summary: String, details: String = ""
  ) -> OptionSpec {
    OptionSpec(
      long: long, short: short, argument: .none, isRepeatable: false, aliases: aliases, completion: .nothing,
      standard: .none, environment: nil, secrecy: .open, summary: summary, details: details, hint: nil)
  }

  package static func value(
    _ long: String, short: Character? = nil, _ name: String, kind: ValueKind = .text, aliases: [String] = [],
    repeatable: Bool = false, standard: Default = .none, completion: Completion = .nothing,
    environment: String? = nil, secrecy: Secrecy = .open, hint: String? = nil, _ summary: String, details: String = ""
  ) -> OptionSpec {
    OptionSpec(
      long: long, short: short, argument: .required(name: name, kind), isRepeatable: repeatable, aliases: aliases,
      completion: completion, standard: standard, environment: environment, secrecy: secrecy, summary: summary,
      details: details, hint: hint)
  }

  package static func optional(
    _ long: String, short: Character? = nil, _ name: String, kind: ValueKind, implied: String,
    standard: Default = .none, completion: Completion = .nothing, _ summary: String, details: String = ""
  ) -> OptionSpec {
    OptionSpec(
      long: long, short: short, argument: .optional(name: name, kind, implied: implied), isRepeatable: false,
      aliases: [], completion: completion, standard: standard, environment: nil, secrecy: .open, summary: summary,
      details: details, hint: nil)
  }

  /// `--count`: how messages name the option when the user's own spelling is not known.
  package var spelling: String { "--\(long)" }

  package var kind: ValueKind? {
    switch argument {
    case .none: nil
    case .required(_, let kind), .optional(_, let kind, _): kind
    }
  }

  /// What a shell proposes as the value.
  package var proposals: Completion {
    switch kind {
    case .choice(let choices), .list(let choices): .words(choices)
    case .text, .bytes, .duration, .count, .size, .integer, nil: completion
    }
  }
}

/// Options under one heading of the help.
package struct OptionGroup: Sendable {
  package let title: String
  package let options: [OptionSpec]

  package init(_ title: String, _ options: [OptionSpec]) {
    self.title = title
    self.options = options
  }
}
