// A delivery to output, in the form that was asked for.
import Bytes
import Console
import Engine
import Render
import Transport
import Wire

struct MessageWriter {
  private let form: ReceivePlan.Output
  /// For a terminal.
  var escapes: Bool
  private var dissector = Dissector()
  private var context = MessageContext()

  init(_ form: ReceivePlan.Output, escapes: Bool) {
    self.form = form
    self.escapes = escapes
  }

  /// Appends all of it or, at a fault, nothing.
  mutating func write(
    _ delivery: Delivery, _ connection: borrowing Connection, address: String, number: Int, to q: inout ByteQueue
  ) throws(Failure) {
    let before = q.count
    do throws(Problem) {
      switch form {
      case .nothing: break
      case .bodies(let delimiter):
        try connection.withBytes(delivery.message) { b throws(Problem) in
          try BodyText.append(b, in: 0..<b.count, with: &dissector, escaped: escapes, to: &q)
        }
        q.append(delimiter)
      case .json(let style):
        context.describe(delivery, connection, address: address, number: number)
        connection.withBytes(delivery.message) { b in
          dissector.message(b, in: 0..<b.count)
          MessageJSON.append(dissector, b, context, style: style, to: &q)
        }
        q.append(0x0a)
      case .format(let format):
        context.describe(delivery, connection, address: address, number: number)
        try connection.withBytes(delivery.message) { b throws(Problem) in
          try format.append(b, in: 0..<b.count, context, with: &dissector, escaped: escapes, to: &q)
        }
      }
    } catch {
      q.truncate(to: before)
      throw Failure(
        "message \(number) from '\(address)' is malformed",
        "at octet \(error.offset) expected \(error.expected), got \(error.got) (\(error.section))", exitCode: .badInput)
    }
  }
}

extension MessageContext {
  /// What is known of a delivery.
  mutating func describe(
    _ delivery: Delivery, _ connection: borrowing Connection, address: String, number: Int
  ) {
    self.address = address
    self.number = UInt64(number)
    isBasic = connection.dialect == .amqp091
    redelivered = isBasic ? delivery.redelivered : nil
    settled = delivery.settled
    messageFormat = delivery.messageFormat == 0 ? nil : delivery.messageFormat
    tag = connection.withBytes(delivery.tag) { $0.array }
    arrival = Clock.wall / 1_000_000
  }
}
