import Bytes
import Testing
import Wire

@testable import Render

/// The octets that hexadecimal text spells; spaces don't matter.
func hex(_ text: String) -> [UInt8] { bytesFromHex(Array(text.utf8.filter { $0 != 0x20 }).span)! }

@Suite struct FrameTests {
  enum Form { case line, tree, hex }

  func show(_ form: Form, _ octets: [UInt8], showSecrets: Bool = false, message: Bool = false) -> String {
    var d = Dissector()
    if message {
      d.message(octets.span, in: 0..<octets.count)
    } else {
      _ = d.frame(octets.span, at: 0, payload: .message)
    }
    var q = ByteQueue()
    switch form {
    case .line: FrameLine.append(d, octets.span, showSecrets: showSecrets, to: &q)
    case .tree: FrameTree.append(d, octets.span, showSecrets: showSecrets, to: &q)
    case .hex: FrameHex.append(d, octets.span, showSecrets: showSecrets, to: &q)
    }
    return q.text
  }

  /// A frame around a performative of these fields.
  func frame(_ code: UInt64, _ fields: [Value], sasl: Bool = false, payload: [UInt8] = []) -> [UInt8] {
    var q = ByteQueue()
    q.appendFrame(sasl ? .sasl : .amqp, channel: 3) { q in
      q.append(.described(descriptor: .ulong(code), value: .list(fields)))
      q.append(payload)
    }
    return q.bytes
  }

  static let hello = hex("0000001f02000000005314c008054343a001004341005377a10568656c6c6f")

  @Test func lineOfATransfer() {
    #expect(
      show(.line, Self.hello)
        == #"ch=0 @transfer handle=0 delivery-id=0 delivery-tag=0x00 message-format=0 settled=true value "hello""#)
  }

