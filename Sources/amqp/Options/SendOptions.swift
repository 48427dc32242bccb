// `amqp send`, as data.
import Console

enum SendOptions {
  static let command = CommandSpec(
    name: "send",
    summary: "send messages to a queue, exchange or address",
    synopsis: ["[OPTION]… [TARGET] [BODY…]", "[OPTION]… --listen [HOST:]PORT [BODY…]"],
    description: [
      """
      Each BODY is a message, as is each `--body` and each `--file`. Without any of them the message is read from standard \
      input: whole, or cut into messages by `--lines`, `--null`, `--delimiter` or `--json`.
      """,
      """
      `amqp send` ends when every message has its receipt. A message that is not accepted is reported with the peer's condition \
      and description, and decides the exit status.
      """,
    ],
    positionals: [
      .init(
        "TARGET",
        """
        where to: a queue's name, `/queues/NAME`, `/exchanges/NAME/KEY`, or any address the peer knows; empty (`''`) is the \
        anonymous relay, where each message's property `to` says it
        """),
      .init("BODY", "a message's body; with `--queue`, `--exchange` or `--routing-key` every argument is one"),
    ],
    groups: [
      bodies, message, sending, link, ConnectOptions.group, TLSOptions.group,
      SharedOptions.general(
        timeoutHint: "-t is the time limit; the reply address is --reply-to ADDRESS, the target an argument"),
    ],
    examples: [
      .init("one message, to a broker on this machine", "amqp send orders hello"),
      .init("each line of a file as a message", "amqp send -l orders < lines.txt"),
      .init(
        "a JSON document, with its type and a subject",
        "amqp send orders --file order.json -C application/json -P subject=new"),
      .init("a thousand messages, a hundred a second", "amqp send orders hello -c 1k --rate 100"),
      .init("no broker: serve the lines to whoever connects", "amqp send --listen 5672 -l < lines.txt"),
      .init("see what would be sent, without connecting", "amqp send orders hello --dry-run"),
    ],
    environment: SharedOptions.environment,
    exitStatuses: SharedOptions.exitStatuses,
    seeAlso: ["amqp(1)", "amqp-receive(1)"],
    habits: habits + ConnectOptions.habits,
    urlPositional: SharedOptions.urls)

  private static let bodies = OptionGroup(
    "Message bodies",
    [
      .value("body", short: "b", "BODY", kind: .bytes, aliases: ["message"], repeatable: true, "a message's body"),
      .value(
        "file", "FILE", kind: .bytes, repeatable: true, completion: .file, "a file whose content is a body",
        details: "Of a directory, each file in it, in the order of their names. `-` is standard input."),
      .flag(
        "lines", short: "l", aliases: ["line-buffered"], "each line of standard input is a message",
        details: "The newline is not part of it, nor a carriage return before that."),
    ] + SharedOptions.delimiters + [
      .flag(
        "json", short: "J", "each line of standard input is a message in JSON",
        details: "The form that `amqp receive -J` prints: nothing is lost on the way."),
      .flag("keep-empty", "send empty lines too; they are skipped otherwise"),
      .flag("hex", "bodies are given in hexadecimal"),
      .flag("base64", "bodies are given in base64"),
      .value(
        "body-as", "SECTION", kind: .choice(["data", "string", "value", "sequence"]), standard: .value("data"),
        "the section that carries the body",
        details: """
          `data` is one binary section; `string` an amqp-value with a string; `value` an amqp-value and `sequence` an \
          amqp-sequence, both written as in the JSON form of messages.
          """),
    ])

