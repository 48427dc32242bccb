// Messages on their way from one peer to another: what goes on is what came, changed as RabbitMQ 4 changes it, and
// nothing is lost without a word.
import Bytes
import Testing

@testable import Wire

@Suite struct MessageBridgeTests {
  private func encoded(_ draft: MessageDraft) -> [UInt8] {
    var q = ByteQueue()
    draft.encode(into: &q)
    return q.bytes
  }

  private func passed(_ bridge: inout MessageBridge, _ message: [UInt8]) throws -> [UInt8] {
    try bridge.pass(message.span) { $0.array + $1.array }
  }

  /// The sections of a message by code.
  private func sections(_ message: [UInt8]) throws -> [UInt64: Value] {
    var found: [UInt64: Value] = [:]
    var sections = Sections(0..<message.count)
    while let section = try sections.next(message.span) {
      #expect(found[section.code] == nil)
      found[section.code] = try Value.decode(message.span.extracting(section.value..<section.range.upperBound))
    }
    return found
  }

  private var full: MessageDraft {
    var draft = MessageDraft()
    draft.header = [.boolean(true), .ubyte(3), .uint(60_000)]
    draft.messageAnnotations = [MapEntry(.symbol("x-opt"), .int(1)), MapEntry(.symbol("x-cc"), .list([.string("k")]))]
    draft.properties = [
      .uuid(1), .binary([0x67]), .string("to"), .string("subject"), .string("reply"), .binary([1, 0xff]),
      .symbol("text/plain"), .symbol("gzip"), .timestamp(1), .timestamp(1_600_000_000_000), .string("group"), .uint(1),
      .string("rg"),
    ]
    draft.applicationProperties = [MapEntry(.string("s"), .string("v")), MapEntry(.string("ul"), .ulong(.max))]
    draft.body = [.data([1, 2, 3])]
    draft.footer = [MapEntry(.symbol("x-f"), .int(1))]
    return draft
  }

  @Test func within10NothingChanges() throws {
    var bridge = MessageBridge(from: .amqp10, to: .amqp10)
    for _ in 0..<2 { #expect(try passed(&bridge, encoded(full)) == encoded(full)) }
    #expect(bridge.takeLosses() == [])
  }

  /// Part 3 §3.2: what belongs to the hop stays behind.
  @Test func within10TheHopStaysBehind() throws {
    var bridge = MessageBridge(from: .amqp10, to: .amqp10)
    var draft = full
    draft.header = [.boolean(true), .null, .null, .boolean(true), .uint(4)]
    draft.deliveryAnnotations = [MapEntry(.symbol("x-hop"), .int(1))]
    var plain = full
    plain.header = [.boolean(true)]
    for _ in 0..<2 { #expect(try passed(&bridge, encoded(draft)) == encoded(plain)) }
    draft.header = [.null, .null, .null, .null, .uint(1)]
    plain.header = nil
    #expect(try passed(&bridge, encoded(draft)) == encoded(plain))
    #expect(try passed(&bridge, encoded(full)) == encoded(full), "the one before is forgotten")
  }

  @Test func to091() throws {
    var bridge = MessageBridge(from: .amqp10, to: .amqp091)
    var last: [UInt8] = []
    for _ in 0..<2 { last = try passed(&bridge, encoded(full)) }
    let found = try sections(last)
    #expect(found[Code.data] == .binary([1, 2, 3]))
    #expect(found[Code.footer] == nil)
    #expect(
      found[Code.applicationProperties]?.entries == [
        MapEntry(.string("x-opt"), .int(1)), MapEntry(.string("CC"), .list([.string("k")])),
        MapEntry(.string("s"), .string("v")), MapEntry(.string("x-correlation-id"), .binary([1, 0xff])),
      ])
    #expect(found[Code.messageAnnotations]?.entries == [MapEntry(.symbol("x-basic-app-id"), .string("group"))])
    let none: [UInt8] = []
    let head = try MessageMapping.head(none.span, last.span)
    #expect(head.unmapped == [], "nothing is left that 0-9-1 can't say")
    let basic = try BasicProperties(head.properties.span, 0..<head.properties.count)
    #expect(basic[.messageID] == .string("urn:uuid:00000000-0000-0000-0000-000000000001"))
    #expect(basic[.appID] == .string("group") && basic[.replyTo] == .string("reply"))
    #expect(basic[.correlationID].isNull && basic[.priority] == .ubyte(3) && basic[.expiration] == .string("60000"))
    #expect(
      Set(bridge.takeLosses()) == [
        "to", "subject", "absolute-expiry-time", "group-sequence", "reply-to-group-id", "a header of type ulong",
        "footer",
      ])
    _ = try passed(&bridge, encoded(full))
    #expect(bridge.takeLosses() == [], "once")
  }

