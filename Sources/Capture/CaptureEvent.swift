/// What comes out of whatever a person pastes or a capture file holds: streams of octets, in order, and what is missing
/// from them. Nothing here knows what the octets mean.

package enum Direction: UInt8, Sendable, CaseIterable {
  /// From the side that started the connection (the SYN's sender, or the first one seen).
  case forward
  case backward
  /// One-way input: a paste, a raw file.
  case unknown

  package var reversed: Direction {
    switch self {
    case .forward: .backward
    case .backward: .forward
    case .unknown: .unknown
    }
  }
}

/// One TCP connection, or the one paste.
package struct StreamDescription: Sendable, Equatable {
  /// "10.0.0.5:41022", "[::1]:5672"; nil for text and raw octets.
  package var source: String?
  package var target: String?
  /// The connection's first octet is in the capture, as far as the capture can tell.
  package var startSeen: Bool

  package init(source: String? = nil, target: String? = nil, startSeen: Bool) {
    (self.source, self.target, self.startSeen) = (source, target, startSeen)
  }
}

package enum StreamEnding: Sendable, Equatable {
  /// Both sides said FIN.
  case finished
  /// One side said RST.
  case reset
  /// The input ended before the stream did, or the stream is the paste.
  case inputEnded
  /// It was quiet for so long that its place was needed for another one.
  case forgotten
}

/// Streams are numbered from 0 in the order of their `opened`, and every one that opened is closed once, the input's end
/// included. Times are nanoseconds since 1970-01-01T00:00:00Z.
package enum CaptureEvent: Sendable, Equatable {
  case opened(stream: Int, StreamDescription)
  /// The stream's next octets in that direction: lent by `withBytes` until the reader is called again.
  case octets(stream: Int, Direction, time: Int64?, Range<Int>)
  /// So many octets of the stream are missing here; nil when nobody knows how many.
  case gap(stream: Int, Direction, octets: Int?, time: Int64?)
  case closed(stream: Int, StreamEnding, time: Int64?)
  /// For a person: what was left out.
  case note(String)
  /// The input can't be read any further; what could be was handed out before. Nothing but nil follows.
  case failed(String)
}
