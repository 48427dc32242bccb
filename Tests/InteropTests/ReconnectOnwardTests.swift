// `receive --reconnect` where messages go on to handlers or to another node: what was under way when a broker is killed
// comes again or is sent again, and none is lost. Counting would end too early: a broker that is killed has forgotten some
// of what it was told last.
import Foundation
import Testing

extension OwnBrokers {
  @Suite(.needs(.rabbitMQ4, .rabbitmqC, .ownBroker), .serialized) struct ReconnectOnwardTests {
    static let dialects = ["1.0", "0-9-1"]
    /// AMQP_TEST_LOSSES=all takes everything over both protocols.
    private static func some(_ one: String) -> [String] { ReconnectTests.takesAll ? dialects : [one] }
    static let goOn = ["--reconnect", "--heartbeat", "1s", "--connect-timeout", "2s"]

    private func crash(_ broker: OwnBroker) throws {
      try broker.kill()
      try broker.startAgain()
    }

    private func fill(_ queue: String, _ url: String, _ count: Int) throws {
      let filled = try Amqp.run("send", queue, "-l", url: url, input: .lines(1...count))
      try #require(filled.status == 0, "\(filled.errors)")
    }

    private func expectEmpty(_ queue: String, _ url: String) throws {
      let rest = try Amqp.run("receive", queue, "--drain", url: url)
      #expect(rest.lines.prefix(3) == [], "\(rest.lines.count) left")
    }

    /// What is missing of 1...count, the first ten of it.
    private func missing(_ lines: [some StringProtocol], of count: Int) -> [Int] {
      Array(Set(1...count).subtracting(lines.compactMap { Int($0) }).sorted().prefix(10))
    }

    @Test(arguments: some("0-9-1")) func aWorkerGoesOn(_ dialect: String) throws {
      let broker = try OwnBroker("scratch")
      try broker.script("queue", "scratch", "declare", "jobs")
      let count = 3_000
      try fill("jobs", broker.url, count)
      // Its answers go back by way of its standard output, and the bodies to its standard error.
      let script =
        "while read -r l; do i=${l#*:}; i=${i%%,*}; b=${l#*'\"text\":\"'}; echo \"${b%%'\"'*}\" >&2; "
        + "echo \"$i accept\"; done"
      let worker = try Program(
        Amqp.path,
        ["receive", "--protocol", dialect, "jobs", "--drain", "-j", "20", "--worker", script, "-u", broker.url]
          + Self.goOn, seconds: 120)
      try worker.until("some of it") { $0.errorsSoFar.count > 3_000 }
      try crash(broker)
      let run = try worker.finish()
      #expect(run.status == 0, "\(run.errors.suffix(300))")
      #expect(run.errors.contains("connected again"))
      #expect(missing(run.errors.split(separator: "\n"), of: count) == [])
      try expectEmpty("jobs", broker.url)
    }

    @Test(arguments: some("1.0")) func commandsGoOn(_ dialect: String) throws {
      let broker = try OwnBroker("scratch")
      try broker.script("queue", "scratch", "declare", "jobs")
      let count = 600
      try fill("jobs", broker.url, count)
      let handlers = try Program(
        Amqp.path,
        ["receive", "--protocol", dialect, "jobs", "--drain", "-j", "20", "--exec", "cat; echo; sleep 0.3"]
          + ["-u", broker.url] + Self.goOn, seconds: 120)
      try handlers.until("some output") { $0.outputSoFar.count > 500 }
      try crash(broker)
      let run = try handlers.finish()
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.errors.contains("that were with handlers come again"), "\(run.errors)")
      #expect(missing(run.lines, of: count) == [])
      try expectEmpty("jobs", broker.url)
    }

    /// What came out of a stream stays with its handlers, and the stream goes on behind it: each message once.
    @Test(arguments: some("0-9-1")) func commandsOfAStreamGoOn(_ dialect: String) throws {
      let broker = try OwnBroker("scratch")
      try broker.script("queue", "scratch", "declare", "events", "stream")
      let count = 1_500
      try fill("events", broker.url, count)
      let handlers = try Program(
        Amqp.path,
        ["receive", "--protocol", dialect, "events", "-o", "first", "-c", "\(count)", "-j", "4", "--exec", "cat; echo"]
          + ["-u", broker.url] + Self.goOn, seconds: 120)
      // Some seconds of it: a stream that is younger when its broker is killed does not come back.
      try handlers.until("some output") { $0.outputSoFar.count > 3_000 }
      try crash(broker)
      let run = try handlers.finish()
      #expect(run.status == 0, "\(run.errors)")
      #expect(missing(run.lines, of: count) == [] && run.lines.count == count, "\(run.lines.count) lines")
    }

    @Test(arguments: dialects, [true, false]) func forwardingGoesOn(_ dialect: String, _ sourceIsLost: Bool)
      throws
    {
      let broker = try OwnBroker("scratch")
      let there = try Broker.rabbitMQ4.queue()
      try broker.script("queue", "scratch", "declare", "jobs")
      let count = 50_000
      let (from, to) = sourceIsLost ? ("jobs", there.name) : (there.name, "jobs")
      let (fromURL, toURL) = sourceIsLost ? (broker.url, try there.broker.url) : (try there.broker.url, broker.url)
      try fill(from, fromURL, count)
      let forwarder = try Program(
        Amqp.path,
        ["receive", "--protocol", dialect, from, "--drain", "-u", fromURL, "--forward", to]
          + ["--forward-url", toURL, "--forward-protocol", dialect] + Self.goOn, seconds: 120)
      let watched = sourceIsLost ? there.broker : Broker(peer: .rabbitMQ4, node: "scratch")
      let end = ContinuousClock.now + .seconds(30)
      while Int(try watched.queue("depth", to)) ?? 0 < 500 { try #require(.now < end, "nothing is forwarded") }
      try crash(broker)
      let run = try forwarder.finish()
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.errors.contains("connected again"), "\(run.errors)")
      let arrived = try Amqp.run(
        "receive", to, "--protocol", "0-9-1", "--idle", "5s", url: toURL, seconds: 120)
      #expect(missing(arrived.lines, of: count) == [])
      try expectEmpty(from, fromURL)
      print("\(dialect), \(sourceIsLost ? "source" : "target") lost: \(arrived.lines.count) arrived of \(count)")
    }
  }
}
