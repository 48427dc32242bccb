/// The acceptor's half of 0-9-1. Until there is more of it, a peer that comes is told that nobody is at home.
import Bytes
import Wire

extension Machine091 {
  mutating func readHeader() -> Bool {
    switch input.withReadable({ ProtocolHeader.read($0) }) {
    case .incomplete: return false
    case .other, .header: break
    }
    // §4.2.2: the header of what is spoken here, and the end.
    output.append(ProtocolHeader.amqp091.bytes)
    end(CloseReason(.transport, .local, AMQPError(.notImplemented, "0-9-1 is not accepted here")))
    return true
  }

  mutating func acceptorConnection(_ m: MethodRecord) { outOfPlace(m, "on channel 0") }
  mutating func receivedChannelOpen(_ number: UInt16) {}
  mutating func acceptor(_ m: MethodRecord, _ c: Int) {}
  mutating func accept(_ id: LinkID, _ adjust: (inout Attach) -> Void) {}
  mutating func refuse(_ id: LinkID, _ error: AMQPError) {}
  mutating func acceptorDetach(_ l: Int, _ error: AMQPError?) {}
  func acceptorRoom(_ l: Int) -> Int { 0 }
  mutating func acceptorTranslate(
    _ l: Int, _ head: Span<UInt8>, _ body: Span<UInt8>, settled: Bool
  ) throws(FieldFault) {}
  mutating func acceptorIdle(_ l: Int) {}
  mutating func acceptorPublish(_ content: Content, _ c: Int) -> Event? { nil }
  mutating func takePublish(_ event: inout Event?) -> Bool { false }
  mutating func produceAcceptor() {}
}
