import Bytes
import Support
import Testing

@testable import Analysis

/// What `Framing` says of octets that come all at once, or one by one: the end of each step and its kind.
private func steps(_ octets: [UInt8], isPaste: Bool = false, pieces: Int = .max) -> [String] {
  var framing = Framing(isPaste: isPaste)
  var said: [String] = []
  var at = 0
  var given = 0
  while true {
    given = min(octets.count, pieces == .max ? octets.count : given + pieces)
    let isEnd = given == octets.count
    let b = octets.span.extracting(0..<given)
    inner: while true {
      switch framing.step(b, at: at, isEnd: isEnd) {
      case .more: break inner
      case .done: return said
      case .header(let header, let end):
        said.append(header.description)
        at = end
      case .frame(let dialect, let end):
        said.append("\(dialect.name) \(at)..<\(end)")
        at = end
      case .bare(let bare, let end):
        said.append("\(bare.name)")
        at = end
      case .lost: said.append("lost at \(at)")
      case .truncated(_, let end):
        said.append("truncated at \(at)")
        at = end
      case .discard(let end): at = end
      case .skipped(let count): said.append("skipped \(count)")
      case .foreign(let foreign, let end):
        said.append("\(foreign.name)")
        at = end
      }
    }
    #expect(!isEnd, "waits for more at the end")
    if isEnd { return said }
  }
}

private let empty = octets("0000000802000000")
private let close = octets("0000000c0200000000531845")
private let heartbeat = octets("08000000000000ce")
private let selectOK = octets("01000100000004005a000bce")

@Suite struct FramingTests {
  @Test func headersAndFrames() {
    let stream = octets("414d515000010000") + close + empty
    #expect(steps(stream) == ["AMQP 1.0", "1.0 8..<20", "1.0 20..<28"])
    #expect(
      steps(octets("414d515000000901") + selectOK + heartbeat) == ["AMQP 0-9-1", "0-9-1 8..<20", "0-9-1 20..<28"])
  }

  @Test(arguments: [1, 2, 3, 5, 7, 11]) func anySplit(_ size: Int) {
    for stream in [
      octets("414d515000010000") + close + empty, [0x41, 0x41] + close + empty, Array(repeating: 3, count: 20) + close,
      selectOK + heartbeat, octets("ff00") + selectOK + heartbeat, close + octets("ffffffff02000000") + close + close,
    ] {
      for isPaste in [false, true] {
        #expect(steps(stream, isPaste: isPaste, pieces: size) == steps(stream, isPaste: isPaste), "\(stream)")
      }
    }
  }

  @Test func midStream() {
    #expect(steps([1, 2, 3] + close + empty) == ["skipped 3", "1.0 3..<15", "1.0 15..<23"])
    #expect(steps([0, 0, 0] + close) == ["skipped 3", "1.0 3..<15"])
    #expect(steps([0x61, 0xce] + selectOK + selectOK) == ["skipped 2", "0-9-1 2..<14", "0-9-1 14..<26"])
    // One frame that is followed by something else is none.
    #expect(steps([1, 2, 3] + close + [9, 9, 9, 9, 9, 9, 9, 9]) == ["skipped 23"])
  }

  @Test func garbageBetweenFrames() {
    #expect(
      steps(close + octets("ffffffff02000000") + close + close)
        == ["1.0 0..<12", "lost at 12", "skipped 8", "1.0 20..<32", "1.0 32..<44"])
  }

  /// A frame that is wrong inside is a frame all the same when another one follows it.
  @Test func wrongInside() {
    let wrong = octets("0000000c0107000000531845")
    #expect(steps(close + wrong + close) == ["1.0 0..<12", "1.0 12..<24", "1.0 24..<36"])
    #expect(steps(selectOK + octets("01000100000004005a000b00") + heartbeat).count == 3)
  }

  @Test func gaps() {
    var framing = Framing(isPaste: false)
    let stream = close + close
    let first = framing.step(stream.span, at: 0, isEnd: false)
    framing.gap(unfinished: 5)
    let rest = [7, 7] + close + close
    let then = [0, 2, 2].map { framing.step(rest.span, at: $0, isEnd: false) }
    #expect(first == .frame(.amqp10, end: 12))
    #expect(then == [.discard(end: 2), .skipped(count: 7), .frame(.amqp10, end: 14)])
  }

  @Test func foreign() {
    #expect(steps(octets("1603010200")) == ["TLS"])
    #expect(steps(Array("GET / HTTP/1.1\r\n".utf8)) == ["HTTP"])
    #expect(steps(octets("414d51500101000a") + [1, 2, 3]) == ["AMQP 0-10"])
  }

  @Test func pastes() {
    #expect(steps(octets("00531045"), isPaste: true) == ["performative without a frame"])
    #expect(steps(octets("005377a10568656c6c6f"), isPaste: true) == ["message without a frame"])
    #expect(steps(octets("003c0050000000000000000100"), isPaste: true) == ["method without a frame"])
    #expect(steps(octets("003c000000000000000000050000"), isPaste: true) == ["content header without a frame"])
    #expect(steps(octets("00000010020000000053"), isPaste: true) == ["truncated at 0"])
    #expect(steps(octets("0000000702000000"), isPaste: true) == ["lost at 0", "skipped 8"])
    #expect(steps(Array("no protocol at all".utf8), isPaste: true) == ["skipped 18"])
    // The first frame is spoilt, and another one follows.
    #expect(
      steps(octets("ffffffff02000000") + close, isPaste: true) == ["lost at 0", "skipped 8", "1.0 8..<20"])
    #expect(
      steps(octets("01000100000004005a000b00") + selectOK, isPaste: true) == ["0-9-1 0..<12", "0-9-1 12..<24"])
    #expect(steps(octets("0000000c0107000000531845") + close, isPaste: true) == ["1.0 0..<12", "1.0 12..<24"])
  }

  /// Octets that look like the start of a large frame again and again cost no more than others.
  @Test(.timeLimit(.minutes(1))) func hostileSearch() {
    let look = octets("000fffff0200000000531445")
    let stream = Array((0..<50_000).map { _ in look }.joined())
    #expect(steps([9] + stream).last == "skipped \(stream.count + 1)")
  }
}
