// What `--forward` comes to: where to, over which connection, as what kind of link.
import Console
import Engine
import Wire

struct ForwardPlan {
  let target: NodeAddress
  let connect: ConnectPlan
  /// The source's peer, by another connection: one that takes no messages for a while must not hold up what settles them.
  /// It speaks what the source's connection turned out to speak, unless an option says otherwise.
  let isSamePeer: Bool
  let attach: Attach
  /// Nanoseconds without an answer after which the target is given up.
  let patience: Int64 = 30_000_000_000

  /// Nil without `--forward`.
  init?(_ arguments: ParsedArguments, _ mode: SettlementMode) throws(Failure) {
    guard let text = arguments.value("forward") else {
      for option in ["forward-url", "forward-profile", "forward-protocol"] where arguments.flag(option) {
        throw .usage("--\(option)", "nothing is forwarded", nextStep: "add --forward TARGET")
      }
      return nil
    }
    for option in ["format", "raw", "json", "null", "delimiter", "settle"] where arguments.flag(option) {
      throw .usage(
        "--forward and \(arguments.spelling(option))",
        option == "settle" ? "what the target says decides" : "a forwarded message is not printed",
        nextStep: option == "settle" ? "leave --settle out" : "--save DIR keeps a copy of each")
    }
    if mode != .atLeastOnce {
      throw .usage(
        "--forward with --mode \(mode.rawValue)", "a message is settled when the target has accepted it",
        nextStep: "leave --mode out")
    }
    let stays = !arguments.flag("forward-url") && !arguments.flag("forward-profile")
    isSamePeer = stays
    if stays && arguments.flag("listen") {
      throw .usage(
        "--forward with --listen", "there is no peer to send to",
        nextStep: "add --forward-url URL or --forward-profile NAME")
    }
    target = NodeAddress(text)
    // Who we are at the one peer says nothing of who we are at the other.
    let identity = ["url", "user", "password-file", "vhost", "hostname", "container-id", "sasl", "server-name"]
    var kept = (ConnectOptions.group.options + TLSOptions.group.options).map(\.long).filter { $0 != "listen" }
    kept.removeAll { $0 == "protocol" || $0 == "profile" || (!stays && identity.contains($0)) }
    kept += ["verbose", "quiet", "color", "show-secrets", "timeout"]
    let other = try arguments.renamed(
      ["forward-url": "url", "forward-profile": "profile", "forward-protocol": "protocol"], keeping: kept,
      keepsProfile: stays,
      replacing: stays ? [:] : ["AMQP_PASSWORD": "AMQP_FORWARD_PASSWORD"])
    connect = try ConnectPlan(other, needs: [DialectChoice.need(address: target)].compactMap { $0 })
    var attach = Attach()
    attach.role = .sender
    attach.name = "forward-\(ConnectPlan.freshName())"
    attach.sndSettleMode = .unsettled
    attach.source = Source(address: attach.name)
    attach.target = Target()
    self.attach = attach
    speaksAsSource = stays && !arguments.flag("forward-protocol")
  }

  private let speaksAsSource: Bool

  /// What is tried first.
  func dialect(source: DialectChoice.Protocols?) -> DialectChoice.Protocols {
    if speaksAsSource, let source, connect.choice.order.contains(source) { return source }
    return connect.choice.order[0]
  }
}
