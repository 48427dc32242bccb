// Our ends over 0-9-1 against real brokers and real 0-9-1 clients, and what means the same in both dialects: addresses,
// declarations, streams with their checkpoints.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct DialectTests {
  /// A broker and a protocol that both can do what is tested.
  struct Way: CustomTestStringConvertible, Sendable {
    let broker: Broker
    let name: String
    var options: [String] { ["--protocol", name] }
    var testDescription: String { "\(broker.testDescription) over \(name)" }
  }
  static let over091 = Broker.all.map { Way(broker: $0, name: "0-9-1") }
  static let declaring = over091 + [Way(broker: .rabbitMQ4, name: "1.0")]

  func amqp(_ way: Way, _ arguments: String..., input: Program.Input = .nothing) throws -> Finished {
    var environment = ["AMQP_URL": try way.broker.url]
    environment["HOME"] = "/root"
    return try Program(Amqp.path, arguments + way.options, input: input, environment: environment).finish()
  }

  func fresh(_ what: String) -> String { "interop-\(what)-" + UUID().uuidString.lowercased().prefix(8) }

  func delete(_ way: Way, _ queue: String) throws {
    _ = try Program("amqp-delete-queue", ["--url=\(way.broker.url)", "--queue=\(queue)"]).finish()
  }

  @Test(arguments: over091) func linesArriveInOrder(_ way: Way) throws {
    let queue = try way.broker.queue(.transient)
    let sent = try amqp(way, "send", queue.name, "-l", "--transient", input: .lines(1...50_000))
    #expect(sent.status == 0 && sent.errors == "")
    let received = try amqp(way, "receive", queue.name, "-c", "50000")
    #expect(received.status == 0 && received.errors == "")
    #expect(received.output == Array((1...50_000).map { "\($0)\n" }.joined().utf8))
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: over091) func otherClientsReadAndWrite(_ way: Way) throws {
    let queue = try way.broker.queue()
    #expect(try amqp(way, "send", queue.name, "one", "two").status == 0)
    let got = try Program("amqp-get", ["--url=\(way.broker.url)", "--queue=\(queue.name)"]).finish()
    #expect(got.status == 0 && got.text == "one", "\(got.errors)")
    let consumed = try Program(
      "amqp-consume", ["--url=\(way.broker.url)", "--queue=\(queue.name)", "--count=1", "cat"]
    ).finish()
    #expect(consumed.status == 0 && consumed.text == "two", "\(consumed.errors)")
    // amqp-publish leaves its lines their newlines.
    try queue.publish(["three", "four"])
    let received = try amqp(way, "receive", queue.name, "--drain", "-f", "%k %e %D %s")
    #expect(received.status == 0 && received.text == "\(queue.name)  false three\n\(queue.name)  false four\n")
    #expect(try queue.delete() == 0)
  }

  /// What pika wrote comes out as JSON, goes in again, and is read by pika as it was.
  @Test(.needs(.pika), arguments: over091) func everyPropertyThereAndBack(_ way: Way) throws {
    let queue = try way.broker.queue()
    func pika(_ script: String) throws -> Finished {
      let head = """
        import pika, sys, decimal
        connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
        channel, queue = connection.channel(), sys.argv[2]

        """
      return try Program(
        try RealPeer.pika.value, ["-c", head + script + "\nconnection.close()\n", try way.broker.url, queue.name]
      ).finish()
    }
    let published = try pika(
      """
      headers = {"s": "grüße", "i": 7, "l": 2**40, "b": True, "d": decimal.Decimal("3.1"), "t": {"n": [1, None]}}
      channel.basic_publish("", queue, b"\\xff\\x00", pika.BasicProperties(headers=headers, message_id="m", type="t",
          app_id="a", user_id="guest", expiration="600000", timestamp=1700000000, correlation_id="c", reply_to="r",
          content_type="text/x", content_encoding="e", priority=3, delivery_mode=2, cluster_id="x"))
      """)
    #expect(published.status == 0, "\(published.errors)")
    let received = try amqp(way, "receive", queue.name, "-c", "1", "-t", "10s", "-J")
    let message = try JSON(received.text)
    #expect(
      message["basic"]?["type"] == .string("t") && message["basic"]?["app-id"] == .string("a"), "\(received.text)")
    #expect(message["header"]?["ttl"] == .integer(600_000) && message["body"]?["data"] == .string("/wA="))
    #expect(message["application-properties"]?["d"]?["decimal"] == .string("3.1"))
    #expect(try amqp(way, "send", "-J", input: .octets(received.output)).status == 0)
    let read = try pika(
      """
      method, p, body = channel.basic_get(queue, auto_ack=True)
      h = p.headers
      print(body, h["s"], h["i"], int(h["l"]), h["b"], h["d"], h["t"])
      print(p.message_id, p.type, p.app_id, p.user_id, p.expiration, p.timestamp, p.correlation_id, p.reply_to,
          p.content_type, p.content_encoding, p.priority, p.delivery_mode, p.cluster_id)
      """)
    #expect(
      read.text == """
        b'\\xff\\x00' grüße 7 1099511627776 True 3.1 {'n': [1, None]}
        m t a guest 600000 1700000000 c r text/x e 3 2 x

        """, "\(read.text) \(read.errors)")
  }

  @Test(arguments: over091) func whatIsMissingIsNamed(_ way: Way) throws {
    let nowhere = try amqp(way, "send", "interop-nosuch", "x")
    #expect(nowhere.status == 67)
    #expect(
      nowhere.errors == """
        amqp: 1 of 1 messages not accepted: no queue 'interop-nosuch' in vhost '/' (312 NO_ROUTE)
          create it with --declare queue:interop-nosuch

        """)
    let exchange = try amqp(way, "send", "-e", "interop-nosuch", "-r", "k", "x")
    #expect(exchange.status == 67 && exchange.errors.contains("(404 NOT_FOUND: no exchange"), "\(exchange.errors)")
    let unbound = try amqp(way, "send", "-e", "amq.direct", "-r", "interop-nosuch", "x")
    #expect(unbound.status == 3 && unbound.errors.contains("no queue is bound to exchange 'amq.direct'"))
    let source = try amqp(way, "receive", "interop-nosuch", "-c", "1")
    #expect(source.status == 67 && source.errors.contains("(404 NOT_FOUND: no queue"), "\(source.errors)")
  }

  @Test(arguments: declaring) func whatIsDeclaredIsThere(_ way: Way) throws {
    let (queue, exchange) = (fresh("declared"), fresh("exchange"))
    defer { try? delete(way, queue) }
    let sent = try amqp(
      way, "send", "-e", exchange, "-r", "a.b", "hello", "--declare", "exchange:\(exchange),type=topic,auto-delete",
      "--declare", "queue:\(queue),x-max-length=7", "--declare", "bind:\(exchange):\(queue),key=a.*")
    #expect(sent.status == 0 && sent.errors == "", "\(sent.errors)")
    #expect(try amqp(way, "receive", queue, "-c", "1", "-t", "10s").text == "hello\n")
    let again = try amqp(way, "send", queue, "x", "--declare", "queue:\(queue),x-max-length=8")
    #expect(again.status == 1)
    #expect(again.errors.contains("cannot declare queue '\(queue)'"), "\(again.errors)")
    #expect(again.errors.contains("leave x-max-length as it is there"), "\(again.errors)")
    let passive = try amqp(way, "send", queue, "x", "--declare", "queue:\(queue)-not,passive")
    #expect(passive.status == 67 && passive.errors.contains("cannot find queue"), "\(passive.errors)")
  }

  /// A queue for the time of the run.
  @Test(arguments: declaring) func receivesFromAnExchange(_ way: Way) throws {
    let environment = ["AMQP_URL": try way.broker.url]
    let receiver = try Program(
      Amqp.path, ["receive", "-e", "amq.topic", "-r", "interop.*", "-c", "2", "-v"] + way.options,
      environment: environment)
    // It says nothing when it is ready, so messages are sent until it has what it wants.
    var finished = false
    for _ in 0..<100 where !finished {
      _ = try amqp(way, "send", "-e", "amq.topic", "-r", "interop.x", "hello", "--mode", "at-most-once")
      finished = receiver.hasEnded
    }
    let received = try receiver.finish()
    #expect(received.status == 0 && received.text == "hello\nhello\n", "\(received.errors)")
  }

  /// Killed or stopped, a tail goes on behind the last message that it has written.
  @Test(arguments: declaring) func aStreamIsReadOnFromItsCheckpoint(_ way: Way) throws {
    let stream = fresh("stream")
    defer { try? delete(way, stream) }
    let file = "/tmp/\(stream)"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let sent = try amqp(
      way, "send", stream, "-l", "--declare", "queue:\(stream),type=stream", input: .lines(0..<20))
    #expect(sent.status == 0, "\(sent.errors)")
    let first = try amqp(
      way, "receive", stream, "-o", "first", "--checkpoint", file, "-c", "8", "-t", "20s", "-f", "%o %s\\n")
    #expect(first.lines == (0..<8).map { "\($0) \($0)" }, "\(first.errors)")
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "7\n")
    let tail = try Program(
      Amqp.path, ["receive", stream, "--checkpoint", file] + way.options, environment: ["AMQP_URL": try way.broker.url])
    try tail.until("the checkpoint") { _ in (try? String(contentsOfFile: file, encoding: .utf8)) == "19\n" }
    tail.signal(SIGKILL)
    #expect(try tail.finish().lines == (8..<20).map { "\($0)" })
    #expect(try amqp(way, "send", stream, "new").status == 0)
    let last = try amqp(way, "receive", stream, "--checkpoint", file, "-c", "1", "-t", "20s")
    #expect(last.text == "new\n", "\(last.text) \(last.errors)")
  }

  /// 3.10 has no way to make a queue over 1.0: it is called again over 0-9-1.
  @Test func fallsBackForWhatOnlyTheOtherCanDo() throws {
    let way = Way(broker: .rabbitMQ3, name: "auto")
    let queue = fresh("fallback")
    defer { try? delete(way, queue) }
    let sent = try amqp(way, "send", queue, "hello", "--declare", "queue:\(queue)", "-v")
    #expect(sent.status == 0, "\(sent.errors)")
    #expect(sent.errors.contains("AMQP 0-9-1: ") && sent.errors.contains("no management node"), "\(sent.errors)")
    #expect(try amqp(way, "receive", queue, "-c", "1", "-t", "10s").text == "hello\n")
  }
}
