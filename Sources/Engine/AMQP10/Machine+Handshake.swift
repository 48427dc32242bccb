/// How a 1.0 connection begins and ends: protocol headers (part 2 §2.2), SASL (part 5 §5.3), open and close (part 2 §2.4).
import Bytes
import Wire

extension Machine10 {
  // MARK: Headers

  mutating func readHeader() -> Bool {
    switch input.withReadable({ ProtocolHeader.read($0) }) {
    case .incomplete: return false
    case .other:
      if settings.role == .acceptor { output.append(header(of: phase).bytes) }
      mayOpen = false
      fail(.transport, input.foreignError)
      return true
    case .header(let header):
      input.skip(ProtocolHeader.size)
      accept(header)
      return true
    }
  }

  /// The header that is due in this phase.
  func header(of phase: Phase) -> ProtocolHeader { phase == .saslHeader ? .sasl10 : .amqp10 }

  mutating func accept(_ header: ProtocolHeader) {
    let wanted = self.header(of: phase)
    if settings.role == .acceptor {
      if header == .amqp10 && (phase == .amqpHeader || settings.user == nil) {
        // A peer may leave SASL out where nobody asks who it is.
        output.append(ProtocolHeader.amqp10.bytes)
        mayOpen = true
        workDue = true
        phase = .open
      } else if header == .sasl10 && phase == .saslHeader {
        output.append(ProtocolHeader.sasl10.bytes)
        let value = Value(symbols: settings.offered(identity: identity).map(\.rawValue))
        output.appendFrame(.sasl, channel: 0) { q in q.append(Record(Code.saslMechanisms, [value])) }
        phase = .saslInit
      } else {
        output.append(wanted.bytes)
        mayOpen = false
        end(
          CloseReason(
            .transport, .local,
            AMQPError(
              Condition.framingError, "the peer asked for \(header.description), we speak \(wanted.description)")))
      }
      return
    }
    if header != wanted { peer.header = header }
    if header == wanted {
      phase = phase == .saslHeader ? .saslMechanisms : .open
    } else {
      end(
        CloseReason(
          .transport, .peer,
          AMQPError(
            Condition.notImplemented, "the peer speaks \(header.description), not \(wanted.description)",
            info: .string(header.description))))
    }
  }

  // MARK: SASL, part 5 §5.3

  mutating func receivedMechanisms(_ r: Record) {
    peer.mechanisms = r[0].symbols
    do throws(SASLFault) {
      let mechanism = try SASLMechanism.choose(settings, settings.mechanisms, offered: peer.mechanisms)
      peer.mechanism = mechanism.rawValue
      let initiator = try SASLInitiator(mechanism, settings)
      sasl = .initiator(initiator)
      let fields: [Value] = [.symbol(mechanism.rawValue), .binary(initiator.first), Value(settings.hostname)]
      output.appendFrame(.sasl, channel: 0) { q in q.append(Record(Code.saslInit, fields)) }
      phase = .saslOutcome
      if mechanism.isOneStep { proceed() }
    } catch {
      end(error.closeReason)
    }
  }

  /// Logging in is over on our side: what follows success goes along.
  private mutating func proceed() {
    output.append(ProtocolHeader.amqp10.bytes)
    mayOpen = true
    workDue = true
  }

  mutating func receivedChallenge(_ r: Record) {
    guard case .initiator(var initiator) = sasl else { return }
    do throws(SASLFault) {
      let response = try initiator.answer(r[0].stringOctets ?? [])
      sasl = .initiator(initiator)
      output.appendFrame(.sasl, channel: 0) { q in q.append(Record(Code.saslResponse, [.binary(response)])) }
    } catch {
      end(error.closeReason)
    }
  }

