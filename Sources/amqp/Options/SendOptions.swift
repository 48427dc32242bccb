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
        """, completion: .queues),
      .init("BODY", "a message's body; with `--queue`, `--exchange` or `--routing-key` every argument is one"),
    ],
    groups: [
      bodies, message, sending, replies, link, ConnectOptions.group, TLSOptions.group,
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
    exitMeanings: [.notAccepted: "a message was not accepted, or not answered"],
    seeAlso: ["amqp(1)", "amqp-receive(1)"],
    habits: habits + ConnectOptions.habits,
    urlPositional: SharedOptions.urls)

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
    .init("-x", "an exchange is -e NAME, its routing-key -r KEY"),
    .init("-G", "a group is -P group-id=ID"),
    .init("-A", "without waiting for answers is --mode at-most-once"),
    .init("-W", "the time limit is -t DUR"),
  ]
}
