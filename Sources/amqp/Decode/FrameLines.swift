// `--input json`: the lines that `--wire -J` writes, back into octets. Without another form of output the octets themselves
// are what comes out.
import Bytes
import Capture
import Console
import Render
import Wire

struct FrameLines {
  private var text = ByteQueue()
  private var octets = ByteQueue()
  /// Of `text`, in which there is no end of a line.
  private var searched = 0
  private var number = 0
  private var masked = 0
  private var streams: Set<UInt32> = []

  /// A line may be as long as the largest frame in hexadecimal, and its names.
  private static let longest = 1 << 29

  mutating func append<E: Error>(
    room: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int { try text.fill(room: room, fill) }

  /// Takes all whole lines, and with `isEnd` the rest.
  mutating func take(_ decoding: Decoding, isEnd: Bool) {
    var at = 0
    let all = text
    all.withReadable { b in
      while at < b.count {
        guard let end = b.firstIndex(of: 0x0a, from: max(at, searched)) ?? (isEnd ? b.count : nil) else { break }
        line(b.extracting(at..<end), decoding)
        at = end + 1
      }
    }
    text.consume(min(at, text.count))
    searched = text.count
    if text.count > FrameLines.longest {
      decoding.report(Failure("line \(number + 1)", "longer than 512 MiB", exitCode: .badInput))
      text.removeAll()
      searched = 0
    }
    if isEnd && masked > 0 {
      decoding.summary.note(
        "\(DecodeSummary.counted(masked, "octet")) of secrets are asterisks: --show-secrets when the lines are made keeps them"
      )
    }
  }

  private mutating func line(_ b: Span<UInt8>, _ decoding: Decoding) {
    number += 1
    var blank = true
    for i in 0..<b.count where b[i] > 0x20 { blank = false }
    if blank { return }
    octets.removeAll()
    do throws(TextFault) {
      let line = try FrameJSONReader.read(b, to: &octets)
      masked += line.masked
      if decoding.plan.writesOctets {
        octets.withReadable { decoding.out.append($0) }
        decoding.madeOctets = true
      } else {
        pass(line, decoding)
      }
    } catch {
      decoding.report(
        Failure("line \(number) of \(decoding.source.name)", error.reason, exitCode: .badInput))
    }
  }

  private mutating func pass(_ line: FrameJSONReader.Line, _ decoding: Decoding) {
    let number = line.connection ?? 0
    if streams.insert(number).inserted {
      let ends: (String, String)? = line.connection == nil ? nil : ("client \(number)", "server \(number)")
      decoding.open(
        Int(number), StreamDescription(source: ends?.0, target: ends?.1, startSeen: ends == nil))
    }
    guard let stream = decoding.streams[Int(number)], stream.isWanted else { return }
    let direction: Direction =
      switch line.direction {
      case .clientToServer, .outgoing: .forward
      case .serverToClient, .incoming: .backward
      case nil: .unknown
      }
    octets.withReadable { b in decoding.lendDissector { decoding.take(&$0, stream, direction, line.time, b) } }
  }
}
