// Outcomes by program against real brokers, and replies to real requesters.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct HandlerInteropTests {
  struct Way: CustomTestStringConvertible, Sendable {
    let broker: Broker
    let dialect: String
    var testDescription: String { "\(broker.testDescription) over \(dialect)" }
  }
  static let ways = Broker.all.flatMap { broker in ["1.0", "0-9-1"].map { Way(broker: broker, dialect: $0) } }

  /// What a handler had finished is in the output, and everything else comes again.
  @Test(arguments: ways) func aKilledRunLosesNothing(_ way: Way) throws {
    let queue = try way.broker.queue()
    let count = 300
    try queue.publish((1...count).map { "\($0)" })
    let receiver = try Amqp.start(
      "receive", "--protocol", way.dialect, queue.name, "-j", "4", "--exec", "cat; echo", url: way.broker.url)
    try receiver.until("some output") { $0.outputSoFar.count { $0 == 0x0a } > 40 }
    receiver.signal(SIGKILL)
    let killed = try receiver.finish()
    #expect(killed.status == 137)
    var seen = killed.lines
    #expect(seen == (1...seen.count).map { "\($0)" }, "in order, and nothing left out")
    let rest = try Amqp.run(
      "receive", "--protocol", way.dialect, queue.name, "--drain", "-j", "2", "--exec", "cat; echo", url: way.broker.url
    )
    #expect(rest.status == 0 && rest.lines.count < count, "\(rest.errors)")
    seen += rest.lines
    #expect(Set(seen).count == count, "every message is in the output of one of the two")
    #expect(seen.count <= count + 8, "no more come twice than there was credit for")
    #expect(try queue.delete() == 0)
  }

  /// 0 and 65 are gone for good, 75 and 1 are in the queue again.
  @Test(arguments: ways) func statusesDecide(_ way: Way) throws {
    let queue = try way.broker.queue()
    try queue.publish(["0", "65", "75", "1"])
    let run = try Amqp.run(
      "receive", "--protocol", way.dialect, queue.name, "-c", "4", "-j", "4", "--exec", "exit $(cat)",
      url: way.broker.url)
    #expect(run.status == 3 && run.errors.contains("1 accepted, 1 rejected, 1 released, 1 failed"), "\(run.errors)")
    try queue.expectDepth(2)
    let rest = try Amqp.run("receive", "--protocol", way.dialect, queue.name, "-c", "2", url: way.broker.url)
    #expect(Set(rest.lines) == ["75", "1"])
  }

  /// What fails again and again comes back later and later.
  @Test(arguments: ways) func aFailingHandlerDoesNotLoopHot(_ way: Way) throws {
    let queue = try way.broker.queue()
    try queue.publish(["poison"])
    let run = try Amqp.run(
      "receive", "--protocol", way.dialect, queue.name, "--for", "2s", "--exec", "echo; exit 1", url: way.broker.url)
    let runs = run.output.count
    #expect(run.status == 3 && runs >= 2 && runs <= 6, "\(runs) runs: \(run.errors)")
    try queue.expectDepth(1)
  }

  /// Each is tried once: what fails is handed back at the end, or there would be none.
  @Test(arguments: ways) func failingHandlersAreDrained(_ way: Way) throws {
    let queue = try way.broker.queue()
    try queue.publish((1...20).map { "\($0)" })
    let run = try Amqp.run(
      "receive", "--protocol", way.dialect, queue.name, "--drain", "-j", "2", "--exec",
      "read n; [ $((n % 3)) != 0 ] && echo $n", url: way.broker.url)
    #expect(run.status == 3 && run.errors.contains("14 accepted, 6 failed"), "\(run.errors)")
    #expect(run.lines.count == 14)
    try queue.expectDepth(6)
  }

  /// A closed standard output is no place to write to, and no descriptor of ours takes its number.
  @Test(arguments: ways) func closedStandardOutput(_ way: Way) throws {
    let queue = try way.broker.queue()
    try queue.publish(["one", "\u{2}two"])
    let run = try Program(
      "sh", ["-c", "exec \"$0\" \"$@\" >&-", Amqp.path, "receive", "--protocol", way.dialect, queue.name, "--drain"],
      environment: ["AMQP_URL": try way.broker.url]
    ).finish()
    #expect(run.status == 74 && run.errors.contains("cannot write to standard output"), "\(run.errors)")
    try queue.expectDepth(2)
  }

  @Test(arguments: ways) func aKilledWorkerLosesNothing(_ way: Way) throws {
    let queue = try way.broker.queue()
    let count = 2_000
    try queue.publish((1...count).map { "\($0)" })
    // Every worker dies after a while; what it wrote down it has answered, or gets again.
    let script =
      "n=0; while read -r l; do n=$((n+1)); i=${l#*:}; i=${i%%,*}; b=${l#*'\"text\":\"'}; echo \"${b%%'\"'*}\" >&2; "
      + "echo \"$i accept\"; [ $n = 700 ] && kill -9 $$; done"
    let run = try Amqp.run(
      "receive", "--protocol", way.dialect, queue.name, "--drain", "-j", "50", "--worker", script, url: way.broker.url)
    let seen = Set(run.errors.split(separator: "\n").compactMap { Int($0) })
    #expect(seen.count == count, "\(run.errors.suffix(300))")
    #expect(run.errors.contains("was killed by signal 9"))
    try queue.expectDepth(0)
  }

  /// RabbitMQ's direct reply-to, with pika as the requester.
  @Test(.needs(.pika), arguments: [Broker.rabbitMQ3, .rabbitMQ4], ["exec", "worker"])
  func pikaHasItsReplies(_ broker: Broker, _ kind: String) throws {
    let queue = try broker.queue()
    let handler =
      kind == "exec" ? "tr a-z A-Z" : "while read -r l; do i=${l#*:}; echo \"${i%%,*} accept HELLO $((i0=i0+1))\"; done"
    let responder = try Amqp.start(
      "receive", "--protocol", "0-9-1", queue.name, "-c", "3", "--respond", "--\(kind)", handler, url: broker.url)
    let requester = try Program(
      RealPeer.pika.value, ["-c", HandlerInteropTests.pikaRequester, broker.url, queue.name, "3"])
    let asked = try requester.finish()
    #expect(asked.status == 0, "\(asked.errors)")
    let expected = (1...3).map { "\($0) HELLO \($0)" }
    #expect(asked.lines == expected, "\(asked.text) \(asked.errors)")
    let ended = try responder.finish()
    #expect(ended.status == 0, "\(ended.errors)")
    try queue.expectDepth(0)
  }

  static let pikaRequester = """
    import sys, pika
    url, queue, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    got = []
    def answer(ch, method, properties, body):
        got.append(properties.correlation_id + " " + body.decode())
        if len(got) == n: channel.stop_consuming()
    channel.basic_consume("amq.rabbitmq.reply-to", answer, auto_ack=True)
    for i in range(1, n + 1):
        channel.basic_publish("", queue, b"hello %d" % i,
                              pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id=str(i)))
    channel.start_consuming()
    print("\\n".join(sorted(got)))
    channel.connection.close()
    """

  /// A reply that can't be delivered: its request is rejected, and not tried again.
  @Test(arguments: ways.filter { $0.broker.isRabbitMQ4 || $0.dialect == "0-9-1" })
  func aReplyToNobody(_ way: Way) throws {
    let queue = try way.broker.queue()
    let address = way.dialect == "1.0" ? "/queues/gone" : "gone"
    let sent = try Amqp.run(
      "send", "--protocol", way.dialect, queue.name, "-P", "reply-to=\(address)", "-P", "message-id=1", "x",
      url: way.broker.url)
    #expect(sent.status == 0, "\(sent.errors)")
    let run = try Amqp.run(
      "receive", "--protocol", way.dialect, queue.name, "-c", "1", "--respond", "--exec", "cat", url: way.broker.url)
    #expect(run.status == 3 && run.errors.contains("its reply to '\(address)' was not accepted"), "\(run.errors)")
    try queue.expectDepth(0)
  }

  /// Replies into a queue, read by ourselves.
  @Test(arguments: ways.filter { $0.broker.isRabbitMQ4 || $0.dialect == "0-9-1" })
  func repliesIntoAQueue(_ way: Way) throws {
    let queue = try way.broker.queue()
    let answers = try way.broker.queue()
    let address = way.dialect == "1.0" ? "/queues/\(answers.name)" : answers.name
    let sent = try Amqp.run(
      "send", "--protocol", way.dialect, queue.name, "-P", "reply-to=\(address)", "-P", "correlation-id=c7", "one",
      "two",
      url: way.broker.url)
    #expect(sent.status == 0, "\(sent.errors)")
    let run = try Amqp.run(
      "receive", "--protocol", way.dialect, queue.name, "-c", "2", "-j", "2", "--respond", "--exec", "tr a-z A-Z",
      url: way.broker.url)
    #expect(run.status == 0 && run.output.isEmpty, "\(run.errors)")
    let got = try Amqp.run(
      "receive", "--protocol", way.dialect, answers.name, "-c", "2", "-f", "%p{correlation-id} %s\\n",
      url: way.broker.url)
    #expect(Set(got.lines) == ["c7 ONE", "c7 TWO"], "\(got.errors)")
  }
}

