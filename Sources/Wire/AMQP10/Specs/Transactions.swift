/// The coordinator and the transaction types of part 4.
/// A test holds every row against the specification's own XML.
extension CompositeSpec {
  static let transactions: [CompositeSpec] = [
    CompositeSpec(
      "coordinator", "amqp:coordinator:list", 0x30, .list, provides: "target",
      fields: [
        .init("capabilities", .symbol, multiple: true, requires: "txn-capability")
      ]),
    CompositeSpec(
      "declare", "amqp:declare:list", 0x31, .list,
      fields: [
        .init("global-id", .any, requires: "global-tx-id")
      ]),
    CompositeSpec(
      "discharge", "amqp:discharge:list", 0x32, .list,
      fields: [
        .init("txn-id", .any, mandatory: true, requires: "txn-id"),
        .init("fail", .boolean),
      ]),
    CompositeSpec(
      "declared", "amqp:declared:list", 0x33, .list, provides: "delivery-state,outcome",
      fields: [
        .init("txn-id", .any, mandatory: true, requires: "txn-id")
      ]),
    CompositeSpec(
      "transactional-state", "amqp:transactional-state:list", 0x34, .list, provides: "delivery-state",
      fields: [
        .init("txn-id", .any, mandatory: true, requires: "txn-id"),
        .init("outcome", .any, requires: "outcome"),
      ]),
  ]
}
