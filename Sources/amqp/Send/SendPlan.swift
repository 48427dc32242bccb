// What the options of `send` come to.
import Bytes
import Console
import Engine
import Transport
import Wire

struct SendPlan {
  let connect: ConnectPlan
  /// Nil with `--json`: each message names its own.
  let target: NodeAddress?
  let mode: SettlementMode
  let attach: Attach
  let count: Int?
  /// Messages a second.
  let rate: Int?
  let window: Int?
  /// Messages in a transaction; nil: all.
  let batch: Int?
  let answerTimeout: Int64
  let timeout: Int64?
  let duration: Int64?
  /// The sections in front of the body, the same for every message.
  let head: [UInt8]
  /// Nil: all messages have this head.
  let maker: MessageMaker?
  let isDryRun: Bool
  let form: MessageSource.Form
  let declarations: [Declaration]
  let composer: BodyComposer
  let keepsEmpty: Bool
  /// A path, or `-`.
  let receipts: String?
  /// The same.
  let rejects: String?
  let replies: ReplyPlan?
  let replay: Replay?
  /// Each message to each receiver, once so many are there.
  let fanOut: Int?
  /// How long each message takes is asked for.
  let measures: Bool

  init(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) throws(Failure) {
    declarations = try DeclareOptions.declarations(arguments)
    rate = arguments.count("rate")
    window = arguments.count("window")
    answerTimeout = Int64(arguments.nanoseconds("answer-timeout") ?? 30_000_000_000)
    timeout = arguments.nanoseconds("timeout").map { Int64($0) }
    duration = arguments.nanoseconds("for").map { Int64($0) }
    mode = SettlementMode(rawValue: arguments.value("mode") ?? "") ?? .atLeastOnce
    isDryRun = arguments.flag("dry-run")
    batch = try LinkOptions.batch(arguments, mode)
    keepsEmpty = arguments.flag("keep-empty")
    receipts = arguments.value("receipts")
    measures = arguments.flag("stats")
    if isDryRun && receipts != nil { throw .usage("--receipts", "nothing is answered in a dry run") }
    if isDryRun && arguments.flag("capture") { throw .usage("--capture", "nothing passes in a dry run") }
    attach = try LinkOptions.attach(arguments, role: .sender, mode: mode)
    let templates = arguments.flag("template") ? Templates() : nil
    let draft = try MessageOptions.draft(arguments) { (text, option) throws(Failure) in
      try templates?.expand(text, option, number: 1) ?? text
    }
    head = MessageOptions.head(draft)
    composer = BodyComposer(
      section: BodyComposer.Section(rawValue: arguments.value("body-as") ?? "data") ?? .data,
      coding: arguments.flag("hex") ? .hex : arguments.flag("base64") ? .base64 : .plain,
      suffix: MessageOptions.footer(draft))

    // The target is the first argument, unless an option named it.
    var targetTemplate: Template?
    var bodies = arguments.inOrder(["body", "file"])
    if let named = try LinkOptions.namedAddress(arguments) {
      target = named
    } else if arguments.flag("listen") || arguments.flag("dynamic") {
      target = NodeAddress.none
    } else if let at = bodies.firstIndex(where: { if case .positional = $0.subject { true } else { false } }) {
      var text = String(decoding: bodies.remove(at: at).bytes, as: UTF8.self)
      if templates != nil {
        let template = try SendPlan.template(Array(text.utf8), "TARGET")
        text = String(decoding: template.expand(number: 1), as: UTF8.self)
        if !template.isConstant { targetTemplate = template }
      }
      // The anonymous relay: each message says where it goes.
      target = text.isEmpty ? NodeAddress.none : NodeAddress(text)
      if text.isEmpty && draft["to"] == nil && !arguments.flag("json") {
        throw .usage("send", "the TARGET is empty, and no message says where it goes", nextStep: "add -P to=ADDRESS")
      }
    } else if arguments.flag("json") {
      target = nil
    } else {
      throw .usage("send", "no TARGET", nextStep: "amqp send TARGET [BODY…]")
    }
    replies = try ReplyPlan(arguments)
    replay = try Replay(arguments)
    fanOut = arguments.flag("fan-out") ? arguments.count("fan-out") ?? 1 : nil
    if fanOut != nil {
      if !arguments.flag("listen") { throw .usage("--fan-out", "only --listen knows who receives") }
      if arguments.flag("rejects") {
        throw .usage(
          "--fan-out and --rejects", "an input has as many fates as there are receivers",
          nextStep: "--receipts tells them")
      }
    }
    // After --then-receive it is what comes that is counted.
    count = replies?.isRequest == false ? nil : arguments.count("count")
    maker = MessageMaker(
      arguments, draft, templates, target: targetTemplate, isNeeded: replies?.isRequest == true)
    let common = head + composer.suffix
    let needs =
      [DialectChoice.need(message: common.span, target: target)].compactMap { $0 } + DeclareOptions.needs(declarations)
    connect = try ConnectPlan(arguments, needs: needs)
    form = try SendPlan.form(arguments, bodies, diagnostics)
    rejects = arguments.value("rejects")
    if let rejects { try checkRejects(rejects) }
  }

