// What the outbox gives again when a holder is gone, and what it says of it.
import Bytes
import Testing

@testable import Engine

@Suite struct OutboxTests {
  private static func filled(_ count: Int) -> Outbox {
    var outbox = Outbox()
    let none: [UInt8] = []
    for i in 0..<count {
      let body = Array("message \(i + 1)".utf8)
      outbox.append(head: 0, prefix: none.span, body: body.span, suffix: none.span)
    }
    return outbox
  }

  /// Sends so many, whole unless told otherwise.
  private static func send(_ count: Int, _ outbox: inout Outbox, holder: Int, whole: Bool = true) -> [Int] {
    (0..<count).compactMap { _ in
      guard let number = outbox.nextToSend else { return nil }
      outbox.begin(number, holder: holder, whole: whole, now: 5)
      return number
    }
  }

  /// What there is to say of it; the outbox itself can't be copied into an expectation.
  private struct Picture {
    let pending: Int
    let unanswered: Int
    let hasRepeats: Bool
    let isEmpty: Bool
    let nextToSend: Int?

    init(_ outbox: borrowing Outbox) {
      (pending, unanswered) = (outbox.pending, outbox.unanswered)
      #expect(outbox.hasUnanswered == (unanswered > 0))
      (hasRepeats, isEmpty, nextToSend) = (outbox.hasRepeats, outbox.isEmpty, outbox.nextToSend)
    }
  }

  private static func pending(_ outbox: borrowing Outbox) -> [Outbox.Pending] {
    var all: [Outbox.Pending] = []
    outbox.forEachPending { all.append($0) }
    return all
  }

  /// Room comes back by the quarter, so that it is filled by many at once.
  @Test(arguments: [1, 2, 3, 4, 8, 100])
  func roomComesBackByTheQuarter(limit: Int) {
    var outbox = Self.filled(limit - 1)
    outbox.countLimit = limit
    let none: [UInt8] = []
    var rooms = [outbox.hasRoom]
    outbox.append(head: 0, prefix: none.span, body: none.span, suffix: none.span)
    rooms.append(outbox.hasRoom)
    #expect(rooms == [true, false])
    for number in 1...limit {
      outbox.finish(number...number)
      let hasRoom = outbox.hasRoom
      #expect(hasRoom == (number >= max(1, limit / 4)), "\(number) of \(limit)")
    }
  }

  @Test func roomInOctetsComesBackByTheQuarter() {
    var outbox = Outbox()
    outbox.octetLimit = 1_000
    let none: [UInt8] = []
    let body = [UInt8](repeating: 0x78, count: 100)
    for _ in 1...10 { outbox.append(head: 0, prefix: none.span, body: body.span, suffix: none.span) }
    var rooms = [outbox.hasRoom]
    for number in 1...3 {
      outbox.finish(number...number)
      rooms.append(outbox.hasRoom)
    }
    #expect(rooms == [false, false, false, true])
  }

  @Test func whatIsGivenBackComesFirstAndInOrder() {
    var outbox = Self.filled(8)
    #expect(Self.send(5, &outbox, holder: 1) == [1, 2, 3, 4, 5])
    outbox.finish(2...2)
    outbox.finish(4...4)
    let count = outbox.giveBack(holder: 1)
    #expect(count == 3)
    #expect(Self.send(9, &outbox, holder: 2) == [1, 3, 5, 6, 7, 8])
    #expect(Picture(outbox).nextToSend == nil)
    outbox.finish(1...8)
    #expect(Picture(outbox).isEmpty)
  }

  /// Two holders are lost one after the other: numbers stay in order whoever had them.
  @Test func twoHoldersAreLost() {
    var outbox = Self.filled(6)
    _ = Self.send(2, &outbox, holder: 1)
    _ = Self.send(2, &outbox, holder: 2)
    outbox.giveBack(holder: 2)
    outbox.giveBack(holder: 1)
    #expect(Self.send(9, &outbox, holder: 3) == [1, 2, 3, 4, 5, 6])
  }

  /// Only what had gone whole can be with the peer; it stays unanswered until there is an answer.
  @Test func whatMayBeThereIsKnown() {
    var outbox = Self.filled(4)
    _ = Self.send(1, &outbox, holder: 1)
    _ = Self.send(1, &outbox, holder: 1, whole: false)
    #expect(!Picture(outbox).hasRepeats)
    outbox.giveBack(holder: 1)
    var picture = Picture(outbox)
    #expect(picture.hasRepeats && picture.unanswered == 1 && picture.pending == 4)
    var waiting = Self.pending(outbox)
    #expect(waiting.map { $0.began != nil } == [true, false, false, false])
    #expect(waiting.allSatisfy { !$0.mayBeTwice }, "once so far")

    _ = Self.send(2, &outbox, holder: 2)
    waiting = Self.pending(outbox)
    #expect(waiting.map(\.mayBeTwice) == [true, false, false, false])
    outbox.finish(1...2)
    picture = Picture(outbox)
    #expect(!picture.hasRepeats)
  }

  /// A third loss makes it no more than one repeat.
  @Test func lostAgainAndAgain() {
    var outbox = Self.filled(1)
    for holder in 1...3 {
      #expect(Self.send(1, &outbox, holder: holder) == [1])
      outbox.giveBack(holder: holder)
    }
    #expect(Self.send(1, &outbox, holder: 4) == [1])
    outbox.finish(1...1)
    let picture = Picture(outbox)
    #expect(!picture.hasRepeats && picture.isEmpty)
  }

  @Test func whatNobodyCanHaveIsDropped() {
    var outbox = Self.filled(5)
    _ = Self.send(2, &outbox, holder: 1)
    outbox.finish(1...1)
    outbox.giveBack(holder: 1)
    var dropped: [Int] = []
    outbox.dropWaiting(all: false) { dropped.append($0.place) }
    #expect(dropped == [3, 4, 5])
    var picture = Picture(outbox)
    #expect(picture.nextToSend == 2 && picture.unanswered == 1 && picture.pending == 1)
    var unanswered = 0
    outbox.dropWaiting(all: true) { if $0.began != nil { unanswered += 1 } }
    picture = Picture(outbox)
    #expect(unanswered == 1 && picture.isEmpty && picture.nextToSend == nil)
  }
}
