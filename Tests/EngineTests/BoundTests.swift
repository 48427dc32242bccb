/// Peers that ask for ever: what they cost is bounded by what is alive, not by what was.
import Engine
import Support
import Testing
import Wire

@Suite struct BoundTests {
  @Test func linksForEver() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.end.react = { end, event in if case .attachRequested(let link) = event { end.connection.accept(link) } }
    for n in 0..<10_000 {
      peer.send(Attach(.sender, "a\(n)"))
      peer.send(Detach(handle: 0))
      if n % 8 == 0 { while try peer.next() != nil {} }
    }
    while try peer.next() != nil {}
    #expect(!peer.end.isOver)
    // The handles that we answered with stayed low: the places were used again.
    peer.send(Attach(.sender, "last"))
    #expect(try peer.expect(Attach.self).handle < 16)
  }

  @Test func linksForEverWhileNothingIsRead() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    peer.end.react = { end, event in if case .attachRequested(let link) = event { end.connection.accept(link) } }
    for n in 0..<8_400 {
      peer.send(Attach(.sender, "a\(n)"))
      peer.send(Detach(handle: 0))
    }
    #expect(peer.end.links.count == 8_192)
    while try peer.next() != nil {}
    #expect(!peer.end.isOver)
  }

  @Test func sessionsForEverWhileNothingIsRead() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    for _ in 0..<2_000 where !peer.end.isOver {
      peer.send(peer.begin(), channel: 1)
      peer.send(EndFrame(), channel: 1)
    }
    #expect(
      peer.end.takeLog().last
        == "closed connection local amqp:resource-limit-exceeded (no channel is left for another session)")
  }

  @Test func manyLinksAtOnce() throws {
    let peer = ScriptedPeer(bare(.acceptor))
    try peer.dial()
    var attach = Attach(.sender, "")
    for n in 0..<4_096 as Range<UInt32> {
      (attach.name, attach.handle) = ("a\(n)", n)
      peer.send(attach)
    }
    #expect(peer.end.takeLog().count == 1 + 4_096)
    attach.handle = 4_096
    peer.send(attach)
    #expect(peer.end.takeLog().count == 4_096, "all of them are told that the session is over")
  }

  @Test func flowsForEver() throws {
    let (peer, end, _) = try linked(.sender)
    let flow = ScriptedPeer.frame(
      Flow(handle: 0, credit: 10, count: id(0), nextIncoming: id(0), echo: true).record)
    let many = Array([[UInt8]](repeating: flow, count: 1_000).joined())
    for _ in 0..<100 { peer.send(raw: many) }
    #expect(end.takeLog() == [])
    try peer.expect(Flow.self)
    try peer.expectNothing()
  }

  @Test func decisionsForAPeerThatDoesNotRead() throws {
    let (peer, end, links) = try TransferTests.receiver()
    // Every second one is decided otherwise: no two can be one frame. Credit bounds how many there can be.
    var n: UInt32 = 0
    while end.takeLog().allSatisfy({ $0.hasPrefix("delivery") }) && n < 100_000 {
      peer.send(Transfer(id: id(n)), payload: text("m"))
      end.connection.settle(links[0], Int(n)...Int(n), n % 2 == 0 ? .accept : .release)
      n += 1
    }
    #expect(n < 300)
    #expect(end.output(now: 0).count < 300 * 40)
  }
}
