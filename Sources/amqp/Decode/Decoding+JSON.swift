// Frames as JSON, a line each: what is known about a frame beside what it says.
import Analysis
import Bytes
import Console
import Render
import Wire

extension Decoding {
  func json(_ dissector: Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ facts: Facts) {
    let context = context(place, range.lowerBound, facts)
    if plan.isWire {
      FrameWireJSON.append(dissector, b, in: range, context, showSecrets: plan.showSecrets, to: &out)
    } else if facts.isJoined {
      place.stream.conversation.withJoined(facts) { whole in
        joined.message(whole, in: 0..<whole.count)
        countJoined()
        FrameJSON.append(
          dissector, b, context, origin: -place.offset, showSecrets: plan.showSecrets, whole: joined, whole, to: &out)
      }
    } else {
      FrameJSON.append(dissector, b, context, origin: -place.offset, showSecrets: plan.showSecrets, to: &out)
    }
    out.append(0x0a)
  }

  /// A line for octets that are no frame.
  func json(
    _ place: Place, _ octets: Span<UInt8>, at: Int, _ kind: FrameJSON.OctetKind, problem: Problem? = nil
  ) {
    FrameJSON.append(
      octets: octets, kind, context(place, at, Facts()), problem: problem, origin: -place.offset, to: &out)
    out.append(0x0a)
  }

  func context(_ place: Place, _ at: Int, _ facts: Facts) -> FrameContext {
    var context = FrameContext()
    let stream = place.stream
    context.time = place.time
    if stream.isCaptured { context.connection = UInt32(clamping: stream.number) }
    if !stream.isOneWay {
      context.direction =
        stream.isCaptured
        ? (place.isFromClient ? .clientToServer : .serverToClient) : place.side == 0 ? .outgoing : .incoming
    }
    context.offset = UInt64(place.offset + at)
    if facts.link >= 0 {
      if facts.since == .transfer { context.link = stream.conversation.links[facts.link].name }
      context.address = stream.conversation.links[facts.link].address
    }
    (context.latency, context.since) = (facts.latency, facts.since.name)
    (context.answered, context.unknown) = (facts.answered, stream.isCaptured ? facts.unknown : 0)
    switch facts.part {
    case .whole: context.part = .whole
    case .first: context.part = .first
    case .middle: context.part = .middle
    case .last: context.part = .last
    }
    return context
  }
}
