/// What is to be sent and what was sent and not answered, numbered from 1 in the order it was read. It stands above the
/// connections: when one is lost or a link goes, what nobody answered is still in here. Bounded by count and octets, so
/// that input is read no faster than it is sent.
import Bytes

package struct Outbox: ~Copyable, Sendable {
  /// Messages, and octets of messages, that may be in here; a single message may be larger.
  package var countLimit = 8_192
  package var octetLimit = 4 << 20
  package static let unlimited = Int.max >> 2

  /// Sections that come before the body and are the same for many messages; head 0 is empty.
  private var heads: [[UInt8]] = [[]]
  /// The messages' own octets, oldest first; `base` is the logical offset of the first.
  private var octets = ByteQueue()
  private var base = 0
  private var ring: [Entry] = []
  private var first = 1
  private var next = 1
  /// The first that was never begun.
  private var unsent = 1
  /// Given back by a peer, in order, to be sent before anything new: what is behind `returnedHead`.
  private var returned: [Int] = []
  private var returnedHead = 0
  /// Messages in here that may be with the peer already.
  private var repeats = 0

  private struct Entry: BitwiseCopyable, Sendable {
    enum State: BitwiseCopyable, Sendable { case waiting, begun, sent, done }
    var offset: Int
    var length: Int
    var head: Int32
    /// Who has it, while it is begun or sent.
    var holder: Int32
    var state: State
    /// Its place among all that was read, for whatever outbox.
    var place: Int
    /// When it was begun last.
    var began: Instant = 0
    /// It was sent whole, and whoever had it is gone.
    var mayBeThere = false
    /// Somebody had it whole, and gave it back or is gone.
    var wasDelivered = false
  }

  package init() {}

  // MARK: Putting in

  /// Whether another message may come in. Once it was full, none may until a quarter of it is free again: peers answer a
  /// message at a time, and what is filled up in that rhythm is written, read and answered in it as well.
  package var hasRoom: Bool {
    next == first || (!wasFull && next - first < countLimit && octets.count < octetLimit)
  }
  private var wasFull = false

  /// There is room for whatever comes.
  package mutating func lift() { (countLimit, octetLimit, wasFull) = (Outbox.unlimited, Outbox.unlimited, false) }

  package mutating func addHead(_ bytes: [UInt8]) -> Int {
    heads.append(bytes)
    return heads.count - 1
  }

  /// Adds a message: `prefix`, then `body`, then `suffix` behind the head.
  /// - Parameter place: among the messages of all outboxes, where there are several; its number otherwise.
  @discardableResult
  package mutating func append(
    head: Int, prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>, place: Int? = nil
  ) -> Int {
    let offset = base + octets.count
    octets.append(prefix)
    octets.append(body)
    octets.append(suffix)
    if next - first == ring.count { grow() }
    let number = next
    next += 1
    self[number] = Entry(
      offset: offset, length: prefix.count + body.count + suffix.count, head: Int32(head), holder: -1, state: .waiting,
      place: place ?? number)
    if next - first >= countLimit || octets.count >= octetLimit { wasFull = true }
    return number
  }

  // MARK: Taking out

  /// The next message to be sent, or nil.
  package var nextToSend: Int? {
    if returnedHead < returned.count { return returned[returnedHead] }
    return unsent < next ? unsent : nil
  }

  /// Lends head and body of a message.
  package func withMessage<R, E: Error>(
    _ number: Int, _ body: (Span<UInt8>, Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    let entry = self[number]
    let start = octets.readable.lowerBound + entry.offset - base
    let head = heads[Int(entry.head)]
    return try octets.withBytes(start..<start + entry.length) { span throws(E) in try body(head.span, span) }
  }

  /// Overwrites eight octets of messages that wait to be begun, in the order in which they will be: `place` is shown a
  /// message's own octets and says where and with what; a place before the first octet leaves it alone, nil ends it.
  package mutating func overwrite(_ place: (Span<UInt8>) -> (at: Int, value: UInt64)?) {
    for number in returned[returnedHead...] {
      if !overwrite(number, place) { return }
    }
    for number in unsent..<max(unsent, next) {
      if !overwrite(number, place) { return }
    }
  }

  private mutating func overwrite(_ number: Int, _ place: (Span<UInt8>) -> (at: Int, value: UInt64)?) -> Bool {
    let entry = self[number]
    let start = octets.readable.lowerBound + entry.offset - base
    guard let (at, value) = octets.withBytes(start..<start + entry.length, place) else { return false }
    if at >= 0 { octets.patch64(at: start + at, value) }
    return true
  }

  /// Octets of the whole message.
  package func size(_ number: Int) -> Int {
    let entry = self[number]
    return heads[Int(entry.head)].count + entry.length
  }

  /// Whether somebody had it before.
  package func wasDelivered(_ number: Int) -> Bool { self[number].wasDelivered }

  /// The next message has gone to `holder`, or (`whole` false) its first octets have.
  package mutating func begin(_ number: Int, holder: Int, whole: Bool, now: Instant = 0) {
    if returnedHead < returned.count, returned[returnedHead] == number {
      returnedHead += 1
      if returnedHead == returned.count { (returned, returnedHead) = ([], 0) }
    } else {
      unsent = max(unsent, number + 1)
    }
    self[number].holder = Int32(holder)
    self[number].state = whole ? .sent : .begun
    self[number].began = now
  }

  package mutating func completed(_ number: Int) { self[number].state = .sent }

  /// Nothing more is expected of these; calls `each` for every run of messages that were not done yet.
  package mutating func finish(_ run: ClosedRange<Int>, _ each: (ClosedRange<Int>) -> Void = { _ in }) {
    var start: Int?
    let from = max(run.lowerBound, first)
    let to = min(run.upperBound, next - 1)
    if from > to { return }
    for number in from...to {
      if self[number].state == .done {
        if let s = start { each(s...number - 1) }
        start = nil
      } else {
        self[number].state = .done
        if self[number].mayBeThere { repeats -= 1 }
        if start == nil { start = number }
      }
    }
    if let s = start { each(s...to) }
    trim()
  }

  /// These go back to the front, to be sent again.
  package mutating func giveBack(_ run: ClosedRange<Int>) {
    for number in run
    where number >= first && number < next && (self[number].state == .sent || self[number].state == .begun) {
      if self[number].state == .sent { self[number].wasDelivered = true }
      self[number].state = .waiting
      self[number].holder = -1
      let comesLast = returnedHead == returned.count || returned[returned.count - 1] < number
      let at = comesLast ? returned.count : returned[returnedHead...].firstIndex { $0 > number } ?? returned.count
      returned.insert(number, at: at)
    }
  }

  /// All that `holder`, who is gone, has and didn't answer goes back to the front. What it has whole may come twice.
  /// - Returns: how many.
  @discardableResult
  package mutating func giveBack(holder: Int) -> Int {
    var count = 0
    for number in first..<next where self[number].holder == Int32(holder) {
      switch self[number].state {
      case .sent, .begun:
        if self[number].state == .sent && !self[number].mayBeThere {
          self[number].mayBeThere = true
          repeats += 1
        }
        giveBack(number...number)
        count += 1
      case .waiting, .done: break
      }
    }
    return count
  }

  /// What waits to be sent and is not kept by `dropWaiting`.
  package func forEachWaiting(all: Bool, _ body: (Pending) -> Void) {
    forEachPending { if self[$0.number].state == .waiting, all || !self[$0.number].mayBeThere { body($0) } }
  }

  /// Forgets what waits to be sent, calling `each`; what a peer that is gone may have is kept, unless `all` is to go.
  package mutating func dropWaiting(all: Bool, _ each: (Pending) -> Void) {
    var kept: [Int] = []
    for number in returned[returnedHead...] + Array(unsent..<next) where self[number].state == .waiting {
      let entry = self[number]
      if entry.mayBeThere && !all {
        kept.append(number)
        continue
      }
      each(Pending(number: number, place: entry.place, began: entry.mayBeThere ? entry.began : nil))
      finish(number...number)
    }
    (returned, returnedHead, unsent) = (kept, 0, next)
  }

  // MARK: Questions

  /// Messages that are not done: waiting, or sent and unanswered.
  package var pending: Int { (first..<next).reduce(0) { $0 + (self[$1].state == .done ? 0 : 1) } }
  /// Messages that were sent and not answered, by a peer that is there or by one that is gone.
  package var unanswered: Int { (first..<unsent).reduce(0) { $0 + (isUnanswered($1) ? 1 : 0) } }
  /// Whether there are any: nearly always the first of all tells.
  package var hasUnanswered: Bool { (first..<unsent).contains { isUnanswered($0) } }

  private func isUnanswered(_ number: Int) -> Bool {
    switch self[number].state {
    case .begun, .sent: true
    case .waiting: self[number].mayBeThere
    case .done: false
    }
  }

  /// Whether any message in here may be with the peer already.
  package var hasRepeats: Bool { repeats > 0 }
  package var isEmpty: Bool { next == first }
  /// Every message before this one is done.
  package var oldest: Int { first }
  /// The only message in here has just come.
  package var isFresh: Bool { next - first == 1 }
  /// How many have ever come in.
  package var total: Int { next - 1 }

  /// A message that is not done.
  package struct Pending: Sendable {
    /// In this outbox.
    package let number: Int
    /// Among all that was read.
    package let place: Int
    /// When it was begun; nil: it waits to be.
    package let began: Instant?
    /// It was sent more than once, and may have arrived each time.
    package let mayBeTwice: Bool

    package init(number: Int, place: Int, began: Instant?, mayBeTwice: Bool = false) {
      (self.number, self.place, self.began, self.mayBeTwice) = (number, place, began, mayBeTwice)
    }
  }

  /// Where the first of these that is not done stands among all that was read.
  package func firstPlace(in run: ClosedRange<Int>) -> Int? {
    let known = max(run.lowerBound, first)..<max(max(run.lowerBound, first), min(run.upperBound + 1, next))
    return known.first { self[$0].state != .done }.map { self[$0].place }
  }

  /// Those that are not done, oldest first.
  package func forEachPending(in run: ClosedRange<Int> = 0...Int.max, _ body: (Pending) -> Void) {
    let from = max(run.lowerBound, first)
    let to = min(run.upperBound, next - 1)
    if from > to { return }
    for number in from...to {
      let entry = self[number]
      switch entry.state {
      case .waiting: body(Pending(number: number, place: entry.place, began: entry.mayBeThere ? entry.began : nil))
      case .begun, .sent:
        let mayBeTwice = entry.mayBeThere && entry.state == .sent
        body(Pending(number: number, place: entry.place, began: entry.began, mayBeTwice: mayBeTwice))
      case .done: break
      }
    }
  }

  // MARK: The ring

  private subscript(number: Int) -> Entry {
    get { ring[number & (ring.count - 1)] }
    set { ring[number & (ring.count - 1)] = newValue }
  }

  private mutating func grow() {
    let old = ring
    ring = [Entry](
      repeating: Entry(offset: 0, length: 0, head: 0, holder: -1, state: .done, place: 0), count: max(64, old.count * 2)
    )
    for number in first..<next { self[number] = old[number & (old.count - 1)] }
  }

  private mutating func trim() {
    while first < next && self[first].state == .done { first += 1 }
    let end = first < next ? self[first].offset : base + octets.count
    octets.consume(end - base)
    base = end
    octets.release(above: octetLimit * 2)
    unsent = max(unsent, first)
    if wasFull, next - first <= countLimit - countLimit / 4, octets.count <= octetLimit - octetLimit / 4 {
      wasFull = false
    }
  }
}
