/// The lines of `Vectors/frames-1.0.tsv` and `frames-0-9-1.tsv`: a frame each, and what has to be said of it.

package struct FrameVector: Sendable, CustomStringConvertible {
  package enum Verdict: String, Sendable { case ok, warning, incomplete, malformed }

  package var name: String
  package var bytes: [UInt8]
  package var verdict: Verdict
  /// Of the first problem; nil when it is not compared.
  package var offset: Int?
  /// Contained in what the first problem says.
  package var text: String

  package var description: String { name }

  /// All of them. A file that is missing or has a broken line stops the tests.
  package static let all = read("Vectors/frames-1.0.tsv")
  package static let all091 = read("Vectors/frames-0-9-1.tsv")

  private static func read(_ path: String) -> [FrameVector] {
    do {
      return try textFixture(path).split(separator: "\n").compactMap(FrameVector.init(line:))
    } catch {
      preconditionFailure("\(error)")
    }
  }

  private init?(line: Substring) {
    if line.hasPrefix("#") { return nil }
    let f = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    guard f.count == 5, let verdict = Verdict(rawValue: f[2]) else { preconditionFailure("broken line: \(line)") }
    (name, bytes, self.verdict, text) = (f[0], octets(f[1]), verdict, f[4])
    offset = f[3].isEmpty ? nil : Int(f[3], radix: 16)
  }
}
