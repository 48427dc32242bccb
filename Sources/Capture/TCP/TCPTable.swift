/// The connections of a capture: every segment finds its connection, waits for its turn, and leaves as octets of a stream.
/// A segment in its turn, which is nearly every one, is lent from the input and costs a few comparisons; only what came
/// too early is copied. Memory is bounded: so many connections, so much that waits.
import Bytes

struct TCPTable {
  /// How many streams were opened.
  private(set) var streams = 0
  /// Octets that came after the end of their connection or before what had been taken for its start.
  private(set) var unplaced = 0

  private var outputs = Queue<StreamOutput>()
  private var table: [TCPConnection] = []
  private var index: [ConnectionKey: Int] = [:]
  private var last = 0
  private var hand = 0
  private var arrivals = 0
  private var heldOctets = 0

  private let mostConnections: Int
  private let mostHeldOctets: Int
  /// A sequence number that lies so far off, in octets, belongs to another connection over the same ports.
  private static let farBack = 64 << 20
  private static let farAhead = 1 << 30
  private static let farAheadOfTheEnd = 1 << 20

  init(mostConnections: Int = 4_096, mostHeldOctets: Int = 4 << 20) {
    (self.mostConnections, self.mostHeldOctets) = (mostConnections, mostHeldOctets)
  }

  var hasOutput: Bool { !outputs.isEmpty }

  mutating func append(_ output: StreamOutput) { outputs.append(output) }

  mutating func nextOutput() -> StreamOutput? { outputs.popFirst() }

  /// Takes a segment whose payload stands in `b`. The octets are returned when they are all there is to say; otherwise
  /// `nextOutput` has it, and must be asked until it is nil before the next segment comes.
  mutating func receive(_ s: TCPSegment, time: Int64?, _ b: Span<UInt8>) -> CaptureEvent? {
    guard let (i, isFromA) = find(s, time) else { return nil }
    arrivals += 1
    table[i].isRecent = true
    if s.flags & (TCPSegment.syn | TCPSegment.rst | TCPSegment.fin) == 0 && !table[i].holdsSomething {
      if s.payload.isEmpty && s.cut == 0 {
        table[i].receivedAcknowledgment(s, isFromA)
        return nil
      }
      if let event = table[i].octetsInTurn(s, time, isFromA) { return event }
    }
    receiveSlowly(s, time, b, i, isFromA)
    return nil
  }

  /// The capture has ended: what waits is handed out with the gaps before it.
  mutating func finish() {
    for i in table.indices { end(i, .inputEnded, nil) }
    table = []
    index = [:]
  }

  // MARK: Finding the connection

  private mutating func find(_ s: TCPSegment, _ time: Int64?) -> (Int, isFromA: Bool)? {
    if last < table.count {
      if table[last].a == s.source && table[last].b == s.target { return (last, true) }
      if table[last].b == s.source && table[last].a == s.target { return (last, false) }
    }
    let key = ConnectionKey(s.source, s.target)
    if let i = index[key] {
      last = i
      return (i, table[i].a == s.source)
    }
    // Nothing comes of a lone acknowledgment.
    if s.flags & TCPSegment.syn == 0 && s.payload.isEmpty && s.cut == 0 { return nil }
    let i = place(time)
    if i == table.count {
      table.append(TCPConnection(s.source, s.target))
    } else {
      table[i] = TCPConnection(s.source, s.target)
    }
    index[key] = i
    last = i
    return (i, true)
  }

  /// A place for another connection, when need be that of one which was quiet for long.
  private mutating func place(_ time: Int64?) -> Int {
    if table.count < mostConnections { return table.count }
    while table[hand].isRecent && !table[hand].isClosed {
      table[hand].isRecent = false
      hand = (hand + 1) % table.count
    }
    let i = hand
    hand = (hand + 1) % table.count
    end(i, .forgotten, time)
    index[ConnectionKey(table[i].a, table[i].b)] = nil
    return i
  }

  // MARK: Everything but a segment in its turn

  private mutating func receiveSlowly(
    _ s: TCPSegment, _ time: Int64?, _ b: Span<UInt8>, _ i: Int, _ isFromA: Bool
  ) {
    var isFromA = isFromA
    let isSYN = s.flags & TCPSegment.syn != 0
    let isLast = s.flags & TCPSegment.fin != 0
    let sequence = isSYN ? s.sequence &+ 1 : s.sequence
    let length = s.payload.count + s.cut
    if isSYN ? !fits(s, i, isFromA) : length > 0 && isFarOff(sequence, i, isFromA) {
      // The same ports, another connection.
      end(i, .forgotten, time)
      table[i] = TCPConnection(s.source, s.target)
      isFromA = true
    }
    if table[i].isClosed {
      if TCPDirection.distance(sequence, from: table[i][isFromA].next) >= 0 { unplaced += s.payload.count }
      return
    }
    if isSYN { receivedSYN(s, i, isFromA) }
    table[i].receivedAcknowledgment(s, isFromA)
    if length > 0 || isLast { receivedOctets(s, sequence, isLast: isLast, time, b, i, isFromA) }
    if s.flags & TCPSegment.rst != 0 {
      end(i, .reset, time)
      return
    }
    loseSomePatience(i)
    drain(i)
    if table[i].fromA.isFinished && table[i].fromB.isFinished { end(i, .finished, time) }
  }

