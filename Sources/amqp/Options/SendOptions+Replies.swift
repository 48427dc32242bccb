// What comes back: the rows of `amqp send` about replies.
import Console

extension SendOptions {
  static let replies = OptionGroup(
    "Replies",
    [
      .optional(
        "request", "N", kind: .count, implied: "1", "wait for N replies to each message, and print them",
        details: """
          Replies come to a queue that is made for the run, or with `--reply-to` from that queue; a reply is known by its \
          correlation-id, which each message gets unless it has one. Others' replies don't count, and are given back. Any number \
          of requests are under way at a time (`--window`). With `-t` a missing reply is exit status 2.
          """),
      .value(
        "then-receive", "SOURCE", completion: .queues, "receive from SOURCE what comes after sending",
        details: """
          The receiver is there before the first message is sent. It ends after one message, or with `-c N` after N (each BODY is \
          sent once then), or with `--for` when that has passed; with `-t` too few of them are exit status 2.
          """),
      .value(
        "reply-as", "FORM", standard: .value("text"), completion: .words(["text", "raw", "json"]),
        "how to print what comes back: text, raw, json or a format",
        details: "As `amqp receive` does by itself, with `--raw`, with `-J` and with `-f FORM`."),
    ])
}
