// What the connection options come to: where to dial or listen, as whom, announcing what.
import Console
import Engine
import Glibc
import Runtime
import Transport
import Wire

struct ConnectPlan {
  let endpoint: Endpoint
  /// Set: be the peer.
  let listen: Endpoint?
  /// Nil: clear text.
  let tls: TLSContext?
  /// Of an initiator without the protocol: `choice` says which ones are tried.
  let settings: ConnectionSettings
  let choice: DialectChoice
  /// Nanoseconds.
  var connectTimeout: Int64
  /// As failures name the virtual host.
  let vhost: String
  /// How often, and for how long.
  let retry: RetryPolicy.Limits
  /// Where all that passes is kept; nil: nowhere.
  private(set) var capture: WireCapture?
  /// The further peers of a list, in its order.
  private(set) var alternatives: [ConnectPlan] = []
  /// Azure's: every address needs a token that this signs.
  let sharedAccessKey: SharedAccessKey?

  /// - Parameter needs: what else there is that only one of the protocols has.
  init(_ arguments: ParsedArguments, needs: [DialectChoice.Need] = []) throws(Failure) {
    let choice = try DialectChoice(arguments, needs)
    let urls = try ConnectPlan.urls(arguments)
    let name = arguments.value("container-id") ?? ConnectPlan.freshName()
    let password = try ConnectPlan.password(arguments)
    try self.init(arguments, urls[0], choice, name, password)
    for url in urls.dropFirst() { alternatives.append(try ConnectPlan(arguments, url, choice, name, password)) }
    capture = try WireCapture.open(arguments)
    for i in alternatives.indices { alternatives[i].capture = capture }
  }

