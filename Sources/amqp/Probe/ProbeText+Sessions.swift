// Sessions, their latency, and nodes, for people.
import Console
import Wire

extension ProbeText {
  // MARK: Sessions

  mutating func session(_ session: SessionReport) {
    head(session.is091 ? "AMQP 0-9-1" : "AMQP 1.0", "")
    login(session)
    if let failure = session.failure {
      line("failed", failure.why.isEmpty ? failure.what : failure.why, .bad)
      if let next = failure.nextStep { line("", next) }
    }
    guard let duration = session.duration else { return }
    line("open", ProbeText.time(duration))
    if let name = session.containerID { line(session.is091 ? "cluster" : "container-id", name) }
    let offered = session.is091 ? ProbeText.capabilities(session.properties) : session.offeredCapabilities
    if !offered.isEmpty { line("capabilities", ProbeText.list(offered)) }
    let own = ProbeText.limits(session.frameSize, session.channels, session.idleTimeOut)
    line("limits", own.isEmpty ? "none" : own)
    let agreed = ProbeText.limits(session.agreedFrameSize, session.agreedChannels, nil)
    if !agreed.isEmpty { line("agreed", agreed) }
    if let blocked = session.blocked { line("blocked", blocked, .bad) }
    beats(session)
  }

  private mutating func login(_ session: SessionReport) {
    let who = [session.mechanism, session.user.map { "'\($0)'" }].compactMap { $0 }.joined(separator: " as ")
    switch session.login {
    case .accepted: line("login", "\(who): accepted", .good)
    case .refused: line("login", "\(who): refused", .bad)
    case .unknown:
      if let mechanism = session.mechanism { line("login", "\(mechanism): not answered") }
      if session.mechanism == nil && session.duration != nil { line("login", "none: without SASL") }
    }
  }

  /// Those of 0-9-1 are a table in the server's properties.
  private static func capabilities(_ properties: Value) -> [String] {
    (properties["capabilities"]?.entries ?? []).compactMap { $0.value.bool == true ? $0.key.text : nil }
  }

  private static func limits(_ frameSize: UInt32?, _ channels: Int?, _ idleTimeOut: UInt32?) -> String {
    list(
      [
        frameSize.map { "frames of \($0) octets" }, channels.map { $0 == 1 ? "1 channel" : "\($0) channels" },
        idleTimeOut.map { "idle time-out \(durationText(Int64($0) * 1_000_000))" },
      ].compactMap { $0 })
  }

  // MARK: Latency

  private mutating func beats(_ session: SessionReport) {
    if session.beats.isEmpty { return line("round trip", "no answer to \(session.beat)", .bad) }
    let latency = Latency(session.beats)
    let extremes = "\(ProbeText.time(latency.least)) to \(ProbeText.time(latency.most))"
    line(
      "round trip",
      "\(ProbeText.time(latency.median)), the median of \(session.beats.count) (\(session.beat)), \(extremes)")
    for row in latency.classes {
      let range = ProbeText.right("\(ProbeText.time(row.from)) - \(ProbeText.time(row.to))", 20)
      line("", "\(range)  \(String(repeating: "#", count: row.count))", .dim)
    }
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }

  // MARK: Nodes

  mutating func node(_ node: NodeReport) {
    guard let exists = node.exists else {
      let why = node.failure.map { $0.why.isEmpty ? $0.what : $0.why }
      return head(node.name, why ?? "not known: nobody could be asked", .bad)
    }
    if !exists { return head(node.name, node.failure?.why ?? "it doesn't exist", .bad) }
    var parts = [node.type.map { ["classic", "quorum", "stream"].contains($0) ? "\($0) queue" : $0 } ?? "exists"]
    if let n = node.messages { parts.append(n == 1 ? "1 message" : "\(n) messages") }
    if let n = node.consumers { parts.append(n == 1 ? "1 consumer" : "\(n) consumers") }
    head(node.name, ProbeText.list(parts), .good)
    if let failure = node.failure { line("but", failure.why, .bad) }
    let lifetime = [
      node.isDurable.map { $0 ? "durable" : "transient" }, node.isExclusive == true ? "exclusive" : nil,
      node.isAutoDelete == true ? "auto-delete" : nil,
    ].compactMap { $0 }
    if !lifetime.isEmpty { line("lifetime", ProbeText.list(lifetime)) }
    let arguments = (node.arguments.entries ?? []).map { entry in
      "\(entry.key.text ?? "?")=\(entry.value.text ?? entry.value.signed.map { "\($0)" } ?? "…")"
    }
    if !arguments.isEmpty { line("arguments", ProbeText.list(arguments)) }
    if let leader = node.leader {
      let others = node.replicas.filter { $0 != leader }
      line("leader", leader + (others.isEmpty ? "" : ", replicas \(ProbeText.list(others))"))
    }
    if let source = node.source { line("receiving", ProbeText.terminus(source)) }
    if let target = node.target { line("sending", ProbeText.terminus(target)) }
  }

  private static func terminus(_ terminus: NodeReport.Terminus) -> String {
    var parts = [terminus.address].compactMap { $0 }
    if let credit = terminus.credit { parts.append("credit \(credit)") }
    if let size = terminus.maxMessageSize { parts.append("messages of at most \(size) octets") }
    parts.append("snd-settle-mode \(terminus.sndSettleMode.name), rcv-settle-mode \(terminus.rcvSettleMode.name)")
    if let mode = terminus.distributionMode { parts.append("distribution-mode \(mode)") }
    for (what, items) in [
      ("capabilities", terminus.capabilities + terminus.linkCapabilities), ("filters", terminus.filters),
      ("outcomes", terminus.outcomes.map { $0.hasPrefix("amqp:") ? String($0.dropFirst(5).prefix { $0 != ":" }) : $0 }),
    ] where !items.isEmpty {
      parts.append("\(what) \(items.joined(separator: " "))")
    }
    return list(parts)
  }
}

extension Value {
  /// Any of the integers that fits.
  fileprivate var signed: Int64? {
    switch self {
    case .byte(let v): Int64(v)
    case .short(let v): Int64(v)
    case .int(let v): Int64(v)
    case .long(let v): v
    default: unsigned.map { Int64(clamping: $0) }
    }
  }
}
