// The rows of `amqp receive` that are about handlers: programs that decide what becomes of a message.
import Console

enum HandlerOptions {
  static let group = OptionGroup(
    "Handlers",
    [
      .value(
        "exec", "CMD", kind: .bytes, "run CMD for each message; its exit status decides",
        details: """
          CMD is for `/bin/sh -c`; without anything in it that a shell would look at it is run directly. `-- CMD ARG…` at the end \
          is never looked at by a shell. The body is the standard input; the message as a line of JSON, which `amqp send -J` \
          takes, is descriptor 3. The exit status 0 accepts; 65 rejects; 75 releases; 126 and 127 end the run with that status; \
          everything else, and a death by a signal, hands back as failed. What is handed back is told to the peer after a pause \
          that doubles from 100 ms to 30 s while nothing else happens, with `--drain` at the end. The standard output is passed \
          on, in the order of the messages; a message is settled when its handler has ended and its output is written. When any \
          message was not accepted, the run ends with 3. Variables: `AMQP_MSG_ADDRESS`, `_NUMBER`, `_MESSAGE_ID`, `_CORRELATION_ID`, \
          `_REPLY_TO`, `_SUBJECT`, `_TO`, `_USER_ID`, `_CONTENT_TYPE`, `_CONTENT_ENCODING`, `_CREATION_TIME`, `_GROUP_ID`, \
          `_DURABLE`, `_PRIORITY`, `_TTL`, `_DELIVERY_COUNT`, `_REDELIVERED` and the other fields of header and properties; \
          `_EXCHANGE`, `_ROUTING_KEY`, `_TYPE`, `_APP_ID`; and `AMQP_MSG_H_NAME` for each application property or header, in \
          capitals, with `_` for what is no letter or digit. What has no value, a NUL in it, or more than 64 KiB, has no variable.
          """),
      .value(
        "worker", "CMD", kind: .bytes, "one process for all messages: JSON lines in, outcomes out",
        details: """
          CMD is started once, and as with `--exec`. It reads a line of JSON for each message, that of `-J` with a member `id` in \
          front, and writes a line back for each, in any order: `ID accept`, `ID reject REASON`, `ID release`, or `ID modify` \
          with any of `failed`, `undeliverable` and `KEY=VALUE`. A worker that ends, or writes anything else, loses what it had: \
          that is handed back as failed, and another one is started, after a pause that doubles. Five in a row that end without \
          an answer end the run. At the end its standard input is closed and its end is awaited for 10 s.
          """),
      .value(
        "jobs", short: "j", "N", kind: .count, standard: .value("1"),
        "messages that are handled at a time", details: "For a worker: how many it may have without an answer."),
      .value(
        "job-timeout", "DUR", kind: .duration, standard: .described("none"), "how long a handler may take",
        details: """
          Its process group gets SIGTERM then, SIGKILL 2 s later, and the message is handed back as failed. A worker is ended in \
          the same way and started again. `--timeout` waits for handlers that run.
          """),
      .flag(
        "respond", "send what handlers put out to the reply-to of their messages",
        details: """
          The reply has the message's correlation-id, or else its message-id. The message is accepted when its reply was; when the \
          reply was not, it is rejected. Only a handler that exits with 0 sends one. A worker writes `ID accept BODY`, or `ID reply \
          JSON` with a message as `amqp send -J` takes it. A message without reply-to is handled as without `--respond`.
          """),
    ])
}
