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
      if isStream != false, let offset = Checkpoint.offset(of: b) {
        isStream = true
        return .offset(offset)
      }
      isStream = isStream ?? false
      return delivery.settled
        ? .nothing : .content(RecentMessages.mark(of: b, headersCount: connection.dialect != .amqp091))
    }
  }

  /// Whether it was taken over an earlier connection.
  mutating func recognises(_ mark: Mark, _ delivery: Delivery, _ connection: borrowing Connection) -> Bool {
    switch mark {
    case .nothing: return false
    case .offset(let offset): return self.offset.map { offset <= $0 } ?? false
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

  mutating func connectionLost() { recent.connectionLost() }

  /// Whether the header says first-acquirer (part 3 §3.2.1). Without a word of it nothing is known.
  private static func saysFresh(_ b: Span<UInt8>) -> Bool {
    var sections = Sections(0..<b.count)
    guard let header = try? sections.next(b), header.code == Code.header,
      case .list(let fields)? = try? Value.decode(b.extracting(header.value..<header.range.upperBound))
    else { return false }
    let count = fields.count > 4 ? fields[4].unsigned ?? 0 : 0
    return fields.count > 3 && fields[3] == .boolean(true) && count == 0
  }
}
