// TLS at either end: the rows of every command that speaks to a peer.
import Console

enum TLSOptions {
  static let group = OptionGroup(
    "TLS",
    [
      .value(
        "cacert", "FILE", kind: .bytes, completion: .file, "trust the certificates in FILE, not the system's",
        details: """
          PEM. With `amqps://` the peer's certificate and its names are always checked; this says against whom. With `--listen` \
          every client has to have a certificate that one of these has issued.
          """),
      .value(
        "cert", "FILE", kind: .bytes, completion: .file, "our certificate",
        details: """
          PEM, followed by the certificates between it and its root. With `--listen` this is what makes the port a TLS port.
          """),
      .value(
        "key", "FILE", kind: .bytes, standard: .described("the file of `--cert`"), completion: .file,
        "the private key of `--cert`", details: "PEM; it may be encrypted."),
      .value(
        "key-password-file", "FILE", kind: .bytes, completion: .file,
        "read the passphrase of `--key` from the first line of FILE",
        details: "`-` is standard input. `AMQP_KEY_PASSWORD` is the other way; no option takes the passphrase itself."),
      .flag(
        "insecure", short: "k", "take any certificate",
        details: "The connection is encrypted, and may be with anybody."),
      .value(
        "server-name", "NAME", standard: .described("the URL's host"),
        "the name to ask the server for, and to look for in its certificate"),
      .value(
        "tls", "HOW", kind: .choice(["direct", "in-band"]), standard: .value("direct"), "how TLS begins",
        details: """
          `direct`: at once, as nearly every peer has it. `in-band`: after AMQP 1.0's own header for it, also on the port of \
          `amqp://`. A `--listen` with `--cert` understands both.
          """),
    ])

  static let environment = [
    EnvironmentSpec("AMQP_KEY_PASSWORD", "the passphrase of the private key", key: "key-password"),
    EnvironmentSpec("SSLKEYLOGFILE", "a file to append the keys of TLS sessions to, for Wireshark"),
  ]
}
