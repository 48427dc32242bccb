// amqp-format(5): the forms in which messages, values and frames are written and read, by whichever command.
import Console

enum FormatTopic {
  static let page = TopicSpec(
    name: "format",
    section: 5,
    summary: "format strings, and messages, values and frames as JSON",
    parts: [formatString, message, body, values, frame, wire, receipts, probe],
    seeAlso: ["amqp(1)", "amqp-send(1)", "amqp-receive(1)", "amqp-probe(1)", "amqp-decode(1)"])

  private static let formatString = TopicSpec.Part(
    "Format strings",
    [
      .text(
        """
        What `amqp receive --format` takes. Width, precision, `-` and `0` are those of printf(3) and count characters, not \
        octets. What a message doesn't have is empty. A mistake in the string is found before anything is connected.
        """),
      .rows([
        .init("%s", "the body"),
        .init("%S", "its length in octets"),
        .init("%x, %b", "the body in hexadecimal, in base64"),
        .init("%R", "the length of the body as four octets, most significant first"),
        .init("%t", "the address it was received from"),
        .init("%k", "subject, or routing key"),
        .init("%e", "the exchange"),
        .init("%h, %H{KEY}", "all application properties (or headers) as `k=v,k=v`, or one of them"),
        .init("%p{NAME}", "a field of the header or the properties, by the specification's name"),
        .init("%o", "its offset in a stream"),
        .init("%n", "its number in this run, from 1"),
        .init("%d, %D", "the delivery count; whether it was delivered before"),
        .init("%T, %I", "when it arrived: milliseconds since 1970, or as RFC 3339"),
        .init("%%, \\n, \\t, \\r, \\0, \\\\, \\xHH", "these characters"),
      ]),
      .lines(["amqp receive orders -f '%8n %-20.20k %p{message-id} %s\\n'"]),
    ])

  private static let message = TopicSpec.Part(
    "A message as JSON",
    [
      .text(
        """
        One line a message: what `amqp receive -J` and `amqp decode --messages -J` write and `amqp send -J` reads. Nothing is \
        lost on the way: what is read back has the same sections and the same values. Reading is strict: a mistyped name is an \
        error (65) and not a property that silently isn't sent.
        """),
      .lines([
        "{\"address\":\"orders\",\"header\":{\"durable\":true},",
        " \"properties\":{\"message-id\":{\"ulong\":7},\"content-type\":\"text/plain\"},",
        " \"application-properties\":{\"tenant\":{\"int\":5},\"region\":\"eu\"},",
        " \"body\":{\"text\":\"hello\"}}",
      ]),
      .rows([
        .init("address", "where it came from; without TARGET, where `send -J` sends it"),
        .init("header", "`durable`, `priority`, `ttl` (ms), `first-acquirer`, `delivery-count`"),
        .init("delivery-annotations, message-annotations, footer", "maps whose keys are symbols"),
        .init(
          "properties",
          """
          `message-id`, `user-id`, `to`, `subject`, `reply-to`, `correlation-id`, `content-type`, `content-encoding`, \
          `absolute-expiry-time`, `creation-time` (ms), `group-id`, `group-sequence`, `reply-to-group-id`
          """),
        .init("application-properties", "a map whose keys are strings; the headers of 0-9-1"),
        .init("body", "see below"),
        .init("basic", "what only 0-9-1 has: `exchange`, `routing-key`, `type`, `app-id`, `cluster-id`"),
        .init("other-sections", "sections that no specification knows, as described values"),
        .init(
          "delivery",
          "how it came: `number`, `tag`, `settled`, `redelivered`, `time` (ms since 1970), …; not read back"),
        .init("malformed", "where reading it had to stop"),
      ]),
      .text(
        """
        Fields whose type the specification fixes are plain; absent ones are left out. Free values, and message-id and \
        correlation-id unless they are strings, are tagged with their type. A map is an object, unless it has a key of \
        another type, the same key twice, or only the key "map": then it is {"map":[[K,V],…]}. `--json=plain` drops all \
        types and embeds bodies that are JSON themselves: for jq(1), not to be read back.
        """),
    ])

  private static let body = TopicSpec.Part(
    "Its body",
    [
      .rows([
        .init("{\"text\":T}", "one data section of UTF-8; it is never looked into"),
        .init("{\"data\":BASE64}", "one data section of any octets; several are an array"),
        .init("{\"value\":V}", "an amqp-value section"),
        .init("{\"sequence\":[V,…]}", "an amqp-sequence section; several are {\"sequences\":[[V,…],…]}"),
        .init("{\"sections\":[BODY,…]}", "a mix of them"),
        .init("T", "in input, the same as {\"text\":T}"),
      ])
    ])

