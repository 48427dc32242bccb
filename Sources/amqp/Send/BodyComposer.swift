// Bodies as they are typed to message sections: `--hex`, `--base64`, `--body-as`.
import Bytes
import Console
import Render
import Wire

struct BodyComposer {
  enum Section: String { case data, string, value, sequence }
  enum Coding { case plain, hex, base64 }

  let section: Section
  let coding: Coding
  /// The footer section behind the body, mostly empty.
  let suffix: [UInt8]
  /// What one body became; reused.
  private(set) var prefix = ByteQueue()
  private var decoded: [UInt8] = []

  init(section: Section, coding: Coding, suffix: [UInt8]) {
    (self.section, self.coding, self.suffix) = (section, coding, suffix)
  }

  /// Whether a body goes out as it came, behind a prefix.
  var isPlain: Bool { coding == .plain && section == .data }

  /// Descriptor and constructor of a data section of `count` octets, part 3 §3.2.6.
  mutating func dataPrefix(_ count: Int) {
    prefix.removeAll()
    prefix.appendDataHead(count)
  }

  /// Writes the whole body section for `body` into `prefix`. `what` names it in a failure: "line 3".
  mutating func compose(_ body: Span<UInt8>, _ what: @autoclosure () -> String) throws(Failure) {
    prefix.removeAll()
    switch coding {
    case .plain: try section(body, what())
    case .hex:
      guard let bytes = bytesFromHex(body) else { throw bad(what(), "not hexadecimal, an even run of digits") }
      try section(bytes.span, what())
    case .base64:
      guard let bytes = bytesFromBase64(body) else { throw bad(what(), "not base64") }
      try section(bytes.span, what())
    }
  }

  private mutating func section(_ body: Span<UInt8>, _ what: @autoclosure () -> String) throws(Failure) {
    switch section {
    case .data:
      guard body.count <= Int(UInt32.max) else { throw bad(what(), "larger than 4 GiB") }
      dataPrefix(body.count)
      prefix.append(body)
    case .string:
      if let at = body.firstInvalidUTF8() {
        throw bad(what(), "not UTF-8 at octet \(at), and --body-as string needs text")
      }
      prefix.appendSection(Code.amqpValue, .string(body.text))
    case .value: prefix.appendSection(Code.amqpValue, try json(body, what()))
    case .sequence:
      guard case .list(let items) = try json(body, what()) else {
        throw bad(what(), "not a JSON array, which --body-as sequence needs")
      }
      prefix.appendSection(Code.amqpSequence, .list(items))
    }
  }

  private func json(_ body: Span<UInt8>, _ what: @autoclosure () -> String) throws(Failure) -> Value {
    let text: String
    do throws(JSONFault) {
      let json = try JSONReader.read(body)
      do throws(TextFault) { return try Value(json: json) } catch { text = error.reason }
    } catch {
      text = "\(error.reason) at character \(error.offset + 1)"
    }
    throw bad(what(), text)
  }

  private func bad(_ what: String, _ why: String) -> Failure { Failure(what, why, exitCode: .badInput) }
}
