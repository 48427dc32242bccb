/// Queues, exchanges and bindings, made on a channel of their own. All are asked for at once; one that is refused takes
/// the channel with it, and those behind it are asked for again on the next.
import Wire

struct Declarer: Sendable {
  /// The place of its channel.
  var channel: Int?
  /// Not answered, oldest first.
  var pending: [(number: Int, declaration: Declaration)] = []
  /// How many of those are out.
  var sent = 0
  var next = 0
}

extension Machine091 {
  /// - Returns: the number that `declared` comes back with.
  mutating func declare(_ declaration: Declaration) -> Int {
    declarer.pending.append((declarer.next, declaration))
    declarer.next += 1
    workDue = true
    return declarer.next - 1
  }

  func isDeclarer(_ c: Int) -> Bool { declarer.channel == c }

  mutating func produceDeclarations() {
    while declarer.sent < declarer.pending.count {
      guard let c = declarer.channel ?? openChannel() else {
        return declared(AMQPError(Condition.resourceLimitExceeded, "no channel is left for declarations"))
      }
      declarer.channel = c
      if channels[c].openDue {
        channels[c].openDue = false
        send(channels[c].number, MethodRecord(MethodID.channelOpen))
      }
      do throws(FieldFault) {
        try output.appendMethod(
          channel: channels[c].number, declarer.pending[declarer.sent].declaration.method)
        declarer.sent += 1
      } catch {
        // Answered in its turn.
        if declarer.sent > 0 { return }
        declarer.sent = 1
        declared(AMQPError(Condition.invalidField, error.reason))
      }
    }
  }

  /// The oldest one is answered.
  mutating func declared(_ error: AMQPError?) {
    guard !declarer.pending.isEmpty else { return }
    let (number, _) = declarer.pending.removeFirst()
    declarer.sent = max(0, declarer.sent - 1)
    workDue = true
    events.append(.declared(number, error))
    if declarer.pending.isEmpty, let c = declarer.channel, channels[c].isLive {
      declarer.channel = nil
      closeChannel(c, nil)
    }
  }

  mutating func declarerClosed(_ error: AMQPError?) {
    declarer.channel = nil
    declarer.sent = 0
    declared(error ?? AMQPError(Condition.internalError, "the peer closed the channel"))
  }
}

/// What queue.declare-ok says.
package struct DeclaredQueue: Sendable, Equatable {
  package let name: String
  /// Ready to be delivered.
  package let messages: UInt32
  package let consumers: UInt32

  init(_ m: MethodRecord) {
    name = m.text("queue")
    messages = UInt32(clamping: m["message-count"].unsigned ?? 0)
    consumers = UInt32(clamping: m["consumer-count"].unsigned ?? 0)
  }
}

extension Declaration {
  fileprivate var method: MethodRecord {
    switch self {
    case .queue(let q):
      MethodRecord(
        MethodID.queueDeclare,
        [
          "queue": .string(q.name), "passive": .boolean(q.isPassive), "durable": .boolean(q.isDurable),
          "exclusive": .boolean(q.isExclusive), "auto-delete": .boolean(q.isAutoDelete), "arguments": .map(q.arguments),
        ])
    case .exchange(let e):
      MethodRecord(
        MethodID.exchangeDeclare,
        [
          "exchange": .string(e.name), "type": .string(e.type), "passive": .boolean(e.isPassive),
          "durable": .boolean(e.isDurable), "auto-delete": .boolean(e.isAutoDelete), "internal": .boolean(e.isInternal),
          "arguments": .map(e.arguments),
        ])
    case .bind(let b):
      switch b.destination {
      case .queue(let name):
        MethodRecord(
          MethodID.queueBind,
          [
            "queue": .string(name), "exchange": .string(b.source), "routing-key": .string(b.key),
            "arguments": .map(b.arguments),
          ])
      case .exchange(let name):
        MethodRecord(
          MethodID.exchangeBind,
          [
            "destination": .string(name), "source": .string(b.source), "routing-key": .string(b.key),
            "arguments": .map(b.arguments),
          ])
      }
    }
  }
}
