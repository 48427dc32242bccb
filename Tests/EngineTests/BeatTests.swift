/// Round trips that change nothing, in both dialects, and what a server says of itself and its queues.
import Engine
import Support
import Testing
import Wire

@Suite struct BeatTests {
  private func beat(_ end: End) -> Bool { end.connection.beat() }
  private func queue(_ end: End) -> DeclaredQueue? { end.connection.declaredQueue }
  private func counts(_ end: End) -> [Int] { [end.connection.beats.asked, end.connection.beats.answered] }

  @Test func amqp10BeatsAreSessions() {
    let pair = Pair.willing()
    #expect(!beat(pair.initiator), "nothing is open")
    pair.run()
    for n in 1...300 {
      #expect(beat(pair.initiator))
      #expect(counts(pair.initiator) == [n - 1, n - 1])
      pair.run()
      #expect(counts(pair.initiator) == [n, n])
    }
    // Links have a session of their own, which no beat ends.
    let link = pair.initiator.connection.attach(Attach(.sender, "a"))
    #expect(beat(pair.initiator))
    pair.run()
    #expect(counts(pair.initiator) == [301, 301])
    let credit = pair.initiator.connection.credit(link)
    #expect(credit == 100)
  }

  /// The time that the session takes to begin is no part of the beat.
  @Test func amqp10BeatIsTheEnd() throws {
    let peer = ScriptedPeer(bare(.initiator))
    try peer.openUp()
    #expect(beat(peer.end))
    _ = try peer.expect(Begin.self)
    #expect(counts(peer.end) == [0, 0])
    var begin = Begin()
    begin.remoteChannel = 0
    peer.send(begin.record)
    _ = try peer.expect(EndFrame.self)
    #expect(counts(peer.end) == [1, 0])
    peer.send(EndFrame())
    #expect(counts(peer.end) == [1, 1])
    #expect(peer.end.takeLog() == ["opened"])
  }

  /// RabbitMQ 4 may take the exit of the session before on a channel for the exit of the one that follows it.
  @Test func amqp10BeatsTakeChannelsInTurn() throws {
    let peer = ScriptedPeer(bare(.initiator))
    var open = Open()
    open.channelMax = 2
    try peer.openUp(open: open)
    for expected: UInt16 in [0, 1, 2, 0, 1] {
      #expect(beat(peer.end))
      let frame = try peer.expectFrame(Code.begin)
      #expect(frame.channel == expected)
      var begin = Begin()
      begin.remoteChannel = frame.channel
      peer.send(begin)
      _ = try peer.expect(EndFrame.self)
      peer.send(EndFrame())
    }
    #expect(counts(peer.end) == [5, 5])
  }

  @Test func amqp10WithoutAChannel() throws {
    var settings = ConnectionSettings(.acceptor)
    settings.channelMax = 0
    let pair = Pair.willing(ConnectionSettings(.initiator), settings)
    pair.run()
    #expect(beat(pair.initiator))
    #expect(!beat(pair.initiator), "the only channel is taken")
    pair.run()
    #expect(counts(pair.initiator) == [1, 1])
    #expect(beat(pair.initiator))
  }

  @Test func amqp091BeatsAreOnOneChannel() {
    let pair = Pair.willing(Pair091Tests.settings(.initiator), Pair091Tests.settings(.acceptor))
    #expect(!beat(pair.initiator), "nothing is open")
    pair.run()
    for n in 1...20 {
      #expect(beat(pair.initiator))
      pair.run()
      #expect(counts(pair.initiator) == [n, n])
    }
    #expect(pair.acceptor.takeLog() == ["opened"])
  }

  @Test func amqp091TuneAndQueue() throws {
    let pair = Pair.willing(Pair091Tests.settings(.initiator), Pair091Tests.settings(.acceptor))
    pair.run()
    let description = pair.initiator.connection.peer
    let tune = try #require(description.tune)
    #expect(tune.frameMax == 131_072)
    #expect(tune.channelMax == 255)
    #expect(tune.heartbeat == 30)
    #expect(queue(pair.initiator) == nil)
    var orders = Declaration.Queue("orders")
    orders.isPassive = true
    _ = pair.initiator.connection.declare(.queue(orders))
    pair.run()
    let declared = try #require(queue(pair.initiator))
    #expect(declared.name == "orders")
    #expect(declared.messages == 0)
    #expect(declared.consumers == 0)
  }
}
