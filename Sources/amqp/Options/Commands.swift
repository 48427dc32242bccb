// The program as data: its commands, and what stands outside of them.
import Console

enum Commands {
  static let program = Program(
    name: "amqp",
    version: "0.1.0",
    date: "2026-11-21",
    summary: "send, receive, probe and decode AMQP",
    description: [
      """
      `amqp` sends and receives messages over AMQP 1.0, with RabbitMQ, Qpid, ActiveMQ Artemis and whatever else speaks it, or \
      with another `amqp` and no broker at all.
      """,
      """
      Data goes to standard output, everything else to standard error. Silence is success. `-` is standard input or output, `--` \
      ends the options, and options may stand after arguments. Durations have units (`500ms`, `10s`, `2m`, `1h`; a bare number \
      is seconds), counts `k` and `m`. An option comes before its environment variable, that before the default.
      """,
    ],
    commandNames: ["send", "receive", "probe", "decode", "help"],
    command: { name in
      switch name {
      case "send": SendOptions.command
      case "receive": ReceiveOptions.command
      case "probe": ProbeOptions.command
      case "decode": DecodeOptions.command
      case "help": help
      default: nil
      }
    },
    planned: [],
    topicNames: ["format"],
    topic: { name in
      switch name {
      case "format": FormatTopic.page
      default: nil
      }
    },
    options: [
      OptionGroup(
        "Options",
        [
          .flag("help", short: "h", "short help; `--help` is the long one"),
          .flag("version", short: "V", "print the version"),
        ])
    ],
    examples: [
      .init("print what is sent to this machine's port 5672, no broker needed", "amqp receive --listen 5672"),
      .init("in another terminal, send it a message", "amqp send amqp://localhost orders hello"),
      .init("everything about a command", "amqp help send"),
    ],
    environment: [
      EnvironmentSpec("AMQP_URL", "the peer to connect to, when `--url` isn't given"),
      EnvironmentSpec("AMQP_USER", "the user to log in as, when `--user` isn't given"),
    ] + SharedOptions.environment,
    seeAlso: ["amqp-send(1)", "amqp-receive(1)", "amqp-probe(1)", "amqp-decode(1)", "amqp-format(5)"])

  private static let help = CommandSpec(
    name: "help",
    summary: "explain a command",
    synopsis: ["[COMMAND | TOPIC]"],
    positionals: [
      .init(
        "COMMAND | TOPIC", "what to explain; `format` is the topic of formats and JSON",
        completion: .words(["send", "receive", "probe", "decode", "format"]))
    ],
    groups: [OptionGroup("General", [.flag("help", short: "h", "short help; `--help` is the long one")])],
    seeAlso: ["amqp(1)"])
}
