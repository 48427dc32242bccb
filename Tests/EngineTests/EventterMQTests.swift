/// Our initiator against a broker that is strict where others are lax and lax where others are strict.
import Bytes
import Engine
import Support
import Testing
import Wire

/// How the connection begins.
enum Entry: String, CaseIterable, CustomTestStringConvertible {
  case bare, anonymous, plain
  var testDescription: String { rawValue }

  var settings: ConnectionSettings {
    var settings = ConnectionSettings(.initiator)
    switch self {
    case .bare: settings.mechanisms = []
    case .anonymous: settings.mechanisms = [.anonymous]
    case .plain: (settings.user, settings.password) = ("guest", "guest")
    }
    return settings
  }

  var mechanism: String? {
    switch self {
    case .bare: nil
    case .anonymous: "ANONYMOUS"
    case .plain: "PLAIN"
    }
  }
}

/// Both of them, and the octets in between.
final class Conversation {
  let end: End
  var broker: EventterMQ
  var now: Int64 = 0
  /// The most octets that arrive at once.
  var chunk = Int.max

  init(_ settings: ConnectionSettings, _ broker: EventterMQ = EventterMQ()) {
    end = End(settings)
    self.broker = broker
  }

  /// Lets octets travel until both are silent.
  func run() {
    var turns = 0
    while !broker.isOver {
      let there = end.output(now: now)
      broker.receive(there, now: now)
      let back = broker.takeOutput(now: now)
      var rest = back[...]
      while !rest.isEmpty {
        end.receive(rest.prefix(chunk), now: now)
        rest = rest.dropFirst(chunk)
      }
      if broker.isOver { end.receivedEnd() }
      if there.isEmpty && back.isEmpty { return }
      turns += 1
      precondition(turns < 100_000, "two ends that never fall silent")
    }
  }

  func advance(milliseconds: Int64) {
    now += milliseconds * 1_000_000
    end.tick(now: now)
    broker.tick(now: now)
    run()
  }

  func attach(_ role: Role, _ address: String, snd: SenderSettleMode = .unsettled) -> LinkID {
    let link = end.connection.attach(Attach(role, role == .sender ? "s" : "r", snd: snd, to: address))
    run()
    return link
  }

  /// Sends the whole message, as room comes.
  func send(_ link: LinkID, _ number: Int, _ body: [UInt8], settled: Bool = false) -> Bool {
    var draft = MessageDraft()
    draft.header = [.boolean(true)]
    draft.body = [.data(body)]
    var message = ByteQueue()
    draft.encode(into: &message)
    var offset = 0
    while offset < message.count {
      let before = offset
      offset = end.deliver(link, number, message.bytes, from: offset, settled: settled)
      run()
      if offset == before { return false }
    }
    return true
  }

  /// Everything in good order, and both ends know.
  func close() -> Bool {
    end.connection.close()
    run()
    return end.takeLog().last == "closed connection local" && broker.isOver && broker.complaints.isEmpty
  }
}

/// The octets of the data sections, and whether something about the message was wrong but tolerable.
private func read(_ message: [UInt8]) -> (body: [UInt8], hasWarning: Bool, isMalformed: Bool) {
  var dissector = Dissector()
  let b = message.span
  dissector.message(b, in: 0..<b.count)
  var body: [UInt8] = []
  for (i, node) in dissector.nodes.enumerated() where node.place == .section {
    if CompositeSpec.row(node.row)?.code == Code.data, let data = dissector.child(of: i, field: nil) {
      body += b.extracting(dissector.nodes[data].contentRange).array
    }
  }
  return (body, !dissector.problems.isEmpty, dissector.isMalformed)
}

@Suite("EventterMQ") struct EventterMQTests {
  // MARK: Sending

