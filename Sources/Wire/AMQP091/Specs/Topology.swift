/// The methods that declare, bind and delete. Binding exchanges to exchanges is RabbitMQ's.
/// A test holds every row against the specification's own XML.
extension MethodSpec {
  static let exchange: [MethodSpec] = [
    MethodSpec(
      MethodID.exchangeDeclare, "exchange", "declare",
      [
        .init("reserved-1", .short), .init("exchange", .shortstr), .init("type", .shortstr), .init("passive", .bit),
        .init("durable", .bit), .init("auto-delete", .bit), .init("internal", .bit), .init("no-wait", .bit),
        .init("arguments", .table),
      ], synchronous: true, responses: [MethodID.exchangeDeclareOK]),
    MethodSpec(MethodID.exchangeDeclareOK, "exchange", "declare-ok", synchronous: true),
    MethodSpec(
      MethodID.exchangeDelete, "exchange", "delete",
      [.init("reserved-1", .short), .init("exchange", .shortstr), .init("if-unused", .bit), .init("no-wait", .bit)],
      synchronous: true, responses: [MethodID.exchangeDeleteOK]),
    MethodSpec(MethodID.exchangeDeleteOK, "exchange", "delete-ok", synchronous: true),
    MethodSpec(
      MethodID.exchangeBind, "exchange", "bind",
      [
        .init("reserved-1", .short), .init("destination", .shortstr), .init("source", .shortstr),
        .init("routing-key", .shortstr), .init("no-wait", .bit), .init("arguments", .table),
      ], synchronous: true, responses: [MethodID.exchangeBindOK]),
    MethodSpec(MethodID.exchangeBindOK, "exchange", "bind-ok", synchronous: true),
    MethodSpec(
      MethodID.exchangeUnbind, "exchange", "unbind",
      [
        .init("reserved-1", .short), .init("destination", .shortstr), .init("source", .shortstr),
        .init("routing-key", .shortstr), .init("no-wait", .bit), .init("arguments", .table),
      ], synchronous: true, responses: [MethodID.exchangeUnbindOK]),
    MethodSpec(MethodID.exchangeUnbindOK, "exchange", "unbind-ok", synchronous: true),
  ]

  static let queue: [MethodSpec] = [
    MethodSpec(
      MethodID.queueDeclare, "queue", "declare",
      [
        .init("reserved-1", .short), .init("queue", .shortstr), .init("passive", .bit), .init("durable", .bit),
        .init("exclusive", .bit), .init("auto-delete", .bit), .init("no-wait", .bit), .init("arguments", .table),
      ], synchronous: true, responses: [MethodID.queueDeclareOK]),
    MethodSpec(
      MethodID.queueDeclareOK, "queue", "declare-ok",
      [.init("queue", .shortstr), .init("message-count", .long), .init("consumer-count", .long)], synchronous: true),
    MethodSpec(
      MethodID.queueBind, "queue", "bind",
      [
        .init("reserved-1", .short), .init("queue", .shortstr), .init("exchange", .shortstr),
        .init("routing-key", .shortstr), .init("no-wait", .bit), .init("arguments", .table),
      ], synchronous: true, responses: [MethodID.queueBindOK]),
    MethodSpec(MethodID.queueBindOK, "queue", "bind-ok", synchronous: true),
    MethodSpec(
      MethodID.queueUnbind, "queue", "unbind",
      [
        .init("reserved-1", .short), .init("queue", .shortstr), .init("exchange", .shortstr),
        .init("routing-key", .shortstr), .init("arguments", .table),
      ], synchronous: true, responses: [MethodID.queueUnbindOK]),
    MethodSpec(MethodID.queueUnbindOK, "queue", "unbind-ok", synchronous: true),
    MethodSpec(
      MethodID.queuePurge, "queue", "purge",
      [.init("reserved-1", .short), .init("queue", .shortstr), .init("no-wait", .bit)], synchronous: true,
      responses: [MethodID.queuePurgeOK]),
    MethodSpec(MethodID.queuePurgeOK, "queue", "purge-ok", [.init("message-count", .long)], synchronous: true),
    MethodSpec(
      MethodID.queueDelete, "queue", "delete",
      [
        .init("reserved-1", .short), .init("queue", .shortstr), .init("if-unused", .bit), .init("if-empty", .bit),
        .init("no-wait", .bit),
      ], synchronous: true, responses: [MethodID.queueDeleteOK]),
    MethodSpec(MethodID.queueDeleteOK, "queue", "delete-ok", [.init("message-count", .long)], synchronous: true),
  ]
}