  private init(
    _ arguments: ParsedArguments, _ url: ConnectionURL, _ choice: DialectChoice, _ name: String, _ password: String?
  ) throws(Failure) {
    self.choice = choice
    let keys = try URLKeys(url, spelling: ConnectPlan.urlSpelling(arguments))
    retry = try ConnectPlan.retry(arguments)
    endpoint = Endpoint(host: url.host, port: url.port)
    let urlTimeout = arguments.flag("connect-timeout") ? nil : try keys.connectTimeout()
    connectTimeout = urlTimeout ?? Int64(arguments.nanoseconds("connect-timeout") ?? 10_000_000_000)
    if let text = arguments.value("listen") {
      guard let listening = Endpoint(listening: text) else {
        throw arguments.badValue(of: "listen", text, expected: "[HOST:]PORT")
      }
      listen = listening
    } else {
      listen = nil
    }
    var settings = ConnectionSettings(listen == nil ? .initiator : .acceptor)
    settings.containerID = name
    let urlHeartbeat = arguments.flag("heartbeat") ? nil : try keys.heartbeat()
    settings.idleTimeOut = try ConnectPlan.idleTimeOut(arguments)
    if let urlHeartbeat { settings.idleTimeOut = urlHeartbeat }
    try keys.limits(&settings)
    settings.properties = .map([
      MapEntry(.symbol("product"), .string("amqp")), MapEntry(.symbol("version"), .string(Commands.program.version)),
    ])
    settings.protocols = ConnectionSettings.Protocols(choice.order)
    settings.isTransactional =
      arguments.command.option(long: "mode") != nil && arguments.value("mode") == SettlementMode.transaction.rawValue
    vhost = arguments.flag("vhost") ? arguments.value("vhost") ?? "" : url.vhost ?? "/"
    settings.virtualHost = vhost
    if let hostname = arguments.value("hostname") {
      settings.hostname = hostname
    } else if arguments.flag("vhost") || url.vhost != nil {
      settings.hostname = "vhost:" + vhost
    } else {
      settings.hostname = url.host
    }
    sharedAccessKey = try ConnectPlan.sharedAccessKey(arguments, listening: listen != nil)
    var credentials = try Credentials(arguments, url, keys, password, listening: listen != nil)
    // Who we are is what the tokens say.
    if sharedAccessKey != nil, credentials.areDefault { (credentials.user, credentials.password) = (nil, nil) }
    credentials.apply(to: &settings)
    if arguments.isGiven("session-window"), let text = arguments.value("session-window") {
      let sides = text.split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) }
      guard sides.count <= 2, let incoming = sides[0], incoming > 0, sides.last! != nil else {
        throw arguments.badValue(of: "session-window", text, expected: "IN or IN:OUT, numbers of transfers")
      }
      settings.incomingWindow = incoming
      settings.outgoingWindow = sides.last! ?? incoming
    }
    // What is shown in octets holds no password unless it is asked for: without SASL, or as nobody, there is none.
    let isDryRun = listen == nil && arguments.isGiven("dry-run")
    if isDryRun, !arguments.flag("show-secrets") {
      settings.mechanisms = choice.order[0] == .amqp091 ? [.anonymous] : []
      (settings.user, settings.password, settings.token) = (nil, nil, nil)
    }
    self.settings = settings
    tls = isDryRun ? nil : try TLSPlan.context(arguments, url, keys, listening: listen != nil)
  }

  /// The URL itself is not shown: it may hold a password.
  private static func urlSpelling(_ arguments: ParsedArguments) -> String {
    arguments.spelling("url") == "argument" ? "the URL" : arguments.spelling("url")
  }

  private static func urls(_ arguments: ParsedArguments) throws(Failure) -> [ConnectionURL] {
    let parts = ConnectionURL.list(arguments.value("url") ?? "amqp://guest:guest@localhost:5672")
    if parts.count > 1 && arguments.flag("listen") {
      throw .usage(urlSpelling(arguments), "it is a list, and --listen has one port")
    }
    var urls: [ConnectionURL] = []
    for (i, part) in parts.enumerated() {
      do throws(ConnectionURL.Fault) {
        urls.append(try ConnectionURL(part))
      } catch {
        let which = parts.count > 1 ? ", number \(i + 1) of the list" : ""
        throw .usage(urlSpelling(arguments) + which, "expected \(error.expected)")
      }
    }
    return urls
  }

  private static func retry(_ arguments: ParsedArguments) throws(Failure) -> RetryPolicy.Limits {
    var limits = RetryPolicy.Limits()
    limits.wait = Int64(arguments.nanoseconds("wait") ?? 0)
    for option in ["wait", "reconnect"] where arguments.isGiven(option) && arguments.flag("listen") {
      throw .usage(arguments.spelling(option), "it is for dialling, and --listen waits for others to dial")
    }
    guard arguments.isGiven("reconnect") else { return limits }
    if let times = arguments.number("reconnect") { limits.reconnects = times == 0 ? nil : times }
    let mode = arguments.isGiven("mode") ? arguments.value("mode") : nil
    if mode == "exactly-once" || mode == "transaction" {
      throw .usage(
        "\(arguments.spelling("reconnect")) with --mode \(mode ?? "")",
        mode == "transaction"
          ? "a transaction ends with its connection"
          : "what nobody answered would be sent once more, and be there twice",
        nextStep: mode == "transaction"
          ? "leave --reconnect out, and run it again: what was not committed is not there"
          : "use --mode at-least-once: its receipts say what may be there twice")
    }
    for option in ["group", "request", "then-receive"] where arguments.isGiven(option) {
      throw .usage(
        "\(arguments.spelling("reconnect")) with \(arguments.spelling(option))", "that goes over one connection",
        nextStep: "leave --reconnect out, and run it again: what was not settled comes again")
    }
    if arguments.isGiven("browse") && arguments.isGiven("forward") {
      throw .usage(
        "\(arguments.spelling("reconnect")) with --browse and --forward",
        "a queue is browsed from its start on each connection, and all of it would be forwarded again",
        nextStep: "leave --reconnect out")
    }
    return limits
  }

  private static func password(_ arguments: ParsedArguments) throws(Failure) -> String? {
    guard let file = arguments.value("password-file") else { return nil }
    let octets = try FirstLine.octets(of: file, "the password")
    return String(decoding: octets, as: UTF8.self)
  }

  private static func idleTimeOut(_ arguments: ParsedArguments) throws(Failure) -> UInt32 {
    let milliseconds = (arguments.nanoseconds("heartbeat") ?? 30_000_000_000) / 1_000_000
    guard milliseconds <= Int(UInt32.max) else {
      throw arguments.badValue(of: "heartbeat", arguments.value("heartbeat") ?? "", expected: "at most 49 days")
    }
    return UInt32(milliseconds)
  }

  /// A name that no other process has.
  static func freshName() -> String {
    "amqp-\(getpid())-" + String(UInt32.random(in: 0 ... .max), radix: 16)
  }
}
