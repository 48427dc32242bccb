/// The scripted peer of 0-9-1: it does what a test says, method by method, so that the test reads as a dialogue with the
/// connection under test.
import Bytes
import Engine
import Wire

package final class ScriptedPeer091 {
  /// The end under test.
  package let end: End
  package var now: Instant = 0
  /// The most octets that the end gets at once.
  package var chunk = Int.max
  private var inbox: [UInt8] = []
  /// All that the end was sent.
  package private(set) var said: [UInt8] = []

  package struct ReceivedFrame: Sendable {
    package var type: FrameType091
    package var channel: UInt16
    package var payload: [UInt8]
  }

  package init(_ settings: ConnectionSettings = ScriptedPeer091.initiator) { end = End(settings) }
  package init(against end: End) { self.end = end }

  package static var initiator: ConnectionSettings {
    var settings = ConnectionSettings(.initiator)
    settings.protocols = .amqp091
    settings.user = "u"
    settings.password = "p"
    settings.containerID = "tester"
    return settings
  }

  // MARK: Saying

  package func send(raw bytes: [UInt8]) {
    said += bytes
    var rest = bytes[...]
    while !rest.isEmpty {
      end.receive(rest.prefix(chunk), now: now)
      rest = rest.dropFirst(chunk)
    }
  }

  package func send(_ header: ProtocolHeader) { send(raw: header.bytes) }

  package func send(_ id: UInt32, _ fields: KeyValuePairs<String, Value> = [:], channel: UInt16 = 1) {
    send(raw: ScriptedPeer091.frame(id, fields, channel: channel))
  }

  package static func frame(
    _ id: UInt32, _ fields: KeyValuePairs<String, Value> = [:], channel: UInt16 = 1
  ) -> [UInt8] {
    var q = ByteQueue()
    do { try q.appendMethod(channel: channel, MethodRecord(id, fields)) } catch { fatalError("\(error)") }
    return q.bytes
  }

  /// A content header and bodies of at most `chunk` octets.
  package static func content(
    _ body: [UInt8], _ properties: BasicProperties = BasicProperties(), channel: UInt16 = 1, chunk: Int = 4_088
  ) -> [UInt8] {
    var values = ByteQueue()
    do { try values.append(properties) } catch { fatalError("\(error)") }
    var q = ByteQueue()
    q.appendContentHeader(channel: channel, bodySize: UInt64(body.count), properties: values.bytes.span)
    var at = 0
    while at < body.count {
      let n = min(chunk, body.count - at)
      q.appendBody(channel: channel, body.span.extracting(at..<at + n))
      at += n
    }
    return q.bytes
  }

  /// basic.deliver with its message.
  package func deliver(
    _ tag: UInt64, _ body: String, _ properties: BasicProperties = BasicProperties(), redelivered: Bool = false,
    channel: UInt16 = 1
  ) {
    send(
      raw: ScriptedPeer091.frame(
        MethodID.basicDeliver,
        [
          "consumer-tag": .string("a"), "delivery-tag": .ulong(tag), "redelivered": .boolean(redelivered),
          "exchange": .string("x"), "routing-key": .string("k"),
        ], channel: channel) + ScriptedPeer091.content(Array(body.utf8), properties, channel: channel))
  }

  package func ack(_ tag: UInt64, multiple: Bool = false, channel: UInt16 = 1) {
    send(MethodID.basicAck, ["delivery-tag": .ulong(tag), "multiple": .boolean(multiple)], channel: channel)
  }

  package func nack(_ tag: UInt64, multiple: Bool = false, channel: UInt16 = 1) {
    send(MethodID.basicNack, ["delivery-tag": .ulong(tag), "multiple": .boolean(multiple)], channel: channel)
  }

  package func `return`(_ body: [UInt8], exchange: String = "", key: String = "q", channel: UInt16 = 1) {
    send(
      raw: ScriptedPeer091.frame(
        MethodID.basicReturn,
        [
          "reply-code": .ushort(312), "reply-text": .string("NO_ROUTE"), "exchange": .string(exchange),
          "routing-key": .string(key),
        ], channel: channel) + ScriptedPeer091.content(body, channel: channel, chunk: 7))
  }

  // MARK: Hearing

  private func listen() { inbox += end.output(now: now) }

  package func expect(_ header: ProtocolHeader) throws {
    listen()
    let found = Array(inbox.prefix(8))
    guard found == header.bytes else {
      throw ScriptError(description: "expected \(header.description), got \(hexText(found))")
    }
    inbox.removeFirst(8)
  }

  /// The next frame, whatever it is; nil when there is none.
  package func next() throws -> ReceivedFrame? {
    listen()
    if inbox.isEmpty { return nil }
    guard case .frame(let frame) = Frame091.read(inbox.span, at: 0, largest: .max) else {
      throw ScriptError(description: "what the end sent is no frame: \(hexText(inbox))")
    }
    defer { inbox.removeFirst(frame.end) }
    return ReceivedFrame(type: frame.type, channel: frame.channel, payload: Array(inbox[frame.payload]))
  }

  @discardableResult
  package func expect(_ id: UInt32, channel: UInt16 = 1) throws -> MethodRecord {
    let wanted = MethodSpec.row(id)?.name ?? "?"
    guard let frame = try next() else { throw ScriptError(description: "expected \(wanted), got nothing") }
    guard frame.type == .method, frame.channel == channel else {
      throw ScriptError(description: "expected \(wanted) on channel \(channel), got \(frame)")
    }
    let m = try MethodRecord(frame.payload.span, 0..<frame.payload.count)
    guard m.id == id else {
      throw ScriptError(description: "expected \(wanted), got \(MethodSpec.row(m.id)?.name ?? "?") \(m.fields)")
    }
    return m
  }

  package struct Published: Sendable {
    package var method: MethodRecord
    package var properties: BasicProperties
    package var body: [UInt8]
    /// The sizes of the body frames.
    package var frames: [Int]
  }

  /// basic.publish with its message.
  @discardableResult
  package func expectPublish(channel: UInt16 = 1) throws -> Published {
    let method = try expect(MethodID.basicPublish, channel: channel)
    guard let header = try next(), header.type == .header, header.channel == channel,
      let content = HotContentHeader(header.payload.span, 0..<header.payload.count)
    else { throw ScriptError(description: "expected a content header") }
    var published = Published(
      method: method, properties: try BasicProperties(header.payload.span, content.properties), body: [], frames: [])
    while published.body.count < Int(content.bodySize) {
      guard let frame = try next(), frame.type == .body, frame.channel == channel else {
        throw ScriptError(description: "expected a body")
      }
      published.body += frame.payload
      published.frames.append(frame.payload.count + Frame091.overhead)
    }
    return published
  }

  package func expectNothing() throws {
    if let frame = try next() { throw ScriptError(description: "expected nothing, got \(frame)") }
  }

  // MARK: The usual beginnings

  package static let capabilities: [MapEntry] = [
    MapEntry(.string("publisher_confirms"), .boolean(true)), MapEntry(.string("basic.nack"), .boolean(true)),
  ]

  package func start(
    mechanisms: String = "PLAIN AMQPLAIN", capabilities: [MapEntry] = ScriptedPeer091.capabilities
  ) {
    send(
      MethodID.connectionStart,
      [
        "version-major": .ubyte(0), "version-minor": .ubyte(9),
        "server-properties": .map([
          MapEntry(.string("product"), .string("scripted")), MapEntry(.string("capabilities"), .map(capabilities)),
        ]),
        "mechanisms": .string(mechanisms), "locales": .string("en_US"),
      ], channel: 0)
  }

  package func tune(channelMax: UInt16 = 2_047, frameMax: UInt32 = 131_072, heartbeat: UInt16 = 60) {
    send(
      MethodID.connectionTune,
      ["channel-max": .ushort(channelMax), "frame-max": .uint(frameMax), "heartbeat": .ushort(heartbeat)], channel: 0)
  }

  /// Header, start, tune and open, up to what follows on channels.
  package func openUp(
    frameMax: UInt32 = 131_072, channelMax: UInt16 = 2_047, heartbeat: UInt16 = 60,
    capabilities: [MapEntry] = ScriptedPeer091.capabilities
  ) throws {
    try expect(.amqp091)
    start(capabilities: capabilities)
    try expect(MethodID.connectionStartOK, channel: 0)
    tune(channelMax: channelMax, frameMax: frameMax, heartbeat: heartbeat)
    try expect(MethodID.connectionTuneOK, channel: 0)
    try expect(MethodID.connectionOpen, channel: 0)
    send(MethodID.connectionOpenOK, channel: 0)
  }

  /// Answers channel.open and, of a sender that wants answers, confirm.select.
  package func openChannel(_ channel: UInt16 = 1, confirms: Bool = true) throws {
    try expect(MethodID.channelOpen, channel: channel)
    send(MethodID.channelOpenOK, channel: channel)
    if confirms {
      try expect(MethodID.confirmSelect, channel: channel)
      send(MethodID.confirmSelectOK, channel: channel)
    }
  }
}
