/// Holds what an end of 0-9-1 wrote against the rules: frames are well formed and not too large, methods stand on channels
/// that it opened or answered for, and every content is whole before anything else stands on its channel.
import Bytes
import Engine
import Wire

struct WrittenCheck091 {
  private let role: ConnectionSettings.Role
  private let frameSize: Int
  private var isOpen: Set<UInt16> = []
  /// We closed them, and did not open them again.
  private var isClosed: Set<UInt16> = []
  /// Octets of body that are still due, by channel; nil behind a publish.
  private var contents: [UInt16: Int?] = [:]
  private var closed = false
  private var answered = false

  init(_ role: ConnectionSettings.Role, frameSize: Int) { (self.role, self.frameSize) = (role, frameSize) }

  mutating func check(_ written: [UInt8]) {
    guard written.count >= ProtocolHeader.size else { return }
    // An acceptor says it only to those who speak something else, and nothing more.
    let hasHeader = Array(written.prefix(8)) == ProtocolHeader.amqp091.bytes
    require(hasHeader || role == .acceptor, "written: another header")
    require(!hasHeader || role == .initiator || written.count == 8, "written: more than a header")
    var at = hasHeader ? ProtocolHeader.size : 0
    while at < written.count {
      guard case .frame(let frame) = Frame091.read(written.span, at: at, largest: UInt32(max(frameSize, 65_536))) else {
        fatalError("written: no frame at \(at)")
      }
      // Closes may cross: the peer's is answered all the same.
      require(!closed || (!answered && isCloseOK(written, frame)), "written: a frame after close")
      switch frame.type {
      case .method: method(written, frame)
      case .header:
        require(contents[frame.channel] == .some(nil), "written: a header on channel \(frame.channel)")
        guard let header = HotContentHeader(written.span, frame.payload) else { fatalError("written: a header") }
        contents[frame.channel] = header.bodySize == 0 ? nil : .some(Int(header.bodySize))
      case .body:
        guard case .some(.some(let left)) = contents[frame.channel], left >= frame.payload.count else {
          fatalError("written: a body on channel \(frame.channel)")
        }
        require(frame.end - at <= frameSize, "written: a frame of \(frame.end - at) octets")
        contents[frame.channel] = left == frame.payload.count ? nil : .some(left - frame.payload.count)
      case .heartbeat: break
      }
      at = frame.end
    }
  }

  private func isCloseOK(_ written: [UInt8], _ frame: Frame091) -> Bool {
    guard frame.type == .method, let m = try? MethodRecord(written.span, frame.payload) else { return false }
    return m.id == MethodID.connectionCloseOK
  }

  private mutating func method(_ written: [UInt8], _ frame: Frame091) {
    let m: MethodRecord
    do { m = try MethodRecord(written.span, frame.payload) } catch { fatalError("written: \(error)") }
    let name = MethodSpec.row(m.id)?.name ?? "?"
    let channel = frame.channel
    if channel == 0 {
      require(m.id >> 16 == 10, "written: \(name) on channel 0")
      answered = m.id == MethodID.connectionCloseOK
      closed = m.id == MethodID.connectionClose || answered
      return
    }
    if m.id == (role == .initiator ? MethodID.channelOpen : MethodID.channelOpenOK) {
      require(isOpen.insert(channel).inserted, "written: a second open of channel \(channel)")
      isClosed.remove(channel)
      return
    }
    // Closes may cross here too.
    let isAnswer = m.id == MethodID.channelCloseOK && isClosed.contains(channel)
    require(isOpen.contains(channel) || isAnswer, "written: \(name) on channel \(channel), which is not open")
    require(self.contents[channel] == nil || m.id == MethodID.channelCloseOK, "written: \(name) in a content")
    let contents = [MethodID.basicPublish, MethodID.basicDeliver, MethodID.basicGetOK, MethodID.basicReturn]
    if contents.contains(m.id) { self.contents[channel] = .some(nil) }
    if m.id == MethodID.channelClose || m.id == MethodID.channelCloseOK {
      self.contents[channel] = nil
      isOpen.remove(channel)
    }
    if m.id == MethodID.channelClose { isClosed.insert(channel) }
  }
}
