// A RabbitMQ broker and the queues that tests make in it. Queues go by rabbitmq-c's tools, which take milliseconds;
// kinds of queue and depths by `Tests/Brokers/queue`.
import Foundation
import Testing

struct Broker: CustomTestStringConvertible, Sendable {
  let peer: RealPeer
  /// The name `Tests/Brokers` knows it by.
  let node: String

  static let rabbitMQ3 = Broker(peer: .rabbitMQ3, node: "rabbitmq3")
  static let rabbitMQ4 = Broker(peer: .rabbitMQ4, node: "rabbitmq4")

  /// For tests over both.
  static let all = [rabbitMQ3, rabbitMQ4]

  var testDescription: String { "\(peer)" }
  var isRabbitMQ4: Bool { peer == .rabbitMQ4 }

  var url: String { get throws { try peer.value } }

  /// The URL with another user part or path.
  func url(user: String = "guest:guest", vhost: String = "") throws -> String {
    let host = try url.split(separator: "@").last.map(String.init) ?? ""
    return "amqp://\(user)@\(host)\(vhost)"
  }

  static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Brokers").path

  func queue(_ action: String...) throws -> String {
    let run = try Program("\(Broker.scripts)/queue", [node] + action).finish()
    guard run.status == 0 else { throw Program.Failure(description: run.errors) }
    return run.text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// rabbitmqctl, which takes a second.
  @discardableResult
  func control(_ words: String...) throws -> String {
    let run = try Program("\(Broker.scripts)/rabbitmqctl", [node] + words).finish()
    guard run.status == 0 else { throw Program.Failure(description: run.errors) }
    return run.text
  }

  /// A fresh queue, deleted with the returned object.
  func queue(_ kind: Queue.Kind = .durable) throws -> Queue { try Queue(self, kind) }
}

final class Queue {
  enum Kind {
    case durable
    /// Not durable: nothing goes to disk, for long runs.
    case transient
    /// Of another type, with arguments: `quorum`, `stream`, `x-delivery-limit=3`.
    case made([String])
  }

  let broker: Broker
  let name: String
  private var isDeleted = false

  init(_ broker: Broker, _ kind: Kind) throws {
    self.broker = broker
    name = "interop-" + UUID().uuidString.lowercased().prefix(13)
    switch kind {
    case .durable: try tool("amqp-declare-queue", "-d")
    case .transient: try tool("amqp-declare-queue")
    case .made(let rest):
      let made = try Program("\(Broker.scripts)/queue", [broker.node, "declare", name] + rest).finish()
      guard made.status == 0 else { throw Program.Failure(description: made.errors) }
    }
  }

  deinit { if !isDeleted { _ = try? delete() } }

  @discardableResult
  private func tool(_ program: String, _ more: String...) throws -> String {
    let run = try Program(program, ["--url=\(broker.url)", "--queue=\(name)"] + more).finish()
    guard run.status == 0 else { throw Program.Failure(description: "\(program): \(run.errors)") }
    return run.text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Deletes the queue and says how many messages were ready in it.
  @discardableResult
  func delete() throws -> Int {
    isDeleted = true
    return Int(try tool("amqp-delete-queue")) ?? -1
  }

  var depth: Int { get throws { Int(try broker.queue("depth", name)) ?? -1 } }

  /// The broker puts messages back, and takes settled ones in, after our connection is closed: looked at until it
  /// agrees or has had ten seconds.
  func expectDepth(_ expected: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    try expectDepth(expected...expected, sourceLocation: sourceLocation)
  }

  func expectDepth(_ expected: ClosedRange<Int>, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let end = ContinuousClock.now + .seconds(10)
    var depth = try self.depth
    while !expected.contains(depth) && .now < end { depth = try self.depth }
    #expect(expected.contains(depth), "messages in the queue", sourceLocation: sourceLocation)
  }

  /// Puts these into the queue over 0-9-1.
  func publish(_ bodies: [String]) throws {
    let run = try Program(
      "amqp-publish", ["--url=\(broker.url)", "--routing-key=\(name)", "--persistent", "--line-buffered"],
      input: .lines(bodies)
    ).finish()
    guard run.status == 0 else { throw Program.Failure(description: run.errors) }
    try expectDepth(bodies.count)
  }
}
