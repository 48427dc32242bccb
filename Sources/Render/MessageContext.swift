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
  /// It came over 0-9-1: what 1.0 has no field for stands in annotations, see `MessageMapping`.
  package var isBasic = false

  package init() {}
}
