// A broker of a test's own, to be killed, stopped, frozen and cut off, and the cable it is cut off with.
import Foundation
import Testing

/// Their tests take turns: there is one broker of each name.
@Suite(.serialized) enum OwnBrokers {}

final class OwnBroker {
  /// The name `Tests/Brokers` knows it by.
  let node: String
  let port: Int

  static let nodes = ["scratch", "scratch3"]

  /// Started from nothing.
  init(_ node: String) throws {
    self.node = node
    port = node == "scratch" ? 25693 : 25703
    try script("start", node)
  }

  deinit { _ = try? run("stop", [node]) }

  var url: String { "amqp://guest:guest@127.0.0.1:\(port)" }

  private func run(_ name: String, _ arguments: [String], tool: String? = nil) throws -> Finished {
    var environment = ["HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/root"]
    environment["AMQP_TEST_TOOL"] = tool
    return try Program("\(Broker.scripts)/\(name)", arguments, environment: environment, seconds: 120).finish()
  }

  func script(_ name: String, _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
    let ran = try run(name, arguments)
    try #require(ran.status == 0, "\(name) \(arguments): \(ran.errors)", sourceLocation: sourceLocation)
  }

  func kill() throws { try script("stop", node) }
  func startAgain() throws { try script("start", "--keep", node) }
  func freeze() throws { try script("freeze", node) }
  func thaw() throws { try script("thaw", node) }
  func disable(plugin: String) throws {
    let ran = try run("rabbitmqctl", [node, "disable", plugin], tool: "rabbitmq-plugins")
    try #require(ran.status == 0, "\(ran.errors)")
  }
  /// As an operator does it, then what is left of it.
  func shutDown() throws {
    _ = try run("rabbitmqctl", [node, "stop"])
    try kill()
  }
}

/// A network of two: a namespace whose only way out is a cable to this machine.
final class Cable {
  private let name = "amqp-\(getpid())"
  /// This machine, as the namespace sees it.
  let address = "10.99.79.1"

  init() throws {
    try ip("netns add \(name)")
    try ip("link add \(outer) type veth peer name \(inner)")
    try ip("link set \(inner) netns \(name)")
    try ip("addr add \(address)/30 dev \(outer)")
    try ip("link set \(outer) up")
    try ip("-n \(name) addr add 10.99.79.2/30 dev \(inner)")
    try ip("-n \(name) link set \(inner) up")
  }

  deinit {
    _ = try? ip("link del \(outer)")
    _ = try? ip("netns del \(name)")
  }

  private var outer: String { "a\(getpid())o" }
  private var inner: String { "a\(getpid())i" }

  private func ip(_ arguments: String) throws {
    let run = try Program("ip", arguments.split(separator: " ").map(String.init)).finish()
    guard run.status == 0 else { throw Program.Failure(description: "ip \(arguments): \(run.errors)") }
  }

  func pull() throws { try ip("link set \(outer) down") }
  func plug() throws { try ip("link set \(outer) up") }

  /// The program at the other end of the cable.
  func start(_ arguments: [String], input: Program.Input = .nothing) throws -> Program {
    try Program("ip", ["netns", "exec", name, Amqp.path] + arguments, input: input, seconds: 120)
  }
}
