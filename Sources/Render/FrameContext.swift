/// What is known of a frame that does not stand in the frame: when and where it passed, and what its numbers are names
/// of. Filled by whoever follows the connection; everything may be unknown.

package struct FrameContext: Sendable {
  package enum Direction: Sendable, CaseIterable {
    case clientToServer, serverToClient, incoming, outgoing

    /// "C>S"
    package var name: StaticString {
      switch self {
      case .clientToServer: "C>S"
      case .serverToClient: "S>C"
      case .incoming: "in"
      case .outgoing: "out"
      }
    }
  }

  /// Which part of its message a frame carries, of a message that takes several.
  package enum Part: Sendable {
    case whole, first, middle, last

    var name: StaticString {
      switch self {
      case .whole: "whole"
      case .first: "first"
      case .middle: "middle"
      case .last: "last"
      }
    }
  }

  /// Nanoseconds since 1970-01-01T00:00:00Z.
  package var time: Int64?
  /// The number of the connection among those of the input, from 1.
  package var connection: UInt32?
  package var direction: Direction?
  /// Where the frame starts in the octets of its direction.
  package var offset: UInt64?
  /// The name of the link, as attach gave it, and what it leads to; empty when unknown.
  package var link: [UInt8] = []
  package var address: [UInt8] = []
  /// Nanoseconds since what the frame answers, the least and the most of several, and what that is: "transfer".
  package var latency: ClosedRange<Int64>?
  package var since: StaticString = "transfer"
  /// The deliveries that the frame answers, of those whose start was captured, and how many it speaks of besides.
  package var answered = 0
  package var unknown = 0
  package var part = Part.whole

  package init() {}
}
