// The keys of a report's JSON, which are those of conditions too: what the manual says of them, and what a condition may begin
// with.

/// Keys that stand in the same place.
struct ProbeKeys {
  /// What stands in front of each. S is for amqp-1-0 or amqp-0-9-1, P for a protocol, N for a number, T for the source or
  /// the target of a node.
  let prefix: String
  let introduction: String
  let rows: [Row]

  struct Row {
    /// With commas between; a final `*` is for whatever the peer says.
    let names: String
    let meaning: String

    init(_ names: String, _ meaning: String) { (self.names, self.meaning) = (names, meaning) }
  }

  /// Each key with all that is in front of it.
  var paths: [String] {
    rows.flatMap { $0.names.split(separator: ",") }.map { prefix + $0.drop { $0 == " " } }
  }

  static let report: [ProbeKeys] = [
    ProbeKeys(
      prefix: "", introduction: "Of the peer:",
      rows: [
        Row("peer", "host and port"),
        Row("time", "when the look began, in milliseconds since 1970"),
        Row("round", "1, and more with `--watch`"),
        Row("ok", "whether it was reached, let us in and kept to its protocol"),
        Row("error.what, error.why", "why not"),
        Row("error.next-step, error.exit-status", "what to do, and the status that is for it"),
        Row("product, version, platform", "what it says it is"),
        Row("dns.ms, dns.addresses", "its name: the time to resolve it, 0 where nobody is asked"),
        Row("tcp.ms, tcp.address", "the connection"),
        Row("speaks", "the protocols it speaks: `1-0-sasl`, `1-0`, `0-9-1`, `0-9`, `0-8`, `0-10`"),
        Row("mechanisms", "the SASL mechanisms it offers"),
        Row("credentials", "`accepted` or `refused`"),
        Row("mechanism, user", "how we logged in"),
        Row("unmet", "the conditions that don't hold, each with its `why`"),
      ]),
    ProbeKeys(
      prefix: "tls.", introduction: "Of TLS, behind `tls.`:",
      rows: [
        Row("ms, version, cipher", "the session"),
        Row("trusted, fault", "whether the certificate is good for this name, and why not"),
        Row("days-left", "whole days until the peer's certificate expires"),
        Row("subject, issuer, names", "what the peer's certificate says"),
        Row("not-before, not-after", "from when to when it is good"),
        Row("chain", "the same of every certificate it showed, its own first"),
      ]),
    ProbeKeys(
      prefix: "protocols.P.", introduction: "Of each protocol header, behind `protocols.1-0` and so on:",
      rows: [Row("spoken, answer, ms", "whether it is spoken, what came, and when")]),
    ProbeKeys(
      prefix: "rtt.", introduction: "Of the round trips, behind `rtt.`, which are those of the first session:",
      rows: [
        Row("of", "what they are: answers to `end` (1.0) or `basic.qos` (0-9-1)"),
        Row("beats", "how many"),
        Row("least-ms, median-ms, mean-ms, most-ms", "their times"),
      ]),
    ProbeKeys(
      prefix: "S.", introduction: "Of the sessions in both protocols, behind `amqp-1-0.` and `amqp-0-9-1.`:",
      rows: [
        Row("open, error", "whether it came to be, and why not, as above"),
        Row("open-ms", "the time from dialling to open"),
        Row("credentials, mechanism, user, rtt", "as above"),
        Row("container-id", "who the peer says it is; over 0-9-1 its cluster"),
        Row("frame-size, channels, idle-time-out-ms", "its limits; one that isn't there is none"),
        Row("agreed-frame-size, agreed-channels", "what both ends keep to"),
        Row("offered-capabilities", "what it can do"),
        Row("desired-capabilities", "what it would like us to do"),
        Row("properties.*", "what else it says of itself"),
        Row("blocked", "why it takes no messages for now"),
      ]),
    ProbeKeys(
      prefix: "nodes.N.",
      introduction: "Of each NODE, in the array `nodes`; in conditions behind `queue.`, for all of them:",
      rows: [
        Row("name, exists, error", "whether it is there, and what the peer says if not"),
        Row("type", "`classic`, `quorum`, `stream` where the peer tells; else `queue`, `topic`, `exchange`"),
        Row("messages, consumers", "how many of them there are"),
        Row("durable, exclusive, auto-delete", "how it was declared (RabbitMQ 4)"),
        Row("leader, replicas, arguments.*", "where it lives, and its arguments (RabbitMQ 4)"),
        Row("source, target", "what the peer answers to a receiver and to a sender (1.0)"),
      ]),
    ProbeKeys(
      prefix: "T.", introduction: "Of these two, behind `source.` and `target.`:",
      rows: [
        Row("address, durable, expiry-policy", "the terminus"),
        Row("capabilities, offered-capabilities", "those of the terminus, and of the link"),
        Row("filters, outcomes, distribution-mode", "of a source"),
        Row("credit", "what a sender was granted at once"),
        Row("max-message-size", "in octets"),
        Row("snd-settle-mode, rcv-settle-mode", "the link's modes"),
      ]),
  ]

  static let client = ProbeKeys(
    prefix: "", introduction: "What `amqp probe --listen -J` writes of each client when it has left:",
    rows: [
      Row("client, time", "where it came from, and when, in milliseconds since 1970"),
      Row("header", "the first protocol header that it sent"),
      Row("tls.version, tls.cipher", "the TLS session"),
      Row("tls.certificate", "the subject of its certificate"),
      Row("mechanism, user", "how it logged in"),
      Row("product, version, properties", "what it says of itself"),
      Row("container-id, hostname", "over 0-9-1 the connection's name, and the virtual host"),
      Row("frame-size, channels", "the limits that it announces, over 0-9-1 those of tune-ok"),
      Row("idle-time-out-ms", "over 0-9-1 the heartbeat"),
      Row("offered-capabilities", "those of open"),
      Row("desired-capabilities", "the same"),
      Row("did", "what it asked for, in order: `what` (a frame or a method), and the fields that say something"),
      Row("messages, octets", "how much it sent; all of it was rejected"),
      Row("end", "why it is gone, when that was not in good order"),
    ])

  /// What a condition may begin with.
  static let first: [String] =
    ["queue", "node", "nodes", "amqp-1-0", "amqp-0-9-1"]
    + report.filter { !["S.", "T.", "nodes.N."].contains($0.prefix) }.flatMap(\.paths).map {
      String($0.prefix { $0 != "." })
    }.uniqued
}
