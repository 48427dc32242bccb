// What `--request` and `--then-receive` come to.
import Console
import Engine
import Render
import Wire

struct ReplyPlan {
  /// Whether what comes must answer what was sent.
  let isRequest: Bool
  /// To each request.
  let replies: Int
  /// Nil: a node that is made for this run.
  let source: NodeAddress?
  /// In all, after `--then-receive`; nil: as many as come.
  let limit: Int?
  /// Requests that may be without their replies at a time.
  let window: Int
  /// The peer says of each request whether it has it.
  let expectsAnswers: Bool
  let output: ReceivePlan.Output

  /// Nil: nothing comes back.
  init?(_ arguments: ParsedArguments) throws(Failure) {
    let asked = ["request", "then-receive"].filter { arguments.flag($0) }
    if asked.isEmpty {
      if arguments.flag("reply-as") {
        throw .usage("--reply-as", "nothing comes back without --request or --then-receive")
      }
      return nil
    }
    if asked.count > 1 { throw .usage("--request and --then-receive", "a run waits for one of them") }
    if arguments.flag("listen") {
      throw .usage(
        "--\(asked[0])", "--listen has no node to receive from", nextStep: "connect to the peer that replies")
    }
    if arguments.flag("dry-run") { throw .usage("--\(asked[0])", "nobody replies in a dry run") }
    if arguments.value("receipts") == "-" || arguments.value("rejects") == "-" {
      throw .usage("--\(asked[0])", "replies go to standard output, where nothing else can go")
    }
    isRequest = arguments.flag("request")
    replies = arguments.number("request") ?? 1
    window = arguments.count("window") ?? 8_192
    expectsAnswers = arguments.value("mode") != SettlementMode.atMostOnce.rawValue
    let named = isRequest ? arguments.value("reply-to") : arguments.value("then-receive")
    source = named.map { NodeAddress($0) }
    if isRequest {
      limit = nil
    } else {
      limit = arguments.count("count") ?? (arguments.flag("for") ? nil : 1)
    }
    switch arguments.value("reply-as") ?? "text" {
    case "text": output = .bodies(delimiter: [0x0a])
    case "raw": output = .bodies(delimiter: [])
    case "json": output = .json(.lossless)
    case let text:
      do throws(TextFault) { output = .format(try Format(text)) } catch {
        throw .usage("--reply-as '\(text)'", error.reason, nextStep: "text, raw, json, or a format such as '%k %s\\n'")
      }
    }
  }

  var credit: Int { 1_000 }
}
