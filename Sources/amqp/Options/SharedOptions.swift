// Rows that every command has, and rows that several share. A row is one option: see `OptionSpec`.
import Console

enum SharedOptions {
  /// `timeoutHint`: what a word after -t is in other tools, in the terms of this command.
  static func general(timeoutHint: String) -> OptionGroup {
    OptionGroup(
      "General",
      [
        .flag("help", short: "h", "short help; `--help` is the long one"),
        .flag("version", short: "V", "print the version"),
        .flag(
          "verbose", short: "v", "print the settings in force and what is decided on the way",
          details: "One line for each setting, with where it came from; secrets are masked."),
        .flag("quiet", "print no notes, only failures"),
        .value(
          "color", "WHEN", kind: .choice(["auto", "always", "never"]), aliases: ["colour"], standard: .value("auto"),
          "colour on standard error and in traces",
          details: "`auto` colours on a terminal, unless `NO_COLOR` is set."),
        .flag(
          "show-secrets", "don't mask passwords in what `-v` and `--trace` print",
          details: "Messages of failures never show the value of a secret."),
        .value(
          "timeout", short: "t", "DUR", kind: .duration, standard: .described("none"),
          hint: timeoutHint,
          "fail with status 2 when this time has passed",
          details: "Durations have units: `500ms`, `10s`, `2m`, `1h`; a bare number is seconds."),
      ])
  }

  static func address(_ positional: String) -> [OptionSpec] {
    [
      .value(
        "queue", short: "q", "NAME", completion: .queues, "the queue, literally",
        details: "The name is not looked at: no slash or colon in it means anything."),
      .value(
        "exchange", short: "e", "NAME",
        hint: "-e is the exchange; to stop when the queue is empty, 'amqp receive' has --drain",
        "the exchange, literally", details: "Over 1.0 this is the address `/exchanges/NAME` of RabbitMQ 4."),
      .value(
        "routing-key", short: "r", "KEY", aliases: ["routingkey"], "the routing key that goes with `--exchange`"),
    ]
  }

  static let declare: OptionSpec = .value(
    "declare", "SPEC", repeatable: true,
    completion: .words(["queue:", "exchange:", "bind:"]), "make a queue, an exchange or a binding before anything else",
    details: """
      `queue:NAME`, then any of `type=quorum` (or `stream`, `classic`), `transient`, `exclusive`, `auto-delete` and `x-…=V`; \
      `exchange:NAME`, then `type=topic`, `transient`, `auto-delete`, `internal`; `bind:EXCHANGE:QUEUE` or \
      `bind:EXCHANGE:exchange:EXCHANGE`, then `key=KEY` and headers K=V; all with commas between. `passive` only looks \
      whether it is there. What is there already as it is asked for is fine. Over 0-9-1, and over 1.0 with RabbitMQ 4.
      """)

  /// Of `--mode transaction`.
  static func batch(_ details: String, standard: String) -> OptionSpec {
    .value(
      "batch", "N", kind: .count, standard: .described(standard), "messages in a transaction", details: details)
  }

