// `--reconnect` and real losses in the middle of many messages: none is lost, the exit status is 0, and nothing is counted
// or printed twice that can be known again.
import Foundation
import Testing

extension OwnBrokers {
  @Suite(.needs(.rabbitMQ4, .rabbitmqC, .ownBroker), .serialized) struct ReconnectTests {
    enum Loss: String, CaseIterable, Sendable {
      case killed, shutDown, frozen, frozenAndKilled, cutOff
    }

    struct Case: Sendable, CustomTestStringConvertible {
      let node: String
      let dialect: String
      let loss: Loss
      var testDescription: String { "\(node) \(dialect) \(loss)" }
    }

    /// AMQP_TEST_LOSSES=all takes each loss with each broker, the protocols in turns, and more messages.
    static let takesAll = ProcessInfo.processInfo.environment["AMQP_TEST_LOSSES"] == "all"
    static let cases: [Case] = OwnBroker.nodes.enumerated().flatMap { i, node in
      Loss.allCases.enumerated().compactMap { j, loss -> Case? in
        let isTaken = loss == .killed || loss == (i == 0 ? .cutOff : .frozen)
        guard isTaken || takesAll else { return nil }
        return Case(node: node, dialect: (i + j) % 2 == 0 ? "1.0" : "0-9-1", loss: loss)
      }
    }

    static let count = takesAll ? 200_000 : 30_000

    private func lose(_ loss: Loss, _ broker: OwnBroker, _ cable: Cable?) throws {
      switch loss {
      case .killed:
        try broker.kill()
        try broker.startAgain()
      case .shutDown:
        try broker.shutDown()
        try broker.startAgain()
      case .frozen:
        try broker.freeze()
        // Longer than our patience, which is twice the second that it is asked for.
        sleep(4)
        try broker.thaw()
      case .frozenAndKilled:
        try broker.freeze()
        sleep(4)
        try broker.kill()
        try broker.startAgain()
      case .cutOff:
        try cable?.pull()
        sleep(4)
        try cable?.plug()
      }
    }

    private func start(_ arguments: [String], _ broker: OwnBroker, _ cable: Cable?, _ input: Program.Input = .nothing)
      throws
      -> Program
    {
      let host = cable?.address ?? "127.0.0.1"
      let all =
        arguments + [
          "-u", "amqp://guest:guest@\(host):\(broker.port)", "--reconnect", "--heartbeat", "1s", "--connect-timeout",
          "2s",
        ]
      return try cable?.start(all, input: input) ?? Program(Amqp.path, all, input: input, seconds: 300)
    }

    @Test(arguments: cases) func whatIsSentArrives(_ it: Case) throws {
      let broker = try OwnBroker(it.node)
      let cable = it.loss == .cutOff ? try Cable() : nil
      try broker.script("queue", it.node, "declare", "jobs")
      let sender = try start(
        ["send", "--protocol", it.dialect, "jobs", "-l", "--receipts", "-"], broker, cable, .fifo)
      try sender.write((1...Self.count / 2).map { "\($0)\n" }.joined())
      try sender.until("some receipts") { $0.outputSoFar.count > 100_000 }
      try lose(it.loss, broker, cable)
      try sender.write((Self.count / 2 + 1...Self.count).map { "\($0)\n" }.joined())
      sender.endInput()
      let sent = try sender.finish()
      #expect(sent.status == 0, "\(sent.status) \(sent.errors)")
      #expect(sent.errors.contains("connected again"), "\(sent.errors)")

      let received = try Amqp.run("receive", "--protocol", it.dialect, "jobs", "--drain", url: broker.url)
      #expect(received.status == 0, "\(received.errors)")
      let lines = received.lines.compactMap { Int($0) }
      #expect(Set(lines).count == Self.count, "none is lost")
      // One receipt each, and whatever is there twice is marked in its own.
      let receipts = sent.lines
      #expect(receipts.count == Self.count)
      #expect(receipts.allSatisfy { $0.contains("\"outcome\":\"accepted\"") })
      let marked = Set(
        receipts.filter { $0.contains("\"duplicate\":true") }.compactMap { line in
          Int(line.dropFirst(5).prefix { $0.isNumber })
        })
      var seen = Set<Int>()
      let twice = lines.filter { !seen.insert($0).inserted }
      #expect(Set(twice).isSubset(of: marked), "\(twice.count) twice, \(marked.count) marked")
    }

    @Test(arguments: cases) func whatIsReceivedIsPrintedOnce(_ it: Case) throws {
      let broker = try OwnBroker(it.node)
      let cable = it.loss == .cutOff ? try Cable() : nil
      try broker.script("queue", it.node, "declare", "jobs")
      let filled = try Amqp.run("send", "jobs", "-l", url: broker.url, input: .lines(1...Self.count))
      try #require(filled.status == 0, "\(filled.errors)")
      let receiver = try start(["receive", "--protocol", it.dialect, "jobs", "-c", "\(Self.count)"], broker, cable)
      try receiver.until("some output") { $0.outputSoFar.count > 20_000 }
      try lose(it.loss, broker, cable)
      let received = try receiver.finish()
      #expect(received.status == 0, "\(received.status) \(received.errors)")
      #expect(received.errors.contains("connected again"), "\(received.errors)")
      #expect(received.lines.compactMap { Int($0) } == Array(1...Self.count), "\(received.lines.count) lines")
      // Also what came again is settled.
      let rest = try Amqp.run("receive", "jobs", "--drain", url: broker.url)
      #expect(rest.lines == [], "\(rest.lines.count) left")
    }

    /// A stream has places: it goes on behind the last one, and the checkpoint with it.
    @Test(arguments: ["1.0", "0-9-1"]) func aStreamGoesOnWhereItWas(_ dialect: String) throws {
      let broker = try OwnBroker("scratch")
      try broker.script("queue", "scratch", "declare", "events", "stream")
      let filled = try Amqp.run("send", "events", "-l", url: broker.url, input: .lines(1...Self.count))
      try #require(filled.status == 0, "\(filled.errors)")
      let place = "/tmp/amqp-interop-\(UUID().uuidString).place"
      defer { unlink(place) }
      let receiver = try start(
        ["receive", "--protocol", dialect, "events", "-o", "first", "--checkpoint", place, "-c", "\(Self.count)"],
        broker,
        nil)
      try receiver.until("some output") { $0.outputSoFar.count > 20_000 }
      try lose(.killed, broker, nil)
      let received = try receiver.finish()
      #expect(received.status == 0, "\(received.status) \(received.errors)")
      #expect(received.lines.compactMap { Int($0) } == Array(1...Self.count), "\(received.lines.count) lines")
      #expect(try String(contentsOfFile: place, encoding: .utf8) == "\(Self.count - 1)\n")
    }

    /// The second of a list has the queue that the first had.
    @Test func theNextOfAListTakesOver() throws {
      let first = try OwnBroker("scratch3")
      let second = try OwnBroker("scratch")
      for broker in [first, second] { try broker.script("queue", broker.node, "declare", "jobs") }
      let sender = try Amqp.start(
        "send", "jobs", "-l", "-v", "--reconnect", "-u", "\(first.url),\(second.url)", input: .fifo)
      try sender.write("one\n")
      _ = try sender.rest(after: "connected to 127.0.0.1:25703")
      let end = ContinuousClock.now + .seconds(30)
      while try Broker(peer: .rabbitMQ3, node: "scratch3").queue("depth", "jobs") != "1" {
        try #require(.now < end, "the message is not in the queue")
      }
      try first.kill()
      try sender.write("two\n")
      sender.endInput()
      let sent = try sender.finish()
      #expect(sent.status == 0, "\(sent.errors)")
      let received = try Amqp.run("receive", "jobs", "--drain", url: second.url)
      #expect(received.lines.last == "two", "\(received.text) \(received.errors)")
    }
  }
}
