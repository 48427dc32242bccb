// Which protocol a run speaks, and why: the only place that knows what needs which. An option that one of them can't
// honour chooses the other, or is refused with what to use instead; nothing is dropped in silence.
import Bytes
import Console
import Engine
import Wire

struct DialectChoice {
  typealias Protocols = ConnectionSettings.Protocols

  /// Something that only one protocol has.
  struct Need {
    /// "--subscription", as the user typed it.
    let what: String
    let dialect: Protocols
    /// What to use with the other one.
    let instead: String
  }

  /// In the order in which they are tried; an acceptor takes all of them.
  let order: [Protocols]
  /// For `-v`: "AMQP 0-9-1: --argument needs it".
  let why: String
  /// What would be lost with 0-9-1, where it was not chosen.
  let only10: Need?

  init(_ arguments: ParsedArguments, _ more: [Need] = []) throws(Failure) {
    let needs = DialectChoice.needs(arguments) + more
    only10 = needs.first { $0.dialect == .amqp10 }
    let only091 = needs.first { $0.dialect == .amqp091 }
    switch arguments.value("protocol") {
    case "1.0":
      if let need = only091 { throw DialectChoice.refusal(need) }
      (order, why) = ([.amqp10], "AMQP 1.0: --protocol says so")
    case "0-9-1":
      if let need = only10 { throw DialectChoice.refusal(need) }
      (order, why) = ([.amqp091], "AMQP 0-9-1: --protocol says so")
    default:
      if let only10, let only091 {
        throw .usage(
          "\(only10.what) and \(only091.what)", "the one is for AMQP 1.0, the other for AMQP 0-9-1",
          nextStep: only10.instead)
      }
      if let only10 {
        (order, why) = ([.amqp10], "AMQP 1.0: \(only10.what) needs it")
      } else if let only091 {
        (order, why) = ([.amqp091], "AMQP 0-9-1: \(only091.what) needs it")
      } else {
        (order, why) = ([.amqp10, .amqp091], "AMQP 1.0 first, 0-9-1 if the peer can't")
      }
    }
  }

  static func name(_ dialect: Protocols) -> String { dialect == .amqp091 ? "AMQP 0-9-1" : "AMQP 1.0" }

  private static func refusal(_ need: Need) -> Failure {
    .usage(need.what, "\(name(need.dialect == .amqp10 ? .amqp091 : .amqp10)) can't do that", nextStep: need.instead)
  }

  // MARK: What needs what

  private struct Row {
    let option: String
    /// Nil: whatever its value.
    var value: String?
    let dialect: Protocols
    let instead: String
  }

  private static let links = "it belongs to the links of AMQP 1.0: leave it out"

  private static let rows: [Row] = [
    Row(
      option: "mode", value: "exactly-once", dialect: .amqp10,
      instead: "use --mode at-least-once and have the receiver recognise what comes twice"),
    Row(option: "rcv-settle-mode", value: "second", dialect: .amqp10, instead: "use --mode at-least-once"),
    Row(option: "snd-settle-mode", value: "mixed", dialect: .amqp10, instead: "use --mode at-least-once"),
    Row(
      option: "subscription", dialect: .amqp10,
      instead: "bind a queue and receive from that: --declare queue:NAME --declare bind:EXCHANGE:NAME,key=KEY"),
    Row(option: "group", dialect: .amqp10, instead: "it belongs to Azure's event hubs: leave it out"),
    Row(option: "delivery-annotation", dialect: .amqp10, instead: "-H K=V puts it into the headers"),
    Row(option: "footer", dialect: .amqp10, instead: "-H K=V puts it into the headers"),
    Row(option: "body-as", value: "value", dialect: .amqp10, instead: "use --body-as data"),
    Row(option: "body-as", value: "sequence", dialect: .amqp10, instead: "use --body-as data"),
    Row(option: "capability", dialect: .amqp10, instead: links),
    Row(option: "terminus-durability", dialect: .amqp10, instead: links),
    Row(option: "terminus-expiry", dialect: .amqp10, instead: links),
    Row(option: "terminus-timeout", dialect: .amqp10, instead: links),
    Row(option: "link-name", dialect: .amqp10, instead: links),
    Row(option: "session-window", dialect: .amqp10, instead: "use --credit or --window"),
    Row(
      option: "dynamic", dialect: .amqp10,
      instead: "receive -e EXCHANGE -r KEY makes a queue for the time of the run"),
    Row(option: "hostname", dialect: .amqp10, instead: "--vhost names the virtual host"),
    Row(option: "sasl", value: "NONE", dialect: .amqp10, instead: "leave --sasl NONE out"),
    Row(
      option: "sas-key-name", dialect: .amqp10, instead: "Azure speaks AMQP 1.0 only: leave --protocol 0-9-1 out"),
    Row(
      option: "exclusive", dialect: .amqp091, instead: "RabbitMQ has single active consumers: x-single-active-consumer"),
    Row(option: "argument", dialect: .amqp091, instead: "AMQP 1.0 has --filter and --capability"),
  ]

  private static func needs(_ arguments: ParsedArguments) -> [Need] {
    var needs: [Need] = []
    for row in rows where arguments.isGiven(row.option) {
      if let value = row.value, arguments.value(row.option) != value { continue }
      let value = row.value.map { " \($0)" } ?? ""
      needs.append(Need(what: arguments.spelling(row.option) + value, dialect: row.dialect, instead: row.instead))
    }
    return needs
  }

  /// A message, or what all messages have in common, that 0-9-1 has no form for; nil: it has one.
  static func need(message b: Span<UInt8>, target: NodeAddress?) -> Need? {
    let what: String
    do throws(FieldFault) {
      let body = try MessageMapping.body(b)
      let none: [UInt8] = []
      let content = try MessageMapping.head(b.extracting(body.head), none.span)
      if let first = (content.unmapped + body.unmapped).first {
        what = "a message with \(first)"
      } else if content.to != nil, let target, target != .none {
        what = "a message with to, which has a target as well"
      } else {
        return target.flatMap(need(address:))
      }
    } catch {
      return Need(what: "a message with \(error.reason)", dialect: .amqp10, instead: "make it shorter")
    }
    return Need(what: what, dialect: .amqp10, instead: "-H K=V puts it into the headers")
  }

  /// An address that 0-9-1 has nothing for.
  static func need(address: NodeAddress) -> Need? {
    if address == .none || address.node091 != nil { return nil }
    return Need(
      what: "the address '\(address.description)'", dialect: .amqp10,
      instead: "a queue's name, or --exchange EXCHANGE --routing-key KEY")
  }
}