  @Test func hexOfATransfer() {
    #expect(
      show(.hex, Self.hello) == """
        0000  00 00 00 1f  02 00 00 00    frame size=31 doff=2 type=AMQP ch=0
        0008  00 53 14                    @transfer(0x14)
        000b    c0 08 05                  list8 size=8 count=5
        000e      43                      handle = uint0 0
        000f      43                      delivery-id = uint0 0
        0010      a0 01 00                delivery-tag = vbin8 "\\u0000"
        0013      43                      message-format = uint0 0
        0014      41                      settled = true
        0015  00 53 77                    @amqp-value(0x77)
        0018    a1 05 68 65 6c 6c 6f      str8 "hello"

        """)
  }

  @Test func treeOfATransfer() {
    #expect(
      show(.tree, Self.hello) == """
        frame size=31 doff=2 type=AMQP ch=0
          @transfer(0x14)
            handle: uint 0
            delivery-id: uint 0
            delivery-tag: binary 0x00
            message-format: uint 0
            settled: boolean true
          @amqp-value(0x77): string "hello"

        """)
  }

  func attach() -> [UInt8] {
    let source = Value.described(
      descriptor: .ulong(Code.source),
      value: .list([
        .string("my queue"), .uint(2), .null, .null, .null, .null, .symbol("copy"),
        .map([
          .init(
            .symbol("sel"),
            .described(descriptor: .ulong(0x0000_468c_0000_0004), value: .string("color = 'red'")))
        ]), .described(descriptor: .ulong(Code.released), value: .list([])), Value(symbols: ["amqp:accepted:list"]),
      ]))
    let target = Value.described(descriptor: .ulong(Code.target), value: .list([.string("/queues/q")]))
    let properties = Value.map([.init(.symbol("k"), .described(descriptor: .symbol("urn:x"), value: .symbol("s")))])
    return frame(
      Code.attach,
      [
        .string("l 1"), .uint(4), .boolean(true), .ubyte(1), .ubyte(1), source, target, .null, .null, .null, .null,
        .null, .null, properties,
      ])
  }

  @Test func lineAndTreeOfAnAttach() {
    #expect(
      show(.line, attach())
        == #"ch=3 @attach name="l 1" handle=4 role=receiver snd-settle-mode=settled rcv-settle-mode=second "#
        + #"source=@source(address="my queue" durable=unsettled-state distribution-mode=copy "#
        + #"filter={sel=@selector-filter("color = 'red'")} default-outcome=@released outcomes=[amqp:accepted:list]) "#
        + #"target=@target(address=/queues/q) properties={k=@urn:x(:s)}"#)
    let size = attach().count
    #expect(
      show(.tree, attach()) == """
        frame size=\(size) doff=2 type=AMQP ch=3
          @attach(0x12)
            name: string "l 1"
            handle: uint 4
            role: boolean true (receiver)
            snd-settle-mode: ubyte 1 (settled)
            rcv-settle-mode: ubyte 1 (second)
            source: @source(0x28)
              address: string "my queue"
              durable: uint 2 (unsettled-state)
              expiry-policy: null
              timeout: null
              dynamic: null
              dynamic-node-properties: null
              distribution-mode: symbol "copy"
              filter: map, 1 entry
                :sel: @selector-filter(0x468c00000004): string "color = 'red'"
              default-outcome: @released(0x26)
              outcomes: array of sym8, 1 item
                [0]: symbol "amqp:accepted:list"
            target: @target(0x29)
              address: string "/queues/q"
            unsettled: null
            incomplete-unsettled: null
            initial-delivery-count: null
            max-message-size: null
            offered-capabilities: null
            desired-capabilities: null
            properties: map, 1 entry
              :k: @urn:x: symbol "s"

        """)
  }

  @Test func messageOnALine() {
    var d = MessageDraft()
    d.header = [.boolean(true)]
    d.properties = [.ulong(7), .null, .string("a b"), .null, .null, .string("7")]
    d.applicationProperties = [
      .init(.string("n"), .decimal64(0x3180_0000_0000_006e)), .init(.string("s"), .string("x")),
      .init(.string("t"), .timestamp(0)),
      .init(.string("c"), .char("é")), .init(.string("f"), .float(Float(0.1).bitPattern)), .init(.string("z"), .null),
      .init(.string("a"), .array(ArrayValue(.null, [], repeated: .init(constructor: 0x40, count: 9)))),
    ]
    d.body = [.data(Array("é\u{1b}".utf8)), .data([255]), .data([UInt8](repeating: 0x61, count: 100))]
    var q = ByteQueue()
    d.encode(into: &q)
    #expect(
      show(.line, q.bytes, message: true)
        == #"header(durable=true) properties(message-id=7 to="a b" correlation-id="7") application-properties{n=1.10 s="x" "#
        + #"t=1970-01-01T00:00:00.000Z c="é" f=0.1 z=null a=9 x null}  "#
        + #"warning at 0x55 in application-properties: expected a value of a simple type, got array (part 3 §3.2.5) "é\u001b" 3 octets 0xff 1 octet "#
        + "\"" + String(repeating: "a", count: 72) + "\"… 100 octets")
  }

  @Test func smallFrames() {
    #expect(show(.line, hex("0000000802000005")) == "ch=5 empty frame")
    #expect(
      show(.hex, hex("0000000802000005")) == "0000  00 00 00 08  02 00 00 05    frame size=8 doff=2 type=AMQP ch=5\n")
    #expect(
      show(.hex, hex("0000001003000000aabbccdd00531845")) == """
        0000  00 00 00 10  03 00 00 00    frame size=16 doff=3 type=AMQP ch=0
        0008  aa bb cc dd                 extended header
        000c  00 53 18                    @close(0x18)
        000f    45                        list0

        """)
    var q = ByteQueue()
    FrameLine.append(.sasl10, to: &q)
    #expect(q.text == "protocol header AMQP 1.0 (SASL)")
  }

  @Test func partOfAMessage() {
    let octets = frame(
      Code.transfer, [.uint(0), .uint(1), .binary([1]), .null, .null, .boolean(true)], payload: [1, 2, 3])
    #expect(show(.line, octets) == "ch=3 @transfer handle=0 delivery-id=1 delivery-tag=0x01 more=true 3 octets")
    #expect(show(.hex, octets).hasSuffix("0017  01 02 03                    payload\n"))
  }

  @Test func arraysInHex() {
    let value = Value.array(ArrayValue(.uint, [.uint(1), .uint(300)], descriptors: [.symbol("d")]))
    let octets = frame(
      Code.close,
      [
        .described(
          descriptor: .ulong(Code.error), value: .list([.symbol("c"), .null, .map([.init(.symbol("k"), value)])]))
      ])
    #expect(
      show(.hex, octets) == """
        0000  00 00 00 2e  02 00 00 03    frame size=46 doff=2 type=AMQP ch=3
        0008  00 53 18                    @close(0x18)
        000b    c0 21 01                  list8 size=33 count=1
        000e      00 53 1d                error = @error(0x1d)
        0011        c0 1b 03              list8 size=27 count=3
        0014          a3 01 63            condition = sym8 "c"
        0017          40                  description = null
        0018          c1 14 02            info = map8 size=20 count=2
        001b            a3 01 6b          key sym8 "k"
        001e            e0 0e 02          array8 size=14 count=2
        0021              00 a3 01 64     descriptor :d
        0025              70              of uint
        0026              00 00 00 01     uint 1
        002a              00 00 01 2c     uint 300

        """)
  }

  // MARK: Secrets

  @Test func passwordsAreMasked() {
    let initial = frame(
      Code.saslInit, [.symbol("PLAIN"), .binary(Array("\0guest\0s3cret".utf8)), .string("h")], sasl: true)
    let response = frame(Code.saslResponse, [.binary(Array("s3cret".utf8))], sasl: true)
    let scram = frame(Code.saslInit, [.symbol("SCRAM-SHA-256"), .binary(Array("s3cret".utf8))], sasl: true)
    var draft = MessageDraft()
    draft.applicationProperties = [.init(.string("operation"), .string("put-token"))]
    draft.body = [.value(.string("s3cret"))]
    var q = ByteQueue()
    draft.encode(into: &q)
    let token = frame(Code.transfer, [.uint(0)], payload: q.bytes)
    for octets in [initial, response, scram, token] {
      for form in [Form.line, .tree, .hex] {
        let masked = show(form, octets)
        for text in ["s3cret", "733363", "73 33 63"] { #expect(!masked.contains(text), "\(masked)") }
        #expect(masked.contains("***"))
        let shown = show(form, octets, showSecrets: true)
        #expect(shown.contains("s3cret") || shown.contains("733363726574"))
      }
    }
    #expect(
      show(.line, initial) == "ch=3 @sasl-init mechanism=PLAIN initial-response=(user=guest password=***) hostname=h")
    let anonymous = frame(Code.saslInit, [.symbol("ANONYMOUS"), .binary(Array("me".utf8))], sasl: true)
    #expect(show(.line, anonymous) == "ch=3 @sasl-init mechanism=ANONYMOUS initial-response=0x6d65")
  }

  // MARK: Problems

  static let problems: [(String, String)] = [
    (
      "0000001202000000005311c0050940434343",
      "ch=0 @begin  malformed at 0x0d: list8 count 9, 4 octets left (part 1 §1.6.22)"
    ),
    ("0000000702000000", "ch=0  malformed at 0x00: expected size >= 8, got 7 (part 2 §2.3.1)"),
    (
      "0000001002000000005310c003015205",
      "ch=0 @open container-id=5  malformed at 0x0e in open.container-id: expected open.container-id: string, "
        + "got format 0x52 (part 1 §1.4)"
    ),
    (
      "0000001d02000000005314c0020143005374c10904a1016141a1016142",
      "ch=0 @transfer handle=0 application-properties{a=true a=false}  warning at 0x19 in "
        + "transfer.payload/application-properties: expected different map keys, "
        + "got duplicate map key (part 1 §1.6.23)"
    ),
    (
      "0000000f02000000005314c0020140",
      "ch=0 @transfer  malformed at 0x0b: expected mandatory transfer.handle, got null (part 1 §1.4)"
    ),
  ]
  @Test(arguments: problems.indices) func problemsOnTheLine(_ i: Int) {
    let (octets, line) = Self.problems[i]
    #expect(show(.line, hex(octets)) == line)
  }

  /// The frame of a draft in which the last "BAD" is no UTF-8 any more.
  func spoilt(_ draft: MessageDraft) -> [UInt8] {
    var q = ByteQueue()
    draft.encode(into: &q)
    var octets = frame(Code.transfer, [.uint(0)], payload: q.bytes)
    let at = octets.indices.last { octets[$0...].starts(with: Array("BAD".utf8)) }!
    octets[at + 1] = 0xff
    return octets
  }

  @Test func problemsHaveAPath() {
    var d = MessageDraft()
    d.properties = [.null, .null, .null, .string("BAD")]
    #expect(
      show(.line, spoilt(d))
        == "ch=3 @transfer handle=0 properties(subject=0x42ff44)  malformed at 0x1b in "
        + "transfer.payload/properties.subject: expected UTF-8, got 0xff (part 1 §1.6.20) \"\" 0 octets")
    d.properties = nil
    let list = Value.list([.int(1), .map([.init(.ulong(2), .list([.null, .string("BAD")]))])])
    d.applicationProperties = [.init(.string("a"), .null), .init(.string("key"), list)]
    #expect(show(.tree, spoilt(d)).contains(" in transfer.payload/application-properties[key][1][2][1]: "))
    d.applicationProperties = [.init(.string("BAD"), .null)]
    #expect(show(.hex, spoilt(d)).contains(" in transfer.payload/application-properties[key 0]: "))
    d.applicationProperties = nil
    d.body = [.value(.array(ArrayValue(.string, [.string("a"), .string("BAD")])))]
    #expect(show(.line, spoilt(d)).contains(" in transfer.payload/amqp-value[1]: "))
    let attach = frame(
      Code.attach,
      [
        .string("l"), .uint(0), .boolean(true), .null, .null,
        .described(descriptor: .ulong(Code.source), value: .list([.string("BAD")])),
      ])
    var octets = attach
    octets[octets.count - 1] = 0xff
    #expect(show(.line, octets).contains(" in attach.source.address: expected UTF-8"))
  }

  /// Whatever comes, the hexadecimal form shows every octet of the frame once and in order, and no form traps.
  @Test func hexShowsEveryOctetOnce() {
    var random = Random(state: 4)
    for round in 0..<3000 {
      var q = ByteQueue()
      random.draft().encode(into: &q)
      var octets = frame(Code.transfer, [.uint(0), .uint(1)], payload: q.bytes)
      if round % 4 != 0 {
        for _ in 0..<random.below(4) + 1 {
          octets[8 + random.below(octets.count - 8)] = UInt8(truncatingIfNeeded: random.next())
        }
      }
      let shown = show(.hex, octets).split(separator: "\n").filter { !$0.contains("! ") || $0.first == "0" }
      var found: [UInt8] = []
      for line in shown {
        // Offset, two spaces, indent, then pairs of digits up to the annotation.
        var pairs = line.dropFirst(6).drop { $0 == " " }
        while pairs.count >= 2, let octet = UInt8(pairs.prefix(2), radix: 16) {
          found.append(octet)
          pairs = pairs.dropFirst(2)
          if pairs.hasPrefix("  ") && found.count != 4 { break }
          pairs = pairs.drop { $0 == " " }
        }
      }
      #expect(found == octets, "\(show(.hex, octets))")
      _ = show(.line, octets)
      _ = show(.tree, octets)
    }
  }
}

