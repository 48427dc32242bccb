/// A peer in memory that takes every link, grants credit, accepts every message and makes whatever is declared: what
/// `--dry-run` speaks with, so that the frames it shows are the ones that would be sent.
import Bytes
import Engine
import Wire

final class Loopback {
  private var connection: Connection
  /// Where the answers of `/management` go, and how many went.
  private var managed: LinkID?
  private var answers = 0

  init(now: Int64) {
    var settings = ConnectionSettings(.acceptor)
    settings.protocols = [.amqp10, .amqp091]
    settings.containerID = "nobody"
    settings.idleTimeOut = 0
    connection = Connection(settings, now: now)
  }

  /// Takes what was written to it.
  func take(_ octets: Span<UInt8>, now: Int64) {
    connection.receive(now: now, room: octets.count) { output in
      output.append(copying: octets)
    }
    while let event = connection.nextEvent() {
      switch event {
      case .attachRequested(let link):
        if isManagement(connection.remoteAttach(link).source?.address) { managed = link }
        connection.accept(link) { attach in
          if attach.target?.dynamic == true { attach.target?.address = .string("dynamic") }
        }
        connection.grant(link, start: 8_192, ceiling: 8_192)
      case .delivery(let delivery):
        connection.settle(delivery.link, delivery.number...delivery.number, .accept)
        if isManagement(connection.remoteAttach(delivery.link).target?.address) { answer() }
      case .closed: connection.close()
      case .opened, .attached, .detached, .aborted, .answered, .settledBySender, .drained, .stopped, .blocked,
        .unblocked, .declared, .discharged:
        break
      }
    }
  }

  private func isManagement(_ address: Value?) -> Bool { address?.text == Management.node }

  /// Done: 201, and no body.
  private func answer() {
    guard let managed else { return }
    let properties: [Value] = [.null, .null, .null, .string("201"), .null, .ulong(UInt64(answers))]
    var message = ByteQueue()
    message.append(Record(Code.properties, properties))
    message.append(.described(descriptor: .ulong(Code.amqpValue), value: .null))
    let none: [UInt8] = []
    _ = connection.deliver(managed, answers, head: none.span, body: message.bytes.span, from: 0, settled: true)
    answers += 1
  }

  /// Lends what it answers.
  func give(now: Int64, _ body: (Span<UInt8>) -> Void) {
    connection.withOutput(now: now) { octets in
      body(octets)
      return octets.count
    }
  }
}
