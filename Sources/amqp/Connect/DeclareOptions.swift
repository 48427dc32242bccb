// `--declare`: what is to be there before any link, as people write it.
//
//     queue:NAME[,type=quorum|stream|classic][,transient][,exclusive][,auto-delete][,passive][,x-…=V]
//     exchange:NAME[,type=topic|…][,transient][,auto-delete][,internal][,passive][,x-…=V]
//     bind:EXCHANGE:QUEUE[,key=…][,HEADER=…]    bind:EXCHANGE:exchange:EXCHANGE[,key=…]
//
// `:`, `,` and `%` in names and values are percent-encoded. A number in an `x-…` is an integer; `x-…:string=5` is text.
import Console
import Engine
import Wire

enum DeclareOptions {
  static func declarations(_ arguments: ParsedArguments) throws(Failure) -> [Declaration] {
    var all: [Declaration] = []
    for text in arguments.values("declare") {
      do throws(TextFault) { all.append(try declaration(text)) } catch {
        throw .usage(
          "--declare '\(text)'", error.reason,
          nextStep: "--declare queue:NAME, --declare exchange:NAME,type=topic, --declare bind:EXCHANGE:QUEUE,key=KEY")
      }
    }
    return all
  }

  /// RabbitMQ 4's management node makes exchanges, but doesn't tell whether there is one.
  static func needs(_ declarations: [Declaration]) -> [DialectChoice.Need] {
    let looks = declarations.contains { if case .exchange(let exchange) = $0 { exchange.isPassive } else { false } }
    if !looks { return [] }
    return [
      DialectChoice.Need(
        what: "a passive --declare of an exchange", dialect: .amqp091, instead: "leave --protocol 1.0 out")
    ]
  }

  static func declaration(_ text: String) throws(TextFault) -> Declaration {
    var parts = text.split(separator: ",", omittingEmptySubsequences: false)
    var names: [String] = []
    for name in parts.removeFirst().split(separator: ":", omittingEmptySubsequences: false) {
      names.append(try decoded(name))
    }
    switch (names[0], names.count) {
    case ("queue", 2): return .queue(try queue(try named(names[1], "queue"), parts))
    case ("exchange", 2): return .exchange(try exchange(try named(names[1], "exchange"), parts))
    case ("bind", 3):
      return .bind(try binding(Declaration.Binding(try named(names[1], "exchange"), to: .queue(names[2])), parts))
    case ("bind", 4) where names[2] == "exchange":
      return .bind(try binding(Declaration.Binding(try named(names[1], "exchange"), to: .exchange(names[3])), parts))
    default:
      throw TextFault("expected queue:NAME, exchange:NAME, bind:EXCHANGE:QUEUE or bind:EXCHANGE:exchange:EXCHANGE")
    }
  }

  /// A name as a SPEC has it.
  static func spelled(_ name: String) -> String {
    name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x25 && $0 != 0x2c && $0 != 0x3a && $0 < 0x7f }
      ? name : PercentEncoding.encode(name)
  }

  private static func named(_ name: String, _ what: String) throws(TextFault) -> String {
    if name.isEmpty { throw TextFault("expected a name for the \(what)") }
    if name.utf8.count > 255 { throw TextFault("a name has at most 255 octets, this one \(name.utf8.count)") }
    return name
  }

  private static func queue(_ name: String, _ parts: [Substring]) throws(TextFault) -> Declaration.Queue {
    var queue = Declaration.Queue(name)
    for part in parts {
      switch part {
      case "transient": queue.isDurable = false
      case "exclusive": (queue.isExclusive, queue.isDurable) = (true, false)
      case "auto-delete": queue.isAutoDelete = true
      case "passive": queue.isPassive = true
      default:
        if let type = try value(part, of: "type") {
          queue.arguments.append(MapEntry(.string("x-queue-type"), .string(type)))
        } else {
          queue.arguments.append(try argument(part, "type=, transient, exclusive, auto-delete, passive or x-…="))
        }
      }
    }
    return queue
  }

  private static func exchange(_ name: String, _ parts: [Substring]) throws(TextFault) -> Declaration.Exchange {
    var exchange = Declaration.Exchange(name)
    for part in parts {
      switch part {
      case "transient": exchange.isDurable = false
      case "auto-delete": exchange.isAutoDelete = true
      case "internal": exchange.isInternal = true
      case "passive": exchange.isPassive = true
      default:
        if let type = try value(part, of: "type") {
          exchange.type = type
        } else if let other = try value(part, of: "alternate-exchange") {
          exchange.arguments.append(MapEntry(.string("alternate-exchange"), .string(other)))
        } else {
          exchange.arguments.append(
            try argument(part, "type=, transient, auto-delete, internal, passive, alternate-exchange= or x-…="))
        }
      }
    }
    return exchange
  }

  /// Whatever is no key is a header to be matched.
  private static func binding(
    _ binding: Declaration.Binding, _ parts: [Substring]
  ) throws(TextFault) -> Declaration.Binding {
    var binding = binding
    for part in parts {
      if let key = try value(part, of: "key") {
        binding.key = key
      } else {
        let typed = try TypedText(String(part))
        binding.arguments.append(MapEntry(.string(try decoded(Substring(typed.name))), try scalar(typed)))
      }
    }
    return binding
  }

  private static func argument(_ part: Substring, _ expected: String) throws(TextFault) -> MapEntry {
    guard part.hasPrefix("x-"), part.contains("=") else { throw TextFault("expected \(expected), got '\(part)'") }
    return try argument(String(part))
  }

  /// `x-max-length=5`, `x-overflow=reject-publish`, `x-name:string=5`: of `--argument` too.
  static func argument(_ text: String) throws(TextFault) -> MapEntry {
    let typed = try TypedText(text)
    var value = try scalar(typed)
    if typed.type == nil {
      if let number = Int64(typed.text) { value = .long(number) }
      if typed.text == "true" || typed.text == "false" { value = .boolean(typed.text == "true") }
    }
    return MapEntry(.string(try decoded(Substring(typed.name))), value)
  }

  private static func scalar(_ typed: TypedText) throws(TextFault) -> Value {
    var typed = typed
    typed.text = try decoded(Substring(typed.text))
    return try typed.scalar()
  }

  private static func value(_ part: Substring, of name: String) throws(TextFault) -> String? {
    part.hasPrefix(name + "=") ? try decoded(part.dropFirst(name.count + 1)) : nil
  }

  private static func decoded(_ text: Substring) throws(TextFault) -> String {
    guard let text = PercentEncoding.decode(text).flatMap({ String(validating: $0, as: UTF8.self) }) else {
      throw TextFault("expected percent-encoded UTF-8 (write a '%' as %25)")
    }
    return text
  }
}
