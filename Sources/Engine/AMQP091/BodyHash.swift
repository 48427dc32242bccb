/// 64 bits that stand for where a message went and what was in it: a returned message has no tag, and this says which of
/// those that are not confirmed it is. The octets may come in any pieces.
import Bytes

struct BodyHash: BitwiseCopyable, Sendable {
  private var state: UInt64
  /// Octets that don't fill a word yet, the first one lowest.
  private var rest: UInt64 = 0
  private var count = 0

  init(seed: UInt64 = 0x9e37_79b9_7f4a_7c15) { state = seed }

  @inline(__always)
  private mutating func mix(_ word: UInt64) {
    let product = (state ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
    state = product.high ^ product.low ^ 0xe703_7ed1_a0b4_28db
  }

  mutating func add(_ b: Span<UInt8>) {
    var at = 0
    while count & 7 != 0 && at < b.count {
      add(b[at])
      at += 1
    }
    while at &+ 8 <= b.count {
      mix(b.u64(at).byteSwapped)
      at &+= 8
      count &+= 8
    }
    while at < b.count {
      add(b[at])
      at += 1
    }
  }

  @inline(__always)
  private mutating func add(_ byte: UInt8) {
    rest |= UInt64(byte) << UInt64(count & 7 * 8)
    count &+= 1
    if count & 7 == 0 {
      mix(rest)
      rest = 0
    }
  }

  var value: UInt64 {
    var end = self
    end.mix(rest)
    end.mix(UInt64(count))
    return end.state
  }
}

extension BodyHash {
  /// Where a message goes; the seed of its body's.
  static func route(_ exchange: Span<UInt8>, _ routingKey: Span<UInt8>) -> UInt64 {
    var hash = BodyHash()
    hash.add(exchange)
    let key = BodyHash(seed: hash.value)
    hash = key
    hash.add(routingKey)
    return hash.value
  }
}
