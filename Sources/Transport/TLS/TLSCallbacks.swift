// What OpenSSL calls back: its side of our buffers, and what it tells of a handshake. These functions carry nothing with
// them; each finds its session in the object it is given.
internal import Bytes
internal import Glibc

enum TLSCallback {
  typealias Object = OpaquePointer

  typealias Read = @convention(c) (Object?, UnsafeMutablePointer<CChar>?, Int32) -> Int32
  typealias Write = @convention(c) (Object?, UnsafePointer<CChar>?, Int32) -> Int32
  typealias Control = @convention(c) (Object?, Int32, Int, UnsafeMutableRawPointer?) -> Int
  typealias Verify = @convention(c) (Int32, Object?) -> Int32
  typealias Info = @convention(c) (Object?, Int32, Int32) -> Void
  typealias KeyLog = @convention(c) (Object?, UnsafePointer<CChar>?) -> Void
  typealias ClientCertificate =
    @convention(c) (
      Object?, UnsafeMutablePointer<Object?>?, UnsafeMutablePointer<Object?>?
    ) -> Int32
  typealias Passphrase =
    @convention(c) (
      UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?
    ) -> Int32

  // MARK: The BIO

  static let read: Read = { bio, target, room in
    let library = OpenSSL.required
    unsafe library.BIO_clear_flags(bio, OpenSSL.BIO.retryFlags)
    guard let buffers = unsafe TLSCallback.buffers(of: bio), let target = unsafe target, room > 0 else { return -1 }
    let n = min(Int(room), buffers.incoming.count)
    if n == 0 {
      unsafe library.BIO_set_flags(bio, OpenSSL.BIO.retryRead)
      return -1
    }
    buffers.incoming.withReadable { octets in
      unsafe octets.withUnsafeBytes {
        unsafe UnsafeMutableRawPointer(target).copyMemory(from: $0.baseAddress!, byteCount: n)
      }
    }
    buffers.incoming.consume(n)
    return Int32(n)
  }

  /// Takes all: `TLSSession.write` bounds what is put in.
  static let write: Write = { bio, source, count in
    unsafe OpenSSL.required.BIO_clear_flags(bio, OpenSSL.BIO.retryFlags)
    guard let buffers = unsafe TLSCallback.buffers(of: bio), let source = unsafe source, count > 0 else { return -1 }
    let octets = unsafe UnsafeRawBufferPointer(start: source, count: Int(count))
    unsafe octets.withMemoryRebound(to: UInt8.self) { unsafe buffers.outgoing.append($0.span) }
    return count
  }

  static let control: Control = { _, command, _, _ in command == OpenSSL.BIO.flush ? 1 : 0 }

  private static func buffers(of bio: Object?) -> TLSBuffers? {
    unsafe OpenSSL.required.BIO_get_data(bio).map { unsafe Unmanaged<TLSBuffers>.fromOpaque($0).takeUnretainedValue() }
  }

  // MARK: The session

  private static func session(of ssl: Object?) -> TLSSession? {
    unsafe OpenSSL.required.SSL_get_ex_data(ssl, 0).map {
      unsafe Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue()
    }
  }

  /// Keeps what is wrong with which certificate; OpenSSL's own decision stands.
  static let verify: Verify = { isGood, store in
    if isGood == 1 { return 1 }
    let library = OpenSSL.required
    let ssl = unsafe library.X509_STORE_CTX_get_ex_data(store, library.SSL_get_ex_data_X509_STORE_CTX_idx())
    guard let session = unsafe session(of: ssl.map { Object($0) }), session.untrusted == nil else {
      return isGood
    }
    let code = unsafe library.X509_STORE_CTX_get_error(store)
    session.untrusted = unsafe TLSFailure.Untrusted(
      fault: TLSFailure.CertificateFault(code),
      reason: library.X509_verify_cert_error_string(Int(code)).map { unsafe String(cString: $0) } ?? "error \(code)",
      depth: Int(library.X509_STORE_CTX_get_error_depth(store)),
      certificate: library.X509_STORE_CTX_get_current_cert(store).map { unsafe TLSCertificate($0, library) })
    unsafe session.shown = session.certificates(library.X509_STORE_CTX_get0_untrusted(store))
    return isGood
  }

  static let info: Info = { ssl, place, value in
    guard place == OpenSSL.alertReceived, let session = unsafe session(of: ssl) else { return }
    // Level in the high octet; 0 is close_notify, which is no complaint.
    if value & 0xff != 0 { session.alert = UInt8(value & 0xff) }
  }

  static let keyLog: KeyLog = { ssl, line in
    guard let line = unsafe line, let session = unsafe session(of: ssl) else { return }
    session.context.log(unsafe String(cString: line))
  }

  /// The peer asks for a certificate and we have none.
  static let clientCertificate: ClientCertificate = { ssl, _, _ in
    unsafe session(of: ssl)?.certificateWasAsked = true
    return 0
  }

  /// Hands out the passphrase of the `TLSPassphrase` that was given along.
  static let passphrase: Passphrase = { target, room, _, data in
    guard let target = unsafe target, let data = unsafe data else { return -1 }
    let passphrase = unsafe Unmanaged<TLSPassphrase>.fromOpaque(data).takeUnretainedValue()
    passphrase.wasAsked = true
    guard let octets = passphrase.octets, octets.count <= Int(room) else { return -1 }
    unsafe octets.withUnsafeBytes { octets in
      if let base = octets.baseAddress {
        unsafe UnsafeMutableRawPointer(target).copyMemory(from: base, byteCount: octets.count)
      }
    }
    return Int32(octets.count)
  }
}

/// The ciphertext of one session, which OpenSSL sees as a BIO of its own kind. A memory BIO would do the same and copy
/// every octet that comes in once more.
final class TLSBuffers {
  var incoming = ByteQueue()
  var outgoing = ByteQueue()
}

final class TLSPassphrase {
  let octets: [UInt8]?
  var wasAsked = false

  init(_ octets: [UInt8]?) { self.octets = octets }
}
