// One connection (or paste) being decoded: its two directions, each with what is not a whole frame yet, and the state of
// the conversation.
import Analysis
import Bytes
import Capture
import Wire

final class DecodedStream {
  final class Side {
    var octets = ByteQueue()
    var framing: Framing
    var contents = ContentSequence()
    /// Where the first of `octets` (or of what comes next) stands in its direction.
    var offset = 0

    init(isPaste: Bool) { framing = Framing(isPaste: isPaste) }
  }

  /// From 1.
  let number: Int
  let description: StreamDescription
  let sides: [Side]
  var conversation: Conversation
  /// Everything comes as one direction.
  var isOneWay = true
  var frames = 0
  var dialects: Set<Dialect> = []
  var foreign: Foreign?
  /// Which side is the client's; sure when the start was seen or a frame said so.
  var client = 0
  var clientIsSure: Bool
  var isWanted = true
  /// The last time that anything came.
  var lastTime: Int64?

  init(number: Int, _ description: StreamDescription, isPaste: Bool) {
    self.number = number
    self.description = description
    sides = [Side(isPaste: isPaste), Side(isPaste: isPaste)]
    conversation = Conversation()
    isCaptured = description.source != nil
    conversation.startSeen = isCaptured && description.startSeen
    clientIsSure = conversation.startSeen
    if !clientIsSure && isServer(description.source) && !isServer(description.target) { client = 1 }
  }

  /// Whether it came out of a capture, so that what is not there was there once.
  let isCaptured: Bool
}

/// Whether the address has a port that brokers have.
private func isServer(_ address: String?) -> Bool {
  [":5672", ":5671", ":16001"].contains { address?.hasSuffix($0) == true }
}
