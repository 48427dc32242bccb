/// A conversation as a ladder: the client's rail on the left, the server's on the right, and between them an arrow for every
/// frame with what it says on it, cut to the width.
///
///     12:00:01.204 │ @open container-id=me ────────────────────────────▶│
///     12:00:01.205 │◀────────────────────────── @open container-id=broker │
package import Bytes

package struct Ladder: Sendable {
  /// Columns of the whole.
  private let width: Int
  /// Columns of what stands in front of the left rail.
  private static let margin = 13
  private static let least = 40

  package init(width: Int) { self.width = max(width, Ladder.least + Ladder.margin) }

  /// Appends one rung with its newline.
  /// - Parameter toRight: from the client to the server; nil: it concerns both, and has no arrow.
  package func append(
    _ text: Span<UInt8>, toRight: Bool?, time: (inout ByteQueue) -> Void, to q: inout ByteQueue
  ) {
    let start = q.count
    time(&q)
    let used = q.count - start
    if used < Ladder.margin { q.append(repeating: 0x20, count: Ladder.margin - used) }
    q.append("│")
    let room = width - Ladder.margin - 2
    let shown = Ladder.fitting(text, columns: room - 6)
    let line = room - shown.columns - 2
    switch toRight {
    case true?:
      q.append(UInt8(ascii: " "))
      append(text, shown, to: &q)
      q.append(UInt8(ascii: " "))
      for _ in 0..<line - 1 { q.append("─") }
      q.append("▶")
    case false?:
      q.append("◀")
      for _ in 0..<line - 1 { q.append("─") }
      q.append(UInt8(ascii: " "))
      append(text, shown, to: &q)
      q.append(UInt8(ascii: " "))
    case nil:
      q.append(UInt8(ascii: " "))
      append(text, shown, to: &q)
      q.append(repeating: 0x20, count: line + 1)
    }
    q.append("│\n")
  }

  /// The names of the two sides, over their rails.
  package func head(_ left: String, _ right: String, to q: inout ByteQueue) {
    q.append(repeating: 0x20, count: Ladder.margin)
    let columns = left.unicodeScalars.count + right.unicodeScalars.count
    q.append(utf8: left)
    q.append(repeating: 0x20, count: max(width - Ladder.margin - columns, 1))
    q.append(utf8: right)
    q.append(UInt8(ascii: "\n"))
  }

  private func append(_ text: Span<UInt8>, _ shown: (octets: Int, columns: Int), to q: inout ByteQueue) {
    q.append(text.extracting(0..<shown.octets))
    if shown.octets < text.count { q.append("…") }
  }

  /// How much of UTF-8 text fits; the mark that something was cut counts.
  private static func fitting(_ text: Span<UInt8>, columns: Int) -> (octets: Int, columns: Int) {
    var at = 0
    var used = 0
    var cut = (0, 0)
    while at < text.count {
      var next = at + 1
      while next < text.count && text[next] & 0xc0 == 0x80 { next += 1 }
      if used == columns { return (cut.0, cut.1 + 1) }
      if used < columns - 1 { cut = (next, used + 1) }
      used += 1
      at = next
    }
    return (text.count, used)
  }
}
