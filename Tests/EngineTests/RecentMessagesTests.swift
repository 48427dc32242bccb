// What is recognised when a broker sends again what it saw no settlement of, and above all what is not.
import Bytes
import Testing
import Wire

@testable import Engine

@Suite struct RecentMessagesTests {
  /// Taken in this order, then the connection is lost.
  private func lost(after marks: [UInt64], capacity: Int = 65_536) -> RecentMessages {
    var recent = RecentMessages(capacity: capacity)
    for mark in marks { recent.took(mark) }
    recent.connectionLost()
    return recent
  }

  /// What of these is new: those are taken, as a receiver does it.
  private func new(_ marks: [UInt64], _ recent: inout RecentMessages, isFresh: Bool = false) -> [UInt64] {
    marks.filter {
      if recent.recognises($0, isFresh: isFresh) { return false }
      recent.took($0)
      return true
    }
  }

  @Test func theTailComesAgain() {
    var recent = lost(after: [1, 2, 3, 4, 5])
    #expect(new([3, 4, 5, 6, 7], &recent) == [6, 7])
    #expect(!recent.expectsRepeats, "the first new one ended it")
  }

  @Test func andAgainAtTheNextLoss() {
    var recent = lost(after: [1, 2, 3])
    #expect(new([2, 3, 4], &recent) == [4])
    recent.connectionLost()
    #expect(new([2, 3, 4, 5], &recent) == [5], "what was recognised once may come once more")
  }

  @Test func withoutALossNothingIsRecognised() {
    var recent = RecentMessages()
    #expect(new([1, 1, 2, 1], &recent) == [1, 1, 2, 1])
  }

  /// Behind a new message nothing is old: an equal one is another one.
  @Test func afterANewMessageNothingIsOld() {
    var recent = lost(after: [1, 2, 3])
    #expect(new([9, 3], &recent) == [9, 3])
  }

  /// The same words sent every minute are told apart by nothing: better twice than never.
  @Test func whatOccurredTwiceIsNotRecognised() {
    var recent = lost(after: [7, 7, 7, 1])
    #expect(new([7, 7, 1, 2], &recent) == [7, 7, 2])
  }

  /// One that stands earlier than the last one recognised is not it.
  @Test func orderCounts() {
    var recent = lost(after: [1, 2, 3])
    #expect(new([3, 2], &recent) == [2])
  }

  @Test func whatTheBrokerCallsFreshIsNew() {
    var recent = lost(after: [1, 2, 3])
    #expect(new([3], &recent, isFresh: true) == [3])
    #expect(!recent.expectsRepeats)
  }

  /// Memory is bounded, and what fell out of it is printed again.
  @Test func onlySoManyAreRemembered() {
    var recent = lost(after: Array(1...10), capacity: 4)
    #expect(new([7, 8, 9, 10, 11], &recent) == [11])
    var older = lost(after: Array(1...10), capacity: 4)
    #expect(new([6, 7], &older) == [6, 7])
    var wrapped = lost(after: [1, 2, 3, 4, 1, 5, 6, 7], capacity: 4)
    #expect(new([5, 6, 7], &wrapped) == [])
  }

  /// A broker changes header, annotations and, over 0-9-1, headers; not the rest.
  @Test func theMarkIsOfTheBareMessage() {
    func message(deliveryCount: UInt32, _ property: String, _ body: String) -> [UInt8] {
      var q = ByteQueue()
      q.appendSection(Code.header, fields: [.boolean(true), .null, .null, .boolean(false), .uint(deliveryCount)])
      q.appendSection(Code.messageAnnotations, .map([MapEntry(.symbol("x-delivery-count"), .uint(deliveryCount))]))
      q.appendSection(Code.applicationProperties, .map([MapEntry(.string("k"), .string(property))]))
      q.appendSection(Code.data, .binary(Array(body.utf8)))
      return q.bytes
    }
    func mark(_ b: [UInt8], headersCount: Bool = true) -> UInt64 {
      RecentMessages.mark(of: b.span, headersCount: headersCount)
    }
    let first = message(deliveryCount: 0, "v", "hello")
    #expect(mark(first) == mark(message(deliveryCount: 3, "v", "hello")))
    #expect(mark(first) != mark(message(deliveryCount: 0, "w", "hello")))
    #expect(mark(first) != mark(message(deliveryCount: 0, "v", "hellp")))
    #expect(mark(first, headersCount: false) == mark(message(deliveryCount: 1, "w", "hello"), headersCount: false))
  }
}
