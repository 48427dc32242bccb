/// Methods, properties and field tables of 0-9-1 written and read again, what does not fit, and what is cut short.
import Bytes
import Support
import Testing
import Wire

/// A value that fits a field of this type.
private func sample(_ type: MethodFieldType, _ random: inout FixedRandom) -> Value {
  let bits = random.next()
  switch type {
  case .bit: return .boolean(bits & 1 == 1)
  case .octet: return .ubyte(UInt8(truncatingIfNeeded: bits))
  case .short: return .ushort(UInt16(truncatingIfNeeded: bits))
  case .long: return .uint(UInt32(truncatingIfNeeded: bits))
  case .longlong: return .ulong(bits)
  case .shortstr: return .string(String(repeating: "é", count: Int(bits % 128)))
  case .longstr: return bits & 1 == 0 ? .binary([0xff, 0x00]) : .string(String(repeating: "x", count: Int(bits % 999)))
  case .timestamp: return .timestamp(Int64(bits % 4_000_000_000) * 1000)
  case .table: return .map([MapEntry(.string("a"), .map([MapEntry(.string("b"), .list([.long(1), .null]))]))])
  }
}

private func payload(_ frame: [UInt8]) throws -> Range<Int> {
  guard case .frame(let read) = Frame091.read(frame.span, at: 0, largest: 1 << 20) else { throw NotAFrame() }
  #expect(read.end == frame.count)
  return read.payload
}
private struct NotAFrame: Error {}

private func table(_ value: Value) throws -> [UInt8] {
  var q = ByteQueue()
  try q.appendTable(value)
  return q.bytes
}

/// A table's octets as the value they hold, read as the field of a method.
private func read(
  _ octets: [UInt8], limits: Limits = Limits(), dialect: FieldTableDialect = .rabbitMQ
) throws(Problem) -> Value {
  let method = [0x00, 0x0a, 0x00, 0x0a, 0, 9] + octets + [0, 0, 0, 0, 0, 0, 0, 0]
  return try MethodRecord(method.span, 0..<method.count, limits: limits, dialect: dialect)["server-properties"]
}

@Suite struct MethodRecordTests {
  @Test(arguments: MethodSpec.all.map(\.id)) func everyMethodSurvives(_ id: UInt32) throws {
    var random = FixedRandom(seed: UInt64(id))
    for _ in 0..<20 {
      let record = MethodRecord(id, MethodSpec.row(id)!.fields.map { sample($0.type, &random) })
      var q = ByteQueue()
      try q.appendMethod(channel: 7, record)
      let frame = q.bytes
      let payload = try payload(frame)
      #expect(try MethodRecord(frame.span, payload) == record)
      // No prefix is a method, and none traps.
      for n in 0..<payload.count {
        #expect(throws: Problem.self) { try MethodRecord(frame.span, payload.lowerBound..<payload.lowerBound + n) }
      }
    }
  }

  /// Fields that nobody named are empty.
  @Test func byName() throws {
    var q = ByteQueue()
    try q.appendMethod(
      channel: 1, MethodRecord(MethodID.queueDeclare, ["queue": .string("q"), "durable": true_, "no-wait": true_]))
    #expect(hexText(q.bytes) == "0100010000000d0032000a000001711200000000ce")
    let record = try MethodRecord(q.bytes.span, try payload(q.bytes))
    #expect(record.text("queue") == "q")
    #expect(record["durable"] == true_)
    #expect(record["passive"] == .boolean(false))
    #expect(record["arguments"] == .map([]))
    #expect(record["nothing"] == .null)
  }

