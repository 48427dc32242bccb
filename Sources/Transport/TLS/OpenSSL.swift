// The system's OpenSSL, 3.x or 1.1.1, opened the first time it is needed: nothing is needed to build, and a run without TLS
// does not pay for it at start. This file is the table of what we call, under OpenSSL's own names, and the numbers of its
// headers; how they are used is in the files beside it.
internal import Glibc

/// Only `OpenSSL.shared()` makes one, and nothing in it changes afterwards.
@safe final class OpenSSL: Sendable {
  typealias Object = OpaquePointer
  typealias Octets = UnsafeMutableRawPointer

  // MARK: Library, errors

  let ERR_clear_error: @convention(c) @Sendable () -> Void
  let ERR_get_error: @convention(c) @Sendable () -> UInt
  let ERR_reason_error_string: @convention(c) @Sendable (UInt) -> UnsafePointer<CChar>?

  // MARK: Contexts and sessions

  let TLS_method: @convention(c) @Sendable () -> Object?
  let SSL_CTX_new: @convention(c) @Sendable (Object?) -> Object?
  let SSL_CTX_free: @convention(c) @Sendable (Object?) -> Void
  let SSL_CTX_ctrl: @convention(c) @Sendable (Object?, Int32, Int, Octets?) -> Int
  let SSL_CTX_set_options: @convention(c) @Sendable (Object?, UInt64) -> UInt64
  let SSL_CTX_set_default_verify_paths: @convention(c) @Sendable (Object?) -> Int32
  let SSL_CTX_get_cert_store: @convention(c) @Sendable (Object?) -> Object?
  let SSL_CTX_add_client_CA: @convention(c) @Sendable (Object?, Object?) -> Int32
  let SSL_CTX_use_certificate: @convention(c) @Sendable (Object?, Object?) -> Int32
  let SSL_CTX_use_PrivateKey: @convention(c) @Sendable (Object?, Object?) -> Int32
  let SSL_CTX_check_private_key: @convention(c) @Sendable (Object?) -> Int32
  let SSL_CTX_get0_param: @convention(c) @Sendable (Object?) -> Object?
  let SSL_CTX_set_keylog_callback: @convention(c) @Sendable (Object?, TLSCallback.KeyLog?) -> Void
  let SSL_CTX_set_client_cert_cb: @convention(c) @Sendable (Object?, TLSCallback.ClientCertificate?) -> Void
  let SSL_CTX_set_num_tickets: @convention(c) @Sendable (Object?, Int) -> Int32
  let SSL_new: @convention(c) @Sendable (Object?) -> Object?
  let SSL_free: @convention(c) @Sendable (Object?) -> Void
  let SSL_ctrl: @convention(c) @Sendable (Object?, Int32, Int, Octets?) -> Int
  let SSL_set_ex_data: @convention(c) @Sendable (Object?, Int32, Octets?) -> Int32
  let SSL_get_ex_data: @convention(c) @Sendable (Object?, Int32) -> Octets?
  let SSL_get_ex_data_X509_STORE_CTX_idx: @convention(c) @Sendable () -> Int32
  let SSL_set_bio: @convention(c) @Sendable (Object?, Object?, Object?) -> Void
  let SSL_set_verify: @convention(c) @Sendable (Object?, Int32, TLSCallback.Verify?) -> Void
  let SSL_set_info_callback: @convention(c) @Sendable (Object?, TLSCallback.Info?) -> Void
  let SSL_get0_param: @convention(c) @Sendable (Object?) -> Object?
  let SSL_set_connect_state: @convention(c) @Sendable (Object?) -> Void
  let SSL_set_accept_state: @convention(c) @Sendable (Object?) -> Void
  let SSL_do_handshake: @convention(c) @Sendable (Object?) -> Int32
  let SSL_read: @convention(c) @Sendable (Object?, Octets?, Int32) -> Int32
  let SSL_write: @convention(c) @Sendable (Object?, UnsafeRawPointer?, Int32) -> Int32
  let SSL_shutdown: @convention(c) @Sendable (Object?) -> Int32
  let SSL_get_error: @convention(c) @Sendable (Object?, Int32) -> Int32
  let SSL_get_version: @convention(c) @Sendable (Object?) -> UnsafePointer<CChar>?
  let SSL_get_current_cipher: @convention(c) @Sendable (Object?) -> Object?
  let SSL_CIPHER_get_name: @convention(c) @Sendable (Object?) -> UnsafePointer<CChar>?
  let SSL_CIPHER_get_auth_nid: @convention(c) @Sendable (Object?) -> Int32
  let SSL_get_peer_cert_chain: @convention(c) @Sendable (Object?) -> Object?
  let SSL_get1_peer_certificate: @convention(c) @Sendable (Object?) -> Object?

