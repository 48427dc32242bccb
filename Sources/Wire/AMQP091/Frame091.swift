/// Frames of 0-9-1, §4.2.3: type, channel and size in front, one octet behind. What they carry is not looked at here.
package import Bytes

package enum FrameType091: UInt8, Sendable { case method = 1, header, body, heartbeat = 8 }

package struct Frame091: Sendable, Equatable {
  package var type: FrameType091
  package var channel: UInt16
  package var payload: Range<Int>

  /// Where the next frame starts.
  package var end: Int { payload.upperBound + 1 }

  /// Octets in front of the payload.
  package static let headSize = 7
  /// Octets around the payload.
  package static let overhead = 8
  package static let endOctet: UInt8 = 0xce
  /// The least `frame-max` that a peer may ask for.
  package static let minimumSize: UInt32 = 4096

  package enum Reading: Sendable, Equatable {
    case incomplete
    case frame(Frame091)
    /// The stream is lost: type, size or end are not those of a frame.
    case malformed(Problem)
  }

  /// Reads the frame that starts at `start`, of which all octets of `b` may be looked at; at most `largest` octets with
  /// everything around the payload.
  @inline(__always)
  package static func read(_ b: Span<UInt8>, at start: Int, largest: UInt32) -> Reading {
    let available = b.count - start
    if available < headSize { return .incomplete }
    let size = Int(b.u32(start &+ 3))
    guard let type = FrameType091(rawValue: b[start]), size + overhead <= Int(largest) else {
      return .malformed(headFault(b, at: start, largest: largest))
    }
    if available < size &+ overhead { return .incomplete }
    let payload = start &+ headSize..<start &+ headSize &+ size
    if b[payload.upperBound] != endOctet { return .malformed(endFault(b, at: payload.upperBound)) }
    return .frame(Frame091(type: type, channel: b.u16(start &+ 1), payload: payload))
  }

  /// What is wrong with type or size.
  @inline(never)
  static func headFault(_ b: Span<UInt8>, at start: Int, largest: UInt32) -> Problem {
    if FrameType091(rawValue: b[start]) == nil {
      return Problem(
        severity: .malformed, offset: start, expected: "frame type 1 (method), 2 (header), 3 (body) or 8 (heartbeat)",
        got: "\(b[start])", section: "0-9-1 §4.2.3")
    }
    return Problem(
      severity: .malformed, offset: start + 3, expected: "size <= \(max(Int(largest) - overhead, 0))",
      got: "\(b.u32(start + 3))", section: "0-9-1 §4.2.3")
  }

  @inline(never)
  static func endFault(_ b: Span<UInt8>, at: Int) -> Problem {
    Problem(
      severity: .malformed, offset: at, expected: "frame-end 0xce", got: hex(UInt64(b[at])), section: "0-9-1 §4.2.3")
  }
}

extension ByteQueue {
  /// Appends a whole frame around what `body` writes.
  package mutating func appendFrame091<E: Error>(
    _ type: FrameType091, channel: UInt16, _ body: (inout ByteQueue) throws(E) -> Void
  ) throws(E) {
    let start = count
    append(type.rawValue)
    append16(channel)
    append32(0)
    do {
      try body(&self)
    } catch {
      truncate(to: start)
      throw error
    }
    patch32(at: readable.lowerBound + start + 3, UInt32(count - start - Frame091.headSize))
    append(Frame091.endOctet)
  }

  /// The frame that says only "I am here".
  package mutating func appendHeartbeat() { append64(0x0800_0000_0000_00ce) }
}
