// `amqp decode`, as data.
import Capture
import Console

enum DecodeOptions {
  static let command = CommandSpec(
    name: "decode",
    summary: "show what octets, a log or a capture say",
    synopsis: ["[OPTION]… [FILE | HEX]…", "[OPTION]… --tap [HOST:]PORT=HOST:PORT"],
    description: [
      """
      Reads AMQP 1.0 and 0-9-1 from capture files (pcap, pcapng), raw octets, and from text as it stands in logs and dumps \
      (hexdump, xxd, tcpdump, base64, escapes, traces of clients, …). The form of the input and the protocol are detected, \
      also in the middle of a connection; what was detected, skipped and left out is said on standard error.
      """,
      """
      A line a frame is written to standard output, with names instead of numbers: the link for a handle, the time from \
      a transfer to its disposition. A malformed frame says where, what was expected, what stood there, and the section of \
      the specification; decoding goes on with the next frame, and the exit status is 65.
      """,
    ],
    positionals: [
      .init("FILE", "what to read; `-` or nothing is standard input", completion: .file),
      .init("HEX", "an even run of 8 or more hex digits is hex itself (`./cafe1234` is a file); several are joined"),
    ],
    groups: [input, output, selection, tap, general],
    examples: [
      .init("a frame from a log", "amqp decode 0000001f02000000005314c008054343a001004341005377a10568656c6c6f"),
      .init("a capture, one line a frame", "amqp decode bug.pcapng"),
      .init("the messages in it, as `amqp send -J` reads them", "amqp decode --messages -J bug.pcapng"),
      .init("who waits for whom", "amqp decode --ladder bug.pcapng | less -R"),
      .init("watch a client talk with a broker", "amqp decode --tap 5673=localhost:5672"),
      .init("what is legal but wrong", "amqp decode --lint bug.pcapng"),
    ],
    environment: [EnvironmentSpec("NO_COLOR", "when set and not empty, `--color auto` means `never`")],
    exitStatuses: [
      .success, .failure, .incomplete, .notAccepted, .usage, .badInput, .noInput, .unreachable, .cannotWrite,
      .interrupted, .terminated,
    ],
    exitMeanings: [.failure: "another failure", .notAccepted: "`--lint` found something"],
    seeAlso: ["amqp(1)", "amqp-send(1)", "amqp-receive(1)"],
    habits: [
      .init("-r", "the file is an argument"),
      .init("-i", "amqp decode reads files; `tcpdump -w - | amqp decode` watches live"),
      .init("-T", "JSON is -J, every field --tree"),
      .init("-x", "annotated octets are --hex"),
      .init("-Y", "a filter is --only, --channel, --link, --address, --connection or --errors"),
      .init("-d", "no port needs to be told: the protocol is detected"),
      .init("-f", "a growing file is --follow"),
    ])

  private static let input = OptionGroup(
    "Input",
    [
      .value(
        "input", "FORM", kind: .choice(InputForm.allCases.map(\.rawValue)), standard: .value("auto"),
        "the form of the input",
        details: "`auto` detects it. `json` is what `--wire -J` writes."),
      .flag(
        "follow", "wait for more at the end of a file",
        details: "Until Ctrl-C. A pipe is read until its end in any case, each frame as it comes."),
    ])

  private static let output = OptionGroup(
    "Output",
    [
      .flag("tree", "every field with its type, one a line"),
      .flag("hex", "the octets, each with what it means"),
      .optional(
        "json", short: "J", "FORM", kind: .choice(["lossless", "plain"]), implied: "lossless",
        "a frame, or with `--messages` a message, as a line of JSON",
        details: "With `--messages`, `--json=plain` drops types and embeds JSON bodies, for jq(1)."),
      .flag(
        "wire", "with `-J`: how every value is encoded too",
        details: "`amqp decode --input json` makes the same octets of it again."),
      .flag("messages", "the messages that were transferred, joined from their frames"),
      .flag("payload", "the bodies of the messages, each with a newline"),
      .flag("ladder", "the conversation as arrows between its two sides"),
      .flag(
        "stats", "counts by frame, link and outcome, latencies and credit",
        details: "With `-J` as a line of JSON."),
      .flag(
        "lint", "what is legal but wrong",
        details: """
          Windows and credit overrun, deliveries never settled, sections out of order, filters that are not described, … \
          Status 3 when there is something.
          """),
    ])

  private static let selection = OptionGroup(
    "Selection",
    [
      .value(
        "only", "NAME,…", "only these frames: `transfer`, `basic.publish`, `header`, …",
        details: "A class of 0-9-1 (`queue`) stands for all its methods."),
      .value("channel", "N", kind: .integer(0...65_535), "only this channel"),
      .value("link", "NAME", "only what is about this link"),
      .value("address", "ADDRESS", "only what is about this address; over 0-9-1 the exchange, routing key or queue"),
      .value("connection", "N|HOST:PORT", "only this connection: its number, or one of its two ends"),
      .flag("errors", "only what failed: malformed frames, errors, refusals and negative outcomes"),
    ])

  private static let tap = OptionGroup(
    "Tap",
    [
      .value(
        "tap", "[HOST:]PORT=HOST:PORT", "stand between a client and a broker and decode live",
        details: """
          Clients connect to the first, which is 127.0.0.1 when HOST isn't given (PORT 0 picks a free one); each is connected \
          with the second, and the octets are passed on as they are.
          """)
    ])

  private static let general = OptionGroup(
    "General",
    [
      .flag("help", short: "h", "short help; `--help` is the long one"),
      .flag("version", short: "V", "print the version"),
      .flag("verbose", short: "v", "print the settings in force"),
      .flag("quiet", "print no notes on what was detected, only failures"),
      .value(
        "color", "WHEN", kind: .choice(["auto", "always", "never"]), aliases: ["colour"], standard: .value("auto"),
        "colour", details: "`auto` colours on a terminal, unless `NO_COLOR` is set."),
      .flag("show-secrets", "don't mask passwords and tokens"),
      .value(
        "timeout", short: "t", "DUR", kind: .duration, standard: .described("none"),
        "fail with status 2 when this time has passed",
        details: "Durations have units: `500ms`, `10s`, `2m`, `1h`; a bare number is seconds."),
    ])
}
