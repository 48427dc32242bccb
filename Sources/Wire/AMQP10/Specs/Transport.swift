/// The performatives of part 2, and its error type.
/// A test holds every row against the specification's own XML.
extension CompositeSpec {
  static let transport: [CompositeSpec] = [
    CompositeSpec(
      "open", "amqp:open:list", 0x10, .list, provides: .frame,
      fields: [
        .init("container-id", .string, mandatory: true),
        .init("hostname", .string),
        .init("max-frame-size", .uint, default: "4294967295"),
        .init("channel-max", .ushort, default: "65535"),
        .init("idle-time-out", .milliseconds),
        .init("outgoing-locales", .ietfLanguageTag, multiple: true),
        .init("incoming-locales", .ietfLanguageTag, multiple: true),
        .init("offered-capabilities", .symbol, multiple: true),
        .init("desired-capabilities", .symbol, multiple: true),
        .init("properties", .fields),
      ]),
    CompositeSpec(
      "begin", "amqp:begin:list", 0x11, .list, provides: .frame,
      fields: [
        .init("remote-channel", .ushort),
        .init("next-outgoing-id", .transferNumber, mandatory: true),
        .init("incoming-window", .uint, mandatory: true),
        .init("outgoing-window", .uint, mandatory: true),
        .init("handle-max", .handle, default: "4294967295"),
        .init("offered-capabilities", .symbol, multiple: true),
        .init("desired-capabilities", .symbol, multiple: true),
        .init("properties", .fields),
      ]),
    CompositeSpec(
      "attach", "amqp:attach:list", 0x12, .list, provides: .frame,
      fields: [
        .init("name", .string, mandatory: true),
        .init("handle", .handle, mandatory: true),
        .init("role", .role, mandatory: true),
        .init("snd-settle-mode", .senderSettleMode, default: "mixed"),
        .init("rcv-settle-mode", .receiverSettleMode, default: "first"),
        .init("source", .any, requires: .source),
        .init("target", .any, requires: .target),
        .init("unsettled", .map),
        .init("incomplete-unsettled", .boolean, default: "false"),
        .init("initial-delivery-count", .sequenceNo),
        .init("max-message-size", .ulong),
        .init("offered-capabilities", .symbol, multiple: true),
        .init("desired-capabilities", .symbol, multiple: true),
        .init("properties", .fields),
      ]),
    CompositeSpec(
      "flow", "amqp:flow:list", 0x13, .list, provides: .frame,
      fields: [
        .init("next-incoming-id", .transferNumber),
        .init("incoming-window", .uint, mandatory: true),
        .init("next-outgoing-id", .transferNumber, mandatory: true),
        .init("outgoing-window", .uint, mandatory: true),
        .init("handle", .handle),
        .init("delivery-count", .sequenceNo),
        .init("link-credit", .uint),
        .init("available", .uint),
        .init("drain", .boolean, default: "false"),
        .init("echo", .boolean, default: "false"),
        .init("properties", .fields),
      ]),
    CompositeSpec(
      "transfer", "amqp:transfer:list", 0x14, .list, provides: .frame,
      fields: [
        .init("handle", .handle, mandatory: true),
        .init("delivery-id", .deliveryNumber),
        .init("delivery-tag", .deliveryTag),
        .init("message-format", .messageFormat),
        .init("settled", .boolean),
        .init("more", .boolean, default: "false"),
        .init("rcv-settle-mode", .receiverSettleMode),
        .init("state", .any, requires: .deliveryState),
        .init("resume", .boolean, default: "false"),
        .init("aborted", .boolean, default: "false"),
        .init("batchable", .boolean, default: "false"),
      ]),
    CompositeSpec(
      "disposition", "amqp:disposition:list", 0x15, .list, provides: .frame,
      fields: [
        .init("role", .role, mandatory: true),
        .init("first", .deliveryNumber, mandatory: true),
        .init("last", .deliveryNumber),
        .init("settled", .boolean, default: "false"),
        .init("state", .any, requires: .deliveryState),
        .init("batchable", .boolean, default: "false"),
      ]),
    CompositeSpec(
      "detach", "amqp:detach:list", 0x16, .list, provides: .frame,
      fields: [
        .init("handle", .handle, mandatory: true),
        .init("closed", .boolean, default: "false"),
        .init("error", .error),
      ]),
    CompositeSpec(
      "end", "amqp:end:list", 0x17, .list, provides: .frame,
      fields: [
        .init("error", .error)
      ]),
    CompositeSpec(
      "close", "amqp:close:list", 0x18, .list, provides: .frame,
      fields: [
        .init("error", .error)
      ]),
    CompositeSpec(
      "error", "amqp:error:list", 0x1d, .list,
      fields: [
        .init("condition", .symbol, mandatory: true, requires: .errorCondition),
        .init("description", .string),
        .init("info", .fields),
      ]),
  ]
}
