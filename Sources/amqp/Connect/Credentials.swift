// As whom we log in, or whom a listening end lets in: user, password or token, where each of them comes from, and the SASL
// mechanisms that may carry them.
import Console
import Engine
import Runtime
import Wire

struct Credentials {
  var user: String?
  var password: String?
  var token: String?
  /// Nobody named them: ANONYMOUS, or RabbitMQ's well-known guest where that is not offered.
  var areDefault = false
  var hasCertificate = false
  /// In the order given; empty: no SASL layer; nil: nobody chose.
  var chosen: [SASLMechanism]?
  private let isListening: Bool
  /// Who chose them, for messages.
  private var spelling = ""

  static let names = SASLMechanism.allCases.map(\.rawValue) + ["NONE"]

  /// Option, URL, environment.
  /// - Parameter filed: what `--password-file` holds; standard input can be read only once.
  init(_ arguments: ParsedArguments, _ url: ConnectionURL, _ keys: URLKeys, _ filed: String?, listening: Bool)
    throws(Failure)
  {
    isListening = listening
    user = arguments.value("user")
    if let file = arguments.value("token-file") {
      if listening { throw .usage(arguments.spelling("token-file"), "it is for dialling, not for --listen") }
      token = try Credentials.token(String(decoding: FirstLine.octets(of: file, "the token"), as: UTF8.self), file)
    } else if !listening, let text = arguments.environment("AMQP_TOKEN"), !text.isEmpty {
      token = try Credentials.token(text, "AMQP_TOKEN")
    }
    let place = Place(arguments.source("url"))
    if !listening {
      // The standard URL names guest; nobody did.
      let named = place == .standard ? nil : url.user
      let other = Place(arguments.source("user"))
      if named != nil, other < place || other == place && place == .environment { user = nil }
      hasCertificate = arguments.flag("cert") || keys.value("certfile") != nil
      if named != nil, user == nil || user == named { offer(url.password, place) }
      user = user ?? named
    }
    offer(filed, max(Place(arguments.source("password-file")), .profile), wins: true)
    offer(
      arguments.environment("AMQP_PASSWORD"), arguments.isFromProfile("AMQP_PASSWORD") ? .profile : .environment)
    // Typed passwords are meant, whatever token lies about.
    if token != nil, !arguments.flag("token-file") || Place(arguments.source("token-file")) < .arguments,
      passwordPlace == .arguments
    {
      token = nil
    }
    if !listening, token == nil, user == nil { (user, password, areDefault) = ("guest", "guest", true) }
    try choose(arguments, keys)
  }

  /// Where something was said; what is said nearer to the command counts more.
  private enum Place: Int, Comparable {
    case standard, profile, environment, arguments

    init(_ source: ParsedArguments.Source) {
      self =
        switch source {
        case .arguments: .arguments
        case .environment: .environment
        case .profile: .profile
        case .standard: .standard
        }
    }

    static func < (a: Place, b: Place) -> Bool { a.rawValue < b.rawValue }
  }
  private var passwordPlace = Place.standard

  /// Takes a password unless there is one from nearer; `wins`: or from as near.
  private mutating func offer(_ password: String?, _ place: Place, wins: Bool = false) {
    guard let password, place > passwordPlace || wins && place == passwordPlace else { return }
    (self.password, passwordPlace) = (password, place)
  }

  /// Whatever ends it, a token has no blanks; without one it would be an empty password.
  private static func token(_ text: String, _ origin: String) throws(Failure) -> String {
    let token = text.drop { $0 == " " || $0 == "\t" }
    let end = token.lastIndex { $0 != " " && $0 != "\t" }
    guard let end else { throw Failure("\(origin) holds no token", exitCode: .badInput) }
    return String(token[...end])
  }

  // MARK: Mechanisms

  private mutating func choose(_ arguments: ParsedArguments, _ keys: URLKeys) throws(Failure) {
    if let names = arguments.list("sasl") {
      spelling = arguments.spelling("sasl")
      if names.contains("NONE") {
        guard names.count == 1 else { throw .usage("\(spelling) NONE", "it leaves SASL out, so nothing goes with it") }
      }
      chosen = names.compactMap { SASLMechanism(rawValue: $0) }
    } else if let mechanisms = try keys.mechanisms(), !isListening {
      (spelling, chosen) = ("auth_mechanism", mechanisms)
    }
    guard let chosen, !chosen.isEmpty else { return }
    var settings = ConnectionSettings(isListening ? .acceptor : .initiator)
    apply(to: &settings)
    if isListening {
      try checkOffer(chosen, demandsCertificates: arguments.flag("cacert"))
    } else if !chosen.contains(where: { $0.isUsable(settings) }) {
      throw .usage("\(spelling) \(chosen[0].rawValue)", reason(chosen[0]).why, nextStep: reason(chosen[0]).next)
    }
  }

  /// Why a mechanism can't be used with what there is.
  private func reason(_ mechanism: SASLMechanism) -> (why: String, next: String) {
    switch mechanism {
    case .external:
      (
        "who we are is what our certificate says, and there is none",
        "--cert FILE and --key FILE give it, with amqps://"
      )
    case .xoauth2: ("there is no token", "--token-file FILE gives one")
    case .scramSHA1, .scramSHA256, .scramSHA512, .plain, .amqplain, .crDemo, .anonymous:
      token == nil
        ? ("there is no password", "--password-file FILE or AMQP_PASSWORD gives it")
        : ("a token is no password for it", "leave --sasl out")
    }
  }

  private func checkOffer(_ chosen: [SASLMechanism], demandsCertificates: Bool) throws(Failure) {
    for mechanism in chosen {
      let what = "\(spelling) \(mechanism.rawValue)"
      switch mechanism {
      case .plain: break
      case .anonymous:
        if user != nil { throw .usage(what, "with --user nobody may be anonymous", nextStep: "leave one of them out") }
      case .external:
        if !demandsCertificates {
          throw .usage(what, "nobody asks for client certificates", nextStep: "--cacert FILE says who issues them")
        }
      case .scramSHA1, .scramSHA256, .scramSHA512:
        if user == nil {
          throw .usage(what, "there is no password to check", nextStep: "add --user NAME and --password-file FILE")
        }
      case .xoauth2, .amqplain, .crDemo:
        throw .usage(
          what, "a listening end has no way to check it",
          nextStep: "it takes SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, EXTERNAL, PLAIN and ANONYMOUS")
      }
    }
  }

  func apply(to settings: inout ConnectionSettings) {
    (settings.user, settings.password, settings.token) = (user, password, token)
    settings.credentialsAreDefault = areDefault
    settings.hasCertificate = hasCertificate
    settings.cryptography = .system
    if let chosen {
      (settings.mechanisms, settings.mechanismsAreChosen) = (chosen, true)
    } else if areDefault {
      settings.mechanisms = [.external, .anonymous, .plain, .amqplain]
    }
  }
}
