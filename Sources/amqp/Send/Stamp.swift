// `--stamp`: the time at which a message is sent, in the message itself, so that `receive --stats` can tell how long it took.
// It is put in when the message goes out and not when it is read: what waits for `--rate` or for credit does not count.
import Bytes
import Engine
import Transport
import Wire

enum Stamp {
  /// A message annotation, over 0-9-1 a header: microseconds since 1970-01-01T00:00:00Z, a long.
  static let key = "x-opt-sent-us"

  /// The entry as it is before it is sent; no other value of a long has its eight octets.
  static let entry = MapEntry(.symbol(key), .long(.max))

  /// Key and value as they are encoded, up to where the time stands.
  private static let pattern: [UInt8] = {
    var q = ByteQueue()
    q.append(.symbol(key))
    q.append(.long(.max))
    return q.bytes.dropLast(8)
  }()

  /// Puts the time into the next messages that may be sent, as far as they wait to be begun.
  static func put(_ nanoseconds: Int64, into outbox: inout Outbox, atMost limit: Int) {
    let micros = UInt64(nanoseconds / 1_000)
    var left = limit
    outbox.overwrite { (message: Span<UInt8>) -> (Int, UInt64)? in
      if left <= 0 { return nil }
      left -= 1
      return find(message).map { ($0, micros) } ?? (-1, 0)
    }
  }

  private static func find(_ message: Span<UInt8>) -> Int? {
    let last = message.count - pattern.count - 8
    if last < 0 { return nil }
    // The annotations stand in front of the body, behind a header of a few octets.
    for at in 0...last where message[at] == pattern[0] {
      var k = 1
      while k < pattern.count && message[at + k] == pattern[k] { k += 1 }
      if k == pattern.count { return at + k }
    }
    return nil
  }
}
