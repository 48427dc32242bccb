// The directory of `--save`: a message is two files with a number for a name, never anything that the message says.
// `00000001.json` is all of it on one line, as `receive -J` prints it and `send -J` reads it; it gets its name when it is
// whole, so that where it is the message is. `00000001.body` is the body's octets.
import Bytes
import Console
import Glibc
import Transport

struct SaveDirectory {
  let path: String
  /// The first number that is free.
  let first: Int

  /// Makes the directory if it isn't there.
  init(_ path: String) throws(Failure) {
    self.path = path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
    if unsafe mkdir(path, 0o777) != 0 && errno != EEXIST {
      throw Failure("cannot make the directory '\(path)'", Errno("mkdir", code: errno).text, exitCode: .cannotWrite)
    }
    let names: [String]
    do throws(Errno) { names = try Files.inDirectory(path) } catch {
      throw Failure("cannot save into '\(path)'", error.text, exitCode: .cannotWrite)
    }
    var highest = 0
    for name in names {
      let last = name.split(separator: "/").last ?? ""
      if let number = Int(last.prefix { $0.isASCII && $0.isNumber }) { highest = max(highest, number) }
    }
    first = highest + 1
  }

  func name(_ number: Int, _ suffix: String) -> String {
    let digits = "\(number)"
    return "\(path)/\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).\(suffix)"
  }
}
