/// What SCRAM needs of a cryptographic library, as functions that Runtime fills from the system's: no cryptography of our
/// own here, and no way to a library.

package struct SASLCryptography: Sendable {
  package enum Hash: Sendable { case sha1, sha256, sha512 }

  package typealias Digest = @Sendable (Hash, _ octets: [UInt8]) throws(SASLFault) -> [UInt8]
  package typealias MAC = @Sendable (Hash, _ key: [UInt8], _ octets: [UInt8]) throws(SASLFault) -> [UInt8]
  package typealias Derivation =
    @Sendable (
      Hash, _ password: [UInt8], _ salt: [UInt8], _ iterations: Int
    ) throws(SASLFault) -> [UInt8]

  package let digest: Digest
  package let mac: MAC
  /// PBKDF2 with the hash's own size (RFC 5802 §2.2: Hi).
  package let derive: Derivation
  /// So many octets that nobody can guess.
  package let random: @Sendable (Int) -> [UInt8]

  package init(
    digest: @escaping Digest, mac: @escaping MAC, derive: @escaping Derivation,
    random: @escaping @Sendable (Int) -> [UInt8]
  ) {
    (self.digest, self.mac, self.derive, self.random) = (digest, mac, derive, random)
  }
}
