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
  let connectTimeout: Int64
  /// As failures name the virtual host.
  let vhost: String
  /// Azure's: every address needs a token that this signs.
  let sharedAccessKey: SharedAccessKey?

  /// - Parameter needs: what else there is that only one of the protocols has.
  init(_ arguments: ParsedArguments, needs: [DialectChoice.Need] = []) throws(Failure) {
    choice = try DialectChoice(arguments, needs)
    let (url, keys) = try ConnectPlan.url(arguments)
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
    settings.containerID = arguments.value("container-id") ?? ConnectPlan.freshName()
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
    var credentials = try Credentials(arguments, url, keys, listening: listen != nil)
    // Who we are is what the tokens say.
    if sharedAccessKey != nil, credentials.areDefault { (credentials.user, credentials.password) = (nil, nil) }
    credentials.apply(to: &settings)
    if let text = arguments.value("session-window") {
      let sides = text.split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) }
      guard sides.count <= 2, let incoming = sides[0], incoming > 0, sides.last! != nil else {
        throw arguments.badValue(of: "session-window", text, expected: "IN or IN:OUT, numbers of transfers")
      }
      settings.incomingWindow = incoming
      settings.outgoingWindow = sides.last! ?? incoming
    }
    // What is shown in octets holds no password unless it is asked for: without SASL, or as nobody, there is none.
    let isDryRun = listen == nil && arguments.command.option(long: "dry-run") != nil && arguments.flag("dry-run")
    if isDryRun, !arguments.flag("show-secrets") {
      settings.mechanisms = choice.order[0] == .amqp091 ? [.anonymous] : []
      (settings.user, settings.password, settings.token) = (nil, nil, nil)
    }
    self.settings = settings
    tls = isDryRun ? nil : try TLSPlan.context(arguments, url, keys, listening: listen != nil)
  }

  private static func url(_ arguments: ParsedArguments) throws(Failure) -> (ConnectionURL, URLKeys) {
    let text = arguments.value("url") ?? "amqp://guest:guest@localhost:5672"
    // The URL itself is not shown: it may hold a password.
    let spelling = arguments.spelling("url") == "argument" ? "the URL" : arguments.spelling("url")
    let url: ConnectionURL
    do throws(ConnectionURL.Fault) {
      url = try ConnectionURL(text)
    } catch {
      throw .usage(spelling, "expected \(error.expected)")
    }
    return (url, try URLKeys(url, spelling: spelling))
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
