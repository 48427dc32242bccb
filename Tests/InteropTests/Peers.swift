// The real peers that tests need, from the environment that `Tests/Brokers/start` describes. A test names its peers in a
// trait: absent, it is skipped visibly; with AMQP_TEST_BROKERS=required it runs, and fails where it asks for the peer.
import Foundation
import Testing

enum RealPeer: String, CaseIterable, CustomStringConvertible {
  case rabbitMQ3 = "AMQP_TEST_RABBITMQ3"
  case rabbitMQ4 = "AMQP_TEST_RABBITMQ4"
  /// Their TLS ports.
  case rabbitMQ3TLS = "AMQP_TEST_RABBITMQ3_TLS"
  case rabbitMQ4TLS = "AMQP_TEST_RABBITMQ4_TLS"
  /// The directory of what `Tests/Certificates/make` made for the brokers.
  case certificates = "AMQP_TEST_CERTIFICATES"
  /// Brokers that let in by certificate and token; the key that signs tokens.
  case logins = "AMQP_TEST_LOGINS"
  /// Makes users for Cyrus SASL, found in PATH.
  case cyrus = "saslpasswd2"
  /// The directory of OpenSSL 1.1.1's libraries.
  case openSSL11 = "AMQP_TEST_OPENSSL11"
  /// The directory of Proton's C examples.
  case proton = "AMQP_TEST_PROTON"
  /// Interpreters with the module.
  case protonPython = "AMQP_TEST_PYTHON"
  case pika = "AMQP_TEST_PIKA"
  case tshark = "AMQP_TEST_TSHARK"
  /// rabbitmq-c's tools, found in PATH.
  case rabbitmqC = "amqp-publish"
  /// What a private broker needs: root, and `Tests/Brokers/install`.
  case ownBroker = "unshare"

  var description: String {
    switch self {
    case .rabbitMQ3: "RabbitMQ 3.10"
    case .rabbitMQ4: "RabbitMQ 4"
    case .rabbitMQ3TLS: "RabbitMQ 3.10 with TLS"
    case .rabbitMQ4TLS: "RabbitMQ 4 with TLS"
    case .certificates: "the brokers' certificates"
    case .openSSL11: "OpenSSL 1.1.1"
    case .cyrus: "Cyrus SASL"
    case .logins: "brokers with every way to log in"
    case .proton: "Qpid Proton C"
    case .protonPython: "Qpid Proton Python"
    case .pika: "pika"
    case .tshark: "tshark"
    case .rabbitmqC: "rabbitmq-c"
    case .ownBroker: "a broker of its own"
    }
  }

  private var found: String? {
    switch self {
    case .rabbitMQ3, .rabbitMQ4, .rabbitMQ3TLS, .rabbitMQ4TLS, .certificates, .logins, .openSSL11, .proton,
      .protonPython, .pika, .tshark:
      ProcessInfo.processInfo.environment[rawValue].flatMap { $0.isEmpty ? nil : $0 }
    case .rabbitmqC, .cyrus: Program.inPath(rawValue)
    case .ownBroker: RealPeer.rabbitMQ4.found == nil || getuid() != 0 ? nil : Program.inPath(rawValue)
    }
  }

  /// The URL, directory or program; throws when there is none, which fails the test that wanted it.
  var value: String {
    get throws {
      guard let found else { throw Absent(peer: self) }
      return found
    }
  }

  struct Absent: Error, CustomStringConvertible {
    let peer: RealPeer
    var description: String {
      "\(peer) is required and absent (\(peer.rawValue)): run Tests/Brokers/start and source its env"
    }
  }

  static var areRequired: Bool { ProcessInfo.processInfo.environment["AMQP_TEST_BROKERS"] == "required" }

  fileprivate var isThere: Bool { found != nil }
}

extension Trait where Self == ConditionTrait {
  /// The test needs all of these.
  static func needs(_ peers: RealPeer...) -> Self {
    let absent = peers.filter { !$0.isThere }
    let names = absent.map { "\($0) (\($0.rawValue))" }.joined(separator: ", ")
    // Not every mirror still has the old library.
    let mayLack = absent == [.openSSL11]
    return .enabled(if: absent.isEmpty || RealPeer.areRequired && !mayLack, "absent: \(names)")
  }
}
