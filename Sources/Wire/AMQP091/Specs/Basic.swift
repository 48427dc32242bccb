/// The methods that carry messages and settle them, and the properties of a message. `nack` and `confirm` are
/// RabbitMQ's.
/// A test holds every row against the specification's own XML.
extension MethodSpec {
  static let basic: [MethodSpec] = [
    MethodSpec(
      MethodID.basicQos, "basic", "qos",
      [.init("prefetch-size", .long), .init("prefetch-count", .short), .init("global", .bit)], synchronous: true,
      responses: [MethodID.basicQosOK]),
    MethodSpec(MethodID.basicQosOK, "basic", "qos-ok", synchronous: true),
    MethodSpec(
      MethodID.basicConsume, "basic", "consume",
      [
        .init("reserved-1", .short), .init("queue", .shortstr), .init("consumer-tag", .shortstr),
        .init("no-local", .bit), .init("no-ack", .bit), .init("exclusive", .bit), .init("no-wait", .bit),
        .init("arguments", .table),
      ], synchronous: true, responses: [MethodID.basicConsumeOK]),
    MethodSpec(MethodID.basicConsumeOK, "basic", "consume-ok", [.init("consumer-tag", .shortstr)], synchronous: true),
    MethodSpec(
      MethodID.basicCancel, "basic", "cancel", [.init("consumer-tag", .shortstr), .init("no-wait", .bit)],
      synchronous: true, responses: [MethodID.basicCancelOK]),
    MethodSpec(MethodID.basicCancelOK, "basic", "cancel-ok", [.init("consumer-tag", .shortstr)], synchronous: true),
    MethodSpec(
      MethodID.basicPublish, "basic", "publish",
      [
        .init("reserved-1", .short), .init("exchange", .shortstr), .init("routing-key", .shortstr),
        .init("mandatory", .bit), .init("immediate", .bit),
      ], content: true),
    MethodSpec(
      MethodID.basicReturn, "basic", "return",
      [
        .init("reply-code", .short), .init("reply-text", .shortstr), .init("exchange", .shortstr),
        .init("routing-key", .shortstr),
      ], content: true),
    MethodSpec(
      MethodID.basicDeliver, "basic", "deliver",
      [
        .init("consumer-tag", .shortstr), .init("delivery-tag", .longlong), .init("redelivered", .bit),
        .init("exchange", .shortstr), .init("routing-key", .shortstr),
      ], content: true),
    MethodSpec(
      MethodID.basicGet, "basic", "get",
      [.init("reserved-1", .short), .init("queue", .shortstr), .init("no-ack", .bit)], synchronous: true,
      responses: [MethodID.basicGetOK, MethodID.basicGetEmpty]),
    MethodSpec(
      MethodID.basicGetOK, "basic", "get-ok",
      [
        .init("delivery-tag", .longlong), .init("redelivered", .bit), .init("exchange", .shortstr),
        .init("routing-key", .shortstr), .init("message-count", .long),
      ], content: true, synchronous: true),
    MethodSpec(MethodID.basicGetEmpty, "basic", "get-empty", [.init("reserved-1", .shortstr)], synchronous: true),
    MethodSpec(MethodID.basicAck, "basic", "ack", [.init("delivery-tag", .longlong), .init("multiple", .bit)]),
    MethodSpec(MethodID.basicReject, "basic", "reject", [.init("delivery-tag", .longlong), .init("requeue", .bit)]),
    MethodSpec(MethodID.basicRecoverAsync, "basic", "recover-async", [.init("requeue", .bit)]),
    MethodSpec(MethodID.basicRecover, "basic", "recover", [.init("requeue", .bit)]),
    MethodSpec(MethodID.basicRecoverOK, "basic", "recover-ok", synchronous: true),
    MethodSpec(
      MethodID.basicNack, "basic", "nack",
      [.init("delivery-tag", .longlong), .init("multiple", .bit), .init("requeue", .bit)]),
  ]

  static let confirm: [MethodSpec] = [
    MethodSpec(
      MethodID.confirmSelect, "confirm", "select", [.init("nowait", .bit)], synchronous: true,
      responses: [MethodID.confirmSelectOK]),
    MethodSpec(MethodID.confirmSelectOK, "confirm", "select-ok", synchronous: true),
  ]

  static let tx: [MethodSpec] = [
    MethodSpec(MethodID.txSelect, "tx", "select", synchronous: true, responses: [MethodID.txSelectOK]),
    MethodSpec(MethodID.txSelectOK, "tx", "select-ok", synchronous: true),
    MethodSpec(MethodID.txCommit, "tx", "commit", synchronous: true, responses: [MethodID.txCommitOK]),
    MethodSpec(MethodID.txCommitOK, "tx", "commit-ok", synchronous: true),
    MethodSpec(MethodID.txRollback, "tx", "rollback", synchronous: true, responses: [MethodID.txRollbackOK]),
    MethodSpec(MethodID.txRollbackOK, "tx", "rollback-ok", synchronous: true),
  ]
}

extension PropertySpec {
  /// In the order of their flags and of the wire. The specification has a reserved one where 0-9 had `cluster-id`, which
  /// is what clients still call it.
  package static let basic: [PropertySpec] = [
    .init("content-type", .shortstr, flag: 0x8000),
    .init("content-encoding", .shortstr, flag: 0x4000),
    .init("headers", .table, flag: 0x2000),
    .init("delivery-mode", .octet, flag: 0x1000),
    .init("priority", .octet, flag: 0x0800),
    .init("correlation-id", .shortstr, flag: 0x0400),
    .init("reply-to", .shortstr, flag: 0x0200),
    .init("expiration", .shortstr, flag: 0x0100),
    .init("message-id", .shortstr, flag: 0x0080),
    .init("timestamp", .timestamp, flag: 0x0040),
    .init("type", .shortstr, flag: 0x0020),
    .init("user-id", .shortstr, flag: 0x0010),
    .init("app-id", .shortstr, flag: 0x0008),
    .init("cluster-id", .shortstr, flag: 0x0004),
  ]
}
