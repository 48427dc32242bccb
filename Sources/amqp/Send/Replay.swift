// `--keep-timing`: messages of `receive -J` go out at the pace at which they came in, by the time of arrival that each line
// has. A message that is not due is held, and nothing behind it is read.
import Console
import Render
import Wire

struct Replay {
  /// 2: in half the time.
  let speed: Double
  /// The first message's time of arrival in milliseconds, and when it went out.
  private var origin: (arrival: Int64, sent: Int64)?
  private var latest: Int64 = 0
  /// Waits until it is due.
  private(set) var held: (draft: MessageDraft, line: Int)?

  /// Nil: messages go out as fast as they can.
  init?(_ arguments: ParsedArguments) throws(Failure) {
    guard arguments.flag("keep-timing") else {
      if arguments.flag("speed") { throw .usage("--speed", "it changes the pace of --keep-timing, which isn't given") }
      return nil
    }
    if !arguments.flag("json") {
      throw .usage(
        "--keep-timing", "only -J has times", nextStep: "amqp receive SOURCE -J > saved, then send -J < saved")
    }
    if arguments.flag("rate") { throw .usage("--keep-timing and --rate", "a run has one pace") }
    let text = arguments.value("speed") ?? "1x"
    guard let speed = Double(text.hasSuffix("x") ? text.dropLast() : Substring(text)), speed > 0, speed.isFinite else {
      throw arguments.badValue(of: "speed", text, expected: "a factor like 2x or 0.5x")
    }
    self.speed = speed
  }

  /// When a message that arrived at `arrival` is due; one without a time, or with one that lies before, follows at once.
  mutating func due(_ arrival: Int64?, now: Int64) -> Int64 {
    guard let arrival else { return max(latest, now) }
    guard let origin else {
      origin = (arrival, now)
      latest = now
      return now
    }
    let after = Double(arrival - origin.arrival) * 1e6 / speed
    latest = max(latest, origin.sent + Int64(max(0, min(after, 9e17))))
    return latest
  }

  mutating func hold(_ draft: MessageDraft, line: Int) { held = (draft, line) }

  /// The message whose time has come, or that nobody wants to wait for.
  mutating func release(now: Int64 = .max) -> (draft: MessageDraft, line: Int)? {
    guard let held, latest <= now else { return nil }
    self.held = nil
    return held
  }

  var deadline: Int64? { held == nil ? nil : latest }

  /// Milliseconds since 1970, as `receive -J` writes it.
  static func arrival(_ message: JSON) -> Int64? {
    guard case .number(let text)? = message["delivery"]?["time"] else { return nil }
    return Int64(text)
  }
}