  /// A body that is no octets goes as sections, of type amqp-1.0, and comes back as what it was.
  @Test func bodiesOfValuesThereAndBack() throws {
    var draft = MessageDraft()
    draft.properties = [.uuid(7), .null, .null, .null, .null, .null, .null, .null, .null, .null, .string("group")]
    draft.applicationProperties = [MapEntry(.string("a"), .int(1))]
    draft.messageAnnotations = [MapEntry(.symbol("x-opt"), .string("v"))]
    draft.body = [.value(.map([MapEntry(.string("k"), .int(1))]))]
    draft.footer = [MapEntry(.symbol("x-f"), .int(1))]
    var there = MessageBridge(from: .amqp10, to: .amqp091)
    var back = MessageBridge(from: .amqp091, to: .amqp10)
    for _ in 0..<2 {
      let basic = try passed(&there, encoded(draft))
      let found = try sections(basic)
      #expect(found[Code.messageAnnotations]?["x-basic-type"] == .string("amqp-1.0"))
      #expect(found.keys.contains(Code.data) && !found.keys.contains(Code.amqpValue))
      #expect(try passed(&back, basic) == encoded(draft))
    }
    #expect(there.takeLosses() == [] && back.takeLosses() == [])
    // Between the same, a plain body. What 0-9-1 says nothing of is transient, and RabbitMQ takes the lack of a header for
    // the opposite.
    var plain = draft
    plain.body = [.data([9])]
    plain.footer = nil
    var transient = plain
    try transient.set("durable", .boolean(false))
    #expect(try passed(&back, try passed(&there, encoded(plain))) == encoded(transient))
  }

  @Test func to10() throws {
    var bridge = MessageBridge(from: .amqp091, to: .amqp10)
    var basic = BasicProperties()
    basic[.appID] = .string("app")
    basic[.type] = .string("type")
    basic[.messageID] = .string("urn:uuid:00000000-0000-0000-0000-000000000002")
    basic[.headers] = .map([
      MapEntry(.string("x-death"), .list([.map([MapEntry(.string("queue"), .string("q"))])])),
      MapEntry(.string("n"), .int(1)), MapEntry(.string("table"), .map([])),
      MapEntry(.string("array"), .list([.int(1)])),
      MapEntry(.string("CC"), .list([.string("k")])),
      MapEntry(.string("raw"), .described(descriptor: .longstr091, value: .binary([0xff]))),
    ])
    let (none, key): ([UInt8], [UInt8]) = ([], [0x6b])
    var draft = MessageMapping.draft(basic, exchange: none.span, routingKey: key.span)
    draft.body = [.data([1])]
    let found = try sections(try passed(&bridge, encoded(draft)))
    #expect(
      found[Code.applicationProperties]?.entries == [
        MapEntry(.string("n"), .int(1)), MapEntry(.string("raw"), .binary([0xff])),
      ])
    let annotations = found[Code.messageAnnotations]
    #expect(annotations?["x-basic-type"] == .string("type") && annotations?["x-basic-app-id"] == nil)
    #expect(annotations?["x-cc"] == .list([.string("k")]) && annotations?["x-death"] != nil)
    guard case .list(let fields)? = found[Code.properties] else {
      Issue.record("no properties")
      return
    }
    #expect(fields[0] == .uuid(2) && fields[10] == .string("app"))
    #expect(bridge.takeLosses() == ["a header that is a table", "a header that is an array"])
  }

  @Test func within091NothingChanges() throws {
    var bridge = MessageBridge(from: .amqp091, to: .amqp091)
    #expect(try passed(&bridge, encoded(full)) == encoded(full))
  }

  @Test(arguments: [MessageBridge.Dialect.amqp10, .amqp091]) func malformedIsAFault(_ to: MessageBridge.Dialect) {
    var bridge = MessageBridge(from: .amqp10, to: to)
    #expect(throws: Problem.self) { try passed(&bridge, [0x00, 0x53, 0x70, 0xc0, 0x09, 0x01]) }
    #expect(throws: Problem.self) { try passed(&bridge, [0x41]) }
  }
}