  @Test func whatDoesNotFit() {
    var q = ByteQueue(octets("00"))
    func refused(_ id: UInt32, _ fields: KeyValuePairs<String, Value>, _ reason: String) {
      #expect(throws: FieldFault(reason)) { try q.appendMethod(channel: 1, MethodRecord(id, fields)) }
      #expect(q.count == 1, "nothing is left behind")
    }
    let long = Value.string(String(repeating: "x", count: 256))
    refused(
      MethodID.queueDelete, ["queue": long], "queue.delete.queue: 256 octets, and 0-9-1 has room for 255")
    refused(MethodID.queueDelete, ["queue": .uint(1)], "queue.delete.queue: not a string")
    refused(MethodID.queueDelete, ["if-empty": .uint(1)], "queue.delete.if-empty: not a boolean")
    refused(
      MethodID.basicQos, ["prefetch-count": .uint(65_536)], "basic.qos.prefetch-count: not a number from 0 to 65535")
    refused(
      MethodID.queueDeclare, ["arguments": .map([MapEntry(.string("a"), .ulong(.max))])],
      "header a: 18446744073709551615 is above the largest integer of 0-9-1")
    refused(
      MethodID.queueDeclare,
      ["arguments": .map([MapEntry(.string("a"), .described(descriptor: .ulong(1), value: .null))])],
      "header a: a described value")
    refused(MethodID.queueDeclare, ["arguments": .map([MapEntry(.uint(1), .null)])], "a header's name is text")
    refused(MethodID.queueDeclare, ["arguments": .list([])], "a table is a map")
    refused(0x000a_0001, [:], "no method 655361")
  }

  @Test func unknownMethods() {
    func problem(_ hex: String) -> Problem? {
      do {
        _ = try MethodRecord(octets(hex).span, 0..<octets(hex).count)
        return nil
      } catch { return error }
    }
    #expect(problem("000b000a")?.text == "expected a class: 10, 20, 40, 50, 60, 85 or 90, got 11")
    #expect(problem("003c0079")?.text == "expected a method of basic, got 121")
    #expect(problem("003c0079")?.offset == 2)
    #expect(problem("003c00")?.text == "expected 2 octets of method id, got 1 left")
    #expect(problem("003c00500000")?.text == "expected 8 octet(s) of longlong basic.ack.delivery-tag, got 2 left")
    #expect(problem("003c00280000056578")?.text == "expected shortstr basic.publish.exchange: length <= 2, got 5")
  }

  @Test func properties() throws {
    var random = FixedRandom(seed: 91)
    for subset in 0..<2000 {
      var properties = BasicProperties()
      for (i, row) in PropertySpec.basic.enumerated() where subset < 14 ? i == subset : random.next() & 1 == 1 {
        properties.values[i] = sample(row.type, &random)
      }
      var q = ByteQueue()
      try q.append(properties)
      let bytes = q.bytes
      #expect(try BasicProperties(bytes.span, 0..<bytes.count) == properties)
      // Trailing octets change nothing.
      let longer = bytes + [1, 2, 3]
      #expect(try BasicProperties(longer.span, 0..<longer.count) == properties)
      #expect(throws: Problem.self) { try BasicProperties(bytes.span, 0..<bytes.count - 1) }
    }
    // A continuation without flags is legal, one with flags is for properties that nobody knows.
    let continued = octets("8001 0000 0161")
    #expect(try BasicProperties(continued.span, 0..<6)[.contentType] == .string("a"))
    let unknown = octets("8001 8000 0161")
    #expect(throws: Problem.self) { try BasicProperties(unknown.span, 0..<6) }
  }
}

@Suite struct FieldTableTests {
  /// Every letter with octets and value, and whether it is the one we write.
  static let letters: [(String, Value, Bool)] = [
    ("74 01", .boolean(true), true), ("74 00", .boolean(false), true),
    ("62 ff", .byte(-1), true), ("42 ff", .ubyte(255), true),
    ("73 8000", .short(-32768), true), ("55 8000", .short(-32768), false), ("75 8000", .ushort(32768), true),
    ("49 ffffffff", .int(-1), true), ("69 ffffffff", .uint(.max), true),
    ("6c ffffffffffffffff", .long(-1), true), ("4c ffffffffffffffff", .long(-1), false),
    ("66 3fc00000", .float((1.5 as Float).bitPattern), true),
    ("64 3ff8000000000000", .double((1.5 as Double).bitPattern), true),
    ("44 02 00000157", .described(descriptor: Value.decimal091, value: .list([.ubyte(2), .int(343)])), true),
    ("53 00000002 c3a9", .string("é"), true),
    ("53 00000001 ff", .described(descriptor: Value.longstr091, value: .binary([0xff])), true),
    ("54 0000000000000001", .timestamp(1000), true), ("54 ffffffffffffffff", .timestamp(-1000), true),
    (
      "54 7fffffffffffffff", .described(descriptor: Value.timestamp091, value: .ulong(UInt64(Int64.max))), true
    ),
    ("46 00000000", .map([]), true), ("46 00000003 01 61 56", .map([MapEntry(.string("a"), .null)]), true),
    ("41 00000000", .list([]), true), ("41 00000003 56 74 01", .list([.null, .boolean(true)]), true),
    ("78 00000001 ff", .binary([0xff]), true), ("56", .null, true),
  ]

