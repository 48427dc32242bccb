/// What a peer or a file may ask of us. Every length and count is held against these before any memory is taken.
package struct Limits: Sendable {
  /// The largest frame, in octets, that we take; announced in open.
  package var frameSize: UInt32 = 65_536
  /// The same of 0-9-1, agreed on in tune. What RabbitMQ has: it doesn't hold its content headers to less.
  package var frameMax: UInt32 = 131_072
  /// How deep lists, maps, arrays and described values may nest.
  package var depth: UInt8 = 64
  /// Whether what nests deeper is passed over, and no fault.
  package var passesOverDeeper = false
  /// Elements of an array whose constructor has no octets for each (null, true, list0, …).
  package var zeroWidthElements: UInt32 = 65_536
  /// Values in one frame or message.
  package var values = 4_000_000
  /// Sections in one message.
  package var sections = 10_000
  /// The largest message, in octets, that is put together from several transfers.
  package var messageSize = 1 << 30

  package init() {}

  /// For those who look on: everything is followed that our memory allows, and nothing is a fault because it is large.
  package static func onlooker(frameSize: Int) -> Limits {
    var limits = Limits()
    limits.frameSize = UInt32(clamping: frameSize)
    limits.depth = deepest
    limits.passesOverDeeper = true
    return limits
  }

  /// The greatest `depth` for which a node's own has room.
  package static let deepest: UInt8 = 240
}
