// What is sent: the rows of `amqp send` about bodies and how they are read.
import Console

extension SendOptions {
  static let bodies = OptionGroup(
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
      .flag(
        "template", "fill in fields in arguments, TARGET and message properties",
        details: """
          `{n}` is the message's number from 1, `{time}` the time as RFC 3339, `{uuid}` a random UUID, `{random:N}` N random letters \
          and digits, `{env:X}` an environment variable; `{{` and `}}` are braces. In BODY, TARGET, `-b`, `-H`, `-P`, `-C`, \
          `--reply-to` and annotations; never in files and standard input.
          """),
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
}
