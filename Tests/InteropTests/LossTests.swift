// Real things that are killed, cut and stopped: what was reported is kept, what was not reported may come twice and is
// never lost.
import Foundation
import Testing

extension OwnBrokers {
  @Suite(.needs(.rabbitMQ4, .rabbitmqC)) struct LossTests {
    /// A receiver that is killed has written what it settled; the queue has the rest.
    @Test func aKilledReceiverLosesNothing() throws {
      let broker = Broker.rabbitMQ4
      let queue = try broker.queue()
      let count = 30_000
      try queue.publish((1...count).map { "\($0)" })
      let receiver = try Amqp.start("receive", queue.name, "-D", "", url: broker.url)
      try receiver.until("some output") { $0.outputSoFar.count > 20_000 }
      receiver.signal(SIGKILL)
      let killed = try receiver.finish()
      #expect(killed.status == 137)
      var seen = Set(killed.lines)
      let rest = try Amqp.run("receive", queue.name, "--drain", "-D", "", url: broker.url)
      #expect(rest.status == 0 && rest.lines.count < count, "\(rest.errors)")
      seen.formUnion(rest.lines)
      #expect(seen.count == count, "every line is in the output of one of the two")
      #expect(try queue.delete() == 0)
    }

    /// A peer that is stopped and not gone: connected, silent.
    @Test(.needs(.proton)) func aStoppedPeerIsGivenUp() throws {
      let (probe, port) = try Amqp.listen("receive")
      probe.signal(SIGINT)
      _ = try probe.finish()
      let peer = try Program("\(RealPeer.proton.value)/broker", ["127.0.0.1", port])
      _ = try peer.rest(after: "listening on ")
      peer.signal(SIGSTOP)
      let unanswered = try Amqp.run(
        "send", "-u", "amqp://127.0.0.1:\(port)", "node", "x", "--connect-timeout", "300ms")
      #expect(unanswered.status == 69 && unanswered.errors.contains("no answer in 300ms"), "\(unanswered.errors)")
      peer.signal(SIGCONT)
      let receiver = try Amqp.start(
        "receive", "-u", "amqp://127.0.0.1:\(port)", "node", "--heartbeat", "1s", "-v")
      _ = try receiver.rest(after: "connected to ")
      peer.signal(SIGSTOP)
      let silent = try receiver.finish()
      peer.signal(SIGCONT)
      #expect(silent.status == 69 && silent.errors.contains("nothing came for"), "\(silent.status) \(silent.errors)")
    }

    /// connection.blocked: the broker that is to be killed says first that it has no memory.
    private func anAlarmPausesSending(_ url: String, _ script: (String, String...) throws -> Finished) throws {
      func memory(_ limit: String) throws {
        let set = try script("rabbitmqctl", "scratch", "set_vm_memory_high_watermark", "absolute", limit)
        try #require(set.status == 0, "\(set.errors)")
      }
      #expect(try script("queue", "scratch", "declare", "alarmed").status == 0)
      try memory("1000")
      let sender = try Amqp.start("send", "--protocol", "0-9-1", "alarmed", "-l", url: url, input: .fifo)
      try sender.write("one\n")
      try sender.until("the pause") { $0.errorsSoFar.contains("takes no messages for now: low on memory") }
      try sender.write("two\n")
      sender.endInput()
      try memory("3GB")
      let ended = try sender.finish()
      #expect(ended.status == 0 && ended.errors.contains("takes messages again"), "\(ended.errors)")
      let received = try Amqp.run("receive", "--protocol", "0-9-1", "alarmed", "-c", "2", url: url)
      #expect(received.lines == ["one", "two"], "\(received.errors)")
    }

    /// The broker is killed while lines are on their way: what we say was accepted is there when it is back.
    @Test(.needs(.ownBroker), .serialized, arguments: ["1.0", "0-9-1"])
    func aKilledBrokerHasWhatWasReported(_ dialect: String) throws {
      let environment = ["HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/root"]
      func script(_ name: String, _ arguments: String...) throws -> Finished {
        try Program("\(Broker.scripts)/\(name)", arguments, environment: environment, seconds: 60).finish()
      }
      defer { _ = try? script("stop", "scratch") }
      let started = try script("start", "scratch")
      try #require(started.status == 0, "\(started.errors)")
      let url = "amqp://guest:guest@127.0.0.1:25693"
      #expect(try script("queue", "scratch", "declare", "jobs").status == 0)
      if dialect == "0-9-1" { try anAlarmPausesSending(url, script) }
      let sender = try Amqp.start("send", "--protocol", dialect, "jobs", "-l", url: url, input: .fifo)
      // Most of the lines, then the rest when the broker is gone: it dies in the middle whatever the speed of either.
      try sender.write((1...120_000).map { "\($0)\n" }.joined())
      #expect(try script("stop", "scratch").status == 0)
      try sender.write((120_001...200_000).map { "\($0)\n" }.joined())
      sender.endInput()
      let ended = try sender.finish()
      #expect(ended.status == 69, "\(ended.status) \(ended.errors)")
      func number(_ what: String) -> Int {
        let words = ended.errors.split { $0 == " " || $0 == "\n" || $0 == "," }
        guard let place = words.firstIndex(of: Substring(what)), place > 0 else { return 0 }
        return Int(words[place - 1]) ?? 0
      }
      let accepted = number("accepted")
      let unanswered = number("unanswered")
      #expect(accepted > 0, "\(ended.errors)")
      let restarted = try script("start", "--keep", "scratch")
      try #require(restarted.status == 0, "\(restarted.errors)")
      let received = try Amqp.run("receive", "--protocol", dialect, "jobs", "--drain", url: url)
      #expect(received.status == 0, "\(received.errors)")
      let lines = received.lines.compactMap { Int($0) }
      // In order from the first on: those that were reported, and of the unanswered ones as many as had arrived.
      #expect(lines == Array(1...max(1, lines.count)))
      #expect(lines.count >= accepted && lines.count <= accepted + unanswered, "\(lines.count): \(ended.errors)")
    }
  }
}
