// The run of `probe --listen`: lets clients in, hears what they announce and ask for, and keeps none of their messages.
import Bytes
import Console
import Engine
import Render
import Runtime
import Transport
import Wire

final class ProbeListener: Looped {
  typealias Failure = Console.Failure

  private final class Client {
    let served: Served
    let watch: ClientWatch
    var report: ClientReport
    /// How much of it is printed.
    var printedDeeds = 0
    var isPrinted = false

    init(_ served: Served, _ watch: ClientWatch) {
      (self.served, self.watch) = (served, watch)
      report = ClientReport(peer: served.peer.name, time: Clock.wall)
    }
  }

  private let plan: ProbePlan
  private let connect: ConnectPlan
  private let diagnostics: Diagnostics
  private let signals: Signals?
  private let trace: Trace?
  private let listener: ListeningSocket
  private var clients: [Client] = []
  private var gone = 0
  private let started = Clock.now
  private(set) var result = ExitCode.success
  private var closingUntil: Int64?

  init(_ plan: ProbePlan, _ diagnostics: Diagnostics, signals: Signals?, trace: Trace?) throws(Failure) {
    (self.plan, self.diagnostics, self.signals, self.trace) = (plan, diagnostics, signals, trace)
    connect = plan.peers[0]
    listener = try Listening.open(connect.listen!, diagnostics)
  }

  // MARK: The turn

  func turn(now: Int64) throws(Failure) -> Bool {
    if closingUntil == nil {
      while let client = try accept(now: now) { clients.append(client) }
    }
    for client in clients { try serve(client, now: now) }
    clients.removeAll { $0.served.peer.isGone }
    return ends(now: now)
  }

  private func accept(now: Int64) throws(Failure) -> Client? {
    let watch = ClientWatch()
    let both = Trace { [trace] in
      let traced = trace?.tap()
      return { direction, octets in
        traced?(direction, octets)
        if direction == .incoming { watch.take(octets) }
      }
    }
    return try Listening.accept(listener, connect, now: now, trace: both).map { Client($0, watch) }
  }

  private func ends(now: Int64) -> Bool {
    if let closingUntil { return clients.isEmpty || now >= closingUntil }
    var isOver = plan.count.map { gone >= $0 } ?? false
    if let signal = signals?.first {
      result = signal == .interrupt ? .interrupted : .terminated
      isOver = true
    }
    if let timeout = plan.timeout, now - started >= timeout {
      diagnostics.report(
        Failure(
          "\(gone == 1 ? "1 client" : "\(gone) clients") in \(durationText(timeout))", exitCode: .incomplete))
      result = .incomplete
      isOver = true
    }
    guard isOver else { return false }
    for client in clients where !client.served.isOver {
      client.served.peer.connection.close(AMQPError(Condition.connectionForced, "the probe ends"))
      client.served.peer.flush(now: now)
    }
    closingUntil = now + 500_000_000
    return clients.isEmpty
  }

  private func serve(_ client: Client, now: Int64) throws(Failure) {
    let served = client.served
    served.peer.read(now: now)
    while !served.isOver, let event = served.peer.connection.nextEvent() { handle(event, client) }
    describe(client)
    if let failure = served.peer.failure, !served.isOver {
      client.report.end = Explanation(peer: served.peer.name, plan: connect).failure(failure).why
      served.isOver = true
    }
    try printNews(client)
    let all = served.peer.flush(now: now)
    if served.isOver && (all || !served.peer.isConnected) {
      served.peer.drop()
      gone += 1
      try printEnd(client)
    }
  }

  private func handle(_ event: Event, _ client: Client) {
    let peer = client.served.peer
    switch event {
    case .opened:
      peer.isOpen()
      client.served.isOpen = true
    case .attachRequested(let link): requested(link, client)
    case .delivery(let delivery):
      client.report.messages += 1
      client.report.octets += delivery.message.count
      peer.connection.settle(
        delivery.link, delivery.number...delivery.number,
        .reject(AMQPError(Condition.notImplemented, "amqp probe keeps no messages")))
    case .closed(let reason):
      client.served.isOver = true
      if reason.error != nil && closingUntil == nil {
        client.report.end = Explanation(peer: peer.name, plan: connect).text(reason)
      }
    case .attached, .detached, .aborted, .answered, .settledBySender, .drained, .stopped, .blocked, .unblocked,
      .declared, .discharged:
      break
    }
  }

