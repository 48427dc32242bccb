/// Cuts one direction of a stream into frames: finds out what it speaks, keeps in step, and finds the step again after a
/// gap or garbage, for which two frames in a row have to look like ones (or one, at the end of the data). It only looks
/// at octets that others hold, from a position on, and says what stands there; what it passes over it counts.
import Bytes
package import Wire

package struct Framing: Sendable {
  package enum Step: Sendable, Equatable {
    /// Wait for more octets and keep those that are there.
    case more
    case header(ProtocolHeader, end: Int)
    /// A whole frame, well formed or not.
    case frame(Dialect, end: Int)
    case bare(Bare, end: Int)
    /// Octets that are no frame; where the next one starts has to be found. They count as skipped.
    case lost(Dialect)
    /// The data ends inside a frame.
    case truncated(Dialect, end: Int)
    /// The octets up to here belong to nobody; they are told of by `skipped` when it is known how many they are.
    case discard(end: Int)
    /// So many octets were discarded in all, ending here; the dialect is found again, or there was none at all.
    case skipped(count: Int)
    case foreign(Foreign, end: Int)
    /// Nothing is left, or nothing of ours.
    case done
  }

  private enum State {
    case start, synced, searching, foreign, ended
    /// A frame was found behind what was skipped, which is still to be told.
    case found
  }

  private var state = State.start
  /// What is spoken, once it is known.
  package private(set) var dialect: Dialect?
  /// A paste: what stands without a frame is looked for, and what looks wrong is read as the nearest.
  private let isPaste: Bool
  private var skipped = 0
  /// How far the search came behind the position that is held.
  private var searched = 0

  /// As large as a frame may be; what comes after such a size is not waited for.
  package static let largest = 1 << 27
  /// A paste is kept whole this far while nothing is found in it.
  private static let kept = 1 << 16

  package init(isPaste: Bool) { self.isPaste = isPaste }

  /// What comes next is expected to be a frame: octets that wait are the start of one.
  package var isInStep: Bool { state == .synced }

  /// Tells what the other direction speaks.
  package mutating func learn(_ dialect: Dialect) { if self.dialect == nil { self.dialect = dialect } }

  /// Octets are missing before those that come next; so many in front of it were the start of a frame, and are lost.
  package mutating func gap(unfinished: Int) {
    if state == .foreign || (state == .ended && !isPaste) { return }
    state = .searching
    searched = 0
    skipped += unfinished
  }

  /// What stands at `at`. `isEnd`: nothing comes behind the octets of `b`.
  @inline(__always)
  package mutating func step(_ b: Span<UInt8>, at: Int, isEnd: Bool) -> Step {
    if state == .synced, dialect == .amqp10, b.count - at >= 8 {
      let size = Int(b.u32(at))
      // Doff 2, type 0 or 1, and all there: nearly every frame.
      if size >= 8, size <= b.count - at, b[at + 4] == 2, b[at + 5] <= 1 { return .frame(.amqp10, end: at + size) }
    } else if state == .synced, dialect == .amqp091, b.count - at >= Frame091.overhead {
      let end = at + Int(b.u32(at + 3)) + Frame091.overhead
      if end <= b.count, b[end - 1] == Frame091.endOctet, b[at] >= 1, b[at] <= 3 { return .frame(.amqp091, end: end) }
    }
    return slowStep(b, at, isEnd)
  }

  @inline(never)
  private mutating func slowStep(_ b: Span<UInt8>, _ at: Int, _ isEnd: Bool) -> Step {
    if at >= b.count {
      if !isEnd { return .more }
      if skipped > 0 { return report() }
      return .done
    }
    switch state {
    case .start: return start(b, at, isEnd)
    case .synced: return next(b, at, isEnd)
    case .found:
      state = .synced
      return skipped > 0 ? report() : next(b, at, isEnd)
    case .searching: return search(b, at, isEnd)
    case .foreign: return .discard(end: b.count)
    case .ended: return .done
    }
  }

  // MARK: In step

  private mutating func next(_ b: Span<UInt8>, _ at: Int, _ isEnd: Bool) -> Step {
    switch header(b, at, isEnd) {
    case nil: break
    case let step?: return step
    }
    return switch dialect ?? .amqp10 {
    case .amqp10: next10(b, at, isEnd)
    case .amqp091: next091(b, at, isEnd)
    }
  }

  private mutating func next10(_ b: Span<UInt8>, _ at: Int, _ isEnd: Bool) -> Step {
    let left = b.count - at
    if left < 4 { return isEnd ? cut(.amqp10, b) : .more }
    let size = Int(b.u32(at))
    if size < 8 || size > Framing.largest { return lose(.amqp10) }
    if left < 8 { return isEnd ? cut(.amqp10, b) : .more }
    let plausible = Look.frame(b, at: at, .amqp10) != .no
    if left < size {
      // A size of megabytes in front of what is no frame is a number that happened to stand there.
      if size > Look.largest && b[at + 4] != 2 { return lose(.amqp10) }
      return isEnd ? cut(.amqp10, b) : .more
    }
    return plausible || follows(b, at + size, .amqp10, isEnd) ? frame(.amqp10, at + size) : lose(.amqp10)
  }

  private mutating func next091(_ b: Span<UInt8>, _ at: Int, _ isEnd: Bool) -> Step {
    let left = b.count - at
    if FrameType091(rawValue: b[at]) == nil && (b[at] == 0 || b[at] > 8) { return lose(.amqp091) }
    if left < Frame091.headSize { return isEnd ? cut(.amqp091, b) : .more }
    let size = Int(b.u32(at + 3)) + Frame091.overhead
    if size > Framing.largest { return lose(.amqp091) }
    if left < size { return isEnd ? cut(.amqp091, b) : .more }
    if b[at + size - 1] == Frame091.endOctet { return frame(.amqp091, at + size) }
    return follows(b, at + size, .amqp091, isEnd) ? frame(.amqp091, at + size) : lose(.amqp091)
  }

  private mutating func frame(_ dialect: Dialect, _ end: Int) -> Step {
    state = .synced
    return .frame(dialect, end: end)
  }

  /// Whether behind something that looks wrong another frame starts, or nothing is left to say that it does not.
  private func follows(_ b: Span<UInt8>, _ at: Int, _ dialect: Dialect, _ isEnd: Bool) -> Bool {
    at >= b.count || Look.frame(b, at: at, dialect) != .no
  }

  private mutating func lose(_ dialect: Dialect) -> Step {
    state = .searching
    searched = 1
    return .lost(dialect)
  }

  private mutating func cut(_ dialect: Dialect, _ b: Span<UInt8>) -> Step {
    state = .ended
    return .truncated(dialect, end: b.count)
  }

  /// A protocol header at `at`, or the start of one; nil when there is none.
  private mutating func header(_ b: Span<UInt8>, _ at: Int, _ isEnd: Bool) -> Step? {
    if b[at] != 0x41 { return nil }
    switch ProtocolHeader.read(b.extracting(at..<b.count)) {
    case .other: return nil
    case .incomplete: return isEnd ? nil : .more
    case .header(let header):
      let end = at + ProtocolHeader.size
      if Foreign(header) != nil {
        state = .foreign
      } else {
        // Whatever the rest of a header asks for, what follows it is told by the version.
        if header == .amqp091 { dialect = .amqp091 } else if header.major == 1 { dialect = .amqp10 }
        state = dialect == nil ? .start : .synced
      }
      return .header(header, end: end)
    }
  }

  // MARK: The beginning

  private mutating func start(_ b: Span<UInt8>, _ at: Int, _ isEnd: Bool) -> Step {
    if let step = header(b, at, isEnd) { return step }
    if let foreign = Foreign.named(b, at) {
      state = .foreign
      return .foreign(foreign, end: b.count)
    }
    var undecided = false
    for candidate in Dialect.allCases where dialect == nil || dialect == candidate {
      switch Look.frame(b, at: at, candidate) {
      case .no: break
      case .more: undecided = true
      case .yes:
        dialect = candidate
        state = .synced
        return next(b, at, isEnd)
      }
    }
    if !isEnd && (undecided || (isPaste && b.count - at < Framing.kept)) { return .more }
    if isPaste, let bare = Look.bare(b, at) {
      if !isEnd { return .more }
      state = .ended
      dialect = bare.dialect
      return .bare(bare, end: b.count)
    }
    if isPaste, let dialect = spoiltFirst(b, at) {
      self.dialect = dialect
      state = .synced
      return next(b, at, isEnd)
    }
    state = .searching
    searched = 0
    let held = self
    let step = search(b, at, isEnd)
    // A frame is found further on, and what stands in front of it is a spoilt one: something can be said about it.
    if isPaste, at == 0, case .discard(let end) = step, end < b.count, state == .found, guess(b, at) == dialect,
      let dialect
    {
      self = held
      self.dialect = dialect
      return lose(dialect)
    }
    // Nothing is found anywhere: it is read as what it is nearest to, so that something can be said about it.
    if isPaste, isEnd, case .discard(let end) = step, end == b.count, dialect == nil, let guess = guess(b, at) {
      self = held
      dialect = guess
      state = .synced
      return next(b, at, isEnd)
    }
    return step
  }

  /// What is no frame, but as long as it says, with a frame behind it.
  private func spoiltFirst(_ b: Span<UInt8>, _ at: Int) -> Dialect? {
    let left = b.count - at
    if left > 8 {
      let size = Int(b.u32(at))
      if size >= 8, size < left, case .yes = Look.frame(b, at: at + size, .amqp10) { return .amqp10 }
    }
    if left > Frame091.overhead, FrameType091(rawValue: b[at]) != nil {
      let size = Int(b.u32(at + 3)) + Frame091.overhead
      if size < left, case .yes = Look.frame(b, at: at + size, .amqp091) { return .amqp091 }
    }
    return nil
  }

  private func guess(_ b: Span<UInt8>, _ at: Int) -> Dialect? {
    let left = b.count - at
    // Whatever its type: one that fits to the octet.
    if left >= Frame091.overhead, Int(b.u32(at + 3)) + Frame091.overhead == left, b[b.count - 1] == Frame091.endOctet {
      return .amqp091
    }
    if left >= 8 {
      let size = Int(b.u32(at))
      if size == left || (b[at + 4] == 2 && b[at + 5] <= 1) || (b[at] == 0 && b[at + 4] <= 16 && b[at + 5] <= 1) {
        return .amqp10
      }
    }
    if left >= 7, FrameType091(rawValue: b[at]) != nil {
      let size = Int(b.u32(at + 3)) + Frame091.overhead
      if b[b.count - 1] == Frame091.endOctet || size == left || size > left && b[at + 1] == 0 { return .amqp091 }
    }
    if left >= 1, left < 8, b[at] == 0 { return .amqp10 }
    return nil
  }

  // MARK: Out of step

  private mutating func search(_ b: Span<UInt8>, _ at: Int, _ isEnd: Bool) -> Step {
    var i = at + searched
    while i < b.count {
      if b[i] == 0x41, !isEnd && b.count - i < 8 || b.extracting(i..<b.count).starts(with: "AMQP") {
        if b.count - i < 8 && !isEnd { return hold(i, at) }
        if b.count - i >= 8 {
          if case .header(let header) = ProtocolHeader.read(b.extracting(i..<b.count)),
            header.major == 1 || header == .amqp091
          {
            return found(dialect, i, at)
          }
        }
      }
      for candidate in Dialect.allCases where dialect == nil || dialect == candidate {
        // A body alone says nothing: every text has an octet 3.
        if candidate == .amqp091 && b[i] == FrameType091.body.rawValue { continue }
        switch Look.frame(b, at: i, candidate) {
        case .no: break
        case .more: if !isEnd { return hold(i, at) }
        case .yes(let size):
          let after = i + size
          if after == b.count && isEnd { return found(candidate, i, at) }
          if after >= b.count {
            if isEnd { continue }
            return hold(i, at)
          }
          switch Look.frame(b, at: after, candidate) {
          case .no: break
          case .more: return isEnd ? found(candidate, i, at) : hold(i, at)
          case .yes: return found(candidate, i, at)
          }
        }
      }
      i += 1
    }
    skipped += b.count - at
    searched = 0
    return .discard(end: b.count)
  }

  /// Waits with the octets from `i` on.
  private mutating func hold(_ i: Int, _ at: Int) -> Step {
    if i == at {
      searched = 0
      return .more
    }
    skipped += i - at
    searched = 0
    return .discard(end: i)
  }

  private mutating func found(_ candidate: Dialect?, _ i: Int, _ at: Int) -> Step {
    if let candidate { dialect = candidate }
    state = .found
    searched = 0
    skipped += i - at
    return .discard(end: i)
  }

  private mutating func report() -> Step {
    defer { skipped = 0 }
    return .skipped(count: skipped)
  }
}
