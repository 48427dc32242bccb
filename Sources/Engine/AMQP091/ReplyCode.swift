/// The reply codes of §1.2 and their way into an AMQPError and back: the condition is "amqp-0-9-1:404", the description
/// the peer's reply-text.
import Wire

package enum ReplyCode: UInt16, Sendable, CaseIterable {
  case success = 200
  case contentTooLarge = 311
  case noRoute = 312
  case noConsumers = 313
  case connectionForced = 320
  case invalidPath = 402
  case accessRefused = 403
  case notFound = 404
  case resourceLocked = 405
  case preconditionFailed = 406
  case frameError = 501
  case syntaxError = 502
  case commandInvalid = 503
  case channelError = 504
  case unexpectedFrame = 505
  case resourceError = 506
  case notAllowed = 530
  case notImplemented = 540
  case internalError = 541

  package static let prefix = "amqp-0-9-1:"

  package var condition: String { ReplyCode.prefix + "\(rawValue)" }

  /// The condition of any code.
  package static func condition(_ code: UInt16) -> String { prefix + "\(code)" }

  /// "404" of the condition "amqp-0-9-1:404"; nil: one of 1.0.
  package static func number(_ condition: String) -> String? {
    condition.hasPrefix(prefix) ? String(condition.dropFirst(prefix.count)) : nil
  }

  /// What an error of ours is called on the wire.
  init(_ error: AMQPError) {
    if error.condition.hasPrefix(ReplyCode.prefix),
      let code = UInt16(error.condition.dropFirst(ReplyCode.prefix.count)).flatMap(ReplyCode.init(rawValue:))
    {
      self = code
      return
    }
    switch error.condition {
    case Condition.notFound: self = .notFound
    case Condition.unauthorizedAccess: self = .accessRefused
    case Condition.notAllowed: self = .notAllowed
    case Condition.notImplemented: self = .notImplemented
    case Condition.resourceLimitExceeded: self = .resourceError
    case Condition.messageSizeExceeded: self = .contentTooLarge
    case Condition.connectionForced: self = .connectionForced
    case Condition.framingError: self = .frameError
    case Condition.decodeError, Condition.invalidField: self = .syntaxError
    case Condition.illegalState: self = .commandInvalid
    default: self = .internalError
    }
  }
}

extension AMQPError {
  init(_ code: ReplyCode, _ description: String) { self.init(code.condition, description) }

  /// What connection.close, channel.close or basic.return says; nil for success.
  init?(_ m: MethodRecord) {
    let code = UInt16(m["reply-code"].unsigned ?? 0)
    if code == ReplyCode.success.rawValue { return nil }
    self.init(ReplyCode.condition(code), m.text("reply-text"))
  }
}
