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
        let offered = settings.mechanisms.filter { settings.user == nil || $0 != .anonymous }
        let value = Value(symbols: offered.map(\.rawValue))
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
    let usable = settings.mechanisms.filter { $0.isUsable(settings) }
    guard let mechanism = usable.first(where: { peer.mechanisms.contains($0.rawValue) }) else {
      let ours = (usable.isEmpty ? settings.mechanisms : usable).map(\.rawValue).joined(separator: ", ")
      return end(
        CloseReason(
          .sasl, .local,
          AMQPError(
            Condition.unauthorizedAccess,
            "the peer offers \(peer.mechanisms.isEmpty ? "no mechanism" : peer.mechanisms.joined(separator: ", ")), we could use \(ours)"
          )))
    }
    peer.mechanism = mechanism.rawValue
    let response = mechanism.initialResponse(user: settings.user, password: settings.password)
    output.appendFrame(.sasl, channel: 0) { q in
      q.append(Record(Code.saslInit, [.symbol(mechanism.rawValue), .binary(response), Value(settings.hostname)]))
    }
    // One step is all these mechanisms need, so what follows success goes along with it.
    output.append(ProtocolHeader.amqp10.bytes)
    mayOpen = true
    workDue = true
    phase = .saslOutcome
  }

  mutating func receivedChallenge() {
    end(
      CloseReason(
        .sasl, .peer,
        AMQPError(Condition.unauthorizedAccess, "the peer asks for more than \(peer.mechanism ?? "this mechanism") has")
      ))
  }

  mutating func receivedOutcome(_ r: Record) {
    let code = r[0].u8 ?? 255
    if code == SASLCode.ok.rawValue {
      phase = .amqpHeader
      return
    }
    let why =
      switch SASLCode(rawValue: code) {
      case .auth: "SASL outcome auth"
      case .sys: "a system error of the peer"
      case .sysPerm: "a permanent system error of the peer"
      case .sysTemp: "a temporary system error of the peer"
      case .ok, nil: "outcome \(code)"
      }
    let mayPass = code == SASLCode.sysTemp.rawValue
    end(CloseReason(.sasl, .peer, AMQPError(mayPass ? Condition.internalError : Condition.unauthorizedAccess, why)))
  }

  mutating func receivedInit(_ r: Record) {
    let mechanism = r[0].text.flatMap(SASLMechanism.init(rawValue:))
    var response: [UInt8] = []
    if case .binary(let bytes) = r[1] { response = bytes }
    let user = mechanism.flatMap {
      settings.mechanisms.contains($0) ? $0.verify(response, user: settings.user, password: settings.password) : nil
    }
    peer.mechanism = r[0].text
    let code: SASLCode = user == nil ? .auth : .ok
    output.appendFrame(.sasl, channel: 0) { q in q.append(Record(Code.saslOutcome, [.ubyte(code.rawValue)])) }
    guard let user else {
      return end(
        CloseReason(
          .sasl, .local,
          AMQPError(Condition.unauthorizedAccess, "credentials of \(r[0].text ?? "no mechanism") refused")))
    }
    peer.user = user
    phase = .amqpHeader
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
