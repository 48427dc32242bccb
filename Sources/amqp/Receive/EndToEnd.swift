// How long messages took from their sender to here, where they say when they were sent: by the stamp of `send --stamp`, or
// else by creation-time. Both clocks are the wall's: on two machines the difference is theirs too.
import Bytes
import Transport
import Wire

struct EndToEnd {
  private(set) var times = Histogram()

  mutating func add(_ message: Span<UInt8>, is091: Bool) {
    guard let sent = EndToEnd.sent(message, is091: is091) else { return }
    times.add(Clock.wall - sent)
  }

  /// Nanoseconds since 1970. A timestamp of 0-9-1 is of whole seconds and says nothing here.
  private static func sent(_ message: Span<UInt8>, is091: Bool) -> Int64? {
    var sections = Sections(0..<message.count)
    var created: Int64?
    while let section = try? sections.next(message) {
      switch section.code {
      case Code.messageAnnotations, Code.applicationProperties:
        let value = try? Value.decode(message.extracting(section.value..<section.range.upperBound))
        if case .long(let micros)? = value?[Stamp.key] { return nanoseconds(micros, 1_000) }
      case Code.properties:
        if is091 { continue }
        guard case .list(let fields)? = try? Value.decode(message.extracting(section.value..<section.range.upperBound))
        else { continue }
        if fields.count > 9, case .timestamp(let milliseconds) = fields[9] {
          created = nanoseconds(milliseconds, 1_000_000)
        }
      case Code.data, Code.amqpValue, Code.amqpSequence: return created
      default: break
      }
    }
    return created
  }

  /// Nil: no time that a clock shows.
  private static func nanoseconds(_ v: Int64, _ unit: Int64) -> Int64? {
    let (n, overflow) = v.multipliedReportingOverflow(by: unit)
    return overflow || n <= 0 ? nil : n
  }
}
