/// Files that tests read, found relative to this file. A missing one fails loudly.
import Glibc

/// The folder `Tests`.
package let testsFolder: String = {
  let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  return parts.dropLast(2).joined(separator: "/")
}()

package struct MissingFixture: Error, CustomStringConvertible {
  package let path: String
  package var description: String { "can't read \(path)" }
}

/// The content of the file at `path` below `Tests`, or at an absolute path.
package func fixture(_ path: String) throws(MissingFixture) -> [UInt8] {
  let full = path.hasPrefix("/") ? path : "\(testsFolder)/\(path)"
  guard let file = fopen(full, "r") else { throw MissingFixture(path: full) }
  defer { fclose(file) }
  var content: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let n = fread(&chunk, 1, chunk.count, file)
    if n == 0 { break }
    content += chunk[..<n]
  }
  return content
}

/// The same as text.
package func textFixture(_ path: String) throws(MissingFixture) -> String {
  String(decoding: try fixture(path), as: UTF8.self)
}
