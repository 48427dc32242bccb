/// Between the streams and who reads them: directions that begin as HTTP does go through a reader of WebSocket frames, all
/// others pass untouched.
import Bytes

struct WebSocketFilter {
  private struct Side: Hashable {
    var stream: Int
    var direction: Direction
  }

  private var readers: [Side: WebSocketReader] = [:]
  /// Streams of which a direction has not begun yet, and which ones have.
  private var fresh: [Int: [Direction]] = [:]
  /// The streams whose directions were last found to be none of ours: nearly every event is theirs.
  private var passing: (forward: Int, backward: Int, unknown: Int) = (-1, -1, -1)
  private var queue = Queue<StreamOutput>()

  mutating func nextOutput() -> StreamOutput? { queue.isEmpty ? nil : queue.popFirst() }

  /// Whether octets of that direction pass untouched; the usual case.
  func passes(_ stream: Int, _ direction: Direction) -> Bool {
    switch direction {
    case .forward: passing.forward == stream
    case .backward: passing.backward == stream
    case .unknown: passing.unknown == stream
    }
  }

  /// Takes octets of a stream, which may be the first of their direction.
  /// - Returns: whether they pass untouched; if not, `nextOutput` has what they carried.
  mutating func receive(_ stream: Int, _ direction: Direction, _ time: Int64?, _ b: Span<UInt8>) -> Bool {
    let side = Side(stream: stream, direction: direction)
    if let begun = fresh[stream], !begun.contains(direction) {
      fresh[stream] = begun.count == 1 || direction == .unknown ? nil : begun + [direction]
      if WebSocketReader.begins(b) { readers[side] = WebSocketReader() }
    }
    guard var reader = readers.removeValue(forKey: side) else {
      switch direction {
      case .forward: passing.forward = stream
      case .backward: passing.backward = stream
      case .unknown: passing.unknown = stream
      }
      return true
    }
    var octets: [UInt8] = []
    let before = reader.state
    reader.receive(b, &octets)
    if before == .head && reader.state != .head && reader.state != .plain {
      queue.append(.event(.note("connection \(stream + 1) carries WebSocket frames: they are opened and unmasked")))
    }
    if !octets.isEmpty { queue.append(.held(stream: stream, direction, time: time, octets)) }
    if case .lost(let why) = reader.state, before != reader.state {
      queue.append(.event(.note("connection \(stream + 1): no more WebSocket frames can be read: \(why)")))
      queue.append(.event(.gap(stream: stream, direction, octets: nil, time: time)))
    }
    if reader.state != .plain { readers[side] = reader }
    return false
  }

  /// Takes any other event. It is to be handed out behind what `nextOutput` has then; nil: it is replaced by that.
  mutating func receive(_ event: CaptureEvent) -> CaptureEvent? {
    switch event {
    case .opened(let stream, _):
      fresh[stream] = []
    case .gap(let stream, let direction, let octets, let time):
      let side = Side(stream: stream, direction: direction)
      guard var reader = readers.removeValue(forKey: side) else { return event }
      let head = reader.giveUpHead()
      if !head.isEmpty { queue.append(.held(stream: stream, direction, time: time, head)) }
      if case .lost = reader.state {
        readers[side] = reader
        return nil
      }
      let missing = reader.missed(octets)
      if reader.state != .plain { readers[side] = reader }
      return missing == 0 ? nil : .gap(stream: stream, direction, octets: missing, time: time)
    case .closed(let stream, _, let time):
      fresh[stream] = nil
      if readers.isEmpty { return event }
      for direction in Direction.allCases {
        guard var reader = readers.removeValue(forKey: Side(stream: stream, direction: direction)) else { continue }
        let head = reader.giveUpHead()
        if !head.isEmpty { queue.append(.held(stream: stream, direction, time: time, head)) }
      }
    case .octets, .note, .failed: break
    }
    return event
  }
}
