// What a worker writes about a message: a line `ID WORD …`.
//
//     7 accept              with --respond, what follows the blank is the reply's body
//     7 reply {"body":…}    with --respond: accepted, and the reply is this message, as `amqp send -J` takes it
//     7 reject REASON
//     7 release
//     7 modify [failed] [undeliverable] [KEY=VALUE]…
import Bytes
import Render
import Wire

struct WorkerAnswer {
  let id: Int
  var verdict: Verdict
  var reply = HandlerAnswer.Reply.none

  static let expected = "'ID accept', 'ID reject REASON', 'ID release' or 'ID modify …'"

  /// Nil: not an answer.
  init?(_ line: Span<UInt8>, responds: Bool) {
    var at = 0
    var number = 0
    while at < line.count, case 0x30...0x39 = line[at], at < 18 {
      number = number * 10 + Int(line[at] - 0x30)
      at += 1
    }
    guard at > 0, at < line.count, line[at] == 0x20 else { return nil }
    id = number
    let word = at + 1
    var end = word
    while end < line.count && line[end] != 0x20 { end += 1 }
    let name = line.extracting(word..<end)
    let rest = line.extracting(min(end + 1, line.count)..<line.count)
    if name.matches("accept") {
      verdict = .accept
      if responds {
        var body = ByteQueue()
        body.append(rest)
        reply = .body(body)
      } else if !rest.isEmpty {
        return nil
      }
    } else if name.matches("reply"), responds {
      guard let draft = try? MessageDraft(jsonLine: rest) else { return nil }
      verdict = .accept
      reply = .message(draft)
    } else if name.matches("reject") {
      verdict = .reject(rest.isEmpty ? "the worker rejected it" : rest.text)
    } else if name.matches("release"), rest.isEmpty {
      verdict = .release
    } else if name.matches("modify"), let modify = WorkerAnswer.modify(rest.text) {
      verdict = modify
    } else {
      return nil
    }
  }

  private static func modify(_ text: String) -> Verdict? {
    var (failed, undeliverable) = (false, false)
    var annotations: [MapEntry] = []
    for word in text.split(separator: " ") {
      switch word {
      case "failed": failed = true
      case "undeliverable": undeliverable = true
      default:
        let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, !sides[0].isEmpty, sides[0].utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        annotations.append(MapEntry(.symbol(String(sides[0])), .string(String(sides[1]))))
      }
    }
    return .modify(
      failed: failed, undeliverable: undeliverable, annotations: annotations.isEmpty ? .null : .map(annotations))
  }
}
