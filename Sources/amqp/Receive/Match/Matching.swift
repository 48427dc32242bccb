// `--match`, `--no-match` and `--unmatched`: which messages are taken, and what becomes of the others.
import Bytes
import Console
import Engine
import Wire

struct Matching {
  enum Unmatched: String { case hold, accept, reject }

  let wanted: [MatchExpression]
  let unwanted: [MatchExpression]
  let unmatched: Unmatched
  private var reader = FieldReader()

  /// Nil when everything is taken.
  init?(_ arguments: ParsedArguments, _ mode: SettlementMode) throws(Failure) {
    wanted = try Matching.expressions(arguments, "match")
    unwanted = try Matching.expressions(arguments, "no-match")
    unmatched = Unmatched(rawValue: arguments.value("unmatched") ?? "") ?? .hold
    if wanted.isEmpty && unwanted.isEmpty {
      if arguments.flag("unmatched") {
        throw .usage("--unmatched", "everything is taken", nextStep: "--match EXPR says what is")
      }
      return nil
    }
    if mode == .atMostOnce {
      throw .usage(
        "--match with --mode at-most-once", "what doesn't match would be lost", nextStep: "leave --mode out")
    }
  }

  private static func expressions(_ arguments: ParsedArguments, _ option: String) throws(Failure) -> [MatchExpression] {
    var all: [MatchExpression] = []
    for text in arguments.values(option) {
      do throws(TextFault) { all.append(try MatchExpression(text)) } catch {
        throw .usage("--\(option) '\(text)'", error.reason)
      }
    }
    return all
  }

  mutating func admits(_ b: Span<UInt8>, address: String) -> Bool {
    for expression in wanted where !expression.holds(b, address: address, &reader) { return false }
    for expression in unwanted where expression.holds(b, address: address, &reader) { return false }
    return true
  }

  /// What is said of a message that doesn't match, at once; nil: it is given back at the end.
  /// - Parameter isCopy: the node keeps what it sends.
  func outcome(isCopy: Bool) -> Outcome? {
    switch unmatched {
    case .accept: .accept
    case .reject: .reject(nil)
    case .hold: isCopy ? .accept : nil
    }
  }
}

extension Receiver {
  /// What doesn't match is held and takes all the credit there is.
  var unmatchedFailure: Failure? {
    guard let full = inlets.first(where: { $0.unmatched > 0 && $0.heldCount + $0.unmatched >= mostHeld }) else {
      return nil
    }
    return Failure(
      "no more of '\(full.address)' can be seen",
      "\(full.unmatched) messages that don't match are held until the end, and there is no credit for more",
      nextStep: "--credit N lets more be held, --unmatched accept or reject holds none", exitCode: .failure)
  }
}
