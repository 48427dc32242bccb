/// The state of one connection as its two directions show it, so that names replace numbers: which link a handle is,
/// which deliveries a disposition answers and after what time. It is told every frame in the order of the capture and
/// never says what should be sent. Its memory is bounded, whatever the frames say; what was not captured is not guessed.
/// This file: what both dialects share. 1.0 is in Conversation+Links and Conversation+Deliveries.
import Bytes
import Wire

package struct Conversation: Sendable {
  /// How much of messages in several frames may be kept to be joined, over all links.
  package var joinedLimit = 8 << 20
  /// Whether each link's credit is to be followed over time.
  package var followsCredit = false
  /// Whether `findings` are wanted.
  package var isLinted = false
  package internal(set) var links: [Link] = []
  /// What is wrong about the last frame.
  package internal(set) var findings: [Finding] = []
  /// The start of the connection is in the capture, so that what was not seen was not said.
  package var startSeen = false
  /// There is no telling the directions apart.
  package var isOneWay = false

  var halves: [HalfSession] = []
  var channels: [[UInt16: Int]] = [[:], [:]]
  var lastChannel: [Int32] = [-1, -1]
  var lastSession: [Int] = [0, 0]
  var kept = 0
  /// Deliveries that dispositions may still look at: each frame brings some, so that what hostile ranges cost is bounded
  /// by what was sent.
  var effort = 4096
  // 0-9-1 has channels instead of sessions, with one number for both sides.
  var channels091: [Channel] = []
  var channelPlaces: [UInt16: Int] = [:]
  var lastChannel091: Int32 = -1
  var lastPlace091 = 0
  /// Exchanges and queues, which are rows of `links` too.
  var places: [[UInt8]: Int] = [:]
  var lastLink = -1
  var lastPrefix: UInt8 = 0
  var lastConsumer: [UInt8] = []
  var lastConsumerPlace = -1
  var lastConsumerLink = -1
  /// What each side may send at most, and whether it has said open or close.
  var frameMax: [UInt32?] = [nil, nil]
  var isOpened = [false, false]
  var isClosed = [false, false]

  static let mostSessions = 1024
  static let mostLinks = 4096
  static let mostChannels = 4096

  package init() {}

  /// The stream has ended: what is still open stays so.
  package mutating func finish() {
    for session in 0..<halves.count / 2 { reportUnsettled(session) }
    for place in channels091.indices { reportUnacked(place) }
  }

  /// Forgets what the last frame had wrong.
  package mutating func clearFindings() { if !findings.isEmpty { findings.removeAll(keepingCapacity: true) } }

  /// The side that answers.
  func other(_ side: Int) -> Int { isOneWay ? side : 1 - side }

  mutating func find(_ rule: String, _ section: String, _ text: @autoclosure () -> String) {
    if isLinted && findings.count < 64 { findings.append(Finding(rule: rule, text: text(), section: section)) }
  }

  /// Lends the message whose last part came in the last frame.
  package func withJoined<R>(_ facts: Facts, _ body: (Span<UInt8>) -> R) -> R {
    links[facts.link].parts.withReadable(body)
  }

  /// The joined message is no longer needed.
  package mutating func release(_ facts: Facts) {
    if facts.link >= 0 { dropParts(facts.link) }
  }

  mutating func dropParts(_ link: Int) {
    kept -= links[link].parts.count
    links[link].parts.removeAll()
    links[link].parts.release(above: 0)
  }

  /// The octets before the gap are lost, and with them what was under way.
  package mutating func gap(side: Int) {
    for i in links.indices where links[i].isOpen && (links[i].sender == side || links[i].sender < 0) {
      links[i].isOpen = false
      dropParts(i)
    }
  }
}
