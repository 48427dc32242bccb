// How it is sent and what is told of it: the rows of `amqp send` about pace, answers and what is printed.
import Console

extension SendOptions {
  static let sending = OptionGroup(
    "Sending",
    [
      .value(
        "count", short: "c", "N", kind: .count, standard: .described("once each"), "send N messages in all",
        details: "Bodies from arguments, files and whole standard input are repeated until N; a stream is cut at N."),
      .value(
        "rate", "N", kind: .count, standard: .described("none"), "send at most N messages a second",
        details: """
          Evenly: one each 1/N of a second. What the machine was late with is caught up; where there was nothing to send, or the \
          peer took nothing, no burst follows.
          """),
      .flag(
        "keep-timing", "send what `receive -J` saved at the pace at which it came",
        details: "By the `time` in each line's `delivery`; a line without one follows at once."),
      .value("speed", "Nx", standard: .described("1x"), "with `--keep-timing`: so many times as fast, like 2x or 0.5x"),
      .value(
        "window", "N", kind: .count, standard: .described("8192 messages or 4 MiB"),
        "at most N messages unanswered at a time",
        details: "With N given there is no bound in octets: all N are kept in memory until they are answered."),
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
      .value(
        "rejects", "FILE", completion: .file, "the inputs that were not accepted, to be sent again",
        details: """
          In the form of the input: lines, parts ended by `-0` or `-D`, lines of JSON (also for bodies that came as arguments, as \
          files or as the whole of standard input: send them again with `-J`). Sending FILE again loses nothing, and sends \
          nothing twice that was accepted; what nobody answered is in it too, and may have arrived. At an early end the rest of \
          standard input follows: of a file all of it, of a pipe what is in it by then. Empty: all was accepted.
          """),
      .optional(
        "fan-out", "N", kind: .count, implied: "1", "with `--listen`: each message to each receiver",
        details: """
          Sending begins when N receivers are there; one that comes later gets what is sent from then on. Every copy has a receipt \
          of its own; what a leaving receiver has not answered counts as unanswered.
          """),
      SharedOptions.forDuration,
      .flag("dry-run", "print the frames in hexadecimal, a line each, and connect to nothing"),
      SharedOptions.statistics, SharedOptions.progress,
    ])
}
