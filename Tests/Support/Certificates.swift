// The certificates of `Tests/Certificates/make`, made once a test run.
import Foundation

package enum Certificates {
  private static let made = Result { try make() }

  /// Where they are.
  package static var directory: String { get throws { try made.get() } }

  package static func path(_ file: String) throws -> String { try directory + "/" + file }

  package static func pem(_ file: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(file))))
  }

  private static func make() throws -> String {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Certificates/make").path
    let run = try ProcessRun(
      script, [place], environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], directory: "/", input: .none, output: .kept)
    atexit { try? FileManager.default.removeItem(atPath: Certificates.place) }
    let world = ProcessWorld()
    world.add(run)
    guard world.wait(until: { run.status != nil }), run.status == 0 else {
      throw ProcessFault("Tests/Certificates/make: \(String(decoding: run.errors, as: UTF8.self))")
    }
    return place
  }

  private static let place = "/tmp/amqp-tests-certificates-\(getpid())"
}
