// `--checkpoint`: the place in a stream, kept in a file. It moves when the output is written and before messages are settled,
// so that a run that is killed and started again goes on behind the last message that was written.
import Bytes
import Console
import Glibc
import Transport
import Wire

final class Checkpoint {
  private let path: String
  /// Of the last message that was written, in this run or an earlier one.
  private(set) var offset: UInt64?
  private var isSaved = true

  init(_ path: String) throws(Failure) {
    self.path = path
    let content: [UInt8]
    do throws(Errno) { content = try Files.contents(of: path, limit: 4_096) } catch {
      if error.code == ENOENT { return }
      throw Failure("cannot read the checkpoint", "\(error)", exitCode: .noInput)
    }
    let line = String(decoding: content.prefix { $0 != 0x0a }, as: UTF8.self)
    guard let offset = UInt64(line) else {
      throw Failure(
        "cannot use the checkpoint \(path)", "expected the offset of a message, got '\(line.prefix(40))'",
        nextStep: "delete it to begin anew", exitCode: .badInput)
    }
    self.offset = offset
  }

  /// The filter's value for a run that goes on; nil: nothing was written yet.
  var next: Value? { offset.map { .ulong($0 + 1) } }

  func wrote(_ offset: UInt64) {
    self.offset = offset
    isSaved = false
  }

  func save() throws(Failure) {
    guard !isSaved, let offset else { return }
    var line = ByteQueue()
    line.append(decimal: offset)
    line.append(0x0a)
    do throws(Errno) {
      try line.withReadable { (b) throws(Errno) in try Files.replace(path, with: b) }
    } catch {
      throw Failure("cannot write the checkpoint", "\(error)", exitCode: .cannotWrite)
    }
    isSaved = true
  }

  /// The offset that a stream gave a message: an annotation over 1.0, a header over 0-9-1.
  static func offset(of message: Span<UInt8>) -> UInt64? {
    var sections = Sections(0..<message.count)
    while let section = try? sections.next(message) {
      guard section.code == Code.messageAnnotations || section.code == Code.applicationProperties else { continue }
      let value = try? Value.decode(message.extracting(section.value..<section.range.upperBound))
      switch value?["x-stream-offset"] ?? value?["x-opt-offset"] {
      case .long(let v)?: return UInt64(exactly: v)
      // As event hubs write it.
      case .string(let text)?: if let number = UInt64(text) { return number }
      case let v?: if let number = v.unsigned { return number }
      case nil: break
      }
    }
    return nil
  }
}
