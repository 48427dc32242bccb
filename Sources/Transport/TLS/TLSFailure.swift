// Why TLS could not be set up, and why a session failed: as data, so that whoever explains it can say what to do.
internal import Glibc

/// What is wrong on our side before anybody is connected to.
package enum TLSSetupError: Error, Sendable, Equatable {
  /// No usable OpenSSL; what was missing.
  case library(String)
  /// One of the files is not what it should be.
  case notPEM(TLSFile)
  case keyIsEncrypted
  case wrongPassphrase
  case keyOfAnotherCertificate
  /// OpenSSL's words.
  case refused(TLSFile, String)
  case keyLog(Errno)
}

package enum TLSFile: Sendable {
  case certificate, key, trusted
}

/// Why there is no session (any more).
package enum TLSFailure: Error, Sendable, Equatable {
  /// These octets came where TLS should have begun.
  case notTLS([UInt8])
  /// The peer went away in the middle of the handshake.
  case endedInHandshake
  /// We don't trust the peer's certificate.
  case untrusted(Untrusted)
  /// The peer refused us: alert of RFC 8446 §6.2, nil: it just went away; `certificateWasAsked`: it wanted a certificate, we
  /// had none.
  case refused(alert: UInt8?, certificateWasAsked: Bool)
  /// The peer has no certificate, and has to have one.
  case noCertificate
  /// OpenSSL's words.
  case other(String)

  package struct Untrusted: Sendable, Equatable {
    package let fault: CertificateFault
    /// OpenSSL's words.
    package let reason: String
    /// 0 is the peer's own certificate, 1 its issuer's, and so on.
    package let depth: Int
    package let certificate: TLSCertificate?
  }

  package enum CertificateFault: Sendable, Equatable {
    case notYetValid, expired, selfSigned, unknownIssuer, wrongName, revoked, other

    /// X509_V_ERR_…
    init(_ code: Int32) {
      self =
        switch code {
        case 9: .notYetValid
        case 10: .expired
        case 18: .selfSigned
        case 2, 19, 20, 21, 27: .unknownIssuer
        case 62, 64: .wrongName
        case 23: .revoked
        default: .other
        }
    }
  }
}

/// What a certificate says of itself. All of it comes from the peer: not fit for a terminal as it is.
package struct TLSCertificate: Sendable, Equatable {
  /// `CN=broker.example, O=Example`
  package let subject: String
  package let issuer: String
  /// `DNS:broker.example, IP Address:192.0.2.1`, or empty.
  package let names: String
  /// Seconds since 1970-01-01 UTC; nil: not readable.
  package let notBefore: Int64?
  package let notAfter: Int64?

  init(_ certificate: OpaquePointer, _ library: OpenSSL) {
    unsafe subject = library.text {
      unsafe library.X509_NAME_print_ex($0, library.X509_get_subject_name(certificate), 0, OpenSSL.oneLine)
    }
    unsafe issuer = library.text {
      unsafe library.X509_NAME_print_ex($0, library.X509_get_issuer_name(certificate), 0, OpenSSL.oneLine)
    }
    let at = unsafe library.X509_get_ext_by_NID(certificate, OpenSSL.subjectAlternativeName, -1)
    unsafe names =
      at < 0 ? "" : library.text { unsafe library.X509V3_EXT_print($0, library.X509_get_ext(certificate, at), 0, 0) }
    unsafe notBefore = library.seconds(library.X509_get0_notBefore(certificate))
    unsafe notAfter = library.seconds(library.X509_get0_notAfter(certificate))
  }
}

extension OpenSSL {
  /// What `print` writes into a memory BIO, at most 1,000 octets of it.
  fileprivate func text(_ print: (Object) -> Int32) -> String {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
    defer { _ = unsafe BIO_free(bio) }
    _ = unsafe print(bio)
    return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1_000) { buffer in
      let n = unsafe BIO_read(bio, buffer.baseAddress, Int32(buffer.count))
      return unsafe String(decoding: buffer.prefix(max(0, Int(n))), as: UTF8.self)
    }
  }

  fileprivate func seconds(_ time: Object?) -> Int64? {
    var parts = unsafe tm()
    return unsafe ASN1_TIME_to_tm(time, &parts) == 1 ? Int64(timegm(&parts)) : nil
  }
}
