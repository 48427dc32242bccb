/// What a connection announces and demands, whatever the dialect.
package import Wire

package struct ConnectionSettings: Sendable {
  /// Who starts: an initiator dials and speaks first, an acceptor listens and answers.
  package enum Role: Sendable { case initiator, acceptor }

  package var role: Role
  /// An initiator has one; an acceptor with both waits for the peer's header.
  package var protocols: Protocols = .amqp10
  package struct Protocols: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let amqp10 = Protocols(rawValue: 1)
    package static let amqp091 = Protocols(rawValue: 2)
  }
  package var containerID = "amqp"
  /// What goes into open.hostname and sasl-init.hostname.
  package var hostname: String?
  /// What goes into connection.open of 0-9-1.
  package var virtualHost = "/"
  /// Milliseconds of silence after which the peer may give us up; we give it up after twice as much. 0: never.
  package var idleTimeOut: UInt32 = 30_000
  package var limits = Limits()
  package var channelMax: UInt16 = 255
  /// Transfers that we take before the window is opened again, and that we promise to have on the way.
  package var incomingWindow: UInt32 = 8_192
  package var outgoingWindow: UInt32 = 8_192
  /// Where our transfer-ids, delivery-ids and delivery-counts start: tests let them wrap.
  package var firstID: UInt32 = 0
  /// The mechanisms that may be used (initiator) or are offered (acceptor), best first; empty: no SASL layer.
  package var mechanisms: [SASLMechanism]
  /// Somebody named the mechanisms: what they allow is meant.
  package var mechanismsAreChosen = false
  /// An initiator's credentials; for an acceptor the ones to demand, nil: anybody may come.
  package var user: String?
  package var password: String?
  /// Nobody named the credentials: ANONYMOUS will do as well.
  package var credentialsAreDefault = false
  /// Over 0-9-1: what is sent and settled counts when it is discharged, and senders share one channel.
  package var isTransactional = false
  /// An initiator's OAuth 2 token, in place of a password.
  package var token: String?
  /// An initiator shows a certificate of its own.
  package var hasCertificate = false
  /// Nil: there is no SCRAM.
  package var cryptography: SASLCryptography?
  package var properties: Value = .null
  package var desiredCapabilities: [String] = []
  package var offeredCapabilities: [String] = []

  package init(_ role: Role) {
    self.role = role
    mechanisms = role == .initiator ? SASLMechanism.preferred : [.external, .scramSHA256, .plain, .anonymous]
  }
}
