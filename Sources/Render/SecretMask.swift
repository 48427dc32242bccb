/// Octets of one direction of a connection as they may be kept: passwords and tokens are overwritten in place, so that every
/// frame stays what it was, well formed and of the same length. What is secret is what the lines of a trace leave out.
package import Bytes
import Wire

package struct SecretMask: Sendable {
  private var held = ByteQueue()
  private var dissector = Dissector()
  /// Nil: nothing told yet.
  private var is091: Bool?
  /// Octets of a frame in which no secret can be.
  private var passing = 0
  /// These are no frames: nothing in them is looked at.
  private var isLost = false

  /// A frame is waited for up to this size; a longer one holds no secret that a peer would take.
  private static let longest = 1 << 16
  /// What an overwritten octet is.
  private static let star = UInt8(ascii: "*")

  package init() { dissector.limits.frameSize = UInt32(SecretMask.longest) }

  /// Appends to `q` what is sure of `octets` and what was kept back before.
  package mutating func pass(_ octets: Span<UInt8>, to q: inout ByteQueue) {
    held.append(octets)
    while !held.isEmpty {
      if isLost { passing = held.count }
      if passing > 0 {
        move(min(passing, held.count), to: &q)
        continue
      }
      guard let frame = held.withReadable({ look($0) }) else { return }
      switch frame {
      case .plain(let size): passing = size
      case .lost: isLost = true
      case .suspect(let size):
        if held.count < size { return }
        mask(size)
        move(size, to: &q)
      }
    }
  }

  /// Nothing follows: what was kept back is a part of a frame, of which only the head is sure to be no secret.
  package mutating func finish(to q: inout ByteQueue) {
    let count = held.count
    let head = min(8, count)
    move(head, to: &q)
    q.append(repeating: SecretMask.star, count: count - head)
    held.removeAll()
  }

  private mutating func move(_ n: Int, to q: inout ByteQueue) {
    held.withReadable { q.append($0.extracting(0..<n)) }
    held.consume(n)
    passing = max(0, passing - n)
  }

  private enum Look {
    case plain(Int)
    case suspect(Int)
    case lost
  }

  /// Nil: more is needed to tell.
  private mutating func look(_ b: Span<UInt8>) -> Look? {
    switch ProtocolHeader.read(b) {
    case .incomplete: return nil
    case .header(let header):
      if header == .amqp091 { is091 = true }
      return .plain(ProtocolHeader.size)
    case .other: break
    }
    // A frame of 1.0 starts with its size, which is never so large; one of 0-9-1 with its type, which is never 0.
    let is091 = is091 ?? (b[0] != 0)
    self.is091 = is091
    return is091 ? look091(b) : look10(b)
  }

  /// SASL, and the request that puts a token into a transfer.
  private func look10(_ b: Span<UInt8>) -> Look? {
    if b.count < 8 { return nil }
    let size = Int(b.u32(0))
    if size < 8 { return .lost }
    if size > SecretMask.longest { return .plain(size) }
    if b[5] == 1 { return .suspect(size) }
    if b.count < size { return nil }
    return SecretMask.mentionsToken(b.extracting(0..<size)) ? .suspect(size) : .plain(size)
  }

  /// Methods of the class connection.
  private func look091(_ b: Span<UInt8>) -> Look? {
    if b.count < 9 { return nil }
    let size = Int(b.u32(3)) + 8
    let isSuspect = b[0] == 1 && b.u16(7) == 10 && size <= SecretMask.longest
    return isSuspect ? .suspect(size) : .plain(size)
  }

  private static func mentionsToken(_ b: Span<UInt8>) -> Bool {
    var at = 0
    while let p = b.firstIndex(of: UInt8(ascii: "p"), from: at), p + 9 <= b.count {
      if b.extracting(p..<p + 9).matches("put-token") { return true }
      at = p + 1
    }
    return false
  }

  private mutating func mask(_ size: Int) {
    let start = held.readable.lowerBound
    let secret = held.withReadable { b -> Range<Int>? in
      let frame = b.extracting(0..<size)
      let result = is091 == true ? dissector.frame091(frame, at: 0) : dissector.frame(frame, at: 0, payload: .message)
      guard case .frame = result, let node = FrameNodes(dissector, frame, origin: 0, showSecrets: false).secret else {
        return nil
      }
      return dissector.nodes[node].contentRange
    }
    for at in secret ?? 0..<0 { held.patch8(at: start + at, SecretMask.star) }
  }
}