  @Test("sends at least once", arguments: Entry.allCases) func sends(_ entry: Entry) {
    let c = Conversation(entry.settings)
    let link = c.attach(.sender, "/ns/topic")
    #expect(c.end.takeLog() == ["opened", "attached s"])
    #expect(c.broker.mechanism == entry.mechanism)
    #expect(c.end.room(link) == 65_535)
    for i in 0..<3 { #expect(c.send(link, i, text("m\(i)"))) }
    #expect(c.end.takeLog() == ["answered s 0...0 accepted", "answered s 1...1 accepted", "answered s 2...2 accepted"])
    #expect(c.end.unsettled(link) == 0)
    #expect(c.broker.queues == ["/ns/group": [text("m0"), text("m1"), text("m2")]])
    #expect(c.close())
  }

  @Test("sends a message of many frames", arguments: Entry.allCases) func sendsLarge(_ entry: Entry) {
    let c = Conversation(entry.settings)
    let link = c.attach(.sender, "/ns/topic")
    let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    #expect(c.send(link, 0, body))
    #expect(c.broker.heard.count { $0.code == Code.transfer } == 4)
    #expect(c.broker.queues["/ns/group"] == [body])
    #expect(c.end.takeLog().last == "answered s 0...0 accepted")
    #expect(c.close())
  }

  @Test("sends at most once", arguments: Entry.allCases) func sendsSettled(_ entry: Entry) {
    let c = Conversation(entry.settings)
    let link = c.attach(.sender, "/ns/topic", snd: .settled)
    for i in 0..<3 { #expect(c.send(link, i, text("m\(i)"), settled: true)) }
    #expect(c.broker.queues["/ns/group"] == [text("m0"), text("m1"), text("m2")])
    #expect(c.end.takeLog() == ["opened", "attached s"])
    #expect(c.close())
  }

  @Test("goes on with credit that is refilled without delivery-count") func refilled() {
    var broker = EventterMQ()
    broker.credit = 10
    let c = Conversation(Entry.bare.settings, broker)
    let link = c.attach(.sender, "/ns/topic")
    #expect(c.end.room(link) == 10)
    for i in 0..<100 { #expect(c.send(link, i, text("m\(i)"))) }
    #expect(c.broker.queues["/ns/group"] == (0..<100).map { text("m\($0)") })
    #expect(c.broker.grants == 21)
    #expect(c.close())
  }

  // MARK: Receiving

  @Test("receives and accepts", arguments: Entry.allCases) func accepts(_ entry: Entry) {
    let c = Conversation(entry.settings)
    for i in 0..<5 { c.broker.publish(text("m\(i)"), to: "/ns/group") }
    let link = c.attach(.receiver, "/ns/group")
    c.end.connection.grant(link, start: 3, ceiling: 3)
    c.run()
    #expect(c.end.messages.map { read($0).body } == [text("m0"), text("m1"), text("m2")])
    c.end.connection.settle(link, 0...2, .accept)
    c.run()
    c.end.connection.settle(link, 3...4, .accept)
    c.run()
    #expect(c.end.messages.map { read($0).body } == (0..<5).map { text("m\($0)") })
    #expect(c.broker.consumed == (0..<5).map { text("m\($0)") })
    #expect(c.broker.unsettled == 0)
    #expect(c.close())
  }

  @Test("receives a message of many frames, octet by octet", arguments: [Int.max, 1_000, 1])
  func receivesLarge(_ chunk: Int) {
    let c = Conversation(Entry.bare.settings)
    c.chunk = chunk
    let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    c.broker.publish(body, to: "/ns/group")
    let link = c.attach(.receiver, "/ns/group")
    c.end.connection.grant(link, start: 1, ceiling: 1)
    c.run()
    #expect(c.end.messages.map { read($0).body } == [body])
    c.end.connection.settle(link, 0...0, .accept)
    #expect(c.close())
    #expect(c.broker.consumed == [body])
  }

  @Test("takes a map without its count, and names it") func emptyMap() {
    let c = Conversation(Entry.bare.settings)
    c.broker.publish(text("m"), to: "/ns/group")
    let link = c.attach(.receiver, "/ns/group")
    c.end.connection.grant(link, start: 1, ceiling: 1)
    c.run()
    let found = c.end.messages.map { read($0) }
    #expect(found.map(\.body) == [text("m")])
    #expect(found.map(\.isMalformed) == [false])
    #expect(found.map(\.hasWarning) == [true])
  }

  @Test("releases, and gets it again", arguments: Entry.allCases) func releases(_ entry: Entry) {
    let c = Conversation(entry.settings)
    for i in 0..<3 { c.broker.publish(text("m\(i)"), to: "/ns/group") }
    let link = c.attach(.receiver, "/ns/group")
    c.end.connection.grant(link, start: 3, ceiling: 3, budget: 3)
    c.run()
    c.end.connection.settle(link, 0...0, .accept)
    c.end.connection.settle(link, 1...2, .release)
    c.run()
    #expect(c.broker.consumed == [text("m0")])
    #expect(c.broker.queues["/ns/group"] == [text("m1"), text("m2")])
    c.end.connection.grant(link, start: 3, ceiling: 3, budget: 5)
    c.run()
    #expect(c.end.messages.map { read($0).body } == ["m0", "m1", "m2", "m1", "m2"].map(text))
    c.end.connection.settle(link, 3...4, .accept)
    c.run()
    #expect(c.broker.consumed == [text("m0"), text("m1"), text("m2")])
    #expect(c.close())
  }

  @Test("receives at most once, and owes nothing for it", arguments: Entry.allCases) func receivesSettled(
    _ entry: Entry
  ) {
    let c = Conversation(entry.settings)
    for i in 0..<20 { c.broker.publish(text("m\(i)"), to: "/ns/group") }
    let link = c.attach(.receiver, "/ns/group", snd: .settled)
    c.end.react = { end, event in
      if case .delivery(let d) = event { end.connection.settle(d.link, d.number...d.number, .accept) }
    }
    c.end.connection.grant(link, start: 4, ceiling: 8)
    c.run()
    #expect(c.end.messages.map { read($0).body } == (0..<20).map { text("m\($0)") })
    #expect(!c.broker.heard.contains { $0.code == Code.disposition })
    #expect(c.close())
  }

  @Test("gives what it prefetched back when it stops") func stops() {
    let c = Conversation(Entry.bare.settings)
    for i in 0..<10 { c.broker.publish(text("m\(i)"), to: "/ns/group") }
    let link = c.attach(.receiver, "/ns/group")
    c.end.connection.grant(link, start: 20, ceiling: 20)
    c.run()
    c.end.connection.settle(link, 0...0, .accept)
    c.end.connection.stop(link)
    c.run()
    // The echo comes on handle 0 and says no delivery-count.
    #expect(c.end.takeLog().last == "stopped r")
    c.end.connection.settle(link, 0...9, .release)
    c.run()
    #expect(c.broker.consumed == [text("m0")])
    #expect(c.broker.queues["/ns/group"] == (1..<10).map { text("m\($0)") })
    #expect(c.close())
  }

  @Test("falls silent and goes on when drain is ignored", arguments: Entry.allCases) func drains(_ entry: Entry) {
    let c = Conversation(entry.settings)
    for i in 0..<3 { c.broker.publish(text("m\(i)"), to: "/ns/group") }
    let link = c.attach(.receiver, "/ns/group")
    c.end.connection.grant(link, start: 10, ceiling: 10)
    c.end.connection.drain(link)
    c.run()
    #expect(c.end.messages.count == 3)
    c.end.connection.settle(link, 0...2, .accept)
    c.advance(milliseconds: 5_000)
    #expect(!c.end.takeLog().contains("drained r"))
    // Who has waited long enough stops.
    c.end.connection.stop(link)
    c.run()
    #expect(c.end.takeLog() == ["stopped r"])
    #expect(c.broker.consumed.count == 3)
    #expect(c.close())
  }

  // MARK: Refusals and ends

  @Test(
    "tells the reason of a refusal and not what the answer to it brings", arguments: Entry.allCases,
    [Role.sender, .receiver])
  func refuses(_ entry: Entry, _ role: Role) {
    let c = Conversation(entry.settings)
    _ = c.attach(role, "/ns/nowhere")
    let name = role == .sender ? "s" : "r"
    #expect(
      c.end.takeLog() == [
        "opened", "attached \(name)", "detached \(name) link peer amqp:not-found (no node '/ns/nowhere')",
      ])
    #expect(c.close())
  }

  @Test("hears that exactly once is not to be had") func second() {
    let c = Conversation(Entry.bare.settings)
    _ = c.end.connection.attach(Attach(.receiver, "r", rcv: .second, to: "/ns/group"))
    c.run()
    #expect(
      c.end.takeLog() == ["opened", "detached r session peer amqp:not-implemented (rcv-settle-mode second)"])
    c.end.connection.close()
    c.run()
    #expect(c.end.takeLog() == ["closed connection local"])
  }

  @Test("knows an end of stream in SASL for a refused mechanism") func unknownMechanism() throws {
    var broker = EventterMQ()
    broker.receive(ProtocolHeader.sasl10.bytes, now: 0)
    let initial = Record(Code.saslInit, [.symbol("EXTERNAL")])
    broker.receive(ScriptedPeer.frame(initial, type: .sasl), now: 0)
    #expect(broker.isOver)
    // What the engine makes of it, whatever the mechanism was.
    let end = End(Entry.plain.settings)
    _ = end.output(now: 0)
    end.receive(broker.takeOutput(now: 0), now: 0)
    end.receivedEnd()
    #expect(
      end.takeLog() == ["closed sasl peer amqp:connection:forced (closed without an answer to the credentials)"])
  }

