/// Frames of part 2 §2.3: the eight octets in front, and the protocol headers of §2.2.
package import Bytes

package enum FrameType: UInt8, Sendable { case amqp = 0, sasl = 1 }

extension ByteQueue {
  /// Appends a whole frame around what `body` writes.
  package mutating func appendFrame(_ type: FrameType, channel: UInt16, _ body: (inout ByteQueue) -> Void) {
    let start = count
    append32(0)
    append(2)
    append(type.rawValue)
    append16(channel)
    body(&self)
    patch32(at: readable.lowerBound + start, UInt32(count - start))
  }

  /// The empty frame that says only "I am here".
  package mutating func appendKeepalive() { append64(0x0000_0008_0200_0000) }
}

/// The eight octets that open a connection or a layer of it, of any AMQP version.
package struct ProtocolHeader: Sendable, Equatable {
  package var id: UInt8
  package var major: UInt8
  package var minor: UInt8
  package var revision: UInt8

  package init(_ id: UInt8, _ major: UInt8, _ minor: UInt8, _ revision: UInt8) {
    (self.id, self.major, self.minor, self.revision) = (id, major, minor, revision)
  }

  package static let amqp10 = ProtocolHeader(0, 1, 0, 0)
  package static let tls10 = ProtocolHeader(2, 1, 0, 0)
  package static let sasl10 = ProtocolHeader(3, 1, 0, 0)
  package static let amqp091 = ProtocolHeader(0, 0, 9, 1)

  package static let size = 8

  /// What the first octets are.
  package enum Reading: Sendable, Equatable {
    case incomplete
    case header(ProtocolHeader)
    /// Not AMQP; these are its first octets.
    case other([UInt8])
  }

  package static func read(_ b: Span<UInt8>) -> Reading {
    let magic: [UInt8] = [0x41, 0x4d, 0x51, 0x50]
    for i in 0..<min(4, b.count) where b[i] != magic[i] { return .other(b.extracting(0..<min(b.count, 32)).array) }
    if b.count < size { return .incomplete }
    return .header(ProtocolHeader(b[4], b[5], b[6], b[7]))
  }

  /// What is wrong with it when it stands at `start` and is neither of 1.0 nor of 0-9-1.
  package func fault(at start: Int) -> Problem? {
    if [.amqp10, .tls10, .sasl10, .amqp091].contains(self) { return nil }
    return Problem(
      severity: .malformed, offset: start + 4, expected: "0, 2 or 3 and version 1 0 0, or 0 0 9 1",
      got: "\(id) \(major) \(minor) \(revision)", section: "part 2 §2.2")
  }

  package var bytes: [UInt8] { [0x41, 0x4d, 0x51, 0x50, id, major, minor, revision] }

  /// "AMQP 1.0 (SASL)", "AMQP 0-9-1", "AMQP 0-10"
  package var description: String {
    switch (id, major, minor, revision) {
    case (0, 1, 0, 0): "AMQP 1.0"
    case (2, 1, 0, 0): "AMQP 1.0 (TLS)"
    case (3, 1, 0, 0): "AMQP 1.0 (SASL)"
    case (0, 0, 9, 1): "AMQP 0-9-1"
    case (1, 1, 0, 9), (1, 1, 9, 1): "AMQP 0-9"
    case (1, 1, 0, 10): "AMQP 0-10"
    case (1, 1, 8, 0): "AMQP 0-8"
    default: "AMQP with header \(id) \(major) \(minor) \(revision)"
    }
  }
}
