/// Octets as tests write them.
import Bytes

/// "00 53 75" or "005375" as octets; anything else stops the test.
package func octets(_ hex: String) -> [UInt8] {
  let digits = hex.utf8.filter { $0 != 0x20 && $0 != 0x0a }
  guard let bytes = bytesFromHex(digits.span) else {
    preconditionFailure("not hexadecimal: \(hex)")
  }
  return bytes
}

package func hexText(_ bytes: [UInt8]) -> String {
  var q = ByteQueue()
  q.append(hex: bytes.span)
  return String(decoding: q.bytes, as: UTF8.self)
}
