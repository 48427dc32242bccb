/// The frames of a client of 0-9-1 that an acceptor hears: well-formed methods and contents whose fields the program
/// chooses. The steps are those of 1.0; each stands for what comes closest.
import Bytes
import Engine
import Wire

struct ClientFrames091 {
  /// What the step sends, nil for steps that are not the peer's.
  func octets(_ step: Step, _ p: inout Program) -> [UInt8]? {
    switch step {
    case .octets: return p.take(Int(p.byte()))
    case .restOctets: return p.rest()
    case .header:
      let headers: [ProtocolHeader] = [.amqp091, .amqp10, .sasl10, .tls10]
      return headers[Int(p.byte() & 3)].bytes
    case .handshake: return ProtocolHeader.amqp091.bytes + startOK(p.byte()) + tuneOK(&p) + open()
    case .sasl: return startOK(p.byte())
    case .open: return tuneOK(&p) + open()
    case .begin: return channel(p.byte())
    case .attach: return request(p.byte())
    case .flow:
      let b = p.byte()
      let ids = [MethodID.basicCancel, MethodID.channelFlow, MethodID.channelFlowOK, MethodID.basicCancelOK]
      return PeerFrames091.frame(
        ids[Int(b >> 2 & 3)], b & 4 == 0 ? ["consumer-tag": tag(b >> 4)] : ["active": .boolean(b & 16 != 0)],
        channel: UInt16(b & 3))
    case .transfer: return content(&p)
    case .disposition:
      let b = p.byte()
      let ids = [MethodID.basicAck, MethodID.basicNack, MethodID.basicReject, MethodID.basicAck]
      let id = ids[Int(b >> 2 & 3)]
      let number = Value.ulong(UInt64(p.number() ?? 0))
      return PeerFrames091.frame(
        id,
        id == MethodID.basicReject
          ? ["delivery-tag": number, "requeue": .boolean(b & 32 != 0)]
          : ["delivery-tag": number, "multiple": .boolean(b & 16 != 0)], channel: UInt16(b & 3))
    case .detach:
      return PeerFrames091.frame(MethodID.channelClose, ["reply-code": .ushort(200)], channel: here(p.byte()))
    case .end: return PeerFrames091.frame(MethodID.channelCloseOK, channel: here(p.byte()))
    case .close:
      return PeerFrames091.frame(
        p.byte() & 1 == 0 ? MethodID.connectionClose : MethodID.connectionCloseOK, channel: 0)
    case .keepalive: return [8, 0, 0, 0, 0, 0, 0, 0xce]
    case .wrong, .tick, .deadline, .receivedEnd, .read, .fork, .again, .link, .accept, .refuse, .grant, .deliver, .goOn,
      .settle, .stop, .drain, .idle, .leave, .hangUp:
      return nil
    }
  }

  private func here(_ b: UInt8) -> UInt16 { UInt16(b & 3) }

  private func tag(_ b: UInt8) -> Value { .string(["", "a", "b", "amq.ctag-1"][Int(b & 3)]) }

  private func startOK(_ b: UInt8) -> [UInt8] {
    let capabilities = [
      MapEntry(.string("basic.nack"), .boolean(b & 1 == 0)),
      MapEntry(.string("authentication_failure_close"), .boolean(b & 2 == 0)),
    ]
    return PeerFrames091.frame(
      MethodID.connectionStartOK,
      [
        "client-properties": .map([MapEntry(.string("capabilities"), .map(capabilities))]),
        "mechanism": .string(b & 4 == 0 ? "PLAIN" : "ANONYMOUS"),
        "response": .binary(Array("\u{0}user\u{0}secret".utf8)),
      ], channel: 0)
  }

  private func tuneOK(_ p: inout Program) -> [UInt8] {
    let b = p.byte()
    return PeerFrames091.frame(
      MethodID.connectionTuneOK,
      [
        "channel-max": .ushort(UInt16(b & 3)), "frame-max": .uint(b & 4 == 0 ? 4_096 : b & 8 == 0 ? 0 : 100),
        "heartbeat": .ushort(UInt16(b >> 4)),
      ], channel: 0)
  }

  private func open() -> [UInt8] { PeerFrames091.frame(MethodID.connectionOpen, channel: 0) }

  private func channel(_ b: UInt8) -> [UInt8] {
    let ids = [
      MethodID.channelOpen, MethodID.channelOpen, MethodID.confirmSelect, MethodID.txSelect, MethodID.basicRecover,
      MethodID.txCommit, MethodID.txCommit, MethodID.txRollback,
    ]
    return PeerFrames091.frame(ids[Int(b >> 2 & 7)], channel: here(b))
  }

  private func request(_ b: UInt8) -> [UInt8] {
    let queue = Value.string(b & 64 == 0 ? "q" : "")
    let (id, fields): (UInt32, KeyValuePairs<String, Value>) =
      switch b >> 2 & 7 {
      case 0, 1, 2:
        (MethodID.basicConsume, ["queue": queue, "consumer-tag": tag(b >> 5), "no-ack": .boolean(b & 128 != 0)])
      case 3, 4: (MethodID.basicGet, ["queue": queue, "no-ack": .boolean(b & 128 != 0)])
      case 5: (MethodID.basicQos, ["prefetch-count": .ushort(UInt16(b >> 5)), "global": .boolean(b & 32 != 0)])
      default: (MethodID.queueDeclare, ["queue": queue, "no-wait": .boolean(b & 128 != 0)])
      }
    return PeerFrames091.frame(id, fields, channel: here(b))
  }

  /// A published message, whole or its first or last frames only.
  private func content(_ p: inout Program) -> [UInt8] {
    let b = p.byte()
    let channel = here(b)
    let size = min(p.size(), 60_000)
    let method = PeerFrames091.frame(
      MethodID.basicPublish,
      [
        "exchange": .string(b & 4 == 0 ? "" : "x"), "routing-key": .string(b & 8 == 0 ? "q" : "k"),
        "mandatory": .boolean(b & 16 != 0),
      ], channel: channel)
    return PeerFrames091.content(
      method, size: size, properties: b & 128 != 0, channel: channel, withoutHead: b & 64 != 0, onlyHead: b & 32 != 0)
  }
}