  private static let message = OptionGroup(
    "Message properties",
    [
      .value(
        "header", short: "H", "K[:TYPE]=V", repeatable: true, "an application property",
        details: """
          Of type string, or of the AMQP type that is named: boolean, ubyte, ushort, uint, ulong, byte, short, int, long, float, \
          double, char, timestamp, uuid, binary, symbol. `K: V` works too.
          """),
      .value(
        "property", short: "P", "NAME=V", repeatable: true,
        completion: .words([
          "message-id=", "user-id=", "to=", "subject=", "reply-to=", "correlation-id=", "content-type=",
          "content-encoding=", "absolute-expiry-time=", "creation-time=", "group-id=", "group-sequence=",
          "reply-to-group-id=", "type=", "app-id=", "cluster-id=", "expiration=", "timestamp=", "delivery-mode=",
        ]), "a standard property, by the specification's name",
        details: """
          message-id, user-id, to, subject, reply-to, correlation-id, content-type, content-encoding, absolute-expiry-time, \
          creation-time, group-id, group-sequence, reply-to-group-id. Of 0-9-1 also type, app-id, cluster-id, and by its own \
          names expiration (ms), timestamp (s) and delivery-mode (1 or 2).
          """),
      .value("content-type", short: "C", "TYPE", "the same as `-P content-type=TYPE`"),
      .value("reply-to", "ADDRESS", "the same as `-P reply-to=ADDRESS`"),
      .value("annotation", "K[:TYPE]=V", repeatable: true, "a message annotation; its key is a symbol"),
      .value("delivery-annotation", "K[:TYPE]=V", repeatable: true, "a delivery annotation; its key is a symbol"),
      .value("footer", "K[:TYPE]=V", repeatable: true, "an entry of the footer; its key is a symbol"),
      .flag(
        "durable", aliases: ["persistent"], "the message survives a restart of the broker: the default",
        details: "Of `--durable` and `--transient` the last one counts."),
      .flag("transient", "the message need not survive a restart of the broker"),
      .value("priority", "N", kind: .integer(0...255), standard: .described("4, not sent"), "the message's priority"),
      .value("ttl", "DUR", kind: .duration, "how long the message lives, in whole milliseconds"),
    ])

  private static let sending = OptionGroup(
    "Sending",
    [
      .value(
        "count", short: "c", "N", kind: .count, standard: .described("once each"), "send N messages in all",
        details: "Bodies from arguments, files and whole standard input are repeated until N; a stream is cut at N."),
      .value("rate", "N", kind: .count, standard: .described("none"), "send at most N messages a second"),
      .value(
        "window", "N", kind: .count, standard: .described("8192 messages or 4 MiB"),
        "at most N messages unanswered at a time"),
      .value(
        "answer-timeout", "DUR", kind: .duration, standard: .value("30s"),
        "how long to wait for credit, and for the answer to a message",
        details: "A message that is not answered by then is reported as such, and the exit status is 3."),
      .value(
        "receipts", "FILE", completion: .file, "what became of each message, as lines of JSON; `-` is standard output",
        details: """
          `{"n":1,"outcome":"accepted","status":200,"ms":1.234}` in the order in which answers come, with `condition` and \
          `description` where the peer gives them; every message that was read has one line. `n` counts the messages as they \
          were read, `ms` is from sending to the answer. Status 200: accepted, or sent with `--mode at-most-once`. 400: the \
          peer can't answer, or the input is no message (`refused`). 503: the peer does not have it (`rejected`, `released`, \
          `modified`, `returned`, `settled` without an outcome, `rolled-back`, `unsent`). 408: no answer came (`unanswered`).
          """),
      SharedOptions.forDuration,
      .flag("dry-run", "print the frames in hexadecimal, a line each, and connect to nothing"),
      SharedOptions.statistics,
    ])

  private static let link = OptionGroup(
    "Address and link",
    SharedOptions.address("TARGET") + [SharedOptions.declare] + SharedOptions.link(terminus: "target", batch: batch))

  private static let batch = SharedOptions.batch(
    """
    Each N messages are committed, and so is what is left at the end; without N the whole input is one transaction, which the \
    peer keeps until then, and so do we. A message that is not accepted rolls its batch back, as does Ctrl-C; the next batch is \
    sent all the same. Over 0-9-1 RabbitMQ looks for queues only when it commits: a missing queue is found before that, but a key \
    to which nothing is bound comes back when all else is committed. Over 1.0 the peer needs a coordinator; RabbitMQ has none, \
    and is called over 0-9-1.
    """, standard: "all")

  private static let habits: [CommandSpec.Habit] = [
    .init("-f", "a file's content is a body with --file FILE"),
    .init("-m", "a body is an argument or -b BODY; a number of messages is -c N"),
    .init("-n", "an empty message is the empty argument ''; a number of messages is -c N"),
    .init("-p", "messages are durable unless --transient is given; a port is part of the URL: -u amqp://HOST:PORT"),
    .init("-s", "standard input is read when there is no BODY; the server is part of the URL: -u amqp://HOST:PORT"),
    .init("-E", "the content encoding is -P content-encoding=ENCODING"),
    .init("-G", "a group is -P group-id=ID"),
    .init("-A", "without waiting for answers is --mode at-most-once"),
    .init("-W", "the time limit is -t DUR"),
  ]
}