  private mutating func receivedSYN(_ s: TCPSegment, _ i: Int, _ isFromA: Bool) {
    let isAnswer = s.flags & TCPSegment.ack != 0
    if table[i].stream == nil {
      table[i].startSeen = true
      table[i].isForwardFromA = isFromA != isAnswer
    }
    if !table[i][isFromA].isStarted { table[i][isFromA].start(at: s.sequence &+ 1) }
    if isAnswer && !table[i][!isFromA].isStarted { table[i][!isFromA].start(at: s.acknowledgment) }
    open(i)
  }

  /// Whether a SYN can be the start of what is known of the connection; a late or repeated one does.
  private func fits(_ s: TCPSegment, _ i: Int, _ isFromA: Bool) -> Bool {
    let own = table[i][isFromA]
    let other = table[i][!isFromA]
    let start = s.sequence &+ 1
    if own.isStarted && own.first != start { return false }
    if let first = own.held.first?.sequence,
      !(0...TCPDirection.mostHeldOctets).contains(TCPDirection.distance(first, from: start))
    {
      return false
    }
    // Some octets more than the SYN may be acknowledged (RFC 7413).
    if other.isStarted && s.flags & TCPSegment.ack != 0 {
      return (0...65_536).contains(TCPDirection.distance(s.acknowledgment, from: other.first))
    }
    // A connection's first SYN doesn't come after its answer's octets.
    return own.isStarted || !other.isStarted
  }

  private func isFarOff(_ sequence: UInt32, _ i: Int, _ isFromA: Bool) -> Bool {
    if !table[i][isFromA].isStarted { return false }
    let ahead = TCPDirection.distance(sequence, from: table[i][isFromA].next)
    return ahead < -Self.farBack || ahead > (table[i].isClosed ? Self.farAheadOfTheEnd : Self.farAhead)
  }

  private mutating func receivedOctets(
    _ s: TCPSegment, _ sequence: UInt32, isLast: Bool, _ time: Int64?, _ b: Span<UInt8>, _ i: Int, _ isFromA: Bool
  ) {
    if table[i][isFromA].isFinished {
      if TCPDirection.distance(sequence, from: table[i][isFromA].next) >= 0 { unplaced += s.payload.count }
      return
    }
    if table[i][isFromA].isStarted {
      let behind = TCPDirection.distance(table[i][isFromA].next, from: sequence)
      if behind >= 0 {
        let early = TCPDirection.distance(table[i][isFromA].first, from: sequence)
        if early > 0 && !table[i].startSeen { unplaced += min(s.payload.count, early) }
        handOut(s.payload.count, cut: s.cut, behind: behind, isLast: isLast, time, i, isFromA) {
          .event(.octets(stream: $0, $1, time: time, s.payload.lowerBound + behind..<s.payload.upperBound))
        }
        return
      }
    }
    let octets = b.extracting(s.payload).array
    let before = table[i][isFromA].heldOctets
    table[i][isFromA].hold(
      TCPDirection.Held(
        sequence: sequence, octets: octets, cut: s.cut, isLast: isLast, time: time, arrival: arrivals))
    heldOctets += table[i][isFromA].heldOctets - before
    while table[i][isFromA].isFull || (heldOctets > mostHeldOctets && !table[i][isFromA].held.isEmpty) {
      giveUp(i, isFromA)
      drain(i)
    }
  }

  /// Hands out what is new of a segment whose turn it is: the octets, then how many are missing behind them.
  /// - Parameter behind: octets of it that were handed out before.
  private mutating func handOut(
    _ count: Int, cut: Int, behind: Int, isLast: Bool, _ time: Int64?, _ i: Int, _ isFromA: Bool,
    _ output: (Int, Direction) -> StreamOutput
  ) {
    let new = count + cut - behind
    if new >= 0 && isLast {
      table[i][isFromA].isFinished = true
      unplaced += table[i][isFromA].heldOctets
      heldOctets -= table[i][isFromA].heldOctets
      table[i][isFromA].forgetHeld()
    }
    if new <= 0 { return }
    let stream = open(i)
    let direction = table[i].direction(fromA: isFromA)
    if behind < count { outputs.append(output(stream, direction)) }
    let missing = count + cut - max(count, behind)
    if missing > 0 { outputs.append(.event(.gap(stream: stream, direction, octets: missing, time: time))) }
    table[i][isFromA].next &+= UInt32(truncatingIfNeeded: new)
  }

