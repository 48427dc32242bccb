/// Any octets as a line of JSON (`--input json`), as a frame of either dialect in every form of output, and as the two
/// directions of a connection. A line that is read can be written and read again to the same octets, a frame comes back from
/// its line whatever was wrong with it, and the short ways to lines and objects say what the long ones say. The first octet
/// chooses.
import Analysis
import Bytes
import Foundation
import Render
import Support
import Wire

// The package manager renames an executable's main; libFuzzer's is called from it.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzFrameJSON_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  if count == 3, let option = arguments?[1], String(cString: option) == "--seeds", let folder = arguments?[2] {
    writeSeeds(String(cString: folder))
    return 0
  }
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments) { start, count in
    fuzz(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
}

private func fuzz(_ octets: [UInt8]) {
  guard let first = octets.first else { return }
  let rest = Array(octets.dropFirst())
  switch first % 4 {
  case 0: line(rest)
  case 1: frame(rest, is091: false)
  case 2: frame(rest, is091: true)
  default: connection(rest)
  }
}

private func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}

// MARK: JSON to octets

private func line(_ text: [UInt8]) {
  var q = ByteQueue()
  guard (try? FrameJSONReader.read(text.span, to: &q)) != nil else { return require(q.isEmpty, "octets of no line") }
  let octets = q.bytes
  again(octets, is091: false)
  again(octets, is091: true)
}

/// The frame at the front of `octets` as a line, and back.
private func again(_ octets: [UInt8], is091: Bool) {
  var dissector = Dissector()
  dissector.limits = .onlooker(frameSize: 1 << 24)
  let result = is091 ? dissector.frame091(octets.span, at: 0) : dissector.frame(octets.span, at: 0, payload: .message)
  guard case .frame(let end) = result else { return }
  var (written, back) = (ByteQueue(), ByteQueue())
  FrameWireJSON.append(dissector, octets.span, in: 0..<end, showSecrets: true, to: &written)
  do {
    _ = try FrameJSONReader.read(written.bytes.span, to: &back)
  } catch {
    fatalError("its own line is not read: \(error)")
  }
  require(back.bytes == Array(octets[..<end]), "not the same octets again")
  var masked = ByteQueue()
  FrameWireJSON.append(dissector, octets.span, in: 0..<end, to: &masked)
  require((try? JSONReader.read(masked.bytes.span, depth: 1024)) != nil, "no JSON with secrets masked")
}

// MARK: Every form of output

private func frame(_ octets: [UInt8], is091: Bool) {
  again(octets, is091: is091)
  var dissector = Dissector()
  let b = octets.span
  let result = is091 ? dissector.frame091(b, at: 0) : dissector.frame(b, at: 0, payload: .message)
  guard case .frame(let end) = result else { return }
  var (line, object, text) = (ByteQueue(), ByteQueue(), ByteQueue())
  FrameLine.append(dissector, b, to: &line)
  FrameTree.append(dissector, b, to: &text)
  FrameHex.append(dissector, b, to: &text)
  FrameJSON.append(dissector, b, to: &object)
  require((try? JSONReader.read(object.bytes.span, depth: 1024)) != nil, "no JSON")
  for octet in line.bytes where octet < 0x20 || octet == 0x7f { fatalError("a control character in a line") }
  let payload = Frame091.headSize..<max(end - 1, Frame091.headSize)
  if is091 {
    shortMethod(dissector, b, 0..<end, payload, line: line.bytes, object: object.bytes)
  } else {
    shortFrame(dissector, b, 0..<end, line: line.bytes, object: object.bytes)
  }
}

private func shortFrame(_ dissector: Dissector, _ b: Span<UInt8>, _ range: Range<Int>, line: [UInt8], object: [UInt8]) {
  var q = ByteQueue()
  if PlainFrameLine.append(b, in: range, payload: .message, to: &q) {
    require(q.bytes == line && dissector.problems.isEmpty, "another line")
  }
  q.removeAll()
  if PlainFrameJSON.append(b, in: range, payload: .message, FrameContext(), to: &q) {
    require(q.bytes == object && dissector.problems.isEmpty, "another object")
  }
}

