/// Transactional work over 1.0: what names its transaction, and when (part 4 §4.4).
import Engine
import Support
import Testing
import Wire

@Suite struct TransactionTests {
  private static let name: [UInt8] = [1, 2, 3]

  private static func state(_ outcome: DeliveryState?) -> Value {
    Record(Code.transactionalState, [.binary(name)] + (outcome.map { [$0.value] } ?? [])).value
  }

  @Test func everyTransferNamesIt() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: 0, credit: 100, count: id(0), nextIncoming: id(0)))
    end.deliver(link, 1, "before")
    end.connection.enlist(TransactionTests.name)
    end.deliver(link, 2, "small")
    let large = [UInt8](repeating: 7, count: 150_000)
    end.deliver(link, 3, large)
    end.connection.enlist(nil)
    end.deliver(link, 4, "after")
    let before = try peer.expectTransfer()
    #expect(before.0.state == .null && before.payload == text("before"))
    let small = try peer.expectTransfer()
    #expect(small.0.state == TransactionTests.state(nil) && small.payload == text("small"))
    #expect(small.0.deliveryTag != nil && small.0.settled == false && !small.0.more)
    var body: [UInt8] = []
    var more = true
    while more {
      let part = try peer.expectTransfer()
      // All of them (part 4 §4.4.1), and the tag with the first only.
      #expect(part.0.state == TransactionTests.state(nil))
      #expect((part.0.deliveryTag != nil) == body.isEmpty)
      body += part.payload
      more = part.0.more
    }
    #expect(body == large)
    #expect(try peer.expectTransfer().0.state == .null)
  }

  @Test func anAnswerInATransactionIsAnAnswer() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: 0, credit: 100, count: id(0), nextIncoming: id(0)))
    for n in 1...3 { end.deliver(link, n, "m") }
    for _ in 1...3 { _ = try peer.expectTransfer() }
    peer.send(Disposition(.receiver, id(0), .other(TransactionTests.state(.accepted))))
    peer.send(Disposition(.receiver, id(1), .other(TransactionTests.state(.rejected(AMQPError("test:no", "x"))))))
    #expect(end.takeLog() == ["answered a 1...1 accepted", "answered a 2...2 rejected test:no (x)"])
    // A peer that names the transaction and no outcome yet has not answered.
    var provisional = Disposition(.receiver, id(2), .other(TransactionTests.state(nil)))
    provisional.settled = false
    peer.send(provisional)
    #expect(end.takeLog().isEmpty)
  }

  @Test func whatWasDecidedGoesInFrontOfItsEnd() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 10, ceiling: 10)
    _ = try peer.expect(Flow.self)
    for n: UInt32 in 0..<3 {
      var transfer = Transfer()
      (transfer.deliveryID, transfer.deliveryTag) = (id(n), [UInt8(n)])
      peer.send(transfer, payload: text("m"))
    }
    end.connection.enlist(TransactionTests.name)
    end.connection.settle(link, 0...1, .accept)
    end.connection.enlist(nil)
    end.connection.settle(link, 2...2, .release)
    let inside = try peer.expect(Disposition.self)
    #expect(inside.state == TransactionTests.state(.accepted) && inside.first == id(0) && inside.last == id(1))
    #expect(inside.settled)
    let outside = try peer.expect(Disposition.self)
    #expect(DeliveryState(outside.state) == .released && outside.first == id(2))
  }
}
