/// What the rows of the specification demand of the values the dissector meets. Nothing here changes how octets are
/// read: what is wrong is recorded, and reading goes on.
import Bytes

extension Dissector {
  /// Called between descriptor and value: finds the row of the descriptor and holds it against what may stand here.
  mutating func resolve(_ b: Span<UInt8>, _ index: Int) -> Bool {
    let descriptor = nodes[index + 1]
    var row = CompositeSpec.unknown
    if descriptor.kind == .scalar {
      if descriptor.constructor == 0x53 || descriptor.constructor == 0x80 {
        row = CompositeSpec.index(code: descriptor.value)
      } else if descriptor.constructor == 0xa3 || descriptor.constructor == 0xb3 {
        row = CompositeSpec.index(symbol: b.extracting(descriptor.contentRange).text)
      }
    }
    nodes[index].row = row
    if nodes[index].place == .field && row != CompositeSpec.unknown && !provides(row, index) { return false }
    if expectation == .anything || expectedAt != index { return true }
    let code = code(of: index)
    let amqp = code >= Code.open && code <= Code.close
    let sasl = code >= Code.saslMechanisms && code <= Code.saslOutcome
    if expectation == .performative && !amqp {
      return defect(
        Int(descriptor.offset), "AMQP performative 0x10..0x18",
        descriptorText(b, index) + (sasl ? " (SASL performative in type-0 frame)" : ""), "part 2 §2.7")
    }
    if expectation == .saslPerformative && !sasl {
      return defect(
        Int(descriptor.offset), "SASL performative 0x40..0x44",
        descriptorText(b, index) + (amqp ? " (AMQP performative in type-1 frame)" : ""), "part 5 §5.3.3")
    }
    return true
  }

  /// Whether the described type of this row may be the field at `index`. Returns false when reading has to stop.
  private mutating func provides(_ row: UInt16, _ index: Int) -> Bool {
    let above = stack.count >= 2 ? stack[stack.count - 2].row : CompositeSpec.unknown
    if above == CompositeSpec.unknown { return true }
    let number = Int(nodes[index].field)
    let wanted = rules.fields[Int(rules.rows[Int(above)].firstField) + number].required
    if wanted.isEmpty || !rules.rows[Int(row)].provided.isDisjoint(with: wanted) { return true }
    let (spec, got) = (CompositeSpec.all[Int(above)], CompositeSpec.all[Int(row)].name)
    guard let field = spec.fields?[number] else { return true }
    return defect(
      Int(nodes[index + 1].offset),
      "\(spec.name).\(field.name): \(field.requires.isEmpty ? field.type.rawValue : field.requires.text)", "@\(got)",
      "part 1 §1.4")
  }

  /// Called for a number in a field: some fields take only those that have names.
  @inline(__always)
  mutating func checkChoice(_ slot: Slot, _ offset: Int, _ value: UInt64) {
    let choices = rules.fields[Int(rules.rows[Int(slot.row)].firstField) + Int(slot.field)].choices
    if choices == 0 || value < choices { return }
    unknownChoice(slot, offset, value)
  }

  @inline(never)
  private mutating func unknownChoice(_ slot: Slot, _ offset: Int, _ value: UInt64) {
    let spec = CompositeSpec.all[Int(slot.row)]
    guard let field = spec.fields?[Int(slot.field)] else { return }
    let names = field.type.choices.enumerated().map { "\($0) \($1)" }.joined(separator: ", ")
    warn(offset, "\(spec.name).\(field.name): \(names)", "\(value)", field.type.section, depth: slot.depth)
  }

  /// Whether a value of this type may stand in the slot, whose row is known. Returns false when reading has to stop.
  /// What it records stands in front of the value's node, so that nothing comes between a node and its first child.
  @inline(__always)
  mutating func admit(_ type: TypeSet, _ slot: Slot, _ offset: Int, _ code: UInt8) -> Bool {
    let rule = rules.rows[Int(slot.row)]
    if slot.place == .field {
      let field = rules.fields[Int(rule.firstField) + Int(slot.field)]
      let admitted = field.admitted.contains(type)
      let usual = field.usual.contains(type)
      return admitted && usual ? true : complain(slot, offset, code, admitted: admitted)
    }
    return rule.source.contains(type) ? true : complain(slot, offset, code, admitted: false)
  }

  @inline(never)
  private mutating func complain(_ slot: Slot, _ offset: Int, _ code: UInt8, admitted: Bool) -> Bool {
    let spec = CompositeSpec.all[Int(slot.row)]
    var expected = "\(spec.name): \(spec.source.name)"
    if slot.place == .field, let field = spec.fields?[Int(slot.field)] {
      let type = field.type == .any && !field.requires.isEmpty ? field.requires.text : field.type.rawValue
      expected = "\(spec.name).\(field.name): \(type)"
    }
    let got = code == 0 ? "a described value" : "format \(hex(UInt64(code)))"
    if !admitted { return defect(offset, expected, got, "part 1 §1.4") }
    warn(offset, expected, got, "part 1 §1.4", depth: slot.depth)
    return true
  }

  /// Whether elements with this constructor may stand in an array in this slot. Those without octets say nothing but
  /// their number, and are left to whoever reads the field.
  mutating func admitElements(_ type: Primitive, _ slot: Slot, _ offset: Int, _ code: UInt8) -> Bool {
    if slot.row == CompositeSpec.unknown || slot.place != .field || code >> 4 == 4 { return true }
    let field = rules.fields[Int(rules.rows[Int(slot.row)].firstField) + Int(slot.field)]
    if field.element.contains(TypeSet(type)) { return true }
    let spec = CompositeSpec.all[Int(slot.row)]
    guard let name = spec.fields?[Int(slot.field)] else { return true }
    return defect(
      offset, "\(spec.name).\(name.name): array of \(name.type.rawValue)", "format \(hex(UInt64(code)))", "part 1 §1.4")
  }

