/// The body of a message as a plain `receive` prints it: octets of data sections and of a string or binary value as they
/// are, one behind the other; everything else as plain JSON. A message with one data section, which is nearly every
/// message, costs a walk over the sections and one copy.
package import Bytes
package import Wire

package enum BodyText {
  /// Appends the body of the message in `range`.
  /// - Parameter dissector: used, and overwritten, for bodies that have to become JSON.
  /// - Parameter escaped: for a terminal, which must not be steered by a message: control characters but newline and
  ///   tab, and octets that are not UTF-8, become `\xHH`.
  package static func append(
    _ b: Span<UInt8>, in range: Range<Int>, with dissector: inout Dissector, escaped: Bool = false,
    to q: inout ByteQueue
  ) throws(Problem) {
    if let body = onlyData(b, in: range) {
      if escaped { q.append(escaped: b.extracting(body)) } else { q.append(b.extracting(body)) }
      return
    }
    var sections = Sections(range)
    var written = false
    while let section = try sections.next(b) {
      switch section.code {
      case Code.data, Code.amqpValue:
        switch section.constructor {
        case 0xa0, 0xb0, 0xa1, 0xb1:
          if escaped {
            q.append(escaped: b.extracting(section.content))
          } else {
            q.append(b.extracting(section.content))
          }
        default: try appendJSON(section, b, &dissector, written, to: &q)
        }
        written = true
      case Code.amqpSequence:
        try appendJSON(section, b, &dissector, written, to: &q)
        written = true
      default: break
      }
    }
  }

  /// The body of a message that is one data section, behind a header section or nothing: nearly every message, and found
  /// without walking. Anything else is nil, well formed or not.
  private static func onlyData(_ b: Span<UInt8>, in range: Range<Int>) -> Range<Int>? {
    var at = range.lowerBound
    let end = range.upperBound
    guard end - at >= 5 else { return nil }
    switch b.u32(at) {
    case 0x0053_7045: at += 4
    case 0x0053_70c0: at += 5 + Int(b[at + 4])
    default: break
    }
    guard end - at >= 5 else { return nil }
    switch b.u32(at) {
    case 0x0053_75a0 where Int(b[at + 4]) == end - at - 5: return at + 5..<end
    case 0x0053_75b0 where end - at >= 8 && Int(b.u32(at + 4)) == end - at - 8: return at + 8..<end
    default: return nil
    }
  }

  /// Values and sequences are documents of their own: a newline parts them.
  private static func appendJSON(
    _ section: Section, _ b: Span<UInt8>, _ dissector: inout Dissector, _ further: Bool, to q: inout ByteQueue
  ) throws(Problem) {
    dissector.reset()
    dissector.value(b, at: section.value, limit: section.range.upperBound)
    if let fault = dissector.firstFault { throw fault }
    if further { q.append(UInt8(ascii: "\n")) }
    ValueJSON(dissector).plain(0, b, to: &q)
  }

  /// The octets of the body when it is one data section, string or binary: a range of the message, nothing copied.
  package static func single(_ b: Span<UInt8>, in range: Range<Int>) throws(Problem) -> Range<Int>? {
    var sections = Sections(range)
    var found: Range<Int>?
    while let section = try sections.next(b) {
      switch section.code {
      case Code.data, Code.amqpValue:
        if found != nil { return nil }
        switch section.constructor {
        case 0xa0, 0xb0, 0xa1, 0xb1: found = section.content
        default: return nil
        }
      case Code.amqpSequence: return nil
      default: break
      }
    }
    return found
  }
}

extension ByteQueue {
  /// Appends octets so that a terminal shows them and obeys none. A backslash that isn't followed by an escape of ours
  /// stays one: what is printable is printed as it is.
  package mutating func append(escaped octets: Span<UInt8>) {
    var at = 0
    while at < octets.count {
      let rest = octets.extracting(at..<octets.count)
      let valid = rest.firstInvalidUTF8() ?? rest.count
      append(visible: rest.extracting(0..<valid))
      at += valid
      if at < octets.count {
        appendEscape(octets[at])
        at += 1
      }
    }
  }

  private mutating func append(visible text: Span<UInt8>) {
    var start = 0
    for i in 0..<text.count {
      let c = text[i]
      // C0 and DEL; C1 controls are C2 80 to C2 9F in UTF-8.
      let control =
        (c < 0x20 && c != 0x0a && c != 0x09) || c == 0x7f
        || (c < 0xa0 && c >= 0x80 && i > 0 && text[i - 1] == 0xc2)
      if !control { continue }
      append(text.extracting(start..<(c >= 0x80 ? i - 1 : i)))
      if c >= 0x80 { appendEscape(0xc2) }
      appendEscape(c)
      start = i + 1
    }
    append(text.extracting(start..<text.count))
  }

  private mutating func appendEscape(_ c: UInt8) {
    append("\\x")
    append(hex: c)
  }
}
