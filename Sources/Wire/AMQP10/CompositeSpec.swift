/// The specification as data: one row for every described type of AMQP 1.0. Encoder, decoder, dissector, JSON and
/// validation read these rows and nothing else, so adding a field is one line under `Specs/`.

/// The type a field names, spelled as the specification spells it, and the primitive behind it.
package enum FieldType: String, Sendable, CaseIterable {
  case any = "*"
  case binary, boolean, error, fields, handle, map, milliseconds, role, seconds, string, symbol
  case timestamp, ubyte, uint, ulong, ushort
  case deliveryNumber = "delivery-number"
  case deliveryTag = "delivery-tag"
  case filterSet = "filter-set"
  case ietfLanguageTag = "ietf-language-tag"
  case messageFormat = "message-format"
  case nodeProperties = "node-properties"
  case receiverSettleMode = "receiver-settle-mode"
  case saslCode = "sasl-code"
  case senderSettleMode = "sender-settle-mode"
  case sequenceNo = "sequence-no"
  case terminusDurability = "terminus-durability"
  case terminusExpiryPolicy = "terminus-expiry-policy"
  case transferNumber = "transfer-number"

  /// What is on the wire. `error` is a described list, which `any` lets through; its row is checked by its descriptor.
  package var primitive: Primitive {
    switch self {
    case .any, .error: .any
    case .binary, .deliveryTag: .binary
    case .boolean, .role: .boolean
    case .map, .fields, .filterSet, .nodeProperties: .map
    case .string: .string
    case .symbol, .ietfLanguageTag, .terminusExpiryPolicy: .symbol
    case .timestamp: .timestamp
    case .ubyte, .senderSettleMode, .receiverSettleMode, .saslCode: .ubyte
    case .ushort: .ushort
    case .uint, .handle, .milliseconds, .seconds, .deliveryNumber, .transferNumber, .sequenceNo, .messageFormat,
      .terminusDurability:
      .uint
    case .ulong: .ulong
    }
  }

  /// The names the specification gives to some of the values, in the order of the values from 0.
  package var choices: [String] {
    switch self {
    case .role: ["sender", "receiver"]
    case .senderSettleMode: ["unsettled", "settled", "mixed"]
    case .receiverSettleMode: ["first", "second"]
    case .terminusDurability: ["none", "configuration", "unsettled-state"]
    case .saslCode: ["ok", "auth", "sys", "sys-perm", "sys-temp"]
    case .any, .binary, .boolean, .error, .fields, .handle, .map, .milliseconds, .seconds, .string, .symbol,
      .timestamp, .ubyte, .uint, .ulong, .ushort, .deliveryNumber, .deliveryTag, .filterSet, .ietfLanguageTag,
      .messageFormat, .nodeProperties, .sequenceNo, .terminusExpiryPolicy, .transferNumber:
      []
    }
  }
}

extension FieldType {
  /// Where the specification lists the choices, or says what the keys are.
  var section: String {
    switch self {
    case .senderSettleMode: "part 2 §2.8.2"
    case .receiverSettleMode: "part 2 §2.8.3"
    case .terminusDurability: "part 3 §3.5.5"
    case .saslCode: "part 5 §5.3.3.6"
    case .filterSet: "part 3 §3.5.8"
    case .nodeProperties: "part 3 §3.5.9"
    default: "part 2 §2.8.13"
    }
  }
}

/// The roles that a described type can play (`provides`) and that a field asks for (`requires`), part 1 §1.4.
package struct Archetypes: OptionSet, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let address = Archetypes(rawValue: 1)
  package static let deliveryState = Archetypes(rawValue: 1 << 1)
  package static let distributionMode = Archetypes(rawValue: 1 << 2)
  /// Not in the specification, whose fields name the type itself.
  static let error = Archetypes(rawValue: 1 << 3)
  static let errorCondition = Archetypes(rawValue: 1 << 4)
  /// Not in the specification: what may stand in a filter set.
  package static let filter = Archetypes(rawValue: 1 << 5)
  package static let frame = Archetypes(rawValue: 1 << 6)
  static let globalTxID = Archetypes(rawValue: 1 << 7)
  static let lifetimePolicy = Archetypes(rawValue: 1 << 8)
  package static let messageID = Archetypes(rawValue: 1 << 9)
  package static let outcome = Archetypes(rawValue: 1 << 10)
  package static let saslFrame = Archetypes(rawValue: 1 << 11)
  package static let section = Archetypes(rawValue: 1 << 12)
  package static let source = Archetypes(rawValue: 1 << 13)
  package static let target = Archetypes(rawValue: 1 << 14)
  static let txnCapability = Archetypes(rawValue: 1 << 15)
  static let txnID = Archetypes(rawValue: 1 << 16)

  /// In the order of the bits.
  private static let names = [
    "address", "delivery-state", "distribution-mode", "error", "error-condition", "filter", "frame", "global-tx-id",
    "lifetime-policy", "message-id", "outcome", "sasl-frame", "section", "source", "target", "txn-capability", "txn-id",
  ]

  /// As the specification writes it: "delivery-state,outcome"; empty for none.
  package var text: String {
    Archetypes.names.indices.filter { rawValue & 1 << UInt32($0) != 0 }.map { Archetypes.names[$0] }
      .joined(separator: ",")
  }
}

