/// The frames of a peer that speaks 0-9-1 to an initiator: well-formed methods and contents whose fields the program
/// chooses. The steps are those of 1.0; each stands for what comes closest.
import Bytes
import Engine
import Wire

struct PeerFrames091 {
  private var nextTag: [UInt16: UInt64] = [:]

  static func frame(_ id: UInt32, _ fields: KeyValuePairs<String, Value> = [:], channel: UInt16) -> [UInt8] {
    var q = ByteQueue()
    do { try q.appendMethod(channel: channel, MethodRecord(id, fields)) } catch { fatalError("\(error)") }
    return q.bytes
  }

  /// What the step sends, nil for steps that are not the peer's.
  mutating func octets(_ step: Step, _ p: inout Program) -> [UInt8]? {
    switch step {
    case .octets: return p.take(Int(p.byte()))
    case .restOctets: return p.rest()
    case .header:
      let headers: [ProtocolHeader] = [.sasl10, .amqp10, .amqp091, .tls10]
      return headers[Int(p.byte() & 3)].bytes
    case .handshake: return start(p.byte()) + tune(&p) + PeerFrames091.frame(MethodID.connectionOpenOK, channel: 0)
    case .sasl: return start(p.byte())
    case .open: return tune(&p)
    case .begin: return connection(p.byte())
    case .attach: return answer(p.byte())
    case .flow:
      let b = p.byte()
      if b & 4 != 0 {
        return PeerFrames091.frame(MethodID.basicCancel, ["consumer-tag": .string("a")], channel: UInt16(b & 3))
      }
      return PeerFrames091.frame(MethodID.channelFlow, ["active": .boolean(b & 8 != 0)], channel: UInt16(b & 3))
    case .transfer: return content(&p)
    case .disposition:
      let b = p.byte()
      let ids = [MethodID.basicAck, MethodID.basicNack, MethodID.basicReject, MethodID.basicAck]
      return PeerFrames091.frame(
        ids[Int(b >> 2 & 3)],
        ["delivery-tag": .ulong(UInt64(p.number() ?? 0)), "multiple": .boolean(b & 16 != 0)], channel: UInt16(b & 3))
    case .detach:
      let b = p.byte()
      let codes: [UInt16] = [404, 540, 406, 200]
      return PeerFrames091.frame(
        MethodID.channelClose, ["reply-code": .ushort(codes[Int(b >> 2 & 3)]), "reply-text": .string("enough")],
        channel: UInt16(b & 3))
    case .end: return PeerFrames091.frame(MethodID.channelCloseOK, channel: UInt16(p.byte() & 3))
    case .close:
      let b = p.byte()
      if b & 1 != 0 { return PeerFrames091.frame(MethodID.connectionCloseOK, channel: 0) }
      return PeerFrames091.frame(MethodID.connectionClose, ["reply-code": .ushort(b & 2 != 0 ? 200 : 320)], channel: 0)
    case .keepalive: return [8, 0, 0, 0, 0, 0, 0, 0xce]
    case .wrong, .tick, .deadline, .receivedEnd, .read, .fork, .again, .link, .accept, .refuse, .grant, .deliver, .goOn,
      .settle, .stop, .drain, .idle, .leave, .hangUp:
      return nil
    }
  }

  private func start(_ b: UInt8) -> [UInt8] {
    let capabilities = [
      MapEntry(.string("publisher_confirms"), .boolean(b & 1 == 0)),
      MapEntry(.string("basic.nack"), .boolean(b & 2 == 0)),
    ]
    return PeerFrames091.frame(
      MethodID.connectionStart,
      [
        "version-minor": .ubyte(9), "server-properties": .map([MapEntry(.string("capabilities"), .map(capabilities))]),
        "mechanisms": .string(b & 4 == 0 ? "PLAIN ANONYMOUS" : "AMQPLAIN"),
      ], channel: 0)
  }

  private func tune(_ p: inout Program) -> [UInt8] {
    let b = p.byte()
    return PeerFrames091.frame(
      MethodID.connectionTune,
      [
        "channel-max": .ushort(UInt16(b & 3)), "frame-max": .uint(b & 4 == 0 ? 4_096 : 0),
        "heartbeat": .ushort(UInt16(b >> 4)),
      ], channel: 0)
  }

  private func connection(_ b: UInt8) -> [UInt8] {
    let ids = [
      MethodID.connectionOpenOK, MethodID.connectionBlocked, MethodID.connectionUnblocked, MethodID.connectionSecure,
    ]
    return PeerFrames091.frame(ids[Int(b & 3)], channel: 0)
  }

  private func answer(_ b: UInt8) -> [UInt8] {
    let ids = [
      MethodID.channelOpenOK, MethodID.confirmSelectOK, MethodID.basicQosOK, MethodID.basicConsumeOK,
      MethodID.basicCancelOK, MethodID.basicGetEmpty, MethodID.queueDeclareOK, MethodID.queueBindOK,
    ]
    return PeerFrames091.frame(ids[Int(b >> 2 & 7)], channel: UInt16(b & 3))
  }

  /// A message, whole or its first or last frames only.
  private mutating func content(_ p: inout Program) -> [UInt8] {
    let b = p.byte()
    let channel = UInt16(b & 3)
    let size = min(p.size(), 60_000)
    nextTag[channel, default: 0] += 1
    let tag = Value.ulong(nextTag[channel] ?? 1)
    let method: [UInt8]
    switch b >> 2 & 3 {
    case 0, 1:
      method = PeerFrames091.frame(
        MethodID.basicDeliver, ["consumer-tag": .string("a"), "delivery-tag": tag], channel: channel)
    case 2: method = PeerFrames091.frame(MethodID.basicGetOK, ["delivery-tag": tag], channel: channel)
    default:
      method = PeerFrames091.frame(
        MethodID.basicReturn, ["reply-code": .ushort(312), "routing-key": .string("q")], channel: channel)
    }
    return PeerFrames091.content(
      method, size: size, properties: b & 128 != 0, channel: channel, withoutHead: b & 64 != 0, onlyHead: b & 32 != 0)
  }

  /// A method with what follows it, or a part of that.
  static func content(
    _ method: [UInt8], size: Int, properties isAny: Bool, channel: UInt16, withoutHead: Bool, onlyHead: Bool
  ) -> [UInt8] {
    var properties = ByteQueue()
    properties.append16(isAny ? 0x1000 : 0)
    if isAny { properties.append(2) }
    var q = ByteQueue()
    q.append(method)
    q.appendContentHeader(channel: channel, bodySize: UInt64(size), properties: properties.bytes.span)
    var at = 0
    while at < size {
      let n = min(4_000, size - at)
      q.appendBody(channel: channel, Dialogue.filler.span.extracting(0..<n))
      at += n
    }
    var octets = q.bytes
    if withoutHead { octets = Array(octets.dropFirst(method.count)) }
    if onlyHead { octets = Array(octets.prefix(method.count)) }
    return octets
  }
}