private func shortMethod(
  _ dissector: Dissector, _ b: Span<UInt8>, _ range: Range<Int>, _ payload: Range<Int>, line: [UInt8], object: [UInt8]
) {
  var q = ByteQueue()
  let none = FrameContext()
  switch Conversation.lookAhead091(b, range) {
  case .nothing, .body: return
  case .publish(let publish):
    if PlainMethodLine.append(publish, b, range, to: &q) { require(q.bytes == line, "another line") }
    if !PlainMethodJSON.isPlain(publish, b, range) { return }
    q.removeAll()
    PlainMethodJSON.append(publish, b, range, none, to: &q)
  case .deliver(let deliver):
    if PlainMethodLine.append(deliver, b, range, to: &q) { require(q.bytes == line, "another line") }
    if !PlainMethodJSON.isPlain(deliver, b) { return }
    q.removeAll()
    PlainMethodJSON.append(deliver, b, range, none, to: &q)
  case .settlement(let settlement):
    if PlainMethodLine.append(settlement, b, range, to: &q) { require(q.bytes == line, "another line") }
    if !PlainMethodJSON.isPlain(settlement, b, range) { return }
    q.removeAll()
    PlainMethodJSON.append(settlement, b, range, none, to: &q)
  case .header(let header):
    if !PlainMethodJSON.isPlain(header, b) { return }
    q.removeAll()
    PlainMethodJSON.append(header, b, range, none, to: &q)
  }
  require(q.bytes == object && dissector.problems.isEmpty, "another object")
}

// MARK: Two directions

/// The second octet says where the halves part. Framing comes to an end, and the conversation's memory stays bounded.
private func connection(_ octets: [UInt8]) {
  guard let middle = octets.first.map({ 1 + Int($0) * octets.count / 256 }), middle <= octets.count else { return }
  var conversation = Conversation()
  conversation.isLinted = true
  var dissector = Dissector()
  for (side, half) in [Array(octets[1..<max(middle, 1)]), Array(octets[middle...])].enumerated() {
    var framing = Framing(isPaste: side == 0)
    var at = 0
    var steps = 0
    cutting: while true {
      steps += 1
      require(steps < 8 * (half.count + 8), "no end")
      let b = half.span
      switch framing.step(b, at: at, isEnd: true) {
      case .more: fatalError("more, at the end")
      case .done: break cutting
      case .frame(.amqp10, let end):
        let (ahead, isPart) = conversation.lookAhead(b, at..<end, side: side)
        var facts = Facts()
        if case .nothing = ahead {
          _ = dissector.frame(b, at: at, payload: isPart ? .opaque : .message)
          conversation.take(dissector, b, side: side, time: 1, &facts)
        } else {
          conversation.take(ahead, b, at..<end, side: side, time: 1, &facts)
        }
        if facts.part == .last { conversation.release(facts) }
        at = end
      case .frame(.amqp091, let end):
        _ = dissector.frame091(b, at: at)
        var facts = Facts()
        _ = conversation.take091(dissector, b, side: side, time: 2, &facts)
        at = end
      case .header(_, let end), .bare(_, let end), .truncated(_, let end), .discard(let end), .foreign(_, let end):
        require(end >= at && end <= half.count, "backwards")
        at = end
      case .lost, .skipped: break
      }
    }
  }
  conversation.finish()
}

// MARK: Seeds

private func writeSeeds(_ folder: String) {
  var seeds: [[UInt8]] = []
  for (vectors, is091) in [(FrameVector.all, false), (FrameVector.all091, true)] {
    for vector in vectors {
      seeds.append([is091 ? 2 : 1] + vector.bytes)
      var dissector = Dissector()
      let b = vector.bytes.span
      let result = is091 ? dissector.frame091(b, at: 0) : dissector.frame(b, at: 0, payload: .message)
      guard case .frame(let end) = result else { continue }
      var q = ByteQueue()
      FrameWireJSON.append(dissector, b, in: 0..<end, to: &q)
      seeds.append([0] + q.bytes)
    }
  }
  let streams = [FrameVector.all, FrameVector.all091].map { $0.filter { $0.verdict == .ok }.flatMap(\.bytes) }
  for stream in streams {
    for start in stride(from: 0, to: stream.count, by: 1500) { seeds.append([3, 100] + stream[start...].prefix(1500)) }
  }
  for (i, seed) in seeds.enumerated() {
    do {
      try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(i + 1)"))
    } catch {
      fatalError("\(error)")
    }
  }
}
