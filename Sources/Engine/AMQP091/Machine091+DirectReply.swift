/// Direct reply-to, RabbitMQ's answer to request and reply: the pseudo-queue `amq.rabbitmq.reply-to` is consumed without
/// acknowledgements, and on the same channel messages are published whose reply-to is that name. The peer puts a name in
/// its place that leads back here.
///
/// How to ask for it: attach a receiver whose source address is `Connection.directReplyAddress`, then the senders. While
/// the receiver is there every sender that is attached after it publishes on its channel, behind its basic.consume; in
/// `remoteAttach` the receiver's source address is what belongs into the messages' reply-to. Replies come settled, as
/// fast as the peer sends them: no credit and no budget holds them back. Detaching a sender leaves the others alone,
/// detaching the receiver ends its channel and with it all of them.
import Wire

extension Connection {
  /// The source address of a receiver that direct replies come to, over 0-9-1.
  package static var directReplyAddress: String { Node091.queue(Machine091.directReply).address }
}

extension Machine091 {
  static let directReply = "amq.rabbitmq.reply-to"

  static func isDirectReply(_ attach: Attach) -> Bool {
    attach.role == .receiver && attach.source?.address.text.flatMap { Node091($0) } == .queue(directReply)
  }

  /// The channel on which the next sender publishes with others: those who want replies, or work in one transaction;
  /// nil: it has a channel of its own.
  var sharedChannel: Int? {
    let c = links.first {
      $0.isLive && ($0.receiver.isDirectReply || (settings.isTransactional && $0.role == .sender))
    }?.channel
    return c.flatMap { $0 >= 0 && channels[$0].isLive ? $0 : nil }
  }

  /// The link is a sender on another one's channel.
  func isGuest(_ l: Int) -> Bool {
    let c = links[l].channel
    return settings.role == .initiator && links[l].role == .sender && c >= 0 && channels[c].link != l
  }

  mutating func beginDirectReply(_ l: Int) {
    links[l].receiver.isSettled = true
    links[l].remote.sndSettleMode = .settled
    links[l].remote.source?.address = .string(Machine091.directReply)
  }

  /// A sender goes, and the channel stays for the others. Behind half a message nothing can follow on it.
  mutating func leave(_ l: Int, _ error: AMQPError?) {
    let c = links[l].channel
    if links[l].sender.partial != nil { return abandon(c, CloseReason(.link, .local, error)) }
    tell(l, CloseReason(.link, .local, error))
    retire(l)
  }
}
