// What the options about addresses and links come to: an attach of part 2 §2.7.3, without the address.
import Console
import Engine
import Wire

enum LinkOptions {
  /// `--queue`, or `--exchange` and `--routing-key`.
  static func namedAddress(_ arguments: ParsedArguments) throws(Failure) -> NodeAddress? {
    if let name = arguments.value("queue") {
      if arguments.flag("exchange") || arguments.flag("routing-key") {
        throw .usage("--queue and --exchange", "a message goes to one of them")
      }
      return .queue(name)
    }
    if let name = arguments.value("exchange") { return .exchange(name, key: arguments.value("routing-key")) }
    // The default exchange routes by queue name.
    if let key = arguments.value("routing-key") { return .queue(key) }
    return nil
  }

  /// `--batch`, and what can't be done in transactions.
  static func batch(_ arguments: ParsedArguments, _ mode: SettlementMode) throws(Failure) -> Int? {
    guard mode == .transaction else {
      if arguments.flag("batch") {
        throw .usage("--batch", "messages are counted together in a transaction", nextStep: "add --mode transaction")
      }
      return nil
    }
    if arguments.flag("listen") {
      throw .usage("--mode transaction and --listen", "there is nobody here who could coordinate transactions")
    }
    if arguments.isGiven("dry-run") {
      throw .usage("--mode transaction and --dry-run", "nothing is committed in a dry run")
    }
    for option in ["snd-settle-mode", "rcv-settle-mode"] where arguments.flag(option) {
      throw .usage("--mode transaction and --\(option)", "the transaction decides about settlement")
    }
    return arguments.count("batch")
  }

  static func attach(_ arguments: ParsedArguments, role: Role, mode: SettlementMode) throws(Failure) -> Attach {
    var attach = Attach()
    attach.role = role
    attach.name = arguments.value("link-name") ?? "\(role == .sender ? "send" : "receive")-\(ConnectPlan.freshName())"
    switch mode {
    case .atMostOnce: attach.sndSettleMode = .settled
    case .atLeastOnce, .transaction: attach.sndSettleMode = .unsettled
    case .exactlyOnce:
      attach.sndSettleMode = .unsettled
      attach.rcvSettleMode = .second
    }
    switch arguments.value("snd-settle-mode") {
    case "unsettled": attach.sndSettleMode = .unsettled
    case "settled": attach.sndSettleMode = .settled
    case "mixed": attach.sndSettleMode = .mixed
    default: break
    }
    switch arguments.value("rcv-settle-mode") {
    case "first": attach.rcvSettleMode = .first
    case "second": attach.rcvSettleMode = .second
    default: break
    }
    var source = Source()
    var target = Target()
    let durability =
      ["none", "configuration", "unsettled-state"].firstIndex(of: arguments.value("terminus-durability") ?? "none") ?? 0
    let expiry = arguments.flag("terminus-expiry") ? arguments.value("terminus-expiry") : nil
    let seconds = UInt32(clamping: (arguments.nanoseconds("terminus-timeout") ?? 0) / 1_000_000_000)
    let capabilities = arguments.values("capability")
    let dynamic = arguments.flag("dynamic")
    var lifetime = Value.null
    if dynamic, let policy = arguments.value("dynamic") {
      let row = CompositeSpec.all.first { $0.name == policy }
      lifetime = .map([
        MapEntry(.symbol("lifetime-policy"), Record(row?.code ?? Code.deleteOnClose).value)
      ])
    }
    if role == .sender {
      target.durable = UInt32(durability)
      target.expiryPolicy = expiry
      target.timeout = seconds
      target.capabilities = capabilities
      target.dynamic = dynamic
      target.dynamicNodeProperties = lifetime
      source.address = .string(attach.name)
    } else {
      source.durable = UInt32(durability)
      source.expiryPolicy = expiry
      source.timeout = seconds
      source.capabilities = capabilities
      source.dynamic = dynamic
      source.dynamicNodeProperties = lifetime
      // No outcomes: a null default-outcome would stand in front of them, over which one broker closes the connection.
    }
    if role == .receiver { attach.properties = try properties(arguments, &source) }
    attach.source = source
    attach.target = target
    return attach
  }

  /// Of a receiver: its priority, and what only basic.consume has, which no 1.0 peer is sent.
  private static func properties(_ arguments: ParsedArguments, _ source: inout Source) throws(Failure) -> Value {
    var entries: [MapEntry] = []
    if let priority = arguments.number("consumer-priority") {
      entries.append(MapEntry(.symbol("rabbitmq:priority"), .int(Int32(clamping: priority))))
    }
    var own: [MapEntry] = []
    for text in arguments.values("argument") {
      do throws(TextFault) { own.append(try DeclareOptions.argument(text)) } catch {
        throw .usage("--argument '\(text)'", error.reason, nextStep: "--argument x-priority=5")
      }
    }
    if !own.isEmpty { entries.append(MapEntry(.symbol("amqp-0-9-1:arguments"), .map(own))) }
    if arguments.flag("exclusive") { source.capabilities.append("exclusive") }
    return entries.isEmpty ? .null : .map(entries)
  }
}
