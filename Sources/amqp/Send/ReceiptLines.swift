// `--receipts`: what became of each message, a line of JSON each, in the order in which answers come. It counts nothing and
// decides nothing, see `Receipts`; it knows no link and no peer.
import Bytes
import Console
import Engine
import Render
import Transport
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

  private let name: String
  private let file: OutputFile
  private var octets = ByteQueue()
  /// Receipts can't be written, and why.
  private(set) var failure: Failure?

  /// Input waits for this much output.
  private static let bound = 1 << 20
  /// What isn't written at once while there is something else to do.
  private static let batch = 1 << 16
  /// A peer's words are cut here.
  private static let longest = 1_024

  init(_ path: String) throws(Failure) {
    name = path == "-" ? "to standard output" : path
    do throws(Errno) {
      file = path == "-" ? try OutputFile() : try OutputFile(creating: path)
    } catch {
      throw Failure("cannot write receipts \(name)", error.text, exitCode: .cannotWrite)
    }
  }

  var isFull: Bool { octets.count >= ReceiptLines.bound && failure == nil }

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
      Outbox.Pending(place: message.place, began: began), "rolled-back", .unavailable, error?.condition,
      error?.description, now: now)
  }

  /// Written, and no answer is to come: as it was wished, or because the peer gives none.
  func addSent(_ message: Outbox.Pending, asWished: Bool, now: Int64) {
    line(
      message, "sent", asWished ? .done : .unable, nil, asWished ? nil : "the peer answers no messages here", now: now)
  }

  /// Its receipt, since nothing more is going to happen.
  /// - Parameter unable: why the peer could not have answered.
  func addLeft(_ message: Outbox.Pending, unable: AMQPError?, now: Int64) {
    if message.began != nil {
      line(message, "unanswered", .unknown, now: now)
    } else if let unable {
      line(message, "unsent", .unable, unable.condition, unable.description, now: now)
    } else {
      line(message, "unsent", .unavailable, now: now)
    }
  }

  /// Input that is no message.
  func addRefused(place: Int, _ why: String) {
    line(Outbox.Pending(place: place, began: nil), "refused", .unable, nil, why, now: 0)
  }

  private func line(
    _ message: Outbox.Pending, _ outcome: StaticString, _ status: Status, _ condition: String? = nil,
    _ description: String? = nil, now: Int64
  ) {
    if failure != nil { return }
    octets.append("{\"n\":")
    octets.append(decimal: message.place)
    octets.append(",\"outcome\":")
    octets.append(jsonString: outcome)
    octets.append(",\"status\":")
    octets.append(decimal: status.rawValue)
    if let began = message.began {
      octets.append(",\"ms\":")
      octets.append(milliseconds: max(0, now - began))
    }
    if let condition {
      octets.append(",\"condition\":")
      octets.append(jsonString: ReceiptLines.short(condition))
    }
    if let description {
      octets.append(",\"description\":")
      octets.append(jsonString: ReceiptLines.short(description))
    }
    octets.append("}\n")
  }

  private static func short(_ text: String) -> String {
    guard text.utf8.count > longest else { return text }
    return text.prefix(longest) + "…"
  }

  // MARK: Writing

  /// Writes what is worth it, or when there is nothing else to do all that goes.
  func flush(isIdle: Bool) {
    while failure == nil && !octets.isEmpty && (isIdle || octets.count >= ReceiptLines.batch) {
      var progress = IOProgress.wouldBlock
      do throws(Errno) {
        progress = try octets.withReadable { span throws(Errno) in try file.write(span) }
      } catch {
        return fail(error.text)
      }
      switch progress {
      case .bytes(let n): octets.consume(n)
      case .wouldBlock: return
      case .end: return fail("nobody reads them any more")
      }
    }
    octets.release(above: ReceiptLines.bound * 2)
  }

  /// Waits until all is written, or somebody is out of patience.
  func drain(_ signals: Signals?) {
    var polls = PollSet()
    while true {
      flush(isIdle: true)
      guard failure == nil, !octets.isEmpty, (signals?.count ?? 0) < 2 else { return }
      polls.removeAll()
      register(&polls)
      _ = signals.map { polls.add($0.number, read: true) }
      do throws(Errno) { try polls.wait(now: 0, until: nil) } catch { return fail(error.text) }
      try? signals?.take()
    }
  }

  func register(_ polls: inout PollSet) {
    if failure == nil { _ = polls.add(file.number, write: !octets.isEmpty, hangUp: octets.isEmpty) }
  }

  private func fail(_ why: String) {
    failure = Failure("cannot write receipts \(name)", why, exitCode: .cannotWrite)
    octets.removeAll()
  }
}

extension ByteQueue {
  /// Nanoseconds as milliseconds with three digits behind the point.
  fileprivate mutating func append(milliseconds nanoseconds: Int64) {
    let micros = nanoseconds / 1_000
    append(decimal: micros / 1_000)
    append(UInt8(ascii: "."))
    for unit: Int64 in [100, 10, 1] { append(UInt8(ascii: "0") + UInt8(micros / unit % 10)) }
  }
}
