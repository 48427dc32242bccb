/// What most dialogues of 0-9-1 start from.
import Bytes
import Engine
import Support
import Wire

/// An initiator under test with one sender to the queue q, and its scripted peer. The log is empty.
func publishing(
  settled: Bool = false, to address: String? = "/queues/q", frameMax: UInt32 = 131_072,
  _ settings: ConnectionSettings = ScriptedPeer091.initiator
) throws -> (peer: ScriptedPeer091, end: End, link: LinkID) {
  let peer = ScriptedPeer091(settings)
  let link = peer.end.connection.attach(Attach(.sender, "a", snd: settled ? .settled : .unsettled, to: address))
  try peer.openUp(frameMax: frameMax)
  try peer.openChannel(confirms: !settled)
  guard peer.end.takeLog() == ["opened", "attached a"] else { throw ScriptError(description: "not attached") }
  return (peer, peer.end, link)
}

/// An initiator under test with one receiver from the queue q, whose channel is open and which was granted nothing.
func consuming(
  settled: Bool = false, from address: String? = "/queues/q", chunk: Int = .max,
  _ settings: ConnectionSettings = ScriptedPeer091.initiator, adjust: (inout Attach) -> Void = { _ in }
) throws -> (peer: ScriptedPeer091, end: End, link: LinkID) {
  let peer = ScriptedPeer091(settings)
  peer.chunk = chunk
  var attach = Attach(.receiver, "a", snd: settled ? .settled : .unsettled, to: address)
  adjust(&attach)
  let link = peer.end.connection.attach(attach)
  try peer.openUp()
  try peer.openChannel(confirms: false)
  return (peer, peer.end, link)
}

/// The sections of a message with this body.
func message(_ body: [UInt8]) -> [UInt8] {
  var draft = MessageDraft()
  draft.body = [.data(body)]
  var q = ByteQueue()
  draft.encode(into: &q)
  return q.bytes
}

func message(_ body: String) -> [UInt8] { message(Array(body.utf8)) }

/// The body of a message that came.
func body(_ message: [UInt8]) -> String {
  guard let content = try? MessageMapping.body(message.span) else { return "not a message" }
  return String(decoding: message[content.first], as: UTF8.self)
}
