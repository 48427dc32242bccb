/// SCRAM's functions out of the system's libcrypto, which is opened when the first of them is called.
package import Engine
import Transport

extension SASLCryptography {
  package static let system = SASLCryptography(
    digest: { hash, octets throws(SASLFault) in
      try told { () throws(CryptographyFault) in try Cryptography.digest(Cryptography.Hash(hash), octets) }
    },
    mac: { hash, key, octets throws(SASLFault) in
      try told { () throws(CryptographyFault) in try Cryptography.mac(Cryptography.Hash(hash), key: key, octets) }
    },
    derive: { hash, password, salt, iterations throws(SASLFault) in
      try told { () throws(CryptographyFault) in
        try Cryptography.derive(Cryptography.Hash(hash), password: password, salt: salt, iterations: iterations)
      }
    },
    random: { count in
      var generator = SystemRandomNumberGenerator()
      return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
    })

  private static func told(_ body: () throws(CryptographyFault) -> [UInt8]) throws(SASLFault) -> [UInt8] {
    do throws(CryptographyFault) { return try body() } catch {
      throw SASLFault(.noLibrary, "SCRAM needs libcrypto of OpenSSL 3 or 1.1.1: \(error.reason)")
    }
  }
}

extension Cryptography.Hash {
  fileprivate init(_ hash: SASLCryptography.Hash) {
    switch hash {
    case .sha1: self = .sha1
    case .sha256: self = .sha256
    case .sha512: self = .sha512
    }
  }
}