  // MARK: BIOs

  let BIO_meth_new: @convention(c) @Sendable (Int32, UnsafePointer<CChar>?) -> Object?
  let BIO_meth_set_read: @convention(c) @Sendable (Object?, TLSCallback.Read?) -> Int32
  let BIO_meth_set_write: @convention(c) @Sendable (Object?, TLSCallback.Write?) -> Int32
  let BIO_meth_set_ctrl: @convention(c) @Sendable (Object?, TLSCallback.Control?) -> Int32
  let BIO_new: @convention(c) @Sendable (Object?) -> Object?
  let BIO_free: @convention(c) @Sendable (Object?) -> Int32
  let BIO_set_init: @convention(c) @Sendable (Object?, Int32) -> Void
  let BIO_set_data: @convention(c) @Sendable (Object?, Octets?) -> Void
  let BIO_get_data: @convention(c) @Sendable (Object?) -> Octets?
  let BIO_set_flags: @convention(c) @Sendable (Object?, Int32) -> Void
  let BIO_clear_flags: @convention(c) @Sendable (Object?, Int32) -> Void
  let BIO_s_mem: @convention(c) @Sendable () -> Object?
  let BIO_new_mem_buf: @convention(c) @Sendable (UnsafeRawPointer?, Int32) -> Object?
  let BIO_read: @convention(c) @Sendable (Object?, Octets?, Int32) -> Int32

  // MARK: Certificates and keys

  let PEM_read_bio_X509: @convention(c) @Sendable (Object?, Octets?, TLSCallback.Passphrase?, Octets?) -> Object?
  let PEM_read_bio_PrivateKey: @convention(c) @Sendable (Object?, Octets?, TLSCallback.Passphrase?, Octets?) -> Object?
  let X509_free: @convention(c) @Sendable (Object?) -> Void
  let EVP_PKEY_free: @convention(c) @Sendable (Object?) -> Void
  let X509_STORE_add_cert: @convention(c) @Sendable (Object?, Object?) -> Int32
  let X509_VERIFY_PARAM_set_flags: @convention(c) @Sendable (Object?, UInt) -> Int32
  let X509_VERIFY_PARAM_set_hostflags: @convention(c) @Sendable (Object?, UInt32) -> Void
  let X509_VERIFY_PARAM_set1_host: @convention(c) @Sendable (Object?, UnsafePointer<CChar>?, Int) -> Int32
  let X509_VERIFY_PARAM_set1_ip_asc: @convention(c) @Sendable (Object?, UnsafePointer<CChar>?) -> Int32
  let X509_STORE_CTX_get_ex_data: @convention(c) @Sendable (Object?, Int32) -> Octets?
  let X509_STORE_CTX_get_error: @convention(c) @Sendable (Object?) -> Int32
  let X509_STORE_CTX_get0_untrusted: @convention(c) @Sendable (Object?) -> Object?
  let X509_STORE_CTX_get_error_depth: @convention(c) @Sendable (Object?) -> Int32
  let X509_STORE_CTX_get_current_cert: @convention(c) @Sendable (Object?) -> Object?
  let X509_verify_cert_error_string: @convention(c) @Sendable (Int) -> UnsafePointer<CChar>?
  let X509_get_subject_name: @convention(c) @Sendable (Object?) -> Object?
  let X509_get_issuer_name: @convention(c) @Sendable (Object?) -> Object?
  let X509_NAME_print_ex: @convention(c) @Sendable (Object?, Object?, Int32, UInt) -> Int32
  let X509_get0_notBefore: @convention(c) @Sendable (Object?) -> Object?
  let X509_get0_notAfter: @convention(c) @Sendable (Object?) -> Object?
  let ASN1_TIME_to_tm: @convention(c) @Sendable (Object?, UnsafeMutablePointer<tm>?) -> Int32
  let X509_get_ext_by_NID: @convention(c) @Sendable (Object?, Int32, Int32) -> Int32
  let X509_get_ext: @convention(c) @Sendable (Object?, Int32) -> Object?
  let X509V3_EXT_print: @convention(c) @Sendable (Object?, Object?, UInt, Int32) -> Int32
  let OPENSSL_sk_num: @convention(c) @Sendable (Object?) -> Int32
  let OPENSSL_sk_value: @convention(c) @Sendable (Object?, Int32) -> Octets?

