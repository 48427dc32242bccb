/// Transactions at an accepting end: what is published and settled in one counts when it is committed.
import Bytes
import Engine
import Support
import Testing
import Wire

@Suite struct Batches091Tests {
  private func linked(_ role: Role, chunk: Int = .max) -> (pair: Pair, link: LinkID) {
    var settings = Pair091Tests.settings(.initiator)
    settings.isTransactional = true
    let pair = Pair.willing(settings, Pair091Tests.settings(.acceptor))
    pair.chunk = chunk
    let link = pair.initiator.connection.attach(Attach(role, "q", to: "/queues/q"))
    pair.run()
    if role == .receiver { pair.initiator.connection.grant(link, start: 10, ceiling: 10) }
    pair.run()
    _ = pair.initiator.takeLog()
    return (pair, link)
  }

  @Test(arguments: [1, 7, Int.max]) func aCommit(_ chunk: Int) {
    let (pair, link) = linked(.sender, chunk: chunk)
    for batch in 0..<2 {
      let bodies = (0..<3).map { "\(batch)-\($0)" } + [String(repeating: "x", count: 300)]
      for (n, text) in bodies.enumerated() { pair.initiator.deliver(link, batch * 4 + n + 1, message(text)) }
      pair.run()
      #expect(pair.acceptor.messages.count == batch * 4, "nothing is told before the commit")
      pair.initiator.connection.discharge(fail: false)
      pair.run()
      #expect(pair.acceptor.messages.suffix(4).map(body) == bodies)
      #expect(pair.acceptor.deliveries.suffix(4).allSatisfy { !$0.settled })
      // Answered when all of it is settled.
      #expect(pair.initiator.takeLog() == [])
      let back = pair.acceptor.links[0]
      pair.acceptor.connection.settle(back, batch * 4...batch * 4 + 2, .accept)
      pair.run()
      #expect(pair.initiator.takeLog() == [])
      pair.acceptor.connection.settle(back, batch * 4 + 3...batch * 4 + 3, .accept)
      pair.run()
      #expect(pair.initiator.takeLog() == ["answered q \(batch * 4 + 1)...\(batch * 4 + 4) accepted", "discharged"])
    }
  }

  @Test func anEmptyCommitAndARollback() {
    let (pair, link) = linked(.sender)
    pair.initiator.connection.discharge(fail: false)
    pair.run()
    #expect(pair.initiator.takeLog() == ["discharged"])
    pair.initiator.deliver(link, 1, message("never"))
    pair.initiator.connection.discharge(fail: true)
    pair.run()
    #expect(pair.initiator.takeLog() == ["answered q 1...1 released", "discharged"])
    #expect(pair.acceptor.messages.isEmpty)
  }

  @Test func notAllIsAccepted() {
    let (pair, link) = linked(.sender)
    for n in 1...2 { pair.initiator.deliver(link, n, message("m")) }
    pair.initiator.connection.discharge(fail: false)
    pair.run()
    let back = pair.acceptor.links[0]
    pair.acceptor.connection.settle(back, 0...0, .accept)
    pair.acceptor.connection.settle(back, 1...1, .reject(nil))
    pair.run()
    let log = pair.initiator.takeLog()
    #expect(log.first?.hasPrefix("detached q link peer amqp-0-9-1:406") == true, "\(log)")
  }

  @Test func acknowledgementsWaitForTheCommit() {
    let (pair, link) = linked(.receiver)
    let out = pair.acceptor.links[0]
    for n in 1...3 { pair.acceptor.deliver(out, n, message("m\(n)")) }
    pair.run()
    _ = pair.acceptor.takeLog()
    pair.initiator.connection.settle(link, 0...1, .accept)
    pair.run()
    #expect(pair.acceptor.unsettled(out) == 3 && pair.acceptor.takeLog() == [])
    pair.initiator.connection.discharge(fail: false)
    pair.run()
    #expect(pair.acceptor.takeLog() == ["answered q 1...2 accepted"])
    #expect(pair.initiator.takeLog().last == "discharged")
  }
}
