/// The specification of 0-9-1 as data: one row for every method and every property of a message. Encoder, decoder,
/// dissector and rendering read these rows, so adding a field is one line under `Specs/`.

/// The elementary types of §4.2.5, to which all of the specification's domains come down.
package enum MethodFieldType: UInt8, Sendable, CaseIterable {
  case bit, octet, short, long, longlong, shortstr, longstr, timestamp, table

  package var name: String { String(describing: self) }
}

package struct MethodField: Sendable {
  package let name: String
  package let type: MethodFieldType

  init(_ name: String, _ type: MethodFieldType) { (self.name, self.type) = (name, type) }

  /// Says nothing; the specification wants zeros in it.
  package var isReserved: Bool { name.hasPrefix("reserved-") }
}

package struct MethodSpec: Sendable {
  /// One of `MethodID`.
  package let id: UInt32
  /// "basic"
  package let className: String
  /// "get-ok"
  package let method: String
  package let fields: [MethodField]
  /// Whether a content header and a body follow.
  package let content: Bool
  package let synchronous: Bool
  /// The methods that answer this one.
  package let responses: [UInt32]

  init(
    _ id: UInt32, _ className: String, _ method: String, _ fields: [MethodField] = [], content: Bool = false,
    synchronous: Bool = false, responses: [UInt32] = []
  ) {
    (self.id, self.className, self.method, self.fields) = (id, className, method, fields)
    (self.content, self.synchronous, self.responses) = (content, synchronous, responses)
  }

  /// "basic.get-ok"
  package var name: String { "\(className).\(method)" }

  /// All rows; a row's index in here is how nodes refer to it.
  package static let all: [MethodSpec] = connection + channel + exchange + queue + basic + confirm + tx

  /// No row: nobody knows this class or method.
  package static let unknown = UInt16.max

  /// The index of the row of a method, or `unknown`.
  @inline(__always)
  package static func index(_ id: UInt32) -> UInt16 {
    let (classID, method) = (id >> 16, id & 0xffff)
    if classID >= 128 || method >= 128 { return unknown }
    let place = Int(places[Int(classID)]) << 7 | Int(method)
    return place < byID.count ? byID[place] : unknown
  }

  package static func row(_ id: UInt32) -> MethodSpec? {
    let i = index(id)
    return i == unknown ? nil : all[Int(i)]
  }

  /// The name of a class, or nil.
  package static func className(_ classID: UInt16) -> String? {
    all.first { $0.id >> 16 == UInt32(classID) }?.className
  }

  /// Which block of `byID` belongs to a class; 255 for none.
  private static let places: [UInt8] = {
    var t = [UInt8](repeating: 255, count: 128)
    var next: UInt8 = 0
    for row in all where t[Int(row.id >> 16)] == 255 {
      t[Int(row.id >> 16)] = next
      next += 1
    }
    return t
  }()

  private static let byID: [UInt16] = {
    var t = [UInt16](repeating: unknown, count: 7 << 7)
    for (i, row) in all.enumerated() {
      t[Int(places[Int(row.id >> 16)]) << 7 | Int(row.id & 0xffff)] = UInt16(i)
    }
    return t
  }()
}

/// A property of a message, and the bit that says it is there.
package struct PropertySpec: Sendable {
  package let name: String
  package let type: MethodFieldType
  package let flag: UInt16

  init(_ name: String, _ type: MethodFieldType, flag: UInt16) {
    (self.name, self.type, self.flag) = (name, type, flag)
  }
}
