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
      `amqp` sends and receives messages over AMQP 1.0 and AMQP 0-9-1, with RabbitMQ, Qpid, ActiveMQ Artemis and whatever else \
      speaks one of them, or with another `amqp` and no broker at all.
      """,
      """
      Data goes to standard output, everything else to standard error. Silence is success. `-` is standard input or output, `--` \
      ends the options, and options may stand after arguments. Durations have units (`500ms`, `10s`, `2m`, `1h`; a bare number \
      is seconds), counts `k` and `m`. An option comes before its environment variable, that \
      before the profile, and that before the default.
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
      EnvironmentSpec("AMQP_PROFILE", "the profile, when `--profile` isn't given"),
      EnvironmentSpec(
        Completions.queuesVariable,
        """
        a command that lists queues, a name a line, for the shells' completions; it has a second. With RabbitMQ's command-line \
        tools: `rabbitmqadmin -f bash list queues name | tr ' ' '\\n'`
        """),
      EnvironmentSpec("XDG_CONFIG_HOME", "the folder of configuration files, `~/.config` when it isn't set"),
    ] + SharedOptions.environment,
    files: [
      FileSpec(
        "$XDG_CONFIG_HOME/amqp/config",
        [
          """
          Profiles: sections `[NAME]`, each with lines `KEY = VALUE`. A key is a long option without its dashes; a flag is \
          `true` or `false`; a repeatable one may stand there several times. Blanks around names and values don't count, \
          lines that begin with `#` or `;` are remarks, and there is no quoting: a value is the rest of its line.
          """,
          """
          `password`, `token`, `sas-key` and `key-password` stand for `AMQP_PASSWORD`, `AMQP_TOKEN`, `AMQP_SAS_KEY` and \
          `AMQP_KEY_PASSWORD`; who keeps them here should keep others out, by `chmod 600`. A key that no command knows is an \
          error; one that another command knows is left to it.
          """,
          """
          `--profile NAME`, or `AMQP_PROFILE`, chooses the section. When neither is given, `[default]` is used, unless a URL or \
          `--listen` says whom to speak with: its password is meant for its own peer. `-v` says for each setting where it \
          came from.
          """,
        ])
    ],
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
