// What `decode` is to do, out of the arguments: where the octets come from, which frames are wanted, in which form.
import Bytes
import Capture
import Console
import Render
import Transport

struct DecodePlan {
  enum Output: Equatable {
    case line, tree, hex, json
    case messages(MessageJSON.Style?)
    case payload, ladder, lint
    case stats(json: Bool)
  }

  enum Source: Equatable {
    case standardInput
    case file(String)
    /// Octets that stood among the arguments.
    case octets([UInt8])
    /// Text among the arguments that has to be read for its octets.
    case text([UInt8])

    /// What messages call it.
    var name: String {
      switch self {
      case .standardInput: "standard input"
      case .file(let path): path
      case .octets, .text: "argument"
      }
    }
  }

  var output: Output
  /// With `-J`: so that the same octets can be made of it.
  var isWire: Bool
  /// What comes in as lines of JSON goes out as octets.
  var writesOctets: Bool
  var input: InputForm
  var sources: [Source]
  var selection: Selection
  var follows: Bool
  var showSecrets: Bool
  var isColored: Bool
  /// Every frame is a line and nothing else.
  var isPlainLine: Bool { output == .line && !isColored && selection.isAll }
  var isPlainJSON: Bool { output == .json && !isWire && selection.isAll }
  var timeout: Int64?
  var tap: TapEndpoints?

  init(_ arguments: ParsedArguments) throws(Failure) {
    output = try DecodePlan.output(arguments)
    isWire = arguments.flag("wire")
    if isWire && output != .json { throw .usage("--wire", "says how -J writes frames", nextStep: "--wire -J") }
    if output == .json && arguments.value("json") == "plain" {
      throw .usage("--json=plain", "is for messages", nextStep: "--messages --json=plain")
    }
    writesOctets = arguments.value("input") == "json" && output == .line
    input = InputForm(rawValue: arguments.value("input") ?? "auto") ?? .auto
    selection = try Selection(arguments)
    follows = arguments.flag("follow")
    showSecrets = arguments.flag("show-secrets")
    isColored = Environment.isColored(arguments.value("color") ?? "auto", descriptor: 1)
    timeout = arguments.nanoseconds("timeout").map(Int64.init)
    tap = try arguments.value("tap").map { text throws(Failure) in
      guard let ends = TapEndpoints(text) else {
        throw arguments.badValue(of: "tap", text, expected: "[HOST:]PORT=HOST:PORT, as 5673=localhost:5672")
      }
      return ends
    }
    sources = try DecodePlan.sources(arguments)
    if tap != nil && !sources.isEmpty { throw .usage("--tap", "reads no files") }
    if tap == nil && sources.isEmpty { sources = [.standardInput] }
  }

  private static func output(_ arguments: ParsedArguments) throws(Failure) -> Output {
    let forms = ["tree", "hex", "messages", "payload", "ladder", "stats", "lint"]
    let given = forms.filter { arguments.flag($0) }
    if given.count > 1 { throw .usage("--\(given[0]) and --\(given[1])", "one form of output at a time") }
    let json = arguments.flag("json")
    switch given.first {
    case "messages":
      return .messages(json ? (arguments.value("json") == "plain" ? .plain : .lossless) : nil)
    case "stats": return .stats(json: json)
    case let form?:
      if json { throw .usage("--\(form) and --json", "one form of output at a time") }
      switch form {
      case "tree": return .tree
      case "hex": return .hex
      case "payload": return .payload
      case "ladder": return .ladder
      default: return .lint
      }
    case nil: return json ? .json : .line
    }
  }

  // MARK: Arguments that are octets

  private static func sources(_ arguments: ParsedArguments) throws(Failure) -> [Source] {
    var sources: [Source] = []
    for positional in arguments.positionals {
      let text = String(decoding: positional, as: UTF8.self)
      let digits = positional.allSatisfy { hexValue($0) != nil }
      if digits && positional.count >= 8 {
        guard let octets = bytesFromHex(positional.span) else {
          throw Failure(
            "'\(shortened(text))'", "\(positional.count) hex digits, an odd number",
            nextStep: "a file of that name is ./\(shortened(text))", exitCode: .badInput)
        }
        if case .octets(let before) = sources.last {
          sources[sources.count - 1] = .octets(before + octets)
        } else {
          sources.append(.octets(octets))
        }
      } else if text == "-" {
        sources.append(.standardInput)
      } else if looksLikeText(positional) && !Files.exists(text) {
        sources.append(.text(positional))
      } else {
        sources.append(.file(text))
      }
    }
    return sources
  }

  /// White space, escapes and brackets seldom stand in names of files and mostly in what is copied from a log.
  private static func looksLikeText(_ argument: [UInt8]) -> Bool {
    argument.count >= 8
      && argument.contains { $0 <= 0x20 || $0 == 0x5c || $0 == 0x5b || $0 == 0x3c || $0 == 0x22 || $0 == 0x27 }
  }

  private static func shortened(_ text: String) -> String { text.count > 40 ? text.prefix(40) + "…" : text }
}
