/// Where the octets go that a text spells: runs of one direction, gaps between them, and what was passed over.
import Bytes

struct TextSink {
  private(set) var skippedOctets = 0
  private(set) var skippedLines = 0
  /// Numbers that no octet can be, base64 that ends in the middle and the like: the first of them.
  private(set) var failure: String?
  private var outputs = Queue<StreamOutput>()
  private var run: [UInt8] = []
  private var direction = Direction.unknown
  private var streams = 0
  private var isOpen = false
  private var description = StreamDescription(startSeen: true)

  /// Octets that may wait before they are handed out.
  private static let longestRun = 65_536

  var isFull: Bool { run.count >= Self.longestRun || !outputs.isEmpty }
  var isEmpty: Bool { streams == 0 && run.isEmpty }

  mutating func append(_ octet: UInt8) { run.append(octet) }

  mutating func append(_ octets: [UInt8]) { run.append(contentsOf: octets) }

  /// What follows goes that way.
  mutating func turn(to direction: Direction) {
    if direction == self.direction { return }
    flush()
    self.direction = direction
  }

  /// So many octets are not in the text; nil: nobody knows how many.
  mutating func gap(_ octets: Int?) {
    if octets == 0 { return }
    flush()
    open()
    outputs.append(.event(.gap(stream: streams - 1, direction, octets: octets, time: nil)))
  }

  /// What follows has nothing to do with what was before.
  mutating func close() {
    flush()
    if isOpen { outputs.append(.event(.closed(stream: streams - 1, .inputEnded, time: nil))) }
    isOpen = false
    direction = .unknown
    description = StreamDescription(startSeen: true)
  }

  /// The ends of the stream that the next octets open.
  mutating func name(source: String?, target: String?) {
    if let source { description.source = source }
    if let target { description.target = target }
  }

  /// Text that spells no octets.
  mutating func skip(_ octets: Int) {
    if octets == 0 { return }
    skippedOctets += octets
    skippedLines += 1
  }

  mutating func fail(_ why: String) {
    if failure == nil { failure = why }
  }

  /// Makes an output of what waits.
  mutating func flush() {
    if run.isEmpty { return }
    open()
    outputs.append(.held(stream: streams - 1, direction, time: nil, run))
    run = []
  }

  mutating func nextOutput() -> StreamOutput? { outputs.popFirst() }

  private mutating func open() {
    if isOpen { return }
    outputs.append(.event(.opened(stream: streams, description)))
    streams += 1
    isOpen = true
  }
}
