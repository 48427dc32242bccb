/// Messages of 0-9-1 to sections of 1.0 and back.
import Bytes
import Testing
import Wire

@Suite struct MessageMappingTests {
  private func octets(_ properties: BasicProperties) throws -> [UInt8] {
    var q = ByteQueue()
    try q.append(properties)
    return q.bytes
  }

  private func append(
    _ cache: inout SectionsCache, _ exchange: String, _ key: String, _ properties: [UInt8], _ body: [UInt8]
  ) throws -> [UInt8] {
    var q = ByteQueue()
    let (exchange, key) = (Array(exchange.utf8), Array(key.utf8))
    try cache.append(
      exchange: exchange.span, routingKey: key.span, properties: properties.span, bodySize: body.count, to: &q)
    q.append(body)
    return q.bytes
  }

  private func sections(
    _ properties: BasicProperties, exchange: String = "", key: String = "q", body: [UInt8] = []
  ) throws -> [UInt8] {
    var cache = SectionsCache()
    return try append(&cache, exchange, key, octets(properties), body)
  }

  private func head(_ head: [UInt8], _ own: [UInt8] = []) throws -> ContentHead {
    try MessageMapping.head(head.span, own.span)
  }

  private func head(_ draft: MessageDraft) throws -> ContentHead {
    var q = ByteQueue()
    draft.encodeHead(into: &q)
    return try head(q.bytes)
  }

  private func body(_ message: [UInt8]) throws -> ContentBody { try MessageMapping.body(message.span) }

  private func draft(_ properties: BasicProperties, key: String) -> MessageDraft {
    let (exchange, key) = ([UInt8](), Array(key.utf8))
    return MessageMapping.draft(properties, exchange: exchange.span, routingKey: key.span)
  }

  private func decoded(_ octets: [UInt8]) throws -> BasicProperties {
    try BasicProperties(octets.span, 0..<octets.count)
  }

  private func properties(_ draft: MessageDraft) throws -> BasicProperties {
    let octets = try head(draft).properties
    return try decoded(octets)
  }

  /// Every property, once with a value that has a field in 1.0 and once with one that has none.
  private static let values: [(BasicProperties.Index, Value)] = [
    (.contentType, .string("text/plain")), (.contentType, .string("t\u{eb}xt")), (.contentType, .binary([0xff])),
    (.contentEncoding, .string("gzip")), (.contentEncoding, .string("\u{e9}")),
    (.headers, .map([])),
    (
      .headers,
      .map([
        MapEntry(.string("x-death"), .list([.map([MapEntry(.string("count"), .long(1))])])),
        MapEntry(.string("flag"), .boolean(true)),
        MapEntry(
          .string("price"), .described(descriptor: Value.decimal091, value: .list([.ubyte(2), .int(-314)]))),
        MapEntry(.string("raw"), .described(descriptor: Value.longstr091, value: .binary([0xff]))),
      ])
    ),
    (.deliveryMode, .ubyte(1)), (.deliveryMode, .ubyte(2)), (.deliveryMode, .ubyte(0)), (.deliveryMode, .ubyte(9)),
    (.priority, .ubyte(0)), (.priority, .ubyte(255)),
    (.correlationID, .string("c")), (.correlationID, .binary([0xff])),
    (.replyTo, .string("amq.rabbitmq.reply-to.x")), (.replyTo, .binary([0xff])),
    (.expiration, .string("60000")), (.expiration, .string("060000")), (.expiration, .string("4294967296")),
    (.expiration, .string("soon")), (.expiration, .string("")),
    (.messageID, .string("")), (.messageID, .binary([0xfe])),
    (.timestamp, .timestamp(1_700_000_000_000)), (.timestamp, .timestamp(0)), (.timestamp, .timestamp(-1000)),
    (.timestamp, .described(descriptor: Value.timestamp091, value: .ulong(1 << 62))),
    (.type, .string("order")), (.type, .binary([0xff])), (.appID, .string("a")), (.clusterID, .string("c")),
    (.userID, .string("guest")), (.userID, .binary([0xff])),
  ]

