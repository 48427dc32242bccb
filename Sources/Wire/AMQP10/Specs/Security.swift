/// The SASL frames of part 5.
/// A test holds every row against the specification's own XML.
extension CompositeSpec {
  static let security: [CompositeSpec] = [
    CompositeSpec(
      "sasl-mechanisms", "amqp:sasl-mechanisms:list", 0x40, .list, provides: .saslFrame,
      fields: [
        .init("sasl-server-mechanisms", .symbol, mandatory: true, multiple: true)
      ]),
    CompositeSpec(
      "sasl-init", "amqp:sasl-init:list", 0x41, .list, provides: .saslFrame,
      fields: [
        .init("mechanism", .symbol, mandatory: true),
        .init("initial-response", .binary),
        .init("hostname", .string),
      ]),
    CompositeSpec(
      "sasl-challenge", "amqp:sasl-challenge:list", 0x42, .list, provides: .saslFrame,
      fields: [
        .init("challenge", .binary, mandatory: true)
      ]),
    CompositeSpec(
      "sasl-response", "amqp:sasl-response:list", 0x43, .list, provides: .saslFrame,
      fields: [
        .init("response", .binary, mandatory: true)
      ]),
    CompositeSpec(
      "sasl-outcome", "amqp:sasl-outcome:list", 0x44, .list, provides: .saslFrame,
      fields: [
        .init("code", .saslCode, mandatory: true),
        .init("additional-data", .binary),
      ]),
  ]
}