  @Test(arguments: letters.indices) func letter(_ i: Int) throws {
    let (hex, value, ours) = FieldTableTests.letters[i]
    var q = ByteQueue()
    q.append32(UInt32(2 + octets(hex).count))
    q.append(octets("01 6b"))
    q.append(octets(hex))
    let expected = Value.map([MapEntry(.string("k"), value)])
    #expect(try read(q.bytes) == expected)
    if ours { #expect(hexText(try table(expected)) == hexText(q.bytes)) }
    #expect(try read(try table(expected)) == expected)
    for n in 0..<q.count { #expect(throws: Problem.self) { try read(Array(q.bytes[..<n])) } }
  }

  /// What 1.0 has more of comes out as the nearest that 0-9-1 has.
  @Test func nearest() throws {
    let values: [(Value, Value)] = [
      (.ulong(7), .long(7)), (.symbol("s"), .string("s")), (.char("é"), .string("é")),
      (.uuid(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff), .string("00112233-4455-6677-8899-aabbccddeeff")),
      (.decimal32(0x3280_0001), .string("1")), (.timestamp(-1), .timestamp(-1000)),
      (.timestamp(1999), .timestamp(1000)),
      (.array(ArrayValue(.int, [.int(1), .int(2)])), .list([.int(1), .int(2)])),
      (.array(ArrayValue(.boolean, [], repeated: .init(constructor: 0x41, count: 2))), .list([true_, true_])),
    ]
    for (value, expected) in values {
      let octets = try table(.map([MapEntry(.symbol("k"), value)]))
      #expect(try read(octets) == .map([MapEntry(.string("k"), expected)]))
    }
  }

  @Test func specificationsDialect() throws {
    let octets = octets("00000016 0161 73 02 6869 0162 55 ffff 0163 6c ffffffffffffffff")
    #expect(
      try read(octets, dialect: .specification)
        == .map([
          MapEntry(.string("a"), .string("hi")), MapEntry(.string("b"), .short(-1)),
          MapEntry(.string("c"), .ulong(.max)),
        ]))
  }

  /// Tables in tables as deep as the limit and one deeper.
  @Test func depth() throws {
    var limits = Limits()
    limits.depth = 5
    func nested(_ levels: Int) -> Value {
      (1..<levels).reduce(.map([])) { inner, _ in .map([MapEntry(.string("t"), .list([inner]))]) }
    }
    #expect(try read(try table(nested(3)), limits: limits) == nested(3))
    #expect(throws: Problem.self) { try read(try table(nested(4)), limits: limits) }
    // A million levels, each claiming to hold the next.
    var q = ByteQueue()
    for i in 0..<1_000_000 {
      q.append32(UInt32((1_000_000 - i) * 6))
      q.append(octets("0046"))
    }
    #expect(throws: Problem.self) { try read(q.bytes) }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func randomValuesSurvive(seed: UInt64) throws {
    var random = RandomValue(seed: seed)
    for _ in 0..<100 {
      let value = Value.map((0..<4).map { MapEntry(.string("k\($0)"), random.value()) })
      guard let octets = try? table(value) else { continue }
      let once = try read(octets)
      #expect(try table(once) == octets)
    }
  }
}

private let true_ = Value.boolean(true)
