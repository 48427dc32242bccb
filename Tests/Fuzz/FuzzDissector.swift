/// Any octets as a stream of frames of 1.0 and of 0-9-1, as a message and as a value: whatever they are, the picture is sound and bounded, and
/// what is called well formed is written anew to the same octets.
import Bytes
import Support
import Wire

// The package manager renames an executable's main; libFuzzer's is called from it.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzDissector_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments) { start, count in
    fuzz(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
}

private func fuzz(_ octets: [UInt8]) {
  frames(octets)
  frames091(octets)
  message(octets)
  value(octets)
}

/// Stops with what went wrong, so that libFuzzer keeps the input.
private func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}

private func frames(_ octets: [UInt8]) {
  var dissector = Dissector()
  var at = 0
  while at < octets.count {
    let b = octets.span
    switch dissector.frame(b, at: at, payload: .message) {
    case .incomplete:
      require(dissector.problems.isEmpty, "incomplete with a problem")
      require(!Dissector.truncation(b, at: at).text.isEmpty, "no words")
      return
    case .lost:
      require(dissector.isMalformed, "lost without a fault")
      return
    case .frame(let end):
      require(end >= at + 8 && end <= octets.count, "frame ends at \(end)")
      sound(dissector, octets)
      if !dissector.isMalformed {
        require(dissector.reencoded(b) == Array(octets[at..<end]), "frame at \(at) is not the same again")
        sectionsInOrder(dissector)
      }
      hotFrames(&dissector, octets, at, end)
      at = end
    }
  }
}

private func frames091(_ octets: [UInt8]) {
  var dissector = Dissector()
  var at = 0
  let b = octets.span
  while at < octets.count {
    switch dissector.frame091(b, at: at) {
    case .incomplete:
      require(dissector.problems.isEmpty, "incomplete with a problem")
      require(!Dissector.truncation091(b, at: at).text.isEmpty, "no words")
      return
    case .lost:
      require(dissector.isMalformed, "lost without a fault")
      return
    case .frame(let end):
      require(end >= at + Frame091.overhead && end <= octets.count, "frame ends at \(end)")
      sound(dissector, octets)
      if !dissector.isMalformed {
        require(dissector.reencoded(b) == Array(octets[at..<end]), "frame at \(at) is not the same again")
        methods(dissector, octets, at)
      }
      at = end
    }
  }
  dissector.method091(b, in: 0..<octets.count)
  sound(dissector, octets)
  dissector.contentHeader091(b, in: 0..<octets.count)
  sound(dissector, octets)
}

/// What is well formed for the dissector is so for the machine, and says the same when it is written and read again.
private func methods(_ dissector: Dissector, _ octets: [UInt8], _ at: Int) {
  let b = octets.span
  guard case .frame(let frame) = Frame091.read(b, at: at, largest: .max) else { fatalError("no frame") }
  switch frame.type {
  case .method:
    guard let record = try? MethodRecord(b, frame.payload) else { fatalError("no method") }
    let index = dissector.nodes.firstIndex { $0.place == .performative } ?? 0
    require(dissector.methodRecord(at: index, b) == record, "another method")
    var q = ByteQueue()
    guard (try? q.appendMethod(channel: frame.channel, record)) != nil else { fatalError("not written") }
    let again = q.bytes
    require((try? MethodRecord(again.span, 7..<again.count - 1)) == record, "method is not the same again")
  case .header:
    guard let head = HotContentHeader(b, frame.payload), let properties = try? BasicProperties(b, head.properties)
    else { fatalError("no content header") }
    var q = ByteQueue()
    guard (try? q.append(properties)) != nil else { fatalError("not written") }
    let again = q.bytes
    require((try? BasicProperties(again.span, 0..<again.count)) == properties, "properties are not the same again")
  case .body, .heartbeat: break
  }
}

private func sound(_ dissector: Dissector, _ octets: [UInt8]) {
  if let flaw = dissector.firstFlaw(octets: octets.count) { fatalError(flaw) }
  require(dissector.nodes.count <= octets.count * 2 + 66, "\(dissector.nodes.count) nodes")
  for problem in dissector.problems {
    require(problem.offset >= 0 && problem.offset <= octets.count, "problem at \(problem.offset)")
  }
}

/// Without a warning, sections stand in the order of their codes, and only data and sequence stand twice.
private func sectionsInOrder(_ dissector: Dissector) {
  if !dissector.problems.isEmpty { return }
  var last: UInt64 = 0
  for n in dissector.nodes where n.place == .section {
    let code = CompositeSpec.row(n.row)?.code ?? 0
    require(code >= Code.header && code <= Code.footer, "no section, and no warning")
    require(code > last || (code == last && (code == Code.data || code == Code.amqpSequence)), "section order")
    last = code
  }
}

private func message(_ octets: [UInt8]) {
  var dissector = Dissector()
  dissector.message(octets.span, in: 0..<octets.count)
  sound(dissector, octets)
  if !dissector.isMalformed { require(dissector.reencoded(octets.span) == octets, "message is not the same again") }
}

private func value(_ octets: [UInt8]) {
  guard let value = try? decode(octets) else { return }
  var q = ByteQueue()
  q.append(value)
  require(q.count == value.encodedSize, "size \(value.encodedSize), really \(q.count)")
  require((try? decode(q.bytes)) == value, "value is not the same again")
}

/// The short way through the three hottest frames takes nothing that the dissector refuses.
private func hotFrames(_ dissector: inout Dissector, _ octets: [UInt8], _ at: Int, _ end: Int) {
  let b = octets.span
  guard case .frame = dissector.frame(b, at: at, payload: .opaque) else { return }
  let start = Int(dissector.nodes[0].content)
  // Only an AMQP frame with a sound head is ever asked.
  if start <= at || dissector.nodes[0].value >> 16 & 0xff != 0 || !dissector.isMalformed { return }
  require(HotTransfer(b, from: start, to: end) == nil, "hot transfer")
  require(HotDisposition(b, from: start, to: end) == nil, "hot disposition")
  require(Flow(hot: b, from: start, to: end) == nil, "hot flow")
}
