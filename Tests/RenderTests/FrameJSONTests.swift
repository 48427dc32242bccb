import Bytes
import Support
import Testing
import Wire

@testable import Render

@Suite struct FrameJSONTests {
  typealias Frames = FrameTests

  func show(_ octets: [UInt8], _ context: FrameContext = FrameContext(), showSecrets: Bool = false) -> String {
    var d = Dissector()
    _ = d.frame(octets.span, at: 0, payload: .message)
    var q = ByteQueue()
    FrameJSON.append(d, octets.span, context, showSecrets: showSecrets, to: &q)
    return q.text
  }

  func wire(_ octets: [UInt8], showSecrets: Bool = true) -> String {
    var d = Dissector()
    // A frame that does not start at the front, as in a stream.
    let all = [1, 2, 3] + octets
    _ = d.frame(all.span, at: 3, payload: .message)
    var q = ByteQueue()
    FrameWireJSON.append(d, all.span, in: 3..<all.count, showSecrets: showSecrets, to: &q)
    return q.text
  }

  func isDocument(_ line: String) throws { _ = try JSONReader.read(Array(line.utf8).span, depth: 400) }

  func read(_ line: String) throws(TextFault) -> (line: FrameJSONReader.Line, octets: [UInt8]) {
    var q = ByteQueue()
    let said = try FrameJSONReader.read(Array(line.utf8).span, to: &q)
    return (said, q.bytes)
  }

  // MARK: Lossless

  @Test func transferWithItsMessage() {
    var context = FrameContext()
    context.time = 1_700_000_000_204_123_000
    context.connection = 1
    context.direction = .clientToServer
    context.offset = 52
    context.link = Array("l\"1".utf8)
    context.address = Array("q".utf8)
    #expect(
      show(Frames.hello, context)
        == #"{"time":1700000000204.123,"connection":1,"direction":"C>S","offset":52,"link":"l\"1","address":"q","#
        + #""channel":0,"frame":"transfer","fields":{"handle":0,"delivery-id":0,"delivery-tag":"AA==","#
        + #""message-format":0,"settled":true},"message":{"body":{"value":"hello"}}}"#)
  }

  @Test func attachWithItsTermini() {
    #expect(
      show(Frames().attach())
        == #"{"channel":3,"frame":"attach","fields":{"name":"l 1","handle":4,"role":true,"snd-settle-mode":1,"#
        + #""rcv-settle-mode":1,"source":{"address":"my queue","durable":2,"distribution-mode":"copy","#
        + #""filter":{"sel":{"described":{"descriptor":{"ulong":77567109365764},"value":"color = 'red'"}}},"#
        + #""default-outcome":{"released":{}},"outcomes":["amqp:accepted:list"]},"target":{"address":"/queues/q"},"#
        + #""properties":{"k":{"described":{"descriptor":{"symbol":"urn:x"},"value":{"symbol":"s"}}}}}}"#)
  }

  @Test func dispositionWithItsLatency() {
    let modified = Value.described(descriptor: .symbol("amqp:modified:list"), value: .list([.boolean(true)]))
    let octets = Frames().frame(Code.disposition, [.boolean(true), .uint(7), .null, .boolean(true), modified])
    var context = FrameContext()
    context.latency = 50_000...900_000
    context.answered = 2
    #expect(
      show(octets, context)
        == #"{"least-latency":0.05,"latency":0.9,"since":"transfer","answered":2,"channel":3,"frame":"disposition","fields":{"role":true,"first":7,"#
        + #""settled":true,"state":{"modified":{"descriptor":"amqp:modified:list","delivery-failed":true}}}}"#)
  }

