// Secrets in files: the first line is one, whatever ends it.
import Console
import Transport

enum FirstLine {
  /// - Parameter what: "the password", for the failure.
  static func octets(of path: String, _ what: String) throws(Failure) -> [UInt8] {
    do throws(Errno) {
      let bytes = try Files.contents(of: path == "-" ? "/dev/stdin" : path, limit: 1 << 20)
      return Array(bytes.prefix { $0 != 0x0a && $0 != 0x0d })
    } catch {
      throw Failure("cannot read \(what)", "\(error)", exitCode: .noInput)
    }
  }
}
