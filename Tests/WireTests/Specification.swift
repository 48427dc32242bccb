/// Reads the XML of the AMQP 1.0 specification, as far as the tests compare it.
import Foundation
import Support
import Wire

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct Specification {
  struct Field: Equatable {
    var name: String
    var type: String
    var mandatory: Bool
    var multiple: Bool
    var defaultText: String?
    var requires: String?
  }
  struct Encoding {
    var name: String
    var type: String
    var code: UInt8
    var layout: Layout
  }
  struct TypeElement {
    var name: String
    var kind: String
    var source: String
    var provides: String
    var symbol: String?
    var code: UInt64?
    var fields: [Field] = []
    var choices: [(name: String, value: String)] = []
    var encodings: [Encoding] = []
  }

  struct NotXML: Error { let part: String }

  var types: [TypeElement] = []

  static func read(_ parts: [String]) throws -> Specification {
    let reader = Reader()
    for part in parts {
      let parser = XMLParser(data: Data(try fixture("/usr/share/amqp/specs/1-0/\(part).bare.xml")))
      parser.delegate = reader
      if !parser.parse() { throw NotXML(part: part) }
    }
    return Specification(types: reader.types)
  }

  /// The primitive behind a name, through as many restricted types as it takes.
  func primitive(of name: String) -> String {
    guard let type = types.first(where: { $0.name == name && $0.kind == "restricted" }) else { return name }
    return primitive(of: type.source)
  }
}

private final class Reader: NSObject, XMLParserDelegate {
  var types: [Specification.TypeElement] = []

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes a: [String: String]
  ) {
    switch element {
    case "type":
      types.append(
        .init(
          name: a["name"] ?? "", kind: a["class"] ?? "", source: a["source"] ?? "",
          provides: (a["provides"] ?? "").replacingOccurrences(of: " ", with: "")))
    case "descriptor":
      types[types.count - 1].symbol = a["name"]
      // "0x00000000:0x00000010"
      let halves = (a["code"] ?? "").split(separator: ":").map { $0.dropFirst(2) }
      types[types.count - 1].code = UInt64(halves.joined(), radix: 16)
    case "field":
      types[types.count - 1].fields.append(
        .init(
          name: a["name"] ?? "", type: a["type"] ?? "", mandatory: a["mandatory"] == "true",
          multiple: a["multiple"] == "true", defaultText: a["default"], requires: a["requires"]))
    case "choice":
      types[types.count - 1].choices.append((a["name"] ?? "", a["value"] ?? ""))
    case "encoding":
      let type = types[types.count - 1].name
      let width = Int(a["width"] ?? "") ?? -1
      let layout: Layout =
        switch a["category"] {
        case "fixed": .fixed(width)
        case "variable": .variable(width)
        case "compound": .compound(width)
        default: .array(width)
        }
      let code = UInt8((a["code"] ?? "").dropFirst(2), radix: 16) ?? 0
      types[types.count - 1].encodings.append(.init(name: a["name"] ?? type, type: type, code: code, layout: layout))
    default: break
    }
  }
}
