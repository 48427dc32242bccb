// Where a source's messages have come to, over however many connections: what `receive --reconnect` goes on from. In a
// stream that is an offset; in a queue it is what was taken last, which the broker sends again if it saw no settlement.
import Bytes
import Engine
import Wire

struct Resumption {
  private var recent = RecentMessages()
  /// Of the last message taken, in its stream.
  private(set) var offset: UInt64?
  /// Nil: no message has come yet.
  private var isStream: Bool?
  /// A connection was lost, and nothing new has come since.
  private var expectsOffsets = false

  /// What a message is to be known by.
  enum Mark {
    case offset(UInt64)
    case content(UInt64)
    /// It was settled when it came: nobody sends it again.
    case nothing

    var isOffset: Bool { if case .offset = self { true } else { false } }
  }

  mutating func mark(_ delivery: Delivery, _ connection: borrowing Connection) -> Mark {
    connection.withBytes(delivery.message) { b in
      if isStream != false, let offset = Checkpoint.offset(of: b), isPlace(offset, delivery, connection, b) {
        isStream = true
        return .offset(offset)
      }
      isStream = false
      offset = nil
      return delivery.settled
        ? .nothing : .content(RecentMessages.mark(of: b, headersCount: connection.dialect != .amqp091))
    }
  }

  /// A message that was forwarded out of a stream still says where it was there. In a queue such places go back, and come
  /// again; in a stream neither happens.
  private func isPlace(
    _ offset: UInt64, _ delivery: Delivery, _ connection: borrowing Connection, _ b: Span<UInt8>
  ) -> Bool {
    guard expectsOffsets else { return self.offset.map { offset > $0 } ?? true }
    return connection.dialect == .amqp091 ? !delivery.redelivered : Resumption.deliveryCount(b) == 0
  }

  /// Whether it was taken over an earlier connection.
  mutating func recognises(_ mark: Mark, _ delivery: Delivery, _ connection: borrowing Connection) -> Bool {
    switch mark {
    case .nothing: return false
    case .offset(let offset):
      guard expectsOffsets, let last = self.offset, offset <= last else {
        expectsOffsets = false
        return false
      }
      return true
    case .content(let mark):
      guard recent.expectsRepeats else { return false }
      let isFresh =
        connection.dialect == .amqp091
        ? !delivery.redelivered : connection.withBytes(delivery.message) { Resumption.saysFresh($0) }
      return recent.recognises(mark, isFresh: isFresh)
    }
  }

  mutating func took(_ mark: Mark) {
    switch mark {
    case .nothing: break
    case .offset(let offset): self.offset = offset
    case .content(let mark): recent.took(mark)
    }
  }

  mutating func connectionLost() {
    recent.connectionLost()
    expectsOffsets = isStream == true
  }

  /// Whether the header says first-acquirer (part 3 §3.2.1). Without a word of it nothing is known.
  private static func saysFresh(_ b: Span<UInt8>) -> Bool {
    let fields = header(b)
    return fields.count > 3 && fields[3] == .boolean(true) && deliveryCount(b) == 0
  }

  private static func deliveryCount(_ b: Span<UInt8>) -> UInt64 {
    let fields = header(b)
    return fields.count > 4 ? fields[4].unsigned ?? 0 : 0
  }

  private static func header(_ b: Span<UInt8>) -> [Value] {
    var sections = Sections(0..<b.count)
    guard let header = try? sections.next(b), header.code == Code.header,
      case .list(let fields)? = try? Value.decode(b.extracting(header.value..<header.range.upperBound))
    else { return [] }
    return fields
  }
}
