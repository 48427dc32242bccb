/// One direction of a connection that began with HTTP: past the upgrade, the frames of RFC 6455 are opened and unmasked.
/// Without an upgrade the octets are what they are.
import Bytes

struct WebSocketReader {
  enum State: Equatable {
    /// In the request or response.
    case head
    /// No WebSocket: everything as it is.
    case plain
    case header
    case payload
    /// Nothing can be read any more, for this reason.
    case lost(String)
  }

  private(set) var state = State.head
  private var head: [UInt8] = []
  /// Octets of the head's end that stand at the end of `head`.
  private var ending = 0
  private var header: [UInt8] = []
  private var left: UInt64 = 0
  private var mask: UInt32?
  /// Octets of the payload before what comes next, as far as the mask is concerned.
  private var phase = 0
  private var isData = false

  private static let longestHead = 65_536

  /// Whether a stream that begins like this is HTTP.
  static func begins(_ b: Span<UInt8>) -> Bool {
    for word in ["GET ", "HTTP/1.1 "] as [StaticString] {
      let n = min(b.count, word.utf8CodeUnitCount)
      if n > 0 && word.withUTF8Buffer({ p in (0..<n).allSatisfy { unsafe p[$0] == b[$0] } }) { return true }
    }
    return false
  }

  /// Takes octets of the connection and appends those that they carry.
  mutating func receive(_ b: Span<UInt8>, _ out: inout [UInt8]) {
    var at = 0
    while at < b.count {
      switch state {
      case .head: readHead(b, &at, &out)
      case .plain:
        out.append(contentsOf: b.extracting(at..<b.count).array)
        return
      case .header: readHeader(b, &at)
      case .payload: readPayload(b, &at, &out)
      case .lost: return
      }
    }
  }

  /// The stream ends or has a gap before the head was whole: what there is of it.
  mutating func giveUpHead() -> [UInt8] {
    if state != .head { return [] }
    state = .plain
    let octets = head
    head = []
    return octets
  }

  /// Octets of the connection are missing.
  /// - Returns: how many of them were carried octets; nil when nobody knows.
  mutating func missed(_ octets: Int?) -> Int? {
    switch state {
    case .plain: return octets
    case .payload:
      if let octets, UInt64(octets) < left {
        left -= UInt64(octets)
        phase += octets
        return isData ? octets : 0
      }
      state = .lost("octets with a frame's beginning among them are missing")
    case .header: state = .lost("octets with a frame's beginning among them are missing")
    case .head, .lost: break
    }
    return nil
  }

  private mutating func readHead(_ b: Span<UInt8>, _ at: inout Int, _ out: inout [UInt8]) {
    let start = at
    let limit = min(b.count, at + Self.longestHead - head.count)
    while at < limit && ending < 4 {
      // CR LF CR LF
      let c = b[at]
      ending = c == (ending % 2 == 0 ? 13 : 10) ? ending + 1 : c == 13 ? 1 : 0
      at += 1
    }
    head.append(contentsOf: b.extracting(start..<at).array)
    // The first octets may have been too few to tell.
    let isHTTP = Self.begins(head.span)
    if isHTTP && ending < 4 && head.count < Self.longestHead { return }
    if isHTTP && ending == 4 && isUpgrade {
      state = .header
    } else {
      state = .plain
      out.append(contentsOf: head)
    }
    head = []
  }

  /// "Upgrade: websocket", and of responses those that agree.
  private var isUpgrade: Bool {
    let small = head.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
    let b = small.span
    if b.has("http/", at: 0) && !b.has("http/1.1 101", at: 0) { return false }
    guard let at = b.find("\nupgrade:") else { return false }
    return b.has("websocket", at: b.end(of: isSpace, from: at + 9))
  }

  private mutating func readHeader(_ b: Span<UInt8>, _ at: inout Int) {
    header.append(b[at])
    at += 1
    if header.count < 2 { return }
    let short = Int(header[1] & 0x7f)
    let size = 2 + (short == 126 ? 2 : short == 127 ? 8 : 0) + (header[1] & 0x80 == 0 ? 0 : 4)
    if header.count < size { return }
    let bytes = header
    let h = bytes.span
    left = short == 126 ? UInt64(h.u16(2)) : short == 127 ? h.u64(2) : UInt64(short)
    mask = h[1] & 0x80 == 0 ? nil : h.u32(size - 4)
    phase = 0
    let first = h[0]
    header.removeAll(keepingCapacity: true)
    let opcode = first & 15
    if first & 0x40 != 0 {
      state = .lost("its frames are compressed")
    } else if first & 0x30 != 0 || (opcode > 2 && opcode < 8) || opcode > 10 {
      state = .lost("what should be a frame is none")
    } else {
      isData = opcode <= 2
      state = left == 0 ? .header : .payload
    }
  }

  private mutating func readPayload(_ b: Span<UInt8>, _ at: inout Int, _ out: inout [UInt8]) {
    let n = Int(min(UInt64(b.count - at), left))
    if isData {
      if let mask {
        for i in 0..<n {
          out.append(b[at + i] ^ UInt8(truncatingIfNeeded: mask >> UInt32(24 - (phase + i) % 4 * 8)))
        }
      } else {
        out.append(contentsOf: b.extracting(at..<at + n).array)
      }
    }
    phase = (phase + n) % 4
    left -= UInt64(n)
    at += n
    if left == 0 { state = .header }
  }
}
