/// The acceptor's half of 0-9-1: how a peer is greeted, and what it may ask for on its channels. Everything that a broker
/// would make (queues, exchanges, bindings) is answered as made: here a queue is whatever the application hands out, and
/// an exchange wherever it takes things. Publishes and consumers are in files of their own.
import Bytes
import Wire

extension Machine091 {
  // MARK: Connecting, §2.2.4

  mutating func readHeader() -> Bool {
    switch input.withReadable({ ProtocolHeader.read($0) }) {
    case .incomplete: return false
    case .header(.amqp091):
      input.consume(ProtocolHeader.size)
      phase = .startOK
      sendStart()
    case .other, .header:
      // §4.2.2: the header of what is spoken here, and the end.
      output.append(ProtocolHeader.amqp091.bytes)
      closeSent = true
      end(
        CloseReason(
          .transport, .local,
          AMQPError(Condition.framingError, "the peer does not speak \(ProtocolHeader.amqp091.description)")))
    }
    return true
  }

  private mutating func sendStart() {
    var entries = (settings.properties.entries ?? []).map { MapEntry(.string($0.key.text ?? ""), $0.value) }
    let capabilities = [
      "publisher_confirms", "basic.nack", "consumer_cancel_notify", "exchange_exchange_bindings", "per_consumer_qos",
      "authentication_failure_close",
    ]
    entries.append(
      MapEntry(.string("capabilities"), .map(capabilities.map { MapEntry(.string($0), .boolean(true)) })))
    entries.append(MapEntry(.string("cluster_name"), .string(settings.containerID)))
    send(
      0,
      MethodRecord(
        MethodID.connectionStart,
        [
          "version-minor": .ubyte(9), "server-properties": .map(entries),
          "mechanisms": .string(offered.map(\.rawValue).joined(separator: " ")), "locales": .string("en_US"),
        ]))
  }

  /// A method on channel 0 that only an acceptor hears.
  mutating func acceptorConnection(_ m: MethodRecord) {
    switch (phase, m.id) {
    case (.startOK, MethodID.connectionStartOK): receivedStartOK(m)
    case (.secureOK, MethodID.connectionSecureOK): receivedSecureOK(m)
    case (.tuneOK, MethodID.connectionTuneOK): receivedTuneOK(m)
    case (.open, MethodID.connectionOpen):
      peer.open.hostname = m.text("virtual-host")
      send(0, MethodRecord(MethodID.connectionOpenOK))
      phase = .running
      events.append(.opened)
    case (.running, MethodID.connectionUpdateSecret): send(0, MethodRecord(MethodID.connectionUpdateSecretOK))
    default: outOfPlace(m, "on channel 0")
    }
  }

  private mutating func receivedStartOK(_ m: MethodRecord) {
    let properties = m["client-properties"]
    peer.open.properties = properties
    peer.open.containerID = properties["connection_name"]?.text ?? ""
    peer.mechanism = m.text("mechanism")
    canNack = properties["capabilities"]?["basic.nack"]?.bool ?? false
    knowsRefusal = properties["capabilities"]?["authentication_failure_close"]?.bool ?? false
    let acceptor = SASLAcceptor(
      SASLMechanism(rawValue: m.text("mechanism")), settings, offered: offered, identity: identity)
    take(m.octets("response"), acceptor)
  }

  /// There is no leaving SASL out, so without mechanisms of ours everybody may be nobody.
  private var offered: [SASLMechanism] {
    settings.mechanisms.isEmpty ? [.plain, .anonymous] : settings.offered(identity: identity)
  }

  private mutating func receivedSecureOK(_ m: MethodRecord) {
    switch sasl {
    case .acceptor(let acceptor): take(m.octets("response"), acceptor)
    // It has heard our last word.
    case .accepted(let user): letIn(user)
    case .initiator, .none: outOfPlace(m, "on channel 0")
    }
  }

