// What all sessions of one end have in common: our certificate and key, whom we trust, what is allowed. Files come as octets;
// reading them is the caller's business.
internal import Bytes
internal import Glibc

package struct TLSSettings: Sendable {
  package enum Role: Sendable { case client, server }

  package var role: Role
  /// PEM: our certificate, then those that lead to a root. A server needs one.
  package var certificate: [UInt8]?
  /// PEM; nil: it is in `certificate`.
  package var key: [UInt8]?
  package var passphrase: [UInt8]?
  /// PEM: who is trusted to have issued the peer's certificate. Nil: a client asks the system, a server asks nobody for one.
  package var trusted: [UInt8]?
  /// A client takes any certificate when this is false.
  package var verifies = true
  /// Instead of the host that is dialled: what is asked for, and what the certificate must be for.
  package var serverName: String?
  /// Whether the server is told which name we mean.
  package var sendsServerName = true
  /// Octets that a client sends, and wants back, in clear text before TLS begins. A server answers them if they come, and
  /// shows them to a peer that speaks anything but TLS.
  package var preface: [UInt8] = []
  /// A file to append the session's keys to, in the format of SSLKEYLOGFILE.
  package var keyLogPath: String?

  package init(_ role: Role) { self.role = role }
}

@safe package final class TLSContext {
  let settings: TLSSettings
  /// What was set in place of the host that is dialled.
  package var serverName: String? { settings.serverName }
  /// Whether the peer has to be who it says.
  package var isVerifying: Bool { settings.verifies }
  let library: OpenSSL
  let ssl: OpaquePointer
  private let keyLog: KeyLog

  /// `Optional` of a noncopyable type as a property needs more ceremony.
  private enum KeyLog: ~Copyable {
    case none
    case file(Descriptor)
  }

  package init(_ settings: TLSSettings) throws(TLSSetupError) {
    self.settings = settings
    library = try OpenSSL.shared()
    if let path = settings.keyLogPath {
      do throws(Errno) { keyLog = .file(try Descriptor(appendingTo: path)) } catch { throw .keyLog(error) }
    } else {
      keyLog = .none
    }
    library.ERR_clear_error()
    guard let ssl = unsafe library.SSL_CTX_new(library.TLS_method()) else { throw .library(library.takeError()) }
    unsafe self.ssl = ssl
    _ = unsafe library.SSL_CTX_ctrl(ssl, OpenSSL.Control.minimumVersion, OpenSSL.tls12, nil)
    _ = unsafe library.SSL_CTX_ctrl(ssl, OpenSSL.Control.mode, OpenSSL.Mode.writeFromAnywhere, nil)
    var options = OpenSSL.Option.noCompression
    // Nobody resumes; tickets would only be octets that a sender never reads.
    if settings.role == .server {
      options |= OpenSSL.Option.noRenegotiation
      _ = unsafe library.SSL_CTX_set_num_tickets(ssl, 0)
    }
    _ = unsafe library.SSL_CTX_set_options(ssl, options)
    if settings.keyLogPath != nil { unsafe library.SSL_CTX_set_keylog_callback(ssl, TLSCallback.keyLog) }
    if let certificate = settings.certificate {
      try use(certificate, key: settings.key ?? certificate)
    } else if settings.role == .client {
      unsafe library.SSL_CTX_set_client_cert_cb(ssl, TLSCallback.clientCertificate)
    }
    if let trusted = settings.trusted {
      try trust(trusted)
    } else if settings.role == .client {
      _ = unsafe library.SSL_CTX_set_default_verify_paths(ssl)
    }
  }

  deinit { unsafe library.SSL_CTX_free(ssl) }

  /// The same, taking any certificate: for who has nothing secret to say.
  package func unverified() throws(TLSSetupError) -> TLSContext {
    var settings = settings
    settings.verifies = false
    return try TLSContext(settings)
  }

  /// Whom to verify, as SSL_set_verify takes it.
  var verification: Int32 {
    switch settings.role {
    case .client: settings.verifies ? OpenSSL.Verify.peer : 0
    case .server: settings.trusted == nil ? 0 : OpenSSL.Verify.peer | OpenSSL.Verify.failWithoutCertificate
    }
  }

  func log(_ line: String) {
    switch keyLog {
    case .none: break
    case .file(let file): _ = try? file.write(Array((line + "\n").utf8).span)
    }
  }

  // MARK: PEM

  private func use(_ certificate: [UInt8], key: [UInt8]) throws(TLSSetupError) {
    var isFirst = true
    try unsafe forEachCertificate(in: certificate, .certificate) { certificate in
      defer { isFirst = false }
      if isFirst {
        defer { unsafe library.X509_free(certificate) }
        return unsafe library.SSL_CTX_use_certificate(ssl, certificate) == 1
      }
      // Unlike the first one, which it counts, the context keeps these as they are.
      return unsafe library.SSL_CTX_ctrl(
        ssl, OpenSSL.Control.extraChainCertificate, 0, UnsafeMutableRawPointer(certificate)) == 1
    }
    let passphrase = TLSPassphrase(settings.passphrase)
    let found = try unsafe withBIO(of: key, .key) { bio in
      unsafe library.PEM_read_bio_PrivateKey(
        bio, nil, TLSCallback.passphrase, Unmanaged.passUnretained(passphrase).toOpaque())
    }
    guard let found = unsafe found else {
      library.ERR_clear_error()
      if !passphrase.wasAsked { throw .notPEM(.key) }
      throw passphrase.octets == nil ? .keyIsEncrypted : .wrongPassphrase
    }
    defer { unsafe library.EVP_PKEY_free(found) }
    guard unsafe library.SSL_CTX_use_PrivateKey(ssl, found) == 1, unsafe library.SSL_CTX_check_private_key(ssl) == 1
    else {
      library.ERR_clear_error()
      throw .keyOfAnotherCertificate
    }
  }

  private func trust(_ certificates: [UInt8]) throws(TLSSetupError) {
    let store = unsafe library.SSL_CTX_get_cert_store(ssl)
    try unsafe forEachCertificate(in: certificates, .trusted) { certificate in
      defer { unsafe library.X509_free(certificate) }
      if settings.role == .server { _ = unsafe library.SSL_CTX_add_client_CA(ssl, certificate) }
      return unsafe library.X509_STORE_add_cert(store, certificate) == 1
    }
    _ = unsafe library.X509_VERIFY_PARAM_set_flags(library.SSL_CTX_get0_param(ssl), OpenSSL.Verify.partialChain)
  }

  /// Hands each certificate over; `take` says whether it was taken.
  private func forEachCertificate(
    in pem: [UInt8], _ file: TLSFile, _ take: (OpaquePointer) -> Bool
  ) throws(TLSSetupError) {
    var count = 0
    var isTaken = true
    _ = try unsafe withBIO(of: pem, file) { bio in
      while isTaken, let certificate = unsafe library.PEM_read_bio_X509(bio, nil, nil, nil) {
        count += 1
        isTaken = unsafe take(certificate)
      }
      return nil
    }
    if !isTaken { throw .refused(file, library.takeError()) }
    // Also at the end of the file it finds no certificate.
    if !library.foundNoStart() || count == 0 { throw .notPEM(file) }
  }

  private func withBIO(
    of octets: [UInt8], _ file: TLSFile, _ body: (OpaquePointer) -> OpaquePointer?
  ) throws(TLSSetupError) -> OpaquePointer? {
    guard octets.count <= Int(Int32.max) else { throw .notPEM(file) }
    return unsafe octets.withUnsafeBytes { octets in
      guard let bio = unsafe library.BIO_new_mem_buf(octets.baseAddress, Int32(octets.count)) else { return nil }
      defer { _ = unsafe library.BIO_free(bio) }
      return unsafe body(bio)
    }
  }
}

extension Descriptor {
  /// For one's own eyes only.
  fileprivate init(appendingTo path: String) throws(Errno) {
    let number = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o600)
    guard number >= 0 else { throw Errno(of: "open", subject: path) }
    self.init(owning: number)
  }
}