@Suite struct RowTableTests {
  /// The flattened rows say what the rows say.
  @Test func everyRowAndField() {
    for (i, row) in CompositeSpec.all.enumerated() {
      let row16 = UInt16(i)
      #expect((row.fields?.count ?? 0) < RowTable.width)
      #expect(RowTable.shared.code(row16) == row.code ?? 0)
      #expect(RowTable.shared.name(row16).map(text) == row.name)
      #expect(RowTable.shared.name(row16)?.hasFields == (row.fields != nil))
      for (k, field) in (row.fields ?? []).enumerated() {
        let entry = RowTable.shared.field(row16, UInt16(k))
        #expect(entry.map(text) == field.name)
        #expect(entry?.hasChoices == !field.type.choices.isEmpty)
      }
      #expect(RowTable.shared.field(row16, UInt16(row.fields?.count ?? 0)) == nil)
    }
    #expect(RowTable.shared.name(CompositeSpec.unknown) == nil)
    #expect(RowTable.shared.field(CompositeSpec.unknown, 0) == nil)
    #expect(RowTable.shared.field(0, .max) == nil)
  }

  func text(_ entry: RowTable.Entry) -> String {
    var q = ByteQueue()
    RowTable.shared.append(entry, to: &q)
    return q.text
  }
}
