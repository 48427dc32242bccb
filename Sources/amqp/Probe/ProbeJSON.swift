// A report for scripts: one JSON object, whose keys are those of `ProbeKeys` and of conditions. What is not known is left out.
import Bytes
import Console
import Render
import Transport
import Wire

enum ProbeJSON {
  static func object(_ report: ProbeReport) -> JSON {
    var o = JSONObject()
    o.add("peer", report.peer)
    o.add("time", report.time / 1_000_000)
    o.add("round", Int64(report.round))
    o.add("ok", report.failure == nil)
    o.add("error", report.failure.map(error))
    o.add("product", report.product)
    o.add("version", report.version)
    o.add("platform", report.platform)
    if let name = report.name {
      o.add("dns") {
        $0.add(ms: "ms", name.duration)
        $0.add("addresses", name.addresses)
      }
    }
    if let tcp = report.tcp {
      o.add("tcp") {
        $0.add(ms: "ms", tcp.duration)
        $0.add("address", tcp.address)
      }
    }
    if let tls = report.tls { o.add("tls") { ProbeJSON.add(tls, to: &$0) } }
    if !report.answers.isEmpty {
      o.add("speaks", report.answers.filter(\.isSpoken).map(\.row.key))
      o.add("protocols") { protocols in
        for answer in report.answers {
          protocols.add(answer.row.key) {
            $0.add("spoken", answer.isSpoken)
            $0.add("answer", answer.word)
            $0.add(ms: "ms", answer.duration)
          }
        }
      }
    }
    if !report.mechanisms.isEmpty { o.add("mechanisms", report.mechanisms) }
    o.add("credentials", report.areCredentialsAccepted.map { $0 ? "accepted" : "refused" })
    if let session = report.session {
      o.add("mechanism", session.mechanism)
      o.add("user", session.user)
      if !session.beats.isEmpty { o.add("rtt") { ProbeJSON.add(beats: session, to: &$0) } }
    }
    for session in report.sessions {
      o.add(session.is091 ? "amqp-0-9-1" : "amqp-1-0") { ProbeJSON.add(session, to: &$0) }
    }
    if !report.nodes.isEmpty {
      o.add("nodes", JSON.array(report.nodes.map { node in JSONObject { ProbeJSON.add(node, to: &$0) }.json }))
    }
    return o.json
  }

  static func error(_ failure: Failure) -> JSON {
    JSONObject {
      $0.add("what", failure.what)
      if !failure.why.isEmpty { $0.add("why", failure.why) }
      $0.add("next-step", failure.nextStep)
      $0.add("exit-status", Int64(failure.exitCode.rawValue))
    }.json
  }

  // MARK: TLS

  private static func add(_ tls: ProbeReport.TLS, to o: inout JSONObject) {
    o.add(ms: "ms", tls.duration)
    if !tls.version.isEmpty { o.add("version", tls.version) }
    if !tls.cipher.isEmpty { o.add("cipher", tls.cipher) }
    if tls.fault != nil || tls.isVerified { o.add("trusted", tls.fault == nil) }
    o.add("fault", tls.fault)
    guard let own = tls.chain.first else { return }
    add(own, tls, to: &o)
    o.add("chain", JSON.array(tls.chain.map { certificate in JSONObject { add(certificate, tls, to: &$0) }.json }))
  }

  private static func add(_ certificate: TLSCertificate, _ tls: ProbeReport.TLS, to o: inout JSONObject) {
    o.add("days-left", tls.daysLeft(certificate))
    o.add("subject", certificate.subject)
    o.add("issuer", certificate.issuer)
    let names = certificate.names.split(separator: ",").map { $0.drop { $0 == " " } }
    o.add("names", names.map(String.init))
    o.add("not-before", certificate.notBefore.map(date))
    o.add("not-after", certificate.notAfter.map(date))
  }

