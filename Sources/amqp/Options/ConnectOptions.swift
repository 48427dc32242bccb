// Where to connect and as whom: the rows of every command that speaks to a peer.
import Console

enum ConnectOptions {
  static let group = OptionGroup(
    "Connection",
    [
      url(
        list:
          "Of a list, `URL,URL,…`, the first that answers is taken, and with `--reconnect` the next one when that is lost."
      ),
      .value(
        "protocol", "VERSION", kind: .choice(["auto", "1.0", "0-9-1"]), standard: .value("auto"),
        "the AMQP version to speak",
        details: """
          `auto`: 1.0, unless an option needs 0-9-1 or the peer speaks nothing else; `-v` says which and why. With `--listen` \
          clients may speak either.
          """),
      .value(
        "vhost", "NAME", standard: .described("the URL's path, else `/`"), "the virtual host",
        details: "Over 1.0 it is announced as the host name `vhost:NAME`. `--vhost ''` is the one with the empty name."),
      .value(
        "hostname", "NAME", standard: .described("the URL's host"), "the host name to announce in open, as it is"),
      .value(
        "user", "NAME", aliases: ["username"], standard: .described("the URL's user"), environment: "AMQP_USER",
        "the user to log in as"),
      .value(
        "password-file", "FILE", kind: .bytes, completion: .file, "read the password from the first line of FILE",
        details: "`-` is standard input. `AMQP_PASSWORD` is the other way; no option takes the password itself."),
      .value(
        "profile", "NAME", standard: .described("`default`, where nothing else names the peer"), completion: .profiles,
        environment: "AMQP_PROFILE", "take settings from the section [NAME] of the configuration file",
        details: """
          See FILES in amqp(1). An option, and an environment variable, win over the profile. Without it the section [default] \
          is used, if there is one and neither a URL nor `--listen` was given.
          """),
      .value("container-id", "ID", standard: .described("a fresh one"), "our container-id"),
      .value(
        "token-file", "FILE", kind: .bytes, completion: .file, "read an OAuth 2 token from the first line of FILE",
        details: """
          It is sent by XOAUTH2 where that is offered, and as the password of PLAIN otherwise, as RabbitMQ takes it; no user is \
          needed. `-` is standard input. `AMQP_TOKEN` is the other way; no option takes the token itself.
          """),
      .value(
        "sas-key-name", "NAME", "the policy of a shared access key, for Azure Service Bus and Event Hubs",
        details: """
          Every address is used after a token for it was put to `$cbs`, signed with the key, and renewed before it expires. \
          Without a user the SASL mechanism is ANONYMOUS.
          """),
      .value(
        "sas-key-file", "FILE", kind: .bytes, completion: .file,
        "read the key of that policy from the first line of FILE",
        details: "`-` is standard input. `AMQP_SAS_KEY` is the other way; no option takes the key itself."),
      .value(
        "sasl", "MECH,…", kind: .list(Credentials.names), standard: .described("the strongest offered"),
        "the SASL mechanisms allowed, in order of preference; `NONE` leaves SASL out",
        details: """
          Without it the first one that the peer offers of SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, EXTERNAL (with `--cert`, \
          and no user named), XOAUTH2 (with a token), PLAIN, AMQPLAIN and, where no user is named, ANONYMOUS. A refusal is final: \
          no other one is tried. With `--listen` they are what is offered; EXTERNAL is a client certificate that `--cacert` \
          has checked.
          """),
      .value(
        "heartbeat", "DUR", kind: .duration, standard: .value("30s"),
        "give up on a peer that is silent for this long",
        details: "We announce it as idle-time-out, and send empty frames as often as the peer asks for."),
      .value(
        "connect-timeout", "DUR", kind: .duration, standard: .value("10s"), "the time limit of a connection attempt",
        details: "From the name's resolution until the peer's open."),
      .value(
        "wait", "DUR", kind: .duration, standard: .described("not at all"),
        "keep trying for this long until the peer answers",
        details: """
          For a peer that is still starting: all that may pass is tried again, with growing pauses. What won't pass, such as \
          wrong credentials or an unknown virtual host, ends it at once.
          """),
      .optional(
        "reconnect", "N", kind: .integer(0...1_000_000), implied: "0",
        "connect again when the connection is lost, up to N times in a row",
        details: """
          `--reconnect` alone tries without end; `--timeout` bounds that. Links and declarations are made again, and a link that \
          is refused then is asked for anew for 30 seconds, while a broker gets its queues back. What was sent \
          and not answered is sent once more, so it may be there twice: receipts say of which messages. What comes once more \
          from a queue is not printed again where it can be told from what was printed: by its message-id, by its place in a \
          stream, or as a whole if nothing else was like it. Messages of a queue that were with a handler, or on their way to \
          another node, come again and are handled or forwarded again.
          """),
      .value(
        "listen", "[HOST:]PORT", "be the peer: wait for connections, no broker needed",
        details: """
          HOST is 127.0.0.1 when it isn't given, PORT 0 picks a free one; `listening on HOST:PORT` is printed on standard error. \
          Any number of clients may connect.
          """),
      .optional(
        "trace", "FORM", kind: .choice(["line", "tree", "hex"]), implied: "line",
        "print every frame, in and out, on standard error",
        details: "`--trace` alone is `--trace=line`: a line a frame."),
      .value(
        "capture", "FILE", completion: .file, "keep all that passes as a pcapng file",
        details: """
          For Wireshark and `amqp decode`: every connection of the run, with its addresses and times, in clear text also \
          under TLS. Passwords and tokens are overwritten, unless `--show-secrets` is given.
          """),
    ])