  @Test(arguments: values.indices) func roundTrip(_ i: Int) throws {
    var properties = BasicProperties()
    let (index, value) = Self.values[i]
    properties[index] = value
    // "Transient" alone says what nothing says; see below.
    if value == .ubyte(1) { properties[.type] = .string("t") }
    let message = try sections(properties, exchange: "logs", key: "a.b", body: [1, 2, 3])
    let body = try self.body(message)
    #expect(Array(message[body.first]) == [1, 2, 3])
    #expect(body.more.isEmpty && body.unmapped.isEmpty && body.size == 3)
    let head = try self.head([], Array(message[body.head]))
    #expect(head.exchange == Array("logs".utf8))
    #expect(head.routingKey == Array("a.b".utf8))
    #expect(head.unmapped.isEmpty)
    #expect(try head.properties == octets(properties))
  }

  @Test func transientAloneIsNoProperty() throws {
    var draft = MessageDraft()
    draft.header = [.boolean(false)]
    #expect(try head(draft).properties == [0, 0])
  }

  @Test func fieldsOfTheOtherDialect() throws {
    var properties = BasicProperties()
    properties[.deliveryMode] = .ubyte(2)
    properties[.expiration] = .string("5000")
    properties[.timestamp] = .timestamp(7_000)
    properties[.userID] = .string("u")
    properties[.contentType] = .string("a/b")
    properties[.type] = .string("t")
    let draft = self.draft(properties, key: "q")
    #expect(draft["durable"] == .boolean(true))
    #expect(draft["ttl"] == .uint(5000))
    #expect(draft["creation-time"] == .timestamp(7_000))
    #expect(draft["user-id"] == .binary(Array("u".utf8)))
    #expect(draft["content-type"] == .symbol("a/b"))
    #expect(
      draft.messageAnnotations == [
        MapEntry(.symbol("x-exchange"), .string("")), MapEntry(.symbol("x-routing-key"), .string("q")),
        MapEntry(.symbol("x-basic-type"), .string("t")),
      ])
    #expect(draft.applicationProperties == nil)
  }

  @Test func noPropertiesAtAll() throws {
    let draft = self.draft(BasicProperties(), key: "")
    #expect(draft.header == nil && draft.properties == nil)
    #expect(try head(MessageDraft()).properties == [0, 0])
  }

  @Test func idsBecomeText() throws {
    var draft = MessageDraft()
    try draft.set("message-id", .ulong(.max))
    try draft.set("correlation-id", .uuid(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff))
    let properties = try self.properties(draft)
    #expect(properties[.messageID] == .string("18446744073709551615"))
    #expect(properties[.correlationID] == .string("00112233-4455-6677-8899-aabbccddeeff"))
  }

  @Test func annotationsBecomeHeaders() throws {
    var draft = MessageDraft()
    draft.applicationProperties = [MapEntry(.string("a"), .int(1))]
    draft.messageAnnotations = [
      MapEntry(.symbol("x-opt-b"), .symbol("s")), MapEntry(.symbol("x-routing-key"), .string("k")),
    ]
    let head = try self.head(draft)
    #expect(head.routingKey == Array("k".utf8) && head.exchange == nil)
    let properties = try decoded(head.properties)
    #expect(
      properties[.headers] == .map([MapEntry(.string("a"), .int(1)), MapEntry(.string("x-opt-b"), .string("s"))]))
  }

  /// What 0-9-1 has no place for is named, each by its name.
  @Test func whatCantBeSaid() throws {
    var draft = MessageDraft()
    try draft.set("subject", text: "s")
    try draft.set("to", text: "/queues/q")
    try draft.set("group-id", text: "g")
    draft.deliveryAnnotations = []
    let head = try self.head(draft)
    #expect(head.unmapped == ["delivery-annotations", "subject", "group-id"])
    #expect(head.to == "/queues/q")
    draft = MessageDraft()
    draft.body = [.sequence([]), .value(.int(1)), .data([1])]
    draft.footer = []
    var q = ByteQueue()
    draft.encode(into: &q)
    let body = try self.body(q.bytes)
    #expect(body.unmapped == ["amqp-sequence", "a body of type int", "footer"])
  }

  @Test(arguments: [0, 1, 255, 256, 70_000]) func bodies(_ size: Int) throws {
    let octets = [UInt8](repeating: 7, count: size)
    for body in [[MessageDraft.BodySection.data(octets)], [.value(.binary(octets))], [.data(octets), .data(octets)]] {
      var draft = MessageDraft()
      draft.body = body
      var q = ByteQueue()
      draft.encode(into: &q)
      let message = q.bytes
      let found = try self.body(message)
      #expect(
        found.runs.flatMap { message[$0.range] } == Array(repeatElement(octets, count: body.count).joined())
      )
      #expect(found.size == size * body.count && found.head.isEmpty)
    }
  }

  @Test func tooLong() throws {
    var draft = MessageDraft()
    draft.messageAnnotations = [
      MapEntry(.symbol("x-routing-key"), .string(String(repeating: "k", count: 256)))
    ]
    #expect(throws: FieldFault("routing-key: 256 octets, and 0-9-1 has room for 255")) { try head(draft) }
    draft = MessageDraft()
    try draft.set("message-id", text: String(repeating: "m", count: 256))
    #expect(throws: FieldFault.self) { try head(draft) }
    draft = MessageDraft()
    draft.applicationProperties = [MapEntry(.string("n"), .ulong(.max))]
    #expect(throws: FieldFault.self) { try head(draft) }
  }

  /// Cut anywhere, a message is refused, not read past its end.
  @Test func cutMessages() throws {
    let message = try sections(BasicProperties(), body: [1, 2, 3])
    for end in 1..<message.count {
      let part = Array(message[..<end])
      guard let body = try? self.body(part) else { continue }
      #expect(body.size == 0)
    }
  }

  /// The cache gives what a fresh one gives, whatever came before.
  @Test func cache() throws {
    var cache = SectionsCache()
    var other = BasicProperties()
    other[.type] = .string("t")
    for (properties, key) in [(BasicProperties(), "a"), (BasicProperties(), "a"), (other, "a"), (other, "b")] {
      #expect(try append(&cache, "", key, octets(properties), []) == sections(properties, key: key))
    }
    #expect(throws: Problem.self) { try append(&cache, "", "", [0x80], []) }
  }
}

