// `--rejects`: the inputs that were not accepted, in the input's own form, so that sending the file again loses nothing and
// sends nothing twice that was accepted. What nobody answered is in it too: it may have arrived.
//
// Lines, parts and lines of JSON are kept as they were read until their answer is there. Bodies from arguments, from files or
// from the whole of standard input have no such form: they become lines of JSON, for `send -J`.
import Bytes
import Console
import Engine
import Render
import Wire

final class Rejects {
  enum Form {
    /// What ends each input.
    case ended(by: [UInt8])
    /// Messages, of this address.
    case json(address: String?)
  }

  let file: SideFile
  private let path: String
  private let form: Form
  /// Inputs whose fate is open, oldest first; `base` is the logical offset of the first octet.
  private var kept = ByteQueue()
  private var base = 0
  private var inputs: [Input] = []
  /// The place of `inputs[0]`.
  private var first = 1
  private var gone = 0
  private var written = 0
  private var unanswered = 0
  private var dissector = Dissector()

  private struct Input: BitwiseCopyable {
    let offset: Int
    let length: Int
    var isDone = false
  }

  init(_ path: String, _ form: Form) throws(Failure) {
    file = try SideFile(path, "rejects")
    (self.path, self.form) = (path, form)
  }

  /// The next input, before anything is made of it.
  func keep(_ input: Span<UInt8>) {
    guard case .ended = form else { return }
    inputs.append(Input(offset: base + kept.count, length: input.count))
    kept.append(input)
  }

  func accepted(_ message: Outbox.Pending) { done(message.place) }

  /// - Parameter mayHaveArrived: it was sent, and nobody answered.
  func rejected(_ message: Outbox.Pending, _ outbox: borrowing Outbox, mayHaveArrived: Bool) {
    if mayHaveArrived { unanswered += 1 }
    switch form {
    case .ended: refused(place: message.place)
    case .json(let address):
      written += 1
      outbox.withMessage(message.number) { head, own in
        var whole = ByteQueue()
        whole.append(head)
        whole.append(own)
        var context = MessageContext()
        context.address = address
        whole.withReadable { b in
          dissector.message(b, in: 0..<b.count)
          MessageJSON.append(dissector, b, context, to: &file.octets)
        }
        file.octets.append(0x0a)
      }
    }
  }

  /// Input that became no message.
  func refused(place: Int) {
    guard case .ended(let end) = form, let i = index(place), !inputs[i].isDone else { return }
    let start = kept.readable.lowerBound + inputs[i].offset - base
    kept.withBytes(start..<start + inputs[i].length) { file.octets.append($0) }
    file.octets.append(end)
    written += 1
    done(place)
  }

  /// Input that nobody came to send, as it is, in pieces.
  func rest(_ octets: Span<UInt8>) {
    guard case .ended(let end) = form, !octets.isEmpty else { return }
    file.octets.append(octets)
    file.flush(isIdle: true)
    hasRest = true
    tail = (tail + octets.extracting(last: end.count).array).suffix(end.count)
  }
  private var hasRest = false
  /// The last octets of it.
  private var tail: [UInt8] = []

  /// Nothing more comes: the last input need not have had an end.
  func endRest() { if case .ended(let end) = form, hasRest, tail != end { file.octets.append(end) } }

  private func index(_ place: Int) -> Int? {
    let i = gone + place - first
    return place >= first && i < inputs.count ? i : nil
  }

  private func done(_ place: Int) {
    guard let i = index(place) else { return }
    inputs[i].isDone = true
    while gone < inputs.count, inputs[gone].isDone {
      kept.consume(inputs[gone].length)
      base += inputs[gone].length
      gone += 1
      first += 1
    }
    if gone == inputs.count || gone > 8_192 {
      inputs.removeFirst(gone)
      gone = 0
    }
  }

  /// "2 inputs are in FILE, 1 of them unanswered: it may have arrived"; nil: nothing is.
  var summary: String? {
    if written == 0 && !hasRest { return nil }
    if written == 0 { return "what was not read is in \(path)" }
    var text = "\(written) \(written == 1 ? "input is" : "inputs are") in \(path)"
    if hasRest { text += ", and what was not read" }
    if unanswered > 0 { text += "; \(unanswered) of them not answered, which may have arrived" }
    return text
  }
}