  /// - Parameter list: what becomes of several.
  static func url(list: String) -> OptionSpec {
    .value(
      "url", short: "u", "URL", standard: .value("amqp://guest:guest@localhost:5672"), environment: "AMQP_URL",
      secrecy: .url, "the peer to connect to, or several of them",
      details: """
        `amqp://USER:PASSWORD@HOST:PORT/VHOST`, every part but the host optional and percent-encoded; `amqps://` is TLS, port \
        5671. An argument that starts with `amqp://` or `amqps://` is the URL too. RabbitMQ's keys may follow a `?`: \
        `cacertfile`, `certfile`, `keyfile`, `verify` (`verify_peer`, `verify_none`), `server_name_indication`, \
        `auth_mechanism`, `heartbeat` (s), `connection_timeout` (ms), `channel_max`, `frame_max`; an option wins over its key. \
        \(list)
        """)
  }

  static let habits: [CommandSpec.Habit] = [
    .init("-p", "a port is part of the URL: -u amqp://HOST:PORT"),
    .init("-s", "the server is part of the URL: -u amqp://HOST:PORT"),
    .init("-i", "our own id is --container-id ID"),
    .init("-d", "-v prints the settings in force, --trace every frame"),
    .init("--ssl", "TLS is part of the URL: -u amqps://HOST:PORT"),
    .init("--cafile", "the certificates to trust: --cacert FILE"),
    .init("--certfile", "our certificate: --cert FILE"),
    .init("--keyfile", "our private key: --key FILE"),
    .init("--host", "the host is part of the URL: -u amqp://HOST:PORT"),
    .init("--server", "the host is part of the URL: -u amqp://HOST:PORT"),
    .init("--broker", "the broker is a URL: -u amqp://HOST:PORT"),
    .init("--port", "a port is part of the URL: -u amqp://HOST:PORT"),
    .init("--password", "put the password into a file for --password-file FILE, or into AMQP_PASSWORD"),
    .init("--debug", "-v prints the settings in force, --trace every frame"),
    .init("--topic", "the address is an argument"),
    .init("--address", "the address is an argument"),
  ]
}
