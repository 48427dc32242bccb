/// Names for what answers on a port and is no AMQP.
import Bytes
import Wire

extension ByteQueue {
  private var beginning: [UInt8] { withReadable { Array($0.extracting(0..<min(24, $0.count)).array) } }

  /// What octets that are not AMQP look like, for the end of a sentence.
  /// - Parameter most: so many are there for certain; what is said must not depend on how many more have come.
  func foreign(most: Int = 8) -> String {
    let b = beginning
    if let known = ForeignProtocol(b) { return ": it speaks \(known.rawValue)" }
    return ": it sent \(ForeignProtocol.hex(b, most: most))"
  }

  /// The error that says so; its info is the name, for whoever explains it.
  var foreignError: AMQPError {
    AMQPError(
      Condition.framingError, "the peer does not speak AMQP" + foreign(),
      info: Value(ForeignProtocol(beginning)?.rawValue))
  }
}
