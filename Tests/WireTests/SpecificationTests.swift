/// The rows of the specification and the table of constructors against the specification's own XML, both ways: what is
/// in one of them only is a failure. The XML is in Debian's package amqp-specs; without it these tests are skipped, and
/// fail when `AMQP_TEST_BROKERS=required`.
import Foundation
import Support
import Testing
import Wire

private let folder = "/usr/share/amqp/specs/1-0"

@Suite struct SpecificationTests {
  static var isThere: Bool {
    FileManager.default.fileExists(atPath: folder)
      || ProcessInfo.processInfo.environment["AMQP_TEST_BROKERS"] == "required"
  }

  /// All described types, of all parts.
  @Test(.enabled(if: isThere, "needs Debian's amqp-specs")) func describedTypes() throws {
    let xml = try Specification.read(["transport", "messaging", "transactions", "security"])
    let described = xml.types.filter { $0.symbol != nil }
    #expect(described.count == 40)
    // Filters are no part of the specification; they are compared with what their registries say below.
    let rows = CompositeSpec.all.filter { $0.provides != .filter }
    #expect(Set(rows.map(\.name)) == Set(described.map(\.name)))
    #expect(rows.count == described.count)
    for type in described {
      guard let row = rows.first(where: { $0.name == type.name }) else { continue }
      #expect(row.symbol == type.symbol, "\(type.name)")
      #expect(row.code == type.code, "\(type.name)")
      #expect(row.provides.text == type.provides, "\(type.name)")
      #expect(row.source.name == xml.primitive(of: type.source), "\(type.name)")
      #expect((row.fields != nil) == (type.kind == "composite"), "\(type.name)")
      let fields = (row.fields ?? []).map {
        Specification.Field(
          name: $0.name, type: $0.type.rawValue, mandatory: $0.mandatory, multiple: $0.multiple,
          defaultText: $0.defaultText, requires: $0.requires.isEmpty ? nil : $0.requires.text)
      }
      #expect(fields == type.fields, "\(type.name)")
    }
  }

  /// The names of types that fields use: their primitive and the names of their values.
  @Test(.enabled(if: isThere, "needs Debian's amqp-specs")) func restrictedTypes() throws {
    let xml = try Specification.read(["transport", "messaging", "transactions", "security"])
    for type in FieldType.allCases where type != .any && type != .error {
      let primitive = xml.primitive(of: type.rawValue)
      #expect(type.primitive.name == primitive, "\(type.rawValue)")
      guard let restricted = xml.types.first(where: { $0.name == type.rawValue }) else { continue }
      // Where the values are numbers or booleans, in their order from 0; choices of symbols name themselves.
      if primitive == "symbol" {
        #expect(type.choices == [], "\(type.rawValue)")
      } else {
        let values = restricted.choices.map { $0.value == "false" ? "0" : $0.value == "true" ? "1" : $0.value }
        #expect(values == (0..<values.count).map(String.init), "\(type.rawValue)")
        #expect(type.choices == restricted.choices.map(\.name), "\(type.rawValue)")
      }
    }
    // Every type a field names is a case; an unknown one could not even be written as a row.
    let used = Set(xml.types.flatMap(\.fields).map(\.type))
    #expect(used == Set(FieldType.allCases.map(\.rawValue)))
  }

  @Test(.enabled(if: isThere, "needs Debian's amqp-specs")) func encodings() throws {
    let xml = try Specification.read(["types"])
    var expected: [UInt8: Specification.Encoding] = [:]
    for type in xml.types { for encoding in type.encodings { expected[encoding.code] = encoding } }
    #expect(expected.count == 39)
    #expect(Set(Constructor.rows.map(\.code)) == Set(expected.keys))
    #expect(Constructor.rows.count == expected.count)
    for row in Constructor.rows {
      guard let encoding = expected[row.code] else { continue }
      #expect(row.primitive.name == encoding.type)
      #expect(row.layout == encoding.layout)
      // The specification calls some by the standard they follow; ours are then named by the type.
      let standard = ["ieee-754", "utf32", "ms64"].contains(encoding.name)
      #expect(row.name == (standard ? encoding.type : encoding.name.replacingOccurrences(of: "-utf8", with: "")))
    }
    let primitives = Set(xml.types.map(\.name))
    #expect(primitives == Set(Primitive.allCases.map(\.name)).subtracting(["*"]))
  }

  /// The switch that the dissector asks agrees with the table, for defined and undefined codes.
  @Test(arguments: UInt8.min...UInt8.max) func codeOfOneByte(_ code: UInt8) {
    #expect(Primitive.of(code) == Constructor.of(code)?.primitive)
  }

  /// Rows are found by code and by symbol, and no two share either.
  @Test func lookUp() {
    for (i, row) in CompositeSpec.all.enumerated() {
      if let code = row.code { #expect(CompositeSpec.index(code: code) == i) }
      #expect(CompositeSpec.index(symbol: row.symbol) == i)
      #expect(CompositeSpec.row(UInt16(i))?.name == row.name)
    }
    #expect(CompositeSpec.index(code: 0x19) == CompositeSpec.unknown)
    #expect(CompositeSpec.index(code: 0x468c_0000_0005) == CompositeSpec.unknown)
    #expect(CompositeSpec.index(symbol: "amqp:open") == CompositeSpec.unknown)
    #expect(CompositeSpec.row(CompositeSpec.unknown) == nil)
  }

  /// The filters as their registries have them: Apache's and OASIS's filter expressions, and RabbitMQ's streams.
  @Test func filters() {
    let expected: [(String, UInt64?, Primitive)] = [
      ("apache.org:legacy-amqp-direct-binding:string", 0x0000_468c_0000_0000, .string),
      ("apache.org:legacy-amqp-topic-binding:string", 0x0000_468c_0000_0001, .string),
      ("apache.org:legacy-amqp-headers-binding:map", 0x0000_468c_0000_0002, .map),
      ("apache.org:no-local-filter:list", 0x0000_468c_0000_0003, .list),
      ("apache.org:selector-filter:string", 0x0000_468c_0000_0004, .string),
      ("amqp:sql-filter", 0x120, .string),
      ("amqp:properties-filter", 0x173, .map),
      ("amqp:application-properties-filter", 0x174, .map),
      ("rabbitmq:stream-offset-spec", nil, .any),
      ("rabbitmq:stream-filter", nil, .any),
      ("rabbitmq:stream-match-unfiltered", nil, .boolean),
    ]
    let rows = CompositeSpec.all.filter { $0.provides == .filter }
    #expect(rows.map(\.symbol) == expected.map(\.0))
    #expect(rows.map(\.code) == expected.map(\.1))
    #expect(rows.map(\.source) == expected.map(\.2))
  }
}
