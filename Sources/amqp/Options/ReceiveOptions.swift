// `amqp receive`, as data.
import Console

enum ReceiveOptions {
  static let command = CommandSpec(
    name: "receive",
    summary: "receive messages and print them",
    synopsis: ["[OPTION]… SOURCE…", "[OPTION]… SOURCE… -- CMD [ARG]…", "[OPTION]… --listen [HOST:]PORT [PATTERN…]"],
    description: [
      """
      The body of each message and a newline are written to standard output; a message is settled only when its output is \
      written. `amqp receive` runs until Ctrl-C unless an ending is given: `--count`, `--idle`, `--drain` or `--for`.
      """,
      """
      At every end, by whatever cause, what was written is settled and the rest is given back to the peer.
      """,
      """
      With a handler (`--exec`, `--worker`, or a command after `--`) nothing is printed but what handlers put out: a program \
      decides what becomes of each message.
      """,
    ],
    positionals: [
      .init("SOURCE", "where from: a queue's name, `/queues/NAME`, or any address the peer knows", completion: .queues),
      .init("PATTERN", "with `--listen`: the addresses that clients may send to, as shell patterns; none allows any"),
    ],
    afterDashes: .handler,
    groups: [
      endings, output, HandlerOptions.group, settling, selecting, expecting, forwarding, link, ConnectOptions.group,
      TLSOptions.group,
      SharedOptions.general(timeoutHint: "-t is the time limit; the source is an argument"),
    ],
    examples: [
      .init("print what comes, until Ctrl-C", "amqp receive orders"),
      .init("one message, or status 2 after five seconds", "amqp receive orders -c 1 -t 5s"),
      .init("everything that is in the queue, as JSON", "amqp receive orders --drain -J"),
      .init("look, but take nothing", "amqp receive orders --browse --drain -f '%p{subject} %s\\n'"),
      .init("a test: exactly this message, soon", "amqp receive orders --expect-body '{\"id\":7}' --within 10s"),
      .init("run a command for each, four at a time", "amqp receive orders -j 4 -- ./process --verbose"),
      .init("only some of them", "amqp receive orders --match header.tenant=7 --no-match 'body~^#' -c 1"),
      .init("into files, as documents that `amqp send -J` reads", "amqp receive orders --drain --save dump"),
      .init("move what failed back to where it came from", "amqp receive orders.dead --drain --forward orders"),
      .init("no broker: print what clients send here", "amqp receive --listen 5672"),
    ],
    environment: SharedOptions.environment + [
      EnvironmentSpec("AMQP_FORWARD_PASSWORD", "the password that goes with the user of `--forward-url`")
    ],
    exitStatuses: SharedOptions.exitStatuses.dropLast(2) + [
      .handlerNotExecutable, .handlerNotFound, .interrupted, .terminated,
    ],
    exitMeanings: [
      .notAccepted: """
      what `--expect-count`, `--expect-body` and `--expect-property` say did not come; or what was received was not accepted by \
      the target of `--forward`, or not committed
      """
    ],
    seeAlso: ["amqp(1)", "amqp-send(1)"],
    habits: habits + ConnectOptions.habits,
    urlPositional: SharedOptions.urls)

  private static let endings = OptionGroup(
    "Endings",
    [
      .value(
        "count", short: "c", "N", kind: .count, aliases: ["limit"], "end after N messages",
        details: "When another ending comes before, the exit status is 2. No more than N are asked for."),
      .value("idle", "DUR", kind: .duration, "end when nothing came for this long"),
      .flag(
        "drain", "end when the source has no more messages",
        details: "The peer is asked by drain; one that doesn't answer needs `--idle`."),
      SharedOptions.forDuration,
    ])

  private static let output = OptionGroup(
    "Output",
    [
      .value(
        "format", short: "f", "FMT", standard: .value("%s\\n"), "print each message by this format",
        details: """
          `%s` body, `%S` its length, `%x` in hexadecimal, `%b` in base64, `%t` address, `%k` subject, `%h` headers, `%H{key}` one \
          header, `%p{name}` one property, `%o` offset, `%n` number, `%d` delivery count, `%D` redelivered, `%T` arrival in ms, \
          `%I` arrival as RFC 3339, `%R` 4-octet length prefix, `%%`; `\\n`, `\\t`, `\\0`, `\\xHH`. Width and precision as in \
          printf(1).
          """),
      .flag("raw", "print bodies as they are, with nothing between them"),
      .optional(
        "json", short: "J", "FORM", kind: .choice(["lossless", "plain"]), implied: "lossless",
        "print each message as a line of JSON",
        details: """
          `-J` keeps every type, and `amqp send -J` reads it back; `--json=plain` drops types and embeds JSON bodies, for jq(1).
          """),
    ] + SharedOptions.delimiters + [save, SharedOptions.statistics, SharedOptions.progress])