  // MARK: Silence

  @Test("keeps the connection, and notices when the broker is gone", arguments: Entry.allCases)
  func keepsAlive(_ entry: Entry) {
    var settings = entry.settings
    settings.idleTimeOut = 30_000
    var broker = EventterMQ()
    broker.idleTimeOut = 8_000
    let c = Conversation(settings, broker)
    _ = c.attach(.sender, "/ns/topic")
    for _ in 0..<100 { c.advance(milliseconds: 1_000) }
    #expect(c.broker.keepalives == 25)
    #expect(c.end.takeLog() == ["opened", "attached s"])
    #expect(c.broker.complaints.isEmpty)
    c.end.tick(now: c.now + 60_000_000_000)
    #expect(c.end.takeLog().last == "closed transport local amqp:resource-limit-exceeded (nothing came for 60000 ms)")
  }

  // MARK: That the broker is as strict as it should be: else nothing above means anything

  @Test("finds fault with what others let pass", arguments: EventterMQTests.faults)
  func isStrict(_ fault: Fault) {
    var broker = EventterMQ()
    var open = Open()
    open.containerID = "t"
    open.idleTimeOut = 30_000
    var begin = Begin()
    (begin.incomingWindow, begin.outgoingWindow) = (100, 100)
    broker.receive(ProtocolHeader.amqp10.bytes, now: 0)
    if !fault.complaint.contains("open") && !fault.complaint.contains("idle") {
      for record in [open.record, begin.record, Attach(.sender, "s", to: "/ns/topic").record] {
        broker.receive(ScriptedPeer.frame(record), now: 0)
      }
      #expect(broker.complaints.isEmpty)
    }
    broker.receive(fault.frame, now: 0)
    #expect(broker.complaints == [fault.complaint])
  }

