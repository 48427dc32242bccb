/// The flat picture of a frame or a message: fixed-size nodes in the order of the wire, each with its range of octets
/// and the index after its subtree. Everything that shows or interprets AMQP reads this list.
package struct Node: Sendable {
  package enum Kind: UInt8, Sendable {
    case frame, scalar, list, map, array, described
    /// Octets that are not looked into: a part of a message, or what follows a fault.
    case opaque
    /// A fault or a warning; `value` is its index in `Dissector.problems`.
    case problem
  }
  /// What the node is to the node above it.
  package enum Place: UInt8, Sendable {
    case root, performative, section, descriptor, described, field, key, entry, item, element, payload, rest
  }

  package var kind: Kind
  package var place: Place
  /// The format code; 0 for a described value, and meaningless outside values.
  package var constructor: UInt8
  package var depth: UInt8
  /// Of a described value and the list under it: the row of `CompositeSpec.all`. Of a field: the row it belongs to.
  /// Of anything of 0-9-1 what Dissector+Nodes091 says.
  package var row: UInt16
  /// The number of the field in its row, of the item in its list or of the entry in its map.
  package var field: UInt16
  package var offset: UInt32
  package var length: UInt32
  /// Where the octets after constructor, size and count start.
  package var content: UInt32
  /// The index after the last node below this one.
  package var next: UInt32
  /// The number itself (sign-extended; bits of floats and decimals up to 64 bits), the octets of variable-width
  /// values, the count of compounds and arrays; of a frame: channel, type << 16, and in 1.0 doff << 24.
  package var value: UInt64

  package var range: Range<Int> { Int(offset)..<Int(offset) + Int(length) }
  package var contentRange: Range<Int> { Int(content)..<Int(offset) + Int(length) }
  package var isNull: Bool { kind == .scalar && constructor == 0x40 }
}

/// Something wrong at an offset: what was expected there by which section of the specification, and what was found.
package struct Problem: Sendable, Equatable {
  package enum Severity: Sendable { case warning, malformed }
  package var severity: Severity
  package var offset: Int
  package var expected: String
  package var got: String
  /// "part 1 §1.6.22"
  package var section: String

  /// "expected doff >= 2, got 1"
  package var text: String { "expected \(expected), got \(got)" }
}
