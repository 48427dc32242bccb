/// `EventterMQ` as it speaks 0-9-1: a virtual host is a namespace ("/" is `default`), an exchange a topic, a queue a group.
/// Written on Wire alone, as its 1.0 side is. What makes the real broker hang up or break does the same here and leaves a
/// note in `complaints`.
import Bytes
import Wire

package struct EventterMQ091 {
  package private(set) var complaints: [String] = []
  /// Methods that came.
  package private(set) var heard: [MethodRecord] = []
  package private(set) var isOver = false
  package var queues: [String: [[UInt8]]]
  package private(set) var consumed: [[UInt8]] = []

  private let bindings: [String: [String]]
  private var phase = Phase.startOK
  private var namespace = "default"
  private var input = ByteQueue()
  private var output = ByteQueue()
  private var channels: [UInt16: Channel] = [:]
  private static let frameMax: UInt32 = 65_536

  private enum Phase { case startOK, tuneOK, open, running }

  private struct Channel {
    var publish: (topic: String, size: Int?, body: [UInt8])?
    var consumers: [(tag: String, group: String, settles: Bool)] = []
    var prefetch = 0
    var nextTag: UInt64 = 1
    var unsettled: [UInt64: (group: String, body: [UInt8])] = [:]
  }

  package init(_ bindings: [String: [String]], queues: [String: [[UInt8]]]) {
    self.bindings = bindings
    self.queues = queues
    send(
      0,
      MethodRecord(
        MethodID.connectionStart,
        ["version-minor": .ubyte(9), "mechanisms": .string("PLAIN ANONYMOUS"), "locales": .string("en_US")]))
  }

  package var unsettled: Int { channels.values.reduce(0) { $0 + $1.unsettled.count } }

  // MARK: The world

  package mutating func receive(_ bytes: [UInt8]) {
    input.append(bytes)
    while !isOver && step() {}
  }

  package mutating func takeOutput() -> [UInt8] {
    deliver()
    defer { output.removeAll() }
    return output.bytes
  }

  private mutating func step() -> Bool {
    var frame: Frame091?
    var payload: [UInt8] = []
    var fault: String?
    input.withReadable { b in
      switch Frame091.read(b, at: 0, largest: EventterMQ091.frameMax) {
      case .incomplete: break
      case .malformed(let problem): fault = problem.text
      case .frame(let f):
        frame = f
        payload = b.extracting(f.payload).array
      }
    }
    if let fault { die(fault) }
    guard let frame else { return false }
    input.consume(frame.end)
    switch frame.type {
    case .heartbeat: die("a heartbeat")
    case .method:
      do throws(Problem) {
        let record = try MethodRecord(payload.span, 0..<payload.count)
        heard.append(record)
        take(record, frame.channel)
      } catch { die(error.text) }
    case .header: header(payload, frame.channel)
    case .body: body(payload, frame.channel)
    }
    return true
  }

  private mutating func send(_ channel: UInt16, _ record: MethodRecord) {
    try? output.appendMethod(channel: channel, record)
  }

  /// End of stream, and no word.
  private mutating func die(_ why: String) {
    complaints.append("died: \(why)")
    isOver = true
  }

  private mutating func close(_ code: UInt16, _ text: String) {
    complaints.append("closed: \(text)")
    send(
      0, MethodRecord(MethodID.connectionClose, ["reply-code": .ushort(code), "reply-text": .string(text)]))
    isOver = true
  }

  // MARK: Methods

  private mutating func take(_ r: MethodRecord, _ channel: UInt16) {
    switch (phase, r.id) {
    case (.startOK, MethodID.connectionStartOK):
      send(
        0,
        MethodRecord(
          MethodID.connectionTune,
          ["channel-max": .ushort(2047), "frame-max": .uint(EventterMQ091.frameMax), "heartbeat": .ushort(60)]))
      phase = .tuneOK
    case (.tuneOK, MethodID.connectionTuneOK): phase = .open
    case (.open, MethodID.connectionOpen):
      let name = r.text("virtual-host")
      namespace = name == "/" ? "default" : name
      send(0, MethodRecord(MethodID.connectionOpenOK))
      phase = .running
    case (_, MethodID.connectionClose):
      guard r["reply-code"].unsigned == 200 else { return die("a close with \(r["reply-code"].unsigned ?? 0)") }
      send(0, MethodRecord(MethodID.connectionCloseOK))
      isOver = true
    case (.running, _): running(r, channel)
    default: die("method \(r.id) where it can't stand")
    }
  }

  private mutating func running(_ r: MethodRecord, _ channel: UInt16) {
    if r.id == MethodID.channelOpen {
      channels[channel] = Channel()
      return send(channel, MethodRecord(MethodID.channelOpenOK))
    }
    guard channels[channel] != nil else { return die("a method on channel \(channel), which is not open") }
    if channels[channel]?.publish != nil { return die("a method where a content was due") }
    switch r.id {
    case MethodID.channelClose:
      giveBack(channel)
      channels[channel] = nil
      send(channel, MethodRecord(MethodID.channelCloseOK))
    case MethodID.exchangeDeclare, MethodID.queueDeclare:
      guard r["durable"].bool == true || r["passive"].bool == true else { return close(540, "only durable ones") }
      if r.id == MethodID.exchangeDeclare { return send(channel, MethodRecord(MethodID.exchangeDeclareOK)) }
      send(channel, MethodRecord(MethodID.queueDeclareOK, ["queue": .string(r.text("queue"))]))
    case MethodID.queueBind: send(channel, MethodRecord(MethodID.queueBindOK))
    case MethodID.basicQos:
      channels[channel]?.prefetch = Int(r["prefetch-count"].unsigned ?? 0)
      send(channel, MethodRecord(MethodID.basicQosOK))
    case MethodID.basicConsume: consume(r, channel)
    case MethodID.basicCancel:
      channels[channel]?.consumers.removeAll { $0.tag == r.text("consumer-tag") }
      send(channel, MethodRecord(MethodID.basicCancelOK, ["consumer-tag": .string(r.text("consumer-tag"))]))
    case MethodID.basicPublish:
      if r["mandatory"].bool == true || r["immediate"].bool == true { return close(540, "mandatory or immediate") }
      let exchange = r.text("exchange")
      let topic = "/\(namespace)/\(exchange.isEmpty ? "default" : exchange)"
      channels[channel]?.publish = (topic, nil, [])
    case MethodID.basicAck: consumed += settled(r, channel).map(\.body)
    case MethodID.basicReject, MethodID.basicNack:
      let messages = settled(r, channel)
      if r["requeue"].bool == true { putBack(messages) }
    case MethodID.basicGet: get(r, channel)
    case MethodID.confirmSelect: die("confirm.select")
    case MethodID.txSelect: close(540, "transactions")
    default: die("method \(r.id) where it can't stand")
    }
  }

  private mutating func consume(_ r: MethodRecord, _ channel: UInt16) {
    let group = "/\(namespace)/\(r.text("queue"))"
    guard queues[group] != nil else { return refuse(channel, "no queue '\(r.text("queue"))'") }
    let tag = r.text("consumer-tag").isEmpty ? "consumer-\(channel)" : r.text("consumer-tag")
    channels[channel]?.consumers.append((tag, group, r["no-ack"].bool == true))
    send(channel, MethodRecord(MethodID.basicConsumeOK, ["consumer-tag": .string(tag)]))
  }

  private mutating func get(_ r: MethodRecord, _ channel: UInt16) {
    let group = "/\(namespace)/\(r.text("queue"))"
    guard let waiting = queues[group] else { return refuse(channel, "no queue '\(r.text("queue"))'") }
    guard let body = waiting.first, let tag = take(from: group, channel, settles: r["no-ack"].bool == true) else {
      return send(channel, MethodRecord(MethodID.basicGetEmpty))
    }
    send(channel, MethodRecord(MethodID.basicGetOK, ["delivery-tag": .ulong(tag), "routing-key": .string("")]))
    content(channel, body)
  }

  private mutating func refuse(_ channel: UInt16, _ text: String) {
    channels[channel] = nil
    send(channel, MethodRecord(MethodID.channelClose, ["reply-code": .ushort(404), "reply-text": .string(text)]))
  }

  // MARK: Contents

  private mutating func header(_ payload: [UInt8], _ channel: UInt16) {
    guard payload.count >= 14, channels[channel]?.publish != nil else { return die("a content header") }
    // It takes the first bit for the last: any property is read as another one.
    if payload[12] != 0 || payload[13] != 0 { return die("property flags it takes for others") }
    channels[channel]?.publish?.size = payload[4..<12].reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func body(_ payload: [UInt8], _ channel: UInt16) {
    guard let size = channels[channel]?.publish?.size else { return die("a body") }
    channels[channel]?.publish?.body += payload
    guard let publish = channels[channel]?.publish, publish.body.count >= size else { return }
    channels[channel]?.publish = nil
    for group in bindings[publish.topic] ?? [] { queues[group, default: []].append(publish.body) }
  }

  private mutating func content(_ channel: UInt16, _ body: [UInt8]) {
    output.appendContentHeader(channel: channel, bodySize: UInt64(body.count), properties: [0, 0].span)
    // An empty body has a frame of its own as well.
    output.appendBody(channel: channel, body.span)
  }

  private mutating func deliver() {
    for channel in channels.keys.sorted() {
      for consumer in channels[channel]?.consumers ?? [] {
        while let body = queues[consumer.group]?.first,
          let tag = take(from: consumer.group, channel, settles: consumer.settles)
        {
          send(
            channel,
            MethodRecord(
              MethodID.basicDeliver,
              ["consumer-tag": .string(consumer.tag), "delivery-tag": .ulong(tag), "exchange": .string("default")]))
          content(channel, body)
        }
      }
    }
  }

  /// The next delivery-tag, when the channel may have another message.
  private mutating func take(from group: String, _ channel: UInt16, settles: Bool) -> UInt64? {
    guard var c = channels[channel], !(queues[group]?.isEmpty ?? true) else { return nil }
    if !settles && c.prefetch > 0 && c.unsettled.count >= c.prefetch { return nil }
    let body = queues[group]!.removeFirst()
    let tag = c.nextTag
    c.nextTag += 1
    if settles { consumed.append(body) } else { c.unsettled[tag] = (group, body) }
    channels[channel] = c
    return tag
  }

  /// The messages that a method settles, oldest first.
  private mutating func settled(_ r: MethodRecord, _ channel: UInt16) -> [(group: String, body: [UInt8])] {
    let tag = r["delivery-tag"].unsigned ?? 0
    let multiple = r["multiple"].bool == true
    let unsettled = channels[channel]?.unsettled ?? [:]
    let tags = unsettled.keys.filter { $0 == tag || multiple && ($0 < tag || tag == 0) }.sorted()
    if tags.isEmpty { die("a delivery-tag that nobody has") }
    return tags.compactMap { channels[channel]?.unsettled.removeValue(forKey: $0) }
  }

  private mutating func giveBack(_ channel: UInt16) {
    let unsettled = channels[channel]?.unsettled ?? [:]
    putBack(unsettled.keys.sorted().compactMap { unsettled[$0] })
  }

  /// In front of what waits, in the order in which they were there.
  private mutating func putBack(_ messages: [(group: String, body: [UInt8])]) {
    for message in messages.reversed() { queues[message.group, default: []].insert(message.body, at: 0) }
  }
}
