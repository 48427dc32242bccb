/// Octets of methods, properties and field tables to values. One cursor, which compares every length with what is left
/// before it takes anything; tables in tables are kept on a stack of its own, not on the program's.
import Bytes

/// Reads the elementary types of §4.2.5 one after the other, and throws what is wrong at its place.
struct FieldReader {
  private(set) var at: Int
  let end: Int
  private var bits: UInt8 = 0
  /// How many of the octet in `bits` are left.
  private var bitsLeft = 0

  init(_ range: Range<Int>) {
    (at, end) = (range.lowerBound, range.upperBound)
  }

  /// The field with this type. `name` is for the words of a fault.
  mutating func value(
    _ b: Span<UInt8>, _ type: MethodFieldType, _ name: @autoclosure () -> String, limits: Limits,
    dialect: FieldTableDialect = .rabbitMQ
  ) throws(Problem) -> Value {
    if type != .bit { bitsLeft = 0 }
    switch type {
    case .bit: return .boolean(try bit(b, name()))
    case .octet: return .ubyte(b[try take(1, name(), type)])
    case .short: return .ushort(b.u16(try take(2, name(), type)))
    case .long: return .uint(b.u32(try take(4, name(), type)))
    case .longlong: return .ulong(b.u64(try take(8, name(), type)))
    case .timestamp: return .timestamp(seconds: b.u64(try take(8, name(), type)))
    case .shortstr: return .shortstr(b.extracting(try string(b, 1, name(), type)))
    case .longstr:
      let octets = b.extracting(try string(b, 4, name(), type))
      return octets.firstInvalidUTF8() == nil ? .string(octets.text) : .binary(octets.array)
    case .table: return try table(b, name(), limits, dialect)
    }
  }

  /// Eight bits share an octet, the lowest first.
  private mutating func bit(_ b: Span<UInt8>, _ name: @autoclosure () -> String) throws(Problem) -> Bool {
    if bitsLeft == 0 {
      bits = b[try take(1, name(), .bit)]
      bitsLeft = 8
    }
    bitsLeft -= 1
    defer { bits >>= 1 }
    return bits & 1 == 1
  }

  /// Steps over `n` octets and returns where they start.
  private mutating func take(
    _ n: Int, _ name: @autoclosure () -> String, _ type: MethodFieldType
  ) throws(Problem) -> Int {
    if end - at < n {
      throw FieldReader.problem(at, "\(n) octet(s) of \(type.name) \(name())", "\(end - at) left", "§4.2.5")
    }
    defer { at += n }
    return at
  }

  private mutating func string(
    _ b: Span<UInt8>, _ width: Int, _ name: @autoclosure () -> String, _ type: MethodFieldType
  ) throws(Problem) -> Range<Int> {
    let start = try take(width, name(), type)
    let n = width == 1 ? Int(b[start]) : Int(b.u32(start))
    if n > end - at {
      throw FieldReader.problem(start, "\(type.name) \(name()): length <= \(end - at)", "\(n)", "§4.2.5.3")
    }
    defer { at += n }
    return at..<at + n
  }

  // MARK: Tables, §4.2.5.5

  private struct Level {
    var end: Int
    /// A table's; an array has items.
    var entries: [MapEntry]?
    var items: [Value] = []
    /// The name in the table above.
    var key = Value.null

    var value: Value { entries.map { .map($0) } ?? .list(items) }

    mutating func add(_ value: Value, _ key: Value) {
      if entries == nil { items.append(value) } else { entries?.append(MapEntry(key, value)) }
    }
  }

  /// A table with its length in front.
  private mutating func table(
    _ b: Span<UInt8>, _ name: @autoclosure () -> String, _ limits: Limits, _ dialect: FieldTableDialect
  ) throws(Problem) -> Value {
    let outermost = try string(b, 4, name(), .table)
    at = outermost.lowerBound
    var levels = [Level(end: outermost.upperBound, entries: [])]
    while true {
      let top = levels.count - 1
      let limit = levels[top].end
      if at == limit {
        let done = levels.removeLast()
        if levels.isEmpty { return done.value }
        levels[top - 1].add(done.value, done.key)
        continue
      }
      var key = Value.null
      if levels[top].entries != nil {
        key = .shortstr(b.extracting(try inTable(b, at, 1, limit)))
        if at == limit { throw FieldReader.problem(at, "a field's letter", "the end of the table", "§4.2.5.5") }
      }
      let letterAt = at
      let letter = b[at]
      at += 1
      if letter == UInt8(ascii: "F") || letter == UInt8(ascii: "A") {
        if levels.count >= Int(limits.depth) {
          throw FieldReader.problem(letterAt, "at most \(limits.depth) levels of tables", "more", "our limit")
        }
        let content = try inTable(b, at, 4, limit)
        at = content.lowerBound
        levels.append(
          Level(end: content.upperBound, entries: letter == UInt8(ascii: "F") ? [] : nil, key: key))
      } else {
        levels[top].add(try scalar(b, letter, letterAt, limit, dialect), key)
      }
    }
  }

  /// The octets of a string, table or array whose length in `width` octets stands at `start`; stands behind them.
  private mutating func inTable(
    _ b: Span<UInt8>, _ start: Int, _ width: Int, _ limit: Int
  ) throws(Problem) -> Range<Int> {
    if limit - start < width {
      throw FieldReader.problem(start, "\(width) octet(s) of length", "\(limit - start) left", "§4.2.5.5")
    }
    let n = width == 1 ? Int(b[start]) : Int(b.u32(start))
    let content = start + width
    if n > limit - content {
      throw FieldReader.problem(start, "length <= \(limit - content)", "\(n)", "§4.2.5.5")
    }
    at = content + n
    return content..<at
  }

  private mutating func scalar(
    _ b: Span<UInt8>, _ letter: UInt8, _ letterAt: Int, _ limit: Int, _ dialect: FieldTableDialect
  ) throws(Problem) -> Value {
    guard let layout = FieldLetter(letter, dialect) else {
      throw FieldReader.problem(letterAt, "a field table letter", FieldReader.shown(letter), "§4.2.5.5")
    }
    switch layout.layout {
    case .length1, .length4:
      let octets = b.extracting(try inTable(b, at, layout.layout == .length1 ? 1 : 4, limit))
      switch layout {
      case .binary: return .binary(octets.array)
      default: return .longstr(octets)
      }
    case .fixed(let n):
      if limit - at < n {
        throw FieldReader.problem(at, "\(n) octet(s) of \(layout.name)", "\(limit - at) left", "§4.2.5.5")
      }
      defer { at += n }
      return layout.value(b, at: at)
    case .nested: return .null
    }
  }

  static func problem(_ at: Int, _ expected: String, _ got: String, _ section: String) -> Problem {
    Problem(
      severity: .malformed, offset: at, expected: expected, got: got,
      section: section.hasPrefix("§") ? "0-9-1 \(section)" : section)
  }

  /// "'q' (0x71)"
  static func shown(_ letter: UInt8) -> String {
    let code = hex(UInt64(letter))
    return letter > 0x20 && letter < 0x7f ? "'\(Character(Unicode.Scalar(letter)))' (\(code))" : code
  }
}
