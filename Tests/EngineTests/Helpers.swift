/// What most dialogues start from.
import Engine
import Support
import Wire

/// Settings without SASL; counters start three before the wrap.
func bare(_ role: ConnectionSettings.Role) -> ConnectionSettings {
  var settings = ConnectionSettings(role)
  settings.mechanisms = []
  settings.firstID = ScriptedPeer.firstID
  return settings
}

/// An initiator under test with one attached link, and its scripted peer. The log is empty.
func linked(
  _ role: Role, rcv: ReceiverSettleMode = .first, window: UInt32 = 1_000, chunk: Int = .max,
  _ settings: ConnectionSettings = bare(.initiator)
) throws -> (peer: ScriptedPeer, end: End, link: LinkID) {
  let peer = ScriptedPeer(settings)
  peer.chunk = chunk
  let link = peer.end.connection.attach(Attach(role, "a", rcv: rcv))
  try peer.openUp()
  try peer.map(window: window)
  try peer.link()
  guard peer.end.takeLog() == ["opened", "attached a"] else { throw ScriptError(description: "not attached") }
  return (peer, peer.end, link)
}

/// The nth id of the scripted peer, which wraps after the third.
func id(_ n: UInt32) -> UInt32 { ScriptedPeer.firstID &+ n }

func text(_ s: String) -> [UInt8] { Array(s.utf8) }
