// Our listening ends over 0-9-1, met by other people's clients and by our own.
import Foundation
import Testing

@Suite struct ListeningTests {
  /// What pika's scripts begin with: the port is their argument.
  private func pika(_ port: String, _ script: String) throws -> Finished {
    let head = """
      import pika, sys
      connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
      channel = connection.channel()

      """
    return try Program(try RealPeer.pika.value, ["-c", head + script + "\nconnection.close()\n", port]).finish()
  }

  @Test(.needs(.rabbitmqC)) func rabbitmqCPublishesAndConsumes() throws {
    let (receiver, to) = try Amqp.listen("receive", "-c", "3", "-f", "%k %s\\n")
    let url = "amqp://guest:guest@127.0.0.1:\(to)"
    #expect(try Program("amqp-publish", ["--url=\(url)", "-r", "q", "-b", "one"]).finish().status == 0)
    #expect(
      try Program("amqp-publish", ["--url=\(url)", "-e", "amq.topic", "-r", "k", "-b", "two"]).finish().status == 0)
    let ours = try Amqp.run("send", "--protocol", "0-9-1", "-u", "amqp://127.0.0.1:\(to)", "q", "three")
    #expect(ours.status == 0, "\(ours.errors)")
    #expect(try receiver.finish().lines == ["q one", "k two", "q three"])

    let (sender, from) = try Amqp.listen("send", "one", "two", "three")
    let source = "amqp://guest:guest@127.0.0.1:\(from)"
    let got = try Program("amqp-get", ["--url=\(source)", "--queue=q"]).finish()
    #expect(got.status == 0 && got.text == "one", "\(got.errors)")
    let consumed = try Program("amqp-consume", ["--url=\(source)", "--queue=q", "--count=1", "cat"]).finish()
    #expect(consumed.status == 0 && consumed.text == "two", "\(consumed.errors)")
    let received = try Amqp.run("receive", "--protocol", "0-9-1", "-u", "amqp://127.0.0.1:\(from)", "q", "-c", "1")
    #expect(received.status == 0 && received.text == "three\n", "\(received.errors)")
    let sent = try sender.finish()
    #expect(sent.status == 0, "\(sent.errors)")
  }

  @Test(.needs(.pika)) func pikaPublishes() throws {
    let (receiver, port) = try Amqp.listen("receive", "-c", "200", "-J")
    let run = try pika(
      port,
      """
      channel.queue_declare("q", durable=True, arguments={"x-max-length": 1000})
      channel.exchange_declare("e", "topic")
      channel.queue_bind("q", "e", "a.*")
      channel.confirm_delivery()
      for n in range(200):
          channel.basic_publish("e", "a.b", bytes([n]) * (n * 1000 + 1),
              pika.BasicProperties(headers={"n": n, "t": {"x": [1, "two"]}}, message_id=str(n)), mandatory=True)
      """)
    #expect(run.status == 0, "\(run.errors)")
    let received = try receiver.finish()
    #expect(received.status == 0 && received.lines.count == 200, "\(received.errors)")
    for (n, line) in received.lines.enumerated() {
      let message = try JSON(line)
      #expect(message["application-properties"]?["n"] != nil && line.utf8.count > n * 1_000, "message \(n)")
      #expect(message["basic"]?["exchange"] == .string("e") && message["basic"]?["routing-key"] == .string("a.b"))
    }
  }

  /// What is rolled back, or in no transaction that ended, never comes.
  @Test(.needs(.pika)) func pikaCommits() throws {
    let (receiver, port) = try Amqp.listen("receive", "-c", "3")
    let run = try pika(
      port,
      """
      channel.queue_declare("q")
      channel.tx_select()
      channel.basic_publish("", "q", b"one")
      channel.basic_publish("", "q", b"two")
      channel.tx_commit()
      channel.basic_publish("", "q", b"never")
      channel.tx_rollback()
      channel.basic_publish("e", "k", b"three")
      channel.tx_commit()
      channel.basic_publish("", "q", b"neither")
      """)
    #expect(run.status == 0, "\(run.errors)")
    let received = try receiver.finish()
    #expect(received.status == 0 && received.lines == ["one", "two", "three"], "\(received.errors)")
  }

  /// Prefetch, one handed back and met again, one rejected, and the consumer cancelled.
  @Test(.needs(.pika)) func pikaConsumes() throws {
    let (sender, port) = try Amqp.listen("send", "one", "two", "three", "four")
    let run = try pika(
      port,
      """
      channel.basic_qos(prefetch_count=3)
      seen = []
      for method, properties, body in channel.consume("q", inactivity_timeout=5):
          if method is None:
              break
          seen.append(body.decode() + ("+" if method.redelivered else ""))
          if body == b"two" and not method.redelivered:
              channel.basic_nack(method.delivery_tag, requeue=True)
          elif body == b"three":
              channel.basic_reject(method.delivery_tag, requeue=False)
          else:
              channel.basic_ack(method.delivery_tag)
          if len(seen) == 5:
              break
      channel.cancel()
      print(" ".join(sorted(seen)))
      """)
    #expect(run.status == 0 && run.text == "four one three two two+\n", "\(run.text) \(run.errors)")
    let sent = try sender.finish()
    #expect(sent.status == 3 && sent.errors.contains("3 accepted, 1 rejected"), "\(sent.status) \(sent.errors)")
  }
}
