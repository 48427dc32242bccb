// `--fan-out`: each message to each receiver that is there. Every receiver has an outbox of its own, and every copy its receipt;
// one that comes later gets what is read from then on, and what a leaving one did not answer is nobody else's.
import Bytes
import Console
import Engine
import Runtime
import Wire

extension Sender {
  var fansOut: Bool { plan.fanOut != nil }

  /// For a receiver that has come.
  func ownRoute() -> Route {
    let route = newRoute(NodeAddress.none)
    routes.append(route)
    return route
  }

  /// Nothing is read before the receivers are there who were asked for, and nothing while there is none.
  var hasReceivers: Bool {
    guard let wanted = plan.fanOut, read == 0 else { return !fansOut || !routes.isEmpty }
    return outlets.count { $0.isUp } >= wanted
  }

  /// A receiver is gone: what it was sent and did not answer stays so, what it was not sent is not for it.
  func left(_ outlet: Outlet) {
    let unanswered = outlet.route.outbox.unanswered
    let unsent = outlet.route.outbox.pending - unanswered
    witness?.left(outlet.route.outbox, now: now)
    receipts.addUnanswered(unanswered)
    receipts.addUnsent(unsent)
    gone += outlet.route.outbox.total
    routes.removeAll { $0 === outlet.route }
    if unanswered + unsent > 0 {
      diagnostics.note("\(outlet.server.peer.name) left: \(unanswered) not answered, \(unsent) not sent")
    }
  }

  /// Puts a message that was read where it goes.
  func put(_ route: Route, head: Int, prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>, place: Int) {
    guard fansOut else {
      route.outbox.append(head: head, prefix: prefix, body: body, suffix: suffix, place: place)
      return
    }
    for route in routes {
      route.outbox.append(head: head, prefix: prefix, body: body, suffix: suffix, place: place)
    }
    read += 1
  }

  /// The number of the message that is read next.
  var nextPlace: Int { fansOut ? read + 1 : taken + 1 }
}

/// Bodies as they were read, to all receivers.
struct FannedMessages: MessageSink {
  let sender: Sender
  var hasRoom: Bool { sender.hasRoom }
  func accept(prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>) {
    if let route = sender.routes.first {
      sender.put(route, head: 1, prefix: prefix, body: body, suffix: suffix, place: sender.nextPlace)
    }
  }
  func accept(json line: Span<UInt8>, number: Int) throws(Failure) {}
}
