/// The methods of connections and channels. `blocked`, `unblocked` and `update-secret` are RabbitMQ's.
/// A test holds every row against the specification's own XML.
extension MethodSpec {
  static let connection: [MethodSpec] = [
    MethodSpec(
      MethodID.connectionStart, "connection", "start",
      [
        .init("version-major", .octet), .init("version-minor", .octet), .init("server-properties", .table),
        .init("mechanisms", .longstr), .init("locales", .longstr),
      ], synchronous: true, responses: [MethodID.connectionStartOK]),
    MethodSpec(
      MethodID.connectionStartOK, "connection", "start-ok",
      [
        .init("client-properties", .table), .init("mechanism", .shortstr), .init("response", .longstr),
        .init("locale", .shortstr),
      ], synchronous: true),
    MethodSpec(
      MethodID.connectionSecure, "connection", "secure", [.init("challenge", .longstr)], synchronous: true,
      responses: [MethodID.connectionSecureOK]),
    MethodSpec(
      MethodID.connectionSecureOK, "connection", "secure-ok", [.init("response", .longstr)], synchronous: true),
    MethodSpec(
      MethodID.connectionTune, "connection", "tune",
      [.init("channel-max", .short), .init("frame-max", .long), .init("heartbeat", .short)], synchronous: true,
      responses: [MethodID.connectionTuneOK]),
    MethodSpec(
      MethodID.connectionTuneOK, "connection", "tune-ok",
      [.init("channel-max", .short), .init("frame-max", .long), .init("heartbeat", .short)], synchronous: true),
    MethodSpec(
      MethodID.connectionOpen, "connection", "open",
      [.init("virtual-host", .shortstr), .init("reserved-1", .shortstr), .init("reserved-2", .bit)], synchronous: true,
      responses: [MethodID.connectionOpenOK]),
    MethodSpec(MethodID.connectionOpenOK, "connection", "open-ok", [.init("reserved-1", .shortstr)], synchronous: true),
    MethodSpec(
      MethodID.connectionClose, "connection", "close",
      [
        .init("reply-code", .short), .init("reply-text", .shortstr), .init("class-id", .short),
        .init("method-id", .short),
      ], synchronous: true, responses: [MethodID.connectionCloseOK]),
    MethodSpec(MethodID.connectionCloseOK, "connection", "close-ok", synchronous: true),
    MethodSpec(MethodID.connectionBlocked, "connection", "blocked", [.init("reason", .shortstr)]),
    MethodSpec(MethodID.connectionUnblocked, "connection", "unblocked"),
    MethodSpec(
      MethodID.connectionUpdateSecret, "connection", "update-secret",
      [.init("new-secret", .longstr), .init("reason", .shortstr)], synchronous: true,
      responses: [MethodID.connectionUpdateSecretOK]),
    MethodSpec(MethodID.connectionUpdateSecretOK, "connection", "update-secret-ok", synchronous: true),
  ]

  static let channel: [MethodSpec] = [
    MethodSpec(
      MethodID.channelOpen, "channel", "open", [.init("reserved-1", .shortstr)], synchronous: true,
      responses: [MethodID.channelOpenOK]),
    MethodSpec(MethodID.channelOpenOK, "channel", "open-ok", [.init("reserved-1", .longstr)], synchronous: true),
    MethodSpec(
      MethodID.channelFlow, "channel", "flow", [.init("active", .bit)], synchronous: true,
      responses: [MethodID.channelFlowOK]),
    MethodSpec(MethodID.channelFlowOK, "channel", "flow-ok", [.init("active", .bit)]),
    MethodSpec(
      MethodID.channelClose, "channel", "close",
      [
        .init("reply-code", .short), .init("reply-text", .shortstr), .init("class-id", .short),
        .init("method-id", .short),
      ], synchronous: true, responses: [MethodID.channelCloseOK]),
    MethodSpec(MethodID.channelCloseOK, "channel", "close-ok", synchronous: true),
  ]
}
