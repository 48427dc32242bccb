// One TLS session as a codec: ciphertext in and out on one side, octets of the application on the other. It owns no socket
// and waits for nothing: who drives it moves ciphertext whenever there is some.
internal import Bytes
internal import Glibc

@safe package final class TLSSession {
  private enum State {
    /// Octets in clear text come first.
    case preface
    case handshaking
    case open
    /// The peer's close_notify has come.
    case ended
    case failed
  }

  let context: TLSContext
  private let library: OpenSSL
  private let ssl: OpaquePointer
  private let buffers = TLSBuffers()
  private var state: State
  private var hasClosed = false

  // What the callbacks find out.
  var untrusted: TLSFailure.Untrusted?
  /// The certificates that came along with what is not trusted.
  var shown: [TLSCertificate] = []
  var alert: UInt8?
  var certificateWasAsked = false

  /// The octets of a record at most (RFC 8446 §5.1): what may come out of ciphertext that was taken in before.
  private static let recordSize = 16_384
  /// Ciphertext that waits to be sent before no more is taken.
  private static let outgoingBound = 256 * 1024

  /// - Parameter host: the name or address that a client has dialled; nothing to a server.
  package init(_ context: TLSContext, host: String = "") throws(TLSFailure) {
    self.context = context
    library = context.library
    library.ERR_clear_error()
    guard let ssl = unsafe library.SSL_new(context.ssl) else { throw .other(context.library.takeError()) }
    guard let bio = unsafe library.BIO_new(library.bufferMethod) else {
      unsafe library.SSL_free(ssl)
      throw .other(context.library.takeError())
    }
    unsafe self.ssl = ssl
    state = .handshaking
    unsafe library.BIO_set_data(bio, Unmanaged.passUnretained(buffers).toOpaque())
    unsafe library.BIO_set_init(bio, 1)
    unsafe library.SSL_set_bio(ssl, bio, bio)
    _ = unsafe library.SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    unsafe library.SSL_set_info_callback(ssl, TLSCallback.info)
    unsafe library.SSL_set_verify(ssl, context.verification, TLSCallback.verify)
    switch context.settings.role {
    case .client:
      unsafe library.SSL_set_connect_state(ssl)
      try expect(context.settings.serverName ?? host)
      if context.settings.preface.isEmpty {
        try shakeHands()
      } else {
        buffers.outgoing.append(context.settings.preface)
        state = .preface
      }
    case .server:
      unsafe library.SSL_set_accept_state(ssl)
      state = .preface
    }
  }

  deinit { unsafe library.SSL_free(ssl) }

  /// The name that the certificate has to be for; a name, not an address, is also told to the server (RFC 6066 §3).
  private func expect(_ host: String) throws(TLSFailure) {
    // Neither the zone of an address nor the final dot of a name is in a certificate.
    var name = host.utf8.contains(UInt8(ascii: ":")) ? String(host.prefix { $0 != "%" }) : host
    if name.hasSuffix(".") { name.removeLast() }
    let parameters = unsafe library.SSL_get0_param(ssl)
    if unsafe library.X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return }
    library.ERR_clear_error()
    unsafe library.X509_VERIFY_PARAM_set_hostflags(parameters, OpenSSL.Verify.wholeLabels)
    guard !name.isEmpty, unsafe library.X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 else {
      throw .other("'\(host)' is no host name")
    }
    guard context.settings.sendsServerName else { return }
    let isTold = unsafe name.withCString {
      unsafe library.SSL_ctrl(ssl, OpenSSL.Control.serverName, 0, UnsafeMutableRawPointer(mutating: $0))
    }
    if isTold != 1 { throw .other("'\(host)' is too long for a host name") }
  }

  // MARK: Ciphertext

  /// Lets `fill` put up to `room` octets of ciphertext behind what has come.
  /// - Returns: the number of octets.
  @discardableResult
  package func receive<E: Error>(
    room: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) -> Int {
    try buffers.incoming.fill(room: room, fill)
  }

  /// The peer sends nothing more.
  package func receivedEnd() throws(TLSFailure) {
    switch state {
    case .preface, .handshaking:
      state = .failed
      throw .endedInHandshake
    case .open, .ended, .failed: break
    }
  }

  /// Lends the ciphertext that is to be sent until there is none or `write` takes none of it.
  /// - Returns: whether none is left.
  @discardableResult
  package func withOutput<E: Error>(_ write: (Span<UInt8>) throws(E) -> Int) throws(E) -> Bool {
    while !buffers.outgoing.isEmpty {
      let n = try buffers.outgoing.withReadable(write)
      if n == 0 { return false }
      buffers.outgoing.consume(n)
    }
    return true
  }

  /// Whether ciphertext waits to be sent.
  package var hasOutput: Bool { !buffers.outgoing.isEmpty }

  // MARK: Octets of the application

  /// How many octets `read` can deliver at most.
  package var readable: Int { buffers.incoming.count + TLSSession.recordSize }

  /// Appends all there is, which fits when `span` has room for `readable`; shakes hands first. What came before a fault is in
  /// `span` all the same. `.end`: the peer has said that nothing follows.
  package func read(into span: inout OutputRawSpan) throws(TLSFailure) -> IOProgress {
    switch state {
    case .preface:
      guard try takePreface() else { return .wouldBlock }
      try shakeHands()
    case .handshaking: try shakeHands()
    case .open, .ended, .failed: break
    }
    guard state == .open else { return state == .ended ? .end : .wouldBlock }
    let before = span.byteCount
    while span.freeCapacity > 0 {
      let n = unsafe span.withUnsafeMutableBytes { (buffer, count) -> Int32 in
        let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
        library.ERR_clear_error()
        let n = unsafe library.SSL_read(ssl, free.baseAddress, Int32(clamping: free.count))
        if n > 0 { count += Int(n) }
        return n
      }
      if n > 0 {
        hasDelivered = true
        continue
      }
      switch unsafe library.SSL_get_error(ssl, n) {
      case OpenSSL.SSLError.wantRead: return span.byteCount > before ? .bytes(span.byteCount - before) : .wouldBlock
      case OpenSSL.SSLError.zeroReturn:
        state = .ended
        return span.byteCount > before ? .bytes(span.byteCount - before) : .end
      default: throw failed()
      }
    }
    return .bytes(span.byteCount - before)
  }

  /// Encrypts `octets`; none before the handshake is done, or while more ciphertext than is good waits to be sent.
  /// - Returns: how many it took.
  package func write(_ octets: Span<UInt8>) throws(TLSFailure) -> Int {
    guard state == .open, !hasClosed, !octets.isEmpty, buffers.outgoing.count < TLSSession.outgoingBound else {
      return 0
    }
    let n = unsafe octets.withUnsafeBytes { octets in
      library.ERR_clear_error()
      return unsafe library.SSL_write(ssl, octets.baseAddress, Int32(clamping: octets.count))
    }
    if n > 0 { return Int(n) }
    guard unsafe library.SSL_get_error(ssl, n) == OpenSSL.SSLError.wantRead else { throw failed() }
    return 0
  }

  /// Says that nothing follows (close_notify).
  package func close() {
    guard state == .open || state == .ended, !hasClosed else { return }
    hasClosed = true
    library.ERR_clear_error()
    _ = unsafe library.SSL_shutdown(ssl)
  }

  // MARK: The beginning

  /// Whether the handshake is done, and the peer has not ended the session.
  package var isOpen: Bool { state == .open }
  /// Whether the peer has said that nothing follows.
  package var hasEnded: Bool { state == .ended }
  /// Whether octets of the application have come.
  package private(set) var hasDelivered = false

  /// Some of what has come and not been taken: enough to tell who speaks.
  private var first: [UInt8] {
    buffers.incoming.withReadable { octets in (0..<min(24, octets.count)).map { octets[$0] } }
  }

  /// Returns false when more octets are needed.
  private func takePreface() throws(TLSFailure) -> Bool {
    let preface = context.settings.preface
    let heard = first
    if heard.isEmpty { return false }
    if !preface.isEmpty && heard.starts(with: preface) {
      buffers.incoming.skip(preface.count)
      if context.settings.role == .server { buffers.outgoing.append(preface) }
    } else if heard.count < preface.count && preface.starts(with: heard) {
      return false
    } else if context.settings.role == .client || !TLSSession.isTLS(heard) {
      buffers.outgoing.append(context.settings.role == .server ? preface : [])
      state = .failed
      throw .notTLS(heard)
    }
    state = .handshaking
    return true
  }

  /// An alert or a handshake of any version: RFC 8446 §5.1.
  private static func isTLS(_ octets: [UInt8]) -> Bool {
    (octets[0] == 21 || octets[0] == 22) && (octets.count == 1 || octets[1] == 3)
  }

  private func shakeHands() throws(TLSFailure) {
    // OpenSSL would call it a wrong version number.
    let heard = first
    if !hasHeard, !heard.isEmpty {
      hasHeard = true
      guard TLSSession.isTLS(heard) else {
        state = .failed
        throw .notTLS(heard)
      }
    }
    library.ERR_clear_error()
    let result = unsafe library.SSL_do_handshake(ssl)
    if result == 1 {
      // Without a certificate there is nothing that could be checked: OpenSSL lets such a peer pass.
      if context.settings.role == .client, unsafe library.SSL_get_peer_cert_chain(ssl) == nil {
        state = .failed
        throw .noCertificate
      }
      state = .open
      return
    }
    if unsafe library.SSL_get_error(ssl, result) != OpenSSL.SSLError.wantRead { throw failed() }
  }
  private var hasHeard = false

  private func failed() -> TLSFailure {
    state = .failed
    let words = library.takeError()
    if let untrusted { return .untrusted(untrusted) }
    if let alert { return .refused(alert: alert, certificateWasAsked: certificateWasAsked) }
    if words == "peer did not return a certificate" { return .noCertificate }
    return .other(words)
  }

  // MARK: What was agreed

  /// A client that was asked for a certificate and had none.
  package var lacksCertificate: Bool { certificateWasAsked }
  /// `TLSv1.3`
  package var version: String { unsafe library.SSL_get_version(ssl).map { unsafe String(cString: $0) } ?? "" }
  /// `TLS_AES_256_GCM_SHA384`
  package var cipher: String {
    unsafe library.SSL_CIPHER_get_name(library.SSL_get_current_cipher(ssl)).map { unsafe String(cString: $0) } ?? ""
  }

  /// What a server has shown, its own first; also when that is not trusted.
  package var certificates: [TLSCertificate] {
    unsafe untrusted == nil ? certificates(library.SSL_get_peer_cert_chain(ssl)) : shown
  }

  func certificates(_ stack: OpaquePointer?) -> [TLSCertificate] {
    (0..<max(0, unsafe library.OPENSSL_sk_num(stack))).compactMap { i in
      unsafe library.OPENSSL_sk_value(stack, i).map { unsafe TLSCertificate(OpaquePointer($0), library) }
    }
  }

  /// Whom a client's certificate names, which has been checked: `O=Example, CN=client`. Nil to a client, and where none was
  /// demanded.
  package var clientName: String? {
    guard context.settings.role == .server, context.settings.trusted != nil,
      let certificate = unsafe library.SSL_get1_peer_certificate(ssl)
    else { return nil }
    defer { unsafe library.X509_free(certificate) }
    return unsafe TLSCertificate(certificate, library).subject
  }
}
