// Our ends over both RabbitMQs: the plugin of 3.10 and the native 1.0 of 4.0.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct RabbitMQTests {
  @Test(arguments: Broker.all) func linesArriveInOrder(_ broker: Broker) throws {
    let queue = try broker.queue(.transient)
    let sent = try Amqp.run(
      "send", queue.name, "-l", "--transient", url: broker.url, input: .lines(1...100_000))
    #expect(sent.status == 0 && sent.errors == "")
    let received = try Amqp.run("receive", queue.name, "-c", "100000", url: broker.url)
    #expect(received.status == 0 && received.errors == "")
    #expect(received.output == Array((1...100_000).map { "\($0)\n" }.joined().utf8))
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: Broker.all) func largeAndEmptyBodiesStayAsTheyAre(_ broker: Broker) throws {
    let queue = try broker.queue()
    let large = noise(10_000_000)
    #expect(try Amqp.run("send", queue.name, url: broker.url, input: .octets(large)).status == 0)
    #expect(try Amqp.run("send", queue.name, "", url: broker.url).status == 0)
    #expect(try Amqp.run("receive", queue.name, "-c", "1", "--raw", url: broker.url).output == large)
    let empty = try Amqp.run("receive", queue.name, "-c", "1", "-t", "10s", url: broker.url)
    #expect(empty.status == 0 && empty.text == "\n")
  }

  @Test(arguments: Broker.all) func atMostOnceNeedsNoAnswer(_ broker: Broker) throws {
    let queue = try broker.queue(.transient)
    let sent = try Amqp.run(
      "send", queue.name, "-l", "--mode", "at-most-once", url: broker.url, input: .lines(1...5_000))
    #expect(sent.status == 0 && sent.errors == "")
    try queue.expectDepth(5_000)
    let received = try Amqp.run(
      "receive", queue.name, "-c", "5000", "--mode", "at-most-once", url: broker.url)
    #expect(received.status == 0 && received.lines == (1...5_000).map { "\($0)" })
  }

  @Test(arguments: Broker.all) func exactlyOnceIsRefusedWithWords(_ broker: Broker) throws {
    let queue = try broker.queue()
    let sent = try Amqp.run("send", queue.name, "--mode", "exactly-once", "x", url: broker.url)
    #expect(sent.status == 1 && sent.errors.contains("rcv-settle-mode second not supported"), "\(sent.errors)")
    #expect(sent.errors.contains("not implemented by the peer"))
    let received = try Amqp.run("receive", queue.name, "--mode", "exactly-once", "-c", "1", url: broker.url)
    #expect(received.status == 1 && received.errors.contains("not implemented by the peer"))
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: Broker.all) func missingQueueAndRefusedPassword(_ broker: Broker) throws {
    for command in [["send", "interop-nosuch", "x"], ["receive", "interop-nosuch", "-c", "1"]] {
      let run = try Program(Amqp.path, command, environment: ["AMQP_URL": broker.url]).finish()
      #expect(run.status == 67 && run.errors.contains("no such node"), "\(command): \(run.status) \(run.errors)")
    }
    let refused = try Amqp.run("send", "q", "x", url: broker.url(user: "guest:wrong"))
    #expect(refused.status == 77 && refused.errors.contains("refused the credentials of 'guest'"))
    #expect(!refused.errors.contains("wrong"))
    // 3.10 says that nobody may; 4.0 closes the connection and says nothing.
    let vhost = try Amqp.run("send", "q", "x", url: broker.url(vhost: "/nosuch"))
    #expect(vhost.status == (broker.isRabbitMQ4 ? 69 : 77), "\(vhost.errors)")
    #expect(!broker.isRabbitMQ4 || vhost.errors.contains("does the virtual host 'nosuch' exist"), "\(vhost.errors)")
  }

  @Test(arguments: Broker.all) func countTakesNoMore(_ broker: Broker) throws {
    let queue = try broker.queue()
    try queue.publish((1...2_000).map { "\($0)" })
    let first = try Amqp.run("receive", queue.name, "-c", "7", url: broker.url)
    #expect(first.status == 0 && first.lines == ["1", "2", "3", "4", "5", "6", "7"])
    try queue.expectDepth(1_993)
    let rest = try Amqp.run("receive", queue.name, "--drain", url: broker.url)
    #expect(rest.status == 0 && rest.lines == (8...2_000).map { "\($0)" })
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: Broker.all) func interruptGivesBackWhatWasPrefetched(_ broker: Broker) throws {
    let queue = try broker.queue()
    try queue.publish((1...3_000).map { String(repeating: "x", count: 100) + "\($0)" })
    // Nobody reads: output fills up, and the rest of the credit is in our hands.
    let fifo = "/tmp/amqp-interop-\(UUID().uuidString)"
    mkfifo(fifo, 0o600)
    defer { unlink(fifo) }
    let holder = open(fifo, O_RDWR | O_CLOEXEC | O_NONBLOCK)
    let receiver = try Program(
      "/bin/sh", ["-c", "exec \"$0\" receive \"$1\" >\"$2\"", Amqp.path, queue.name, fifo],
      environment: ["AMQP_URL": broker.url])
    var available: Int32 = 0
    try receiver.until("output") { _ in ioctl(holder, UInt(FIONREAD), &available) == 0 && available >= 32_768 }
    receiver.signal(SIGINT)
    // What is in the output now has to be written, or it could not be settled.
    var written: [UInt8] = []
    try receiver.until("the rest of the output and the end") { program in
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = read(holder, &buffer, buffer.count)
      if count > 0 { written += buffer[..<count] }
      return count <= 0 && program.errorsSoFar.contains("received from")
    }
    let ended = try receiver.finish()
    close(holder)
    #expect(ended.status == 130)
    let lines = written.split(separator: 10).count
    #expect(ended.errors.contains("\(lines) received"), "\(lines) lines: \(ended.errors)")
    try queue.expectDepth(3_000 - lines)
  }

  @Test(arguments: Broker.all) func outcomesHaveTheirEffects(_ broker: Broker) throws {
    let queue = try broker.queue()
    try queue.publish(["a", "b", "c"])
    func receive(_ settle: String) throws -> Finished {
      try Amqp.run("receive", queue.name, "-c", "1", "-t", "10s", "--settle", settle, "-J", url: broker.url)
    }
    #expect(try receive("release").text.contains(#""text":"a"#))
    try queue.expectDepth(3)
    #expect(try receive("none").text.contains(#""text":"a"#))
    try queue.expectDepth(3)
    let again = try receive("modify:failed")
    #expect(again.text.contains(#""text":"a"#) && again.text.contains(#""first-acquirer":false"#), "\(again.text)")
    try queue.expectDepth(3)
    #expect(try receive("reject").text.contains(#""text":"a"#))
    try queue.expectDepth(2)
    #expect(try receive("accept").text.contains(#""text":"b"#))
    #expect(try queue.delete() == 1)
  }

  @Test(arguments: Broker.all) func drainTakesAllAndBrowseTakesNothing(_ broker: Broker) throws {
    let queue = try broker.queue()
    try queue.publish((1...3_000).map { "\($0)" })
    let lines = (1...3_000).map { "\($0)" }
    let browsed = try Amqp.run("receive", queue.name, "--browse", "--drain", url: broker.url)
    #expect(browsed.status == 0 && browsed.lines == lines)
    #expect(browsed.errors.contains("can't be browsed"))
    try queue.expectDepth(3_000)
    let drained = try Amqp.run("receive", queue.name, "--drain", url: broker.url)
    #expect(drained.status == 0 && drained.lines == lines)
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: Broker.all) func everyPropertyComesBack(_ broker: Broker) throws {
    let queue = try broker.queue()
    // What both brokers keep: of the header the priority is no more than durable, annotations are theirs.
    let message = #"""
      {"properties":{"message-id":"m-1","user-id":"guest","to":"there","subject":"s","reply-to":"r","correlation-id":"c","content-type":"text/x","content-encoding":"e","absolute-expiry-time":1900000000000,"creation-time":1800000000000,"group-id":"g","group-sequence":7,"reply-to-group-id":"rg"},"application-properties":{"boolean":true,"byte":{"byte":-1},"double":{"double":0.5},"float":{"float":1.5},"int":{"int":-70000},"long":{"long":"-9007199254740993"},"short":{"short":-300},"string":"grüße","timestamp":{"timestamp":1700000000123}},"body":{"text":"x"}}
      """#
    let sent = try Amqp.run("send", queue.name, "-J", url: broker.url, input: .lines([message]))
    #expect(sent.status == 0, "\(sent.errors)")
    let received = try Amqp.run("receive", queue.name, "-c", "1", "-t", "10s", "-J", url: broker.url)
    #expect(received.status == 0, "\(received.errors)")
    let before = try JSON(message)
    let after = try JSON(received.text)
    if broker.isRabbitMQ4 {
      #expect(after["properties"] == before["properties"])
      #expect(after["application-properties"] == before["application-properties"])
    } else {
      // The plugin translates to 0-9-1 and back; what that has no place for is gone.
      for key in ["message-id", "reply-to", "correlation-id", "content-type", "content-encoding"] {
        #expect(after["properties"]?[key] == before["properties"]?[key], "\(key)")
      }
      #expect(after["application-properties"]?["string"] == .string("grüße"), "\(received.text)")
    }
    #expect(after["body"] == before["body"])
  }

  @Test(arguments: Broker.all) func manyAndLongHeadersSurvive(_ broker: Broker) throws {
    let queue = try broker.queue()
    var arguments = ["send", queue.name, "body"]
    for i in 0..<200 { arguments += ["-H", "key-\(i)=" + String(repeating: "v\(i)", count: 100)] }
    let sent = try Program(Amqp.path, arguments, environment: ["AMQP_URL": broker.url]).finish()
    #expect(sent.status == 0, "\(sent.errors)")
    let received = try Amqp.run("receive", queue.name, "-c", "1", "-t", "10s", "-J", url: broker.url)
    let properties = try JSON(received.text)["application-properties"]
    for i in 0..<200 { #expect(properties?["key-\(i)"] == .string(String(repeating: "v\(i)", count: 100))) }
  }

  @Test(.needs(.rabbitMQ4)) func streamsAreReadFromWhereOneSays() throws {
    let broker = Broker.rabbitMQ4
    let stream = try broker.queue(.made(["stream"]))
    #expect(try Amqp.run("send", stream.name, "-l", url: broker.url, input: .lines(0..<100)).status == 0)
    let all = try Amqp.run("receive", stream.name, "-o", "first", "-c", "100", "-t", "20s", url: broker.url)
    #expect(all.status == 0 && all.lines == (0..<100).map { "\($0)" }, "\(all.errors)")
    let tail = try Amqp.run("receive", stream.name, "-o", "90", "-c", "10", "-t", "20s", url: broker.url)
    #expect(tail.lines == (90..<100).map { "\($0)" }, "\(tail.errors)")
    let since = try Amqp.run("receive", stream.name, "-o", "1h", "-c", "100", "-t", "20s", url: broker.url)
    #expect(since.lines.count == 100, "\(since.errors)")
  }

  @Test(.needs(.rabbitMQ4)) func streamsAreFiltered() throws {
    let broker = Broker.rabbitMQ4
    let stream = try broker.queue(.made(["stream"]))
    for colour in ["red", "blue"] {
      let sent = try Amqp.run(
        "send", stream.name, "-l", "--annotation", "x-stream-filter-value=\(colour)", url: broker.url,
        input: .lines((1...20).map { "\(colour) \($0)" }))
      #expect(sent.status == 0, "\(sent.errors)")
    }
    // The broker filters whole chunks: two runs of ours are two chunks.
    let red = try Amqp.run(
      "receive", stream.name, "-o", "first", "--filter", "rabbitmq:stream-filter=red", "-c", "20", "-t", "20s",
      url: broker.url)
    #expect(red.status == 0 && red.lines == (1...20).map { "red \($0)" }, "\(red.text) \(red.errors)")
  }

  @Test(.needs(.rabbitMQ4)) func unroutableAndTooLargeAreReported() throws {
    let broker = Broker.rabbitMQ4
    let lost = try Amqp.run("send", "-e", "amq.direct", "-r", "nowhere", "x", url: broker.url)
    #expect(lost.status == 3 && lost.errors.contains("released"), "\(lost.errors)")
    let queue = try broker.queue()
    let large = try Amqp.run(
      "send", queue.name, url: broker.url, input: .octets([UInt8](repeating: 7, count: 17_000_000)))
    #expect(large.status != 0 && large.errors.contains("too large"), "\(large.status) \(large.errors)")
    #expect(try queue.delete() == 0)
  }
}
