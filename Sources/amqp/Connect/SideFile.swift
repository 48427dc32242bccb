// A file that a run writes beside its main work (`--receipts`, `--rejects`): what is put in is written as it goes, without
// blocking the loop, and a failure is kept for the end of the run.
import Bytes
import Console
import Transport

final class SideFile {
  /// "receipts", and where they go: "answers.json".
  private let what: String
  private let file: OutputFile
  var octets = ByteQueue()
  /// It can't be written, and why.
  private(set) var failure: Failure?

  /// Input waits for this much output.
  private static let bound = 1 << 20
  /// What isn't written at once while there is something else to do.
  private static let batch = 1 << 16

  /// Creates it, so that what can't be written is known before anything is connected. `-` is standard output.
  init(_ path: String, _ what: String) throws(Failure) {
    self.what = "cannot write \(what) " + (path == "-" ? "to standard output" : path)
    do throws(Errno) {
      file = path == "-" ? try OutputFile() : try OutputFile(creating: path)
    } catch {
      throw Failure(self.what, error.text, exitCode: .cannotWrite)
    }
  }

  var isFull: Bool { octets.count >= SideFile.bound && failure == nil }

  /// Writes what is worth it, or when there is nothing else to do all that goes.
  func flush(isIdle: Bool) {
    while failure == nil && !octets.isEmpty && (isIdle || octets.count >= SideFile.batch) {
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
    octets.release(above: SideFile.bound * 2)
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
    failure = Failure(what, why, exitCode: .cannotWrite)
    octets.removeAll()
  }
}
