// What goes with a body: the rows of `amqp send` about the sections of a message.
import Console

extension SendOptions {
  static let message = OptionGroup(
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
      .value("reply-to", "ADDRESS", completion: .queues, "the same as `-P reply-to=ADDRESS`"),
      .value("annotation", "K[:TYPE]=V", repeatable: true, "a message annotation; its key is a symbol"),
      .value("delivery-annotation", "K[:TYPE]=V", repeatable: true, "a delivery annotation; its key is a symbol"),
      .value("footer", "K[:TYPE]=V", repeatable: true, "an entry of the footer; its key is a symbol"),
      .flag(
        "durable", aliases: ["persistent"], "the message survives a restart of the broker: the default",
        details: "Of `--durable` and `--transient` the last one counts."),
      .flag("transient", "the message need not survive a restart of the broker"),
      .value("priority", "N", kind: .integer(0...255), standard: .described("4, not sent"), "the message's priority"),
      .value("ttl", "DUR", kind: .duration, "how long the message lives, in whole milliseconds"),
      .flag(
        "stamp", "put the time of sending into each message, for `amqp receive --stats`",
        details: """
          The message annotation `x-opt-sent-us`, over 0-9-1 a header: microseconds since 1970. Without it `receive --stats` goes \
          by creation-time, where a message has one.
          """),
    ])
}
