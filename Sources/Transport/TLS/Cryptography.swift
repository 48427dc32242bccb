// Hashes, message authentication codes and PBKDF2 of the system's libcrypto, 3.x or 1.1.1, opened the first time one is
// wanted. For logging in (SCRAM, Azure's signatures); TLS has its own table in `OpenSSL`.
internal import Glibc

package struct CryptographyFault: Error, Sendable, Equatable {
  /// "libcrypto.so.3: cannot open shared object file"
  package let reason: String
}

package enum Cryptography {
  package enum Hash: Sendable { case sha1, sha256, sha512 }

  package static func digest(_ hash: Hash, _ octets: [UInt8]) throws(CryptographyFault) -> [UInt8] {
    let library = try Libcrypto.shared()
    return try unsafe library.fill(hash, "EVP_Digest") { out in
      unsafe octets.withUnsafeBytes {
        unsafe library.EVP_Digest($0.baseAddress, octets.count, out, nil, library.method(hash), nil)
      } == 1
    }
  }

  package static func mac(_ hash: Hash, key: [UInt8], _ octets: [UInt8]) throws(CryptographyFault) -> [UInt8] {
    let library = try Libcrypto.shared()
    // A null key would be the one of last time.
    let padded = key.isEmpty ? [0] : key
    return try unsafe library.fill(hash, "HMAC") { out in
      unsafe padded.withUnsafeBytes { key in
        unsafe octets.withUnsafeBytes { octets in
          unsafe library.HMAC(
            library.method(hash), key.baseAddress, Int32(key.count), octets.baseAddress, octets.count, out, nil)
        }
      } != nil
    }
  }

  /// PBKDF2 with as many octets as the hash has.
  package static func derive(
    _ hash: Hash, password: [UInt8], salt: [UInt8], iterations: Int
  ) throws(CryptographyFault) -> [UInt8] {
    let library = try Libcrypto.shared()
    return try unsafe library.fill(hash, "PKCS5_PBKDF2_HMAC") { out in
      unsafe password.withUnsafeBytes { password in
        unsafe salt.withUnsafeBytes { salt in
          unsafe library.PKCS5_PBKDF2_HMAC(
            password.baseAddress, Int32(password.count), salt.baseAddress, Int32(salt.count), Int32(iterations),
            library.method(hash), Int32(Libcrypto.size(hash)), out)
        }
      } == 1
    }
  }
}

@safe private final class Libcrypto: Sendable {
  typealias Method = OpaquePointer

  let EVP_sha1: @convention(c) @Sendable () -> Method?
  let EVP_sha256: @convention(c) @Sendable () -> Method?
  let EVP_sha512: @convention(c) @Sendable () -> Method?
  let EVP_Digest:
    @convention(c) @Sendable (
      UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?, Method?, OpaquePointer?
    ) -> Int32
  let HMAC:
    @convention(c) @Sendable (
      Method?, UnsafeRawPointer?, Int32, UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>?,
      UnsafeMutablePointer<UInt32>?
    ) -> UnsafeMutablePointer<UInt8>?
  let PKCS5_PBKDF2_HMAC:
    @convention(c) @Sendable (
      UnsafeRawPointer?, Int32, UnsafeRawPointer?, Int32, Int32, Method?, Int32, UnsafeMutablePointer<UInt8>?
    ) -> Int32

  private static let opened: Result<Libcrypto, CryptographyFault> = {
    do throws(CryptographyFault) { return .success(try Libcrypto()) } catch { return .failure(error) }
  }()

  static func shared() throws(CryptographyFault) -> Libcrypto { try opened.get() }

  private init() throws(CryptographyFault) {
    var complaints: [String] = []
    var handle: UnsafeMutableRawPointer?
    for name in ["libcrypto.so.3", "libcrypto.so.1.1"] {
      unsafe handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL)
      if unsafe handle != nil { break }
      complaints.append(unsafe dlerror().map { unsafe String(cString: $0) } ?? name)
    }
    guard let handle = unsafe handle else { throw CryptographyFault(reason: complaints.joined(separator: "; ")) }
    func symbol<F>(_ name: String, as type: F.Type = F.self) throws(CryptographyFault) -> F {
      guard let address = unsafe dlsym(handle, name) else { throw CryptographyFault(reason: "it has no \(name)") }
      return unsafe unsafeBitCast(address, to: type)
    }
    unsafe EVP_sha1 = try symbol("EVP_sha1")
    unsafe EVP_sha256 = try symbol("EVP_sha256")
    unsafe EVP_sha512 = try symbol("EVP_sha512")
    unsafe EVP_Digest = try symbol("EVP_Digest")
    unsafe HMAC = try symbol("HMAC")
    unsafe PKCS5_PBKDF2_HMAC = try symbol("PKCS5_PBKDF2_HMAC")
  }

  func method(_ hash: Cryptography.Hash) -> Method? {
    switch hash {
    case .sha1: unsafe EVP_sha1()
    case .sha256: unsafe EVP_sha256()
    case .sha512: unsafe EVP_sha512()
    }
  }

  static func size(_ hash: Cryptography.Hash) -> Int {
    switch hash {
    case .sha1: 20
    case .sha256: 32
    case .sha512: 64
    }
  }

  /// A hash's octets as `body` writes them; it may refuse, SHA-1 for instance where policy forbids it.
  func fill(
    _ hash: Cryptography.Hash, _ name: String, _ body: (UnsafeMutablePointer<UInt8>?) -> Bool
  ) throws(CryptographyFault) -> [UInt8] {
    var isDone = false
    let octets = unsafe [UInt8](unsafeUninitializedCapacity: Libcrypto.size(hash)) { buffer, count in
      unsafe buffer.initialize(repeating: 0)
      unsafe isDone = body(buffer.baseAddress)
      count = buffer.count
    }
    if !isDone { throw CryptographyFault(reason: "\(name) refuses") }
    return octets
  }
}
