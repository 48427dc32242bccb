// `send --receipts` against brokers: which messages a broker returned or refused among those that it took.
import Foundation
import Testing

@Suite(.needs(.rabbitMQ3, .rabbitMQ4, .rabbitmqC)) struct ReceiptTests {
  private func receipts(_ run: Finished) throws -> [Int: JSON] {
    var found: [Int: JSON] = [:]
    for line in run.lines {
      let receipt = try JSON(line)
      guard case .integer(let n)? = receipt["n"] else { throw Program.Failure(description: "no receipt: \(line)") }
      #expect(found[Int(n)] == nil, "a second receipt: \(line)")
      found[Int(n)] = receipt
    }
    return found
  }

  /// Two of many thousands go where no queue is, and they are the ones that are told.
  @Test(arguments: Broker.all) func aMessageReturnedInTheMiddle(_ broker: Broker) throws {
    let queue = try broker.queue(.transient)
    let count = 20_000
    let lost = [7, 10_000]
    // The anonymous relay: one channel for both places.
    let lines = (1...count).map { n in
      #"{"properties":{"to":"/queues/\#(lost.contains(n) ? "receipts-nosuch" : queue.name)"},"body":{"text":"\#(n)"}}"#
    }
    let run = try Amqp.run(
      "send", "", "-J", "--protocol", "0-9-1", "--receipts", "-", url: broker.url, input: .lines(lines))
    #expect(run.status != 0 && run.errors.contains("2 of \(count) messages not accepted"), "\(run.errors)")
    let receipts = try receipts(run)
    #expect(receipts.count == count)
    for (n, receipt) in receipts {
      let isLost = lost.contains(n)
      #expect(receipt["status"] == .integer(isLost ? 503 : 200), "\(n)")
      #expect(receipt["outcome"] == .string(isLost ? "returned" : "accepted"), "\(n)")
    }
    let received = try Amqp.run("receive", queue.name, "--drain", "--protocol", "0-9-1", url: broker.url)
    #expect(received.lines == (1...count).filter { !lost.contains($0) }.map { "\($0)" })
    #expect(try queue.delete() == 0)
  }

  @Test(arguments: Broker.all, ["1.0", "0-9-1"])
  func aFullQueueRefuses(_ broker: Broker, _ dialect: String) throws {
    let queue = try broker.queue(.made(["x-max-length=1", "x-overflow=reject-publish"]))
    let run = try Amqp.run(
      "send", queue.name, "one", "two", "--window", "1", "--protocol", dialect, "--receipts", "-", url: broker.url)
    let receipts = try receipts(run)
    #expect(receipts.count == 2 && receipts[1]?["outcome"] == .string("accepted"), "\(run.text) \(run.errors)")
    if !broker.isRabbitMQ4 && dialect == "1.0" {
      // Its 1.0 has no word for it: the connection breaks there, and what became of the message is not known.
      #expect(run.status == 69 && receipts[2]?["status"] == .integer(408), "\(run.text) \(run.errors)")
    } else {
      #expect(run.status == 3 && receipts[2]?["outcome"] == .string("rejected"), "\(run.text) \(run.errors)")
      #expect(receipts[2]?["status"] == .integer(503), "\(run.text)")
    }
  }
}
