/// Names for what answers on a port and is no AMQP.
import Bytes

extension ByteQueue {
  /// What octets that are not AMQP look like, for the end of a sentence.
  var foreign: String {
    let b = withReadable { Array($0.extracting(0..<min(24, $0.count)).array) }
    if b.starts(with: [0x15, 0x03]) || b.starts(with: [0x16, 0x03]) { return ": it answers with TLS" }
    if b.starts(with: Array("HTTP".utf8)) || b.starts(with: Array("GET ".utf8)) { return ": it speaks HTTP" }
    if b.starts(with: Array("SSH-".utf8)) { return ": it speaks SSH" }
    let hex = b.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    return ": it sent \(hex)"
  }
}
