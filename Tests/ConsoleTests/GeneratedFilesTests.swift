// completions/ and man/ are made from the tables and checked in. `AMQP_REGENERATE=1 swift test --filter GeneratedFiles` writes
// them anew.
import Console
import Foundation
import Support
import Testing

@testable import amqp

@Suite struct GeneratedFilesTests {
  struct GeneratedFile: CustomTestStringConvertible {
    let path: String
    let content: String
    var testDescription: String { path }
  }

  static let files =
    Completions.files(Commands.program).map { GeneratedFile(path: "completions/\($0.name)", content: $0.content) }
    + ManPage(Commands.program).pages.map { GeneratedFile(path: "man/\($0.name)", content: $0.content) }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test(arguments: files) func isCheckedInAsGenerated(_ file: GeneratedFile) throws {
    let url = Self.root.appendingPathComponent(file.path)
    if ProcessInfo.processInfo.environment["AMQP_REGENERATE"] == "1" {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(file.content.utf8).write(to: url)
    }
    let checkedIn = try #require(FileManager.default.contents(atPath: url.path), "\(file.path) is missing")
    #expect(
      checkedIn == Data(file.content.utf8), "\(file.path) is not what the tables say: AMQP_REGENERATE=1 rewrites it")
  }

  @Test func nothingElseIsCheckedIn() throws {
    let present = try ["completions", "man"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: Self.root.appendingPathComponent(folder).path)
        .map { "\(folder)/\($0)" }
    }
    #expect(Set(present) == Set(Self.files.map(\.path)))
  }

  @Test(.enabled(if: Shell.path("mandoc") != nil, "mandoc is not installed")) func manPagesAreClean() throws {
    for (name, _) in ManPage(Commands.program).pages {
      let page = Self.root.appendingPathComponent("man/\(name)").path
      let result = try Shell.run("mandoc", ["-Tlint", page])
      #expect(result.status == 0 && result.text.isEmpty, "\(result)")
    }
  }
}
