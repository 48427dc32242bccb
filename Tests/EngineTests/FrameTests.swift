/// Frames that can't be, and peers that die: what is said about them, and that what came before still counts.
import Engine
import Support
import Testing
import Wire

@Suite struct FrameTests {
  static let opened: [UInt8] = ProtocolHeader.amqp10.bytes + ScriptedPeer.frame(Open().record)

  @Test(arguments: [
    ("00000007 02000000", "a frame of 7 octets; 8 to 65536 are possible"),
    ("00000000 02000000", "a frame of 0 octets; 8 to 65536 are possible"),
    ("00010001 02000000", "a frame of 65537 octets; 8 to 65536 are possible"),
    ("ffffffff 02000000", "a frame of 4294967295 octets; 8 to 65536 are possible"),
    ("00000008 01000000", "doff"), ("00000008 03000000", "doff"), ("0000000c 02020000 00531345", "frame type"),
    ("0000000c 02000000 00531445", "mandatory transfer.handle"), ("00000009 02000000 40", "a described performative"),
    ("0000000c 02000000 00537045", "AMQP performative"), ("0000000d 02000000 0053184500", "trailing"),
    ("00000010 02000000 005313d0 00000000", "size"), ("0000000d 02000000 005313c0ff", "size"),
  ])
  func malformed(_ hex: String, _ found: String) throws {
    for role in [ConnectionSettings.Role.initiator, .acceptor] {
      let peer = ScriptedPeer(bare(role))
      peer.send(raw: FrameTests.opened)
      peer.send(raw: octets(hex))
      let log = peer.end.takeLog()
      #expect(log.count == 2 && log[1].hasPrefix("closed connection local") && log[1].contains(found), "\(log)")
      try peer.expect(.amqp10)
      try peer.expect(Open.self)
      #expect(try peer.expect(CloseFrame.self).error != nil)
      #expect(peer.end.outputIsEmpty)
    }
  }

  @Test func emptyFramesAndExtendedHeaders() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 5, ceiling: 5)
    peer.send(raw: octets("00000008 02000000 00000008 02000009 0000000c 03000000 deadbeef"))
    #expect(end.takeLog() == [])
    // A transfer behind four octets of extended header.
    var frame = ScriptedPeer.frame(Transfer(id: id(0)).record, payload: text("hi"))
    frame.insert(contentsOf: [1, 2, 3, 4], at: 8)
    frame[3] += 4
    frame[4] = 3
    peer.send(raw: frame)
    #expect(end.takeLog() == ["delivery a 0 hi"])
    #expect(end.tags == [[1]])
  }

  @Test func symbolicAndWideDescriptors() throws {
    let peer = ScriptedPeer(bare(.initiator))
    peer.send(.amqp10)
    let open = octets("00a3") + [14] + text("amqp:open:list") + octets("c00b01a108") + text("symbolic")
    peer.send(raw: [0, 0, 0, UInt8(open.count + 8), 2, 0, 0, 0] + open)
    #expect(peer.end.takeLog() == ["opened"])
    #expect(peer.end.peer.open.containerID == "symbolic")
    peer.send(raw: octets("00000013 02000000 00 800000000000000018 45"))
    #expect(peer.end.takeLog() == ["closed connection peer"])
  }

  // MARK: Peers that die

  @Test func beforeAnythingWasSaid() {
    let peer = ScriptedPeer(bare(.initiator))
    peer.end.receivedEnd()
    #expect(
      peer.end.takeLog() == ["closed transport peer amqp:connection:forced (closed before it said anything)"])
  }

  @Test(arguments: [
    (3, "closed in the middle of its protocol header"), (8, "closed during SASL"), (20, "closed during SASL"),
  ])
  func inMidSASL(_ count: Int, _ why: String) {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    let said =
      ProtocolHeader.sasl10.bytes
      + ScriptedPeer.frame(Record(Code.saslMechanisms, [.symbol("ANONYMOUS")]), type: .sasl)
    peer.send(raw: Array(said.prefix(count)))
    peer.end.receivedEnd()
    #expect(peer.end.takeLog() == ["closed transport peer amqp:connection:forced (\(why))"])
  }

  /// RabbitMQ without authentication failure close, EventterMQ with an unknown mechanism: the end is the answer.
  @Test func insteadOfAnOutcome() {
    let peer = ScriptedPeer(ConnectionSettings(.initiator))
    peer.send(.sasl10)
    peer.send(Record(Code.saslMechanisms, [.symbol("ANONYMOUS")]), type: .sasl)
    peer.end.receivedEnd()
    #expect(
      peer.end.takeLog() == ["closed sasl peer amqp:connection:forced (closed without an answer to the credentials)"])
  }

  @Test func beforeOpen() {
    let peer = ScriptedPeer(bare(.initiator))
    peer.send(.amqp10)
    peer.end.receivedEnd()
    #expect(peer.end.takeLog() == ["closed transport peer amqp:connection:forced (closed before open)"])
  }

  @Test func inMidFrame() throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(raw: octets("00000020 0200"))
    end.receivedEnd()
    #expect(end.takeLog() == ["closed transport peer amqp:connection:forced (closed in the middle of a frame)"])
  }

  @Test func inMidTransfer() throws {
    let (peer, end, link) = try linked(.receiver)
    end.connection.grant(link, start: 5, ceiling: 5)
    peer.send(Transfer(id: id(0), more: true), payload: text("half"))
    end.receivedEnd()
    #expect(end.takeLog() == ["closed transport peer amqp:connection:forced (closed without saying why)"])
    #expect(end.messages == [])
  }

  /// PROTOCOL.md: handle buffered frames before reporting EOF. Here all of them arrive together with the end.
  @Test func bufferedFramesComeBeforeTheEnd() throws {
    let (peer, end, link) = try linked(.sender)
    peer.send(Flow(handle: 0, credit: 10, count: id(0), nextIncoming: id(0)))
    end.deliver(link, 1, "m")
    let last =
      ScriptedPeer.frame(Disposition(.receiver, id(0), .accepted).record)
      + ScriptedPeer.frame(CloseFrame(AMQPError("amqp:connection:forced", "bye")).record)
    end.connection.receive(now: 0, room: last.count) { span in for byte in last { span.append(byte) } }
    end.connection.receivedEnd()
    end.takeEvents()
    #expect(end.takeLog() == ["answered a 1...1 accepted", "closed connection peer amqp:connection:forced (bye)"])
  }

  @Test func nothingIsHandledAfterTheEnd() throws {
    let (peer, end, _) = try linked(.sender)
    peer.send(CloseFrame())
    #expect(end.takeLog() == ["closed connection peer"])
    for _ in 0..<100 { peer.send(raw: [UInt8](repeating: 0, count: 1_000)) }
    end.receivedEnd()
    end.tick(now: 1_000_000_000_000)
    #expect(end.takeLog() == [])
    #expect(try peer.expect(CloseFrame.self).error == nil)
    try peer.expectNothing()
  }
}
