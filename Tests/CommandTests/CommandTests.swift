// Every script of Tests/Scripts on the built program. `AMQP_TEST_REWRITE=1` writes down what comes out instead of checking
// it; look at the difference before you keep it.
import Foundation
import Support
import Testing

enum Built {
  /// The directory of the test program, which is where the package manager puts the others too.
  static let directory: String = {
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }()

  static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Scripts")

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: scripts.path)) ?? []
    return files.filter { $0.hasSuffix(".amqp") }.map { String($0.dropLast(5)) }.sorted()
  }()
}

@Suite struct CommandScripts {
  @Test func thereAreScripts() { #expect(Built.names.count > 100) }

  @Test(arguments: Built.names) func script(_ name: String) throws {
    let url = Built.scripts.appendingPathComponent(name + ".amqp")
    let expected = try String(contentsOf: url, encoding: .utf8)
    let actual = try CommandScriptRun.transcript(of: CommandScript(expected), binaries: Built.directory).text
    if ProcessInfo.processInfo.environment["AMQP_TEST_REWRITE"] != nil {
      if actual != expected { try actual.write(to: url, atomically: true, encoding: .utf8) }
      return
    }
    #expect(actual == expected, "\(difference(expected, actual))")
  }

  /// The lines that went and came.
  private func difference(_ expected: String, _ actual: String) -> String {
    let old = expected.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let new = actual.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return new.difference(from: old).map { change in
      switch change {
      case .remove(let at, let line, _): "\(at + 1) - \(line)"
      case .insert(let at, let line, _): "\(at + 1) + \(line)"
      }
    }.joined(separator: "\n")
  }
}
