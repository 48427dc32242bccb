// Expected against got, in lines for people: `- ` what was expected, `+ ` what came. JSON is told apart member by member
// when it is long; other text by its lines; what is no text in hexadecimal; and nothing fills the screen.
import Bytes
import Render
import Wire

enum ExpectDiff {
  /// Characters of a value, and lines of a text, that are shown.
  private static let width = 100
  private static let height = 8
  private static let most = 10

  /// Empty when they are the same.
  static func body(_ expected: [UInt8], _ got: [UInt8]) -> [String] {
    if expected == got { return [] }
    if let first = expected.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
      let a = try? JSONReader.read(expected.span), let b = try? JSONReader.read(got.span)
    {
      return json(a, b)
    }
    guard expected.span.firstInvalidUTF8() == nil, got.span.firstInvalidUTF8() == nil else {
      return binary(expected, got)
    }
    return ["body"] + text(expected, got)
  }

  private static func json(_ expected: JSON, _ got: JSON) -> [String] {
    if expected.means(got) { return [] }
    let (a, b) = (expected.text, got.text)
    if a.count <= 60 && b.count <= 60 { return ["body", "- " + a, "+ " + b] }
    let all = expected.differences(got)
    var lines: [String] = []
    for difference in all.prefix(most) {
      lines.append("body" + difference.path)
      if let value = difference.expected { lines.append("- " + cut(value.text)) }
      if let value = difference.got { lines.append("+ " + cut(value.text)) }
    }
    if all.count > most { lines.append("and \(all.count - most) more") }
    return lines
  }

  private static func cut(_ text: String) -> String {
    text.count <= width ? text : String(text.prefix(width)) + "… (\(text.utf8.count) octets)"
  }

  /// Lines that both begin and end with are left out.
  private static func text(_ expected: [UInt8], _ got: [UInt8]) -> [String] {
    func cutUp(_ octets: [UInt8]) -> [String] {
      octets.split(separator: 0x0a, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
    let (a, b) = (cutUp(expected), cutUp(got))
    if a.count == 1 && b.count == 1 { return line(a[0], b[0]) }
    let shorter = min(a.count, b.count)
    var front = 0
    while front < shorter && a[front] == b[front] { front += 1 }
    var back = 0
    while back < shorter - front && a[a.count - 1 - back] == b[b.count - 1 - back] { back += 1 }
    var lines = front > 0 ? ["from line \(front + 1) on"] : []
    lines += shown("- ", a[front..<a.count - back])
    lines += shown("+ ", b[front..<b.count - back])
    return lines
  }

  private static func shown(_ mark: String, _ lines: ArraySlice<String>) -> [String] {
    var out = lines.prefix(height).map { mark + cut($0) }
    if lines.count > height { out.append("\(mark)… \(lines.count - height) more lines") }
    return out
  }

  /// One line against another: of long ones what is around the first difference.
  private static func line(_ expected: String, _ got: String) -> [String] {
    let (a, b) = (Array(expected), Array(got))
    if a.count <= width && b.count <= width { return ["- " + expected, "+ " + got] }
    var same = 0
    while same < min(a.count, b.count) && a[same] == b[same] { same += 1 }
    let start = max(0, same - 30)
    func part(_ all: [Character]) -> String {
      let end = min(all.count, start + width)
      return (start > 0 ? "…" : "") + String(all[min(start, end)..<end]) + (end < all.count ? "…" : "")
    }
    let place = "first different at character \(same + 1); \(a.count) expected, \(b.count) came"
    return [place, "- " + part(a), "+ " + part(b)]
  }

  private static func binary(_ expected: [UInt8], _ got: [UInt8]) -> [String] {
    var same = 0
    while same < min(expected.count, got.count) && expected[same] == got[same] { same += 1 }
    let start = same & ~15
    func part(_ all: [UInt8]) -> String {
      let end = min(all.count, start + 32)
      var q = ByteQueue()
      for (i, octet) in all[min(start, end)..<end].enumerated() {
        if i > 0 { q.append(UInt8(ascii: " ")) }
        q.append(hex: octet)
      }
      return (start > 0 ? "… " : "") + q.withReadable { $0.text } + (end < all.count ? " …" : "")
    }
    let place = "body, from octet \(start) on; \(expected.count) expected, \(got.count) came"
    return [place, "- " + part(expected), "+ " + part(got)]
  }

  /// A body alone.
  static func lines(_ mark: String, _ body: [UInt8]) -> [String] {
    guard body.span.firstInvalidUTF8() == nil else {
      var q = ByteQueue()
      for octet in body.prefix(32) { q.append(hex: octet) }
      return [mark + q.withReadable { $0.text } + (body.count > 32 ? "… (\(body.count) octets)" : "")]
    }
    let text = body.split(separator: 0x0a, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    return shown(mark, text[...])
  }

  static func property(
    _ expected: MatchExpression, _ b: Span<UInt8>, _ address: String, _ reader: inout FieldReader
  ) -> [String] {
    var got: [String] = []
    _ = reader.any(expected.field, b, address: address) { found in
      got.append(cut(String(decoding: MatchExpression.octets(found), as: UTF8.self)))
      return got.count == most
    }
    // Equality goes without saying.
    let sign = expected.comparison == .equal ? "" : expected.comparison.rawValue
    return [expected.name, "- " + sign + cut(expected.operand)]
      + (got.isEmpty ? ["+ (not there)"] : got.map { "+ " + $0 })
  }
}
