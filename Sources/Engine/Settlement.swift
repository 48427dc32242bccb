/// Settlement, the seam between a user's guarantee and a dialect's frames: what is asked for (`SettlementMode`), what
/// becomes of a message (`Outcome`, `Answer`). Each is mapped to a dialect in one place, in that dialect's folder.
package import Wire

/// The guarantee of `--mode`.
package enum SettlementMode: String, Sendable, CaseIterable {
  /// Sent settled: nobody answers, a lost message is lost.
  case atMostOnce = "at-most-once"
  /// Sent unsettled, the receiver settles first: nothing is lost, a message may come twice.
  case atLeastOnce = "at-least-once"
  /// The receiver settles second, after the sender has: neither lost nor twice while both ends keep their state.
  case exactlyOnce = "exactly-once"
  /// As at-least-once, and what belongs together counts together or not at all.
  case transaction
}

/// What a receiver does with a message.
package enum Outcome: Sendable, Equatable {
  case accept
  case reject(AMQPError?)
  case release
  case modify(failed: Bool, undeliverable: Bool, annotations: Value)
}

/// What a peer answered about messages that we sent.
package enum Answer: Sendable, Equatable {
  case accepted
  case rejected(AMQPError?)
  case released
  case modified(failed: Bool, undeliverable: Bool)
  /// The peer had nowhere to put it.
  case returned(AMQPError)
  /// Settled, and no outcome was named.
  case unspecified
  /// Of a coordinator: the transaction that was asked for.
  case declared([UInt8])
}

/// Why something ended, and at which scope.
package struct CloseReason: Sendable, Equatable {
  package enum Scope: String, Sendable { case connection, session, link, transport, sasl }
  package enum Side: Sendable { case peer, local }
  package var scope: Scope
  package var side: Side
  /// Nil: in good order.
  package var error: AMQPError?

  package init(_ scope: Scope, _ side: Side, _ error: AMQPError? = nil) {
    (self.scope, self.side, self.error) = (scope, side, error)
  }
}

/// The conditions that we send or act on, part 2 §2.8.15–18.
package enum Condition {
  package static let internalError = "amqp:internal-error"
  package static let notFound = "amqp:not-found"
  package static let unauthorizedAccess = "amqp:unauthorized-access"
  package static let decodeError = "amqp:decode-error"
  package static let resourceLimitExceeded = "amqp:resource-limit-exceeded"
  package static let notAllowed = "amqp:not-allowed"
  package static let invalidField = "amqp:invalid-field"
  package static let notImplemented = "amqp:not-implemented"
  package static let illegalState = "amqp:illegal-state"
  package static let connectionForced = "amqp:connection:forced"
  package static let framingError = "amqp:connection:framing-error"
  package static let connectionRedirect = "amqp:connection:redirect"
  package static let windowViolation = "amqp:session:window-violation"
  package static let handleInUse = "amqp:session:handle-in-use"
  package static let unattachedHandle = "amqp:session:unattached-handle"
  package static let detachForced = "amqp:link:detach-forced"
  package static let transferLimitExceeded = "amqp:link:transfer-limit-exceeded"
  package static let messageSizeExceeded = "amqp:link:message-size-exceeded"
  package static let linkRedirect = "amqp:link:redirect"
  package static let stolen = "amqp:link:stolen"
  package static let transactionRollback = "amqp:transaction:rollback"
}
