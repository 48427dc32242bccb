// A program that is run to its end. Not by `Foundation.Process`: beside other tests' children it may wait for ever for its
// own, which has ended.
import Glibc

package struct ProcessOutput: Equatable, Sendable {
  /// The exit status, or minus the signal that ended it.
  package let status: Int32
  /// Standard output and standard error together.
  package let text: String

  /// - Parameter input: a file; nil: nothing.
  package init(_ program: String, _ arguments: [String], directory: String = ".", input: String? = nil) throws {
    let stdin = open(input ?? "/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(stdin) }
    let pipe = try ProcessSpawn.pipe()
    defer { close(pipe.reader) }
    var environment: [String] = []
    var variable = environ
    while let text = variable.pointee {
      environment.append(String(cString: text))
      variable += 1
    }
    let pid: pid_t
    do {
      defer { close(pipe.writer) }
      pid = try ProcessSpawn.start(
        program, arguments, environment: environment, directory: directory,
        descriptors: (stdin, pipe.writer, pipe.writer))
    }
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let n = read(pipe.reader, &piece, piece.count)
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { break }
      output += piece[..<n]
    }
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0 && errno == EINTR {}
    status = code & 0x7f == 0 ? code >> 8 & 0xff : -(code & 0x7f)
    text = String(decoding: output, as: UTF8.self)
  }
}