  mutating func receivedOutcome(_ r: Record) {
    guard case .initiator(var initiator) = sasl else { return }
    let code = r[0].u8 ?? 255
    if code == SASLCode.ok.rawValue {
      do throws(SASLFault) {
        try initiator.succeeded(r[1].stringOctets)
        sasl = .none
        phase = .amqpHeader
        if !initiator.mechanism.isOneStep { proceed() }
      } catch {
        end(error.closeReason)
      }
      return
    }
    var why =
      switch SASLCode(rawValue: code) {
      case .auth: "SASL outcome auth"
      case .sys: "a system error of the peer"
      case .sysPerm: "a permanent system error of the peer"
      case .sysTemp: "a temporary system error of the peer"
      case .ok, nil: "outcome \(code)"
      }
    if let complaint = initiator.complaint { why += ", \(complaint)" }
    let mayPass = code == SASLCode.sysTemp.rawValue
    end(CloseReason(.sasl, .peer, AMQPError(mayPass ? Condition.internalError : Condition.unauthorizedAccess, why)))
  }

  // MARK: SASL, the acceptor

  mutating func receivedInit(_ r: Record) {
    peer.mechanism = r[0].text
    let acceptor = SASLAcceptor(
      r[0].text.flatMap(SASLMechanism.init(rawValue:)), settings, offered: settings.offered(identity: identity),
      identity: identity)
    take(r[1].stringOctets ?? [], acceptor)
  }

  mutating func receivedResponse(_ r: Record) {
    guard case .acceptor(let acceptor) = sasl else { return }
    take(r[0].stringOctets ?? [], acceptor)
  }

  private mutating func take(_ response: [UInt8], _ acceptor: SASLAcceptor) {
    var acceptor = acceptor
    do throws(SASLFault) {
      switch try acceptor.take(response) {
      case .challenge(let challenge):
        sasl = .acceptor(acceptor)
        output.appendFrame(.sasl, channel: 0) { q in q.append(Record(Code.saslChallenge, [.binary(challenge)])) }
        phase = .saslResponse
      case .accepted(let user, let data):
        sasl = .none
        outcome(.ok, data)
        peer.user = user
        phase = .amqpHeader
      case .refused:
        outcome(.auth, nil)
        let what = "credentials of \(peer.mechanism ?? "no mechanism") refused"
        end(CloseReason(.sasl, .local, AMQPError(Condition.unauthorizedAccess, what)))
      }
    } catch {
      outcome(.sys, nil)
      end(error.closeReason)
    }
  }

  private mutating func outcome(_ code: SASLCode, _ data: [UInt8]?) {
    var fields: [Value] = [.ubyte(code.rawValue)]
    if let data { fields.append(.binary(data)) }
    output.appendFrame(.sasl, channel: 0) { q in q.append(Record(Code.saslOutcome, fields)) }
  }

  // MARK: Open and close, part 2 §2.4

  mutating func received(_ open: Open) {
    if open.maxFrameSize < 512 {
      return fail(.connection, AMQPError(Condition.invalidField, "max-frame-size \(open.maxFrameSize) is below 512"))
    }
    peer.open = open
    // Larger frames gain nothing and make everybody's buffers grow.
    remoteFrameSize = Int(min(open.maxFrameSize, 65_536))
    phase = .running
    openDue = true
    workDue = true
    events.append(.opened)
  }

  mutating func receivedClose(_ error: AMQPError?) {
    // A peer that refuses sends open and close in one go, before our open may be out.
    openDue = true
    closeDue = true
    workDue = true
    peerClosed = true
    if error == nil && closeSent {
      end(CloseReason(.connection, .local, closeError))
    } else {
      end(CloseReason(.connection, .peer, error))
    }
  }

  /// We are done: nothing more is sent but the close; the peer's answer is still awaited.
  mutating func close(_ error: AMQPError?) {
    if closeDue || closeSent { return }
    closeDue = true
    closeError = error
    workDue = true
  }

  /// The peer is at fault: say so and stop.
  mutating func fail(_ scope: CloseReason.Scope, _ error: AMQPError) {
    if phase == .over { return }
    if mayOpen && (phase == .open || phase == .running || phase == .amqpHeader) {
      openDue = true
      close(error)
    }
    end(CloseReason(scope, .local, error))
  }

  mutating func end(_ reason: CloseReason) {
    if closedReported { return }
    closedReported = true
    phase = .over
    events.append(.closed(reason))
  }
}
