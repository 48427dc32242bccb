// Rows of `amqp receive`: which messages are taken, what is expected of them, and their copies in files.
import Console

extension ReceiveOptions {
  static let selecting = OptionGroup(
    "Choosing messages",
    [
      .value(
        "match", "EXPR", repeatable: true,
        completion: .words(["subject=", "header.", "annotation.", "body", "body."]),
        "take only messages of which this holds",
        details: """
          `FIELD=TEXT`, `FIELD!=TEXT`, `FIELD~REGEX`, `FIELD!~REGEX` (extended regular expression, found anywhere), `FIELD<N`, \
          `<=`, `>`, `>=` (numbers), or `FIELD` alone: it is there. FIELD is a property's name (`subject`, `message-id`, \
          `priority`, `type`, `routing-key`, …), `header.NAME`, `annotation.NAME`, `body`, or a path into a body that is JSON: \
          `body.user.id`, `body["a name"]`, `body.items[0]`, `body.items[-1].id`, `body.items[*].id` (any of them). A field \
          that isn't there fulfils only `!=` and `!~`. With several, all must hold. Example: `header.tenant=7`, \
          `body.user.id=7`, `subject~^ord`, `body~ERROR`.
          """),
      .value(
        "no-match", "EXPR", repeatable: true,
        completion: .words(["subject=", "header.", "annotation.", "body", "body."]),
        "take only messages of which this doesn't hold", details: "As `--match`; with several, none may hold."),
      .value(
        "unmatched", "WHAT", kind: .choice(["hold", "accept", "reject"]), standard: .value("hold"),
        "what becomes of messages that are not taken",
        details: """
          `hold`: they are given back when the run ends, so that none comes twice; when they use up all the credit the run ends, \
          with status 1, and `--credit` lets it hold more. Those of a stream that is read by `--offset` are passed over. `accept` and `reject` settle them at once.
          """),
    ])

  static let expecting = OptionGroup(
    "Expectations",
    [
      .value(
        "expect-count", "N", kind: .integer(0...1_000_000_000), "fail with status 3 unless N messages come, not more",
        details: """
          Without another ending (`--count`, `--idle`, `--drain`, `--for`) the run ends well when they have come. 0 needs an \
          ending, or `--within`.
          """),
      .value(
        "expect-body", "BODY", kind: .bytes, repeatable: true, "fail with status 3 unless the body is this",
        details: """
          One: of every message; several: one after the other, and so many messages. An object or array of JSON is compared by \
          what it says. A message that is not what was expected ends the run, with a diff on standard error, and is given back. \
          With expectations bodies are printed only if a form is asked for, such as `-J`.
          """),
      .value(
        "expect-property", "FIELD=TEXT", repeatable: true, "fail with status 3 unless this holds of every message",
        details: "An expression as in `--match`: `subject=orders`, `header.tenant=7`, `priority>3`."),
      .value(
        "within", "DUR", kind: .duration, "fail with status 3 when what is expected is not there in this time"),
    ])

  static let forwarding = OptionGroup(
    "Forwarding",
    [
      .value(
        "forward", "TARGET", completion: .queues, "send each message on to TARGET instead of printing it",
        details: """
          A message is settled at the source when the target has accepted it, so that nothing is lost whoever is \
          killed; one may come twice then. One that the target doesn't accept stays at the source, and the run \
          ends with status 3 (67: no such queue). With `--browse` messages are copied. The target has a connection \
          of its own, also at the same peer, and nothing is taken before its link is there. Within AMQP 1.0 a \
          message goes on as it is, but for delivery-annotations and the header's delivery-count; between the \
          protocols it is changed as RabbitMQ does it, and what has no place on the other side is named once. A \
          routing key stays when TARGET is an exchange without one.
          """),
      .value(
        "forward-url", "URL", standard: .described("the source's peer"), secrecy: .url, "the peer that TARGET is at",
        details: """
          As `--url`. User and password are the URL's own, or the password is `AMQP_FORWARD_PASSWORD`; certificates and time \
          limits hold for both.
          """
      ),
      .value(
        "forward-profile", "NAME", standard: .described("none"), completion: .profiles,
        "the settings of the peer that TARGET is at",
        details: "As `--profile`, for the target's connection; `--forward-url` wins over its url."),
      .value(
        "forward-protocol", "VERSION", kind: .choice(["auto", "1.0", "0-9-1"]),
        standard: .described("at the same peer that of the source, else auto"), "the AMQP version to speak with it"),
    ])

  static let save: OptionSpec = .value(
    "save", "DIR", completion: .directory, "write each message into files in DIR, which is made",
    details: """
      `00000001.json` is the message as `-J` prints it, on one line, so that `cat DIR/*.json | amqp send -J` sends it again as it \
      was; `00000001.body` its body alone. Numbers go on behind those that are there. A message is settled when its files are \
      written. Nothing is printed unless a form is asked for, such as `-f`.
      """)
}
