/// The rows of 0-9-1 against the XML of the specification and of RabbitMQ's extension of it, both ways; what neither has
/// is listed here by hand. The XML is in Debian's package amqp-specs; without it these tests are skipped, and fail when
/// `AMQP_TEST_BROKERS=required`.
import Foundation
import Support
import Testing
import Wire

#if canImport(FoundationXML)
  import FoundationXML
#endif

private let official = "/usr/share/amqp/specs/0-9-1/amqp0-9-1.stripped.xml"
private let extended = "/usr/share/amqp/specs/0-9-1-rabbit/amqp0-9-1.stripped.extended.xml"

/// What of a row the XML can say.
private struct Method: Equatable {
  var id: UInt32
  var name: String
  var fields: [String] = []
  var content: Bool
  var synchronous: Bool
  var responses: [String] = []
}

private final class MethodReader: NSObject, XMLParserDelegate {
  var methods: [Method] = []
  var properties: [String] = []
  private var domains: [String: String] = [:]
  private var className = ""
  private var classID: UInt32 = 0
  private var inMethod = false

  init(_ path: String) throws {
    super.init()
    let parser = XMLParser(data: Data(try fixture(path)))
    parser.delegate = self
    if !parser.parse() { throw Specification.NotXML(part: path) }
  }

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes a: [String: String]
  ) {
    switch element {
    case "domain": domains[a["name"] ?? ""] = a["type"]
    case "class": (className, classID) = (a["name"] ?? "", UInt32(a["index"] ?? "") ?? 0)
    case "method":
      inMethod = true
      methods.append(
        Method(
          id: classID << 16 | (UInt32(a["index"] ?? "") ?? 0), name: "\(className).\(a["name"] ?? "")",
          content: a["content"] == "1", synchronous: a["synchronous"] == "1"))
    case "response": methods[methods.count - 1].responses.append("\(className).\(a["name"] ?? "")")
    case "field":
      let field = "\(a["name"] ?? ""): \(a["type"] ?? domains[a["domain"] ?? ""] ?? "?")"
      if inMethod { methods[methods.count - 1].fields.append(field) } else { properties.append(field) }
    default: break
    }
  }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?
  ) {
    if element == "method" { inMethod = false }
  }
}

private func method(_ row: MethodSpec) -> Method {
  Method(
    id: row.id, name: row.name, fields: row.fields.map { "\($0.name): \($0.type.name)" }, content: row.content,
    synchronous: row.synchronous, responses: row.responses.compactMap { MethodSpec.row($0)?.name })
}

/// RabbitMQ's, younger than the XML.
private let byHand = [
  Method(id: 0x000a_003c, name: "connection.blocked", fields: ["reason: shortstr"], content: false, synchronous: false),
  Method(id: 0x000a_003d, name: "connection.unblocked", content: false, synchronous: false),
  Method(
    id: 0x000a_0046, name: "connection.update-secret", fields: ["new-secret: longstr", "reason: shortstr"],
    content: false, synchronous: true, responses: ["connection.update-secret-ok"]),
  Method(id: 0x000a_0047, name: "connection.update-secret-ok", content: false, synchronous: true),
]

@Suite struct MethodSpecTests {
  static var isThere: Bool {
    FileManager.default.fileExists(atPath: extended)
      || ProcessInfo.processInfo.environment["AMQP_TEST_BROKERS"] == "required"
  }

  @Test(.enabled(if: isThere, "needs Debian's amqp-specs")) func methods() throws {
    let expected = try MethodReader(extended).methods + byHand
    #expect(expected.count == 60 + byHand.count)
    let rows = MethodSpec.all.map(method)
    #expect(rows.map(\.id).sorted() == expected.map(\.id).sorted())
    for method in expected { #expect(rows.first { $0.id == method.id } == method, "\(method.name)") }
  }

  /// The specification itself, before RabbitMQ extended it: the same octets for what both have. RabbitMQ gave two
  /// reserved bits of exchange.declare their 0-8 names back.
  @Test(.enabled(if: isThere, "needs Debian's amqp-specs")) func officialMethods() throws {
    for var method in try MethodReader(official).methods {
      let row = try #require(MethodSpec.row(method.id))
      method.fields = method.fields.map {
        $0 == "reserved-2: bit" && method.name == "exchange.declare" ? "auto-delete: bit" : $0
      }
      method.fields = method.fields.map { $0 == "reserved-3: bit" ? "internal: bit" : $0 }
      #expect(row.name == method.name)
      #expect(row.fields.map { "\($0.name): \($0.type.name)" } == method.fields, "\(method.name)")
      #expect(row.content == method.content, "\(method.name)")
    }
  }

  @Test(.enabled(if: isThere, "needs Debian's amqp-specs")) func properties() throws {
    let expected = try MethodReader(extended).properties
    #expect(
      PropertySpec.basic.map { "\($0.name): \($0.type.name)" }
        == expected.map { $0 == "reserved: shortstr" ? "cluster-id: shortstr" : $0 })
    #expect(PropertySpec.basic.map(\.flag) == (0..<14).map { 0x8000 >> $0 })
    #expect(BasicProperties.Index.allCases.count == PropertySpec.basic.count)
  }

  /// Rows are found by id and by nothing else.
  @Test func lookUp() {
    for (i, row) in MethodSpec.all.enumerated() {
      #expect(MethodSpec.index(row.id) == i)
      #expect(MethodSpec.row(row.id)?.name == row.name)
      #expect(MethodSpec.className(UInt16(row.id >> 16)) == row.className)
    }
    let known = Set(MethodSpec.all.map(\.id))
    for classID in (0...200).map(UInt32.init) + [0x7fff, 0xffff] {
      for method in (0...200).map(UInt32.init) + [0x7fff, 0xffff] {
        let id = classID << 16 | method
        if !known.contains(id) { #expect(MethodSpec.index(id) == MethodSpec.unknown) }
      }
    }
  }
}
