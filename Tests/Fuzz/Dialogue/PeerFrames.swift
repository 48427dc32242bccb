/// The frames of the peer: well-formed performatives whose fields the program chooses, with counters kept where a
/// connection would end at once over a wrong one.
import Bytes
import Engine
import Wire

struct PeerFrames {
  let role: ConnectionSettings.Role
  private var nextDelivery: [UInt16: UInt32] = [:]
  /// Links (channel and handle) with a delivery that is not whole.
  private var unfinished: Set<UInt32> = []

  init(_ role: ConnectionSettings.Role) { self.role = role }

  static func frame(
    _ record: Record, _ type: FrameType = .amqp, channel: UInt16 = 0, payload: Int = 0
  ) -> [UInt8] {
    var q = ByteQueue()
    q.appendFrame(type, channel: channel) { q in
      q.append(record)
      q.append(Dialogue.filler.span.extracting(0..<payload))
    }
    return q.bytes
  }

  /// What the step sends, nil for steps that are not the peer's.
  mutating func octets(_ step: Step, _ p: inout Program, sasl: Bool) -> [UInt8]? {
    switch step {
    case .octets: return p.take(Int(p.byte()))
    case .restOctets: return p.rest()
    case .header:
      let headers: [ProtocolHeader] = [.sasl10, .amqp10, .tls10, .amqp091]
      return headers[Int(p.byte() & 3)].bytes
    case .handshake: return handshake(&p, sasl: sasl)
    case .sasl: return self.sasl(&p)
    case .open: return PeerFrames.frame(open(&p).record)
    case .begin: return begin(&p)
    case .attach: return attach(&p)
    case .flow: return flow(&p)
    case .transfer: return transfer(&p)
    case .disposition: return disposition(&p)
    case .detach:
      var detach = Detach()
      let flags = p.byte()
      detach.handle = UInt32(flags & 7)
      detach.closed = flags & 8 != 0
      if flags & 16 != 0 { detach.error = AMQPError(Condition.detachForced, "enough") }
      return PeerFrames.frame(detach.record, channel: UInt16(flags >> 6))
    case .end, .close:
      let flags = p.byte()
      let error = flags & 16 != 0 ? AMQPError(Condition.internalError, "oh", info: .map([])).record.value : .null
      let code = step == .end ? Code.end : Code.close
      return PeerFrames.frame(Record(code, [error]), channel: step == .end ? UInt16(flags & 3) : 0)
    case .keepalive: return [0, 0, 0, 8, 2, 0, 0, 0]
    case .wrong, .tick, .deadline, .receivedEnd, .read, .fork, .again, .link, .accept, .refuse, .grant, .deliver, .goOn,
      .settle, .stop, .drain, .idle, .leave, .hangUp:
      return nil
    }
  }

  private mutating func handshake(_ p: inout Program, sasl: Bool) -> [UInt8] {
    var octets: [UInt8] = []
    if sasl {
      octets += ProtocolHeader.sasl10.bytes
      if role == .initiator {
        octets += PeerFrames.frame(
          Record(Code.saslMechanisms, [Value(symbols: ["PLAIN", "ANONYMOUS"])]), .sasl)
        octets += PeerFrames.frame(Record(Code.saslOutcome, [.ubyte(0)]), .sasl)
      } else {
        let response = [0] + Array("user".utf8) + [0] + Array("secret".utf8)
        octets += PeerFrames.frame(Record(Code.saslInit, [.symbol("PLAIN"), .binary(response)]), .sasl)
      }
    }
    return octets + ProtocolHeader.amqp10.bytes + PeerFrames.frame(open(&p).record)
  }

  private func sasl(_ p: inout Program) -> [UInt8] {
    let b = p.byte()
    let names = ["PLAIN", "ANONYMOUS", "EXTERNAL", ""]
    let name = names[Int(b >> 2 & 3)]
    let record =
      switch b & 3 {
      case 0: Record(Code.saslMechanisms, [b & 16 == 0 ? Value(symbols: [name, "X"]) : .symbol(name)])
      case 1: Record(Code.saslInit, [.symbol(name), .binary(p.take(Int(p.byte())))])
      case 2: Record(Code.saslOutcome, [.ubyte(b >> 4)])
      default: Record(Code.saslChallenge, [.binary(p.take(Int(p.byte())))])
      }
    return PeerFrames.frame(record, .sasl)
  }

  private func open(_ p: inout Program) -> Open {
    let b = p.byte()
    var open = Open()
    open.containerID = "peer"
    open.maxFrameSize = [.max, 65_536, 512, 513, 1_000, 511, 0, 4_096][Int(b & 7)]
    open.channelMax = b & 8 != 0 ? 0 : .max
    if b & 16 != 0 { open.idleTimeOut = p.number() }
    return open
  }

