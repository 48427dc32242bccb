// Whoever wants to know what becomes of each message: receipts a line each, inputs to be sent again, times for the statistics. It decides nothing and
// counts nothing that the exit status needs, see `Receipts`. Where nobody wants to know there is none, and nobody is asked
// once a message.
import Bytes
import Console
import Engine
import Transport
import Wire

final class Witness {
  private let lines: ReceiptLines?
  let rejects: Rejects?
  /// From sending to the answer.
  private(set) var latency: Histogram?

  init(_ lines: ReceiptLines?, _ rejects: Rejects?, measures: Bool) {
    (self.lines, self.rejects) = (lines, rejects)
    latency = measures ? Histogram() : nil
  }

  private var files: [SideFile] { [lines?.file, rejects?.file].compactMap { $0 } }

  // MARK: What becomes of messages

  /// - Parameter run: of the outbox, before these are done.
  func answered(_ run: ClosedRange<Int>, _ outbox: borrowing Outbox, _ answer: Answer, now: Int64) {
    outbox.forEachPending(in: run) { message in
      lines?.add(message, answer, now: now)
      if let began = message.began { latency?.add(now - began) }
      if answer == .accepted {
        rejects?.accepted(message)
      } else {
        rejects?.rejected(message, outbox, mayHaveArrived: false)
      }
    }
  }

  /// Written, and no answer is to come: as it was wished, or because the peer gives none.
  func sent(_ run: ClosedRange<Int>, _ outbox: borrowing Outbox, asWished: Bool, now: Int64) {
    outbox.forEachPending(in: run) {
      lines?.addSent($0, asWished: asWished, now: now)
      rejects?.accepted($0)
    }
  }

  /// Nothing more is going to happen to what is in here.
  /// - Parameters:
  ///   - unable: why the peer could not have answered.
  ///   - why: with what it ended the link or the connection.
  func left(
    _ outbox: borrowing Outbox, _ run: ClosedRange<Int> = 0...Int.max, unable: AMQPError? = nil, why: AMQPError? = nil,
    now: Int64
  ) {
    outbox.forEachPending(in: run) {
      lines?.addLeft($0, unable: unable, why: why, now: now)
      rejects?.rejected($0, outbox, mayHaveArrived: $0.began != nil)
    }
  }

  /// Nothing of what waits is going to be sent.
  func dropped(_ outbox: borrowing Outbox, all: Bool, now: Int64) {
    outbox.forEachWaiting(all: all) {
      lines?.addLeft($0, unable: nil, now: now)
      rejects?.rejected($0, outbox, mayHaveArrived: $0.began != nil)
    }
  }

  /// The same, where what was sent was in a transaction that is not to be.
  func rolledBack(
    _ outbox: borrowing Outbox, _ run: ClosedRange<Int> = 0...Int.max, error: AMQPError? = nil,
    unable: AMQPError? = nil, now: Int64
  ) {
    outbox.forEachPending(in: run) {
      if $0.began != nil {
        lines?.addRolledBack($0, error, now: now)
      } else {
        lines?.addLeft($0, unable: unable, now: now)
      }
      rejects?.rejected($0, outbox, mayHaveArrived: false)
    }
  }

  /// Input that is no message.
  func refused(place: Int, _ why: Failure) {
    lines?.addRefused(place: place, "\(why.what): \(why.why)")
    rejects?.refused(place: place)
  }

  // MARK: Files

  var isFull: Bool { files.contains(where: \.isFull) }
  /// What is told can't be written any more.
  var failure: Failure? { files.lazy.compactMap(\.failure).first }
  func flush(isIdle: Bool) { for file in files { file.flush(isIdle: isIdle) } }
  func register(_ polls: inout PollSet) { for file in files { file.register(&polls) } }

  func end(_ signals: Signals?) {
    for file in files { file.drain(signals) }
  }
}
