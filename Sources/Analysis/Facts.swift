/// What the conversation tells about one frame: what its numbers are names of, what it answers and after what time.

package struct Facts: Sendable {
  /// Which part of its message a frame carries.
  package enum Part: UInt8, Sendable { case whole, first, middle, last }

  /// What a latency counts from.
  package enum Since: UInt8, Sendable, CaseIterable {
    case transfer, publish, deliver, get, request

    package var name: StaticString {
      switch self {
      case .transfer: "transfer"
      case .publish: "publish"
      case .deliver: "deliver"
      case .get: "get"
      case .request: "request"
      }
    }
  }

  /// The link the frame is about: an index into `Conversation.links`, or -1.
  package var link = -1
  /// The deliveries that the frame answers, of those whose start was captured, and how many it speaks of besides.
  package var answered = 0
  package var unknown = 0
  /// Nanoseconds since what is answered, the least and the most of them.
  package var latency: ClosedRange<Int64>?
  package var since = Since.transfer
  package var part = Part.whole
  /// Of the message so far, in several frames.
  package var frames = 1
  package var octets = 0
  /// The parts were kept and are whole: `Conversation.withJoined` lends them.
  package var isJoined = false
  /// The link's attach, or the channel's start, was not captured.
  package var startMissing = false
  /// A refusal, an error, a negative outcome.
  package var isFailure = false

  package init() {}

  mutating func add(latency: Int64) {
    self.latency = self.latency.map { min($0.lowerBound, latency)...max($0.upperBound, latency) } ?? latency...latency
  }
}

/// Something legal on the wire and wrong in the conversation.
package struct Finding: Sendable, Equatable {
  /// "credit-overrun"
  package var rule: String
  package var text: String
  /// "part 2 §2.6.7"
  package var section: String
}
