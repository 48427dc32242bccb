// The pure parts of outcomes by program.
import Bytes
import Testing
import Transport
import Wire

@testable import amqp

@Suite struct HandlerTests {
  @Test func backoffDoubles() {
    var backoff = Backoff()
    var now: Int64 = 0
    var delays: [Int64] = []
    for _ in 0..<11 {
      let delay = backoff.failed(began: now, now: now + 5)
      delays.append(delay / 1_000_000)
      now += 6 + delay
    }
    #expect(delays == [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000])
    backoff.succeeded()
    #expect(backoff.failed(began: now, now: now) == Backoff.first)
  }

  /// Four that ran side by side failed once.
  @Test func backoffCountsRoundsAndNotMessages() {
    var backoff = Backoff()
    #expect(
      (0..<4).map { backoff.failed(began: 0 + 10 * Int64($0 / 3), now: 10 + $0) }
        == Array(repeating: Backoff.first, count: 4))
    #expect(backoff.failed(began: 11, now: 20) == 2 * Backoff.first)
  }

  private static let statuses: [(Child.Ending, Verdict)] = [
    (.exited(0), .accept), (.exited(65), .reject("the handler exited with status 65")), (.exited(75), .release),
    (.exited(1), .fail("exited with status 1")), (.exited(255), .fail("exited with status 255")),
    (.killed(signal: 9), .fail("was killed by signal 9")),
  ]
  @Test(arguments: statuses.indices) func statusesDecide(_ i: Int) {
    #expect(Verdict(Self.statuses[i].0) == Self.statuses[i].1)
  }

  @Test func commandsThatCannotBeRunEndTheRun() {
    guard case .stop(.handlerNotExecutable, _) = Verdict(.exited(126)),
      case .stop(.handlerNotFound, _) = Verdict(.exited(127))
    else {
      Issue.record("another verdict")
      return
    }
  }

  private func answer(_ line: String, responds: Bool = false) -> WorkerAnswer? {
    WorkerAnswer(Array(line.utf8).span, responds: responds)
  }

  @Test func workersAnswer() {
    #expect(answer("7 accept").map { $0.id == 7 && $0.verdict == .accept } == true)
    #expect(answer("1 reject no such order")?.verdict == .reject("no such order"))
    #expect(answer("1 reject")?.verdict == .reject("the worker rejected it"))
    #expect(answer("12 release")?.verdict == .release)
    #expect(answer("1 modify")?.verdict == .modify(failed: false, undeliverable: false, annotations: .null))
    #expect(
      answer("1 modify failed undeliverable x-why=late")?.verdict
        == .modify(
          failed: true, undeliverable: true, annotations: .map([MapEntry(.symbol("x-why"), .string("late"))])))
  }

  @Test(arguments: [
    "", "7", "accept", "7 ", " 7 accept", "x accept", "7 accepted", "7 accept it", "7 release now", "7 modify late",
    "7  accept", "-1 accept", "99999999999999999999 accept", "7 reply {\"body\":\"x\"}", "Starting up",
  ]) func othersAreNoAnswers(_ line: String) { #expect(answer(line) == nil) }

  @Test func workersReply() {
    guard case .body(let body)? = answer("7 accept a b ", responds: true)?.reply else {
      Issue.record("another verdict")
      return
    }
    #expect(body.bytes == Array("a b ".utf8))
    guard case .message(let draft)? = answer("7 reply {\"body\":\"x\"}", responds: true)?.reply else {
      Issue.record("another verdict")
      return
    }
    #expect(draft.body == [.data(Array("x".utf8))])
    #expect(answer("7 reply {", responds: true) == nil)
  }

  @Test func requestsSayWhereTheirAnswerGoes() throws {
    func request(_ change: (inout MessageDraft) throws -> Void) throws -> Request? {
      var draft = MessageDraft()
      try change(&draft)
      var q = ByteQueue()
      draft.encode(into: &q)
      return q.withReadable { Request($0) }
    }
    #expect(try request { _ in } == nil)
    #expect(try request { try $0.set("message-id", text: "m") } == nil)
    let plain = try request {
      try $0.set("reply-to", text: "answers")
      try $0.set("message-id", .ulong(5))
    }
    #expect(plain?.address == "answers" && plain?.correlation == .ulong(5))
    let own = try request {
      try $0.set("reply-to", text: "answers")
      try $0.set("message-id", text: "m")
      try $0.set("correlation-id", text: "c")
    }
    #expect(own?.correlation == .string("c"))
  }
}
