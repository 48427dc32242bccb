/// Transactions of a peer's at an acceptor (class tx, §1.9). The frames of what it publishes and settles are kept as they
/// came and handled when it commits, as if they had come then. The commit is answered when the application has settled all
/// of it; where it did not accept all, the channel ends with 406, as RabbitMQ does it.
import Bytes
import Wire

extension Machine091 {
  /// Octets of frames that all transactions of a connection may have.
  private static var batchBound: Int { 64 << 20 }

  mutating func selected(_ c: Int) {
    if channels[c].confirms && channels[c].acceptor.batch == nil {
      return failChannel(c, AMQPError(.preconditionFailed, "a channel that confirms has no transactions"))
    }
    if channels[c].acceptor.batch == nil { channels[c].acceptor.batch = Channel091.Batch() }
    keepsBatches = true
    // Numbered and unsettled, as where they are confirmed.
    confirm(c)
    reply(c, MethodRecord(MethodID.txSelectOK))
  }

  /// Keeps a frame, whose octets begin at `start` in the input, for the commit. Returns false when it is not one of those.
  mutating func keeps(_ frame: Frame091, at start: Int) -> Bool {
    guard replaying == nil, let c = channel(frame.channel), channels[c].isLive, channels[c].acceptor.batch != nil else {
      return false
    }
    switch frame.type {
    case .header, .body: break
    case .heartbeat: return false
    case .method:
      let payload = start + frame.payload.lowerBound..<start + frame.payload.upperBound
      switch input.withBytes(payload, { $0.count >= 4 ? $0.u32(0) : 0 }) {
      case MethodID.basicPublish, MethodID.basicAck, MethodID.basicNack, MethodID.basicReject: break
      default: return false
      }
    }
    let kept = channels.reduce(0) { $0 + ($1.acceptor.batch?.frames.count ?? 0) }
    if kept + frame.end > Machine091.batchBound {
      channels[c].acceptor.batch!.frames = ByteQueue()
      failChannel(c, AMQPError(.resourceError, "transactions of more than \(Machine091.batchBound) octets"))
    } else {
      input.withBytes(start..<start + frame.end) { channels[c].acceptor.batch!.frames.append($0) }
    }
    return true
  }

  mutating func ended(batch m: MethodRecord, _ c: Int) {
    guard let batch = channels[c].acceptor.batch, !batch.isCommitting else {
      return outOfPlace(m, "on channel \(channels[c].number)")
    }
    channels[c].acceptor.batch!.frames = ByteQueue()
    if m.id == MethodID.txRollback { return reply(c, MethodRecord(MethodID.txRollbackOK)) }
    channels[c].acceptor.batch!.isCommitting = true
    workDue = true
    if batch.frames.isEmpty { return }
    var whole = batch.frames
    replaying = (c, whole.count)
    input.withReadable { whole.append($0) }
    input = whole
  }

  /// So many octets of the input are handled.
  mutating func replayed(_ count: Int) {
    guard let (c, left) = replaying else { return }
    replaying = left > count ? (c, left - count) : nil
    guard replaying == nil else { return }
    workDue = true
    if channels[c].isLive && channels[c].content.kind != .none {
      fail(.connection, AMQPError(.unexpectedFrame, "a commit where a content was to go on"))
    }
  }

  /// Nothing is written about messages in a transaction but the answer to all.
  mutating func settled(batch run: Channel091.Settlement, _ c: Int) {
    for number in run.first...run.last { channels[c].incoming[number].state = .done }
    channels[c].incoming.trim { $0.state == .done }
    if run.kind != .ack { channels[c].acceptor.batch!.isPartial = true }
  }

  mutating func produceCommit(_ c: Int) {
    guard let batch = channels[c].acceptor.batch, batch.isCommitting, replaying == nil, channels[c].isLive,
      channels[c].incoming.isEmpty
    else { return }
    channels[c].acceptor.batch!.isCommitting = false
    channels[c].acceptor.batch!.isPartial = false
    if batch.isPartial { return failChannel(c, AMQPError(.preconditionFailed, "not all of it was accepted")) }
    reply(c, MethodRecord(MethodID.txCommitOK))
  }
}
