// `receive --save` where the disk is full: what was written whole is taken, nothing else is.
import Foundation
import Testing

@Suite struct SaveTests {
  @Test(.enabled(if: getuid() == 0, "mounting a small file system needs root"))
  func aFullDiskLosesNothing() throws {
    let directory = "/tmp/amqp-save-\(UUID().uuidString.lowercased().prefix(8))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let mounted = try Program("mount", ["-t", "tmpfs", "-o", "size=256k", "amqp-save", directory]).finish()
    // In a container without the right to mount there is nothing to see.
    if mounted.status != 0 { return }
    defer { _ = try? Program("umount", [directory]).finish() }
    let body = String(repeating: "x", count: 9_000)
    let count = 60
    let (sender, port) = try Amqp.listen(
      "send", "-l", input: .lines((1...count).map { "\($0) \(body)" }))
    let url = "amqp://localhost:\(port)"
    let saved = try Amqp.run("receive", "-u", url, "q", "--save", "\(directory)/dump", "-c", "\(count)")
    #expect(saved.status == 74, "\(saved.status) \(saved.errors)")
    #expect(saved.errors.contains("cannot save into '\(directory)/dump'"), "\(saved.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(directory)/dump")
    let documents = names.filter { $0.hasSuffix(".json") }.count
    #expect(documents > 5 && documents < count, "\(documents)")
    #expect(names.count == 2 * documents, "no half file is left: \(names)")
    let rest = try Amqp.run("receive", "-u", url, "q", "-c", "\(count - documents)")
    #expect(rest.status == 0 && rest.lines.count == count - documents, "\(rest.errors)")
    #expect(rest.lines.first?.hasPrefix("\(documents + 1) ") == true, "in order, behind the last that was saved")
    #expect(try sender.finish().status == 0)
  }
}
