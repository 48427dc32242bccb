// What a client said of itself and asked for, as `--listen` hears it: plain data.
import Console
import Wire

struct ClientReport {
  let peer: String
  /// Nanoseconds since 1970.
  let time: Int64
  var header: String?
  var tls: (version: String, cipher: String)?
  /// The subject of its certificate.
  var certificate: String?
  var is091: Bool?
  var mechanism: String?
  /// Nil: nobody in particular.
  var user: String?
  var isLetIn = false
  /// Of open, and of begin; or of start-ok and tune-ok.
  var containerID: String?
  var hostname: String?
  var frameSize: UInt32?
  var channels: Int?
  var idleTimeOut: UInt32?
  var offeredCapabilities: [String] = []
  var desiredCapabilities: [String] = []
  var properties = Value.null
  /// What it did, in order: links, methods, messages.
  var deeds: [Deed] = []
  var messages = 0
  var octets = 0
  /// Why it is gone; nil: in good order.
  var end: String?

  struct Deed {
    /// "attach", "queue.declare"
    let what: String
    let fields: [(name: String, value: Value)]
  }

  var product: String? { properties["product"]?.text }
  var version: String? { properties["version"]?.text }
}
