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
  /// The channel that was spoken of last, whose state is not in `channels` meanwhile: nearly every frame is its.
  private var lastChannel: UInt16?
  private var lastState: State?

  package init() {}

  package struct Fault: Sendable {
    var expected: String
    var got: String
  }

  /// Takes a frame. Returns what is out of place, or nil.
  /// - Parameter octets: of the payload.
  /// - Parameter method: of a method frame the index of its row, when it has one.
  package mutating func next(
    _ type: FrameType091, channel: UInt16, octets: Int, method: Int?, bodySize: UInt64
  ) -> Fault? {
    if type == .heartbeat { return nil }
    if lastChannel != channel {
      if let lastChannel { channels[lastChannel] = lastState }
      (lastChannel, lastState) = (channel, channels[channel])
    }
    let state = lastState
    switch type {
    case .heartbeat: return nil
    case .method:
      lastState = .idle
      if let method, ContentSequence.carriers[method] { lastState = .header(method) }
      switch state {
      case .idle, nil: return nil
      case .header, .body:
        return Fault(
          expected: ContentSequence.expected(state), got: method.map { MethodSpec.all[$0].name } ?? "a method")
      }
    case .header:
      lastState = bodySize > 0 ? .body(declared: bodySize, seen: 0) : .idle
      switch state {
      case .header, nil: return nil
      case .body, .idle: return Fault(expected: ContentSequence.expected(state), got: "a content header")
      }
    case .body:
      switch state {
      case .header: return Fault(expected: ContentSequence.expected(state), got: "a body")
      case .body(let declared, let seen):
        let total = seen &+ UInt64(octets)
        lastState = total < declared ? .body(declared: declared, seen: total) : .idle
        return total > declared
          ? Fault(expected: "a body of \(declared) octets, as declared", got: "\(total)") : nil
      case .idle:
        // Some peers send an empty body for an empty message.
        return octets == 0
          ? nil : Fault(expected: "no more octets than the content header declared", got: "a body")
      case nil: return nil
      }
    }
  }

  /// Which rows of `MethodSpec.all` have content behind them.
  private static let carriers = MethodSpec.all.map(\.content)

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
    let top = nodes.firstIndex { $0.place == .performative || $0.place == .section }
    let size = top.flatMap { child(of: $0, field: HeaderField.bodySize.rawValue) }.map { nodes[$0].value } ?? 0
    let fault = contents.next(
      type, channel: UInt16(truncatingIfNeeded: head.value), octets: max(Int(head.length) - Frame091.overhead, 0),
      method: top.flatMap { nodes[$0].methodIndex }, bodySize: size)
    if let fault { add(fault) }
  }

  /// The same for a frame that was taken before.
  package mutating func add(_ fault: ContentSequence.Fault) {
    warn(Int(nodes[0].content), fault.expected, fault.got, "0-9-1 §4.2.6", depth: 1)
    nodes[0].next = UInt32(nodes.count)
  }
}
