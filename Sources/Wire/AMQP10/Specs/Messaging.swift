/// Message sections, delivery states, termini and lifetime policies of part 3.
/// A test holds every row against the specification's own XML.
extension CompositeSpec {
  static let messaging: [CompositeSpec] = [
    CompositeSpec(
      "header", "amqp:header:list", 0x70, .list, provides: .section,
      fields: [
        .init("durable", .boolean),
        .init("priority", .ubyte),
        .init("ttl", .milliseconds),
        .init("first-acquirer", .boolean),
        .init("delivery-count", .uint),
      ]),
    CompositeSpec("delivery-annotations", "amqp:delivery-annotations:map", 0x71, .map, provides: .section),
    CompositeSpec("message-annotations", "amqp:message-annotations:map", 0x72, .map, provides: .section),
    CompositeSpec(
      "properties", "amqp:properties:list", 0x73, .list, provides: .section,
      fields: [
        .init("message-id", .any, requires: .messageID),
        .init("user-id", .binary),
        .init("to", .any, requires: .address),
        .init("subject", .string),
        .init("reply-to", .any, requires: .address),
        .init("correlation-id", .any, requires: .messageID),
        .init("content-type", .symbol),
        .init("content-encoding", .symbol),
        .init("absolute-expiry-time", .timestamp),
        .init("creation-time", .timestamp),
        .init("group-id", .string),
        .init("group-sequence", .sequenceNo),
        .init("reply-to-group-id", .string),
      ]),
    CompositeSpec("application-properties", "amqp:application-properties:map", 0x74, .map, provides: .section),
    CompositeSpec("data", "amqp:data:binary", 0x75, .binary, provides: .section),
    CompositeSpec("amqp-sequence", "amqp:amqp-sequence:list", 0x76, .list, provides: .section),
    CompositeSpec("amqp-value", "amqp:amqp-value:*", 0x77, .any, provides: .section),
    CompositeSpec("footer", "amqp:footer:map", 0x78, .map, provides: .section),
    CompositeSpec(
      "received", "amqp:received:list", 0x23, .list, provides: .deliveryState,
      fields: [
        .init("section-number", .uint, mandatory: true),
        .init("section-offset", .ulong, mandatory: true),
      ]),
    CompositeSpec("accepted", "amqp:accepted:list", 0x24, .list, provides: [.deliveryState, .outcome], fields: []),
    CompositeSpec(
      "rejected", "amqp:rejected:list", 0x25, .list, provides: [.deliveryState, .outcome],
      fields: [
        .init("error", .error)
      ]),
    CompositeSpec("released", "amqp:released:list", 0x26, .list, provides: [.deliveryState, .outcome], fields: []),
    CompositeSpec(
      "modified", "amqp:modified:list", 0x27, .list, provides: [.deliveryState, .outcome],
      fields: [
        .init("delivery-failed", .boolean),
        .init("undeliverable-here", .boolean),
        .init("message-annotations", .fields),
      ]),
    CompositeSpec(
      "source", "amqp:source:list", 0x28, .list, provides: .source,
      fields: [
        .init("address", .any, requires: .address),
        .init("durable", .terminusDurability, default: "none"),
        .init("expiry-policy", .terminusExpiryPolicy, default: "session-end"),
        .init("timeout", .seconds, default: "0"),
        .init("dynamic", .boolean, default: "false"),
        .init("dynamic-node-properties", .nodeProperties),
        .init("distribution-mode", .symbol, requires: .distributionMode),
        .init("filter", .filterSet),
        .init("default-outcome", .any, requires: .outcome),
        .init("outcomes", .symbol, multiple: true),
        .init("capabilities", .symbol, multiple: true),
      ]),
    CompositeSpec(
      "target", "amqp:target:list", 0x29, .list, provides: .target,
      fields: [
        .init("address", .any, requires: .address),
        .init("durable", .terminusDurability, default: "none"),
        .init("expiry-policy", .terminusExpiryPolicy, default: "session-end"),
        .init("timeout", .seconds, default: "0"),
        .init("dynamic", .boolean, default: "false"),
        .init("dynamic-node-properties", .nodeProperties),
        .init("capabilities", .symbol, multiple: true),
      ]),
    CompositeSpec("delete-on-close", "amqp:delete-on-close:list", 0x2b, .list, provides: .lifetimePolicy, fields: []),
    CompositeSpec(
      "delete-on-no-links", "amqp:delete-on-no-links:list", 0x2c, .list, provides: .lifetimePolicy, fields: []),
    CompositeSpec(
      "delete-on-no-messages", "amqp:delete-on-no-messages:list", 0x2d, .list, provides: .lifetimePolicy, fields: []),
    CompositeSpec(
      "delete-on-no-links-or-messages", "amqp:delete-on-no-links-or-messages:list", 0x2e, .list,
      provides: .lifetimePolicy, fields: []),
  ]
}