  struct Fault: CustomTestStringConvertible {
    let frame: [UInt8]
    let complaint: String
    init(_ frame: [UInt8], _ complaint: String) { (self.frame, self.complaint) = (frame, complaint) }
    var testDescription: String { complaint }
  }

  static let faults: [Fault] = {
    func frame(_ code: UInt64, _ fields: [Value], _ payload: [UInt8] = []) -> [UInt8] {
      // Not of a record, which trims nulls.
      var q = ByteQueue()
      q.appendFrame(.amqp, channel: 0) { q in
        q.append(.described(descriptor: .ulong(code), value: .list(fields)))
        q.append(payload)
      }
      return q.bytes
    }
    func attach(_ source: Value) -> [UInt8] {
      frame(Code.attach, [.string("x"), .uint(1), .boolean(true), .null, .null, source])
    }
    func source(_ fields: [Value]) -> Value { .described(descriptor: .ulong(Code.source), value: .list(fields)) }
    let nulls = [Value](repeating: .null, count: 11)
    let outcomes = [.string("/ns/group")] + nulls[1...8] + [Value(symbols: ["amqp:accepted:list"])]
    let single =
      [.string("/ns/group")] + nulls[1...7] + [
        Record(Code.released).value, Value(symbols: ["a"]), Value.symbol("queue"),
      ]
    let filter = [.string("/ns/group")] + nulls[1...6] + [Value.map([])]
    let symbolic = Value.described(descriptor: .symbol("amqp:source:list"), value: .list([.string("/ns/group")]))
    let body = octets("005377a10161")
    let id: [Value] = [.uint(0), .uint(0), .binary([0]), .uint(0)]
    return [
      Fault(frame(Code.open, [.string("t"), .null, .null, .null, .null, .null]), "closed: a null at the end of open"),
      Fault(frame(Code.open, [.string("t")]), "closed: idle-time-out absent"),
      Fault(frame(Code.open, [.string("t"), .null, .null, .null, .uint(999)]), "closed: idle-time-out 999"),
      Fault(
        frame(Code.open, [.string(String(repeating: "t", count: 500)), .null, .null, .null, .uint(1_000)]),
        "closed: an open of 533 octets"
      ),
      Fault(attach(source([.string("/ns/group"), .null])), "closed: a null at the end of source"),
      Fault(attach(source(outcomes)), "closed: a null as source.default-outcome"),
      Fault(attach(source(single)), "closed: a single symbol as source.capabilities"),
      Fault(attach(source(filter)), "closed: a filter"),
      Fault(attach(symbolic), "closed: a descriptor that is no number"),
      Fault(
        frame(Code.disposition, [.boolean(true), .uint(7), .uint(7), .boolean(true), Record(Code.accepted).value]),
        "died: a disposition for delivery 7, which nobody waits for"
      ),
      Fault(
        frame(Code.disposition, [.boolean(true), .uint(7), .uint(7), .boolean(true), .null, .boolean(true)]),
        "closed: a null as disposition.state"
      ),
      Fault(
        frame(Code.disposition, [.boolean(true), .uint(7), .null, .boolean(true), Record(Code.accepted).value]),
        "took all: a disposition without last"
      ),
      Fault(
        frame(Code.flow, [.uint(1), .uint(100), .uint(0), .uint(100), .uint(0), .uint(0), .uint(0)]),
        "ended: a flow of a sender"
      ),
      Fault(frame(Code.transfer, [.uint(0), .null, .binary([0])], body), "ended: a transfer without delivery-id"),
      Fault(frame(Code.transfer, id, body), "closed: a body that is no data"),
    ]
  }()
}