  private static let settling = OptionGroup(
    "Taking and settling",
    [
      .value(
        "credit", "N", kind: .count, standard: .described("500, growing to 8192; with a handler 2 × jobs"),
        "how many messages the peer may send ahead"),
      .value(
        "settle", "OUTCOME", standard: .value("accept"),
        completion: .words([
          "accept", "reject", "release", "modify", "modify:failed", "modify:undeliverable",
          "modify:failed,undeliverable",
          "none",
        ]), "the outcome of each message that is written",
        details: """
          `accept`, `reject`, `release`, `modify` or `none`. `modify` may be followed by `:failed`, `:undeliverable` and \
          annotations `KEY=VALUE`, with commas between them. `none`: taken, not settled, given back at the end. `release` and \
          `modify` are sent when the run ends, so that no message is seen twice.
          """),
      .value(
        "consumer-priority", "N", kind: .integer(-2_147_483_648...2_147_483_647), aliases: ["priority"],
        "among the receivers of a queue, those with the highest priority come first"),
      .flag("exclusive", "be the only receiver of the queue (0-9-1)"),
      .value(
        "argument", "K[:TYPE]=V", repeatable: true, completion: .words(["x-priority=", "x-stream-offset="]),
        "an argument of basic.consume (0-9-1)", details: "A number is an integer; `K:string=5` is text."),
      .flag(
        "browse", "look at messages without taking them",
        details: "The source's distribution mode is copy."),
    ])

  private static let link = OptionGroup(
    "Address and link",
    SharedOptions.address("SOURCE") + [
      SharedOptions.declare,
      .value(
        "filter", "[NAME=]V", repeatable: true,
        completion: .words([
          "apache.org:selector-filter:string=", "apache.org:no-local-filter:list=", "amqp:sql-filter=",
        ]),
        "a filter on the source",
        details: """
          A selector such as `colour = 'red'`, or NAME=V where NAME is the filter's own name and has a colon in it, such as \
          `rabbitmq:stream-filter=invoices`. A filter that the peer leaves out of its answer is reported; some \
          name it there and ignore it all the same, as RabbitMQ 4 with classic queues.
          """),
      .value(
        "offset", short: "o", "POSITION", completion: .words(["first", "last", "next"]), "where to begin in a stream",
        details: """
          `first`, `last`, `next`, a number (that offset), a duration such as `10m` (that long ago), or a time as RFC 3339. Of a \
          RabbitMQ stream, or of a partition of an event hub (`HUB/ConsumerGroups/NAME/Partitions/N`).
          """),
      .value(
        "checkpoint", "FILE", completion: .file, "keep the place in a stream in FILE, and go on from there",
        details: """
          The offset of the last message that was written. When FILE is there already it comes before `--offset`; otherwise \
          `--offset` says where the first run begins.
          """),
      .value(
        "subscription", "NAME[,durable][,shared][,global]", "subscribe under this name",
        details: """
          NAME is the link's name. `durable` keeps the subscription when we leave; `shared` lets several receivers share it, with \
          `global` also those of other container-ids.
          """),
      .value(
        "group", "NAME", completion: .words(["$Default"]), "receive as this consumer group of the event hub SOURCE",
        details: "From all its partitions, for which the node `$management` is asked; `--offset` holds for each."),
    ] + SharedOptions.link(terminus: "source", batch: batch))

  private static let batch = SharedOptions.batch(
    """
    What is decided of N messages is committed together, also when nothing has come for a second, and at the end. Messages are \
    written before they are committed: after a failure they come again. Over 1.0 the peer needs a coordinator; RabbitMQ has none, \
    and is called over 0-9-1.
    """, standard: "100")

  private static let habits: [CommandSpec.Habit] = [
    .init("-b", "a number of messages is -c N"),
    .init("-n", "a number of messages is -c N"),
    .init("-m", "a number of messages is -c N"),
    .init("-p", "a prefetch limit is --credit N; a port is part of the URL: -u amqp://HOST:PORT"),
    .init("-x", "nobody else receives from the queue with --exclusive"),
    .init("-E", "it goes on after a lost connection with --reconnect"),
    .init("-A", "without acknowledgement is --mode at-most-once"),
    .init("-G", "a shared subscription is --subscription NAME,shared"),
    .init("-W", "the time limit is -t DUR, an ending --for DUR"),
    .init("-l", "each message ends with a newline already; -0 and -D change that"),
    .init("--prefetch", "a prefetch limit is --credit N"),
    .init("--no-ack", "without acknowledgement is --mode at-most-once"),
  ]
}
