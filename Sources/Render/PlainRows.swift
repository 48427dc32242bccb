/// The rows of the specification flattened for `PlainFrameLine` and `PlainFrameJSON`: texts as ranges of one array, and what may stand in a
/// field as a few numbers.
import Bytes
import Wire

struct PlainRows: Sendable {
  struct Field: Sendable {
    /// " handle=", and `,"handle":`
    var name: Range<Int>
    var member: Range<Int>
    var type: Primitive
    /// Text may stand without quotes.
    var isBare: Bool
    /// Octets that are text where they can be (user-id).
    var isText: Bool
    /// It says what the body is.
    var isContentType: Bool
    /// A delivery state, of which only outcomes without fields are plain.
    var isState: Bool
    /// The texts for the values from 0, as indices into `choices`.
    var choices: Range<Int>
  }

  struct Row: Sendable {
    var name: Range<Int> = 0..<0
    /// Where its fields start in `fields`, and how many there are; 0 for what has no named fields.
    var first = 0
    var count = 0
    /// One bit for each mandatory field.
    var mandatory: UInt32 = 0
    /// The field that names a link by its number, or -1.
    var handle = -1
  }

  private(set) var text: [UInt8] = []
  private(set) var fields: [Field] = []
  private(set) var choices: [Range<Int>] = []
  /// By numeric descriptor, up to 0x7f.
  private(set) var rows = [Row](repeating: Row(), count: 128)

  static let shared = PlainRows()

  private init() {
    for spec in CompositeSpec.all {
      guard let code = spec.code, code < 128 else { continue }
      var row = Row(name: add(spec.name), first: fields.count)
      for (i, field) in (spec.fields ?? []).enumerated() {
        if field.mandatory { row.mandatory |= 1 << UInt32(i) }
        if field.name == "handle" && code != Code.attach { row.handle = i }
        let first = choices.count
        for choice in field.type.choices { choices.append(add(choice)) }
        let type = field.type.primitive
        fields.append(
          Field(
            name: add(" \(field.name)="), member: add(",\"\(field.name)\":"), type: type,
            isBare: type != .any || field.requires == .address,
            isText: type == .binary && spec.provides == .section, isContentType: field.name == "content-type",
            isState: field.requires == .deliveryState,
            choices: first..<choices.count))
      }
      row.count = fields.count - row.first
      rows[Int(code)] = row
    }
  }

  private mutating func add(_ name: String) -> Range<Int> {
    let start = text.count
    text += Array(name.utf8)
    return start..<text.count
  }
}
