// `--receipts`: what became of each message, a line of JSON each, in the order in which answers come. It counts nothing and
// decides nothing, see `Receipts`; it knows no link and no peer.
import Bytes
import Console
import Engine
import Render
import Wire

final class ReceiptLines {
  /// A receipt's `status`, in the numbers of HTTP.
  private enum Status: Int {
    /// All that was asked for is done.
    case done = 200
    /// It can't be asked for: the peer answers nobody, or there is no message to be made of the input.
    case unable = 400
    /// Nobody knows.
    case unknown = 408
    /// The peer doesn't have it.
    case unavailable = 503
  }

  let file: SideFile
  /// A peer's words are cut here.
  private static let longest = 1_024

  init(_ path: String) throws(Failure) { file = try SideFile(path, "receipts") }

  // MARK: Lines

  func add(_ message: Outbox.Pending, _ answer: Answer, now: Int64) {
    switch answer {
    case .accepted: line(message, "accepted", .done, now: now)
    case .rejected(let error): line(message, "rejected", .unavailable, error?.condition, error?.description, now: now)
    case .released: line(message, "released", .unavailable, now: now)
    case .modified(let failed, let undeliverable):
      let how = [failed ? "delivery failed" : nil, undeliverable ? "undeliverable here" : nil].compactMap { $0 }
      line(message, "modified", .unavailable, nil, how.isEmpty ? nil : how.joined(separator: ", "), now: now)
    case .returned(let error): line(message, "returned", .unavailable, error.condition, error.description, now: now)
    case .unspecified, .declared: line(message, "settled", .unavailable, nil, "without an outcome", now: now)
    }
  }

  /// The transaction that it was in.
  func addRolledBack(_ message: Outbox.Pending, _ error: AMQPError?, now: Int64) {
    // One that was not sent any more began at no time.
    let began = message.began == 0 ? nil : message.began
    line(
      Outbox.Pending(number: message.number, place: message.place, began: began), "rolled-back", .unavailable,
      error?.condition,
      error?.description, now: now)
  }

  /// Written, and no answer is to come: as it was wished, or because the peer gives none.
  func addSent(_ message: Outbox.Pending, asWished: Bool, now: Int64) {
    line(
      message, "sent", asWished ? .done : .unable, nil, asWished ? nil : "the peer answers no messages here", now: now)
  }

  /// Its receipt, since nothing more is going to happen.
  /// - Parameters:
  ///   - unable: why the peer could not have answered.
  ///   - why: with what it ended the link or the connection.
  func addLeft(_ message: Outbox.Pending, unable: AMQPError?, why: AMQPError? = nil, now: Int64) {
    if message.began != nil {
      line(message, "unanswered", .unknown, why?.condition, why?.description, now: now)
    } else if let unable {
      line(message, "unsent", .unable, unable.condition, unable.description, now: now)
    } else {
      line(message, "unsent", .unavailable, now: now)
    }
  }

  /// Input that is no message.
  func addRefused(place: Int, _ why: String) {
    line(Outbox.Pending(number: 0, place: place, began: nil), "refused", .unable, nil, why, now: 0)
  }

  private func line(
    _ message: Outbox.Pending, _ outcome: StaticString, _ status: Status, _ condition: String? = nil,
    _ description: String? = nil, now: Int64
  ) {
    if file.failure != nil { return }
    file.octets.append("{\"n\":")
    file.octets.append(decimal: message.place)
    file.octets.append(",\"outcome\":")
    file.octets.append(jsonString: outcome)
    file.octets.append(",\"status\":")
    file.octets.append(decimal: status.rawValue)
    if let began = message.began {
      file.octets.append(",\"ms\":")
      file.octets.append(shortMilliseconds: max(0, now - began))
    }
    if let condition {
      file.octets.append(",\"condition\":")
      file.octets.append(jsonString: ReceiptLines.short(condition))
    }
    if let description {
      file.octets.append(",\"description\":")
      file.octets.append(jsonString: ReceiptLines.short(description))
    }
    if message.mayBeTwice { file.octets.append(",\"duplicate\":true") }
    file.octets.append("}\n")
  }

  private static func short(_ text: String) -> String {
    guard text.utf8.count > longest else { return text }
    return text.prefix(longest) + "…"
  }
}
