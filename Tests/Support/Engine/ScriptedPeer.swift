import Bytes
/// A peer that does what a test says, frame by frame: the test reads as a dialogue with the connection under test. All
/// of its counters start three before they wrap.
import Engine
import Wire

/// A frame's typed view, for `expect` and `send`.
package protocol Performative {
  static var code: UInt64 { get }
  init(_ r: Record)
  var record: Record { get }
}

extension Open: Performative { package static var code: UInt64 { Code.open } }
extension Begin: Performative { package static var code: UInt64 { Code.begin } }
extension Attach: Performative { package static var code: UInt64 { Code.attach } }
extension Flow: Performative { package static var code: UInt64 { Code.flow } }
extension Transfer: Performative { package static var code: UInt64 { Code.transfer } }
extension Disposition: Performative { package static var code: UInt64 { Code.disposition } }
extension Detach: Performative { package static var code: UInt64 { Code.detach } }

/// End and close, which carry an error and nothing else.
package struct EndFrame: Performative {
  package static var code: UInt64 { Code.end }
  package var error: AMQPError?
  package init(_ error: AMQPError? = nil) { self.error = error }
  package init(_ r: Record) { error = AMQPError(r[0]) }
  package var record: Record { Record(Code.end, [error?.record.value ?? .null]) }
}

package struct CloseFrame: Performative {
  package static var code: UInt64 { Code.close }
  package var error: AMQPError?
  package init(_ error: AMQPError? = nil) { self.error = error }
  package init(_ r: Record) { error = AMQPError(r[0]) }
  package var record: Record { Record(Code.close, [error?.record.value ?? .null]) }
}

/// The dialogue went another way.
package struct ScriptError: Error, CustomStringConvertible {
  package var description: String
  package init(description: String) { self.description = description }
}

package struct ReceivedFrame: Sendable {
  package var type: FrameType
  package var channel: UInt16
  /// Nil: an empty frame.
  package var record: Record?
  package var payload: [UInt8]
  /// The whole frame.
  package var bytes: [UInt8]
}