@Suite struct Node091Tests {
  @Test(
    arguments: [
      ("orders", .queue("orders"), "/queues/orders"), ("/queues/a%2Fb", .queue("a/b"), "/queues/a%2Fb"),
      ("/queue/q", .queue("q"), "/queues/q"), ("/amq/queue/q", .queue("q"), "/queues/q"),
      ("my:queue", .queue("my:queue"), "/queues/my%3Aqueue"),
      ("logs/a.b", .exchange("logs", key: "a.b"), "/exchanges/logs/a.b"),
      ("logs/a/b", .exchange("logs", key: "a/b"), "/exchanges/logs/a%2Fb"),
      ("/exchanges/logs", .exchange("logs", key: nil), "/exchanges/logs"),
      ("/exchanges/logs/", .exchange("logs", key: ""), "/exchanges/logs/"),
      ("/exchange/logs/k", .exchange("logs", key: "k"), "/exchanges/logs/k"),
      ("/topic/a.#", .exchange("amq.topic", key: "a.#"), "/exchanges/amq.topic/a.%23"),
    ] as [(String, Node091, String)])
  func addresses(_ text: String, _ node: Node091, _ address: String) {
    #expect(NodeAddress(text).node091 == node)
    #expect(NodeAddress(text).text(for: .amqp091) == address)
    #expect(Node091(address) == node)
  }

  @Test(arguments: ["queue://q", "/", "/ns/topic", "/queues", "/queues/a/b", "/queues/%zz", "/exchanges/a/b/c", ""])
  func none(_ text: String) { #expect(Node091(text) == nil) }

  @Test func named() {
    #expect(NodeAddress.queue("/queues/x").node091 == .queue("/queues/x"))
    #expect(NodeAddress.exchange("e", key: nil).node091 == .exchange("e", key: nil))
    #expect(NodeAddress.none.node091 == nil)
    #expect(NodeAddress.none.text(for: .amqp091) == nil)
  }
}