  /// Called at the end of a list of fields, `seen` being one bit for each that is not null.
  mutating func checkMandatory(_ row: UInt16, seen: UInt32, at offset: Int) -> Bool {
    let missing = rules.rows[Int(row)].mandatory & ~seen
    if missing == 0 { return true }
    let spec = CompositeSpec.all[Int(row)]
    let field = spec.fields.map { $0[missing.trailingZeroBitCount].name } ?? ""
    return defect(offset, "mandatory \(spec.name).\(field)", "null", "part 1 §1.4")
  }

  /// Called at the end of a map: those that the specification names have keys, and values, of certain types.
  @inline(__always)
  mutating func checkEntries(_ map: Int) {
    let n = nodes[map]
    if n.row == CompositeSpec.unknown { return }
    let row = rules.rows[Int(n.row)]
    if n.place == .described {
      if row.keys != .anything { checkEntries(map, row.keys, row.values) }
    } else if n.place == .field {
      let keys = rules.fields[Int(row.firstField) + Int(n.field)].keys
      if keys != .anything { checkEntries(map, keys, .anything) }
    }
  }

  private mutating func checkEntries(_ map: Int, _ keys: TypeSet, _ values: TypeSet) {
    let end = Int(nodes[map].next)
    var i = map + 1
    while i < end {
      let n = nodes[i]
      let admitted = n.place == .key ? keys : n.place == .entry ? values : .anything
      if !admitted.contains(TypeSet(of: n)) {
        return wrongEntry(map, n, isKey: n.place == .key, admitted)
      }
      i = Int(n.next)
    }
  }

  @inline(never)
  private mutating func wrongEntry(_ map: Int, _ n: Node, isKey: Bool, _ admitted: TypeSet) {
    let spec = CompositeSpec.all[Int(nodes[map].row)]
    let names = Primitive.allCases.filter { admitted.contains(TypeSet($0)) && $0 != .any }.map(\.name)
    let expected = isKey ? "a key that is a \(names.joined(separator: " or "))" : "a value of a simple type"
    let got = n.kind == .described ? "a described value" : Primitive.of(n.constructor)?.name ?? "?"
    let section =
      nodes[map].place == .field
      ? spec.fields?[Int(nodes[map].field)].type.section ?? ""
      : spec.code == Code.applicationProperties
        ? "part 3 §3.2.5" : "part 3 §3.2.10"
    warn(Int(n.offset), expected, got, section, depth: n.depth)
  }

  /// Keys must differ, part 1 §1.6.23, in 0-9-1 too.
  mutating func checkKeys(_ b: Span<UInt8>, _ map: Int, count: UInt32, section: String = "part 1 §1.6.23") {
    guard let i = count <= 2 * Dissector.fewKeys ? repeatedAmongFew(b, map) : repeatedAmongMany(b, map) else { return }
    let key = nodes[i]
    warn(Int(key.offset), "different map keys", "duplicate map key", section, depth: key.depth)
  }

  private static var fewKeys: UInt32 { 12 }

  /// The first key that stood in the map before, each being compared with all in front of it.
  private func repeatedAmongFew(_ b: Span<UInt8>, _ map: Int) -> Int? {
    let end = Int(nodes[map].next)
    var i = nextKey(map + 1, end)
    while i < end {
      var earlier = map + 1
      while earlier < i {
        if sameKey(b, nodes[earlier], nodes[i]) { return i }
        earlier = nextKey(earlier, i)
      }
      i = nextKey(i, end)
    }
    return nil
  }

  /// The same through a set, so that a map of a million keys costs a million steps.
  private func repeatedAmongMany(_ b: Span<UInt8>, _ map: Int) -> Int? {
    struct KeyImage: Hashable {
      var type: Primitive?
      var value: UInt64
      var octets: [UInt8]
    }
    var seen = Set<KeyImage>(minimumCapacity: Int(nodes[map].value) / 2)
    let end = Int(nodes[map].next)
    var i = map + 1
    while i < end {
      let key = nodes[i]
      if key.kind == .scalar {
        let octets = comparedByOctets(key) ? b.extracting(key.contentRange).array : []
        let image = KeyImage(type: Primitive.of(key.constructor), value: key.value, octets: octets)
        if !seen.insert(image).inserted { return i }
      }
      i = nextKey(i, end)
    }
    return nil
  }

  /// The index of the key after the one at `i` and its value; warnings about either may stand in between.
  private func nextKey(_ i: Int, _ end: Int) -> Int {
    var i = Int(nodes[i].next)
    while i < end && nodes[i].place != .key { i = Int(nodes[i].next) }
    return i
  }

  /// Same type and same value are the same key, whatever the width of the encoding.
  private func sameKey(_ b: Span<UInt8>, _ one: Node, _ other: Node) -> Bool {
    if one.kind != .scalar || other.kind != .scalar || one.value != other.value { return false }
    if Primitive.of(one.constructor) != Primitive.of(other.constructor) { return false }
    return !comparedByOctets(one) || b.extracting(one.contentRange).matches(b.extracting(other.contentRange))
  }

  /// Whether `value` is only a length.
  private func comparedByOctets(_ n: Node) -> Bool { n.constructor >= 0x90 || n.is091 }
}

extension TypeSet {
  fileprivate init(of n: Node) {
    switch n.kind {
    case .described: self = .described
    case .problem, .frame: self = .anything
    case .scalar, .list, .map, .array, .opaque: self = Primitive.of(n.constructor).map { TypeSet($0) } ?? .anything
    }
  }
}
