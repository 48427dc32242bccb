/// What a stream of octets speaks, told from the octets alone.
import Bytes
package import Wire

package enum Dialect: UInt8, Sendable, CaseIterable {
  case amqp10, amqp091

  package var name: StaticString {
    switch self {
    case .amqp10: "1.0"
    case .amqp091: "0-9-1"
    }
  }
}

/// What is no AMQP that we decode, but can be named by its first octets.
package enum Foreign: UInt8, Sendable, CaseIterable {
  case tls, http, ssh, amqp08, amqp09, amqp010, stomp

  package var name: StaticString {
    switch self {
    case .tls: "TLS"
    case .http: "HTTP"
    case .ssh: "SSH"
    case .amqp08: "AMQP 0-8"
    case .amqp09: "AMQP 0-9"
    case .amqp010: "AMQP 0-10"
    case .stomp: "STOMP"
    }
  }

  /// Nil: none of them, as far as these octets go.
  static func named(_ b: Span<UInt8>, _ at: Int) -> Foreign? {
    let left = b.count - at
    // A record of TLS: handshake, version 3.x; or its alert.
    if left >= 3, b[at] == 0x16 || b[at] == 0x15, b[at + 1] == 3, b[at + 2] <= 4 { return .tls }
    for (text, foreign) in starts where text.utf8CodeUnitCount <= left {
      if b.extracting(at..<at + text.utf8CodeUnitCount).matches(text) { return foreign }
    }
    return nil
  }

  private static let starts: [(StaticString, Foreign)] = [
    ("GET ", .http), ("POST ", .http), ("PUT ", .http), ("HEAD ", .http), ("CONNECT ", .http), ("OPTIONS ", .http),
    ("HTTP/", .http), ("SSH-", .ssh), ("CONNECT\n", .stomp), ("STOMP\n", .stomp),
  ]

  /// The old versions that a header can name.
  package init?(_ header: ProtocolHeader) {
    switch (header.id, header.major, header.minor, header.revision) {
    case (1, 1, 8, 0): self = .amqp08
    case (1, 1, 0, 9), (1, 1, 9, 1): self = .amqp09
    case (1, 1, 0, 10): self = .amqp010
    default: return nil
    }
  }
}

/// Whether octets look like the start of a frame. Strict, because it is asked where nobody knows what stands there.
enum Look: Equatable {
  case no
  /// What is there fits, but it is too little to say.
  case more
  /// So many octets.
  case yes(size: Int)

  /// Larger ones are not believed without a frame before them.
  static let largest = 1 << 20

  static func frame(_ b: Span<UInt8>, at: Int, _ dialect: Dialect) -> Look {
    switch dialect {
    case .amqp10: frame10(b, at)
    case .amqp091: frame091(b, at)
    }
  }

  /// Part 2 §2.3: size, doff (nobody uses extended headers, and a large one is mostly text), type, and a performative we know behind them.
  private static func frame10(_ b: Span<UInt8>, _ at: Int) -> Look {
    let left = b.count - at
    if left >= 1 && b[at] != 0 { return .no }
    if left < 8 { return left >= 5 && b[at + 4] < 2 ? .no : .more }
    let size = Int(b.u32(at))
    let body = at + Int(b[at + 4]) * 4
    let type = b[at + 5]
    if size < 8 || size > largest || b[at + 4] < 2 || b[at + 4] > 4 || type > 1 || body - at > size { return .no }
    if body - at == size { return type == 0 ? .yes(size: size) : .no }
    return performative(b, body, end: at + size, sasl: type == 1).map { $0 ? .yes(size: size) : .no } ?? .more
  }

