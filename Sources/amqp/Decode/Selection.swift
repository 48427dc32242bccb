// Which frames are wanted: `--only`, `--channel`, `--link`, `--address`, `--connection`, `--errors`.
import Analysis
import Bytes
import Capture
import Console
import Wire

struct Selection {
  /// Rows of `CompositeSpec.all` and of `MethodSpec.all`; nil: all frames.
  private var rows: Set<UInt16>?
  private var methods: Set<UInt16> = []
  private var headers = false
  private var empty = false
  private var channel: UInt16?
  private var link: [UInt8]?
  private var address: [UInt8]?
  private var connection: String?
  private var errors: Bool
  /// Nothing is left out.
  let isAll: Bool

  init(_ arguments: ParsedArguments) throws(Failure) {
    channel = arguments.number("channel").map { UInt16($0) }
    link = arguments.bytes("link")
    address = arguments.bytes("address")
    connection = arguments.value("connection")
    errors = arguments.flag("errors")
    isAll =
      !["only", "channel", "link", "address", "connection", "errors"].contains { arguments.flag($0) }
    if let names = arguments.value("only") {
      rows = []
      for name in names.split(separator: ",").map(String.init) {
        if !add(name.hasPrefix("@") ? String(name.dropFirst()) : name) {
          throw arguments.badValue(
            of: "only", name, expected: "names of frames: transfer, sasl-init, basic.publish, queue, header, heartbeat")
        }
      }
    }
  }

  private mutating func add(_ name: String) -> Bool {
    let before = (rows?.count ?? 0) + methods.count
    for (i, row) in CompositeSpec.all.enumerated()
    where !row.provides.isDisjoint(with: [.frame, .saslFrame]) && row.name == name {
      rows?.insert(UInt16(i))
    }
    for (i, row) in MethodSpec.all.enumerated() where [row.name, row.method, row.className].contains(name) {
      methods.insert(UInt16(i))
    }
    switch name {
    case "header": headers = true
    case "heartbeat", "empty": empty = true
    default: return (rows?.count ?? 0) + methods.count > before
    }
    return true
  }

  /// Whether anything of this connection is wanted.
  func wants(_ stream: DecodedStream) -> Bool {
    guard let connection else { return true }
    return connection == "\(stream.number)" || connection == stream.description.source
      || connection == stream.description.target
  }

  var wantsHeaders: Bool { (rows == nil || headers) && channel == nil && link == nil && address == nil && !errors }

  /// Whether what is wrong outside of frames is wanted.
  var wantsTroubles: Bool { rows == nil && channel == nil && link == nil && address == nil }

  func wants(_ dissector: Dissector, _ facts: Facts, _ conversation: borrowing Conversation) -> Bool {
    guard let head = dissector.nodes.first else { return false }
    if let channel, head.kind == .frame, UInt16(truncatingIfNeeded: head.value) != channel { return false }
    if errors && !facts.isFailure && !dissector.isMalformed { return false }
    if let rows {
      if dissector.nodes.count > 1 && dissector.nodes[1].kind != .problem {
        if let method = dissector.nodes[1].methodIndex {
          if !methods.contains(UInt16(method)) { return false }
        } else if !rows.contains(dissector.nodes[1].row) {
          return false
        }
      } else if !empty {
        return false
      }
    }
    if let link {
      guard facts.link >= 0, conversation.links[facts.link].name == link else { return false }
    }
    if let address {
      guard facts.link >= 0, conversation.links[facts.link].address == address else { return false }
    }
    return true
  }
}
