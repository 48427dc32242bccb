// An object of JSON as it grows: members in order, those that are nil left out.
import Bytes
import Render
import Wire

struct JSONObject {
  private var members: [JSONMember] = []

  init() {}
  init(_ fill: (inout JSONObject) -> Void) { fill(&self) }

  var json: JSON { .object(members) }

  mutating func add(_ name: String, _ value: JSON?) {
    if let value { members.append(JSONMember(name, value)) }
  }
  mutating func add(_ name: String, _ value: String?) { add(name, value.map { JSON.string($0) }) }
  mutating func add(_ name: String, _ value: Int64?) { add(name, value.map { JSON.number("\($0)") }) }
  mutating func add(_ name: String, _ value: Bool?) { add(name, value.map { JSON.boolean($0) }) }
  mutating func add(_ name: String, _ values: [String]) { add(name, JSON.array(values.map { .string($0) })) }
  mutating func add(_ name: String, _ fill: (inout JSONObject) -> Void) { add(name, JSONObject(fill).json) }

  /// Nanoseconds as milliseconds with three digits behind the point.
  mutating func add(ms name: String, _ nanoseconds: Int64?) {
    guard let nanoseconds else { return }
    let microseconds = (nanoseconds + 500) / 1_000
    let rest = String(microseconds % 1_000)
    let zeros = String(repeating: "0", count: 3 - rest.utf8.count)
    add(name, JSON.number("\(microseconds / 1_000).\(zeros)\(rest)"))
  }
}

extension JSON {
  /// A value without its type, for reading only.
  init(plain value: Value) {
    switch value {
    case .null: self = .null
    case .boolean(let v): self = .boolean(v)
    case .ubyte(let v): self = .number("\(v)")
    case .ushort(let v): self = .number("\(v)")
    case .uint(let v): self = .number("\(v)")
    case .ulong(let v): self = .number("\(v)")
    case .byte(let v): self = .number("\(v)")
    case .short(let v): self = .number("\(v)")
    case .int(let v): self = .number("\(v)")
    case .long(let v), .timestamp(let v): self = .number("\(v)")
    case .float(let bits): self = JSON(finite: Double(Float(bitPattern: bits)))
    case .double(let bits): self = JSON(finite: Double(bitPattern: bits))
    case .string(let v), .symbol(let v): self = .string(v)
    case .char(let v): self = .string(String(Character(v)))
    case .binary(let octets): self = .string(String(decoding: octets, as: UTF8.self))
    case .list(let items): self = .array(items.map { JSON(plain: $0) })
    case .array(let array): self = .array(array.elements.map { JSON(plain: $0) })
    case .map(let entries):
      // A later one of the same name counts for nothing.
      var seen: Set<String> = []
      self = .object(
        entries.compactMap { entry in
          let name = entry.key.text ?? entry.key.unsigned.map { "\($0)" } ?? "?"
          return seen.insert(name).inserted ? JSONMember(name, JSON(plain: entry.value)) : nil
        })
    case .described(_, let inner): self = JSON(plain: inner)
    case .decimal32, .decimal64, .decimal128, .uuid: self = .string("\(value)")
    }
  }

  private init(finite v: Double) { self = v.isFinite ? .number("\(v)") : .null }
}
