// The edges of 0-9-1 at a real broker: sizes around a frame's, what fits nowhere, and what is refused.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct Edge091Tests {
  private func amqp(
    _ url: String, _ arguments: String..., input: Program.Input = .nothing, seconds: Int = 60
  ) throws -> Finished {
    try Program(
      Amqp.path, arguments + ["--protocol", "0-9-1"], input: input, environment: ["AMQP_URL": url], seconds: seconds
    ).finish()
  }

  /// Nothing, a frame less the eight octets around a body, one more, and the same for the frame of 0-9-1's least size.
  @Test(arguments: Broker.all) func bodiesAroundAFrame(_ broker: Broker) throws {
    let queue = try broker.queue()
    for size in [0, 1, 4_088, 4_089, 65_528, 65_529, 131_064, 131_065] {
      let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
      let file = "/tmp/interop-\(queue.name)"
      try Data(body).write(to: URL(fileURLWithPath: file))
      defer { try? FileManager.default.removeItem(atPath: file) }
      let sent = try amqp(broker.url, "send", queue.name, "--file", file)
      #expect(sent.status == 0, "\(size): \(sent.errors)")
      let received = try amqp(broker.url, "receive", queue.name, "-c", "1", "-t", "10s", "--raw")
      #expect(received.status == 0 && received.output == body, "\(size): \(received.errors)")
    }
    #expect(try queue.delete() == 0)
  }

  /// 3.10 takes 128 MiB, 4 no more than 16.
  @Test func aHundredMegabytes() throws {
    let queue = try Broker.rabbitMQ3.queue()
    let file = "/tmp/interop-\(queue.name)"
    var body = [UInt8](repeating: 0x61, count: 100_000_000)
    for i in stride(from: 0, to: body.count, by: 997) { body[i] = UInt8(truncatingIfNeeded: i / 997) }
    try Data(body).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    let sent = try amqp(try Broker.rabbitMQ3.url, "send", queue.name, "--file", file, seconds: 120)
    #expect(sent.status == 0, "\(sent.errors)")
    let received = try amqp(
      try Broker.rabbitMQ3.url, "receive", queue.name, "-c", "1", "--raw", seconds: 120)
    #expect(received.status == 0 && received.output == body, "\(received.output.count): \(received.errors)")
    let refused = try Broker.rabbitMQ4.queue()
    let tooLarge = try amqp(try Broker.rabbitMQ4.url, "send", refused.name, "--file", file, seconds: 120)
    #expect(tooLarge.status == 1 && tooLarge.errors.contains("larger than configured max size"), "\(tooLarge.errors)")
  }

  /// RabbitMQ holds content headers to its own frame_max, and to no smaller one that was agreed on.
  @Test(.needs(.pika), arguments: Broker.all) func largeHeaders(_ broker: Broker) throws {
    let queue = try broker.queue()
    let script = """
      import pika, sys
      channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
      channel.confirm_delivery()
      channel.basic_publish("", sys.argv[2], b"body", pika.BasicProperties(headers={"big": "h" * 120000}))
      """
    let sent = try Program(try RealPeer.pika.value, ["-c", script, try broker.url, queue.name]).finish()
    #expect(sent.status == 0, "\(sent.errors)")
    let received = try amqp(broker.url, "receive", queue.name, "--drain", "-f", "%H{big} %s\n")
    #expect(received.status == 0 && received.text.count == 120_006, "\(received.errors)")
  }

  /// Nobody is told at-most-once: the queue is looked for.
  @Test(arguments: Broker.all) func aMissingQueueAtMostOnce(_ broker: Broker) throws {
    let sent = try amqp(
      broker.url, "send", "-q", "interop-nosuch", "x", "--mode", "at-most-once", "--receipts", "-")
    #expect(sent.status == 67 && sent.text == "{\"n\":1,\"outcome\":\"unsent\",\"status\":503}\n", "\(sent.text)")
  }

  /// It says that it is one when it is asked like a queue.
  @Test(arguments: Broker.all, [["--drain"], ["--mode", "at-most-once", "--idle", "1s"]])
  func aStreamWithoutOffset(_ broker: Broker, _ ending: [String]) throws {
    let queue = try broker.queue(.made(["stream"]))
    #expect(try amqp(broker.url, "send", queue.name, "one", "two").status == 0)
    let received = try Program(
      Amqp.path, ["receive", "--protocol", "0-9-1", queue.name] + ending, environment: ["AMQP_URL": try broker.url]
    ).finish()
    // It begins with what comes next.
    #expect(received.status == 0 && received.text == "" && received.errors == "", "\(received.errors)")
  }

  /// RabbitMQ 3 does not tell over 1.0.
  @Test(arguments: Broker.all) func noQueueIsBound(_ broker: Broker) throws {
    let sent = try Amqp.run("send", "-e", "amq.direct", "-r", "interop-nosuch", "x", url: broker.url)
    #expect(sent.status == 3, "\(sent.errors)")
  }

  @Test(arguments: Broker.all) func whatFitsNowhere(_ broker: Broker) throws {
    let queue = try broker.queue()
    let headers = try amqp(
      try broker.url + "?frame_max=8192", "send", queue.name, "x", "-H",
      "big=" + String(repeating: "x", count: 9_000))
    #expect(headers.status == 3 && headers.errors.contains("a frame has room for 8192"), "\(headers.errors)")
    let name = String(repeating: "q", count: 256)
    let long = try amqp(try broker.url, "send", "-q", name, "x")
    #expect(long.status == 64 && long.errors.contains("at most 255 octets"), "\(long.errors)")
    let property = try amqp(try broker.url, "send", queue.name, "x", "-P", "type=" + name)
    #expect(property.status != 0 && property.errors.contains("255"), "\(property.status) \(property.errors)")
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: Broker.all) func whatIsRefused(_ broker: Broker) throws {
    let vhost = try amqp(try broker.url(vhost: "/interop-nosuch"), "send", "q", "x")
    #expect(vhost.status == 67 && vhost.errors.contains("no such virtual host"), "\(vhost.errors)")
    let password = try amqp(try broker.url(user: "guest:wrong"), "send", "q", "x")
    #expect(password.status == 77 && password.errors.contains("refused the credentials"), "\(password.errors)")
    let user = "interop-" + UUID().uuidString.lowercased().prefix(8)
    func control(_ arguments: String...) throws {
      let run = try Program("\(Broker.scripts)/rabbitmqctl", [broker.node] + arguments, seconds: 60).finish()
      guard run.status == 0 else { throw Program.Failure(description: run.errors) }
    }
    try control("add_user", user, "secret")
    defer { try? control("delete_user", user) }
    try control("set_permissions", user, "^$", "^$", "^$")
    let queue = try broker.queue()
    let url = try broker.url(user: user + ":secret")
    for (arguments, what) in [
      (["send", "-e", "amq.direct", "-r", "k", "x"], "write access"),
      (["receive", queue.name, "-c", "1", "-t", "20s"], "read access"),
      (["send", "q", "x", "--declare", "queue:\(queue.name)-not"], "configure access"),
    ] {
      let run = try Program(
        Amqp.path, arguments + ["--protocol", "0-9-1"], environment: ["AMQP_URL": url]
      ).finish()
      #expect(
        run.status == 77 && run.errors.contains("403 ACCESS_REFUSED: \(broker.isRabbitMQ4 ? what : "access")"),
        "\(run.status) \(run.errors)")
      #expect(!run.errors.contains("secret"))
    }
  }
}
