// `--expect-count`, `--expect-body`, `--expect-property`, `--within`: what is to come, held against what came. A message
// that isn't what was expected is not taken: it ends the run and is given back.
import Bytes
import Console
import Engine
import Wire

struct Expectations {
  /// One: every message; several: one after the other.
  let bodies: [[UInt8]]
  let properties: [MatchExpression]
  /// Not more than these.
  let most: Int?
  /// Not fewer than these.
  let least: Int
  /// When nothing else ends the run.
  let count: Int?
  let within: Int64?
  private var reader = FieldReader()

  /// Nil when nothing is expected.
  init?(_ arguments: ParsedArguments) throws(Failure) {
    bodies = arguments.byteValues("expect-body")
    var properties: [MatchExpression] = []
    for text in arguments.values("expect-property") {
      do throws(TextFault) { properties.append(try MatchExpression(text)) } catch {
        throw .usage("--expect-property '\(text)'", error.reason)
      }
    }
    self.properties = properties
    within = arguments.nanoseconds("within").map { Int64($0) }
    let asked = arguments.number("expect-count")
    if bodies.isEmpty && properties.isEmpty && asked == nil {
      if within != nil {
        throw .usage(
          "--within", "nothing is expected", nextStep: "add --expect-count, --expect-body or --expect-property")
      }
      return nil
    }
    let named = bodies.count > 1 ? bodies.count : nil
    if let asked, let named, asked != named {
      throw .usage("--expect-count \(asked)", "there are \(named) of --expect-body", nextStep: "leave it out")
    }
    most = asked ?? named
    least = most ?? 1
    let limit = arguments.count("count")
    if let limit, limit < least {
      throw .usage("\(arguments.spelling("count")) \(limit)", "\(least) messages are expected")
    }
    let ends = ["idle", "drain", "for"].contains { arguments.flag($0) }
    if limit != nil || ends {
      count = limit
    } else if least > 0 {
      count = least
    } else if within != nil {
      count = nil
    } else {
      throw .usage("--expect-count 0", "it needs an ending", nextStep: "add --within 10s, --idle 2s or --drain")
    }
  }

  /// Why the message can't be taken; nil: it is what was expected.
  /// - Parameter number: its number in the run, from 1.
  mutating func fault(_ b: Span<UInt8>, address: String, number: Int) -> Failure? {
    var lines: [String] = []
    let body = reader.body(b) ?? []
    if let most, number > most {
      let expected = most == 0 ? "no message was" : most == 1 ? "one was" : "\(most) were"
      var failure = Failure(
        "message \(number) from '\(address)' was not expected", expected, exitCode: .notAccepted)
      failure.details = ["body"] + ExpectDiff.lines("+ ", body)
      return failure
    }
    for property in properties where !property.holds(b, address: address, &reader) {
      lines += ExpectDiff.property(property, b, address, &reader)
    }
    if let expected = bodies.count > 1 ? bodies[number - 1] : bodies.first { lines += ExpectDiff.body(expected, body) }
    if lines.isEmpty { return nil }
    var failure = Failure("message \(number) from '\(address)' is not what was expected", exitCode: .notAccepted)
    failure.details = lines
    return failure
  }

  /// What is missing at the end of a run, or after a time; nil: nothing.
  func shortfall(_ taken: Int, _ sourceName: String, after time: Int64?) -> Failure? {
    let wanted = max(least, count ?? 0)
    guard taken < wanted else { return nil }
    let came = taken == 0 ? "nothing" : taken == 1 ? "1 message" : "\(taken) messages"
    let time = time.map { " in \(durationText($0))" } ?? ""
    var failure = Failure(
      "\(came) received from \(sourceName)\(time)", wanted == 1 ? "one was expected" : "\(wanted) were expected",
      exitCode: .notAccepted)
    if let next = bodies.count > 1 ? bodies[taken] : bodies.first {
      failure.details = ["body"] + ExpectDiff.lines("- ", next)
    }
    return failure
  }
}

extension Receiver {
  /// The time for what is expected is over. Returns whether it was.
  func checkExpectations() -> Bool {
    guard let expectations = plan.expectations, let within = expectations.within, now - started >= within else {
      return false
    }
    if let failure = expectations.shortfall(taken, sourceName, after: within) { fail(failure) } else { stop() }
    return true
  }
}