  private mutating func take(_ response: [UInt8], _ acceptor: SASLAcceptor) {
    var acceptor = acceptor
    do throws(SASLFault) {
      switch try acceptor.take(response) {
      case .challenge(let challenge):
        sasl = .acceptor(acceptor)
        secure(challenge)
      case .accepted(let user, let data):
        guard let data else { return letIn(user) }
        sasl = .accepted(user)
        secure(data)
      case .refused: refuse(AMQPError(.accessRefused, "credentials of \(peer.mechanism ?? "no mechanism") refused"))
      }
    } catch {
      refuse(AMQPError(.internalError, error.reason))
    }
  }

  private mutating func refuse(_ refusal: AMQPError) {
    // One that does not know the close at this moment takes the end of the stream for it.
    if knowsRefusal { close(refusal) }
    end(CloseReason(.sasl, .local, refusal))
  }

  private mutating func secure(_ challenge: [UInt8]) {
    send(0, MethodRecord(MethodID.connectionSecure, ["challenge": .binary(challenge)]))
    phase = .secureOK
  }

  private mutating func letIn(_ user: String) {
    sasl = .none
    peer.user = user
    heartbeat = Machine091.seconds(settings.idleTimeOut)
    send(
      0,
      MethodRecord(
        MethodID.connectionTune,
        ["channel-max": .ushort(channelMax), "frame-max": .uint(frameMax), "heartbeat": .ushort(heartbeat)]))
    phase = .tuneOK
  }

  private mutating func receivedTuneOK(_ m: MethodRecord) {
    let theirs = UInt32(m["frame-max"].unsigned ?? 0)
    if theirs != 0 && theirs < Frame091.minimumSize {
      return fail(.connection, AMQPError(.syntaxError, "frame-max \(theirs) is below \(Frame091.minimumSize)"))
    }
    frameMax = Machine091.tuned(frameMax, theirs)
    channelMax = Machine091.tuned(channelMax, UInt16(m["channel-max"].unsigned ?? 0))
    heartbeat = UInt16(m["heartbeat"].unsigned ?? 0)
    peer.open.maxFrameSize = frameMax
    peer.open.channelMax = channelMax
    peer.open.idleTimeOut = heartbeat == 0 ? nil : UInt32(heartbeat) * 1_000
    phase = .open
  }

  // MARK: Channels

  mutating func receivedChannelOpen(_ number: UInt16) {
    if number > channelMax || channel(number) != nil {
      let why = number > channelMax ? "is above \(channelMax)" : "is open"
      return fail(.connection, AMQPError(.channelError, "channel.open on channel \(number), which \(why)"))
    }
    var channel = Channel091(number)
    channel.state = .open
    let c = place(channel)
    reply(c, MethodRecord(MethodID.channelOpenOK))
  }

  /// Answers on a channel, unless a message of ours is in the middle of it: then behind that.
  mutating func reply(_ c: Int, _ m: MethodRecord) {
    // Behind our close nothing may stand.
    guard channels[c].isLive else { return }
    if channels[c].acceptor.replies.isEmpty && !channels[c].isCutting && output.count < Machine091.outputBound {
      return send(channels[c].number, m)
    }
    if channels[c].acceptor.replies.count >= Machine091.replyBound {
      return fail(.connection, AMQPError(.resourceError, "\(Machine091.replyBound) answers wait to be read"))
    }
    channels[c].acceptor.replies.append(m)
    workDue = true
  }

  /// Answers that a peer may leave unread on a channel before it is given up.
  private static var replyBound: Int { 4_096 }

  /// Answers, when they are wanted.
  private mutating func reply(_ c: Int, to m: MethodRecord, _ id: UInt32, _ fields: KeyValuePairs<String, Value> = [:])
  {
    if !(m["no-wait"].bool ?? false) { reply(c, MethodRecord(id, fields)) }
  }

