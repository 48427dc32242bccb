// The README's one-liners, exactly as they are printed there: a shell runs each in turn against RabbitMQ 4, and what it
// writes is what stands under it.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ4)) struct ReadmeTests {
  struct OneLiner: Equatable {
    let command: String
    var output: [String] = []
  }

  /// Of the block under this heading: lines that begin with `$ ` are commands, the others what they write.
  static func oneLiners(under heading: String) throws -> [OneLiner] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("README.md")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    var found: [OneLiner] = []
    for line in lines.drop(while: { $0 != heading }).drop(while: { $0 != "```" }).dropFirst() {
      if line == "```" { break }
      if line.hasPrefix("$ ") {
        found.append(OneLiner(command: String(line.dropFirst(2))))
      } else if !found.isEmpty {
        found[found.count - 1].output.append(String(line))
      }
    }
    return found
  }

  @Test func theOneLinersDoWhatIsPrinted() throws {
    let broker = Broker.rabbitMQ4
    let queues = ["orders", "archive", "prices"]
    for queue in queues { _ = try? broker.queue("delete", queue) }
    defer { for queue in queues { _ = try? broker.queue("delete", queue) } }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("amqp-readme-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let built = URL(fileURLWithPath: Amqp.path).deletingLastPathComponent().path

    let oneLiners = try Self.oneLiners(under: "## Ten one-liners")
    #expect(oneLiners.count >= 10)
    for oneLiner in oneLiners {
      let run = try Program(
        "bash", ["-c", "cd '\(folder.path)' && { \(oneLiner.command)\n} 2>&1"],
        environment: ["AMQP_URL": broker.url, "PATH": "\(built):/usr/local/bin:/usr/bin:/bin"]
      ).finish()
      let lines = run.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
      #expect(OneLiner(command: oneLiner.command, output: lines) == oneLiner)
    }
  }
}