  /// The kind of BIO that reads and writes our buffers.
  nonisolated(unsafe) let bufferMethod: Object

  private static let opened: Result<OpenSSL, TLSSetupError> = {
    do throws(TLSSetupError) { return .success(try OpenSSL()) } catch { return .failure(error) }
  }()

  static func shared() throws(TLSSetupError) -> OpenSSL { try opened.get() }

  /// Every session and every callback has been made by it.
  static var required: OpenSSL {
    guard case .success(let library) = opened else { preconditionFailure("TLS without OpenSSL") }
    return library
  }

  private init() throws(TLSSetupError) {
    // libcrypto, which holds half of these, comes along with libssl.
    var complaints: [String] = []
    var handle: UnsafeMutableRawPointer?
    for name in ["libssl.so.3", "libssl.so.1.1"] {
      unsafe handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL)
      if unsafe handle != nil { break }
      complaints.append(unsafe dlerror().map { unsafe String(cString: $0) } ?? name)
    }
    guard let handle = unsafe handle else { throw .library(complaints.joined(separator: "; ")) }
    func symbol<F>(_ name: String, as type: F.Type = F.self) throws(TLSSetupError) -> F {
      guard let address = unsafe dlsym(handle, name) else { throw .library("it is too old: it has no \(name)") }
      return unsafe unsafeBitCast(address, to: type)
    }
    ERR_clear_error = try symbol("ERR_clear_error")
    ERR_get_error = try symbol("ERR_get_error")
    unsafe ERR_reason_error_string = try symbol("ERR_reason_error_string")
    unsafe TLS_method = try symbol("TLS_method")
    unsafe SSL_CTX_new = try symbol("SSL_CTX_new")
    unsafe SSL_CTX_free = try symbol("SSL_CTX_free")
    unsafe SSL_CTX_ctrl = try symbol("SSL_CTX_ctrl")
    unsafe SSL_CTX_set_options = try symbol("SSL_CTX_set_options")
    unsafe SSL_CTX_set_default_verify_paths = try symbol("SSL_CTX_set_default_verify_paths")
    unsafe SSL_CTX_get_cert_store = try symbol("SSL_CTX_get_cert_store")
    unsafe SSL_CTX_add_client_CA = try symbol("SSL_CTX_add_client_CA")
    unsafe SSL_CTX_use_certificate = try symbol("SSL_CTX_use_certificate")
    unsafe SSL_CTX_use_PrivateKey = try symbol("SSL_CTX_use_PrivateKey")
    unsafe SSL_CTX_check_private_key = try symbol("SSL_CTX_check_private_key")
    unsafe SSL_CTX_get0_param = try symbol("SSL_CTX_get0_param")
    unsafe SSL_CTX_set_keylog_callback = try symbol("SSL_CTX_set_keylog_callback")
    unsafe SSL_CTX_set_client_cert_cb = try symbol("SSL_CTX_set_client_cert_cb")
    unsafe SSL_CTX_set_num_tickets = try symbol("SSL_CTX_set_num_tickets")
    unsafe SSL_new = try symbol("SSL_new")
    unsafe SSL_free = try symbol("SSL_free")
    unsafe SSL_ctrl = try symbol("SSL_ctrl")
    unsafe SSL_set_ex_data = try symbol("SSL_set_ex_data")
    unsafe SSL_get_ex_data = try symbol("SSL_get_ex_data")
    SSL_get_ex_data_X509_STORE_CTX_idx = try symbol("SSL_get_ex_data_X509_STORE_CTX_idx")
    unsafe SSL_set_bio = try symbol("SSL_set_bio")
    unsafe SSL_set_verify = try symbol("SSL_set_verify")
    unsafe SSL_set_info_callback = try symbol("SSL_set_info_callback")
    unsafe SSL_get0_param = try symbol("SSL_get0_param")
    unsafe SSL_set_connect_state = try symbol("SSL_set_connect_state")
    unsafe SSL_set_accept_state = try symbol("SSL_set_accept_state")
    unsafe SSL_do_handshake = try symbol("SSL_do_handshake")
    unsafe SSL_read = try symbol("SSL_read")
    unsafe SSL_write = try symbol("SSL_write")
    unsafe SSL_shutdown = try symbol("SSL_shutdown")
    unsafe SSL_get_error = try symbol("SSL_get_error")
    unsafe SSL_get_version = try symbol("SSL_get_version")
    unsafe SSL_get_current_cipher = try symbol("SSL_get_current_cipher")
    unsafe SSL_CIPHER_get_name = try symbol("SSL_CIPHER_get_name")
    unsafe SSL_CIPHER_get_auth_nid = try symbol("SSL_CIPHER_get_auth_nid")
    unsafe SSL_get_peer_cert_chain = try symbol("SSL_get_peer_cert_chain")
    // 1.1.1 has it under the name without the number.
    let isNew = unsafe dlsym(handle, "SSL_get1_peer_certificate") != nil
    unsafe SSL_get1_peer_certificate = try symbol(isNew ? "SSL_get1_peer_certificate" : "SSL_get_peer_certificate")
    unsafe BIO_meth_new = try symbol("BIO_meth_new")
    unsafe BIO_meth_set_read = try symbol("BIO_meth_set_read")
    unsafe BIO_meth_set_write = try symbol("BIO_meth_set_write")
    unsafe BIO_meth_set_ctrl = try symbol("BIO_meth_set_ctrl")
    unsafe BIO_new = try symbol("BIO_new")
    unsafe BIO_free = try symbol("BIO_free")
    unsafe BIO_set_init = try symbol("BIO_set_init")
    unsafe BIO_set_data = try symbol("BIO_set_data")
    unsafe BIO_get_data = try symbol("BIO_get_data")
    unsafe BIO_set_flags = try symbol("BIO_set_flags")
    unsafe BIO_clear_flags = try symbol("BIO_clear_flags")
    unsafe BIO_s_mem = try symbol("BIO_s_mem")
    unsafe BIO_new_mem_buf = try symbol("BIO_new_mem_buf")
    unsafe BIO_read = try symbol("BIO_read")
    unsafe PEM_read_bio_X509 = try symbol("PEM_read_bio_X509")
    unsafe PEM_read_bio_PrivateKey = try symbol("PEM_read_bio_PrivateKey")
    unsafe X509_free = try symbol("X509_free")
    unsafe EVP_PKEY_free = try symbol("EVP_PKEY_free")
    unsafe X509_STORE_add_cert = try symbol("X509_STORE_add_cert")
    unsafe X509_VERIFY_PARAM_set_flags = try symbol("X509_VERIFY_PARAM_set_flags")
    unsafe X509_VERIFY_PARAM_set_hostflags = try symbol("X509_VERIFY_PARAM_set_hostflags")
    unsafe X509_VERIFY_PARAM_set1_host = try symbol("X509_VERIFY_PARAM_set1_host")
    unsafe X509_VERIFY_PARAM_set1_ip_asc = try symbol("X509_VERIFY_PARAM_set1_ip_asc")
    unsafe X509_STORE_CTX_get_ex_data = try symbol("X509_STORE_CTX_get_ex_data")
    unsafe X509_STORE_CTX_get_error = try symbol("X509_STORE_CTX_get_error")
    unsafe X509_STORE_CTX_get0_untrusted = try symbol("X509_STORE_CTX_get0_untrusted")
    unsafe X509_STORE_CTX_get_error_depth = try symbol("X509_STORE_CTX_get_error_depth")
    unsafe X509_STORE_CTX_get_current_cert = try symbol("X509_STORE_CTX_get_current_cert")
    unsafe X509_verify_cert_error_string = try symbol("X509_verify_cert_error_string")
    unsafe X509_get_subject_name = try symbol("X509_get_subject_name")
    unsafe X509_get_issuer_name = try symbol("X509_get_issuer_name")
    unsafe X509_NAME_print_ex = try symbol("X509_NAME_print_ex")
    unsafe X509_get0_notBefore = try symbol("X509_get0_notBefore")
    unsafe X509_get0_notAfter = try symbol("X509_get0_notAfter")
    unsafe ASN1_TIME_to_tm = try symbol("ASN1_TIME_to_tm")
    unsafe X509_get_ext_by_NID = try symbol("X509_get_ext_by_NID")
    unsafe X509_get_ext = try symbol("X509_get_ext")
    unsafe X509V3_EXT_print = try symbol("X509V3_EXT_print")
    unsafe OPENSSL_sk_num = try symbol("OPENSSL_sk_num")
    unsafe OPENSSL_sk_value = try symbol("OPENSSL_sk_value")
    guard let method = unsafe BIO_meth_new(BIO.sourceOrSink, "amqp"),
      unsafe BIO_meth_set_read(method, TLSCallback.read) == 1,
      unsafe BIO_meth_set_write(method, TLSCallback.write) == 1,
      unsafe BIO_meth_set_ctrl(method, TLSCallback.control) == 1
    else { throw .library("it makes no BIO") }
    unsafe bufferMethod = method
  }

  /// What the first error in its queue says; the queue is empty afterwards.
  func takeError() -> String {
    var text: String?
    while case let code = ERR_get_error(), code != 0 {
      guard text == nil, let reason = unsafe ERR_reason_error_string(code) else { continue }
      text = unsafe String(cString: reason)
    }
    return text ?? "unknown error"
  }

  /// Whether reading PEM ended because there was no further start line; the queue is empty afterwards.
  func foundNoStart() -> Bool {
    var last: UInt = 0
    while case let code = ERR_get_error(), code != 0 { last = code }
    return last & 0xfff == 108
  }

  // MARK: Numbers of its headers

  enum BIO {
    /// BIO_TYPE_SOURCE_SINK with a number of our own, above those that OpenSSL gives to itself.
    static let sourceOrSink: Int32 = 0x400 | 0xf0
    static let flush: Int32 = 11
    static let retryFlags: Int32 = 0x0f
    static let retryRead: Int32 = 0x01 | 0x08
  }
  enum Control {
    static let extraChainCertificate: Int32 = 14
    static let mode: Int32 = 33
    static let serverName: Int32 = 55
    static let minimumVersion: Int32 = 123
  }
  /// SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER.
  enum Mode { static let writeFromAnywhere = 0x02 }
  enum Option {
    static let noCompression: UInt64 = 1 << 17
    static let noRenegotiation: UInt64 = 1 << 30
  }
  enum Verify {
    static let peer: Int32 = 1
    static let failWithoutCertificate: Int32 = 2
    /// X509_V_FLAG_PARTIAL_CHAIN: whatever is in the list of trusted certificates is trusted, not only roots.
    static let partialChain: UInt = 0x80000
    /// X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS.
    static let wholeLabels: UInt32 = 4
  }
  enum SSLError {
    static let wantRead: Int32 = 2
    static let zeroReturn: Int32 = 6
  }
  static let tls12 = 0x0303
  /// SSL_CB_READ_ALERT.
  static let alertReceived: Int32 = 0x4004
  static let subjectAlternativeName: Int32 = 85
  static let anonymousAuthentication: Int32 = 1053
  /// XN_FLAG_ONELINE without blanks around `=`, and without ASN1_STRFLGS_ESC_MSB so that UTF-8 stays.
  static let oneLine: UInt = 0x2011f & ~4
}