  /// A method on a channel.
  mutating func acceptor(_ m: MethodRecord, _ c: Int) {
    switch m.id {
    case MethodID.exchangeDeclare: reply(c, to: m, MethodID.exchangeDeclareOK)
    case MethodID.exchangeDelete: reply(c, to: m, MethodID.exchangeDeleteOK)
    case MethodID.exchangeBind: reply(c, to: m, MethodID.exchangeBindOK)
    case MethodID.exchangeUnbind: reply(c, to: m, MethodID.exchangeUnbindOK)
    case MethodID.queueDeclare: declared(m, c)
    case MethodID.queueBind: reply(c, to: m, MethodID.queueBindOK)
    case MethodID.queueUnbind: reply(c, to: m, MethodID.queueUnbindOK)
    case MethodID.queuePurge: reply(c, to: m, MethodID.queuePurgeOK)
    case MethodID.queueDelete: reply(c, to: m, MethodID.queueDeleteOK)
    case MethodID.confirmSelect: confirmSelected(m, c)
    case MethodID.basicPublish: published(m, c)
    case MethodID.basicQos: received(qos: m, c)
    case MethodID.basicConsume: received(consume: m, c)
    case MethodID.basicCancel: received(cancel: m, c)
    case MethodID.basicGet: received(get: m, c)
    case MethodID.basicRecover, MethodID.basicRecoverAsync:
      giveBackAll(c)
      if m.id == MethodID.basicRecover { reply(c, MethodRecord(MethodID.basicRecoverOK)) }
    case MethodID.txSelect: selected(c)
    case MethodID.txCommit, MethodID.txRollback: ended(batch: m, c)
    default: outOfPlace(m, "on channel \(channels[c].number)")
    }
  }

  /// A queue without a name is given one, which `queue` "" means from here on.
  private mutating func declared(_ m: MethodRecord, _ c: Int) {
    var name = m.text("queue")
    if name.isEmpty {
      nextSerial += 1
      name = "amq.gen-\(nextSerial)"
    }
    channels[c].acceptor.lastQueue = name
    reply(c, to: m, MethodID.queueDeclareOK, ["queue": .string(name)])
  }

  private mutating func confirmSelected(_ m: MethodRecord, _ c: Int) {
    if channels[c].acceptor.batch != nil {
      return failChannel(c, AMQPError(.preconditionFailed, "a channel with transactions confirms nothing"))
    }
    confirm(c)
    reply(c, to: m, MethodID.confirmSelectOK)
  }

  /// What is published on the channel is the application's to settle.
  mutating func confirm(_ c: Int) {
    channels[c].confirms = true
    for l in links.indices where links[l].channel == c && links[l].role == .receiver {
      links[l].receiver.isSettled = false
    }
  }

  // MARK: What the application decides about a link

  mutating func accept(_ id: LinkID, _ adjust: (inout Attach) -> Void) {
    guard let l = index(id), links[l].state == .requested else { return }
    adjust(&links[l].local)
    links[l].state = .attached
    if links[l].role == .sender { accepted(consumer: l) }
  }

  mutating func refuse(_ id: LinkID, _ error: AMQPError) {
    guard let l = index(id), links[l].state == .requested else { return }
    links[l].isTold = true
    failChannel(links[l].channel, error)
  }

  mutating func acceptorDetach(_ l: Int, _ error: AMQPError?) {
    let c = links[l].channel
    links[l].detachError = error
    if let error { return closeChannel(c, error) }
    if links[l].role == .sender && !links[l].subscription.isGet {
      reply(c, MethodRecord(MethodID.basicCancel, ["consumer-tag": .string(links[l].subscription.tagText)]))
    }
    tell(l, CloseReason(.link, .local))
    retire(l)
  }

  // MARK: What is owed to the peer

  mutating func produceAcceptor() {
    for c in channels.indices where !channels[c].isCutting && channels[c].isLive {
      let replies = channels[c].acceptor.replies
      if replies.isEmpty { continue }
      channels[c].acceptor.replies = []
      for m in replies { send(channels[c].number, m) }
    }
    for l in links.indices where links[l].state == .attached && links[l].subscription.isCancelled {
      if links[l].sender.unsettled == 0 && links[l].sender.partial == nil { left(l) }
    }
  }

  /// The peer wants no more of a link, and owes nothing for it.
  mutating func left(_ l: Int) {
    tell(l, CloseReason(.link, .peer))
    retire(l)
  }
}