  /// Whether the descriptor at `at` is a performative's, and a list behind it fits in front of `end`. Nil: too few octets.
  static func performative(_ b: Span<UInt8>, _ at: Int, end: Int, sasl: Bool?) -> Bool? {
    guard let (code, after) = descriptor(b, at, end: end) else { return nil }
    let amqp = code >= Code.open && code <= Code.close
    let security = code >= Code.saslMechanisms && code <= Code.saslOutcome
    if !(sasl == nil ? amqp || security : sasl == true ? security : amqp) { return false }
    if after >= end { return false }
    if after >= b.count { return nil }
    switch b[after] {
    case 0x45: return true
    case 0xc0:
      if after + 1 >= b.count { return nil }
      return after + 2 + Int(b[after + 1]) <= end
    case 0xd0:
      if after + 4 >= b.count { return nil }
      return after + 5 + Int(b.u32(after + 1)) <= end
    default: return false
    }
  }

  /// The code of a descriptor, numeric or symbolic, and where it ends; code 0 for anything else. Nil: too few octets.
  static func descriptor(_ b: Span<UInt8>, _ at: Int, end: Int) -> (code: UInt64, after: Int)? {
    if at + 1 >= b.count { return at < b.count && b[at] != 0 ? (0, at) : nil }
    if b[at] != 0 { return (0, at) }
    switch b[at + 1] {
    case 0x53:
      if at + 2 >= b.count { return nil }
      return (UInt64(b[at + 2]), at + 3)
    case 0x80:
      if at + 10 > b.count { return nil }
      return (b.u64(at + 2), at + 10)
    case 0xa3:
      if at + 2 >= b.count { return nil }
      let range = at + 3..<at + 3 + Int(b[at + 2])
      if range.upperBound > b.count { return nil }
      if !b.extracting(range).starts(with: "amqp:") { return (0, at) }
      let row = CompositeSpec.row(CompositeSpec.index(symbol: b.extracting(range).text))
      return (row?.code ?? 0, range.upperBound)
    default: return (0, at)
    }
  }

  /// 0-9-1 §4.2.3: type, channel, size, and 0xce behind the payload.
  private static func frame091(_ b: Span<UInt8>, _ at: Int) -> Look {
    let left = b.count - at
    if left < 1 { return .more }
    guard let type = FrameType091(rawValue: b[at]) else { return .no }
    if left < Frame091.headSize { return .more }
    let size = Int(b.u32(at + 3))
    let total = size + Frame091.overhead
    if total > largest { return .no }
    switch type {
    case .method:
      if size < 4 || (left >= 9 && MethodSpec.className(b.u16(at + 7)) == nil) { return .no }
      if left >= 11 && MethodSpec.index(b.u32(at + 7)) == MethodSpec.unknown { return .no }
    case .header:
      if size < 14 || (left >= 9 && b.u16(at + 7) != UInt16(MethodID.basicClass)) { return .no }
    case .body: if b.u16(at + 1) == 0 { return .no }
    case .heartbeat: if size != 0 || b.u16(at + 1) != 0 { return .no }
    }
    if left < total { return .more }
    return b[at + total - 1] == Frame091.endOctet ? .yes(size: total) : .no
  }

  /// What a paste without a frame around it may be.
  static func bare(_ b: Span<UInt8>, _ at: Int) -> Bare? {
    let left = b.count - at
    if left < 3 { return nil }
    if let (code, after) = descriptor(b, at, end: b.count), after > at, after < b.count {
      if code >= Code.header && code <= Code.footer { return .message }
      if performative(b, at, end: b.count, sasl: nil) == true { return .performative }
    }
    if left >= 4 && MethodSpec.index(b.u32(at)) != MethodSpec.unknown { return .method }
    if left >= 14 && b.u16(at) == UInt16(MethodID.basicClass) && b.u16(at + 2) == 0 { return .contentHeader }
    return nil
  }
}

/// What stands without a frame around it.
package enum Bare: UInt8, Sendable, CaseIterable {
  case message, performative, method, contentHeader

  package var name: StaticString {
    switch self {
    case .message: "message without a frame"
    case .performative: "performative without a frame"
    case .method: "method without a frame"
    case .contentHeader: "content header without a frame"
    }
  }

  package var dialect: Dialect {
    switch self {
    case .message, .performative: .amqp10
    case .method, .contentHeader: .amqp091
    }
  }
}

extension Span where Element == UInt8 {
  func starts(with text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount && extracting(0..<text.utf8CodeUnitCount).matches(text)
  }
}
