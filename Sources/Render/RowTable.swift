/// The rows of the specification flattened for output: a name is a range of one array of octets, and what a field is
/// shown like is a few flags. A row itself is made of strings, which cost a reference count each whenever it is looked at.
import Bytes
import Wire

final class RowTable: Sendable {
  struct Entry: Sendable, Equatable {
    var start: UInt32 = 0
    var count: UInt16 = 0
    var form = Form.fixed
    /// Of a row: whether its fields have names.
    var hasFields = false
    /// Whether the specification names some of the values.
    var hasChoices = false
    /// Whether text may stand without quotes: the type is fixed, or it is an address.
    var isBare = true
    /// The type of the field's values; `any` when it isn't fixed.
    var primitive = Primitive.any
    /// The row that has the field's own name (source, target, error), or `unknown`.
    var row = CompositeSpec.unknown
  }

  /// What a field may hold.
  enum Form: UInt8, Sendable { case any, binary, fixed }

  /// An entry for the row's own name, then one a field; more fields than this no row has (a test holds it).
  static let width = 17
  private let entries: [Entry]
  private let names: [UInt8]
  private let codes: [UInt64]

  static let shared = RowTable()

  private init() {
    var entries: [Entry] = []
    var names: [UInt8] = []
    func add(_ name: String, _ entry: Entry) {
      var entry = entry
      entry.start = UInt32(names.count)
      entry.count = UInt16(name.utf8.count)
      names += Array(name.utf8)
      entries.append(entry)
    }
    for spec in CompositeSpec.all {
      add(spec.name, Entry(hasFields: spec.fields != nil))
      for field in spec.fields ?? [] {
        var entry = Entry()
        switch field.type.primitive {
        case .any: entry.form = .any
        case .binary: entry.form = .binary
        default: entry.form = .fixed
        }
        entry.primitive = field.type.primitive
        if let row = CompositeSpec.all.firstIndex(where: { $0.name == field.name }) { entry.row = UInt16(row) }
        entry.hasChoices = !field.type.choices.isEmpty
        entry.isBare = entry.form != .any || field.requires == .address
        add(field.name, entry)
      }
      let missing = RowTable.width - 1 - (spec.fields?.count ?? 0)
      entries += [Entry](repeating: Entry(), count: missing)
    }
    (self.entries, self.names, codes) = (entries, names, CompositeSpec.all.map { $0.code ?? 0 })
  }

  /// The row's numeric descriptor; 0 when it has none, or is no row.
  func code(_ row: UInt16) -> UInt64 { Int(row) < codes.count ? codes[Int(row)] : 0 }

  /// Nil when the row, or the field in it, does not exist.
  func field(_ row: UInt16, _ field: UInt16) -> Entry? {
    let i = Int(row) * RowTable.width + 1 + Int(field)
    if Int(row) >= codes.count || Int(field) >= RowTable.width - 1 || entries[i].count == 0 { return nil }
    return entries[i]
  }

  /// The row's own entry; nil when there is no such row.
  func name(_ row: UInt16) -> Entry? { Int(row) < codes.count ? entries[Int(row) * RowTable.width] : nil }

  func append(_ entry: Entry, to q: inout ByteQueue) {
    let names = names
    q.append(names.span.extracting(Int(entry.start)..<Int(entry.start) + Int(entry.count)))
  }
}
