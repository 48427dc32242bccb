/// The two ends of a link (part 3 §3.5) and what can become of a delivery (part 3 §3.4, part 4 §4.5), typed.

package struct Source: Sendable, Equatable {
  /// A string, mostly; null when the source is dynamic or refused.
  package var address: Value = .null
  package var durable: UInt32 = 0
  /// link-detach, session-end (default), connection-close or never.
  package var expiryPolicy: String?
  /// Seconds.
  package var timeout: UInt32 = 0
  package var dynamic = false
  package var dynamicNodeProperties: Value = .null
  /// move or copy.
  package var distributionMode: String?
  /// A map from filter name to described value.
  package var filter: Value = .null
  package var defaultOutcome: Value = .null
  package var outcomes: [String] = []
  package var capabilities: [String] = []

  package init(address: String? = nil) { self.address = Value(address) }

  package init(_ r: Record) {
    address = r[0]
    durable = r[1].u32 ?? 0
    expiryPolicy = r[2].text
    timeout = r[3].u32 ?? 0
    dynamic = r[4].bool ?? false
    dynamicNodeProperties = r[5]
    distributionMode = r[6].text
    filter = r[7]
    defaultOutcome = r[8]
    outcomes = r[9].symbols
    capabilities = r[10].symbols
  }

  package var record: Record {
    Record(
      Code.source,
      [
        address, durable == 0 ? .null : .uint(durable), expiryPolicy.map { .symbol($0) } ?? .null,
        timeout == 0 ? .null : .uint(timeout), dynamic ? .boolean(true) : .null, dynamicNodeProperties,
        distributionMode.map { .symbol($0) } ?? .null, filter, defaultOutcome, Value(symbols: outcomes),
        Value(symbols: capabilities),
      ])
  }
}

/// A target, or (with `coordinator`) the transaction coordinator of part 4 in its place.
package struct Target: Sendable, Equatable {
  package var address: Value = .null
  package var durable: UInt32 = 0
  package var expiryPolicy: String?
  package var timeout: UInt32 = 0
  package var dynamic = false
  package var dynamicNodeProperties: Value = .null
  package var capabilities: [String] = []
  package var coordinator = false

  package init(address: String? = nil) { self.address = Value(address) }

  package init(_ r: Record) {
    if r.code == Code.coordinator {
      coordinator = true
      capabilities = r[0].symbols
      return
    }
    address = r[0]
    durable = r[1].u32 ?? 0
    expiryPolicy = r[2].text
    timeout = r[3].u32 ?? 0
    dynamic = r[4].bool ?? false
    dynamicNodeProperties = r[5]
    capabilities = r[6].symbols
  }

  package var record: Record {
    if coordinator { return Record(Code.coordinator, [Value(symbols: capabilities)]) }
    return Record(
      Code.target,
      [
        address, durable == 0 ? .null : .uint(durable), expiryPolicy.map { .symbol($0) } ?? .null,
        timeout == 0 ? .null : .uint(timeout), dynamic ? .boolean(true) : .null, dynamicNodeProperties,
        Value(symbols: capabilities),
      ])
  }
}

package enum DeliveryState: Sendable, Equatable {
  case received(section: UInt32, offset: UInt64)
  case accepted
  case rejected(AMQPError?)
  case released
  case modified(deliveryFailed: Bool, undeliverableHere: Bool, annotations: Value)
  /// Anything else: declared, transactional-state, a broker's own.
  case other(Value)

  /// Nil for null.
  package init?(_ value: Value) {
    if value.isNull { return nil }
    guard let r = Record(value) else {
      self = .other(value)
      return
    }
    switch r.code {
    case Code.received: self = .received(section: r[0].u32 ?? 0, offset: r[1].unsigned ?? 0)
    case Code.accepted: self = .accepted
    case Code.rejected: self = .rejected(AMQPError(r[0]))
    case Code.released: self = .released
    case Code.modified:
      self = .modified(deliveryFailed: r[0].bool ?? false, undeliverableHere: r[1].bool ?? false, annotations: r[2])
    default: self = .other(value)
    }
  }

  package var value: Value {
    switch self {
    case .received(let section, let offset): Record(Code.received, [.uint(section), .ulong(offset)]).value
    case .accepted: Record(Code.accepted).value
    case .rejected(let error): Record(Code.rejected, [error?.record.value ?? .null]).value
    case .released: Record(Code.released).value
    case .modified(let failed, let here, let annotations):
      Record(
        Code.modified, [failed ? .boolean(true) : .null, here ? .boolean(true) : .null, annotations]
      ).value
    case .other(let value): value
    }
  }

  /// Whether this is an outcome, that is, no later state can follow.
  package var isTerminal: Bool {
    switch self {
    case .accepted, .rejected, .released, .modified: true
    case .received: false
    case .other(let value):
      switch Record(value) {
      case let r? where r.code == Code.declared: true
      // Provisional, until the transaction is discharged; no other outcome follows.
      case let r? where r.code == Code.transactionalState: DeliveryState(r[1])?.isTerminal ?? false
      default: false
      }
    }
  }
}
