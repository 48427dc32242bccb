/// Frames of 0-9-1 as line, tree and hex.
import Bytes
import Support
import Testing
import Wire

@testable import Render

@Suite struct MethodFrameTests {
  private func show(_ form: FrameTests.Form, _ octets: [UInt8], showSecrets: Bool = false) -> String {
    var d = Dissector()
    _ = d.frame091(octets.span, at: 0)
    var q = ByteQueue()
    switch form {
    case .line: FrameLine.append(d, octets.span, showSecrets: showSecrets, to: &q)
    case .tree: FrameTree.append(d, octets.span, showSecrets: showSecrets, to: &q)
    case .hex: FrameHex.append(d, octets.span, showSecrets: showSecrets, to: &q)
    }
    return q.text
  }

  private func method(_ channel: UInt16, _ id: UInt32, _ fields: KeyValuePairs<String, Value>) throws -> [UInt8] {
    var q = ByteQueue()
    try q.appendMethod(channel: channel, MethodRecord(id, fields))
    return q.bytes
  }

  private func header(_ bodySize: UInt64, _ values: [BasicProperties.Index: Value]) throws -> [UInt8] {
    var properties = BasicProperties()
    for (i, value) in values { properties[i] = value }
    var flags = ByteQueue()
    try flags.append(properties)
    var q = ByteQueue()
    let octets = flags.bytes
    q.appendContentHeader(channel: 1, bodySize: bodySize, properties: octets.span)
    return q.bytes
  }

  private func publish() throws -> [UInt8] {
    try method(
      1, MethodID.basicPublish,
      ["exchange": .string("logs"), "routing-key": .string("a.b"), "mandatory": .boolean(true)])
  }

  private func content() throws -> [UInt8] {
    try header(
      5,
      [
        .contentType: .string("text/plain"),
        .headers: .map([
          MapEntry(.string("n"), .int(-7)),
          MapEntry(.string("s"), .string("7")),
          MapEntry(.string("t"), .map([MapEntry(.string("a b"), .list([.null, .boolean(true)]))])),
        ]),
        .deliveryMode: .ubyte(2), .timestamp: .timestamp(1_700_000_000_000),
      ])
  }

