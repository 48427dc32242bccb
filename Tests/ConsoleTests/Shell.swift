// Runs a program of the system that a test needs, if it is installed.
import Foundation
import Support

enum Shell {
  static func path(_ program: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(program)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  static func run(_ program: String, _ arguments: [String], directory: URL? = nil) throws -> ProcessOutput {
    try ProcessOutput(path(program) ?? program, arguments, directory: directory?.path ?? ".")
  }
}
