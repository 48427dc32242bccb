/// Transactional work over 1.0 (part 4 §4.4): transfers and dispositions that name the transaction they belong to. Who
/// asks a coordinator for one, and ends it, is above the connection.
import Bytes
import Wire

extension Machine10 {
  mutating func enlist(_ id: [UInt8]?) {
    // What was decided in the last one goes out in front of its discharge.
    if workDue { produce() }
    transaction = id.map { .binary($0) } ?? .null
    var state = ByteQueue()
    // The outcome is the receiver's to say.
    if id != nil { state.append(Record(Code.transactionalState, [transaction]).value) }
    for s in sessions.indices { sessions[s].transactionalState = state.bytes }
  }

  /// An outcome of ours as it is said in the transaction, or by itself.
  func enlisted(_ outcome: DeliveryState) -> DeliveryState {
    transaction.isNull ? outcome : .other(Record(Code.transactionalState, [transaction, outcome.value]).value)
  }
}

extension Connection {
  /// A transaction's identity of more octets leaves a transfer's fields no short list, and is not enlisted for.
  package static var longestTransaction: Int { 128 }
}