  private static func date(_ seconds: Int64) -> String {
    var text = ByteQueue()
    text.append(rfc3339: seconds * 1_000)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  // MARK: Sessions

  private static func add(_ session: SessionReport, to o: inout JSONObject) {
    o.add("open", session.isOpen)
    o.add("error", session.failure.map(error))
    o.add(ms: "open-ms", session.duration)
    switch session.login {
    case .accepted: o.add("credentials", "accepted")
    case .refused: o.add("credentials", "refused")
    case .unknown: break
    }
    o.add("mechanism", session.mechanism)
    o.add("user", session.user)
    o.add("container-id", session.containerID)
    o.add("frame-size", session.frameSize.map { Int64($0) })
    o.add("channels", session.channels.map { Int64($0) })
    o.add("idle-time-out-ms", session.idleTimeOut.map { Int64($0) })
    o.add("agreed-frame-size", session.agreedFrameSize.map { Int64($0) })
    o.add("agreed-channels", session.agreedChannels.map { Int64($0) })
    if !session.is091 {
      o.add("offered-capabilities", session.offeredCapabilities)
      o.add("desired-capabilities", session.desiredCapabilities)
    }
    if !session.properties.isNull { o.add("properties", JSON(plain: session.properties)) }
    o.add("blocked", session.blocked)
    if !session.beats.isEmpty { o.add("rtt") { add(beats: session, to: &$0) } }
  }

  private static func add(beats session: SessionReport, to o: inout JSONObject) {
    let latency = Latency(session.beats)
    o.add("of", session.beat)
    o.add("beats", Int64(session.beats.count))
    o.add(ms: "least-ms", latency.least)
    o.add(ms: "median-ms", latency.median)
    o.add(ms: "mean-ms", latency.mean)
    o.add(ms: "most-ms", latency.most)
  }

  // MARK: Nodes

  private static func add(_ node: NodeReport, to o: inout JSONObject) {
    o.add("name", node.name)
    o.add("exists", node.exists)
    o.add("error", node.failure.map(error))
    o.add("type", node.type)
    o.add("messages", node.messages.map { JSON.number("\($0)") })
    o.add("consumers", node.consumers.map { JSON.number("\($0)") })
    o.add("durable", node.isDurable)
    o.add("exclusive", node.isExclusive)
    o.add("auto-delete", node.isAutoDelete)
    o.add("leader", node.leader)
    if !node.replicas.isEmpty { o.add("replicas", node.replicas) }
    if !node.arguments.isNull { o.add("arguments", JSON(plain: node.arguments)) }
    for (key, terminus) in [("source", node.source), ("target", node.target)] {
      if let terminus { o.add(key) { add(terminus, to: &$0) } }
    }
  }

  private static func add(_ terminus: NodeReport.Terminus, to o: inout JSONObject) {
    o.add("address", terminus.address)
    o.add("credit", terminus.credit.map { Int64($0) })
    o.add("max-message-size", terminus.maxMessageSize.map { JSON.number("\($0)") })
    o.add("snd-settle-mode", terminus.sndSettleMode.name)
    o.add("rcv-settle-mode", terminus.rcvSettleMode.name)
    o.add("capabilities", terminus.capabilities)
    if !terminus.linkCapabilities.isEmpty { o.add("offered-capabilities", terminus.linkCapabilities) }
    if !terminus.filters.isEmpty { o.add("filters", terminus.filters) }
    if !terminus.outcomes.isEmpty { o.add("outcomes", terminus.outcomes) }
    o.add("distribution-mode", terminus.distributionMode)
    o.add("durable", Int64(terminus.durable))
    o.add("expiry-policy", terminus.expiryPolicy)
  }
}

extension SenderSettleMode {
  var name: String {
    switch self {
    case .unsettled: "unsettled"
    case .settled: "settled"
    case .mixed: "mixed"
    }
  }
}

extension ReceiverSettleMode {
  var name: String {
    switch self {
    case .first: "first"
    case .second: "second"
    }
  }
}

extension ProbeJSON {
  /// With what was expected of it.
  static func object(_ report: JSON, _ verdict: ProbeVerdict) -> JSON {
    guard !verdict.faults.isEmpty, case .object(let members) = report else { return report }
    let faults = verdict.faults.map { fault in
      JSONObject {
        $0.add("condition", fault.condition)
        $0.add("why", fault.why)
      }.json
    }
    return .object(members + [JSONMember("unmet", .array(faults))])
  }
}
