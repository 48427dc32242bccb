// `--mode transaction` against RabbitMQ, which has transactions over 0-9-1 and none over 1.0, and against a coordinator
// made of Proton's Python library, because no broker with one can be installed here.
import Foundation
import Testing

@Suite struct TransactionTests {
  // MARK: 0-9-1

  @Test(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC), arguments: Broker.all)
  func batchesAreCommitted(_ broker: Broker) throws {
    let queue = try broker.queue()
    // Without a word about the protocol: there it has them.
    let sent = try Amqp.run(
      "send", queue.name, "-l", "--mode", "transaction", "--batch", "10", "--receipts", "-", url: broker.url,
      input: .lines(1...25))
    #expect(sent.status == 0 && sent.errors == "", "\(sent.errors)")
    #expect(sent.lines.count == 25 && sent.lines.allSatisfy { $0.contains(#""outcome":"accepted","status":200"#) })
    let some = try Amqp.run(
      "receive", queue.name, "-c", "7", "--mode", "transaction", "--batch", "3", url: broker.url)
    #expect(some.status == 0 && some.lines == (1...7).map { "\($0)" }, "\(some.errors)")
    try queue.expectDepth(18)
    // After a second of nothing, and again at the end.
    let rest = try Amqp.start("receive", queue.name, "--mode", "transaction", url: broker.url)
    try rest.until("all of it") { $0.outputSoFar.count >= 52 }
    try queue.expectDepth(0)
    rest.signal(SIGINT)
    let ended = try rest.finish()
    #expect(ended.status == 130 && ended.errors.contains("18 accepted"), "\(ended.errors)")
    #expect(try queue.delete() == 0)
  }

  /// The count is a multiple of the batch, and smaller than what the peer may have under way.
  @Test(
    .needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC), arguments: Broker.all, [["-c", "4"], ["-c", "4", "--batch", "2"]])
  func acknowledgementsAreCommitted(_ broker: Broker, _ options: [String]) throws {
    let queue = try broker.queue()
    #expect(try Amqp.run("send", queue.name, "-l", url: broker.url, input: .lines(1...5)).status == 0)
    let some = try Amqp.run(["receive", queue.name, "--mode", "transaction"] + options, url: broker.url)
    #expect(some.status == 0 && some.lines == ["1", "2", "3", "4"], "\(some.errors)")
    try queue.expectDepth(1)
    // Fewer than were asked for: what came is committed after a second, and then nothing of it comes again.
    let waiting = try Amqp.start(
      "receive", queue.name, "-c", "3", "--mode", "transaction", "--trace", url: broker.url)
    try waiting.until("the commit") { $0.errorsSoFar.contains("tx.commit-ok") }
    waiting.signal(SIGKILL)
    _ = try waiting.finish()
    try queue.expectDepth(0)
  }

  @Test(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC), arguments: Broker.all)
  func whatIsNotWholeIsRolledBack(_ broker: Broker) throws {
    let queue = try broker.queue()
    let broken = try Amqp.run(
      "send", queue.name, "-J", "--mode", "transaction", "--receipts", "-", url: broker.url,
      input: .lines([#"{"body":{"text":"a"}}"#, #"{"body":{"text":"b"}}"#, "{"]))
    #expect(broken.status == 65 && broken.errors.contains("2 rolled back"), "\(broken.errors)")
    #expect(broken.lines.filter { $0.contains(#""outcome":"rolled-back","status":503"#) }.count == 2, "\(broken.text)")
    let stopped = try Amqp.start("send", queue.name, "-l", "--mode", "transaction", url: broker.url, input: .fifo)
    try stopped.write("one\ntwo\n")
    try stopped.until("the first messages") { _ in try queue.depth == 0 }
    stopped.signal(SIGTERM)
    let ended = try stopped.finish()
    #expect(ended.status == 143 && !ended.errors.contains("accepted"), "\(ended.errors)")
    try queue.expectDepth(0)
  }

  /// The broker looks for queues when it commits: the one of a plain target is looked for before that.
  @Test(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC), arguments: Broker.all)
  func whatNoQueueTakes(_ broker: Broker) throws {
    let missing = try Amqp.run("send", "interop-nosuch", "x", "--mode", "transaction", url: broker.url)
    #expect(missing.status == 67 && missing.errors.contains("cannot find queue 'interop-nosuch'"), "\(missing.errors)")
    let unbound = try Amqp.run(
      "send", "-e", "amq.direct", "-r", "interop-nosuch", "x", "--mode", "transaction", "--receipts", "-",
      url: broker.url)
    #expect(unbound.status == 3 && unbound.text.contains(#""outcome":"returned","status":503"#), "\(unbound.text)")
    let exchange = try Amqp.run(
      "send", "-e", "interop-nosuch", "-r", "k", "x", "--mode", "transaction", "--receipts", "-", url: broker.url)
    #expect(exchange.status == 67 && exchange.errors.contains("no exchange"), "\(exchange.errors)")
    // The channel ended over the message, in front of the commit.
    #expect(exchange.text.contains(#""outcome":"rolled-back","status":503"#), "\(exchange.text)")
    // One of several: all of the batch.
    let there = try broker.queue()
    let lines = ["a", "b"].map { #"{"address":"\#(there.name)","body":{"text":"\#($0)"}}"# }
    let mixed = try Amqp.run(
      "send", "-J", "--mode", "transaction", url: broker.url,
      input: .lines(lines + [#"{"address":"interop-nosuch","body":{"text":"c"}}"#]))
    #expect(mixed.status == 67 && mixed.errors.contains("cannot find queue 'interop-nosuch'"), "\(mixed.errors)")
    #expect(try there.delete() == 0)
  }

  @Test(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC), arguments: Broker.all)
  func rabbitMQHasNoneOver10(_ broker: Broker) throws {
    let queue = try broker.queue()
    for arguments in [["send", queue.name, "x"], ["receive", queue.name, "-c", "1"]] {
      let refused = try Program(
        Amqp.path, arguments + ["--protocol", "1.0", "--mode", "transaction"],
        environment: ["AMQP_URL": try broker.url]
      ).finish()
      #expect(refused.status == 1, "\(refused.errors)")
      #expect(refused.errors.hasPrefix("amqp: cannot begin a transaction: not implemented"), "\(refused.errors)")
      #expect(refused.errors.contains("--protocol 0-9-1"), "\(refused.errors)")
    }
    #expect(try queue.delete() == 0)
  }

  // MARK: 1.0

  private func coordinator() throws -> (Program, url: String) {
    let (free, port) = try Amqp.listen("receive")
    free.signal(SIGINT)
    _ = try free.finish()
    let peer = try Program(try RealPeer.protonPython.value, ["\(Broker.scripts)/coordinator.py", port])
    _ = try peer.rest(after: "listening")
    return (peer, "amqp://127.0.0.1:\(port)")
  }

  @Test(.needs(.protonPython)) func aCoordinatorCommits() throws {
    let (peer, url) = try coordinator()
    let sent = try Amqp.run(
      "send", "q", "-l", "--mode", "transaction", "--batch", "3", url: url, input: .lines(1...7))
    #expect(sent.status == 0 && sent.errors == "", "\(sent.errors)")
    let some = try Amqp.run("receive", "q", "-c", "4", "--mode", "transaction", "--batch", "3", url: url)
    #expect(some.status == 0 && some.lines == ["1", "2", "3", "4"], "\(some.errors)")
    let rest = try Amqp.run("receive", "q", "-c", "3", "--mode", "transaction", url: url)
    #expect(rest.status == 0 && rest.lines == ["5", "6", "7"], "\(rest.errors)")
    peer.signal(SIGTERM)
    let said = try peer.finish().lines.filter { $0.hasPrefix("commit") || $0.hasPrefix("rollback") }
    #expect(
      said == ["commit 1 3 0", "commit 2 3 0", "commit 3 1 0", "commit 4 0 3", "commit 5 0 1", "commit 6 0 3"],
      "\(said)")
  }

  @Test(.needs(.protonPython)) func whatACoordinatorDoesNotCommit() throws {
    let (peer, url) = try coordinator()
    let rejected = try Amqp.run(
      "send", "q", "-l", "--mode", "transaction", "--batch", "2", "--receipts", "-", url: url,
      input: .lines(["a", "refuse", "c", "d"]))
    #expect(rejected.status == 3 && rejected.errors.contains("2 accepted, 1 rejected, 1 rolled back"))
    #expect(rejected.lines.count == 4, "\(rejected.text)")
    let doomed = try Amqp.run("send", "q", "x", "doom", "--mode", "transaction", url: url)
    #expect(doomed.status == 3 && doomed.errors.contains("the peer would not commit (doomed)"), "\(doomed.errors)")
    let gone = try Amqp.run("send", "q", "x", "vanish", "--mode", "transaction", url: url)
    #expect(gone.status == 1 && gone.errors.contains("it took too long"), "\(gone.errors)")
    let received = try Amqp.run("receive", "q", "--drain", "--mode", "transaction", url: url)
    #expect(received.lines == ["c", "d"], "\(received.errors)")
    peer.signal(SIGTERM)
    _ = try peer.finish()
  }
}