  /// How a link is attached. `terminus` is its far end: the source of a receiver, the target of a sender.
  static func link(terminus: String, batch: OptionSpec) -> [OptionSpec] {
    [
      .value(
        "mode", "MODE", kind: .choice(["at-most-once", "at-least-once", "exactly-once", "transaction"]),
        standard: .value("at-least-once"),
        "the guarantee of delivery",
        details: """
          `at-most-once`: messages are sent settled and may get lost. `at-least-once`: a message is settled when the other side \
          has answered, and may come twice. `exactly-once`: both sides settle in turn (receiver settles second); where the \
          peer can't, that is an error. `transaction`: messages count together or not at all, see `--batch`.
          """),
      batch,
      .value(
        "snd-settle-mode", "MODE", kind: .choice(["unsettled", "settled", "mixed"]),
        standard: .described("by `--mode`"),
        "the sender's settlement mode asked for in attach"),
      .value(
        "rcv-settle-mode", "MODE", kind: .choice(["first", "second"]), standard: .described("by `--mode`"),
        "the receiver's settlement mode asked for in attach"),
      .value(
        "session-window", "IN[:OUT]", standard: .described("by buffer size"),
        "the session's windows, in transfer frames",
        details: "`IN` is our incoming window, `OUT` the outgoing one that begin announces."),
      .value(
        "capability", "NAME", repeatable: true, completion: .words(["queue", "topic", "temporary-queue"]),
        "a capability to ask of the \(terminus)"),
      .value(
        "link-name", "NAME", standard: .described("a fresh one"), "the link's name",
        details: "Together with `--container-id` it is what a peer knows the link by when it comes back."),
      .value(
        "terminus-durability", "WHAT", kind: .choice(["none", "configuration", "unsettled-state"]),
        standard: .value("none"),
        "what of the \(terminus) the peer keeps across its own restart"),
      .value(
        "terminus-expiry", "WHEN", kind: .choice(["link-detach", "session-end", "connection-close", "never"]),
        standard: .value("session-end"), "when the \(terminus) begins to expire"),
      .value(
        "terminus-timeout", "DUR", kind: .duration, standard: .value("0"),
        "how long the \(terminus) lives after that, in whole seconds"),
      .optional(
        "dynamic", "LIFETIME",
        kind: .choice([
          "delete-on-close", "delete-on-no-links", "delete-on-no-messages", "delete-on-no-links-or-messages",
        ]), implied: "delete-on-close", "have the peer create the \(terminus)",
        details: """
          No address is given then; the one that the peer chose is printed on standard error. `--dynamic` alone is \
          `--dynamic=delete-on-close`.
          """),
    ]
  }

  /// How a stream of messages is cut and ended, the same way in and out.
  static let delimiters: [OptionSpec] = [
    .flag("null", short: "0", "messages end with a NUL octet"),
    .value("delimiter", short: "D", "STR", kind: .bytes, "messages end with this string"),
  ]

  static let statistics: OptionSpec = .optional(
    "stats", "FORM", kind: .choice(["text", "json"]), implied: "text", "print counts, rates and times at the end",
    details: """
      On standard error, as text or as one line of JSON; with the times that messages took, as percentiles and a histogram. Of \
      `send`: from sending to the answer. Of `receive`: from sending to here, where messages say when they were sent (`amqp \
      send --stamp`, or else creation-time over 1.0); both clocks are the wall's, so that on two machines they must agree.
      """)

  static let progress: OptionSpec = .value(
    "progress", "WHEN", kind: .choice(["auto", "always", "never"]), standard: .value("auto"),
    "a status line for a run that takes over a second",
    details: """
      On standard error: messages, rate, how many are in flight, time, and time left where that is known. `auto`: when standard \
      error is a terminal, and messages aren't printed to one. `always`: also elsewhere, there a line each second.
      """)

  static let forDuration: OptionSpec = .value(
    "for", "DUR", kind: .duration, "end well when this time has passed",
    details: "Unlike `--timeout` this is an ending, not a failure.")

  static let urls = CommandSpec.URLPositional(prefixes: ["amqp://", "amqps://"], option: "url")

  static let environment =
    [
      EnvironmentSpec("AMQP_PASSWORD", "the password that goes with `--user` or a URL without one", key: "password"),
      EnvironmentSpec("AMQP_TOKEN", "an OAuth 2 token, as with `--token-file`", key: "token"),
      EnvironmentSpec("AMQP_SAS_KEY", "the shared access key of `--sas-key-name`", key: "sas-key"),
    ] + TLSOptions.environment + [
      EnvironmentSpec("NO_COLOR", "when set and not empty, `--color auto` means `never`")
    ]

  static let exitStatuses: [ExitCode] = [
    .success, .failure, .incomplete, .notAccepted, .usage, .badInput, .noInput, .noSuchAddress, .unreachable,
    .cannotWrite, .protocolViolation, .refused, .interrupted, .terminated,
  ]
}
