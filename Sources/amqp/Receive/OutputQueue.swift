// What is to be written to standard output, and which deliveries are done with when it is: a delivery is settled only
// after write(2) has returned for the last of its octets.
import Bytes
import Console
import Engine
import Transport

struct OutputQueue: ~Copyable {
  /// Everything up to `end` belongs to deliveries up to and including this run.
  struct Mark {
    var end: Int
    let server: Served
    let link: LinkID
    var run: ClosedRange<Int>
    /// Of the last message, in its stream.
    var offset: UInt64?
  }

  var octets = ByteQueue()
  private(set) var marks: [Mark] = []
  private var firstMark = 0
  /// Octets ever appended before `octets`' head.
  private(set) var written = 0
  private let file: OutputFile
  /// Nobody reads our output any more, or it can't be written.
  private(set) var isClosed = false

  /// Deliveries wait for this much output before more is taken in.
  static let bound = 1 << 20

  init() throws(Failure) {
    do throws(Errno) {
      file = try OutputFile()
    } catch {
      throw Failure("cannot write to standard output", error.text, exitCode: .cannotWrite)
    }
  }

  /// Octets ever appended.
  var position: Int { written + octets.count }
  var isFull: Bool { octets.count >= OutputQueue.bound }
  var isEmpty: Bool { octets.isEmpty && firstMark == marks.count }
  var isTerminal: Bool { if case .terminal = file.kind { true } else { false } }

  /// The octets appended last belong to this delivery.
  mutating func mark(_ server: Served, _ delivery: Delivery, offset: UInt64? = nil) {
    let end = written + octets.count
    if let last = marks.indices.last, last >= firstMark, marks[last].server === server,
      marks[last].link == delivery.link,
      marks[last].run.upperBound + 1 == delivery.number, end - marks[last].end < 1 << 16 || octets.count < 1 << 16
    {
      marks[last].run = marks[last].run.lowerBound...delivery.number
      marks[last].end = end
      marks[last].offset = offset ?? marks[last].offset
      return
    }
    marks.append(
      Mark(end: end, server: server, link: delivery.link, run: delivery.number...delivery.number, offset: offset))
  }

  /// Writes what can be written, and hands out every mark that is written whole.
  mutating func flush(_ done: (Mark) -> Void) throws(Failure) {
    while !octets.isEmpty && !isClosed {
      var progress = IOProgress.wouldBlock
      do throws(Errno) {
        progress = try octets.withReadable { span throws(Errno) in try file.write(span) }
      } catch {
        isClosed = true
        throw Failure("cannot write to standard output", error.text, exitCode: .cannotWrite)
      }
      switch progress {
      case .bytes(let n):
        written += n
        octets.consume(n)
      case .wouldBlock: break
      case .end: isClosed = true
      }
      if progress == .wouldBlock { break }
    }
    while firstMark < marks.count && marks[firstMark].end <= written {
      done(marks[firstMark])
      firstMark += 1
    }
    if firstMark == marks.count {
      marks.removeAll(keepingCapacity: true)
      firstMark = 0
    } else if firstMark > 1024 {
      marks.removeFirst(firstMark)
      firstMark = 0
    }
    octets.release(above: OutputQueue.bound * 2)
  }

  func register(_ polls: inout PollSet) {
    // A reader that goes away is noticed even while there is nothing to write.
    _ = polls.add(file.number, write: !octets.isEmpty, hangUp: octets.isEmpty)
  }
}
