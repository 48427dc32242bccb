/// The coordinator and the transaction types of part 4.
/// A test holds every row against the specification's own XML.
extension CompositeSpec {
  static let transactions: [CompositeSpec] = [
    CompositeSpec(
      "coordinator", "amqp:coordinator:list", 0x30, .list, provides: .target,
      fields: [
        .init("capabilities", .symbol, multiple: true, requires: .txnCapability)
      ]),
    CompositeSpec(
      "declare", "amqp:declare:list", 0x31, .list,
      fields: [
        .init("global-id", .any, requires: .globalTxID)
      ]),
    CompositeSpec(
      "discharge", "amqp:discharge:list", 0x32, .list,
      fields: [
        .init("txn-id", .any, mandatory: true, requires: .txnID),
        .init("fail", .boolean),
      ]),
    CompositeSpec(
      "declared", "amqp:declared:list", 0x33, .list, provides: [.deliveryState, .outcome],
      fields: [
        .init("txn-id", .any, mandatory: true, requires: .txnID)
      ]),
    CompositeSpec(
      "transactional-state", "amqp:transactional-state:list", 0x34, .list, provides: .deliveryState,
      fields: [
        .init("txn-id", .any, mandatory: true, requires: .txnID),
        .init("outcome", .any, requires: .outcome),
      ]),
  ]
}
