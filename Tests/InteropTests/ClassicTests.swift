// The 0-9-1 side of the same brokers: what rabbitmq-c and pika publish is received by us over 1.0, and the reverse.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct ClassicTests {
  func pika(_ script: String, _ queue: Queue) throws -> Finished {
    let head = """
      import pika, sys
      connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
      channel, queue = connection.channel(), sys.argv[2]

      """
    return try Program(
      try RealPeer.pika.value, ["-c", head + script + "\nconnection.close()\n", try queue.broker.url, queue.name]
    ).finish()
  }

  @Test(arguments: Broker.all) func rabbitmqCReadsWhatWeSend(_ broker: Broker) throws {
    let queue = try broker.queue()
    #expect(try Amqp.run("send", queue.name, "one", "two", url: broker.url).status == 0)
    let got = try Program("amqp-get", ["--url=\(broker.url)", "--queue=\(queue.name)"]).finish()
    #expect(got.status == 0 && got.text == "one", "\(got.errors)")
    let consumed = try Program(
      "amqp-consume", ["--url=\(broker.url)", "--queue=\(queue.name)", "--count=1", "cat"]
    ).finish()
    #expect(consumed.status == 0 && consumed.text == "two", "\(consumed.errors)")
    #expect(try queue.delete() == 0)
  }

  @Test(.needs(.pika), arguments: Broker.all) func pikaReadsOurProperties(_ broker: Broker) throws {
    let queue = try broker.queue()
    let sent = try Amqp.run(
      "send", queue.name, "body", "-H", "colour=red", "-H", "size:int=7", "-P", "message-id=m", "-P",
      "correlation-id=c", "-P", "reply-to=r", "-C", "text/plain", url: broker.url)
    #expect(sent.status == 0, "\(sent.errors)")
    let read = try pika(
      """
      method, p, body = channel.basic_get(queue, auto_ack=True)
      print(body, p.headers.get("colour"), p.headers.get("size"), p.message_id, p.correlation_id, p.content_type, p.delivery_mode)
      """, queue)
    // The plugin keeps application properties as octets in a header of its own.
    let headers = broker.isRabbitMQ4 ? "red 7" : "None None"
    #expect(read.text == "b'body' \(headers) m c text/plain 2\n", "\(read.text) \(read.errors)")
  }

  @Test(.needs(.pika), arguments: Broker.all) func weReadPikasHeaders(_ broker: Broker) throws {
    let queue = try broker.queue()
    let published = try pika(
      """
      headers = {"string": "grüße", "int": 7, "long": 2**40, "boolean": True, "negative": -1}
      channel.basic_publish("", queue, b"\\xff\\x00", pika.BasicProperties(headers=headers, message_id="m",
          content_type="application/x", priority=3, delivery_mode=2))
      """, queue)
    #expect(published.status == 0, "\(published.errors)")
    let received = try Amqp.run("receive", queue.name, "-c", "1", "-t", "10s", "-J", url: broker.url)
    let message = try JSON(received.text)
    #expect(message["properties"]?["content-type"] == .string("application/x"))
    #expect(message["header"]?["priority"] == .integer(3))
    #expect(message["body"]?["data"] == .string("/wA="), "\(received.text)")
    let properties = message["application-properties"]
    // The plugin shows no headers of 0-9-1.
    guard broker.isRabbitMQ4 else { return }
    #expect(properties?["string"] == .string("grüße") && properties?["boolean"] == .boolean(true), "\(received.text)")
    for (key, value) in [("int", "7"), ("long", "1099511627776"), ("negative", "-1")] {
      // Which width it gets is the broker's choice.
      let found = properties?[key]
      let plain = ["byte", "short", "int", "long"].compactMap { found?[$0] }.first ?? found
      #expect(plain == .string(value) || plain == Int64(value).map { .integer($0) }, "\(key): \(received.text)")
    }
  }
}