  /// Everything is granted, and everybody may send.
  private func requested(_ link: LinkID, _ client: Client) {
    let asked = client.served.peer.connection.remoteAttach(link)
    if asked.target?.coordinator == true {
      return client.served.peer.connection.refuse(link, AMQPError(Condition.notImplemented, "no transactions here"))
    }
    client.served.peer.connection.accept(link) { attach in
      if attach.source?.dynamic == true { attach.source?.address = .string("dynamic") }
      if attach.target?.dynamic == true { attach.target?.address = .string("dynamic") }
    }
    if asked.role == .sender { client.served.peer.connection.grant(link, start: 100, ceiling: 100) }
  }

  private func describe(_ client: Client) {
    let peer = client.served.peer
    let description = peer.connection.peer
    client.report.header = client.watch.header?.description
    client.report.deeds += client.watch.news()
    if let session = peer.session {
      client.report.tls = (session.version, session.cipher)
      client.report.certificate = session.certificates.first?.subject ?? client.report.certificate
    }
    client.report.mechanism = description.mechanism
    client.report.user = description.mechanism == "ANONYMOUS" ? nil : description.user
    client.report.isLetIn = description.user != nil
    let open = description.open
    if !open.properties.isNull { client.report.properties = open.properties }
    if !open.containerID.isEmpty { client.report.containerID = open.containerID }
    guard client.served.isOpen else { return }
    client.report.is091 = client.served.speaks091
    client.report.hostname = open.hostname
    client.report.frameSize = open.maxFrameSize == .max ? nil : open.maxFrameSize
    client.report.channels = client.served.speaks091 ? Int(open.channelMax) : Int(open.channelMax) + 1
    client.report.idleTimeOut = open.idleTimeOut
    client.report.offeredCapabilities = open.offeredCapabilities
    client.report.desiredCapabilities = open.desiredCapabilities
  }

  // MARK: Output

  /// For people: who it is as soon as that is known, then what it does.
  private func printNews(_ client: Client) throws(Failure) {
    guard case .text(let isColored) = plan.form else { return }
    if !client.isPrinted && (client.served.isOpen || client.served.isOver) {
      client.isPrinted = true
      try write { ClientText.append(client.report, isColored: isColored, to: &$0) }
    }
    guard client.isPrinted else { return }
    while client.printedDeeds < client.report.deeds.count {
      let deed = client.report.deeds[client.printedDeeds]
      client.printedDeeds += 1
      try write { ClientText.append(deed, of: client.report.peer, to: &$0) }
    }
  }

  private func printEnd(_ client: Client) throws(Failure) {
    switch plan.form {
    case .text: try write { ClientText.appendEnd(client.report, to: &$0) }
    case .json:
      try write {
        $0.append(ClientJSON.object(client.report))
        $0.append("\n")
      }
    }
  }

  private func write(_ fill: (inout ByteQueue) -> Void) throws(Failure) {
    var q = ByteQueue()
    fill(&q)
    // Whoever has read enough goes away, and we end.
    let isRead = try q.withReadable { (b) throws(Failure) in try StandardOutput.writeLines(b) }
    if !isRead { closingUntil = 0 }
  }

  // MARK: Waiting

  func register(_ polls: inout PollSet) {
    _ = polls.add(listener.number, read: closingUntil == nil)
    for client in clients { client.served.peer.register(&polls) }
  }

  var deadline: Int64? {
    var at = clients.compactMap(\.served.peer.deadline)
    if let closingUntil { at.append(closingUntil) }
    if let timeout = plan.timeout { at.append(started + timeout) }
    return at.min()
  }
}