package final class ScriptedPeer {
  /// The end under test.
  package let end: End
  package var now: Instant = 0
  /// The most octets that the end gets at once.
  package var chunk = Int.max
  private var inbox: [UInt8] = []
  /// All that the end was sent.
  package private(set) var said: [UInt8] = []

  /// Three before the wrap.
  package static let firstID = UInt32.max - 2

  package init(_ settings: ConnectionSettings) { end = End(settings) }
  package init(against end: End) { self.end = end }

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

  package func send(_ performative: some Performative, channel: UInt16 = 0, payload: [UInt8] = []) {
    send(raw: ScriptedPeer.frame(performative.record, channel: channel, payload: payload))
  }

  package func send(_ record: Record, type: FrameType = .amqp, channel: UInt16 = 0) {
    send(raw: ScriptedPeer.frame(record, type: type, channel: channel))
  }

  package static func frame(
    _ record: Record, type: FrameType = .amqp, channel: UInt16 = 0, payload: [UInt8] = []
  ) -> [UInt8] {
    var q = ByteQueue()
    q.appendFrame(type, channel: channel) { q in
      q.append(record)
      q.append(payload)
    }
    return q.bytes
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
    let (read, fault) = ScriptedPeer.read(inbox)
    guard let (frame, end) = read else {
      throw ScriptError(description: "what the end sent is malformed: \(fault): \(hexText(inbox))")
    }
    inbox.removeFirst(end)
    return frame
  }

  private static func read(_ bytes: [UInt8]) -> ((ReceivedFrame, end: Int)?, fault: String) {
    var dissector = Dissector()
    let b = bytes.span
    guard case .frame(let end) = dissector.frame(b, at: 0, payload: .opaque), !dissector.isMalformed else {
      return (nil, dissector.firstFault.map { "\($0)" } ?? "half a frame")
    }
    var frame = ReceivedFrame(
      type: FrameType(rawValue: b[5]) ?? .amqp, channel: b.u16(6), record: nil, payload: [],
      bytes: Array(bytes[0..<end]))
    if dissector.nodes.count > 1 {
      frame.record = dissector.record(at: 1, b)
      frame.payload = Array(bytes[dissector.nodes[1].range.upperBound..<end])
    }
    return ((frame, end), "")
  }

  package func expectFrame(_ code: UInt64) throws -> ReceivedFrame {
    let wanted = CompositeSpec.row(CompositeSpec.index(code: code))?.name ?? "?"
    guard let frame = try next() else { throw ScriptError(description: "expected \(wanted), got nothing") }
    guard let record = frame.record, record.code == code else {
      let got = frame.record.flatMap { CompositeSpec.row(CompositeSpec.index(code: $0.code))?.name }
      throw ScriptError(description: "expected \(wanted), got \(got ?? "an empty frame"): \(hexText(frame.bytes))")
    }
    return frame
  }

  @discardableResult
  package func expect<P: Performative>(_ type: P.Type) throws -> P {
    let frame = try expectFrame(P.code)
    return P(frame.record ?? Record(P.code))
  }

  package func expectTransfer() throws -> (Transfer, payload: [UInt8]) {
    let frame = try expectFrame(Code.transfer)
    return (Transfer(frame.record ?? Record(Code.transfer)), frame.payload)
  }

  package func expectNothing() throws {
    if let frame = try next() { throw ScriptError(description: "expected nothing, got \(hexText(frame.bytes))") }
  }

  // MARK: The usual beginnings

  /// Goes through header, open and begin with an initiator under test that uses no SASL.
  package func openUp(window: UInt32 = 1_000, open: Open = Open()) throws {
    try expect(.amqp10)
    try expect(Open.self)
    send(.amqp10)
    var open = open
    if open.containerID.isEmpty { open.containerID = "scripted" }
    send(open)
  }

  /// Answers a begin.
  package func map(window: UInt32 = 1_000, handleMax: UInt32 = .max) throws {
    let frame = try expectFrame(Code.begin)
    guard Begin(frame.record ?? Record(Code.begin)).remoteChannel == nil else {
      throw ScriptError(description: "a begin that answers nobody")
    }
    var answer = Begin()
    answer.remoteChannel = frame.channel
    answer.nextOutgoingID = ScriptedPeer.firstID
    answer.incomingWindow = window
    answer.outgoingWindow = 1_000
    answer.handleMax = handleMax
    send(answer)
  }

  /// Answers an attach as it was asked, on the same handle number.
  @discardableResult
  package func link(_ adjust: (inout Attach) -> Void = { _ in }) throws -> Attach {
    let attach = try expect(Attach.self)
    var answer = attach
    answer.role = attach.role == .sender ? .receiver : .sender
    answer.initialDeliveryCount = answer.role == .sender ? ScriptedPeer.firstID : nil
    adjust(&answer)
    send(answer)
    return attach
  }

  /// The beginning of a dialogue with an acceptor under test: header, open, begin, without waiting.
  package func dial() throws {
    send(.amqp10)
    var open = Open()
    open.containerID = "scripted"
    send(open)
    send(begin())
    try expect(.amqp10)
    try expect(Open.self)
    try expect(Begin.self)
  }

  package func begin(window: UInt32 = 1_000) -> Begin {
    var begin = Begin()
    begin.nextOutgoingID = ScriptedPeer.firstID
    begin.incomingWindow = window
    begin.outgoingWindow = 1_000
    return begin
  }
}

extension Flow {
  /// A flow about a link, as a receiver sends it.
  package init(
    handle: UInt32?, credit: UInt32? = nil, count: UInt32? = nil, nextIncoming: UInt32? = 0, window: UInt32 = 1_000,
    nextOutgoing: UInt32 = ScriptedPeer.firstID, drain: Bool = false, echo: Bool = false
  ) {
    self.init()
    (self.handle, linkCredit, deliveryCount, nextIncomingID) = (handle, credit, count, nextIncoming)
    (incomingWindow, nextOutgoingID, outgoingWindow) = (window, nextOutgoing, 1_000)
    (self.drain, self.echo) = (drain, echo)
  }
}

extension Transfer {
  package init(
    handle: UInt32 = 0, id: UInt32?, tag: [UInt8]? = [1], settled: Bool? = nil, more: Bool = false,
    aborted: Bool = false
  ) {
    self.init()
    (self.handle, deliveryID, deliveryTag) = (handle, id, tag)
    (self.settled, self.more, self.aborted) = (settled, more, aborted)
  }
}

extension Disposition {
  package init(_ role: Role, _ first: UInt32, to last: UInt32? = nil, settled: Bool = true, _ state: DeliveryState?) {
    self.init()
    (self.role, self.first, self.last, self.settled) = (role, first, last, settled)
    self.state = state?.value ?? .null
  }
}

extension Detach {
  package init(handle: UInt32, closed: Bool = true, _ error: AMQPError? = nil) {
    self.init()
    (self.handle, self.closed, self.error) = (handle, closed, error)
  }
}
