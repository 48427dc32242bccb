/// How a 0-9-1 connection begins and ends: protocol header, start, tune, open, close (§1.4.2, §4.2.2). The acceptor's half
/// of the beginning is in a file of its own.
import Bytes
import Wire

extension Machine091 {
  /// The peer answered our header with something that is no frame.
  mutating func readOtherHeader() -> Bool {
    switch input.withReadable({ ProtocolHeader.read($0) }) {
    case .incomplete: return false
    case .other:
      fail(.transport, input.foreignError)
    case .header(let header):
      peer.header = header
      end(
        CloseReason(
          .transport, .peer,
          AMQPError(
            Condition.notImplemented,
            "the peer speaks \(header.description), not \(ProtocolHeader.amqp091.description)",
            info: .string(header.description))))
    }
    return true
  }

  /// A method of class connection, on channel 0.
  mutating func connection(_ m: MethodRecord) {
    // §1.4.2.8: behind our close only the peer's, or its answer, is of interest.
    if closeSent && m.id != MethodID.connectionClose && m.id != MethodID.connectionCloseOK { return }
    switch (phase, m.id) {
    case (_, MethodID.connectionClose): receivedClose(AMQPError(m))
    case (_, MethodID.connectionCloseOK) where closeSent: end(CloseReason(.connection, .local, closeError))
    case (.start, MethodID.connectionStart): receivedStart(m)
    case (.tune, MethodID.connectionSecure): receivedSecure(m)
    case (.tune, MethodID.connectionTune): receivedTune(m)
    case (.opening, MethodID.connectionOpenOK): phase = .running
    case (.opening, MethodID.connectionBlocked), (.running, MethodID.connectionBlocked):
      isBlocked = true
      events.append(.blocked(m.text("reason")))
    case (.opening, MethodID.connectionUnblocked), (.running, MethodID.connectionUnblocked):
      isBlocked = false
      events.append(.unblocked)
    default:
      if settings.role == .acceptor { acceptorConnection(m) } else { outOfPlace(m, "on channel 0") }
    }
  }

  // MARK: Start

  private mutating func receivedStart(_ m: MethodRecord) {
    let properties = m["server-properties"]
    let capabilities = properties["capabilities"] ?? .null
    canConfirm = capabilities["publisher_confirms"]?.bool ?? false
    canNack = capabilities["basic.nack"]?.bool ?? false
    peer.open.properties = properties
    peer.open.containerID = properties["cluster_name"]?.text ?? ""
    peer.mechanisms = m.text("mechanisms").split(separator: " ").map(String.init)
    // There is no leaving SASL out: whoever has no use for it is nobody.
    let ours = settings.mechanisms.isEmpty ? [.anonymous] : settings.mechanisms
    do throws(SASLFault) {
      let mechanism = try SASLMechanism.choose(settings, ours, offered: peer.mechanisms)
      peer.mechanism = mechanism.rawValue
      let initiator = try SASLInitiator(mechanism, settings)
      sasl = .initiator(initiator)
      send(
        0,
        MethodRecord(
          MethodID.connectionStartOK,
          [
            "client-properties": clientProperties, "mechanism": .string(mechanism.rawValue),
            "response": .binary(initiator.first), "locale": .string("en_US"),
          ]))
      phase = .tune
    } catch {
      end(error.closeReason)
    }
  }

  private mutating func receivedSecure(_ m: MethodRecord) {
    guard case .initiator(var initiator) = sasl else { return outOfPlace(m, "on channel 0") }
    do throws(SASLFault) {
      let response = try initiator.answer(m.octets("challenge"))
      sasl = .initiator(initiator)
      send(0, MethodRecord(MethodID.connectionSecureOK, ["response": .binary(response)]))
    } catch {
      end(error.closeReason)
    }
  }

