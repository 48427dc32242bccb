/// The pieces of JSON output: strings with their escapes, numbers in their shortest exact form, a document on one line.
package import Bytes

extension ByteQueue {
  /// Appends UTF-8 text as a JSON string.
  package mutating func append(jsonString text: Span<UInt8>) {
    append(UInt8(ascii: "\""))
    append(jsonEscaped: text)
    append(UInt8(ascii: "\""))
  }

  package mutating func append(jsonString text: String) {
    var text = text
    text.withUTF8 { p in unsafe append(jsonString: p.span) }
  }

  package mutating func append(jsonString text: StaticString) {
    append(UInt8(ascii: "\""))
    append(text)
    append(UInt8(ascii: "\""))
  }

  /// Appends UTF-8 text as it stands between the quotes. DEL and U+2028 are legal there and stay.
  package mutating func append(jsonEscaped text: Span<UInt8>) {
    var at = 0
    while at < text.count {
      let end = min(at + 4096, text.count)
      _ = write(room: TailWriter.escaped * (end - at)) { w in
        w.append(jsonEscaped: text.extracting(at..<end))
        return true
      }
      at = end
    }
  }

  /// Appends octets as a JSON string of base64.
  package mutating func append(jsonBase64 bytes: Span<UInt8>) {
    append(UInt8(ascii: "\""))
    append(base64: bytes)
    append(UInt8(ascii: "\""))
  }

  /// Appends octets as a JSON string of hexadecimal digits.
  package mutating func append(jsonHex bytes: Span<UInt8>) {
    append(UInt8(ascii: "\""))
    append(hex: bytes)
    append(UInt8(ascii: "\""))
  }

  /// Appends a document that is known to be JSON without the white space between its tokens, so that it fits a line.
  package mutating func append(jsonOnOneLine document: Span<UInt8>) {
    var quoted = false
    var start = 0
    var i = 0
    while i < document.count {
      let c = document[i]
      if quoted {
        if c == UInt8(ascii: "\\") { i += 1 } else if c == UInt8(ascii: "\"") { quoted = false }
      } else if c == UInt8(ascii: "\"") {
        quoted = true
      } else if c <= 0x20 {
        append(document.extracting(start..<i))
        start = i + 1
      }
      i += 1
    }
    append(document.extracting(start..<document.count))
  }

  /// Appends a UUID, 8-4-4-4-12.
  package mutating func append(uuid: UInt128) {
    let high = UInt64(truncatingIfNeeded: uuid >> 64)
    let low = UInt64(truncatingIfNeeded: uuid)
    append(hex: high >> 32, digits: 8)
    append(UInt8(ascii: "-"))
    append(hex: high >> 16, digits: 4)
    append(UInt8(ascii: "-"))
    append(hex: high, digits: 4)
    append(UInt8(ascii: "-"))
    append(hex: low >> 48, digits: 4)
    append(UInt8(ascii: "-"))
    append(hex: low, digits: 12)
  }
}

extension TailWriter {
  /// The most octets that one of a text becomes.
  static let escaped = 6

  /// Appends UTF-8 text as a JSON string, for which there has to be room.
  mutating func append(jsonString text: Span<UInt8>) {
    append(UInt8(ascii: "\""))
    append(jsonEscaped: text)
    append(UInt8(ascii: "\""))
  }

  mutating func append(jsonEscaped text: Span<UInt8>) {
    var at = 0
    while true {
      let next = text.firstUnplain(from: at)
      append(text.extracting(at..<next))
      if next == text.count { return }
      let c = text[next]
      at = next &+ 1
      if c >= 0x7f {
        append(c)
        continue
      }
      append(UInt8(ascii: "\\"))
      switch c {
      case 0x22, 0x5c: append(c)
      case 0x08: append(UInt8(ascii: "b"))
      case 0x09: append(UInt8(ascii: "t"))
      case 0x0a: append(UInt8(ascii: "n"))
      case 0x0c: append(UInt8(ascii: "f"))
      case 0x0d: append(UInt8(ascii: "r"))
      default:
        append("u00")
        append(hexDigit(c >> 4))
        append(hexDigit(c & 15))
      }
    }
  }

  /// Octets as text when they are, else as base64 in a tag.
  mutating func append(jsonOctets octets: Span<UInt8>) {
    if octets.firstInvalidUTF8() == nil { return append(jsonString: octets) }
    append("{\"binary\":\"")
    append(base64: octets)
    append("\"}")
  }
}