  private mutating func begin(_ p: inout Program) -> [UInt8] {
    let flags = p.byte()
    let channel = UInt16(flags & 3)
    var begin = Begin()
    if flags & 4 != 0 { begin.remoteChannel = UInt16(flags >> 3 & 3) }
    begin.nextOutgoingID = flags & 32 != 0 ? .max - 2 : 0
    begin.incomingWindow = flags & 64 != 0 ? p.number() ?? 0 : 2_048
    begin.outgoingWindow = 2_048
    if flags & 128 != 0 { begin.handleMax = p.number() ?? 0 }
    nextDelivery[channel] = begin.nextOutgoingID
    return PeerFrames.frame(begin.record, channel: channel)
  }

  private func attach(_ p: inout Program) -> [UInt8] {
    let (flags, where_) = (p.byte(), p.byte())
    var attach = Attach()
    attach.name = Dialogue.names[Int(flags & 3)]
    attach.role = flags & 4 != 0 ? .receiver : .sender
    attach.handle = where_ & 32 != 0 ? p.number() ?? 0 : UInt32(where_ & 7)
    attach.sndSettleMode = [.unsettled, .settled, .mixed, .mixed][Int(flags >> 3 & 3)]
    attach.rcvSettleMode = flags & 32 != 0 ? .second : .first
    if flags & 64 == 0 { attach.source = Source(address: "q") }
    if flags & 128 == 0 { attach.target = Target(address: "q") }
    if where_ & 8 == 0 { attach.initialDeliveryCount = where_ & 16 != 0 ? p.number() : 0 }
    return PeerFrames.frame(attach.record, channel: UInt16(where_ >> 6))
  }

  private func flow(_ p: inout Program) -> [UInt8] {
    let (flags, where_) = (p.byte(), p.byte())
    var flow = Flow()
    if flags & 1 != 0 { flow.nextIncomingID = p.number() }
    flow.incomingWindow = flags & 2 != 0 ? p.number() ?? 0 : 2_048
    flow.outgoingWindow = 2_048
    if flags & 4 == 0 { flow.handle = UInt32(where_ & 7) }
    if flags & 8 != 0 { flow.deliveryCount = p.number() }
    if flags & 16 == 0 { flow.linkCredit = p.number() }
    flow.drain = flags & 32 != 0
    flow.echo = flags & 64 != 0
    // Not the shape that is read the short way.
    if flags & 128 != 0 { flow.properties = .map([]) }
    return PeerFrames.frame(flow.record, channel: UInt16(where_ >> 6))
  }

  private mutating func transfer(_ p: inout Program) -> [UInt8] {
    let (flags, where_) = (p.byte(), p.byte())
    let channel = UInt16(where_ >> 6)
    var transfer = Transfer()
    transfer.handle = UInt32(where_ & 7)
    let link = UInt32(channel) << 16 | transfer.handle
    transfer.more = flags & 1 != 0
    transfer.aborted = flags & 2 != 0
    if flags & 4 != 0 { transfer.settled = flags & 8 != 0 }
    if flags & 16 != 0 { transfer.state = Record(Code.accepted).value }
    if flags & 32 != 0 {
      transfer.deliveryID = p.number()
    } else if !unfinished.contains(link) {
      let id = nextDelivery[channel] ?? 0
      transfer.deliveryID = id
      nextDelivery[channel] = id &+ 1
    }
    if !unfinished.contains(link) || flags & 64 != 0 {
      transfer.deliveryTag = Array(repeating: 7, count: Int(where_ >> 3 & 7))
      transfer.messageFormat = 0
    }
    if transfer.more && !transfer.aborted { unfinished.insert(link) } else { unfinished.remove(link) }
    return PeerFrames.frame(transfer.record, channel: channel, payload: min(p.size(), 60_000))
  }

  private func disposition(_ p: inout Program) -> [UInt8] {
    let (flags, b) = (p.byte(), p.byte())
    var disposition = Disposition()
    disposition.role = flags & 1 != 0 ? .sender : .receiver
    disposition.settled = flags & 2 != 0
    disposition.first = flags & 4 != 0 ? p.number() ?? 0 : UInt32(b & 7)
    if flags & 8 != 0 { disposition.last = p.number() } else { disposition.last = disposition.first &+ UInt32(b >> 5) }
    let error = AMQPError(Condition.notAllowed).record.value
    disposition.state =
      switch flags >> 4 & 7 {
      case 0: .null
      case 1: Record(Code.accepted).value
      case 2: Record(Code.rejected, [error]).value
      case 3: Record(Code.released).value
      case 4: Record(Code.modified, [.boolean(true)]).value
      case 5: Record(Code.received, [.uint(0), .ulong(1)]).value
      case 6: .string("no state at all")
      default: Record(Code.rejected).value
      }
    return PeerFrames.frame(disposition.record, channel: UInt16(b >> 3 & 3))
  }
}