  @Test func transactionsAndErrors() {
    let state = Value.described(
      descriptor: .ulong(Code.transactionalState),
      value: .list([.binary([1]), .described(descriptor: .ulong(Code.accepted), value: .list([]))]))
    #expect(
      show(Frames().frame(Code.disposition, [.boolean(false), .uint(0), .null, .null, state])).contains(
        #""state":{"transactional-state":{"txn-id":{"binary":"AQ=="},"outcome":{"accepted":{}}}}"#))
    let error = Value.described(descriptor: .ulong(Code.error), value: .list([.symbol("amqp:x"), .string("why")]))
    #expect(
      show(Frames().frame(Code.close, [error]))
        == #"{"channel":3,"frame":"close","fields":{"error":{"condition":"amqp:x","description":"why"}}}"#)
    let coordinator = Value.described(
      descriptor: .ulong(Code.coordinator), value: .list([.symbol("amqp:local-transactions")]))
    #expect(
      show(Frames().frame(Code.attach, [.string("t"), .uint(0), .boolean(false), .null, .null, .null, coordinator]))
        .contains(#""target":{"coordinator":{"capabilities":"amqp:local-transactions"}}"#))
  }

  @Test func partsAndJoinedMessages() {
    let fields: [Value] = [.uint(0), .uint(1), .binary([1]), .null, .null, .boolean(true)]
    let octets = Frames().frame(Code.transfer, fields, payload: [1, 2, 3])
    var context = FrameContext()
    context.part = .middle
    #expect(
      show(octets, context)
        == #"{"part":"middle","channel":3,"frame":"transfer","fields":{"handle":0,"delivery-id":1,"delivery-tag":"AQ==","#
        + #""more":true},"payload":"AQID"}"#)
    var (d, whole, q) = (Dissector(), Dissector(), ByteQueue())
    let message = hex("005377a10568656c6c6f")
    _ = d.frame(octets.span, at: 0, payload: .opaque)
    whole.message(message.span, in: 0..<message.count)
    context.part = .last
    FrameJSON.append(d, octets.span, context, whole: whole, message.span, to: &q)
    #expect(q.text.hasSuffix(#""payload":"AQID","message":{"body":{"value":"hello"}}}"#))
  }

  @Test func smallFrames() {
    #expect(show(hex("0000000802000005")) == #"{"channel":5,"frame":"empty"}"#)
    #expect(
      show(hex("0000001003000000aabbccdd00531845"))
        == #"{"channel":0,"extended-header":"aabbccdd","frame":"close","fields":{}}"#)
    var q = ByteQueue()
    FrameJSON.append(octets: hex("414d515003010000").span, .header(.sasl10), to: &q)
    #expect(q.text == #"{"frame":"protocol-header","protocol":"AMQP 1.0 (SASL)","octets":"414d515003010000"}"#)
    q.removeAll()
    let cut = hex("00000010020000000053")
    FrameJSON.append(octets: cut.span, .truncated, problem: Dissector.truncation(cut.span, at: 0), to: &q)
    #expect(
      q.text
        == #"{"frame":"truncated","octets":"00000010020000000053","problems":[{"severity":"malformed","offset":0,"#
        + #""expected":"size <= 10 available","got":"16 (frame truncated)","section":"part 2 §2.3.1"}]}"#)
  }

  /// A name or a type that is not the field's must not look as if it were.
  @Test func whatIsWrongIsTold() {
    #expect(
      show(hex("0000001002000000005310c003015205"))
        == #"{"channel":0,"frame":"open","fields":{"container-id":{"uint":5}},"problems":[{"severity":"malformed","#
        + #""offset":14,"path":"open.container-id","expected":"open.container-id: string","got":"format 0x52","#
        + #""section":"part 1 §1.4"}]}"#)
    #expect(
      show(hex("0000001202000000005311c0050940434343"))
        == #"{"channel":0,"frame":"begin","rest":"0940434343","problems":[{"severity":"malformed","offset":13,"#
        + #""path":"begin","expected":"count <= 4 remaining octets","got":"9","section":"part 1 §1.6.22"}]}"#)
    #expect(show(hex("0000001202000000005310c00501a102fffe")).contains(#""container-id":{"octets":"fffe"}"#))
    #expect(
      show(hex("0000001002000000005318c003024040")).hasPrefix(#"{"channel":0,"frame":"close","fields":{},"problems":"#))
    #expect(
      show(hex("0000001002000000005318c003024041")).contains(#""fields":{"other-fields":[true]}"#))
    #expect(show(hex("0000000c0200000000531945")).hasPrefix(#"{"channel":0,"frame":"0x19","#))
  }

  /// Rows and tags share the place in front of a value, so no row may be called like a type.
  @Test func noRowIsCalledLikeAType() {
    let types = Primitive.allCases.map(\.name) + ["described", "octets"]
    for spec in CompositeSpec.all { #expect(!types.contains(spec.name)) }
    for spec in CompositeSpec.all {
      #expect(spec.fields?.contains { ["descriptor", "other-fields"].contains($0.name) } != true)
    }
  }

  @Test func secretsAreMasked() {
    let initial = Frames().frame(
      Code.saslInit, [.symbol("PLAIN"), .binary(Array("\0guest\0s3cret".utf8)), .string("h")], sasl: true)
    #expect(
      show(initial)
        == #"{"channel":3,"frame":"sasl-init","fields":{"mechanism":"PLAIN","#
        + #""initial-response":{"user":"guest","password":"***"},"hostname":"h"}}"#)
    #expect(show(initial, showSecrets: true).contains(#""initial-response":"AGd1ZXN0AHMzY3JldA==""#))
    var draft = MessageDraft()
    draft.applicationProperties = [.init(.string("operation"), .string("put-token"))]
    draft.body = [.value(.string("s3cret"))]
    var q = ByteQueue()
    draft.encode(into: &q)
    let token = Frames().frame(Code.transfer, [.uint(0)], payload: q.bytes)
    #expect(show(token).contains(#""body":{"value":"***"}"#))
    let masked = wire(initial, showSecrets: false)
    #expect(masked.contains(#""type":"binary","masked":13"#) && !masked.contains("czNjcmV0"))
    #expect(throws: Never.self) {
      let (line, octets) = try read(masked)
      #expect(line.masked == 13 && octets.count == initial.count)
      #expect(octets.count { $0 == UInt8(ascii: "*") } == 13)
    }
  }

  // MARK: Wire

  @Test func wireOfATransfer() throws {
    #expect(
      wire(Frames.hello)
        == #"{"size":31,"doff":2,"type":0,"channel":0,"frame":"transfer","items":["#
        + #"{"offset":8,"format":"0x00","type":"described","items":["#
        + #"{"offset":9,"format":"0x53","type":"ulong","value":20},"#
        + #"{"offset":11,"format":"0xc0","type":"list","size":8,"count":5,"items":["#
        + #"{"name":"handle","offset":14,"format":"0x43","type":"uint"},"#
        + #"{"name":"delivery-id","offset":15,"format":"0x43","type":"uint"},"#
        + #"{"name":"delivery-tag","offset":16,"format":"0xa0","type":"binary","value":"AA=="},"#
        + #"{"name":"message-format","offset":19,"format":"0x43","type":"uint"},"#
        + #"{"name":"settled","offset":20,"format":"0x41","type":"boolean"}]}]},"#
        + #"{"offset":21,"format":"0x00","type":"described","items":["#
        + #"{"offset":22,"format":"0x53","type":"ulong","value":119},"#
        + #"{"offset":24,"format":"0xa1","type":"string","value":"hello"}]}]}"#)
  }

  @Test(arguments: FrameVector.all) func everyVectorComesBack(_ vector: FrameVector) throws {
    if vector.verdict == .incomplete { return }
    let line = wire(vector.bytes)
    #expect(try read(line).octets == vector.bytes, "\(line)")
    // The lossless form is a document too: no name twice, nothing left open.
    try isDocument(show(vector.bytes))
  }

  @Test func everyValueComesBack() throws {
    var random = RandomValue(seed: 12)
    for _ in 0..<400 {
      let octets = Frames().frame(Code.open, [.string("c"), random.value(depth: 6), random.value()])
      #expect(try read(wire(octets)).octets == octets)
      try isDocument(show(octets))
    }
  }

  /// Whatever a fault hides is in the line all the same, once and in its place.
  @Test func spoiltFramesComeBack() throws {
    var (random, values) = (FixedRandom(seed: 7), RandomValue(seed: 8))
    for _ in 0..<3000 {
      var q = ByteQueue()
      q.append(.described(descriptor: .ulong(UInt64.random(in: 0x70...0x78, using: &random)), value: values.value()))
      var octets = Frames().frame(Code.transfer, [.uint(0), .uint(1)], payload: q.bytes)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        octets[Int.random(in: 4..<octets.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
      }
      let line = wire(octets)
      #expect(throws: Never.self, "\(line)") { try read(line) }
      #expect(try read(line).octets == octets, "\(line)")
      try isDocument(show(octets))
    }
  }

  @Test func deepestComesBack() throws {
    var value = Value.ulong(1)
    for _ in 0..<30 { value = .described(descriptor: .symbol("d"), value: .list([value])) }
    let octets = Frames().frame(Code.open, [.string("c"), value])
    #expect(try read(wire(octets)).octets == octets)
  }

  @Test func octetsThatAreNoFrameComeBack() throws {
    var q = ByteQueue()
    var context = FrameContext()
    context.time = 1_700_000_000_000_000_001
    context.connection = 4
    context.direction = .serverToClient
    FrameJSON.append(octets: [1, 2, 255].span, .skipped, context, to: &q)
    let (line, octets) = try read(q.text)
    #expect(octets == [1, 2, 255])
    #expect(line == .init(time: 1_700_000_000_000_000_001, connection: 4, direction: .serverToClient))
  }

  @Test func takenOutSizesAreComputed() throws {
    let line = wire(Frames.hello).replacing(#""size":31,"#, with: "").replacing(#""size":8,"#, with: "")
      .replacing(#""value":"hello""#, with: #""value":"hello, you""#)
    let expected = hex("00000024") + Frames.hello[4..<25] + hex("0a") + Array("hello, you".utf8)
    #expect(try read(line).octets == expected)
  }

  static let faults: [(String, String)] = [
    ("[]", "expected an object for a frame, got an array"),
    ("{", "expected a member name in quotes at character 2"),
    (
      #"{"frame":"open"}"#,
      #"expected "items" or "octets": only lines that were made with --wire say what the octets were"#
    ),
    (#"{"octets":"123"}"#, "octets: expected hexadecimal digits, two an octet"),
    (#"{"items":[{}]}"#, #"an item needs its "format" or "octets""#),
    (#"{"items":[{"format":"0x3f"}]}"#, "described: no such format code"),
    (#"{"items":[{"format":"0x53","name":"n"}]}"#, #"n: expected its "value""#),
    (#"{"items":[{"format":"0x53","offset":3,"value":256}]}"#, "at 3: the value does not fit smallulong"),
    (
      #"{"items":[{"format":"0xc0","items":[],"size":1,"count":256}]}"#, "list8: count: expected a number from 0 to 255"
    ),
    (#"{"items":[{"format":"0xa0","masked":4000000000}]}"#, "vbin8: masked: too many octets"),
    (#"{"doff":2,"type":0,"channel":70000,"items":[]}"#, "channel: expected a number from 0 to 65535"),
  ]
  @Test(arguments: faults) func faultsAreNamed(_ text: String, _ reason: String) {
    #expect(throws: TextFault(reason)) { try read(text) }
  }
}
