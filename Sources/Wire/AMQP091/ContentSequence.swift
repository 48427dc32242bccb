/// What one frame of 0-9-1 can't tell: whether content headers and bodies come where a method announced them, and with as
/// many octets (§4.2.6). One of these follows one direction of a connection, channel by channel.
import Bytes

package struct ContentSequence: Sendable {
  private enum State: Sendable {
    /// Between messages.
    case idle
    /// After a method that carries content: the index of its row.
    case header(Int)
    case body(declared: UInt64, seen: UInt64)
  }

  /// A channel that is not here was not heard of: what is cut out of the middle may start anywhere.
  private var channels: [UInt16: State] = [:]

  package init() {}

  /// What is out of place, or nil.
  fileprivate mutating func next(_ frame: Frame091, method: Int?, bodySize: UInt64) -> (expected: String, got: String)?
  {
    let state = channels[frame.channel]
    switch frame.type {
    case .heartbeat: return nil
    case .method:
      let row = method.map { MethodSpec.all[$0] }
      channels[frame.channel] = row?.content == true ? method.map(State.header) : .idle
      switch state {
      case .idle, nil: return nil
      case .header, .body: return (ContentSequence.expected(state), row?.name ?? "a method")
      }
    case .header:
      channels[frame.channel] = bodySize > 0 ? .body(declared: bodySize, seen: 0) : .idle
      switch state {
      case .header, nil: return nil
      case .body, .idle: return (ContentSequence.expected(state), "a content header")
      }
    case .body:
      switch state {
      case .header: return (ContentSequence.expected(state), "a body")
      case .body(let declared, let seen):
        let total = seen &+ UInt64(frame.payload.count)
        channels[frame.channel] = total < declared ? .body(declared: declared, seen: total) : .idle
        return total > declared ? ("a body of \(declared) octets, as declared", "\(total)") : nil
      case .idle:
        // Some peers send an empty body for an empty message.
        return frame.payload.isEmpty ? nil : ("no more octets than the content header declared", "a body")
      case nil: return nil
      }
    }
  }

  private static func expected(_ state: State?) -> String {
    switch state {
    case .idle, nil: "a method that carries content first"
    case .header(let row): "the content header of \(MethodSpec.all[row].name)"
    case .body(let declared, let seen): "the other \(declared - min(seen, declared)) of \(declared) octets of body"
    }
  }
}

extension Dissector {
  /// Adds a warning to the frame that `frame091` has just read when it is out of place after those before it.
  package mutating func follow(_ contents: inout ContentSequence) {
    guard let head = nodes.first, head.is091, head.kind == .frame,
      let type = FrameType091(rawValue: UInt8(truncatingIfNeeded: head.value >> 16))
    else { return }
    let payload = Int(head.content)..<Int(head.content) + max(Int(head.length) - Frame091.overhead, 0)
    let frame = Frame091(type: type, channel: UInt16(truncatingIfNeeded: head.value), payload: payload)
    let top = nodes.firstIndex { $0.place == .performative || $0.place == .section }
    let size = top.flatMap { child(of: $0, field: HeaderField.bodySize.rawValue) }.map { nodes[$0].value } ?? 0
    if let fault = contents.next(frame, method: top.flatMap { nodes[$0].methodIndex }, bodySize: size) {
      warn(payload.lowerBound, fault.expected, fault.got, "0-9-1 §4.2.6", depth: 1)
      nodes[0].next = UInt32(nodes.count)
    }
  }
}