@Suite(.needs(.protonPython)) struct ProtonRequesterTests {
  /// Proton's own request and response over a dynamic node of ours: no broker.
  @Test func protonHasItsReplies() throws {
    let (responder, port) = try Amqp.listen("receive", "-j", "2", "--respond", "--exec", "tr a-z A-Z")
    let script = """
      import sys
      from proton import Message
      from proton.utils import SyncRequestResponse, BlockingConnection
      client = SyncRequestResponse(BlockingConnection("127.0.0.1:" + sys.argv[1]), "upper")
      for i in range(3):
          print(bytes(client.call(Message(body="hello %d" % i)).body).decode())
      client.connection.close()
      """
    let requester = try Program(RealPeer.protonPython.value, ["-c", script, port])
    let asked = try requester.finish()
    #expect(asked.status == 0, "\(asked.errors)")
    #expect(asked.lines == ["HELLO 0", "HELLO 1", "HELLO 2"], "\(asked.errors)")
    responder.signal(SIGINT)
    let ended = try responder.finish()
    #expect(ended.status == 130 && ended.errors.contains("3 accepted"), "\(ended.errors)")
  }

  /// pika's, over 0-9-1.
  @Test(.needs(.pika)) func pikaHasItsRepliesFromUs() throws {
    let (responder, port) = try Amqp.listen("receive", "-c", "3", "--respond", "--exec", "tr a-z A-Z")
    let requester = try Program(
      RealPeer.pika.value,
      ["-c", HandlerInteropTests.pikaRequester, "amqp://guest:guest@127.0.0.1:\(port)/", "upper", "3"])
    let asked = try requester.finish()
    #expect(asked.lines == (1...3).map { "\($0) HELLO \($0)" }, "\(asked.errors)")
    let ended = try responder.finish()
    #expect(ended.status == 0, "\(ended.errors)")
  }
}
