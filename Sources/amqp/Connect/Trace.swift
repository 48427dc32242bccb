// `--trace` and `--dry-run`: the frames of a connection as they pass, cut out of the octets in both directions and shown
// by the same renderers that `decode` uses.
import Bytes
import Console
import Render
import Runtime
import Wire

final class Trace {
  enum Form { case line, tree, hex, plainHex }

  private let form: Form
  private let showSecrets: Bool
  private let writes: (Span<UInt8>) -> Void
  /// Somebody else who takes the octets of each connection in its place.
  private let listener: (() -> (Peer.Direction, Span<UInt8>) -> Void)?
  private var dissector = Dissector()
  private var text = ByteQueue()

  /// - Parameter writes: takes whole lines.
  init(_ form: Form, showSecrets: Bool, writes: @escaping (Span<UInt8>) -> Void) {
    (self.form, self.showSecrets, self.writes) = (form, showSecrets, writes)
    listener = nil
    // What is shown is no reason to stop: the machine has limits of its own.
    dissector.limits.frameSize = 1 << 30
  }

  /// Shows nothing: `listener` is asked once for each connection.
  init(listener: @escaping () -> (Peer.Direction, Span<UInt8>) -> Void) {
    (form, showSecrets, writes) = (.line, false, { _ in })
    self.listener = listener
  }

  /// As the options say; nil: no trace.
  convenience init?(_ arguments: ParsedArguments, _ diagnostics: Diagnostics) {
    let form: Form
    switch arguments.flag("trace") ? arguments.value("trace") : nil {
    case "line": form = .line
    case "tree": form = .tree
    case "hex": form = .hex
    default: return nil
    }
    self.init(form, showSecrets: arguments.flag("show-secrets")) { diagnostics.writeLines($0) }
  }

  func attach(to peer: Peer) { peer.taps.append(tap()) }

  /// Takes the octets of one connection.
  func tap() -> (Peer.Direction, Span<UInt8>) -> Void {
    if let listener { return listener() }
    let dialect = Dialect()
    let incoming = Stream(dialect)
    let outgoing = Stream(dialect)
    return { [self] direction, octets in
      switch direction {
      case .incoming: if form != .plainHex { show(octets, incoming, "<- ") }
      case .outgoing: show(octets, outgoing, "-> ")
      }
    }
  }

  /// Which protocol a connection speaks, once its first octets have told. Only one side of 0-9-1 sends a header.
  private final class Dialect {
    var is091: Bool?
  }

  /// One direction: what is not a whole frame yet, and which deliveries go on in the next one.
  private final class Stream {
    var octets = ByteQueue()
    var open: Set<UInt64> = []
    var isLost = false
    var contents = ContentSequence()
    let dialect: Dialect

    init(_ dialect: Dialect) { self.dialect = dialect }
  }

  private func show(_ octets: Span<UInt8>, _ stream: Stream, _ arrow: StaticString) {
    stream.octets.append(octets)
    text.removeAll()
    while !stream.octets.isEmpty && !stream.isLost {
      let size = stream.octets.withReadable { one($0, stream, arrow) }
      if size == 0 { break }
      stream.octets.consume(size)
    }
    if stream.isLost { stream.octets.removeAll() }
    text.withReadable { if !$0.isEmpty { writes($0) } }
  }

  /// Shows what is at the front. Returns its octets, 0 when it is not all there.
  private func one(_ b: Span<UInt8>, _ stream: Stream, _ arrow: StaticString) -> Int {
    if b[0] == 0x41 {
      switch ProtocolHeader.read(b) {
      case .incomplete: return 0
      case .header(let header):
        if stream.dialect.is091 == nil { stream.dialect.is091 = header == .amqp091 }
        if form == .plainHex {
          text.append(hex: b.extracting(0..<ProtocolHeader.size))
        } else {
          text.append(arrow)
          FrameLine.append(header, to: &text)
        }
        text.append(0x0a)
        return ProtocolHeader.size
      case .other: break
      }
    }
    // A frame of 1.0 starts with its size, which is never so large; one of 0-9-1 with its type, which is never 0.
    let is091 = stream.dialect.is091 ?? (b[0] != 0)
    stream.dialect.is091 = is091
    let result = is091 ? dissector.frame091(b, at: 0) : dissector.frame(b, at: 0, payload: .message)
    switch result {
    case .incomplete: return 0
    case .lost:
      stream.isLost = true
      text.append(arrow)
      text.append("no AMQP frame\n")
      return b.count
    case .frame(let end):
      if is091 { dissector.follow(&stream.contents) } else { joinParts(b, stream) }
      let frame = b.extracting(0..<end)
      switch form {
      case .plainHex:
        text.append(hex: frame)
        text.append(0x0a)
      case .line:
        text.append(arrow)
        FrameLine.append(dissector, b, showSecrets: showSecrets, to: &text)
        text.append(0x0a)
      case .tree:
        text.append(arrow)
        FrameTree.append(dissector, b, showSecrets: showSecrets, to: &text)
      case .hex:
        text.append(arrow)
        text.append(0x0a)
        FrameHex.append(dissector, b, showSecrets: showSecrets, to: &text)
      }
      return end
    }
  }

  /// A transfer that goes on with a delivery holds no message of its own: it is read again without looking into it.
  private func joinParts(_ b: Span<UInt8>, _ stream: Stream) {
    guard dissector.nodes.count > 1, let record = dissector.record(at: 1, b), record.code == Code.transfer else {
      return
    }
    let transfer = Transfer(record)
    let key = (dissector.nodes[0].value & 0xffff) << 32 | UInt64(transfer.handle)
    let goesOn = stream.open.contains(key)
    if transfer.more && !transfer.aborted { stream.open.insert(key) } else { stream.open.remove(key) }
    if goesOn { _ = dissector.frame(b, at: 0, payload: .opaque) }
  }
}
