/// What is known of a message that does not stand in the message: where it came from and how it was delivered.

package struct MessageContext: Sendable, Equatable {
  package var address: String?
  /// The message's number in this run, from 1.
  package var number: UInt64?
  package var deliveryID: UInt32?
  package var tag: [UInt8]?
  package var settled: Bool?
  package var messageFormat: UInt32?
  /// Nil: what the header's delivery-count says.
  package var redelivered: Bool?
  /// Milliseconds since 1970-01-01T00:00:00Z.
  package var arrival: Int64?
  /// Of 0-9-1, where they are not in the message.
  package var exchange: String?
  package var routingKey: String?

  package init() {}
}
