/// What the rows of `CompositeSpec.all` demand, flattened to numbers: the dissector asks it for every value, and rows
/// with names and texts in them cost a reference count each time they are looked at.

/// The types that may stand in one place, one bit a primitive.
struct TypeSet: Sendable, Equatable {
  var bits: UInt32

  @inline(__always)
  init(_ primitive: Primitive) { bits = 1 << UInt32(primitive.rawValue) }
  init(_ primitives: [Primitive]) { bits = primitives.reduce(0) { $0 | 1 << UInt32($1.rawValue) } }
  private init(bits: UInt32) { self.bits = bits }

  static let described = TypeSet(bits: 1 << 31)
  static let anything = TypeSet(bits: .max)
  /// Everything but described values and what holds others.
  static let simple = TypeSet(bits: ~(described.bits | TypeSet([.list, .map, .array]).bits))

  func union(_ other: TypeSet) -> TypeSet { TypeSet(bits: bits | other.bits) }
  func contains(_ other: TypeSet) -> Bool { bits & other.bits != 0 }
}

/// What one field admits.
struct FieldRule: Sendable {
  /// Anything else is a fault.
  var admitted: TypeSet
  /// Anything else is legal for a decoder and wrong all the same: a warning.
  var usual: TypeSet
  /// What the elements of an array must be, when the field may hold several.
  var element: TypeSet
  /// What the described type in it must provide; empty: it need not.
  var required: Archetypes
  /// The values below this one have names, and no others are legal; 0: any is.
  var choices: UInt64
  /// What the keys of a map may be.
  var keys: TypeSet

  init(_ field: FieldSpec) {
    element = .anything
    usual = .anything
    let requires = field.type == .error ? .error : field.requires
    required = requires.intersection([.error, .source, .target, .deliveryState, .outcome])
    choices = field.type == .role ? 0 : UInt64(field.type.choices.count)
    keys =
      switch field.type {
      case .fields, .filterSet, .nodeProperties: TypeSet(.symbol)
      default: .anything
      }
    switch field.primitive {
    case .any:
      // The types behind `requires` that the specification defines.
      admitted = .anything
      switch requires {
      case .error, .source, .target, .deliveryState, .outcome: admitted = TypeSet(.null).union(.described)
      case .messageID: usual = TypeSet([.null, .ulong, .uuid, .binary, .string])
      case .address: usual = TypeSet([.null, .string])
      case .txnID: usual = TypeSet([.null, .binary])
      default: break
      }
    case let primitive:
      admitted = TypeSet([.null, primitive])
      if field.multiple {
        element = TypeSet(primitive)
        // A list where an array of symbols is due has been seen on the wire.
        admitted = admitted.union(TypeSet([.array, .list]))
      }
    }
  }
}

/// What one described type admits.
struct RowRule: Sendable {
  /// 0 for a type without a numeric descriptor: 0 is nobody's.
  var code: UInt64
  /// What carries the value.
  var source: TypeSet
  /// One bit for each mandatory field.
  var mandatory: UInt32
  /// -1 for a type without named fields.
  var fieldCount: Int32
  /// Where the rules of its fields start in `RowRules.fields`.
  var firstField: Int32
  var provided: Archetypes
  /// What may stand in a map of it.
  var keys = TypeSet.anything
  var values = TypeSet.anything

  init(_ spec: CompositeSpec, firstField: Int) {
    code = spec.code ?? 0
    source = spec.source == .any ? .anything : TypeSet(spec.source)
    mandatory = spec.mandatory
    fieldCount = Int32(spec.fields?.count ?? -1)
    self.firstField = Int32(firstField)
    provided = code == Code.error ? .error : spec.provides
    switch code {
    case Code.deliveryAnnotations, Code.messageAnnotations, Code.footer: keys = TypeSet([.symbol, .ulong])
    case Code.applicationProperties: (keys, values) = (TypeSet(.string), .simple)
    default: break
    }
  }
}

struct RowRules: Sendable {
  var rows: [RowRule] = []
  var fields: [FieldRule] = []

  static let shared = RowRules()

  private init() {
    for spec in CompositeSpec.all {
      rows.append(RowRule(spec, firstField: fields.count))
      fields += (spec.fields ?? []).map(FieldRule.init)
    }
  }
}
