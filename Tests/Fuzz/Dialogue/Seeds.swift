/// Where the fuzzer starts: what is said between two of our own connections, as the octets of one end and the wishes of
/// the other; and programs of the peer's own steps that lead through the states.
import Bytes
import Engine
import Wire

package enum Seeds {
  /// Of 0-9-1: programs, since what stands for a step there is `PeerFrames091`'s or `ClientFrames091`'s.
  package static func all091(_ role: ConnectionSettings.Role) -> [[UInt8]] {
    let programs = ((role == .initiator ? wishes091 : requests091) + wishes).map { $0.flatMap(\.self) }
    return programs.map { [0xc0, 0] + $0 } + programs.map { [0xc1, 0xff] + $0 }
  }

  private static let wishes091: [[[UInt8]]] = [
    // Channel 1 opens and confirms: messages, one returned, answers to one and to many; blocked and not.
    [
      op(.link, 0), op(.handshake, 0, 0x02), op(.attach, 0x01), op(.attach, 0x05), op(.deliver, 0, 5),
      op(.deliver, 64, 200), op(.goOn, 0), op(.transfer, 0x0d, 0), op(.disposition, 0x01, 1),
      op(.disposition, 0x11, 3), op(.begin, 1), op(.deliver, 0, 5), op(.begin, 2), op(.disposition, 0x05, 4),
      op(.leave, 0), op(.end, 1), op(.hangUp, 0), op(.close, 1),
    ],
    // We consume, settle, stop; then get until there is nothing.
    [
      op(.link, 4), op(.handshake, 0, 0x02), op(.attach, 0x01), op(.attach, 0x09), op(.attach, 0x0d),
      op(.grant, 0, 20, 40), op(.transfer, 0x01, 9), op(.transfer, 0x81, 130), op(.settle, 0, 0, 16),
      op(.stop, 0), op(.attach, 0x11), op(.drain, 0), op(.transfer, 0x09, 9), op(.attach, 0x15), op(.flow, 5),
      op(.detach, 1), op(.close, 0),
    ],
  ]

  private static let requests091: [[[UInt8]]] = [
    // A client publishes, with confirms from the second on, in parts, to places of several names; some are settled.
    [
      op(.handshake, 0, 0x02), op(.begin, 0x01), op(.transfer, 0x01, 5), op(.accept, 0), op(.grant, 0, 5, 50),
      op(.begin, 0x09), op(.transfer, 0x05, 250), op(.accept, 1), op(.transfer, 0x05, 9), op(.settle, 1, 0, 16),
      op(.transfer, 0x21, 9), op(.transfer, 0x41, 9), op(.settle, 0, 1, 4), op(.detach, 1), op(.close, 0),
    ],
    // It consumes, with a prefetch, and asks message by message; acknowledges, gives back, leaves.
    [
      op(.handshake, 0, 0x02), op(.begin, 0x01), op(.attach, 0x75), op(.attach, 0x21), op(.accept, 0),
      op(.deliver, 0, 5),
      op(.deliver, 0, 250), op(.goOn, 0), op(.disposition, 0x11, 1), op(.attach, 0x0d), op(.accept, 1),
      op(.deliver, 1, 5),
      op(.idle, 1), op(.disposition, 0x09, 3), op(.flow, 0x11), op(.begin, 0x11), op(.leave, 0), op(.end, 1),
      op(.hangUp, 0), op(.close, 1),
    ],
    // Two channels, one of which breaks a rule; refused, and answered in the middle of a message.
    [
      op(.handshake, 1, 0x02), op(.begin, 0x01), op(.begin, 0x02), op(.attach, 0x01), op(.refuse, 0), op(.end, 1),
      op(.attach, 0x02), op(.accept, 1), op(.read, 2), op(.deliver, 1, 255), op(.begin, 0x0a), op(.attach, 0x1a),
      op(.read, 0), op(.goOn, 1), op(.disposition, 0x02, 9), op(.hangUp, 1), op(.close, 1),
    ],
  ]

  package static func all(_ role: ConnectionSettings.Role) -> [[UInt8]] {
    let programs = wishes.map { $0.flatMap(\.self) }
    return programs.map { [0xc0, 0] + $0 } + programs.map { [0xc1, 0xff] + $0 }
      + [false, true].flatMap { sasl in wishes.map { recorded(role, $0, sasl: sasl) } }
  }

  private static func op(_ step: Step, _ arguments: UInt8...) -> [UInt8] {
    [UInt8(Step.allCases.firstIndex(of: step) ?? 0)] + arguments
  }

  /// The peer's usual beginning: begin that answers ours (or not: then ours follows it).
  private static let hello = [op(.handshake, 1), op(.begin, 4)]
  private static let alone = [op(.handshake, 1), op(.begin, 0)]

  private static let wishes: [[[UInt8]]] = [
    // We send: credit, one message, a large one in parts, answers.
    [op(.link, 0)] + hello + [
      op(.attach, 0b0000_0100, 0), op(.flow, 0, 0, 40), op(.deliver, 0, 5), op(.deliver, 64, 200), op(.goOn, 0),
      op(.disposition, 0x10, 0), op(.disposition, 0x10, 0),
      op(.disposition, 0x12, 0), op(.disposition, 0x22, 0x21), op(.flow, 0x20, 0, 5), op(.idle, 0), op(.leave, 0),
      op(.detach, 8), op(.hangUp, 0), op(.close, 0),
    ],
    // We receive: whole, in parts, given up, settled; then stop, drain.
    [op(.link, 4)] + hello + [
      op(.attach, 0, 0), op(.grant, 0, 20, 40), op(.transfer, 0, 0x10, 9), op(.transfer, 1, 0x10, 130),
      op(.transfer, 0, 0, 9), op(.transfer, 1, 0x10, 3), op(.transfer, 3, 0, 0), op(.transfer, 12, 8, 1),
      op(.settle, 0, 0, 16), op(.settle, 0, 1, 4), op(.disposition, 3, 0), op(.drain, 0), op(.flow, 0x28, 0, 30, 0),
      op(.stop, 0), op(.flow, 8, 0, 20, 0), op(.detach, 24), op(.end, 0), op(.close, 16),
    ],
    // The peer asks for links, and one of them is refused.
    alone + [
      op(.attach, 0, 0), op(.attach, 5, 1), op(.attach, 2, 2), op(.accept, 0), op(.accept, 1), op(.refuse, 2),
      op(.flow, 0, 1, 9), op(.grant, 0, 5, 5), op(.deliver, 1, 3), op(.transfer, 0, 8, 3), op(.disposition, 0x10, 0),
      op(.attach, 0, 3), op(.end, 16), op(.begin, 1), op(.hangUp, 1), op(.close, 0),
    ],
    // A peer that does not read, and floods.
    alone + [
      op(.attach, 4, 0), op(.accept, 0), op(.flow, 0, 0, 40), op(.read, 2), op(.deliver, 0, 255), op(.again, 0xfc),
      op(.flow, 0x40, 0, 40), op(.again, 0xfc), op(.begin, 1), op(.end, 1), op(.again, 0xfd), op(.read, 1),
      op(.again, 0x40), op(.read, 0),
    ],
    // A peer that leaves us no second handle.
    [op(.handshake, 1), op(.begin, 0x80, 0), op(.attach, 0, 0), op(.attach, 1, 1)],
    // Time, and an end in the middle.
    alone + [
      op(.keepalive), op(.tick, 20), op(.deadline), op(.attach, 0, 0), op(.fork), op(.wrong, 9, 1), op(.flow, 0, 0, 1),
      op(.octets, 3, 0, 0, 0), op(.receivedEnd),
    ],
    [op(.header, 0), op(.sasl, 0), op(.sasl, 2), op(.header, 1), op(.open, 16, 5), op(.begin, 0), op(.deadline)],
    [op(.header, 0), op(.sasl, 5, 0), op(.header, 1), op(.open, 0), op(.begin, 0), op(.close, 16)],
  ]

  /// The dialogue in which the other end is a connection that grants and settles everything: its octets, recorded.
  private static func recorded(_ role: ConnectionSettings.Role, _ wishes: [[UInt8]], sasl: Bool) -> [UInt8] {
    let header: [UInt8] = sasl ? [0xc0, 0] : [0xc1, 0]
    var program = header
    var other = ConnectionSettings(role == .initiator ? .acceptor : .initiator)
    if !sasl { other.mechanisms = [] }
    var peer = Connection(other, now: 0)
    if other.role == .initiator {
      for link in [Role.sender, .receiver] {
        var attach = Attach()
        (attach.name, attach.role) = (link == .sender ? "x" : "y", link)
        (attach.source, attach.target) = (Source(address: "q"), Target(address: "q"))
        let link = peer.attach(attach)
        if attach.role == .receiver { peer.grant(link, start: 10, ceiling: 10) }
      }
    }
    // What the peer says to each wish is found by running the program so far: short, and only at the start.
    var heard = 0
    for wish in [[]] + wishes.filter({ !$0.isEmpty && isWish($0[0]) }) {
      program += wish
      for _ in 0..<8 {
        let us = Dialogue(role, .amqp10, program, inPieces: false)
        us.run()
        let news = Array(us.written[min(heard, us.written.count)...])
        heard = us.written.count
        peer.receive(now: 0, room: news.count) { span in for byte in news { span.append(byte) } }
        react(&peer)
        var said: [UInt8] = []
        peer.withOutput(now: 0) { span in
          said += span.array
          return span.count
        }
        if said.isEmpty { break }
        var at = 0
        while at < said.count {
          let part = said[at..<min(at + 255, said.count)]
          program += op(.octets, UInt8(part.count)) + part
          at += part.count
        }
      }
    }
    return program
  }

  private static func isWish(_ b: UInt8) -> Bool { Step.allCases[Int(b)].rawValue >= Step.link.rawValue }

  private static func react(_ peer: inout Connection) {
    while let event = peer.nextEvent() {
      switch event {
      case .attachRequested(let link):
        peer.accept(link)
        if peer.localAttach(link).role == .receiver { peer.grant(link, start: 10, ceiling: 100) }
      case .attached(let link):
        if peer.localAttach(link).role == .receiver { peer.grant(link, start: 10, ceiling: 100) }
      case .delivery(let d): peer.settle(d.link, d.number...d.number, .accept)
      case .opened, .detached, .aborted, .answered, .settledBySender, .drained, .stopped, .closed, .blocked, .unblocked,
        .declared, .discharged:
        break
      }
    }
  }
}
