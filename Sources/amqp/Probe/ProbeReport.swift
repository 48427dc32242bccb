// What is found out about one peer: plain data, which the steps fill in and the renderers and conditions read. Nil and
// empty mean that it is not known, or that there is none of it.
import Console
import Transport
import Wire

struct ProbeReport {
  /// "localhost:5672"
  let peer: String
  /// Nanoseconds since 1970.
  let time: Int64
  var round = 1

  var name: Name?
  var tcp: TCP?
  var tls: TLS?
  /// One for each row of `HeaderAnswer.rows`, in their order, as far as they were asked.
  var answers: [HeaderAnswer] = []
  var sessions: [SessionReport] = []
  var nodes: [NodeReport] = []
  /// Why nothing more could be found out.
  var failure: Failure?

  struct Name {
    /// Nanoseconds, 0 for what needs no asking.
    let duration: Int64
    let addresses: [String]
  }

  struct TCP {
    let duration: Int64
    let address: String
  }

  struct TLS {
    /// Nil: there was no session.
    var duration: Int64?
    let version: String
    let cipher: String
    /// The peer's own first.
    let chain: [TLSCertificate]
    /// Why it is not trusted.
    var fault: String?
    /// It was asked to say who it is, whether it did or not.
    let isVerified: Bool
    /// Seconds since 1970: what the days that are left count from.
    let now: Int64

    /// Whole days until the certificate expires; negative when it has.
    func daysLeft(_ certificate: TLSCertificate) -> Int64? {
      certificate.notAfter.map { ($0 - now >= 0 ? $0 - now : $0 - now - 86_399) / 86_400 }
    }
  }

  // MARK: What several steps say

  /// The first session that came to be.
  var session: SessionReport? { sessions.first { $0.isOpen } }

  private func property(_ name: String) -> String? {
    let maps = sessions.map(\.properties) + answers.map(\.properties)
    return maps.lazy.compactMap { $0[name]?.text }.first
  }
  var product: String? { property("product") }
  var version: String? { property("version") }
  var platform: String? { property("platform") }

  var mechanisms: [String] {
    let offers = answers.map(\.mechanisms) + sessions.map(\.mechanisms)
    return offers.first { !$0.isEmpty } ?? []
  }

  /// Nil: nobody was asked.
  var areCredentialsAccepted: Bool? {
    if sessions.contains(where: { $0.login == .accepted }) { return true }
    return sessions.contains { $0.login == .refused } ? false : nil
  }
}

/// A connection in earnest: logged in and opened, in one of the protocols.
struct SessionReport {
  enum Login { case unknown, accepted, refused }

  let is091: Bool
  /// Nanoseconds from the first octet until the peer's open.
  var duration: Int64?
  var login = Login.unknown
  var mechanism: String?
  var user: String?
  var mechanisms: [String] = []
  var containerID: String?
  var properties = Value.null
  var offeredCapabilities: [String] = []
  var desiredCapabilities: [String] = []
  /// The peer's own, nil: no limit; and what both keep to.
  var frameSize: UInt32?
  var agreedFrameSize: UInt32?
  /// Channels at once.
  var channels: Int?
  var agreedChannels: Int?
  /// Milliseconds.
  var idleTimeOut: UInt32?
  /// Why the peer takes no messages for now.
  var blocked: String?
  /// Nanoseconds each, in the order in which they were measured.
  var beats: [Int64] = []
  var failure: Failure?

  var isOpen: Bool { duration != nil && failure == nil }

  /// What goes to and fro in a beat.
  var beat: String { is091 ? "basic.qos" : "end" }
}

/// What a peer says of a node.
struct NodeReport {
  /// As the user named it.
  let name: String
  /// Nil: it is not known, as when we may not look.
  var exists: Bool?
  /// classic, quorum, stream; queue, topic, exchange.
  var type: String?
  var messages: UInt64?
  var consumers: UInt64?
  var isDurable: Bool?
  var isExclusive: Bool?
  var isAutoDelete: Bool?
  var leader: String?
  var replicas: [String] = []
  var arguments = Value.null
  /// What the peer answered to an attach.
  var source: Terminus?
  var target: Terminus?
  /// Why something is not known.
  var failure: Failure?

  struct Terminus {
    var address: String?
    var capabilities: [String] = []
    var linkCapabilities: [String] = []
    var sndSettleMode = SenderSettleMode.mixed
    var rcvSettleMode = ReceiverSettleMode.first
    /// Nil: no limit.
    var maxMessageSize: UInt64?
    var durable: UInt32 = 0
    var expiryPolicy: String?
    /// Of a source.
    var filters: [String] = []
    var outcomes: [String] = []
    var distributionMode: String?
    /// Of a target: what was granted.
    var credit: Int?
  }
}
