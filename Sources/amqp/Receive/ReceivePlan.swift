// What the options of `receive` come to.
import Console
import Engine
import Render
import Wire

struct ReceivePlan {
  enum Output {
    /// What is done with messages is done elsewhere.
    case nothing
    /// Bodies with this behind each.
    case bodies(delimiter: [UInt8])
    case json(MessageJSON.Style)
    case format(Format)
  }
  enum Settlement: Equatable {
    case outcome(Outcome)
    /// Sent when the run ends, so that no message comes twice.
    case atEnd(Outcome)
    /// Taken and given back at the end.
    case none
  }

  let connect: ConnectPlan
  let sources: [NodeAddress]
  /// With `--listen`: the addresses that peers may send to; empty: any.
  let patterns: [String]
  let mode: SettlementMode
  let attach: Attach
  let count: Int?
  let credit: Int?
  /// Messages that are committed together.
  let batch: Int
  let idle: Int64?
  let drains: Bool
  let duration: Int64?
  let timeout: Int64?
  /// What is to be there before any link; and, as 1.0 has it made, the queues of exchanges that are received from.
  let declarations: [Declaration]
  let settlement: Settlement
  let browses: Bool
  let checkpoint: Checkpoint?
  let matching: Matching?
  let expectations: Expectations?
  let save: SaveDirectory?
  let forward: ForwardPlan?
  /// A consumer group: the source is an event hub, and all its partitions are received from.
  let group: String?
  let output: Output
  let handler: HandlerPlan?

  init(_ arguments: ParsedArguments) throws(Failure) {
    mode = SettlementMode(rawValue: arguments.value("mode") ?? "") ?? .atLeastOnce
    matching = try Matching(arguments, mode)
    expectations = try Expectations(arguments)
    count = expectations == nil ? arguments.count("count") : expectations?.count
    credit = arguments.count("credit")
    batch = try LinkOptions.batch(arguments, mode) ?? 100
    idle = arguments.nanoseconds("idle").map { Int64($0) }
    drains = arguments.flag("drain")
    duration = arguments.nanoseconds("for").map { Int64($0) }
    timeout = arguments.nanoseconds("timeout").map { Int64($0) }
    browses = arguments.flag("browse")
    if mode == .atMostOnce { try ReceivePlan.refuseToGiveBack(arguments) }
    var attach = try LinkOptions.attach(arguments, role: .receiver, mode: mode)
    if browses { attach.source?.distributionMode = "copy" }
    checkpoint = try arguments.value("checkpoint").map { path throws(Failure) in try Checkpoint(path) }
    let named = arguments.positionals.map { String(decoding: $0, as: UTF8.self) }
    group = arguments.value("group")
    attach.source?.filter = try FilterOptions.filter(
      arguments, from: checkpoint?.next, isEventHub: group != nil || named.contains { EventHub.isPartition($0) })
    try ReceivePlan.subscribe(arguments, &attach)
    self.attach = attach
    declarations = try DeclareOptions.declarations(arguments)
    settlement = try ReceivePlan.settlement(arguments)
    forward = try ForwardPlan(arguments, mode)
    save = try arguments.value("save").map { path throws(Failure) in try SaveDirectory(path) }
    output = try ReceivePlan.output(arguments, isQuiet: expectations != nil || save != nil || forward != nil)
    handler = try HandlerPlan(arguments)

    let names = arguments.positionals.map { String(decoding: $0, as: UTF8.self) }
    if arguments.flag("listen") {
      patterns = names
      sources = []
    } else {
      patterns = []
      var found = names.map { NodeAddress($0) }
      if let named = try LinkOptions.namedAddress(arguments) { found.append(named) }
      if found.isEmpty && arguments.flag("dynamic") { found = [.none] }
      if found.isEmpty {
        throw .usage("receive", "no SOURCE", nextStep: "amqp receive SOURCE, or amqp receive --listen PORT")
      }
      if group != nil {
        guard found.count == 1, found[0] != .none else {
          throw .usage("--group", "it goes with one event hub", nextStep: "amqp receive HUB --group NAME")
        }
        if checkpoint != nil {
          throw .usage(
            "--checkpoint", "a group reads several partitions, and it keeps the place in one",
            nextStep: "amqp receive HUB/ConsumerGroups/NAME/Partitions/0 --checkpoint FILE")
        }
      }
      if checkpoint != nil && found.count > 1 {
        throw .usage("--checkpoint", "it keeps the place in one stream", nextStep: "a run, and a file, for each SOURCE")
      }
      sources = found
    }
    connect = try ConnectPlan(
      arguments,
      needs: ReceivePlan.needs(arguments, settlement) + DeclareOptions.needs(declarations)
        + sources.compactMap { DialectChoice.need(address: $0) })
  }