  @discardableResult
  private mutating func open(_ i: Int) -> Int {
    if let stream = table[i].stream { return stream }
    let stream = streams
    streams += 1
    table[i].stream = stream
    outputs.append(.event(.opened(stream: stream, table[i].description)))
    return stream
  }

  // MARK: What waits

  private mutating func loseSomePatience(_ i: Int) {
    for isFromA in [true, false] {
      if table[i][isFromA].held.isEmpty { continue }
      if table[i][isFromA].isStarted && !table[i][isFromA].isMissingAcknowledged { continue }
      table[i][isFromA].patience -= 1
      if table[i][isFromA].patience <= 0 { giveUp(i, isFromA) }
    }
  }

  /// Takes what is missing before the first held segment for lost.
  private mutating func giveUp(_ i: Int, _ isFromA: Bool) {
    if !table[i][isFromA].isStarted {
      // Both directions start together, so that what they hold leaves in the order in which it came.
      for isFromA in [true, false] {
        if !table[i][isFromA].isStarted, let first = table[i][isFromA].held.first {
          table[i][isFromA].start(at: first.sequence)
        }
      }
    } else if let first = table[i][isFromA].held.first {
      let missing = TCPDirection.distance(first.sequence, from: table[i][isFromA].next)
      if missing > 0 {
        let stream = open(i)
        let direction = table[i].direction(fromA: isFromA)
        outputs.append(.event(.gap(stream: stream, direction, octets: missing, time: first.time)))
        table[i][isFromA].next = first.sequence
      }
    }
    table[i][isFromA].patience = TCPDirection.patienceForMissing
  }

  /// Hands out the held segments whose turn has come.
  private mutating func drain(_ i: Int) {
    while true {
      let isFromA: Bool
      switch (table[i].fromA.nextArrival, table[i].fromB.nextArrival) {
      case (nil, nil): return
      case (let a?, let b?): isFromA = a < b
      case (_?, nil): isFromA = true
      case (nil, _?): isFromA = false
      }
      let first = table[i][isFromA].takeFirst()
      heldOctets -= first.octets.count
      if table[i][isFromA].isFinished { continue }
      let behind = TCPDirection.distance(table[i][isFromA].next, from: first.sequence)
      handOut(first.octets.count, cut: first.cut, behind: behind, isLast: first.isLast, first.time, i, isFromA) {
        .held(stream: $0, $1, time: first.time, behind == 0 ? first.octets : Array(first.octets[behind...]))
      }
    }
  }

  /// Hands out what waits and closes the stream.
  private mutating func end(_ i: Int, _ ending: StreamEnding, _ time: Int64?) {
    if table[i].isClosed { return }
    while table[i].holdsSomething {
      drain(i)
      let a = table[i].fromA.held.first?.arrival
      let b = table[i].fromB.held.first?.arrival
      if a == nil && b == nil { break }
      giveUp(i, (a ?? .max) < (b ?? .max))
      drain(i)
    }
    table[i].isClosed = true
    if let stream = table[i].stream { outputs.append(.event(.closed(stream: stream, ending, time: time))) }
  }
}

extension TCPConnection {
  /// The short way: the segment's octets, when it is its turn and nothing else is to be said.
  mutating func octetsInTurn(_ s: TCPSegment, _ time: Int64?, _ isFromA: Bool) -> CaptureEvent? {
    guard let stream, !isClosed, s.cut == 0 else { return nil }
    let isInTurn = isFromA ? fromA.takeInTurn(s) : fromB.takeInTurn(s)
    if !isInTurn { return nil }
    receivedAcknowledgment(s, isFromA)
    return .octets(stream: stream, direction(fromA: isFromA), time: time, s.payload)
  }

  mutating func receivedAcknowledgment(_ s: TCPSegment, _ isFromA: Bool) {
    if s.flags & TCPSegment.ack == 0 { return }
    // No accessor for both: this is done for every packet.
    if isFromA {
      fromB.receivedAcknowledgment(s.acknowledgment)
    } else {
      fromA.receivedAcknowledgment(s.acknowledgment)
    }
  }
}

extension TCPDirection {
  mutating func takeInTurn(_ s: TCPSegment) -> Bool {
    if next != s.sequence || !isStarted || isFinished { return false }
    next &+= UInt32(truncatingIfNeeded: s.payload.count)
    return true
  }
}
