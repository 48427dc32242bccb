/// A fuzzer's input as a little program: two octets of settings, then one step after the other, each an octet that names
/// it and the octets that it asks for. What is missing at the end reads as 0.
import Bytes
import Engine
import Wire

enum Step: UInt8, CaseIterable {
  // What the peer sends.
  case octets, restOctets, header, handshake, sasl, open, begin, attach, flow, transfer, disposition, detach, end, close
  case keepalive, wrong
  // The world.
  case tick, deadline, receivedEnd, read, fork, again
  // What the application wants.
  case link, accept, refuse, grant, deliver, goOn, settle, stop, drain, idle, leave, hangUp
}

struct Program {
  private let octets: [UInt8]
  var at = 0

  init(_ octets: [UInt8]) { self.octets = octets }

  var isOver: Bool { at >= octets.count }

  mutating func byte() -> UInt8 {
    if isOver { return 0 }
    at += 1
    return octets[at - 1]
  }

  mutating func step() -> Step { Step(rawValue: byte() % (Step.hangUp.rawValue + 1)) ?? .hangUp }

  mutating func take(_ n: Int) -> [UInt8] {
    let taken = Array(octets[min(at, octets.count)..<min(at + n, octets.count)])
    at += taken.count
    return taken
  }

  mutating func rest() -> [UInt8] { take(octets.count) }

  /// Small, nothing, close to the wrap or a power of two: where counters break.
  mutating func number() -> UInt32? {
    let b = byte()
    switch b >> 6 {
    case 0: return UInt32(b)
    case 1: return 1 << UInt32(b & 31)
    case 2: return .max - UInt32(b & 63)
    default: return b == 0xff ? nil : UInt32(b & 63) * 257
    }
  }

  /// Up to 200,000 octets, mostly few.
  mutating func size() -> Int {
    let b = Int(byte())
    return b < 224 ? b : (b - 223) * 6_250
  }
}

/// What two octets make of the settings.
struct ProgramSettings {
  let connection: ConnectionSettings
  /// The application answers requests, grants and settles at once, as events come.
  let reacts: Bool
  let settles: Bool
  /// Octets that come at once in the run that gets them in pieces.
  let piece: Int

  init(_ role: ConnectionSettings.Role, _ protocols: ConnectionSettings.Protocols, _ program: inout Program) {
    let (a, b) = (program.byte(), program.byte())
    var settings = ConnectionSettings(role)
    settings.protocols = protocols
    if a & 1 != 0 { settings.mechanisms = [] }
    if a & 2 != 0 { (settings.user, settings.password) = ("user", "secret") }
    if a & 4 != 0 { settings.idleTimeOut = b & 1 == 0 ? 0 : 1 }
    if a & 8 != 0 { (settings.limits.frameSize, settings.limits.frameMax) = (512, 512) }
    settings.limits.messageSize = a & 16 != 0 ? 4_096 : 1 << 20
    if a & 32 != 0 { settings.incomingWindow = 4 }
    if b & 2 != 0 { settings.channelMax = 1 }
    connection = settings
    reacts = a & 64 != 0
    settles = a & 128 != 0
    piece = [1, 2, 3, 5, 8, 13, 100, 1_000][Int(b >> 5)]
  }
}