  /// What comes settled is gone from where it was.
  private static func refuseToGiveBack(_ arguments: ParsedArguments) throws(Failure) {
    let asked = arguments.value("settle").flatMap { $0 == "accept" ? nil : "--settle \($0)" }
    guard let option = arguments.flag("browse") ? "--browse" : asked else { return }
    throw .usage(
      "\(option) with --mode at-most-once", "what comes is settled, and can't be given back",
      nextStep: "leave --mode out")
  }

  private static func needs(_ arguments: ParsedArguments, _ settlement: Settlement) -> [DialectChoice.Need] {
    var needs: [DialectChoice.Need] = []
    if case .atEnd(.modify(_, _, let annotations)) = settlement, !annotations.isNull {
      needs.append(
        DialectChoice.Need(
          what: "--settle modify with annotations", dialect: .amqp10, instead: "use --settle modify:failed"))
    }
    for text in arguments.values("filter") where !text.hasPrefix("rabbitmq:stream-") {
      needs.append(
        DialectChoice.Need(what: "--filter '\(text)'", dialect: .amqp10, instead: "bind a queue with the key you want"))
    }
    return needs
  }

  /// The filters of a RabbitMQ stream, of which other nodes know nothing.
  var needsStreams: Bool {
    (attach.source?.filter.entries ?? []).contains { $0.key.text?.hasPrefix("rabbitmq:stream-") == true }
  }

  private static func subscribe(_ arguments: ParsedArguments, _ attach: inout Attach) throws(Failure) {
    guard let text = arguments.value("subscription") else { return }
    var parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    attach.name = parts.removeFirst()
    for part in parts {
      switch part {
      case "durable":
        attach.source?.durable = 2
        attach.source?.expiryPolicy = "never"
      case "shared": attach.source?.capabilities.append("shared")
      case "global": attach.source?.capabilities.append("global")
      default: throw arguments.badValue(of: "subscription", text, expected: "NAME, then any of durable, shared, global")
      }
    }
    if attach.name.isEmpty { throw arguments.badValue(of: "subscription", text, expected: "a NAME in front") }
  }

  private static func settlement(_ arguments: ParsedArguments) throws(Failure) -> Settlement {
    let text = arguments.value("settle") ?? "accept"
    let sides = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (String(sides[0]), sides.count) {
    case ("accept", 1): return .outcome(.accept)
    case ("reject", 1): return .outcome(.reject(nil))
    case ("release", 1): return .atEnd(.release)
    case ("none", 1): return .none
    case ("modify", _):
      var failed = false
      var undeliverable = false
      var annotations: [MapEntry] = []
      for part in sides.count > 1 ? sides[1].split(separator: ",") : [] {
        switch part {
        case "failed": failed = true
        case "undeliverable": undeliverable = true
        default:
          let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          guard pair.count == 2, !pair[0].isEmpty else {
            throw arguments.badValue(of: "settle", text, expected: "modify:failed,undeliverable,KEY=VALUE")
          }
          annotations.append(MapEntry(.symbol(String(pair[0])), .string(String(pair[1]))))
        }
      }
      return .atEnd(
        .modify(
          failed: failed, undeliverable: undeliverable, annotations: annotations.isEmpty ? .null : .map(annotations)))
    default:
      throw arguments.badValue(of: "settle", text, expected: "accept, reject, release, modify or none")
    }
  }

  /// - Parameter isQuiet: nothing is printed unless a form is asked for.
  private static func output(_ arguments: ParsedArguments, isQuiet: Bool) throws(Failure) -> Output {
    let chosen = ["format", "raw", "json"].filter { arguments.flag($0) }
    if chosen.count > 1 { throw .usage("--\(chosen[0]) and --\(chosen[1])", "a message is printed in one form") }
    var delimiter: [UInt8] = [0x0a]
    if arguments.flag("null") { delimiter = [0] }
    if let bytes = arguments.bytes("delimiter") { delimiter = SendPlan.unescaped(bytes) }
    switch chosen.first {
    case "format":
      do throws(TextFault) {
        return .format(try Format(arguments.value("format") ?? ""))
      } catch {
        throw .usage("\(arguments.spelling("format")) '\(arguments.value("format") ?? "")'", error.reason)
      }
    case "json": return .json(arguments.value("json") == "plain" ? .plain : .lossless)
    case "raw": return .bodies(delimiter: [])
    default:
      let isAsked = arguments.flag("null") || arguments.flag("delimiter")
      return isQuiet && !isAsked ? .nothing : .bodies(delimiter: delimiter)
    }
  }
}
