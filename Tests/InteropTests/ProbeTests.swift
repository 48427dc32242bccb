// `probe` at real brokers: what it says of them and of their queues is so, and nothing is taken or altered by it.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct ProbeTests {
  private func probe(_ arguments: String..., url: String) throws -> (JSON, Finished) {
    // While all tests begin at once a broker may take its time.
    let patient = ["probe", "-J", "-u", url, "--connect-timeout", "60s"]
    let run = try Program(Amqp.path, patient + arguments, seconds: 120).finish()
    return (try JSON(run.text), run)
  }

  private func strings(_ json: JSON?) -> [String] {
    guard case .array(let items)? = json else { return [] }
    return items.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  private func integer(_ json: JSON?) -> Int64? { if case .integer(let n)? = json { n } else { nil } }

  private func node(_ json: JSON, _ i: Int = 0) -> JSON {
    guard case .array(let nodes)? = json["nodes"], i < nodes.count else { return .null }
    return nodes[i]
  }

  @Test(arguments: Broker.all) func aBroker(_ broker: Broker) throws {
    let (json, run) = try probe(url: broker.url)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    #expect(json["product"] == .string("RabbitMQ"))
    let spoken = broker.isRabbitMQ4 ? ["1-0-sasl", "0-9-1", "0-9"] : ["1-0-sasl", "1-0", "0-9-1", "0-9", "0-8"]
    #expect(strings(json["speaks"]) == spoken)
    #expect(Set(strings(json["mechanisms"])).isSuperset(of: ["AMQPLAIN", "ANONYMOUS", "PLAIN"]))
    #expect(json["credentials"] == .string("accepted"))
    for session in ["amqp-1-0", "amqp-0-9-1"] {
      #expect(json[session]?["open"] == .boolean(true), "\(session)")
      #expect(integer(json[session]?["rtt"]?["beats"]) == 10, "\(session)")
    }
    #expect(integer(json["amqp-0-9-1"]?["frame-size"]) == 131_072)
    #expect(integer(json["amqp-0-9-1"]?["agreed-frame-size"]) == 131_072)
    #expect(integer(json["amqp-0-9-1"]?["channels"]) == 2_047)
    #expect(integer(json["amqp-1-0"]?["channels"]) == (broker.isRabbitMQ4 ? 64 : 256))
  }

  @Test(arguments: Broker.all, [[], ["quorum"]])
  func aQueue(_ broker: Broker, _ arguments: [String]) throws {
    let queue = try broker.queue(.made(arguments))
    try queue.publish(["one", "two", "three"])
    let (json, run) = try probe(queue.name, queue.name + "-nosuch", url: broker.url)
    #expect(run.status == 67, "\(run.errors)")
    #expect(run.errors.contains("cannot find '\(queue.name)-nosuch'"), "\(run.errors)")
    #expect(node(json)["exists"] == .boolean(true))
    #expect(integer(node(json)["messages"]) == 3)
    #expect(integer(node(json)["consumers"]) == 0)
    #expect(node(json, 1)["exists"] == .boolean(false))
    #expect(integer(node(json)["target"]?["credit"]) ?? 0 > 0)
    if broker.isRabbitMQ4 {
      #expect(node(json)["type"] == .string(arguments.first ?? "classic"))
      #expect(node(json)["durable"] == .boolean(true), "\(run.text)")
      #expect(node(json)["source"]?["address"] == .string("/queues/\(queue.name)"))
    }
    // All of it is there still, and has been delivered to nobody.
    try queue.expectDepth(3)
  }

  /// Our own link is its last consumer: with it the queue would go.
  @Test(arguments: Broker.all) func anAutoDeleteQueueStays(_ broker: Broker) throws {
    let name = "interop-probe-auto-\(getpid())"
    let made = try Amqp.run(
      "send", name, "hello", "--declare", "queue:\(name),transient,auto-delete", "--protocol", "0-9-1", url: broker.url)
    #expect(made.status == 0, "\(made.errors)")
    for _ in 1...2 {
      let (json, run) = try probe(name, url: broker.url)
      #expect(run.status == 0, "\(run.errors)")
      #expect(integer(node(json)["messages"]) == 1)
    }
    let taken = try Amqp.run("receive", name, "-c", "1", "-t", "10s", "--protocol", "0-9-1", url: broker.url)
    #expect(taken.lines == ["hello"])
  }

  @Test(arguments: Broker.all) func wrongCredentials(_ broker: Broker) throws {
    let (json, run) = try probe(url: try broker.url(user: "nobody:wrong"))
    #expect(run.status == 77, "\(run.errors)")
    #expect(!run.errors.contains("wrong") && !run.text.contains("wrong"))
    #expect(json["credentials"] == .string("refused"))
    // What needs no login is told all the same.
    #expect(json["product"] == .string("RabbitMQ") && json["version"] != nil)
    #expect(strings(json["mechanisms"]).contains("PLAIN"))
  }

  @Test(arguments: Broker.all) func aMissingVirtualHost(_ broker: Broker) throws {
    let (_, run) = try probe("--protocol", "0-9-1", url: try broker.url(vhost: "/nosuch"))
    #expect(run.status == 67, "\(run.errors)")
    #expect(run.errors.contains("no such virtual host"), "\(run.errors)")
  }

  /// What one protocol comes to nothing by is explained where that protocol is told of.
  @Test(.needs(.rabbitMQ4)) func anIdleTimeOutThatIsRefused() throws {
    let run = try Amqp.run("probe", "--heartbeat", "100ms", url: try Broker.rabbitMQ4.url)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text.contains("RabbitMQ 4 takes no --heartbeat below 1s"), "\(run.text)")
  }

  @Test(arguments: Broker.all) func conditions(_ broker: Broker) throws {
    let queue = try broker.queue(.durable)
    try queue.publish(["one", "two"])
    let major = broker.isRabbitMQ4 ? "4" : "3"
    let good = try probe(
      queue.name, "--expect", "version >= \(major)", "--expect", "queue.messages = 2", "--expect",
      "rtt.median-ms < 10000",
      url: broker.url
    ).1
    #expect(good.status == 0, "\(good.errors)")
    let bad = try probe(queue.name, "--expect", "queue.messages < 2", url: broker.url).1
    #expect(bad.status == 3)
    #expect(bad.errors.contains("'queue.messages < 2' does not hold at "), "\(bad.errors)")
    #expect(bad.errors.contains("'messages' of '\(queue.name)' is 2"), "\(bad.errors)")
  }

  @Test(arguments: Broker.all) func waitsForAQueueAndItsMessages(_ broker: Broker) throws {
    let name = "interop-probe-wait-\(getpid())"
    let waiting = try Program(
      Amqp.path,
      ["probe", "-J", "-u", broker.url, name, "--wait", "30s", "--expect", "queue.messages >= 1"], seconds: 60)
    Thread.sleep(forTimeInterval: 0.5)
    let made = try Amqp.run(
      "send", name, "hello", "--declare", "queue:\(name)", "--protocol", "0-9-1", url: broker.url)
    #expect(made.status == 0, "\(made.errors)")
    let run = try waiting.finish()
    #expect(run.status == 0, "\(run.errors)")
    #expect(integer(node(try JSON(run.text))["messages"]) == 1)
    _ = try broker.queue("delete", name)
  }

  @Test(.needs(.rabbitMQ3TLS, .rabbitMQ4TLS, .certificates), arguments: [RealPeer.rabbitMQ3TLS, .rabbitMQ4TLS])
  func tls(_ peer: RealPeer) throws {
    let directory = try RealPeer.certificates.value
    let (json, run) = try probe("--cacert", "\(directory)/ca.pem", url: try peer.value)
    #expect(run.status == 0, "\(run.errors)")
    #expect(json["tls"]?["trusted"] == .boolean(true))
    #expect(json["tls"]?["version"] == .string("TLSv1.3"))
    let names = strings(json["tls"]?["names"])
    #expect(names.contains("DNS:localhost"))
    #expect(integer(json["tls"]?["days-left"]) ?? 0 > 0)
    // Nobody that is trusted: still all that can be told without saying who we are.
    let (untrusted, refused) = try probe(url: try peer.value)
    #expect(refused.status == 77, "\(refused.errors)")
    #expect(untrusted["tls"]?["trusted"] == .boolean(false))
    #expect(strings(untrusted["speaks"]).contains("0-9-1"))
    #expect(untrusted["amqp-1-0"] == nil && untrusted["amqp-0-9-1"] == nil)
  }

  /// The system's configuration of OpenSSL is heeded, and an older TLS does as well.
  @Test(.needs(.rabbitMQ3TLS, .rabbitMQ4TLS, .certificates), arguments: [RealPeer.rabbitMQ3TLS, .rabbitMQ4TLS])
  func anOlderTLS(_ peer: RealPeer) throws {
    let file = "/tmp/amqp-interop-\(UUID().uuidString).cnf"
    defer { unlink(file) }
    let lines = [
      "openssl_conf = all", "[all]", "ssl_conf = tls", "[tls]", "system_default = limits", "[limits]",
      "MaxProtocol = TLSv1.2",
    ]
    try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let run = try Program(
      Amqp.path, ["probe", "-J", "--cacert", "\(try RealPeer.certificates.value)/ca.pem", "-u", try peer.value],
      environment: ["OPENSSL_CONF": file]
    ).finish()
    #expect(run.status == 0, "\(run.errors)")
    let json = try JSON(run.text)
    #expect(json["tls"]?["version"] == .string("TLSv1.2"), "\(run.text)")
    #expect(json["amqp-1-0"] != nil && json["amqp-0-9-1"] != nil, "\(run.text)")
  }

  @Test(.needs(.proton)) func protonsBroker() throws {
    // A port that is free: it was somebody's until now.
    let (listener, port) = try Amqp.listen("receive")
    listener.signal(SIGINT)
    _ = try listener.finish()
    let program = try Program("\(RealPeer.proton.value)/broker", ["127.0.0.1", port], seconds: 30)
    _ = try program.rest(after: "listening on ")
    defer { program.signal(SIGKILL) }
    let (json, run) = try probe("orders", url: "amqp://127.0.0.1:\(port)")
    #expect(run.status == 0, "\(run.errors)")
    #expect(strings(json["speaks"]) == ["1-0-sasl", "1-0"])
    #expect(integer(json["rtt"]?["beats"]) == 10)
    #expect(integer(node(json)["target"]?["credit"]) == 5)
  }

  @Test(.needs(.pika)) func pikaAnnounces() throws {
    let ours = try Program(Amqp.path, ["probe", "--listen", "0", "-c", "1", "-J"], seconds: 30)
    let port = try ours.rest(after: "listening on 127.0.0.1:")
    let script = """
      import pika, sys
      c = pika.BlockingConnection(pika.URLParameters('amqp://guest:guest@127.0.0.1:' + sys.argv[1]))
      ch = c.channel(); ch.queue_declare('orders', durable=True); ch.basic_qos(prefetch_count=7)
      ch.basic_publish('', 'orders', b'hello'); c.close()
      """
    let client = try Program(RealPeer.pika.value, ["-c", script, port], seconds: 20).finish()
    #expect(client.status == 0, "\(client.errors)")
    let json = try JSON(try ours.finish().text)
    #expect(json["header"] == .string("AMQP 0-9-1"))
    #expect(json["mechanism"] == .string("PLAIN") && json["user"] == .string("guest"))
    guard case .string(let product)? = json["product"], case .array(let deeds)? = json["did"] else {
      Issue.record("no product or deeds: \(json)")
      return
    }
    #expect(product.contains("Pika"))
    let what = deeds.compactMap { if case .string(let text)? = $0["what"] { text } else { nil } }
    for method in ["channel.open", "queue.declare", "basic.qos", "basic.publish"] {
      #expect(what.contains(method), "\(what)")
    }
  }
}
