/// A channel of 0-9-1: what was published and delivered on it and not answered, the request that waits, and for each side
/// the message whose content is under way.
package import Bytes
import Wire

struct Channel: Sendable {
  /// confirm.select was captured, or a confirm of the first publish: publishes are numbered from then on.
  var isConfirmed = false
  /// The channel's start was not captured, and publishes are numbered in case the first of them is the first of all.
  var mayBeConfirmed = true
  var published: UInt64 = 0
  var publishes = DeliveryRing()
  var deliveries = DeliveryRing()
  /// The side that publishes, and the one that delivers; -1 while there was none.
  var publisher = -1
  var deliverer = -1
  var contents = [Content(), Content()]
  /// The method that waits for its answer, and since when.
  var request: UInt32 = 0
  var requested: Int64?
  /// Consumers that acknowledge nothing, and the queues that consumers read.
  var silent: Set<[UInt8]> = []
  var queues: [[UInt8]: [UInt8]] = [:]
  /// The queue of the last consume, until its consume-ok names the consumer.
  var consuming: [UInt8] = []
  var consumingSilently = false
  var getting: [UInt8] = []
  var gettingSilently = false
  var isOpen = false

  static let mostConsumers = 256
  /// Publishes that wait for a confirm which may never come.
  static let mostUnsure: UInt64 = 1024

  /// Nobody knows the publishes' numbers.
  mutating func forgetUnsure() {
    mayBeConfirmed = false
    publishes = DeliveryRing()
  }
}

/// A message of 0-9-1 on its way: the method was there, content header and body come in frames of their own.
package struct Content: Sendable {
  package enum State: UInt8, Sendable { case none, header, body }

  package internal(set) var state = State.none
  /// The method that carries it.
  package internal(set) var method: UInt32 = 0
  package internal(set) var exchange = ByteQueue()
  package internal(set) var routingKey = ByteQueue()
  package internal(set) var tag: UInt64 = 0
  package internal(set) var link = -1
  package internal(set) var number: UInt64 = 0
  package internal(set) var size: UInt64 = 0
  package internal(set) var seen = 0
  package internal(set) var frames = 0
  /// Flags and values of the content header.
  package internal(set) var properties = ByteQueue()
  package internal(set) var body = ByteQueue()
  package internal(set) var isWhole = true
  /// What the caller has said of it so far, and whether it is to be said at all.
  package var text = ByteQueue()
  /// What is to stand behind the body.
  package var tail = ByteQueue()
  package var isWanted = true
  /// Where its method starts, for the caller.
  package var at = 0
  /// Nobody acknowledges it.
  var isSilent = false

  package var isOpen: Bool { state != .none }
}
