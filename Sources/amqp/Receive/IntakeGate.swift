// What stands between a delivery and the output when somebody asked for it: which messages are wanted (`--match`), whether
// they are what was expected (`--expect-…`), and their copies in files (`--save`). Absent in a plain run.
import Bytes
import Console
import Engine

struct IntakeGate {
  enum Verdict {
    case take
    /// Not for us; with an outcome that it gets at once, or none, and it is given back at the end.
    case leave(Outcome?)
    /// The run ends here, and this one is given back.
    case end(Failure)
  }

  private var matching: Matching?
  private var expectations: Expectations?
  private var saver: Saver?

  /// Nil when everything passes.
  init?(_ plan: ReceivePlan) {
    matching = plan.matching
    expectations = plan.expectations
    saver = plan.save.map { Saver($0) }
    if plan.matching == nil && plan.expectations == nil && plan.save == nil { return nil }
  }

  /// - Parameter number: the one that it gets if it is taken.
  mutating func verdict(
    _ delivery: Delivery, _ connection: borrowing Connection, address: String, isCopy: Bool, number: Int
  ) -> Verdict {
    if matching != nil {
      let outcome: Outcome?? = connection.withBytes(delivery.message) { b in
        matching!.admits(b, address: address) ? nil : .some(matching!.outcome(isCopy: isCopy))
      }
      if case .some(let outcome) = outcome { return .leave(outcome) }
    }
    if expectations != nil {
      let fault = connection.withBytes(delivery.message) { b in
        expectations!.fault(b, address: address, number: number)
      }
      if let fault { return .end(fault) }
    }
    if saver != nil {
      do throws(Failure) {
        try saver!.save(delivery, connection, address: address, number: number)
      } catch { return .end(error) }
    }
    return .take
  }
}
