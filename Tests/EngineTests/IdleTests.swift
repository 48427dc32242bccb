/// Silence, both ways, under a clock that moves when it is told to.
import Engine
import Support
import Testing
import Wire

@Suite struct IdleTests {
  static func peer(ours: UInt32, theirs: UInt32?) throws -> ScriptedPeer {
    var settings = bare(.initiator)
    settings.idleTimeOut = ours
    let peer = ScriptedPeer(settings)
    var open = Open()
    open.idleTimeOut = theirs
    try peer.openUp(open: open)
    _ = peer.end.takeLog()
    return peer
  }

  static func ms(_ n: Int64) -> Instant { n * 1_000_000 }

  /// What we announce is half of what we enforce.
  @Test func aSilentPeerIsGivenUpAfterTwiceWhatWasAnnounced() throws {
    let peer = try IdleTests.peer(ours: 1_000, theirs: nil)
    #expect(peer.end.deadline == IdleTests.ms(2_000))
    peer.end.tick(now: IdleTests.ms(1_999))
    #expect(peer.end.takeLog() == [])
    peer.end.tick(now: IdleTests.ms(2_000))
    #expect(
      peer.end.takeLog() == ["closed transport local amqp:resource-limit-exceeded (nothing came for 2000 ms)"])
    #expect(try peer.expect(CloseFrame.self).error?.condition == Condition.resourceLimitExceeded)
    #expect(peer.end.deadline == nil)
  }

  @Test func anEmptyFrameIsASignOfLife() throws {
    let peer = try IdleTests.peer(ours: 1_000, theirs: nil)
    peer.now = IdleTests.ms(1_500)
    peer.send(raw: octets("00000008 02000000"))
    #expect(peer.end.deadline == IdleTests.ms(3_500))
    peer.end.tick(now: IdleTests.ms(3_499))
    #expect(peer.end.takeLog() == [])
  }

  @Test func emptyFramesWithinHalfOfThePeersTime() throws {
    let peer = try IdleTests.peer(ours: 0, theirs: 1_000)
    for n in 1...5 as ClosedRange<Int64> {
      #expect(peer.end.deadline == IdleTests.ms(500 * n))
      peer.end.tick(now: IdleTests.ms(500 * n - 1))
      try peer.expectNothing()
      peer.now = IdleTests.ms(500 * n)
      peer.end.tick(now: peer.now)
      let frame = try peer.next()
      #expect(frame?.bytes == octets("00000008 02000000"))
      try peer.expectNothing()
    }
  }

  @Test func aFrameThatIsSentAnywayPutsTheEmptyOneOff() throws {
    let peer = try IdleTests.peer(ours: 0, theirs: 1_000)
    peer.now = IdleTests.ms(400)
    _ = peer.end.connection.attach(Attach(.sender, "a"))
    try peer.expect(Begin.self)
    #expect(peer.end.deadline == IdleTests.ms(900))
  }

  @Test func neverIsNever() throws {
    for theirs in [nil, 0] as [UInt32?] {
      let peer = try IdleTests.peer(ours: 0, theirs: theirs)
      #expect(peer.end.deadline == nil)
      peer.end.tick(now: .max / 2)
      try peer.expectNothing()
    }
  }

  @Test func noEmptyFramesPileUpForAPeerThatDoesNotRead() throws {
    let peer = try IdleTests.peer(ours: 0, theirs: 1_000)
    for n in 1...1_000 as ClosedRange<Int64> { peer.end.tick(now: IdleTests.ms(500 * n)) }
    #expect(peer.end.output(now: IdleTests.ms(500_000)).count == 8)
  }

  @Test func twoOfOursKeepEachOtherAlive() {
    var settings = (ConnectionSettings(.initiator), ConnectionSettings(.acceptor))
    (settings.0.idleTimeOut, settings.1.idleTimeOut) = (1_000, 3_000)
    let pair = Pair.willing(settings.0, settings.1)
    _ = pair.initiator.connection.attach(Attach(.sender, "a"))
    pair.run()
    _ = (pair.initiator.takeLog(), pair.acceptor.takeLog())
    for _ in 0..<200 { pair.advance(milliseconds: 250) }
    #expect(pair.initiator.takeLog() == [] && pair.acceptor.takeLog() == [])
    // One frame every half second to the initiator, one every one and a half to the acceptor.
    #expect(pair.sent.initiator < 100 * 8 + 600 && pair.sent.acceptor < 34 * 8 + 700)
  }

  @Test func aPeerThatNeverAnswersTheClose() throws {
    let peer = try IdleTests.peer(ours: 1_000, theirs: 1_000)
    peer.end.connection.close()
    #expect(try peer.expect(CloseFrame.self).error == nil)
    peer.end.tick(now: IdleTests.ms(1_500))
    try peer.expectNothing()
    peer.end.tick(now: IdleTests.ms(2_000))
    #expect(peer.end.takeLog().count == 1)
  }
}
