// The protocol headers that a peer is asked with, and what each answer means.
import Bytes
import Engine
import Wire

struct HeaderAnswer {
  struct Row {
    /// In JSON, and in conditions.
    let key: String
    let name: String
    let header: ProtocolHeader

    /// Who speaks it answers with connection.start, and not with a header.
    var startsWithMethod: Bool { ["0-9-1", "0-9", "0-8"].contains(key) }
  }

  /// Six connections, each with its header: 0-9 and 0-8 are as the brokers of their day, and RabbitMQ, take them.
  static let rows = [
    Row(key: "1-0-sasl", name: "AMQP 1.0 with SASL", header: .sasl10),
    Row(key: "1-0", name: "AMQP 1.0 without SASL", header: .amqp10),
    Row(key: "0-9-1", name: "AMQP 0-9-1", header: .amqp091),
    Row(key: "0-9", name: "AMQP 0-9", header: ProtocolHeader(1, 1, 0, 9)),
    Row(key: "0-8", name: "AMQP 0-8", header: ProtocolHeader(1, 1, 8, 0)),
    Row(key: "0-10", name: "AMQP 0-10", header: ProtocolHeader(1, 1, 0, 10)),
  ]

  enum Outcome: Equatable {
    case spoken
    /// That is what it speaks instead.
    case other(ProtocolHeader)
    /// No AMQP: "HTTP", or its first octets.
    case foreign(String)
    case closed
    case silent
    /// There was no connection.
    case failed(String)
  }

  let row: Row
  var outcome: Outcome
  /// Nanoseconds from the header to the first octet of the answer.
  var duration: Int64?
  var mechanisms: [String] = []
  /// Of connection.start.
  var properties = Value.null

  init(_ row: Row, _ outcome: Outcome) { (self.row, self.outcome) = (row, outcome) }

  var isSpoken: Bool { outcome == .spoken }

  /// Whether it comes from somebody who knows AMQP of some version.
  var isAMQP: Bool {
    switch outcome {
    case .spoken, .other: true
    case .foreign, .closed, .silent, .failed: false
    }
  }

  /// Why there is no conversation with somebody who speaks something else altogether.
  var foreign: CloseReason? {
    guard case .foreign(let what) = outcome else { return nil }
    let known = ForeignProtocol(rawValue: what)
    return CloseReason(
      .transport, .local,
      AMQPError(
        Condition.framingError, "the peer does not speak AMQP: it \(known == nil ? "sent" : "speaks") \(what)",
        info: Value(known?.rawValue)))
  }

  /// What came in place of it: "AMQP 1.0 (SASL)", "closed".
  var word: String {
    switch outcome {
    case .spoken: row.header.description
    case .other(let header): header.description
    case .foreign(let what): what
    case .closed: "closed"
    case .silent: "silence"
    case .failed(let why): why
    }
  }

  /// What the octets that came so far say; nil: more are needed. `isAll`: no more will come.
  init?(_ row: Row, _ b: Span<UInt8>, isAll: Bool) {
    if b.isEmpty {
      guard isAll else { return nil }
      self.init(row, .closed)
      return
    }
    if row.startsWithMethod && b[0] == FrameType091.method.rawValue {
      guard let answer = HeaderAnswer(start: row, b) else {
        if isAll { self.init(row, HeaderAnswer.foreign(b)) } else { return nil }
        return
      }
      self = answer
      return
    }
    switch ProtocolHeader.read(b) {
    case .incomplete:
      guard isAll else { return nil }
      self.init(row, HeaderAnswer.foreign(b))
    case .other: self.init(row, HeaderAnswer.foreign(b))
    case .header(let header):
      self.init(row, header == row.header ? .spoken : .other(header))
      guard isSpoken && row.header == .sasl10 else { return }
      if let offered = HeaderAnswer.mechanisms(b.extracting(droppingFirst: ProtocolHeader.size)) {
        mechanisms = offered
      } else if !isAll {
        return nil
      }
    }
  }

  /// connection.start of any of the protocols before 1.0; nil: it is not all there.
  private init?(start row: Row, _ b: Span<UInt8>) {
    guard case .frame(let frame) = Frame091.read(b, at: 0, largest: 1 << 20),
      let method = try? MethodRecord(b, frame.payload), method.id == MethodID.connectionStart
    else { return nil }
    self.init(row, .spoken)
    properties = method["server-properties"]
    mechanisms = method.text("mechanisms").split(separator: " ").map(String.init)
  }

  /// Of sasl-mechanisms; nil: it is not all there.
  private static func mechanisms(_ b: Span<UInt8>) -> [String]? {
    var dissector = Dissector()
    guard case .frame = dissector.frame(b, at: 0, payload: .opaque), dissector.nodes.count > 1,
      let record = dissector.record(at: 1, b), record.code == Code.saslMechanisms
    else { return nil }
    return record[0].symbols
  }

  private static func foreign(_ b: Span<UInt8>) -> Outcome {
    let octets = b.extracting(0..<min(24, b.count)).array
    return .foreign(ForeignProtocol(octets)?.rawValue ?? ForeignProtocol.hex(octets))
  }
}
