/// The names of 0-9-1's methods, fields and properties flattened for output, as `RowTable` has those of 1.0: ranges of one
/// array of octets.
import Bytes
import Wire

final class MethodTable: Sendable {
  struct Entry: Sendable, Equatable {
    var start: UInt32 = 0
    var count: UInt16 = 0
    /// Says nothing, and is left out of lines.
    var isReserved = false
  }

  let names: [UInt8]
  /// One for each row of `MethodSpec.all`, and what the method is.
  private let methods: [Entry]
  let ids: [UInt32]
  /// Where the fields of each row start in `fields`; one more than there are rows.
  private let firstField: [UInt16]
  private let fields: [Entry]
  /// Properties, then what stands in front of them.
  private let header: [Entry]
  /// The properties, in the order of their flags.
  let properties: [(name: Range<Int>, type: MethodFieldType)]

  static let shared = MethodTable()

  private init() {
    var names: [UInt8] = []
    func entry(_ name: String, reserved: Bool = false) -> Entry {
      defer { names += Array(name.utf8) }
      return Entry(start: UInt32(names.count), count: UInt16(name.utf8.count), isReserved: reserved)
    }
    var methods: [Entry] = []
    var firstField: [UInt16] = []
    var fields: [Entry] = []
    for spec in MethodSpec.all {
      methods.append(entry(spec.name))
      firstField.append(UInt16(fields.count))
      for field in spec.fields { fields.append(entry(field.name, reserved: field.isReserved)) }
    }
    firstField.append(UInt16(fields.count))
    header =
      PropertySpec.basic.map { entry($0.name) }
      + HeaderField.allCases.map { entry("\($0.name)", reserved: $0 != .bodySize) }
    properties = zip(header, PropertySpec.basic).map {
      (Int($0.start)..<Int($0.start) + Int($0.count), $1.type)
    }
    ids = MethodSpec.all.map(\.id)
    (self.names, self.methods, self.firstField, self.fields) = (names, methods, firstField, fields)
  }

  /// The name of a method's row.
  func method(_ n: Node) -> Entry? { n.methodIndex.map { methods[$0] } }

  /// The name of a field of a method or of a content header; nil for what is no field.
  @inline(__always)
  func field(_ n: Node) -> Entry? {
    guard n.place == .field else { return nil }
    if let row = n.methodIndex {
      let i = Int(firstField[row]) + Int(n.field)
      return i < Int(firstField[row + 1]) ? fields[i] : nil
    }
    return n.row == Node.header091 && Int(n.field) < header.count ? header[Int(n.field)] : nil
  }

  @inline(__always)
  func append(_ entry: Entry, to q: inout ByteQueue) {
    let names = names
    q.append(names.span.extracting(Int(entry.start)..<Int(entry.start) + Int(entry.count)))
  }
}
