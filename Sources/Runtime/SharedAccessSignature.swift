/// Azure's shared access signatures: a policy's name and key, and the tokens that they sign, each for one resource and until
/// one moment.
import Bytes
package import Transport
import Wire

package struct SharedAccessKey: Sendable {
  /// Of the policy: `RootManageSharedAccessKey`.
  package let name: String
  /// As it is written, not the octets that its base64 stands for.
  package let key: String

  package init(name: String, key: String) { (self.name, self.key) = (name, key) }

  /// - Parameter expiry: seconds since 1970-01-01 UTC.
  package func token(for resource: String, until expiry: Int64) throws(CryptographyFault) -> String {
    let sr = PercentEncoding.encode(resource)
    let signature = try Cryptography.mac(.sha256, key: Array(key.utf8), Array("\(sr)\n\(expiry)".utf8))
    var q = ByteQueue()
    q.append(base64: signature.span)
    let sig = PercentEncoding.encode(String(decoding: q.bytes, as: UTF8.self))
    return "SharedAccessSignature sr=\(sr)&sig=\(sig)&se=\(expiry)&skn=\(PercentEncoding.encode(name))"
  }
}
