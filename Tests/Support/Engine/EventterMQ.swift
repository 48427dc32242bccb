/// A peer with the habits of EventterMQ, a broker of 2019, as its source and a run of it show them: fed octets and the
/// time, it answers octets. Messages sent to `/{namespace}/{topic}` wait in the groups bound to the topic, from which
/// `/{namespace}/{consumer-group}` receives. It is written on Wire alone, so that what it says of the engine is not the
/// engine's own opinion.
///
/// It speaks 0-9-1 on the same port: `EventterMQ091` takes over when the header says so.
///
/// Where the real broker closes a connection, ends a session or dies, this one does and notes why in `complaints`.
import Bytes
import Wire

package struct EventterMQ {
  /// Why it closed the connection, ended the session or died, in order. A refused link is none.
  package private(set) var complaints: [String] = []
  /// Frames that came, without empty ones.
  package private(set) var heard: [Record] = []
  /// Empty frames that came.
  package private(set) var keepalives = 0
  /// Flows that granted credit.
  package private(set) var grants = 0
  /// The mechanism that was used, nil without SASL.
  package private(set) var mechanism: String?
  /// It has shut its end: what is in `takeOutput` is the last.
  package private(set) var isOver = false
  /// The bodies that wait in each group.
  package var queues: [String: [[UInt8]]]
  /// Deliveries that came settled or were accepted.
  package private(set) var consumed: [[UInt8]] = []
  /// The most unsettled messages it takes.
  package var credit: UInt32 = 65_535
  package var idleTimeOut: UInt32 = 60_000

  private let bindings: [String: [String]]
  private var phase = Phase.header
  private var input = ByteQueue()
  private var output = ByteQueue()
  private var dissector = Dissector()
  private var open = Open()
  private var session: Session?
  /// The peer speaks 0-9-1: all that follows the header is this one's.
  package private(set) var classic: EventterMQ091?
  private var lastReceived: Int64 = 0
  private var lastSent: Int64 = 0

  private enum Phase { case header, saslInit, amqpHeader, open, running }

  private struct Session {
    let channel: UInt16
    var nextIncomingID: UInt32
    var nextOutgoingID: UInt32 = 1
    var nextDeliveryID: UInt32 = 1
    var remoteWindow: UInt32
    var links: [UInt32: Link] = [:]
    /// What was delivered and not settled.
    var unsettled: [UInt32: (handle: UInt32, body: [UInt8])] = [:]
    /// It has sent end: nothing more is heard.
    var isEnded = false
  }

  private struct Link {
    /// The peer's role.
    let role: Role
    let address: String
    let settles: Bool
    /// Its detach with the refusal is out.
    var isRefused = false
    var credit: UInt32 = 0
    var partial: (id: UInt32, settled: Bool, payload: [UInt8])?
  }

  private static let window: UInt32 = 65_535

  /// Topics and the groups that get their messages.
  package init(_ bindings: [String: [String]] = ["/ns/topic": ["/ns/group"]]) {
    self.bindings = bindings
    queues = [:]
    for group in bindings.values.joined() { queues[group] = [] }
  }

  // MARK: The world

  package mutating func receive(_ bytes: some Collection<UInt8>, now: Int64) {
    if isOver { return }
    lastReceived = now
    if classic != nil {
      classic?.receive(Array(bytes))
      return follow()
    }
    input.append(Array(bytes))
    while !isOver && classic == nil && step() {}
    if classic != nil && !input.isEmpty {
      classic?.receive(input.bytes)
      follow()
    }
  }

  /// What the 0-9-1 side came to is true of the whole.
  private mutating func follow() {
    guard let classic else { return }
    (isOver, complaints, queues, consumed) = (classic.isOver, classic.complaints, classic.queues, classic.consumed)
  }

  /// Keepalives within half of the peer's time, and the end of a peer that is silent for all of its own.
  package mutating func tick(now: Int64) {
    guard phase == .running, !isOver else { return }
    if now - lastReceived >= Int64(idleTimeOut) * 1_000_000 { return die("nothing came for \(idleTimeOut) ms") }
    if now - lastSent >= Int64(open.idleTimeOut ?? 0) * 500_000 { output.appendKeepalive() }
  }

  package mutating func takeOutput(now: Int64) -> [UInt8] {
    if classic != nil {
      defer { follow() }
      return classic?.takeOutput() ?? []
    }
    deliver()
    if !output.isEmpty { lastSent = now }
    defer { output.removeAll() }
    return output.bytes
  }

  /// Puts a message into a group.
  package mutating func publish(_ body: [UInt8], to group: String) {
    queues[group, default: []].append(body)
    classic?.queues[group, default: []].append(body)
  }

  /// Deliveries that wait for a disposition.
  package var unsettled: Int { classic?.unsettled ?? session?.unsettled.count ?? 0 }

  // MARK: Octets

  private mutating func step() -> Bool {
    if phase == .header || phase == .amqpHeader {
      guard input.count >= ProtocolHeader.size else { return false }
      guard case .header(let header) = input.withReadable({ ProtocolHeader.read($0) }) else {
        die("no AMQP header")
        return false
      }
      input.consume(ProtocolHeader.size)
      accept(header)
      return true
    }
    var frame: (channel: UInt16, type: UInt8, record: Record?, payload: [UInt8], size: Int)?
    var fault: String?
    input.withReadable { b in
      guard case .frame(let end) = dissector.frame(b, at: 0, payload: .opaque) else {
        if case .lost = dissector.frame(b, at: 0, payload: .opaque) { fault = "a frame of no size" }
        return
      }
      fault = dissector.firstFault.map(\.text) ?? strictness(b, end)
      frame = (b.u16(6), b[5], nil, [], end)
      if dissector.nodes.count > 1 {
        frame?.record = dissector.record(at: 1, b)
        frame?.payload = b.extracting(dissector.nodes[1].range.upperBound..<end).array
      }
    }
    if let fault {
      close(fault)
      return false
    }
    guard let frame else { return false }
    input.consume(frame.size)
    guard let record = frame.record else {
      keepalives += 1
      return true
    }
    heard.append(record)
    take(record, channel: frame.channel, isSASL: frame.type == 1, frame.payload)
    return true
  }

  /// What the specification allows in a frame and this broker does not.
  private func strictness(_ b: Span<UInt8>, _ size: Int) -> String? {
    for (i, node) in dissector.nodes.enumerated() {
      if node.place == .descriptor && node.constructor != 0x53 && node.constructor != 0x80 {
        return "a descriptor that is no number"
      }
      let row = CompositeSpec.row(node.row)
      if node.kind == .list, row != nil, let last = children(of: i).last, last.isNull {
        return "a null at the end of \(row?.name ?? "a list")"
      }
      guard node.place == .field, let row, let fields = row.fields, Int(node.field) < fields.count else { continue }
      let name = fields[Int(node.field)].name
      switch name {
      case "default-outcome" where node.isNull, "state" where node.isNull: return "a null as \(row.name).\(name)"
      case "filter" where !node.isNull: return "a filter"
      case "capabilities", "offered-capabilities", "desired-capabilities":
        if node.kind == .scalar && !node.isNull { return "a single symbol as \(row.name).\(name)" }
      default: break
      }
      if row.name == "open" && size > 512 { return "an open of \(size) octets" }
    }
    return nil
  }

  private func children(of index: Int) -> [Node] {
    var found: [Node] = []
    var i = index + 1
    while i < Int(dissector.nodes[index].next) {
      found.append(dissector.nodes[i])
      i = Int(dissector.nodes[i].next)
    }
    return found
  }

  private mutating func send(_ record: Record, payload: [UInt8] = [], _ type: FrameType = .amqp) {
    let channel = type == .sasl ? 0 : session?.channel ?? 0
    output.appendFrame(type, channel: channel) { q in
      q.append(record)
      q.append(payload)
    }
  }

  // MARK: Ends

  /// It crashes: no word, end of stream.
  private mutating func die(_ why: String) {
    complaints.append("died: \(why)")
    isOver = true
  }

  private mutating func close(_ why: String) {
    complaints.append("closed: \(why)")
    output.appendFrame(.amqp, channel: 0) { q in
      q.append(Record(Code.close, [AMQPError("amqp:decode-error", why).record.value]))
    }
    isOver = true
  }

  private mutating func end(_ condition: String, _ why: String, isComplaint: Bool = true) {
    if isComplaint { complaints.append("ended: \(why)") }
    send(Record(Code.end, [AMQPError(condition, why).record.value]))
    requeue { _ in true }
    session?.isEnded = true
  }

  // MARK: Connecting

  private mutating func accept(_ header: ProtocolHeader) {
    switch header {
    case .sasl10 where phase == .header:
      output.append(header.bytes)
      send(Record(Code.saslMechanisms, [Value(symbols: ["PLAIN", "ANONYMOUS"])]), .sasl)
      phase = .saslInit
    case .amqp10:
      output.append(header.bytes)
      phase = .open
    case .amqp091 where phase == .header: classic = EventterMQ091(bindings, queues: queues)
    default: die("\(header.description) is not for this port")
    }
  }

  private mutating func take(_ r: Record, channel: UInt16, isSASL: Bool, _ payload: [UInt8]) {
    switch (phase, r.code) {
    case (.saslInit, Code.saslInit) where isSASL:
      mechanism = r[0].text
      guard mechanism == "PLAIN" || mechanism == "ANONYMOUS" else {
        // End of stream, and no outcome.
        isOver = true
        return
      }
      send(Record(Code.saslOutcome, [.ubyte(SASLCode.ok.rawValue)]), .sasl)
      phase = .amqpHeader
    case (.open, Code.open):
      open = Open(r)
      guard let idle = open.idleTimeOut, (1_000...3_600_000).contains(idle) else {
        return close("idle-time-out \(open.idleTimeOut.map { "\($0)" } ?? "absent")")
      }
      var mine = Open()
      mine.containerID = "eventter-mq"
      mine.maxFrameSize = 65_536
      mine.idleTimeOut = idleTimeOut
      send(mine.record)
      phase = .running
    case (.running, Code.begin): begin(Begin(r), channel)
    case (.running, Code.close):
      output.appendFrame(.amqp, channel: 0) { q in q.append(Record(Code.close)) }
      isOver = true
    case (.running, _):
      guard let session, session.channel == channel else { return close("a frame outside of a session") }
      if !session.isEnded { sessionFrame(r, payload) }
    default: close("performative \(r.code) where it can't stand")
    }
  }

  private mutating func begin(_ begin: Begin, _ channel: UInt16) {
    if session.map({ !$0.isEnded }) ?? false { return close("a second session") }
    session = Session(channel: channel, nextIncomingID: begin.nextOutgoingID, remoteWindow: begin.incomingWindow)
    var mine = Begin()
    mine.remoteChannel = channel
    mine.nextOutgoingID = 1
    mine.incomingWindow = EventterMQ.window
    mine.outgoingWindow = EventterMQ.window
    send(mine.record)
  }

  private mutating func sessionFrame(_ r: Record, _ payload: [UInt8]) {
    switch r.code {
    case Code.attach: attach(Attach(r))
    case Code.flow: flow(Flow(r))
    case Code.transfer: transfer(Transfer(r), payload)
    case Code.disposition: disposition(Disposition(r))
    case Code.detach: detach(Detach(r))
    case Code.end:
      // Never answered.
      requeue { _ in true }
      session?.isEnded = true
    default: close("performative \(r.code) where it can't stand")
    }
  }

  // MARK: Links

  private mutating func attach(_ asked: Attach) {
    if asked.rcvSettleMode == .second { return end("amqp:not-implemented", "rcv-settle-mode second") }
    if asked.target?.coordinator == true { return end("amqp:not-implemented", "a coordinator") }
    let address = (asked.role == .sender ? asked.target?.address : asked.source?.address)?.text ?? ""
    let exists = asked.role == .sender ? bindings[address] != nil : queues[address] != nil
    var mine = asked
    mine.role = asked.role == .sender ? .receiver : .sender
    // Not even where it is the sender.
    mine.initialDeliveryCount = nil
    send(mine.record)
    var link = Link(role: asked.role, address: address, settles: asked.sndSettleMode == .settled)
    if exists {
      if asked.role == .sender { link.credit = credit }
    } else {
      link.isRefused = true
      var detach = Detach()
      detach.handle = asked.handle
      detach.closed = true
      detach.error = AMQPError("amqp:not-found", "no node '\(address)'")
      send(detach.record)
    }
    session?.links[asked.handle] = link
    if link.credit > 0 { sendFlow(asked.handle, link.credit) }
  }

  private mutating func detach(_ detach: Detach) {
    guard let link = session?.links[detach.handle] else { return end("amqp:session:unattached-handle", "a detach") }
    if link.isRefused {
      // For the broker the link ended with its own detach.
      return end("amqp:session:unattached-handle", "no such handle", isComplaint: false)
    }
    requeue { $0 == detach.handle }
    session?.links[detach.handle] = nil
    var mine = Detach()
    mine.handle = detach.handle
    mine.closed = detach.closed
    send(mine.record)
  }

  private mutating func flow(_ flow: Flow) {
    session?.remoteWindow = flow.incomingWindow
    if let handle = flow.handle {
      guard let link = session?.links[handle] else { return end("amqp:session:unattached-handle", "a flow") }
      if link.isRefused { return }
      if link.role == .sender { return end("amqp:not-allowed", "a flow of a sender") }
      // Read as it stands; that the peer drains is ignored.
      session?.links[handle]?.credit = flow.linkCredit ?? 0
    }
    if flow.echo { sendFlow(0, session?.links[0]?.credit ?? 0) }
  }

  private mutating func sendFlow(_ handle: UInt32, _ credit: UInt32) {
    guard let session else { return }
    if session.links[handle]?.role == .sender { grants += 1 }
    var flow = Flow()
    flow.nextIncomingID = session.nextIncomingID
    flow.incomingWindow = EventterMQ.window
    flow.nextOutgoingID = session.nextOutgoingID
    flow.outgoingWindow = EventterMQ.window
    flow.handle = handle
    // And never a delivery-count.
    flow.linkCredit = credit
    send(flow.record)
  }

  // MARK: Messages that come

  private mutating func transfer(_ t: Transfer, _ payload: [UInt8]) {
    session?.nextIncomingID &+= 1
    guard var link = session?.links[t.handle], link.role == .sender, !link.isRefused else {
      return end("amqp:session:unattached-handle", "a transfer")
    }
    guard let id = t.deliveryID else { return end("amqp:invalid-field", "a transfer without delivery-id") }
    if let partial = link.partial {
      if partial.id != id { return end("amqp:invalid-field", "a transfer of another delivery") }
      link.partial?.payload += payload
    } else {
      guard t.deliveryTag != nil else { return end("amqp:invalid-field", "a delivery without tag") }
      if link.credit == 0 { return end("amqp:link:transfer-limit-exceeded", "a delivery without credit") }
      link.credit -= 1
      link.partial = (id, t.settled ?? false, payload)
    }
    let whole = t.more ? nil : link.partial
    if !t.more { link.partial = nil }
    let isLow = link.credit <= credit / 2
    if isLow { link.credit = credit }
    session?.links[t.handle] = link
    if let whole { arrived(whole, at: link.address) }
    if isLow && !isOver { sendFlow(t.handle, credit) }
  }

  private mutating func arrived(_ message: (id: UInt32, settled: Bool, payload: [UInt8]), at topic: String) {
    var body: [UInt8] = []
    var fault: String?
    let b = message.payload.span
    dissector.message(b, in: 0..<b.count)
    fault = dissector.firstFault.map(\.text) ?? strictness(b, 0)
    for node in dissector.nodes where node.place == .section {
      switch CompositeSpec.row(node.row)?.code {
      case Code.amqpSequence, Code.amqpValue: fault = "a body that is no data"
      default: break
      }
    }
    for (i, node) in dissector.nodes.enumerated() where node.place == .section {
      if CompositeSpec.row(node.row)?.code == Code.data, let data = dissector.child(of: i, field: nil) {
        body += b.extracting(dissector.nodes[data].contentRange).array
      }
    }
    if let fault { return close(fault) }
    for group in bindings[topic] ?? [] { queues[group, default: []].append(body) }
    if message.settled { return }
    var answer = Disposition()
    answer.role = .receiver
    answer.first = message.id
    answer.last = message.id
    answer.settled = true
    answer.state = DeliveryState.accepted.value
    send(answer.record)
  }

  // MARK: Messages that go

  private mutating func deliver() {
    guard phase == .running, !isOver, let links = session?.links, session?.isEnded == false else { return }
    for (handle, asked) in links.sorted(by: { $0.key < $1.key }) where asked.role == .receiver && !asked.isRefused {
      while let link = session?.links[handle], link.credit > 0, let body = queues[link.address]?.first {
        queues[link.address]?.removeFirst()
        session?.links[handle]?.credit -= 1
        deliver(body, handle, settled: link.settles)
      }
    }
  }

  private mutating func deliver(_ body: [UInt8], _ handle: UInt32, settled: Bool) {
    guard let id = session?.nextDeliveryID else { return }
    session?.nextDeliveryID += 1
    if settled { consumed.append(body) } else { session?.unsettled[id] = (handle, body) }
    // An empty map of application-properties without its count, which is malformed; then the body.
    var message = ByteQueue()
    message.append(octets("005374c100"))
    message.appendDataHead(body.count)
    message.append(body)
    var rest = message.bytes[...]
    let room = Int(min(open.maxFrameSize, 65_536)) - 64
    repeat {
      var t = Transfer()
      t.handle = handle
      t.deliveryID = id
      t.deliveryTag = [UInt8(truncatingIfNeeded: id >> 8), UInt8(truncatingIfNeeded: id)]
      t.messageFormat = 0
      t.settled = settled
      t.more = rest.count > room
      send(t.record, payload: Array(rest.prefix(room)))
      session?.nextOutgoingID &+= 1
      rest = rest.dropFirst(room)
    } while !rest.isEmpty
  }

  private mutating func disposition(_ d: Disposition) {
    guard d.role == .receiver, let session else { return die("a disposition of a sender") }
    guard d.settled else { return end("amqp:not-implemented", "a disposition that does not settle") }
    let state = DeliveryState(d.state)
    guard state == .accepted || state == .released else { return close("an outcome it does not know") }
    // Without last it takes all from the first on.
    let ids =
      d.last.map { Array(d.first...max(d.first, $0)) } ?? session.unsettled.keys.filter { $0 >= d.first }.sorted()
    if d.last == nil { complaints.append("took all: a disposition without last") }
    for id in ids where session.unsettled[id] == nil {
      return die("a disposition for delivery \(id), which nobody waits for")
    }
    if state == .released {
      requeue(ids)
    } else {
      for id in ids {
        if let body = session.unsettled[id]?.body { consumed.append(body) }
        self.session?.unsettled[id] = nil
      }
    }
  }

  private mutating func requeue(where isGone: (UInt32) -> Bool) {
    requeue((session?.unsettled ?? [:]).filter { isGone($0.value.handle) }.keys.sorted())
  }

  /// Back in front of what waits, in order.
  private mutating func requeue(_ ids: [UInt32]) {
    for id in ids.reversed() {
      guard let entry = session?.unsettled.removeValue(forKey: id), let link = session?.links[entry.handle] else {
        continue
      }
      queues[link.address, default: []].insert(entry.body, at: 0)
    }
  }
}
