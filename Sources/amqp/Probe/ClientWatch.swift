// Hears what a client asks for, out of the octets that come from it: what the machine behind answers by itself (queues,
// exchanges, windows) is told to nobody else. Of messages it sees only that they are there.
import Bytes
import Wire

final class ClientWatch {
  private var octets = ByteQueue()
  private var dissector = Dissector()
  private var is091: Bool?
  private var isLost = false
  private(set) var header: ProtocolHeader?
  private var deeds: [ClientReport.Deed] = []

  /// Larger ones are no announcements, and would only have to be kept.
  private static let bound = 1 << 20

  func take(_ received: Span<UInt8>) {
    if isLost { return }
    octets.append(received)
    while !octets.isEmpty {
      let size = octets.withReadable { one($0) }
      if size == 0 { break }
      octets.consume(size)
    }
    if octets.count > ClientWatch.bound { isLost = true }
    if isLost { octets.removeAll() }
  }

  /// What was done since the last time.
  func news() -> [ClientReport.Deed] {
    defer { deeds = [] }
    return deeds
  }

  /// Returns the octets of what is at the front, 0 when it is not all there.
  private func one(_ b: Span<UInt8>) -> Int {
    if b[0] == UInt8(ascii: "A") {
      switch ProtocolHeader.read(b) {
      case .incomplete: return 0
      case .other:
        isLost = true
        return b.count
      case .header(let header):
        // Behind SASL there is another one; the first one says how it began.
        self.header = self.header ?? header
        is091 = header == .amqp091
        return ProtocolHeader.size
      }
    }
    guard let is091 else {
      isLost = true
      return b.count
    }
    return is091 ? method(b) : frame(b)
  }

  // MARK: 1.0

  private func frame(_ b: Span<UInt8>) -> Int {
    if b.count < 8 { return 0 }
    let size = Int(b.u32(0))
    if size < 8 || size > ClientWatch.bound {
      isLost = true
      return b.count
    }
    if b.count < size { return 0 }
    guard case .frame = dissector.frame(b.extracting(0..<size), at: 0, payload: .opaque), dissector.nodes.count > 1,
      let record = dissector.record(at: 1, b)
    else { return size }
    if [Code.begin, Code.attach, Code.detach, Code.end].contains(record.code),
      let row = CompositeSpec.row(CompositeSpec.index(code: record.code))
    {
      let fields = zip(row.fields ?? [], record.fields).filter { !$1.isNull && $0.name != "handle" }
      add(row.name, fields.map { ($0.name, $0.name == "role" ? Role($1.bool ?? false).word : $1.named) })
    }
    return size
  }

  // MARK: 0-9-1

  private static let quiet: Set<UInt32> = [
    MethodID.basicAck, MethodID.basicNack, MethodID.basicReject,
  ]
  /// Where messages went; each place is told once.
  private var places: Set<String> = []

  private func method(_ b: Span<UInt8>) -> Int {
    switch Frame091.read(b, at: 0, largest: UInt32(ClientWatch.bound)) {
    case .incomplete: return 0
    case .malformed:
      isLost = true
      return b.count
    case .frame(let frame):
      if frame.type == .method, let id = try? MethodRecord.id(b, frame.payload), !ClientWatch.quiet.contains(id),
        // The connection's own are told as what they come to.
        id >> 16 != MethodID.connectionStart >> 16, let record = try? MethodRecord(b, frame.payload),
        let row = MethodSpec.row(id)
      {
        if id == MethodID.basicPublish {
          let place = record.text("exchange") + "/" + record.text("routing-key")
          if places.count >= 1_000 || !places.insert(place).inserted { return frame.end }
        }
        // Left out is what says nothing: no, 0, "" and the empty table.
        add(row.name, zip(row.fields, record.fields).compactMap { $1.saysNothing ? nil : ($0.name, $1) })
      }
      return frame.end
    }
  }

  private func add(_ what: String, _ fields: [(name: String, value: Value)]) {
    // Somebody who does the same over and over is heard once a turn.
    if deeds.count < 1_000 { deeds.append(ClientReport.Deed(what: what, fields: fields)) }
  }
}

extension Value {
  fileprivate var saysNothing: Bool {
    switch self {
    case .null: true
    case .boolean(let v): !v
    case .string(let v), .symbol(let v): v.isEmpty
    case .binary(let v): v.isEmpty
    case .map(let v): v.isEmpty
    default: unsigned == 0
    }
  }
}

extension Role {
  fileprivate var word: Value { .string(self == .sender ? "sender" : "receiver") }
}

extension Value {
  /// A described list that we know as a map of what is in it.
  fileprivate var named: Value {
    guard let record = Record(self), let fields = CompositeSpec.row(CompositeSpec.index(code: record.code))?.fields
    else { return self }
    return .map(
      zip(fields, record.fields).compactMap { field, value in
        value.saysNothing ? nil : MapEntry(.string(field.name), value)
      })
  }
}