  private static func template(_ bytes: [UInt8], _ what: String) throws(Failure) -> Template {
    do throws(TextFault) { return try Template(bytes) } catch {
      throw .usage("\(what) '\(String(decoding: bytes.prefix(80), as: UTF8.self))'", error.reason)
    }
  }

  private func checkRejects(_ path: String) throws(Failure) {
    if isDryRun { throw .usage("--rejects", "nothing is answered in a dry run") }
    if path == "-" && receipts == "-" {
      throw .usage("--receipts and --rejects", "one of them can be standard output")
    }
    switch form {
    case .items: break
    case .whole, .cut, .json:
      if Files.isSame(path, as: 0) {
        throw .usage("--rejects '\(path)'", "that is the input", nextStep: "give it another name, and send that next")
      }
    }
  }

  /// Opens the files that are told of each message.
  func witness() throws(Failure) -> Witness? {
    if receipts == nil && rejects == nil && !measures { return nil }
    let lines = try receipts.map { path throws(Failure) in try ReceiptLines(path) }
    return Witness(
      lines, try rejects.map { path throws(Failure) in try Rejects(path, rejectsForm) }, measures: measures)
  }

  private var rejectsForm: Rejects.Form {
    switch form {
    case .cut(let end, _): .ended(by: end)
    case .json: .ended(by: [0x0a])
    case .items, .whole: .json(address: target?.description.isEmpty == false ? target?.description : nil)
    }
  }

  private static func form(
    _ arguments: ParsedArguments, _ bodies: [ParsedArguments.Entry], _ diagnostics: Diagnostics
  ) throws(Failure) -> MessageSource.Form {
    let cuts = ["lines", "null", "delimiter", "json"].filter { arguments.flag($0) }
    if cuts.count > 1 {
      throw .usage("--\(cuts[0]) and --\(cuts[1])", "standard input can be cut in one way only")
    }
    if bodies.isEmpty {
      switch cuts.first {
      case "lines": return .cut([0x0a], stripsCR: true)
      case "null": return .cut([0], stripsCR: false)
      case "delimiter":
        let delimiter = unescaped(arguments.bytes("delimiter") ?? [])
        if delimiter.isEmpty { throw arguments.badValue(of: "delimiter", "", expected: "at least one octet") }
        return .cut(delimiter, stripsCR: false)
      case "json": return .json
      default: break
      }
      if Terminal.isTerminal(0) { diagnostics.note("reading one message from the terminal, Ctrl-D ends it") }
      return .whole
    }
    if let cut = cuts.first {
      throw .usage(
        "--\(cut)", "it cuts standard input, which is not read when there is a BODY",
        nextStep: "leave the BODY out, or --\(cut)")
    }
    var items: [MessageSource.Item] = []
    for entry in bodies {
      guard case .option(let option) = entry.subject, option.long == "file" else {
        if entry.bytes == [0x2d], case .positional = entry.subject {
          items.append(.file("/dev/stdin"))
        } else if arguments.flag("template") {
          let template = try SendPlan.template(entry.bytes, "BODY")
          items.append(template.isConstant ? .bytes(template.expand(number: 1)) : .template(template))
        } else {
          items.append(.bytes(entry.bytes))
        }
        continue
      }
      let path = String(decoding: entry.bytes, as: UTF8.self)
      if path == "-" {
        items.append(.file("/dev/stdin"))
      } else if Files.isDirectory(path) {
        do throws(Errno) {
          items += try Files.inDirectory(path).map { .file($0) }
        } catch {
          throw Failure("cannot read \(path)", error.text, exitCode: .noInput)
        }
      } else {
        items.append(.file(path))
      }
    }
    return .items(items)
  }

  /// `\n`, `\t`, `\0`, `\xHH` in a delimiter.
  static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var i = 0
    while i < bytes.count {
      guard bytes[i] == 0x5c, i + 1 < bytes.count else {
        out.append(bytes[i])
        i += 1
        continue
      }
      i += 2
      switch bytes[i - 1] {
      case 0x6e: out.append(0x0a)
      case 0x72: out.append(0x0d)
      case 0x74: out.append(0x09)
      case 0x30: out.append(0)
      case 0x78 where i + 1 < bytes.count:
        if let high = hexValue(bytes[i]), let low = hexValue(bytes[i + 1]) {
          out.append(high << 4 | low)
          i += 2
        } else {
          out += [0x5c, 0x78]
        }
      case let c: out += c == 0x5c ? [0x5c] : [0x5c, c]
      }
    }
    return out
  }
}