  @Test func lines() throws {
    #expect(show(.line, try publish()) == "ch=1 basic.publish exchange=logs routing-key=a.b mandatory")
    #expect(
      show(.line, try content())
        == "ch=1 content header basic body-size=5 content-type=text/plain headers={n=-7 s=\"7\" t={\"a b\"=[null true]}}"
        + " delivery-mode=2 timestamp=2023-11-14T22:13:20.000Z")
    #expect(show(.line, hex("0300010000000568656c6c6fce")) == "ch=1 body \"hello\" 5 octets")
    #expect(show(.line, hex("03000100000000ce")) == "ch=1 body 0 octets")
    #expect(show(.line, hex("08000000000000ce")) == "heartbeat")
    #expect(
      show(.line, hex("08000100000000ce"))
        == "ch=1 heartbeat  warning at 0x01: expected channel 0, got channel 1 (0-9-1 §4.2.7)")
    #expect(
      show(.line, try method(1, MethodID.queueDeclare, ["exclusive": .boolean(true)]))
        == "ch=1 queue.declare queue=\"\" exclusive")
    #expect(show(.line, try method(2, MethodID.channelOpenOK, [:])) == "ch=2 channel.open-ok")
    #expect(
      show(
        .line,
        try header(
          0,
          [
            .headers: .map([
              MapEntry(
                .string("d"),
                .described(
                  descriptor: Value.decimal091, value: .list([.ubyte(2), .int(-343)])))
            ])
          ]))
        == "ch=1 content header basic body-size=0 headers={d=-3.43}")
  }

  @Test func trees() throws {
    #expect(
      show(.tree, try publish()) == """
        frame type=method ch=1 size=16
          basic.publish
            reserved-1: short 0
            exchange: shortstr "logs"
            routing-key: shortstr "a.b"
            mandatory: bit true
            immediate: bit false

        """)
    #expect(
      show(.tree, try content()) == """
        frame type=header ch=1 size=72
          content header basic
            class-id: short 60
            weight: short 0
            body-size: longlong 5
            property-flags: short 45120
            content-type: shortstr "text/plain"
            headers: table, 3 entries
              "n": int -7
              "s": longstr "7"
              "t": table, 1 entry
                "a b": array, 2 items
                  [0]: null
                  [1]: boolean true
            delivery-mode: octet 2
            timestamp: timestamp 2023-11-14T22:13:20.000Z

        """)
    #expect(
      show(.tree, hex("0300010000000568656c6c6fce")) == "frame type=body ch=1 size=5\n  body \"hello\" 5 octets\n")
  }

  @Test func hexes() throws {
    #expect(
      show(.hex, try publish()) == """
        0000  01 00 01 00 00 00 10        frame type=method ch=1 size=16
        0007  00 3c 00 28                 basic.publish
        000b    00 00                     reserved-1 = short 0
        000d    04 6c 6f 67 73            exchange = shortstr "logs"
        0012    03 61 2e 62               routing-key = shortstr "a.b"
        0016    01                        mandatory = true, immediate = false
        0017  ce                          frame-end

        """)
    let properties = try header(1, [.headers: .map([MapEntry(.string("k"), .list([.null]))])])
    #expect(
      show(.hex, properties) == """
        0000  02 00 01 00 00 00 1a        frame type=header ch=1 size=26
        0007    00 3c                     class-id = short 60
        0009    00 00                     weight = short 0
        000b    00 00 00 00 00 00 00 01   body-size = longlong 1
        0013    20 00                     property-flags = short 8192
        0015    00 00 00 08               headers = table size=8
        0019      01 6b                   key "k"
        001b      41 00 00 00 01          array size=1
        0020        56                    null
        0021  ce                          frame-end

        """)
  }

  /// Every octet of a frame stands once in its hex, in order, whatever is wrong with it; and there are words for it.
  @Test(arguments: FrameVector.all091.filter { $0.verdict != .incomplete && !$0.bytes.isEmpty })
  func everyOctetOnce(_ vector: FrameVector) {
    var d = Dissector()
    guard case .frame = d.frame091(vector.bytes.span, at: 0) else { return }
    var shown: [UInt8] = []
    for line in show(.hex, vector.bytes, showSecrets: true).split(separator: "\n") where !line.contains("! ") {
      // Offset, two spaces, indent, then pairs of digits up to the annotation.
      var pairs = line.dropFirst(6).drop { $0 == " " }
      while let octet = UInt8(pairs.prefix(2), radix: 16) {
        shown.append(octet)
        pairs = pairs.dropFirst(2)
        if pairs.isEmpty || pairs.hasPrefix("  ") { break }
        pairs = pairs.dropFirst()
      }
    }
    #expect(hexText(shown) == hexText(vector.bytes), "\(show(.hex, vector.bytes))")
    let line = show(.line, vector.bytes)
    #expect(!line.isEmpty && !line.contains("\n") && !line.contains("   "), "\(line)")
    #expect(show(.tree, vector.bytes).hasSuffix("\n"))
    for problem in d.problems {
      #expect(line.contains(problem.text), "\(line)")
      #expect(show(.tree, vector.bytes).contains(problem.text))
      #expect(show(.hex, vector.bytes).contains(problem.text))
    }
  }

  @Test func problemsHavePaths() {
    func line(_ name: String) -> String { show(.line, FrameVector.all091.first { $0.name == name }?.bytes ?? []) }
    #expect(line("letter q in an inner table, and on behind it").contains("headers={a={k=} b=null} user-id=x"))
    #expect(
      line("letter q in an inner table, and on behind it").contains(
        "malformed at 0x22 in content header.headers[a][k]: expected a field table letter"))
    #expect(
      line("boolean 2").contains("warning at 0x1c in content header.headers[k]: expected boolean octet 0 or 1, got 2"))
    #expect(line("array ends in a number").contains("in content header.headers[k][0]: expected 8 octet(s) of long"))
    #expect(line("ack truncated").contains("malformed at 0x0b in basic.ack: expected 8 octet(s) of longlong"))
  }

  // MARK: Secrets

  private static func secrets() throws -> [[UInt8]] {
    func frame(_ id: UInt32, _ fields: KeyValuePairs<String, Value>) throws -> [UInt8] {
      var q = ByteQueue()
      try q.appendMethod(channel: 0, MethodRecord(id, fields))
      return q.bytes
    }
    return [
      try frame(
        MethodID.connectionStartOK, ["mechanism": .string("PLAIN"), "response": .string("\u{0}guest\u{0}s3cret")]),
      try frame(MethodID.connectionStartOK, ["mechanism": .string("AMQPLAIN"), "response": .string("s3cret")]),
      try frame(MethodID.connectionSecureOK, ["response": .string("s3cret")]),
      try frame(MethodID.connectionUpdateSecret, ["new-secret": .string("s3cret"), "reason": .string("why")]),
    ]
  }

  @Test func secretsAreMasked() throws {
    let secret = hexText([UInt8](utf8: "s3cret"))
    let spaced = [UInt8](utf8: "s3cret").map { String($0, radix: 16) }.joined(separator: " ")
    for frame in try MethodFrameTests.secrets() {
      for form in [FrameTests.Form.line, .tree, .hex] {
        let text = show(form, frame)
        #expect(text.contains("***"), "\(text)")
        #expect(!text.contains("s3cret") && !text.contains(secret) && !text.contains(spaced), "\(text)")
        #expect(show(form, frame, showSecrets: true).contains("s3cret"))
      }
      // Nor when the frame is cut so that the response can't be read.
      for n in 20..<frame.count - 1 {
        var q = ByteQueue(Array(frame[..<n]))
        q.patch32(at: 3, UInt32(n - Frame091.headSize))
        q.append(Frame091.endOctet)
        for form in [FrameTests.Form.line, .tree, .hex] {
          let text = show(form, q.bytes)
          #expect(!text.contains("s3cre") && !text.contains("s3 63 72 65") && !text.contains("33 63 72"), "\(text)")
        }
      }
    }
    #expect(show(.line, try MethodFrameTests.secrets()[0]).hasSuffix("response=(user=guest password=***) locale=\"\""))
    #expect(show(.line, try MethodFrameTests.secrets()[3]) == "ch=0 connection.update-secret new-secret=*** reason=why")
    let external = try method(0, MethodID.connectionStartOK, ["mechanism": .string("EXTERNAL")])
    #expect(!show(.line, external).contains("***"))
  }
}
