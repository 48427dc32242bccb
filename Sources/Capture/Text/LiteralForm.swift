/// How programming languages and their logs write octets: what comes in front, what is inside, what ends it.

struct LiteralForm {
  enum Content { case hex, numbers, text }

  struct Opener {
    var text: StaticString
    var content: Content
    var closer: UInt8
    /// The opener alone could be anything: what follows must be octets, too.
    var isWeak = false
  }

  var openers: [Opener]
  /// In text only \xHH stands for an octet, every other character for itself, and the last quote of the line ends it.
  var isProton = false
  /// 0xHH stands for an octet outside of everything, too.
  var hasLooseHex = false
  /// \xHH, too.
  var hasLooseEscapes = false

  static func of(_ form: InputForm) -> LiteralForm? {
    switch form {
    case .node, .json:
      LiteralForm(openers: [
        Opener(text: "<Buffer ", content: .hex, closer: greater),
        Opener(text: #""data":["#, content: .numbers, closer: bracket),
        Opener(text: #""data": ["#, content: .numbers, closer: bracket),
      ])
    case .nsdata:
      LiteralForm(openers: [
        Opener(text: "bytes = 0x", content: .hex, closer: brace),
        Opener(text: "<", content: .hex, closer: greater, isWeak: true),
      ])
    case .erlang: LiteralForm(openers: [Opener(text: "<<", content: .numbers, closer: greater)])
    case .go:
      LiteralForm(openers: [
        Opener(text: "[]byte{", content: .numbers, closer: brace),
        Opener(text: "[]uint8{", content: .numbers, closer: brace),
        Opener(text: #"[]byte(""#, content: .text, closer: quote),
        Opener(text: "[", content: .numbers, closer: bracket, isWeak: true),
      ])
    case .java:
      LiteralForm(openers: [
        Opener(text: "[", content: .numbers, closer: bracket, isWeak: true),
        Opener(text: "{", content: .numbers, closer: brace, isWeak: true),
      ])
    case .c:
      LiteralForm(
        openers: [
          Opener(text: "{", content: .numbers, closer: brace, isWeak: true),
          Opener(text: "\"", content: .text, closer: quote),
        ], hasLooseHex: true)
    case .python:
      LiteralForm(openers: [
        Opener(text: "b'", content: .text, closer: apostrophe), Opener(text: "b\"", content: .text, closer: quote),
      ])
    case .escaped:
      LiteralForm(
        openers: [
          Opener(text: "\"", content: .text, closer: quote), Opener(text: "'", content: .text, closer: apostrophe),
        ], hasLooseEscapes: true)
    case .protonRaw: LiteralForm(openers: [Opener(text: "\"", content: .text, closer: quote)], isProton: true)
    case .auto, .pcap, .pcapng, .raw, .hex, .xxd, .hexdumpC, .hexdump, .od, .tcpdump, .tshark, .follow, .base64,
      .dotnet,
      .protonFrm, .rhea, .trace:
      nil
    }
  }

  static let quote = UInt8(ascii: "\"")
  static let apostrophe = UInt8(ascii: "'")
  static let greater = UInt8(ascii: ">")
  static let bracket = UInt8(ascii: "]")
  static let brace = UInt8(ascii: "}")
}
