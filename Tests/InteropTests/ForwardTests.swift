// `receive --forward` between real brokers: every pair of dialects, what RabbitMQ makes of a message beside what we make of
// it, targets that refuse, and kills. What was in the source is at the end in source or target, whatever happened.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct ForwardTests {
  /// Where from and where to, and over which dialects.
  struct Way: CustomTestStringConvertible, Sendable {
    let from: Broker
    let fromDialect: String
    let to: Broker
    let toDialect: String
    var testDescription: String { "\(from.testDescription) \(fromDialect) to \(to.testDescription) \(toDialect)" }
  }

  static let ways: [Way] = Broker.all.flatMap { from in
    Broker.all.flatMap { to in
      ["1.0", "0-9-1"].flatMap { a in
        ["1.0", "0-9-1"].map { Way(from: from, fromDialect: a, to: to, toDialect: $0) }
      }
    }
  }

  func forward(_ way: Way, _ from: Queue, _ to: Queue, _ more: String...) throws -> Program {
    var arguments = ["receive", "--protocol", way.fromDialect, from.name, "--forward", to.name]
    arguments += ["--forward-url", try way.to.url, "--forward-protocol", way.toDialect]
    return try Program(Amqp.path, arguments + more, environment: ["AMQP_URL": try way.from.url])
  }

  @Test(arguments: ways) func everythingMovesInOrder(_ way: Way) throws {
    let (from, to) = (try way.from.queue(), try way.to.queue())
    let count = 3_000
    try from.publish((1...count).map { "\($0)" })
    let moved = try forward(way, from, to, "-c", "\(count)").finish()
    // RabbitMQ 3 gives messages of 0-9-1 a subject when it speaks 1.0.
    let isClean = moved.errors == "" || way.from.node == "rabbitmq3" && moved.errors.contains("no place for subject")
    #expect(moved.status == 0 && isClean, "\(moved.errors)")
    let there = try Amqp.run("receive", to.name, "--protocol", "0-9-1", "-c", "\(count)", "-D", "", url: way.to.url)
    #expect(there.lines == (1...count).map { "\($0)" })
    #expect(try from.delete() == 0)
    #expect(try to.delete() == 0)
  }

  /// At the same peer, in the source's own dialect.
  @Test(arguments: Broker.all, ["1.0", "0-9-1"]) func withinOnePeer(_ broker: Broker, _ dialect: String) throws {
    let (from, to) = (try broker.queue(), try broker.queue())
    try from.publish((1...500).map { "\($0)" })
    let moved = try Amqp.run(
      "receive", "--protocol", dialect, from.name, "-c", "300", "--match", "body~[^0]", "--forward", to.name, "-v",
      url: broker.url)
    #expect(moved.status == 0, "\(moved.errors)")
    #expect(moved.errors.components(separatedBy: "AMQP \(dialect), ").count >= 3, "both connections speak it")
    try from.expectDepth(200)
    try to.expectDepth(300)
  }

  /// The same message as RabbitMQ 4 converts it on delivery, and as we do on the way.
  @Test(.needs(.pika)) func mappedAsRabbitMQDoesIt() throws {
    let broker = Broker.rabbitMQ4
    let (asIs, target) = (try broker.queue(), try broker.queue())
    let script = """
      import pika, sys, datetime
      c = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
      h = {'s': 'str', 'i': 5, 'b': True, 'x-int': 7, 'x-nested': {'k': 'v'}, 'x-list': ['a', 1], 'none': None,
           'nested': {'a': 1}, 'arr': [1], 'bytes': b'\\xff\\x00', 'long': 2**40, 'ts': datetime.datetime(2020, 1, 1)}
      p = pika.BasicProperties(content_type='text/plain', content_encoding='gzip', headers=h, delivery_mode=2, priority=3,
          correlation_id='urn:uuid:00112233-4455-6677-8899-aabbccddeeff', reply_to='reply', expiration='600000',
          message_id='mid', timestamp=1600000000, type='thetype', user_id='guest', app_id='theapp')
      for q in sys.argv[2:]:
          c.channel().basic_publish('', q, b'hello', p)
      c.close()
      """
    let python = try Program(
      RealPeer.pika.value, ["-c", script, try broker.url, asIs.name, asIs.name]
    ).finish()
    #expect(python.status == 0, "\(python.errors)")
    try asIs.expectDepth(2)
    let theirs = try Amqp.run("receive", "--protocol", "1.0", asIs.name, "-c", "1", "-J", url: broker.url)
    let moved = try Amqp.run(
      "receive", "--protocol", "0-9-1", asIs.name, "-c", "1", "--forward", target.name, "--forward-protocol", "1.0",
      url: broker.url)
    #expect(moved.status == 0, "\(moved.errors)")
    #expect(moved.errors.contains("no place for a header that is a table"))
    #expect(moved.errors.contains("no place for a header that is an array"))
    let ours = try Amqp.run("receive", "--protocol", "1.0", target.name, "-c", "1", "-J", url: broker.url)
    try compare(theirs, ours)
  }

  /// And the other way round.
  @Test(.needs(.pika)) func mappedTo091AsRabbitMQDoesIt() throws {
    let broker = Broker.rabbitMQ4
    let (asIs, target) = (try broker.queue(), try broker.queue())
    let messages = [
      """
      {"header":{"durable":true,"priority":3,"ttl":600000},"message-annotations":{"x-ma":"v","x-int":{"int":5}},\
      "properties":{"message-id":{"uuid":"00112233-4455-6677-8899-aabbccddeeff"},"user-id":"guest","subject":"subj",\
      "reply-to":"reply","correlation-id":{"binary":"AQI="},"content-type":"text/plain","content-encoding":"gzip",\
      "creation-time":1600000000000,"group-id":"grp"},"application-properties":{"s":"str","i":{"int":5},\
      "bin":{"binary":"/wA="},"null":null,"ts":{"timestamp":1600000000000},"sym":{"symbol":"s"}},"body":{"text":"hello"}}
      """,
      #"{"properties":{"message-id":{"ulong":"5"}},"body":{"value":"a string"}}"#,
      #"{"body":{"value":{"map":[["k",{"int":1}]]}}}"#, #"{"body":{"sequence":["a",{"int":1}]}}"#,
      #"{"body":{"data":["YWI=","Y2Q="]}}"#,
    ]
    for _ in 0..<2 {
      let sent = try Amqp.run(
        "send", "--protocol", "1.0", asIs.name, "-J", url: broker.url, input: .lines(messages))
      #expect(sent.status == 0, "\(sent.errors)")
    }
    let count = "\(messages.count)"
    let theirs = try Amqp.run("receive", "--protocol", "0-9-1", asIs.name, "-c", count, "-J", url: broker.url)
    let moved = try Amqp.run(
      "receive", "--protocol", "1.0", asIs.name, "-c", count, "--forward", target.name, "--forward-protocol", "0-9-1",
      url: broker.url)
    #expect(moved.status == 0 && moved.errors.contains("no place for subject"), "\(moved.errors)")
    let ours = try Amqp.run("receive", "--protocol", "0-9-1", target.name, "-c", count, "-J", url: broker.url)
    try compare(theirs, ours)
  }

  /// All but where it came from and how it was delivered.
  private func compare(_ theirs: Finished, _ ours: Finished) throws {
    #expect(theirs.status == 0 && ours.status == 0, "\(theirs.errors) \(ours.errors)")
    func parts(_ line: String) throws -> NSDictionary {
      var object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      object["address"] = nil
      object["delivery"] = nil
      for section in ["message-annotations", "basic"] {
        guard var map = object[section] as? [String: Any] else { continue }
        for key in ["x-routing-key", "routing-key", "x-exchange", "exchange"] { map[key] = nil }
        object[section] = map.isEmpty ? nil : map
      }
      if var header = object["header"] as? [String: Any] {
        header["first-acquirer"] = nil
        header["delivery-count"] = nil
        object["header"] = header
      }
      return object as NSDictionary
    }
    #expect(theirs.lines.count == ours.lines.count && !ours.lines.isEmpty)
    for (a, b) in zip(theirs.lines, ours.lines) { #expect(try parts(a) == parts(b), "\(a)\n\(b)") }
  }

  /// A queue that takes five and no more: the rest stays where it is.
  @Test(arguments: ["1.0", "0-9-1"]) func whatIsRefusedStays(_ dialect: String) throws {
    let way = Way(from: .rabbitMQ4, fromDialect: "1.0", to: .rabbitMQ4, toDialect: dialect)
    let from = try way.from.queue()
    let to = try way.to.queue(.made(["classic", "x-max-length=5", "x-overflow=reject-publish"]))
    try from.publish((1...20).map { "\($0)" })
    let moved = try forward(way, from, to, "--idle", "2s").finish()
    #expect(moved.status == 3 && moved.errors.contains("rejected"), "\(moved.status) \(moved.errors)")
    let there = try to.depth
    #expect(there >= 5)
    try from.expectDepth(20 - there)
  }

  /// The place in a stream stays in front of what the target refused, and the next run begins there.
  @Test(arguments: ["1.0", "0-9-1"]) func whatIsRefusedIsNotPassedOver(_ dialect: String) throws {
    let broker = Broker.rabbitMQ4
    let from = try broker.queue(.made(["stream"]))
    try from.publish((1...20).map { "\($0)" })
    let full = try broker.queue(.made(["classic", "x-max-length=5", "x-overflow=reject-publish"]))
    let rest = try broker.queue()
    let place = "/tmp/amqp-interop-\(UUID().uuidString).place"
    defer { unlink(place) }
    func forward(to target: Queue) throws -> Finished {
      try Amqp.run(
        "receive", "--protocol", dialect, from.name, "-o", "first", "--checkpoint", place, "--forward", target.name,
        "--idle", "5s", url: broker.url)
    }
    let first = try forward(to: full)
    #expect(first.status == 3 && first.errors.contains("rejected"), "\(first.status) \(first.errors)")
    let second = try forward(to: rest)
    #expect(second.status == 0, "\(second.errors)")
    var there: [String] = []
    for queue in [full, rest] {
      there += try Amqp.run("receive", queue.name, "--drain", "-D", "", url: broker.url).lines
    }
    #expect(Set(there) == Set((1...20).map { "\($0)" }), "\(there)")
  }

  @Test(arguments: Broker.all, ["1.0", "0-9-1"]) func aTargetThatIsNotThere(_ broker: Broker, _ dialect: String) throws
  {
    let from = try broker.queue()
    try from.publish(["one", "two"])
    let moved = try Amqp.run(
      "receive", "--protocol", dialect, from.name, "--forward", "interop-none", "-c", "2", url: broker.url)
    #expect(moved.status == 67, "\(moved.status) \(moved.errors)")
    try from.expectDepth(2)
  }

  /// Killed again and again in the middle: duplicates are allowed, losses are not.
  @Test(arguments: [
    Way(from: .rabbitMQ4, fromDialect: "1.0", to: .rabbitMQ4, toDialect: "1.0"),
    Way(from: .rabbitMQ3, fromDialect: "0-9-1", to: .rabbitMQ4, toDialect: "1.0"),
    Way(from: .rabbitMQ4, fromDialect: "1.0", to: .rabbitMQ3, toDialect: "0-9-1"),
  ]) func killedAndKilledAgain(_ way: Way) throws {
    let (from, to) = (try way.from.queue(), try way.to.queue())
    let count = 20_000
    try from.publish((1...count).map { "\($0)" })
    var kills = 0
    for round in 0..<12 {
      let program = try forward(way, from, to, "--idle", "2s")
      usleep(UInt32(80_000 + round * 45_000))
      program.signal(SIGKILL)
      if try program.finish().status == 137 { kills += 1 }
    }
    #expect(kills >= 6)
    let rest = try forward(way, from, to, "--idle", "3s").finish()
    #expect(rest.status == 0, "\(rest.errors)")
    try from.expectDepth(0)
    let there = try Amqp.run(
      "receive", to.name, "--protocol", "0-9-1", "--idle", "10s", "-D", "", url: way.to.url, seconds: 120)
    #expect(Set(there.lines.compactMap { Int($0) }) == Set(1...count))
    print("\(way.testDescription): \(kills) kills, \(there.lines.count) arrived of \(count)")
  }

  @Test(.needs(.proton)) func fromProtonsBroker() throws {
    let (probe, port) = try Amqp.listen("receive")
    probe.signal(SIGINT)
    _ = try probe.finish()
    let broker = try Program("\(RealPeer.proton.value)/broker", ["127.0.0.1", port])
    _ = try broker.rest(after: "listening on ")
    let url = "amqp://127.0.0.1:\(port)"
    let sent = try Amqp.run("send", "-u", url, "box", "-l", input: .lines(1...200))
    #expect(sent.status == 0, "\(sent.errors)")
    let to = try Broker.rabbitMQ4.queue()
    let there = try Amqp.run(
      "receive", "-u", url, "box", "-c", "200", "--forward", to.name, "--forward-url", try Broker.rabbitMQ4.url)
    #expect(there.status == 0, "\(there.errors)")
    try to.expectDepth(200)
    let back = try Amqp.run(
      "receive", "-u", try Broker.rabbitMQ4.url, to.name, "-c", "200", "--forward", "box2", "--forward-url", url)
    #expect(back.status == 0, "\(back.errors)")
    let read = try Amqp.run("receive", "-u", url, "box2", "-c", "200")
    #expect(read.lines == (1...200).map { "\($0)" }, "\(read.errors)")
    broker.signal(SIGKILL)
  }

  /// Filters of streams over both dialects.
  @Test(arguments: ["1.0", "0-9-1"]) func streamFilters(_ dialect: String) throws {
    let broker = Broker.rabbitMQ4
    let stream = try broker.queue(.made(["stream"]))
    for value in ["red", "blue", "red"] {
      let sent = try Amqp.run(
        "send", "--protocol", "1.0", stream.name, value, "--annotation", "x-stream-filter-value=\(value)",
        url: broker.url)
      #expect(sent.status == 0, "\(sent.errors)")
    }
    // The broker's filter passes whole chunks; the rest is told apart here.
    let found = try Amqp.run(
      "receive", "--protocol", dialect, stream.name, "-o", "first", "--filter", "rabbitmq:stream-filter=red",
      "--match", "body=red", "-c", "2", "-t", "20s", url: broker.url)
    #expect(found.status == 0 && found.lines == ["red", "red"], "\(found.errors)")
    let passed = try Amqp.run(
      "receive", "--protocol", dialect, stream.name, "-o", "first", "--match", "body=blue", "-c", "1", "-t", "20s",
      url: broker.url)
    #expect(passed.status == 0 && passed.lines == ["blue"], "\(passed.errors)")
  }
}
