/// Octets may arrive in any pieces: whole dialogues give the same events and the same answers whatever the pieces are,
/// and a connection that is copied in the middle goes on as its original does.
import Engine
import Support
import Testing
import Wire

@Suite struct SplitTests {
  /// A dialogue with all kinds of frames, as what a peer says to an acceptor that grants and accepts everything.
  static let said: [UInt8] = {
    var all = ProtocolHeader.sasl10.bytes
    all += ScriptedPeer.frame(Record(Code.saslInit, [.symbol("PLAIN"), .binary([0, 0x75, 0, 0x70])]), type: .sasl)
    all += ProtocolHeader.amqp10.bytes
    all += ScriptedPeer.frame(Open().record)
    var begin = Begin()
    (begin.nextOutgoingID, begin.incomingWindow, begin.outgoingWindow) = (ScriptedPeer.firstID, 100, 100)
    all += ScriptedPeer.frame(begin.record)
    all += ScriptedPeer.frame(Attach(.sender, "in").record)
    var back = Attach(.receiver, "out", rcv: .second)
    back.handle = 1
    all += ScriptedPeer.frame(back.record)
    all += ScriptedPeer.frame(Flow(handle: 1, credit: 4, nextIncoming: id(0)).record)
    all += octets("00000008 02000000")
    all += ScriptedPeer.frame(Transfer(id: id(0), tag: [1]).record, payload: text("whole"))
    all += ScriptedPeer.frame(Transfer(id: id(1), tag: [2], more: true).record, payload: text("in "))
    all += ScriptedPeer.frame(Transfer(id: nil, tag: nil, more: true).record, payload: text("three "))
    all += ScriptedPeer.frame(Transfer(id: nil, tag: nil).record, payload: text("parts"))
    var odd = Transfer(id: id(2), tag: [3])
    odd.state = DeliveryState.accepted.value
    all += ScriptedPeer.frame(odd.record, payload: text("odd"))
    all += ScriptedPeer.frame(Transfer(id: id(3), tag: [4], more: true).record, payload: text("gone"))
    all += ScriptedPeer.frame(Transfer(id: id(3), tag: nil, aborted: true).record)
    all += ScriptedPeer.frame(Disposition(.receiver, id(0), to: id(0), settled: false, .accepted).record)
    all += ScriptedPeer.frame(Disposition(.receiver, id(1), to: id(9), .released).record)
    all += ScriptedPeer.frame(Flow(handle: nil, nextIncoming: id(0), echo: true).record)
    all += ScriptedPeer.frame(Detach(handle: 1, AMQPError("test:gone", "by itself")).record)
    all += ScriptedPeer.frame(EndFrame(AMQPError("test:end")).record)
    all += ScriptedPeer.frame(CloseFrame(AMQPError("test:close")).record)
    return all
  }()

  static func acceptor() -> End {
    var settings = ConnectionSettings(.acceptor)
    settings.firstID = ScriptedPeer.firstID
    let end = End(settings)
    end.react = react
    return end
  }

  static func react(_ end: End, _ event: Event) {
    switch event {
    case .attachRequested(let link):
      end.connection.accept(link)
      if end.name(link) == "in" {
        end.connection.grant(link, start: 10, ceiling: 10)
      } else {
        // What the flow behind it makes possible is sent in `feed`.
      }
    case .delivery(let delivery): end.connection.settle(delivery.link, delivery.number...delivery.number, .accept)
    default: break
    }
  }

  /// Gives the pieces, sends what there is credit for after each, and collects what is answered.
  static func feed(_ end: End, _ pieces: [ArraySlice<UInt8>], from sent: inout Int) -> [UInt8] {
    var out: [UInt8] = []
    for piece in pieces {
      end.receive(piece, now: 0)
      if let link = end.links.last, end.name(link) == "out" {
        while sent < 3, end.room(link) > 0 {
          end.deliver(link, sent, "m\(sent)")
          sent += 1
        }
      }
      out += end.output(now: 0)
    }
    return out
  }

  static let expected = [
    "opened", "requested in as receiver", "requested out as sender", "delivery in 0 whole",
    "delivery in 1 in three parts", "delivery in 2 odd", "aborted in", "answered out 0...0 accepted",
    "answered out 1...2 released", "detached out link peer test:gone (by itself)", "detached in session peer test:end",
    "closed connection peer test:close",
  ]

  /// Frame by frame is how the reference answers; in pieces of any size the events are the same.
  @Test(arguments: [1, 2, 3, 5, 7, 11, 64]) func inPieces(_ size: Int) {
    let end = SplitTests.acceptor()
    var sent = 0
    let all = SplitTests.said[...]
    let pieces = stride(from: 0, to: all.count, by: size).map { all[$0..<min($0 + size, all.count)] }
    let out = SplitTests.feed(end, pieces, from: &sent)
    #expect(end.takeLog() == SplitTests.expected)
    #expect(end.tags == [[1], [2], [3]])
    #expect(!out.isEmpty && end.outputIsEmpty)
  }

  /// Two pieces, cut at every octet; before the cut the connection is copied, and both go the same way.
  @Test func cutAtEveryOctet() {
    let original = SplitTests.acceptor()
    var originalSent = 0
    var log: [String] = []
    for cut in SplitTests.said.indices {
      let end = original.fork()
      end.react = SplitTests.react
      // What is on its way out belongs to the original; both answer from here.
      var sent = originalSent
      var rest: [ArraySlice<UInt8>] = []
      for at in stride(from: cut, to: SplitTests.said.count, by: 40) {
        rest.append(SplitTests.said[at..<min(at + 40, SplitTests.said.count)])
      }
      _ = SplitTests.feed(end, rest, from: &sent)
      #expect(log + end.takeLog() == SplitTests.expected, "cut at \(cut)")
      _ = SplitTests.feed(original, [SplitTests.said[cut...cut]], from: &originalSent)
      log += original.takeLog()
    }
    #expect(log == SplitTests.expected)
  }

  /// A peer that dies after any octet: one word about it, and nothing that it had not said.
  @Test func deathAtEveryOctet() {
    for cut in SplitTests.said.indices {
      let end = SplitTests.acceptor()
      var sent = 0
      var pieces: [ArraySlice<UInt8>] = []
      for at in stride(from: 0, to: cut, by: 16) { pieces.append(SplitTests.said[at..<min(at + 16, cut)]) }
      _ = SplitTests.feed(end, pieces, from: &sent)
      end.receivedEnd()
      let log = end.takeLog()
      #expect(log.last?.hasPrefix("closed transport peer amqp:connection:forced (closed ") == true, "\(log)")
      #expect(Array(SplitTests.expected.prefix(log.count - 1)) == Array(log.dropLast()), "cut at \(cut)")
      #expect(end.isOver && end.deadline == nil)
      _ = end.output(now: 0)
      #expect(end.outputIsEmpty)
    }
  }
}
