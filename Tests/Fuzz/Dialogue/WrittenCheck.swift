/// Holds what a connection wrote, whatever was done to it, against the rules of part 2 for who writes: frames are well
/// formed, transfers not too large, and each stands where it may stand.
import Bytes
import Engine
import Wire

struct WrittenCheck {
  private let frameSize: Int
  private var opened = false
  private var closed = false
  private var channels: [UInt16: Channel] = [:]

  private struct Channel {
    var nextDelivery: UInt32?
    var handles: [UInt32: Role] = [:]
    /// Deliveries that are not whole, by handle.
    var unfinished: [UInt32: UInt32] = [:]
  }

  init(frameSize: Int) { self.frameSize = frameSize }

  mutating func check(_ written: [UInt8]) {
    let b = written.span
    var dissector = Dissector()
    var at = 0
    while at < written.count {
      if written[at] == 0x41 {
        guard case .header = ProtocolHeader.read(b.extracting(at..<written.count)) else {
          fatalError("written: half a header at \(at)")
        }
        require(!opened, "written: a header after open")
        at += ProtocolHeader.size
        continue
      }
      guard case .frame(let end) = dissector.frame(b, at: at, payload: .opaque), !dissector.isMalformed else {
        fatalError("written: malformed at \(at): \(dissector.firstFault.map { "\($0)" } ?? "half a frame")")
      }
      require(!closed, "written: a frame after close")
      if written[at + 5] == 0, dissector.nodes.count > 1, let record = dissector.record(at: 1, b) {
        frame(record, channel: b.u16(at + 6), size: end - at)
      }
      at = end
    }
  }

  private mutating func frame(_ r: Record, channel: UInt16, size: Int) {
    switch r.code {
    case Code.open:
      require(!opened, "written: a second open")
      opened = true
    case Code.close: closed = true
    case Code.begin:
      require(channels[channel] == nil, "written: a second begin on channel \(channel)")
      channels[channel] = Channel()
    case Code.end:
      require(channels.removeValue(forKey: channel) != nil, "written: an end on channel \(channel)")
    default:
      guard var c = channels[channel] else { fatalError("written: \(r.code) on channel \(channel)") }
      require(opened, "written: \(r.code) before open")
      WrittenCheck.frame(r, &c, size, frameSize)
      channels[channel] = c
    }
  }

  private static func frame(_ r: Record, _ c: inout Channel, _ size: Int, _ frameSize: Int) {
    switch r.code {
    case Code.attach:
      let attach = Attach(r)
      require(c.handles[attach.handle] == nil, "written: handle \(attach.handle) is attached already")
      c.handles[attach.handle] = attach.role
    case Code.detach:
      let handle = Detach(r).handle
      require(c.handles.removeValue(forKey: handle) != nil, "written: a detach of \(handle)")
      c.unfinished[handle] = nil
    case Code.flow:
      if let handle = Flow(r).handle { require(c.handles[handle] != nil, "written: a flow for \(handle)") }
    case Code.transfer: transfer(Transfer(r), &c, size, frameSize)
    case Code.disposition:
      let d = Disposition(r)
      require(d.last?.ahead(d.first) ?? 0 >= 0, "written: a disposition from \(d.first) to \(d.last ?? 0)")
    default: fatalError("written: \(r.code)")
    }
  }

  private static func transfer(_ t: Transfer, _ c: inout Channel, _ size: Int, _ frameSize: Int) {
    require(size <= frameSize, "written: a transfer of \(size) octets, \(frameSize) may be")
    require(c.handles[t.handle] == .sender, "written: a transfer on handle \(t.handle)")
    if let id = c.unfinished[t.handle] {
      require(t.deliveryID == nil || t.deliveryID == id, "written: delivery \(t.deliveryID ?? 0) amid \(id)")
    } else {
      guard let id = t.deliveryID else { fatalError("written: a delivery without an id") }
      require(t.deliveryTag != nil, "written: a delivery without a tag")
      require(c.nextDelivery == nil || c.nextDelivery == id, "written: delivery \(id), not \(c.nextDelivery ?? 0)")
      c.nextDelivery = id &+ 1
      c.unfinished[t.handle] = id
    }
    if !t.more || t.aborted { c.unfinished[t.handle] = nil }
  }
}

extension UInt32 {
  fileprivate func ahead(_ other: UInt32) -> Int { Int(Int32(bitPattern: self &- other)) }
}