package struct FieldSpec: Sendable {
  package let name: String
  package let type: FieldType
  package let mandatory: Bool
  package let multiple: Bool
  package let defaultText: String?
  package let requires: Archetypes
  /// `type.primitive`, looked up once.
  let primitive: Primitive

  init(
    _ name: String, _ type: FieldType, mandatory: Bool = false, multiple: Bool = false,
    default defaultText: String? = nil, requires: Archetypes = []
  ) {
    (self.name, self.type, self.mandatory, self.multiple) = (name, type, mandatory, multiple)
    (self.defaultText, self.requires, self.primitive) = (defaultText, requires, type.primitive)
  }
}

package struct CompositeSpec: Sendable {
  package let name: String
  /// The symbolic descriptor, `amqp:open:list`.
  package let symbol: String
  /// The numeric descriptor; a few types of brokers have a symbol only.
  package let code: UInt64?
  /// What carries the value: a list for the composites, else any primitive.
  package let source: Primitive
  package let provides: Archetypes
  /// Nil for a restricted type (a described map, binary, …), which has no named fields.
  package let fields: [FieldSpec]?
  /// One bit for each mandatory field.
  let mandatory: UInt32

  init(
    _ name: String, _ symbol: String, _ code: UInt64?, _ source: Primitive, provides: Archetypes = [],
    fields: [FieldSpec]? = nil
  ) {
    (self.name, self.symbol, self.code, self.source) = (name, symbol, code, source)
    (self.provides, self.fields) = (provides, fields)
    var bits: UInt32 = 0
    for (i, field) in (fields ?? []).enumerated() where field.mandatory { bits |= 1 << UInt32(i) }
    mandatory = bits
  }

  /// All rows; a row's index in here is how nodes refer to it.
  package static let all: [CompositeSpec] = transport + messaging + security + transactions + filters

  package static func row(_ index: UInt16) -> CompositeSpec? {
    index < all.count ? all[Int(index)] : nil
  }

  /// No row: the descriptor is nobody's we know.
  package static let unknown = UInt16.max

  /// The row with this numeric descriptor, or `unknown`.
  package static func index(code: UInt64) -> UInt16 {
    if code < 256 { return byCode[Int(code)] }
    for (i, row) in all.enumerated() where row.code == code { return UInt16(i) }
    return unknown
  }

  /// The row with this symbolic descriptor, or `unknown`.
  package static func index(symbol: String) -> UInt16 {
    for (i, row) in all.enumerated() where row.symbol == symbol { return UInt16(i) }
    return unknown
  }

  private static let byCode: [UInt16] = {
    var t = [UInt16](repeating: unknown, count: 256)
    for (i, row) in all.enumerated() {
      if let code = row.code, code < 256 { t[Int(code)] = UInt16(i) }
    }
    return t
  }()
}

/// The numeric descriptors that code names.
package enum Code {
  package static let open: UInt64 = 0x10
  package static let begin: UInt64 = 0x11
  package static let attach: UInt64 = 0x12
  package static let flow: UInt64 = 0x13
  package static let transfer: UInt64 = 0x14
  package static let disposition: UInt64 = 0x15
  package static let detach: UInt64 = 0x16
  package static let end: UInt64 = 0x17
  package static let close: UInt64 = 0x18
  package static let error: UInt64 = 0x1d
  package static let received: UInt64 = 0x23
  package static let accepted: UInt64 = 0x24
  package static let rejected: UInt64 = 0x25
  package static let released: UInt64 = 0x26
  package static let modified: UInt64 = 0x27
  package static let source: UInt64 = 0x28
  package static let target: UInt64 = 0x29
  package static let deleteOnClose: UInt64 = 0x2b
  package static let coordinator: UInt64 = 0x30
  package static let declare: UInt64 = 0x31
  package static let discharge: UInt64 = 0x32
  package static let declared: UInt64 = 0x33
  package static let transactionalState: UInt64 = 0x34
  package static let saslMechanisms: UInt64 = 0x40
  package static let saslInit: UInt64 = 0x41
  package static let saslChallenge: UInt64 = 0x42
  package static let saslResponse: UInt64 = 0x43
  package static let saslOutcome: UInt64 = 0x44
  package static let header: UInt64 = 0x70
  package static let deliveryAnnotations: UInt64 = 0x71
  package static let messageAnnotations: UInt64 = 0x72
  package static let properties: UInt64 = 0x73
  package static let applicationProperties: UInt64 = 0x74
  package static let data: UInt64 = 0x75
  package static let amqpSequence: UInt64 = 0x76
  package static let amqpValue: UInt64 = 0x77
  package static let footer: UInt64 = 0x78
}
