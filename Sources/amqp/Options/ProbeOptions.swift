// `amqp probe`, as data.
import Console

enum ProbeOptions {
  static let command = CommandSpec(
    name: "probe",
    summary: "find out what a peer is, what it speaks, and how it does",
    synopsis: ["[OPTION]… [URL] [NODE]…", "[OPTION]… --listen [HOST:]PORT"],
    description: [
      """
      Looks at a peer from the outside in: its name, TCP and TLS with the time that each takes, the certificates it shows; which \
      versions of AMQP it answers, each asked for on a connection of its own; whether it takes our credentials; what it announces \
      of itself; how long ten round trips take; and what it says of each NODE. What was learned before something went wrong is \
      printed all the same.
      """,
      """
      Nothing is taken and nothing is altered. A NODE is looked at by passive declaration (0-9-1), at the management node of \
      RabbitMQ 4, and by attaching links without credit to it (1.0): a peer that makes a node of every address that is attached to \
      makes this one too.
      """,
      """
      A round trip is the time from our `end` of an empty session to the peer's (1.0), or from `basic.qos` to its `qos-ok` \
      (0-9-1): what every peer has to answer, and has the least to do about.
      """,
    ],
    positionals: [
      .init(
        "NODE", "a queue's name, or any address the peer knows: is it there, and what is in it?", completion: .queues)
    ],
    groups: [
      output, conditions, nodes, connection, TLSOptions.group,
      SharedOptions.general(timeoutHint: "-t is the time limit; the node is an argument"),
    ],
    examples: [
      .init("what is on this machine's port 5672?", "amqp probe"),
      .init("is the queue there, and what is in it?", "amqp probe amqp://localhost orders"),
      .init("status 3 when too much is in it", "amqp probe orders --expect 'queue.messages < 1000'"),
      .init(
        "is the certificate good for two more weeks?", "amqp probe amqps://broker.example --expect 'tls.days-left > 14'"
      ),
      .init("in a start script: until the broker and the queue are there", "amqp probe orders --wait 60s"),
      .init("every two seconds, a line", "amqp probe orders --watch 2s"),
      .init("what does my client announce?", "amqp probe --listen 5672"),
    ],
    environment: SharedOptions.environment,
    exitStatuses: [
      .success, .failure, .incomplete, .notAccepted, .usage, .badInput, .noInput, .noSuchAddress, .unreachable,
      .cannotWrite, .protocolViolation, .refused, .interrupted, .terminated,
    ],
    exitMeanings: [.failure: "another failure", .notAccepted: "what `--expect` says does not hold"],
    seeAlso: ["amqp(1)", "amqp-send(1)", "amqp-receive(1)", "amqp-format(5)"],
    habits: ConnectOptions.habits,
    urlPositional: SharedOptions.urls)

  private static let output = OptionGroup(
    "Output",
    [
      .flag(
        "json", short: "J", "print a line of JSON for each peer",
        details: "`amqp help format` lists the keys."),
      .value(
        "watch", "DUR", kind: .duration, "look again every DUR, and print a line a time",
        details: """
          Until Ctrl-C, which prints a summary, or `--count`. The headers are asked only once. With `-J` every line is a whole \
          object.
          """),
      .value(
        "count", short: "c", "N", kind: .count, "end after N rounds of `--watch`, or N clients of `--listen`"),
    ])

  private static let conditions = OptionGroup(
    "Conditions",
    [
      .value(
        "expect", "EXPR", repeatable: true,
        completion: .words([
          "queue.messages", "queue.consumers", "queue.exists", "queue.type", "tls.days-left", "version", "speaks",
          "rtt.median-ms",
        ]), "fail with status 3 unless this holds",
        details: """
          `KEY OP VALUE`, as in `queue.messages < 1000`, `tls.days-left > 14`, `version >= 4`, `speaks contains 0-9-1`; or `KEY` alone, \
          which has to be there, and neither false, 0 nor empty. OP is `<`, `<=`, `>`, `>=`, `=`, `!=` or `contains`. The keys are those of \
          `-J`; `queue.KEY` (or `node.KEY`) has to hold for every NODE. Text is compared as a version, by its components. With \
          `queue.exists = false` a NODE that isn't there is no failure.
          """)
    ])

  private static let nodes = OptionGroup("Nodes", SharedOptions.address("NODE"))

  /// Every round is a connection of its own: there is none that could be got back.
  private static let connection = OptionGroup(
    ConnectOptions.group.title,
    [ConnectOptions.url(list: "All peers of a list, `URL,URL,…`, are looked at at once, each by itself.")]
      + ConnectOptions.group.options.filter { !["url", "wait", "reconnect"].contains($0.long) } + [wait])

  private static let wait: OptionSpec = .value(
    "wait", "DUR", kind: .duration, standard: .described("not at all"),
    "keep looking for this long until the peer answers",
    details: """
      With NODE or `--expect`: until they hold. Wrong credentials, a certificate that is not trusted, and a peer that speaks \
      something else end it at once.
      """)
}
