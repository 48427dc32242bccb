import Bytes
import Foundation
import Support
import Testing
import Wire

@testable import Render

@Suite struct ValueJSONTests {
  static let forms: [(Value, String)] = [
    (.null, "null"), (.boolean(true), "true"), (.boolean(false), "false"),
    (.ubyte(255), #"{"ubyte":255}"#), (.ushort(65535), #"{"ushort":65535}"#),
    (.uint(0), #"{"uint":0}"#), (.uint(.max), #"{"uint":4294967295}"#),
    (.ulong(0), #"{"ulong":0}"#), (.ulong(1 << 53), #"{"ulong":9007199254740992}"#),
    (.ulong(.max), #"{"ulong":"18446744073709551615"}"#),
    (.byte(-128), #"{"byte":-128}"#), (.short(-1), #"{"short":-1}"#), (.int(5), #"{"int":5}"#),
    (.int(.min), #"{"int":-2147483648}"#), (.long(-5), #"{"long":-5}"#),
    (.long(.min), #"{"long":"-9223372036854775808"}"#),
    (.float(Float(0.1).bitPattern), #"{"float":0.1}"#), (.float(0x7fc0_0000), #"{"float":"NaN"}"#),
    (.float(0x7f80_0001), #"{"float":"0x7f800001"}"#), (.float(0xff80_0000), #"{"float":"-Infinity"}"#),
    (.double((-0.0).bitPattern), #"{"double":-0.0}"#), (.double((1e300).bitPattern), #"{"double":1e+300}"#),
    (.double(0x7ff0_0000_0000_0000), #"{"double":"Infinity"}"#), (.double(0x7ff8_0000_0000_0000), #"{"double":"NaN"}"#),
    (.double(0xfff8_0000_0000_0000), #"{"double":"0xfff8000000000000"}"#),
    (.decimal32(0x3200_006e), #"{"decimal32":"3200006e"}"#),
    (.decimal64(0x3180_0000_0000_006e), #"{"decimal64":"318000000000006e"}"#),
    (.decimal128(1), #"{"decimal128":"00000000000000000000000000000001"}"#),
    (.char("é"), #"{"char":"é"}"#), (.char("\u{0}"), #"{"char":"\u0000"}"#),
    (.timestamp(1_234_567_890_123), #"{"timestamp":1234567890123}"#), (.timestamp(-1), #"{"timestamp":-1}"#),
    (
      .uuid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef), #"{"uuid":"01234567-89ab-cdef-0123-456789abcdef"}"#
    ),
    (.binary([0, 1, 255]), #"{"binary":"AAH/"}"#), (.binary([]), #"{"binary":""}"#),
    (.string("a\"\\\n\u{1}é"), #""a\"\\\n\u0001é""#), (.symbol("x"), #"{"symbol":"x"}"#),
    (.list([]), "[]"), (.list([.null, .int(1)]), #"[null,{"int":1}]"#),
    (.map([]), #"{"map":[]}"#), (.map([.init(.ulong(1), .string("v"))]), #"{"map":[[{"ulong":1},"v"]]}"#),
    (
      .described(descriptor: .symbol("d"), value: .list([.boolean(true)])),
      #"{"described":{"descriptor":{"symbol":"d"},"value":[true]}}"#
    ),
    (.array(ArrayValue(.int, [.int(1), .int(300)])), #"{"array":{"type":"int","items":[1,300]}}"#),
    (.array(ArrayValue(.symbol, [])), #"{"array":{"type":"symbol","items":[]}}"#),
    (.described(descriptor: Value.longstr091, value: .binary([255])), #"{"longstr":"/w=="}"#),
    (Decimal091("-3.14")!.value, #"{"decimal":"-3.14"}"#), (Decimal091("0.00")!.value, #"{"decimal":"0.00"}"#),
    (Decimal091(scale: 0, digits: .min).value, #"{"decimal":"-2147483648"}"#),
    (
      .described(descriptor: Value.longstr091, value: .string("s")),
      #"{"described":{"descriptor":{"symbol":"amqp-0-9-1:longstr"},"value":"s"}}"#
    ),
    (
      .array(ArrayValue(.uint, [.uint(1)], descriptors: [.ulong(2), .symbol("s")])),
      #"{"array":{"type":"uint","descriptors":[{"ulong":2},{"symbol":"s"}],"items":[1]}}"#
    ),
    (
      .array(ArrayValue(.boolean, [], repeated: .init(constructor: 0x41, count: 5))),
      #"{"array":{"type":"boolean","value":true,"count":5}}"#
    ),
    (
      .array(ArrayValue(.null, [], repeated: .init(constructor: 0x40, count: 0))),
      #"{"array":{"type":"null","value":null,"count":0}}"#
    ),
    (
      .array(ArrayValue(.array, [.array(ArrayValue(.ubyte, [.ubyte(7)]))])),
      #"{"array":{"type":"array","items":[{"type":"ubyte","items":[7]}]}}"#
    ),
    (
      .array(ArrayValue(.map, [.map([.init(.symbol("k"), .null)])])),
      #"{"array":{"type":"map","items":[[[{"symbol":"k"},null]]]}}"#
    ),
  ]

  @Test(arguments: forms.indices) func everyTypeBothWays(_ i: Int) throws {
    let (value, text) = Self.forms[i]
    #expect(valueJSON(value) == text)
    #expect(try Value(json: json(text)) == value)
  }

  @Test func plainForms() {
    #expect(valueJSON(.decimal64(0x3180_0000_0000_006e), plain: true) == "1.10")
    #expect(valueJSON(.ulong(.max), plain: true) == "18446744073709551615")
    #expect(valueJSON(.double(0x7ff8_0000_0000_0000), plain: true) == "null")
    #expect(
      valueJSON(.map([.init(.ulong(1), .symbol("v")), .init(.symbol("k"), .null)]), plain: true)
        == #"{"1":"v","k":null}"#)
    let threeTrue = Value.array(ArrayValue(.boolean, [], repeated: .init(constructor: 0x41, count: 3)))
    #expect(valueJSON(threeTrue, plain: true) == "[true,true,true]")
    #expect(valueJSON(.described(descriptor: .ulong(1), value: .int(5)), plain: true) == "5")
    #expect(valueJSON(Decimal091("1.50")!.value, plain: true) == "1.50")
  }

  @Test func numbersWithoutTag() throws {
    #expect(try Value(json: json("5")) == .long(5))
    #expect(try Value(json: json("-9223372036854775808")) == .long(.min))
    #expect(try Value(json: json("1.0")) == .double((1.0).bitPattern))
    #expect(try Value(json: json("1e2")) == .double((100.0).bitPattern))
    #expect(try Value(json: json("-0")) == .double((-0.0).bitPattern))
  }

  static let refused: [(String, String)] = [
    ("9223372036854775808", "9223372036854775808 does not fit a long"), ("1e999", "1e999 does not fit a double"),
    (#"{"a":1,"b":2}"#, "expected one type tag"), ("{}", "expected one type tag"), (#"{"foo":1}"#, "no type 'foo'"),
    (#"{"ubyte":256}"#, "ubyte: expected a ubyte (0 to 255), got '256'"), (#"{"int":1.5}"#, "int: expected an int"),
    (#"{"symbol":"é"}"#, "symbol: expected a symbol (ASCII)"), (#"{"char":"ab"}"#, "char: expected one character"),
    (#"{"binary":"!"}"#, "binary: expected base64"), (#"{"decimal64":"1.5"}"#, "decimal64: expected the bits as 16"),
    (#"{"map":[[1]]}"#, "map: expected [[K,V],…]"),
    (#"{"array":{"type":"int","items":["a"]}}"#, "array: expected an int"),
    (#"{"array":{"type":"int","value":1,"count":2}}"#, "array: only null"),
    (#"{"array":{"type":"null","value":null,"count":4294967295}}"#, "array: expected \"value\""),
    (#"{"longstr":1}"#, "longstr: expected a string"), (#"{"decimal":"1."}"#, "decimal: expected digits"),
    (#"{"decimal":"3000000000"}"#, "decimal: expected digits"),
    (#"{"described":{"value":1}}"#, "described: expected"), (#"{"double":"nan"}"#, "double: expected a number"),
    (#"{"uuid":"0123"}"#, "uuid: expected a uuid"),
    (#"{"timestamp":true}"#, "timestamp: expected a number, got a boolean"),
  ]
  @Test(arguments: refused.indices) func refusals(_ i: Int) throws {
    let (text, reason) = Self.refused[i]
    let document = try json(text)
    let fault = #expect(throws: TextFault.self) { try Value(json: document) }
    #expect(fault?.reason.hasPrefix(reason) == true, "\(fault?.reason ?? "")")
  }

  @Test func randomValuesComeBack() throws {
    var random = Random(state: 1)
    for _ in 0..<5000 {
      let value = random.value()
      let text = valueJSON(value)
      let back = try Value(json: json(text))
      #expect(back == value, "\(text)")
      #expect(encoded(back) == encoded(value))
    }
  }
}

@Suite struct MessageJSONTests {
  @Test func wholeMessage() throws {
    var d = MessageDraft()
    try d.set("durable", text: "true")
    try d.set("priority", text: "7")
    try d.set("message-id", .ulong(7))
    try d.set("user-id", text: "guest")
    try d.set("creation-time", text: "2026-11-21T04:05:06.789Z")
    d.messageAnnotations = [.init(.symbol("x-opt"), .int(1))]
    d.applicationProperties = [.init(.string("k"), .string("v"))]
    d.body = [.data(Array("hello".utf8))]
    var context = MessageContext()
    context.address = "q\""
    context.number = 3
    context.tag = [1]
    context.arrival = 5
    let line =
      #"{"address":"q\"","header":{"durable":true,"priority":7},"message-annotations":{"x-opt":{"int":1}},"#
      + #""properties":{"message-id":{"ulong":7},"user-id":"guest","creation-time":1795233906789},"#
      + #""application-properties":{"k":"v"},"body":{"text":"hello"},"#
      + #""delivery":{"number":3,"tag":"AQ==","redelivered":false,"time":5}}"#
    #expect(messageJSON(d, .lossless, context) == line)
    var back = try MessageDraft(jsonLine: Array(line.utf8).span)
    #expect(back.address == "q\"")
    back.address = nil
    #expect(back == d)
  }

  static let bodies: [(String, [MessageDraft.BodySection])] = [
    (#"{"text":""}"#, [.data([])]), (#"{"data":"/w=="}"#, [.data([255])]),
    (#"{"data":["YQ==","Yg=="]}"#, [.data([97]), .data([98])]), (#"{"value":null}"#, [.value(.null)]),
    (#"{"value":{"map":[["a",{"int":1}]]}}"#, [.value(.map([.init(.string("a"), .int(1))]))]),
    (#"{"sequence":[["x"],true]}"#, [.sequence([.list([.string("x")]), .boolean(true)])]),
    (#"{"sequences":[[],["x"]]}"#, [.sequence([]), .sequence([.string("x")])]),
    (#"{"sections":[{"value":"a"},{"value":"b"}]}"#, [.value(.string("a")), .value(.string("b"))]),
    (#"{"sections":[{"text":"a"},{"sequence":[]}]}"#, [.data([97]), .sequence([])]),
  ]
  @Test(arguments: bodies.indices) func bodyForms(_ i: Int) throws {
    let (text, sections) = Self.bodies[i]
    var d = MessageDraft()
    d.body = sections
    #expect(messageJSON(d) == #"{"body":\#(text)}"#)
    #expect(try MessageDraft(json: json(#"{"body":\#(text)}"#)).body == sections)
  }

  @Test func mapsThatAreNoObjects() throws {
    let maps: [[MapEntry]] = [
      [.init(.symbol("map"), .list([]))], [.init(.ulong(1), .null)], [.init(.string("s"), .null)],
      [.init(.symbol("a"), .int(1)), .init(.symbol("a"), .int(2))],
    ]
    for map in maps {
      var d = MessageDraft()
      d.messageAnnotations = map
      d.body = [.data([])]
      let text = messageJSON(d)
      #expect(text.hasPrefix(#"{"message-annotations":{"map":[["#))
      #expect(try MessageDraft(json: json(text)) == d)
    }
  }

  @Test func aSecondAndAnUnknownSectionAreKept() throws {
    var d = MessageDraft()
    d.header = [.boolean(true)]
    d.body = [.data([])]
    d.others = [
      .described(descriptor: .ulong(0x70), value: .list([])), .described(descriptor: .symbol("x"), value: .int(1)),
    ]
    let text = messageJSON(d)
    #expect(
      text
        == #"{"header":{"durable":true},"body":{"text":""},"other-sections":[{"described":{"descriptor":{"ulong":112},"#
        + #""value":[]}},{"described":{"descriptor":{"symbol":"x"},"value":{"int":1}}}]}"#)
    #expect(try MessageDraft(json: json(text)) == d)
  }

  /// What came over 0-9-1, out and in again; over 1.0 the same annotations are annotations.
  @Test(arguments: [true, false]) func whatIsBasic(_ isBasic: Bool) throws {
    var d = MessageDraft()
    d.messageAnnotations = [
      .init(.symbol("x-exchange"), .string("")), .init(.symbol("x-routing-key"), .string("q")),
      .init(.symbol("x-basic-type"), .string("t")), .init(.symbol("x-basic-app-id"), .binary([255])),
      .init(.symbol("x-basic-delivery-mode"), .ubyte(0)),
    ]
    d.body = [.data([])]
    var context = MessageContext()
    context.isBasic = isBasic
    let line = messageJSON(d, .lossless, context)
    if isBasic {
      #expect(
        line == #"{"body":{"text":""},"basic":{"exchange":"","routing-key":"q","type":"t","#
          + #""app-id":{"binary":"/w=="},"delivery-mode":{"ubyte":0}}}"#)
    } else {
      #expect(line.hasPrefix(#"{"message-annotations":{"x-exchange":"","#))
    }
    #expect(try MessageDraft(jsonLine: Array(line.utf8).span) == d)
  }

  @Test func basicByHand() throws {
    let line = #"{"basic":{"type":"t","delivery-mode":2},"message-annotations":{"a":1},"body":"b"}"#
    #expect(
      try MessageDraft(jsonLine: Array(line.utf8).span).messageAnnotations == [
        .init(.symbol("a"), .long(1)), .init(.symbol("x-basic-type"), .string("t")),
        .init(.symbol("x-basic-delivery-mode"), .ubyte(2)),
      ])
  }

  @Test func noBodyIsSentAsEmptyData() {
    var q = ByteQueue()
    MessageDraft().encode(into: &q)
    #expect(q.bytes == [0x00, 0x53, 0x75, 0xa0, 0x00])
    #expect(messageJSON([0x00, 0x53, 0x70, 0x45]) == #"{"header":{}}"#)
  }

  @Test func aBrokenMessageSaysSo() throws {
    let text = messageJSON([0x00, 0x53, 0x70, 0xc0, 0x02, 0x01, 0x41, 0x00, 0x53, 0x73, 0xc0, 0x09])
    #expect(
      text == #"{"header":{"durable":true},"other-sections":[{"described":{"descriptor":{"ulong":115},"value":null}}],"#
        + #""malformed":{"offset":11,"expected":"size <= 0","got":"9","section":"part 1 §1.6.22"}}"#)
    #expect(throws: TextFault.self) { try MessageDraft(json: json(text)) }
  }

  @Test func plainStyle() {
    var d = MessageDraft()
    d.header = [.null, .ubyte(4)]
    d.properties = [.uuid(1), .binary([0xff])]
    d.applicationProperties = [.init(.string("n"), .ulong(5))]
    d.body = [.data(Array("{ \"a b\" : [1,\n 2.50] }".utf8))]
    #expect(
      messageJSON(d, .plain)
        == #"{"header":{"priority":4},"properties":{"message-id":"00000000-0000-0000-0000-000000000001","user-id":"/w=="},"#
        + #""application-properties":{"n":5},"body":{"a b":[1,2.50]}}"#)
    d = MessageDraft()
    for (body, text) in [
      ([MessageDraft.BodySection.data(Array("hi".utf8))], "\"hi\""), ([.data([255])], "\"/w==\""),
      ([.data(Array("[1".utf8)), .data(Array(",2]".utf8))], "[1,2]"), ([.value(.int(5))], "5"),
      ([.sequence([.int(1)])], "[1]"), ([.sequence([.int(1)]), .sequence([])], "[[1],[]]"),
    ] {
      d.body = body
      #expect(messageJSON(d, .plain) == #"{"body":\#(text)}"#)
    }
  }

  static let refused: [(String, String)] = [
    ("[]", "expected a message object, got an array"), (#"{"propertes":{}}"#, "propertes: no such member"),
    (#"{"properties":{"foo":1}}"#, "properties.foo: no such field"),
    (#"{"properties":{"to":{"a":1,"b":2}}}"#, "properties.to: expected one type tag"),
    (#"{"header":{"priority":256}}"#, "header.priority: expected a ubyte (0 to 255), got '256'"),
    (#"{"header":{"durable":1}}"#, "header.durable: expected true or false, got a number"),
    (#"{"header":{"priority":{"int":1}}}"#, "header.priority: expected ubyte, got int"),
    (#"{"application-properties":{"a":{}}}"#, "application-properties.a: expected one type tag"),
    (#"{"message-annotations":{"é":1}}"#, "message-annotations.é: expected a symbol (ASCII)"),
    (#"{"body":5}"#, "body: expected a string or one of"), (#"{"body":{"data":"!"}}"#, "body.data: expected base64"),
    (#"{"body":{"json":1}}"#, "body.json: no such form"),
    (#"{"body":"a""#, "expected , or } in an object at character 12"),
    (#"{"address":1}"#, "address: expected a string, got a number"),
    (#"{"basic":{"kind":"x"}}"#, "basic.kind: no such field"), (#"{"basic":{"type":1}}"#, "basic.type: expected a str"),
  ]
  @Test(arguments: refused.indices) func refusals(_ i: Int) {
    let (text, reason) = Self.refused[i]
    let fault = #expect(throws: TextFault.self) { try MessageDraft(jsonLine: Array(text.utf8).span) }
    #expect(fault?.reason.hasPrefix(reason) == true, "\(fault?.reason ?? "")")
  }

  @Test func randomMessagesComeBackAndPythonReadsThem() throws {
    var random = Random(state: 2)
    var lines: [String] = []
    for _ in 0..<3000 {
      let draft = random.draft()
      let line = messageJSON(draft)
      lines.append(line)
      lines.append(messageJSON(draft, .plain))
      let back = try MessageDraft(jsonLine: Array(line.utf8).span)
      #expect(messageJSON(back) == line)
      var (first, second) = (ByteQueue(), ByteQueue())
      draft.encode(into: &first)
      back.encode(into: &second)
      #expect(first.bytes == second.bytes, "\(line)")
    }
    #expect(lines.allSatisfy { !$0.contains("\n") })
    try python(
      """
      import sys, json
      def pairs(p):
        names = [k for k, _ in p]
        assert len(names) == len(set(names)), names
        return dict(p)
      n = 0
      for i, line in enumerate(sys.stdin.buffer.read().decode().split('\\n')[:-1]):
        json.loads(line, object_pairs_hook=pairs if i % 2 == 0 else dict)
        n += 1
      assert n == \(lines.count), n
      """, input: lines.joined(separator: "\n") + "\n")
  }
}

/// Runs a Python program; does nothing where there is no Python.
func python(_ program: String, input: String) throws {
  guard FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") else { return }
  let file = FileManager.default.temporaryDirectory.appendingPathComponent("render-\(UUID().uuidString)")
  try input.write(to: file, atomically: true, encoding: .utf8)
  defer { try? FileManager.default.removeItem(at: file) }
  let run = try ProcessOutput("/usr/bin/python3", ["-c", program], input: file.path)
  #expect(run.status == 0, "\(run.text)")
}