  private static let values = TopicSpec.Part(
    "A value as JSON",
    [
      .rows([
        .init("null, true, \"text\", [V,…]", "null, boolean, string, list"),
        .init(
          "{\"int\":5}",
          "and byte, ubyte, short, ushort, uint, long, ulong: beyond 2^53 as text, so that no reader rounds"),
        .init(
          "{\"double\":1.5}", "and float: the shortest text that reads back as the same bits, or \"NaN\", \"Infinity\""),
        .init("{\"decimal64\":\"HEX\"}", "and decimal32, decimal128: the bits, exactly"),
        .init("{\"timestamp\":0}", "milliseconds since 1970-01-01T00:00:00Z"),
        .init("{\"symbol\":\"s\"}, {\"char\":\"é\"}", "text of other types"),
        .init("{\"uuid\":\"8-4-4-4-12\"}", "a UUID"),
        .init("{\"binary\":BASE64}", "octets"),
        .init("{\"map\":[[K,V],…]}", "a map, in its own order"),
        .init("{\"described\":{\"descriptor\":V,\"value\":V}}", "a described value"),
        .init(
          "{\"array\":{\"type\":T,\"items\":[…]}}",
          """
          an array, its elements as they stand inside their tag; "descriptors" that all share; elements without octets as \
          "value" and "count"
          """),
        .init("{\"longstr\":BASE64}, {\"decimal\":\"-3.14\"}", "of 0-9-1: a long string that is no UTF-8, a decimal"),
      ]),
      .text("A plain number in input is a long or a double; an object with no tag is an error."),
    ])

  private static let frame = TopicSpec.Part(
    "A frame as JSON",
    [
      .text("One line a frame, from `amqp decode -J`. Every name stands once, every type is exact."),
      .lines([
        "{\"time\":1700000000204.123,\"connection\":1,\"direction\":\"C>S\",\"offset\":52,",
        " \"link\":\"l\",\"address\":\"q\",\"channel\":0,\"frame\":\"transfer\",",
        " \"fields\":{\"handle\":0,\"delivery-id\":1,\"delivery-tag\":\"AA==\"},",
        " \"message\":{\"body\":{\"text\":\"hi\"}}}",
        "{\"channel\":1,\"frame\":\"basic.publish\",",
        " \"fields\":{\"exchange\":\"logs\",\"routing-key\":\"a.b\",\"mandatory\":true}}",
      ]),
      .rows([
        .init("time", "of the packet, milliseconds since 1970"),
        .init("connection, direction, offset", "which one, `C>S` or `S>C`, and where in its octets"),
        .init("link, address", "what the handle stands for"),
        .init(
          "latency, since", "milliseconds from what \"since\" names; \"answered\" deliveries, \"unknown\": begun before"
        ),
        .init("fields", "of the performative or method"),
        .init("message", "a whole message, as above, with the frame that ends it; a part of one is \"payload\""),
        .init("problems", "what is wrong: offset, expected, got, path and section of the specification"),
        .init("rest", "octets that could not be read for it, in hexadecimal"),
      ]),
      .text("Secrets are \"***\" unless `--show-secrets` is given."),
    ])

  private static let wire = TopicSpec.Part(
    "A frame with its encoding",
    [
      .text(
        """
        `amqp decode -J --wire` adds "size", "doff" and "type", and has "items" in place of "fields": each value with its \
        "offset" and "format" code, down to the leaves. `amqp decode --input json` puts the same octets together again.
        """)
    ])

  private static let receipts = TopicSpec.Part(
    "Receipts",
    [
      .text("One line a message, from `amqp send --receipts`, in the order in which answers come."),
      .lines(["{\"n\":1,\"outcome\":\"accepted\",\"status\":200,\"ms\":1.234}"]),
      .rows([
        .init("n", "its number among the messages as they were read, from 1"),
        .init(
          "outcome",
          """
          `accepted`, `sent` (no answer was asked for), `rejected`, `released`, `modified`, `returned`, `settled`, \
          `rolled-back`, `unsent`, `unanswered`, `refused` (the input is no message)
          """),
        .init("status", "200 done, 400 can't be, 408 nobody knows, 503 the peer doesn't have it"),
        .init("ms", "from sending to the answer"),
        .init("condition, description", "what the peer said of it"),
      ]),
    ])

  private static let probe = TopicSpec.Part(
    "A look at a peer as JSON",
    [
      .text(
        """
        What `amqp probe -J` writes: an object on a line of its own for each peer and round. What is not known is left out. \
        Conditions of `--expect` name the same keys; those inside of another come after a point, as in `tls.days-left`, and \
        the elements of an array are counted from 0. Times are milliseconds with three digits behind the point.
        """)
    ] + ProbeKeys.report.flatMap(blocks) + blocks(ProbeKeys.client))

  private static func blocks(_ keys: ProbeKeys) -> [TopicSpec.Block] {
    [.text(keys.introduction), .rows(keys.rows.map { .init($0.names, $0.meaning) })]
  }
}
