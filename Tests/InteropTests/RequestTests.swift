// `send --request` and `--then-receive` with responders of other makes, through brokers: pika over 0-9-1, Proton over 1.0.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct RequestTests {
  /// Answers `count` requests of `queue`, each `times` times; what has no reply-to is not answered.
  private func pika(_ queue: Queue, _ count: Int, times: Int = 1, foreign: Bool = false) throws -> Program {
    let script = """
      import pika, sys
      connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
      channel, queue, count, times = connection.channel(), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
      channel.basic_qos(prefetch_count=100)
      print("ready", flush=True)
      for method, properties, body in channel.consume(queue):
          to = properties.reply_to.removeprefix("/queues/")
          if \(foreign ? "True" : "False"):
              channel.basic_publish("", to, b"not for you", pika.BasicProperties(correlation_id="somebody-else"))
          for n in range(times):
              channel.basic_publish("", to, b"re: " + body, pika.BasicProperties(correlation_id=properties.correlation_id))
          channel.basic_ack(method.delivery_tag)
          count -= 1
          if not count:
              break
      connection.close()
      """
    let program = try Program(
      try RealPeer.pika.value, ["-c", script, try queue.broker.url, queue.name, "\(count)", "\(times)"])
    try program.until("ready") { String(decoding: $0.outputSoFar, as: UTF8.self).contains("ready") }
    return program
  }

  @Test(.needs(.pika), arguments: Broker.all, ["auto", "1.0", "0-9-1"])
  func aReplyToEachRequest(_ broker: Broker, _ dialect: String) throws {
    let queue = try broker.queue(.transient)
    let responder = try pika(queue, 500, foreign: true)
    // RabbitMQ 3 has no node for replies over 1.0.
    let named = !broker.isRabbitMQ4 && dialect == "1.0"
    let replies = try broker.queue(.durable)
    let run = try Amqp.run(
      ["send", queue.name, "-l", "--transient", "--request", "-t", "30s", "--protocol", dialect]
        + (named ? ["--reply-to", replies.name] : []), url: broker.url, input: .lines(1...500))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.sorted() == (1...500).map { "re: \($0)" }.sorted())
    _ = try responder.finish()
    // What was somebody else's is still there. Under load RabbitMQ 3.10 puts some of ours back as well, whose settlement
    // is in front of our close: settled or not, none is lost.
    if named { try replies.expectDepth(500...1_000) }
    #expect(try queue.delete() == 0)
  }

  @Test(.needs(.pika), arguments: Broker.all) func severalReplies(_ broker: Broker) throws {
    let queue = try broker.queue(.transient)
    let responder = try pika(queue, 2, times: 3)
    let run = try Amqp.run(
      [
        "send", queue.name, "--request=3", "-t", "20s", "--reply-as", "%p{correlation-id} %s\\n", "-P",
        "correlation-id=c", "one", "two",
      ],
      url: broker.url)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines == ["c re: one", "c re: one", "c re: one", "c re: two", "c re: two", "c re: two"])
    _ = try responder.finish()
  }

  /// Who asks speaks one protocol, who answers the other.
  @Test func acrossProtocols() throws {
    let queue = try Broker.rabbitMQ4.queue()
    let url = try Broker.rabbitMQ4.url
    let responder = try Amqp.start(
      "receive", queue.name, "--protocol", "0-9-1", "-c", "1", "--respond", "--exec", "tr a-z A-Z", url: url)
    let asked = try Amqp.run("send", queue.name, "hello", "--protocol", "1.0", "--request", "-t", "20s", url: url)
    #expect(asked.status == 0 && asked.text == "HELLO\n", "\(asked.errors)")
    #expect(try responder.finish().status == 0)
  }

  /// RabbitMQ 3 ends the session of a link that it refuses: one requester's mistake must not end the others'.
  @Test(arguments: Broker.all) func aReplyToNowhere(_ broker: Broker) throws {
    let queue = try broker.queue()
    #expect(try Amqp.run("send", queue.name, "x", "-P", "reply-to=interop-nosuch", url: broker.url).status == 0)
    #expect(try Amqp.run("send", queue.name, "y", url: broker.url).status == 0)
    let run = try Amqp.run("receive", queue.name, "-c", "2", "--respond", "--exec", "cat", url: broker.url)
    #expect(run.status == 3 && run.errors.contains("1 accepted, 1 rejected"), "\(run.errors)")
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: Broker.all) func nobodyReplies(_ broker: Broker) throws {
    let queue = try broker.queue(.transient)
    let run = try Amqp.run(
      ["send", queue.name, "--request", "-t", "5s", "-P", "correlation-id=c", "hello"], url: broker.url)
    #expect(run.status == 2 && run.errors.contains("1 of 1 request has no reply: correlation-id c"), "\(run.errors)")
  }

  /// A responder over 1.0: Proton's event loop, with a sender for each address that it is asked to answer to.
  @Test(.needs(.protonPython)) func protonReplies() throws {
    let broker = Broker.rabbitMQ4
    let queue = try broker.queue(.transient)
    let script = """
      import sys
      from proton import Message
      from proton.handlers import MessagingHandler
      from proton.reactor import Container
      class Responder(MessagingHandler):
          def __init__(self, url, address, count):
              super().__init__()
              self.url, self.address, self.count, self.senders = url, address, count, {}
          def on_start(self, event):
              self.connection = event.container.connect(self.url, allowed_mechs="PLAIN")
              event.container.create_receiver(self.connection, self.address)
          def on_link_opened(self, event):
              if event.receiver:
                  print("ready", flush=True)
          def on_message(self, event):
              to = event.message.reply_to
              if to not in self.senders:
                  self.senders[to] = event.container.create_sender(self.connection, to)
              self.senders[to].send(Message(body="re: " + bytes(event.message.body).decode(), correlation_id=event.message.correlation_id))
          def on_accepted(self, event):
              self.count -= 1
              if not self.count:
                  self.connection.close()
      Container(Responder(sys.argv[1], sys.argv[2], int(sys.argv[3]))).run()
      """
    let responder = try Program(
      try RealPeer.protonPython.value, ["-c", script, try broker.url, "/queues/\(queue.name)", "100"])
    try responder.until("ready") { String(decoding: $0.outputSoFar, as: UTF8.self).contains("ready") }
    let run = try Amqp.run(
      ["send", queue.name, "-l", "--transient", "--request", "-t", "30s"], url: broker.url, input: .lines(1...100))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.sorted() == (1...100).map { "re: \($0)" }.sorted())
    _ = try responder.finish()
  }

  /// The receiver is there before the message: nothing is missed, even where nothing is kept.
  @Test(arguments: Broker.all, ["auto", "0-9-1"]) func thenReceive(_ broker: Broker, _ dialect: String) throws {
    let queue = try broker.queue(.transient)
    let run = try Amqp.run(
      ["send", queue.name, "one", "two", "--then-receive", queue.name, "-c", "2", "-t", "10s", "--protocol", dialect],
      url: broker.url)
    #expect(run.status == 0 && run.lines == ["one", "two"], "\(run.errors)")
    let late = try Amqp.run(
      ["send", queue.name, "one", "--then-receive", queue.name, "-c", "2", "-t", "5s", "--protocol", dialect],
      url: broker.url)
    #expect(late.status == 2 && late.text == "one\n", "\(late.errors)")
    #expect(late.errors.contains("1 of 2 received from '\(queue.name)'"), "\(late.errors)")
    #expect(try queue.delete() == 0)
  }
}
