// What became of the messages: every one has exactly one receipt, and the exit status comes from them.
import Console
import Engine
import Wire

struct Receipts {
  private(set) var accepted = 0
  private(set) var rejected = 0
  private(set) var released = 0
  private(set) var modified = 0
  /// The peer had nowhere to put it.
  private(set) var returned = 0
  private(set) var unspecified = 0
  /// Its transaction was.
  private(set) var rolledBack = 0
  /// Nobody answered: the connection was lost or the answer did not come in time.
  private(set) var unanswered = 0
  /// Sent settled, and written.
  private(set) var sent = 0
  /// Read, and never sent.
  private(set) var unsent = 0
  /// Of those that were answered, sent more than once over connections that were lost.
  private(set) var repeats = 0
  /// The first reason given for a message that was not accepted, and its place among all that were read.
  private var firstRefusal: (place: Int, words: String)?
  /// Why the peer would not commit.
  private var rollback: String?
  /// A queue that is not there, to which messages were sent.
  private(set) var missingQueue: String?

  /// - Parameters:
  ///   - place: of the first.
  ///   - target: where the messages were sent; of 0-9-1 only an answer doesn't say it.
  mutating func add(_ count: Int, _ answer: Answer, place: Int, target: NodeAddress?, vhost: String) {
    switch answer {
    case .accepted: accepted += count
    case .rejected(let error):
      rejected += count
      var words = "rejected"
      if let error { words += " (\(error.condition)\(error.description.map { ": \($0)" } ?? ""))" }
      refuse(place, words)
    case .released:
      released += count
      refuse(place, "released: nobody took it")
    case .modified(let failed, let undeliverable):
      modified += count
      let how = [failed ? "delivery failed" : nil, undeliverable ? "undeliverable here" : nil].compactMap { $0 }
      refuse(place, "modified" + (how.isEmpty ? "" : " (\(how.joined(separator: ", ")))"))
    case .returned(let error):
      returned += count
      refuse(place, "returned: \(Receipts.words(error, target, vhost))")
      if case .queue(let name)? = target?.node091 { missingQueue = missingQueue ?? name }
    case .unspecified, .declared:
      unspecified += count
      refuse(place, "settled without an outcome")
    }
  }

  /// "no queue 'x' in vhost '/' (312 NO_ROUTE)"
  private static func words(_ error: AMQPError, _ target: NodeAddress?, _ vhost: String) -> String {
    let code = [ReplyCode.number(error.condition) ?? error.condition, error.description].compactMap { $0 }
    let said = "(\(code.joined(separator: " ")))"
    switch target?.node091 {
    case .queue(let name)?: return "no queue '\(name)' in vhost '\(vhost)' \(said)"
    case .exchange(let name, let key)?:
      let key = key.map { " with key '\($0)'" } ?? ""
      return "no queue is bound to exchange '\(name)'\(key) \(said)"
    case nil: return "no queue takes it \(said)"
    }
  }

  mutating func addSent(_ count: Int) { sent += count }
  mutating func addRolledBack(_ count: Int, _ error: AMQPError?) {
    rolledBack += count
    if let error, count > 0, rollback == nil { rollback = error.description ?? error.condition }
  }
  mutating func addUnanswered(_ count: Int) { unanswered += count }
  mutating func addUnsent(_ count: Int) { unsent += count }
  mutating func addRepeat() { repeats += 1 }

  private mutating func refuse(_ place: Int, _ words: String) {
    if firstRefusal == nil { firstRefusal = (place, words) }
  }

  var notAccepted: Int { rejected + released + modified + returned + unspecified + rolledBack }
  var total: Int { accepted + notAccepted + unanswered + sent + unsent }

  var counts: [(String, Int)] {
    [
      ("accepted", accepted), ("sent", sent), ("rejected", rejected), ("released", released), ("modified", modified),
      ("returned", returned),
      ("settled without an outcome", unspecified), ("rolled back", rolledBack), ("unanswered", unanswered),
      ("not sent", unsent),
    ]
  }

  /// "3 accepted, 1 rejected, 2 unanswered"
  var summary: String {
    var words = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
    if repeats > 0 { words.append("\(repeats) of them perhaps twice") }
    return words.isEmpty ? "nothing sent" : words.joined(separator: ", ")
  }

  /// Nil when every message was accepted, or sent where no answer was asked for.
  func failure(target: String?) -> Failure? {
    let bad = notAccepted + unanswered
    if bad == 0 { return nil }
    let returned = "returned: "
    let first = firstRefusal.map { refusal in
      if total > 1 && missingQueue == nil { return "message \(refusal.place) was \(refusal.words)" }
      return refusal.words.hasPrefix(returned) ? String(refusal.words.dropFirst(returned.count)) : refusal.words
    }
    if let missingQueue {
      return Failure(
        "\(bad) of \(total) messages not accepted", first ?? "",
        nextStep: "create it with --declare queue:\(DeclareOptions.spelled(missingQueue))", exitCode: .noSuchAddress)
    }
    return Failure(
      "\(bad) of \(total) messages not accepted\(target.map { " by '\($0)'" } ?? "")",
      first ?? (rolledBack > 0 ? rolledBackWords : "\(unanswered) were not answered"),
      nextStep: total > 1 ? summary : nil, exitCode: .notAccepted)
  }

  private var rolledBackWords: String {
    rollback.map { "rolled back: the peer would not commit (\($0))" } ?? "rolled back"
  }
}