  private var clientProperties: Value {
    var entries = (settings.properties.entries ?? []).map { MapEntry(.string($0.key.text ?? ""), $0.value) }
    entries.append(MapEntry(.string("connection_name"), .string(settings.containerID)))
    let capabilities = [
      "publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked",
      "authentication_failure_close", "exchange_exchange_bindings", "per_consumer_qos",
    ]
    entries.append(
      MapEntry(.string("capabilities"), .map(capabilities.map { MapEntry(.string($0), .boolean(true)) })))
    return .map(entries)
  }

  // MARK: Tune and open

  private mutating func receivedTune(_ m: MethodRecord) {
    if case .initiator(var initiator) = sasl {
      do throws(SASLFault) { try initiator.succeeded(nil) } catch { return end(error.closeReason) }
      sasl = .none
    }
    let theirs = UInt32(m["frame-max"].unsigned ?? 0)
    if theirs != 0 && theirs < Frame091.minimumSize {
      return fail(
        .connection, AMQPError(.syntaxError, "frame-max \(theirs) is below \(Frame091.minimumSize)"))
    }
    peer.tune = PeerDescription.Tune(
      frameMax: theirs, channelMax: UInt16(m["channel-max"].unsigned ?? 0),
      heartbeat: UInt16(m["heartbeat"].unsigned ?? 0))
    frameMax = Machine091.tuned(frameMax, theirs)
    channelMax = Machine091.tuned(channelMax, UInt16(m["channel-max"].unsigned ?? 0))
    // A peer that wants none is sent none.
    heartbeat = min(Machine091.seconds(settings.idleTimeOut), UInt16(m["heartbeat"].unsigned ?? 0))
    peer.open.maxFrameSize = frameMax
    peer.open.channelMax = channelMax
    peer.open.idleTimeOut = heartbeat == 0 ? nil : UInt32(heartbeat) * 1_000
    send(
      0,
      MethodRecord(
        MethodID.connectionTuneOK,
        [
          "channel-max": .ushort(channelMax), "frame-max": .uint(frameMax), "heartbeat": .ushort(heartbeat),
        ]))
    send(0, MethodRecord(MethodID.connectionOpen, ["virtual-host": .string(settings.virtualHost)]))
    phase = .opening
    workDue = true
    // Nothing that follows waits for open-ok: it would cost a round trip and say nothing new.
    events.append(.opened)
    for l in links.indices where links[l].state != .detached { begin(l) }
  }

  /// The smaller one of two, of which 0 is none at all.
  static func tuned<T: UnsignedInteger>(_ ours: T, _ theirs: T) -> T { theirs == 0 ? ours : min(ours, theirs) }

  static func seconds(_ milliseconds: UInt32) -> UInt16 {
    UInt16(clamping: milliseconds / 1_000 + (milliseconds % 1_000 == 0 ? 0 : 1))
  }

  // MARK: Close

  mutating func receivedClose(_ error: AMQPError?) {
    closeOKDue = true
    workDue = true
    var scope = CloseReason.Scope.connection
    if phase == .tune || phase == .startOK || phase == .secureOK { scope = .sasl }
    end(CloseReason(scope, .peer, error))
  }

  /// We are done: nothing more is sent but the close; the peer's answer is still awaited.
  mutating func close(_ error: AMQPError?) {
    if closeDue || closeSent { return }
    closeDue = true
    closeError = error
    // A client takes a server's close for a failure, whatever its code: in good order it goes first.
    if settings.role == .acceptor && error == nil && phase == .running {
      closeNotBefore = now + Machine091.closeGrace
    }
    workDue = true
  }

  /// The peer is at fault: say so and stop.
  mutating func fail(_ scope: CloseReason.Scope, _ error: AMQPError) {
    if phase == .over { return }
    // Before that it may be anybody, who would not understand.
    if phase != .header && phase != .start { close(error) }
    end(CloseReason(scope, .local, error))
  }

  mutating func end(_ reason: CloseReason) {
    if closedReported { return }
    closedReported = true
    phase = .over
    // There is nothing left to wait for with it.
    closeNotBefore = nil
    if closeDue { workDue = true }
    events.append(.closed(reason))
  }
}
