// What the options of TLS and the URL's keys come to: with whose certificate, trusting whom. Files are read here, and
// OpenSSL is opened here, so all that is wrong on our side is found before anybody is connected to.
import Console
import Glibc
import Transport
import Wire

enum TLSPlan {
  /// Nil: clear text, and OpenSSL is not touched.
  static func context(
    _ arguments: ParsedArguments, _ url: ConnectionURL, _ keys: URLKeys, listening: Bool
  ) throws(Failure) -> TLSContext? {
    let options = ["cacert", "cert", "key", "key-password-file", "insecure", "server-name"]
    let given = options.filter { arguments.flag($0) }
    let isInBand = arguments.value("tls") == "in-band"
    var settings = TLSSettings(listening ? .server : .client)
    var paths = Paths()
    if listening {
      if let client = given.first(where: { $0 == "insecure" || $0 == "server-name" }) {
        throw .usage(arguments.spelling(client), "it is for dialling, not for --listen")
      }
      guard arguments.flag("cert") else {
        guard let first = given.first else { return nil }
        throw .usage(
          arguments.spelling(first), "without --cert there is no TLS", nextStep: "add --cert FILE and --key FILE")
      }
    } else {
      guard url.isSecure || isInBand else {
        guard let first = given.first else { return nil }
        throw .usage(
          arguments.spelling(first), "it is for TLS, and this is amqp://", nextStep: "begin the URL with amqps://")
      }
      settings.verifies = try keys.choice("verify", [("verify_peer", true), ("verify_none", false)]) != false
      if arguments.flag("insecure") { settings.verifies = false }
      settings.serverName = arguments.value("server-name") ?? keys.value("server_name_indication")
      if settings.serverName == "disable", !arguments.flag("server-name") {
        settings.serverName = nil
        settings.sendsServerName = false
      }
    }
    // A server knows it when it hears it.
    if isInBand || listening { settings.preface = ProtocolHeader.tls10.bytes }
    settings.trusted = try paths.read(.trusted, arguments.value("cacert") ?? keys.value("cacertfile"))
    settings.certificate = try paths.read(.certificate, arguments.value("cert") ?? keys.value("certfile"))
    if let path = arguments.value("key") ?? keys.value("keyfile") {
      guard settings.certificate != nil else {
        throw .usage(arguments.spelling("key"), "a key without its certificate", nextStep: "add --cert FILE")
      }
      settings.key = try paths.read(.key, path)
    } else {
      paths.key = paths.certificate
    }
    if let path = arguments.value("key-password-file") {
      settings.passphrase = try FirstLine.octets(of: path, "the passphrase")
    } else if let passphrase = arguments.environment("AMQP_KEY_PASSWORD") {
      settings.passphrase = Array(passphrase.utf8)
    }
    if let path = arguments.environment("SSLKEYLOGFILE"), !path.isEmpty { settings.keyLogPath = path }
    do throws(TLSSetupError) {
      return try TLSContext(settings)
    } catch {
      throw paths.failure(error)
    }
  }

  /// Where the files are, for messages about them.
  private struct Paths {
    var trusted = ""
    var certificate = ""
    var key = ""

    mutating func read(_ file: TLSFile, _ path: String?) throws(Failure) -> [UInt8]? {
      guard let path else { return nil }
      switch file {
      case .trusted: trusted = path
      case .certificate: certificate = path
      case .key: key = path
      }
      do throws(Errno) {
        return try Files.contents(of: path, limit: 1 << 24)
      } catch {
        throw Failure("cannot read the \(file.contents)", "\(error)", exitCode: .noInput)
      }
    }

    private func path(_ file: TLSFile) -> String {
      switch file {
      case .trusted: trusted
      case .certificate: certificate
      case .key: key
      }
    }

    func failure(_ error: TLSSetupError) -> Failure {
      switch error {
      case .library(let what):
        Failure(
          "cannot speak TLS", "OpenSSL 3 or 1.1.1 is needed: \(what)",
          nextStep: "install it: apt install libssl3, dnf install openssl-libs", exitCode: .failure)
      case .notPEM(.key) where key == certificate:
        Failure("\(key) holds no private key", nextStep: "--key FILE names the file that does", exitCode: .badInput)
      case .notPEM(let file):
        Failure(
          "\(path(file)) holds no \(file == .key ? "private key" : "certificate") in PEM form",
          nextStep:
            "PEM is text that begins with -----BEGIN; openssl \(file == .key ? "pkey" : "x509") -inform DER converts",
          exitCode: .badInput)
      case .refused(let file, let words): Failure("cannot use \(path(file))", words, exitCode: .badInput)
      case .keyIsEncrypted:
        Failure(
          "the key in \(key) is encrypted",
          nextStep: "give its passphrase by --key-password-file FILE or AMQP_KEY_PASSWORD",
          exitCode: .usage)
      case .wrongPassphrase:
        Failure("cannot decrypt the key in \(key)", "the passphrase is not the right one", exitCode: .badInput)
      case .keyOfAnotherCertificate:
        Failure("the key in \(key) is not that of the certificate in \(certificate)", exitCode: .badInput)
      case .keyLog(let error): Failure("cannot write SSLKEYLOGFILE", "\(error)", exitCode: .cannotWrite)
      }
    }
  }
}

extension TLSFile {
  fileprivate var contents: String {
    switch self {
    case .trusted: "trusted certificates"
    case .certificate: "certificate"
    case .key: "private key"
    }
  }
}
