// Heads of messages of which no two are alike: what of a message depends on its number, on the time, or on where its reply
// goes. A run whose messages have all the same head has no maker, and pays for none.
import Bytes
import Console
import Engine
import Wire

struct MessageMaker {
  /// What the options say of every message; with fields in them they say it anew for each.
  private let draft: MessageDraft
  private let arguments: ParsedArguments
  private let templates: Templates?
  /// With fields in TARGET.
  private let target: Template?
  private let stamps: Bool

  /// Nil: all messages have the same head.
  /// - Parameter templates: they have made `draft`, of the first message.
  /// - Parameter isNeeded: something is put into each message when it is read.
  init?(
    _ arguments: ParsedArguments, _ draft: MessageDraft, _ templates: Templates?, target: Template?, isNeeded: Bool
  ) {
    stamps = arguments.flag("stamp")
    self.templates = templates?.vary == true ? templates : nil
    self.target = target
    if !stamps && self.templates == nil && target == nil && !isNeeded { return nil }
    (self.arguments, self.draft) = (arguments, draft)
  }

  /// The head of the message with this number among all that are read.
  func head(place: Int) throws(Failure) -> MessageDraft {
    var draft = draft
    if let templates {
      draft = try MessageOptions.draft(arguments) { (text, option) throws(Failure) in
        try templates.expand(text, option, number: place)
      }
    }
    try complete(&draft, place: place)
    return draft
  }

  /// Where it goes; nil: where all go.
  func address(place: Int) -> NodeAddress? {
    target.map { NodeAddress(String(decoding: $0.expand(number: place), as: UTF8.self)) }
  }

  /// Adds to a message that brings its own head what comes from here.
  func complete(_ draft: inout MessageDraft, place: Int) throws(Failure) {
    if stamps {
      draft.messageAnnotations = (draft.messageAnnotations ?? []).filter { $0.key != Stamp.entry.key } + [Stamp.entry]
    }
  }

  /// The next messages go out now.
  func begin(_ outbox: inout Outbox, atMost limit: Int, wall: Int64) {
    if stamps { Stamp.put(wall, into: &outbox, atMost: limit) }
  }
}

/// A body as it was read, to a message with a head of its own.
struct MadeMessages: MessageSink {
  let sender: Sender
  let maker: MessageMaker

  var hasRoom: Bool { sender.hasRoom }

  func accept(prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>) throws(Failure) {
    let place = sender.nextPlace
    guard var route = sender.routes.first else { return }
    if let address = maker.address(place: place) {
      route = sender.route(address)
      if let server = sender.served.first, sender.listener == nil { sender.beginIfReady(route, on: server) }
    }
    sender.scratch.removeAll()
    var draft = try maker.head(place: place)
    sender.replies?.prepare(&draft, place: place, now: sender.now)
    draft.encodeHead(into: &sender.scratch)
    sender.scratch.append(prefix)
    sender.scratch.withReadable {
      sender.put(route, head: 0, prefix: $0, body: body, suffix: suffix, place: place)
    }
    if route.outbox.isFresh { sender.lastProgress = sender.now }
  }

  func accept(json line: Span<UInt8>, number: Int) throws(Failure) {}
}
