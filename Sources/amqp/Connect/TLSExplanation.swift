// Why there is no TLS with a peer: one sentence, a next step, an exit status for each thing that goes wrong in practice.
import Bytes
import Console
import Transport
import Wire

extension Explanation {
  private var listens: Bool { plan.listen != nil }

  func failure(_ failure: TLSFailure) -> Failure {
    let what = "cannot connect to \(peer)"
    switch failure {
    case .notTLS(let octets): return notTLS(octets)
    case .endedInHandshake:
      return Failure(
        what, "it closed the connection in the middle of the TLS handshake",
        nextStep: "is it a TLS port? that is mostly 5671", exitCode: .unreachable)
    case .untrusted(let untrusted): return self.untrusted(untrusted)
    case .noCertificate:
      return listens
        ? Failure(what, "it came without a client certificate", exitCode: .refused)
        : Failure(what, "it has no certificate, so nobody could say who it is", exitCode: .refused)
    case .refused(_, certificateWasAsked: true):
      return Failure(
        what, "it asks for a client certificate, and none was given", nextStep: "--cert FILE and --key FILE give one",
        exitCode: .refused)
    case .refused(let alert?, certificateWasAsked: false):
      let row = Alert.row(alert)
      return Failure(what, "\(row.words) (TLS alert \(row.name))", nextStep: row.next, exitCode: row.exitCode)
    case .refused(nil, certificateWasAsked: false):
      return Failure(what, "it closed the connection", exitCode: .unreachable)
    case .other(let words): return Failure(what, "TLS failed: \(words)", exitCode: .protocolViolation)
    }
  }

  private func notTLS(_ octets: [UInt8]) -> Failure {
    let who: String
    var next = "AMQP over TLS is mostly on port 5671"
    switch (ProtocolHeader.read(octets.span), ForeignProtocol(octets)) {
    case (.header(let header), _):
      who = "it speaks \(header.description) in clear text"
      next = "amqp:// is for clear text; a TLS port is mostly 5671"
    case (.incomplete, _), (.other, nil): who = "it sent \(ForeignProtocol.hex(octets))"
    case (.other, let foreign?): who = "it speaks \(foreign.rawValue)"
    }
    return Failure(
      "cannot connect to \(peer)", "it does not speak TLS: \(who)", nextStep: next, exitCode: .protocolViolation)
  }

  private func untrusted(_ untrusted: TLSFailure.Untrusted) -> Failure {
    let certificate = untrusted.certificate
    // A client that is refused can't be told what to do about it here.
    var next: String? = "--cacert FILE names the certificates to trust; -k takes any"
    let whose = untrusted.depth == 0 ? "its certificate" : "the certificate '\(certificate?.subject ?? "?")' above it"
    let why: String
    switch untrusted.fault {
    case .expired:
      why = "\(whose) expired on \(day(certificate?.notAfter))"
      next = "it needs a new one; -k connects all the same"
    case .notYetValid:
      why = "\(whose) is not valid before \(day(certificate?.notBefore))"
      next = "is this machine's clock right? -k connects all the same"
    case .selfSigned:
      why = "its certificate '\(certificate?.subject ?? "?")' is signed by nobody else, and not trusted here"
    case .unknownIssuer:
      // A root that came along is named itself, anything below by who issued it.
      let issuer = certificate?.issuer ?? "?"
      why = "its certificate comes from '\(issuer)', which is not trusted here"
    case .wrongName:
      let names = certificate?.names ?? ""
      let host = plan.tls?.serverName ?? plan.endpoint.host
      why = "its certificate is for \(names.isEmpty ? certificate?.subject ?? "?" : names), not for '\(host)'"
      next = "put a name of the certificate into the URL, or give it with --server-name"
    case .revoked:
      why = "\(whose) was revoked"
      next = nil
    case .other: why = "\(whose) is not good: \(untrusted.reason)"
    }
    return Failure("cannot trust \(peer)", why, nextStep: listens ? nil : next, exitCode: .refused)
  }

  /// `2026-11-21`
  private func day(_ seconds: Int64?) -> String {
    guard let seconds else { return "an unreadable date" }
    var text = ByteQueue()
    text.append(rfc3339: seconds * 1_000)
    return String(decoding: text.bytes.prefix { $0 != UInt8(ascii: "T") }, as: UTF8.self)
  }
}

/// Alerts of RFC 8446 §6.2 as a client hears them, which says "it" of the peer.
private struct Alert {
  let number: UInt8
  let name: String
  let words: String
  let exitCode: ExitCode
  var next: String?

  static func row(_ number: UInt8) -> Alert {
    rows.first { $0.number == number }
      ?? Alert(number: number, name: "\(number)", words: "it refused the handshake", exitCode: .protocolViolation)
  }

  private static let ours = "it does not accept our certificate"

  private static let rows: [Alert] = [
    Alert(
      number: 40, name: "handshake_failure", words: "it found no cipher in common, or misses a client certificate",
      exitCode: .protocolViolation, next: "--cert FILE and --key FILE give a certificate"),
    Alert(number: 42, name: "bad_certificate", words: ours, exitCode: .refused),
    Alert(number: 43, name: "unsupported_certificate", words: ours, exitCode: .refused),
    Alert(number: 44, name: "certificate_revoked", words: "\(ours): it was revoked", exitCode: .refused),
    Alert(number: 45, name: "certificate_expired", words: "\(ours): it has expired", exitCode: .refused),
    Alert(number: 46, name: "certificate_unknown", words: ours, exitCode: .refused),
    Alert(number: 48, name: "unknown_ca", words: "it does not know who issued our certificate", exitCode: .refused),
    Alert(number: 49, name: "access_denied", words: "it denies access to our certificate", exitCode: .refused),
    Alert(
      number: 70, name: "protocol_version", words: "it speaks neither TLS 1.2 nor TLS 1.3", exitCode: .protocolViolation
    ),
    Alert(
      number: 71, name: "insufficient_security", words: "it wants stronger ciphers than there are here",
      exitCode: .protocolViolation),
    Alert(number: 80, name: "internal_error", words: "an error of its own", exitCode: .protocolViolation),
    Alert(
      number: 112, name: "unrecognized_name", words: "it serves no such name", exitCode: .protocolViolation,
      next: "--server-name asks for another"),
    Alert(
      number: 116, name: "certificate_required", words: "it misses a client certificate", exitCode: .refused,
      next: "--cert FILE and --key FILE give one"),
    Alert(number: 120, name: "no_application_protocol", words: "it wants ALPN", exitCode: .protocolViolation),
  ]
}
